"""Pages: offline, no script, escaped, bad news first."""

import re

from workbench.registry import current
from workbench.reporting import index


def test_pages_load_nothing_from_outside_and_run_no_script(sample_home):
    pages = list((sample_home / "reports" / "sample").rglob("*.html"))
    ours = [p for p in pages if "evidently" not in p.parent.name]
    assert len(ours) >= 3
    for page in ours:
        text = page.read_text()
        assert "default-src 'none'" in text
        assert not re.search(r"<script|<link[^>]+href|src=\"http", text)


def test_pages_hide_code_and_show_the_verdict(sample_home):
    text = (sample_home / "reports/sample/once/models/development.html").read_text()
    assert "import evidence" not in text and "Which candidate is put forward" in text
    assert "Sample: 4,000 Taiwanese card customers" in text and "MLflow run" in text


def test_the_index_shows_every_step_with_a_link_that_leads_somewhere(sample_home):
    text = (sample_home / "reports/index.html").read_text()
    for target in re.findall(r'href="(sample/[^"]+)"', text):
        assert (sample_home / "reports" / target).exists()
    assert "portfolios/intake" in text and "models/development" in text


def _run(step, verdict, start, **more):
    about = {"status": "FINISHED", "headline": "<b>x</b>", "seconds": 1.0, "run_id": "0" * 32, "step_key": "k"}
    about |= {"study": "s", "period": "once", "step": step, "slug": step, "verdict": verdict, "start": start}
    return current.Record(**{**about, "figures": {"rows": 28000.0}, **more})


def test_bad_news_comes_first_and_is_escaped(tmp_path):
    rows = [_run("a/a", "green", 1), _run("b/b", "amber", 2), _run("c/c", "red", 3), _run("panel/build", "amber", 4)]
    text = index.render(rows, [], tmp_path)
    bad_news = text[text.index("Bad news first") : text.index("<h2>s")]
    assert bad_news.index("c/c") < bad_news.index("b/b") and "a/a" not in bad_news and "panel/build" not in bad_news
    assert "panel/build" in text[text.index("Warnings about data") :]
    assert "<b>x</b>" not in text and "28,000" in text


def test_models_stand_on_top_with_what_validation_and_monitoring_say_of_this_version(tmp_path):
    entry = {"name": "s.pd", "version": "2", "kind": "scorecard"}
    tagged = {"model__pd": {"name": "s.pd", "version": "2", "tags": {"validation.verdict": "refer"}}}
    old = {"model__pd": {"name": "s.pd", "version": "1", "tags": {"validation.verdict": "pass"}}}
    runs = [
        _run("models/development", "info", 1, models={"model__pd": entry}, owner="risk"),
        _run("validation/battery", "amber", 2, tags=tagged),
        _run("validation/battery@old", "green", 3, tags=old),
        _run("monitoring/through_time", "red", 4, reads=("mart__panel", "model__pd")),
    ]
    (row,) = index.models(runs, tmp_path)
    assert (row["name"], row["version"], row["verdict"], row["owner"]) == ("s.pd", "2", "refer", "risk")
    assert row["watched"]["verdict"] == "red"
    text = index.render(runs, [], tmp_path)
    assert text.index("s.pd") < text.index("Bad news first")
    assert "simulated" not in text.split("</style>")[1]
    assert "simulated, not real" in index.render([_run("a/a", "green", 1, simulated=True)], [], tmp_path)


def test_a_failed_try_stands_beside_the_run_that_still_counts(tmp_path):
    failed = _run("a/a", "error", 2, status="FAILED", headline="cell 3: it broke")
    text = index.render([_run("a/a", "green", 1)], [failed], tmp_path)
    assert "(last try, failed)" in text and "cell 3: it broke" in text
