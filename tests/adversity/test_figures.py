"""The page of figures: a suite's run writes its own lines anew and leaves the others alone."""

from __future__ import annotations

PAGE = "# Page\n\n<!-- figures -->\n<!-- end of figures -->\n\nthe rest\n"


def test_a_suite_writes_its_own_lines_and_leaves_the_others(request):
    (adversity,) = (
        p
        for p in request.config.pluginmanager.get_plugins()
        if hasattr(p, "pytest_terminal_summary") and hasattr(p, "updated")
    )
    first = adversity.updated(PAGE, {("kills", "runner"): "| kills | runner | 110 | 3 | 1 | today |\n"})
    both = adversity.updated(first, {("fuzzing", "csv"): "| fuzzing | csv | 40 | 0 | 1 | today |\n"})
    again = adversity.updated(both, {("kills", "runner"): "| kills | runner | 110 | 0 | 1 | later |\n"})
    rows = [line for line in again.splitlines() if line.startswith("| ")]
    assert rows == [
        adversity.HEAD.splitlines()[0],
        "| fuzzing | csv | 40 | 0 | 1 | today |",
        "| kills | runner | 110 | 0 | 1 | later |",
    ]
    assert again.startswith("# Page\n") and again.endswith("\nthe rest\n")
