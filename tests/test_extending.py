"""What docs/extending.md prints does what it says: put in its place, it is found, runs, and leaves its pages."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import numpy as np
import pytest

from running import sketched

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(?:python|yaml)\n# (\S+)\n(.*?)^```", re.M | re.S)
PRINTED = dict(BLOCK.findall((ROOT / "docs" / "extending.md").read_text(encoding="utf-8")))


def _notebook(text: str) -> str:
    """Return the notebook of cells that `# %%` begins."""
    cells = []
    for mark, source in re.findall(r"^# %%([^\n]*)\n(.*?)(?=^# %%|\Z)", text, re.M | re.S):
        if "markdown" in mark:
            cells.append(nbformat.v4.new_markdown_cell(re.sub(r"^# ?", "", source, flags=re.M).strip()))
        else:
            tags = {"tags": ["parameters"]} if "parameters" in mark else {}
            cells.append(nbformat.v4.new_code_cell(source.strip(), metadata=tags))
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


def test_no_cell_shows_the_digest_of_a_table_it_writes():
    shipped = {str(p): p.read_text(encoding="utf-8") for p in sorted((ROOT / "notebooks").glob("*/*.ipynb"))}
    printed = {name: _notebook(text) for name, text in PRINTED.items() if name.endswith(".ipynb")}
    for name, text in {**shipped, **printed}.items():
        for cell in nbformat.reads(text, 4).cells:
            last = cell.source.rstrip().rpartition("\n")[2]
            assert cell.cell_type != "code" or not last.startswith(("tables.write(", "tables.stage(")), (name, last)


def _loans(n: int = 1000) -> str:
    """Return loans in JSON lines, repaid early the more often the dearer and the shorter they are."""
    rng = np.random.default_rng(3)
    interest, term = rng.uniform(2, 10, n).round(2), rng.integers(12, 61, n)
    repaid = rng.random(n) < 1 / (1 + np.exp(3.5 - 0.35 * (interest - 6) - 0.08 * (60 - term)))
    rows = [
        {
            "loan_id": f"L{i:06d}",
            "start": f"{2020 + i % 2}-{rng.integers(1, 13):02d}-15",
            "amount": round(float(rng.lognormal(9, 0.5)), 2),
            "interest_rate": interest[i],
            "term_months": int(term[i]),
            "income_class": "ABC"[rng.integers(3)],
            "repaid_early": "NY"[int(repaid[i])],
        }
        for i in range(n)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture(scope="module")
def clone(tmp_path_factory, empty_store) -> Path:
    """A repository in which everything printed has been put in its place, and nothing else was touched."""
    root = tmp_path_factory.mktemp("clone")
    for folder in ("src/workbench", "notebooks", "params"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():  # what is compiled, too: it needn't be again
                link = root / path.relative_to(ROOT)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
    for name, text in PRINTED.items():
        path = root / name
        assert not path.exists(), "an addition edits nothing"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_notebook(text) if path.suffix == ".ipynb" else text, encoding="utf-8")
    (root / "mlruns").mkdir()
    shutil.copy(empty_store, root / "mlruns")
    (root / "data").mkdir()
    (root / "data" / "repaid.jsonl").write_text(_loans())
    return root


def _python(clone: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    env = {**os.environ, **more, "WORKBENCH_HOME": str(clone), "PYTHONPATH": str(clone / "src")}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True)


def test_every_addition_is_printed():
    assert {Path(name).parts[:3] for name in PRINTED} == {
        ("src", "workbench", "portfolios"),
        ("src", "workbench", "validation"),
        ("src", "workbench", "rules"),
        ("src", "workbench", "actions"),
        ("notebooks", "actions", "calls.ipynb"),
        ("tests", "actions", "test_calls.py"),
        ("params", "contracts", "repaid.yaml"),
        ("params", "repaid.yaml"),
    }


@pytest.mark.whole
def test_what_is_printed_runs_to_its_pages(clone):
    fewer = ("--set", "models/development.folds=2")
    done = _python(clone, "-m", "workbench.cli", "run", "repaid", *fewer, **sketched())
    assert done.returncode == 0, done.stdout + done.stderr
    pages = clone / "reports" / "repaid" / "once"
    assert "early repayment rate" in (pages / "panel" / "build.html").read_text(encoding="utf-8")
    assert "rate of the event in the highest tenth over the rate of all" in (
        pages / "validation" / "battery.html"
    ).read_text(encoding="utf-8")
    assert "Accounts to call: " in (pages / "actions" / "calls.html").read_text(encoding="utf-8")


def test_the_source_refuses_in_one_line(clone):
    (clone / "data" / "odd.jsonl").write_text("no, object\n")
    step = ["run", "repaid", "--step", "portfolios/intake", "--set"]
    unnamed, odd = (f"portfolios/intake.files={files}" for files in ("{}", "{account: data/odd.jsonl}"))
    code = f"from workbench.cli import main; print(*(main([*{step}, files]) for files in {[unnamed, odd]}))"
    done = _python(clone, "-c", code)
    assert done.stdout.splitlines()[-1] == "2 2"
    assert done.stderr.splitlines() == [
        "workbench: repaid.yaml: portfolios/intake: json_lines needs `files` and `contracts`, each `{account: PATH}`",
        "workbench: repaid.yaml: odd.jsonl: not JSON lines; write one object a line, in UTF-8",
    ]


def test_the_printed_test_passes_and_all_that_is_new_is_there(clone):
    code = """
        from pathlib import Path
        import pytest
        from workbench.cli import main
        from workbench.validation import battery
        from workbench.words import extract
        print(*battery.tests(), f"checked with {main(['steps', 'repaid'])}", sep="\\n")
        code = pytest.main(["-q", "-p", "no:cacheprovider", "tests/actions"])
        print(f"ended with {code:d}", *extract.templates_of(Path(".")), sep="\\n")
    """
    done = _python(clone, "-c", textwrap.dedent(code))
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert {"ended with 0", "Lift {lift:.2f}.", "lift", "checked with 0"} <= set(lines)
    assert any(line.lstrip().startswith("actions/calls") for line in lines), done.stdout


def test_the_code_is_in_the_house_style(clone):
    (clone / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    done = _python(clone, "-m", "ruff", "check", "--no-cache", *(n for n in PRINTED if n.endswith(".py")))
    assert done.returncode == 0, done.stdout
