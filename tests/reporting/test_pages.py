"""Pages: offline, no script, escaped, bad news first."""

import re

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
    text = (sample_home / "reports/sample/models/development.html").read_text()
    assert "import evidence" not in text and "Which candidate is put forward" in text
    assert "Sample: 4,000 Taiwanese card customers" in text and "MLflow run" in text


def test_the_index_shows_every_step_with_a_link_that_leads_somewhere(sample_home):
    text = (sample_home / "reports/index.html").read_text()
    for target in re.findall(r'href="(sample/[^"]+)"', text):
        assert (sample_home / "reports" / target).exists()
    assert "portfolios/intake" in text and "models/development" in text


def test_bad_news_comes_first_and_is_escaped(tmp_path):
    def row(step, verdict, start):
        return {
            "step": step, "status": "FINISHED", "start": start, "seconds": 1.0, "verdict": verdict,
            "headline": "<b>x</b>",
            "figures": {"rows": 28000.0}, "link": "http://127.0.0.1:5000/", "run_id": "0" * 32,
        }  # fmt: skip

    text = index.render({"s": [row("a/a", "green", 1), row("b/b", "amber", 2), row("c/c", "red", 3)]}, tmp_path)
    told = text[text.index("Bad news first") : text.index("<h2>s")]
    assert told.index("c/c") < told.index("b/b") and "a/a" not in told
    assert "<b>x</b>" not in text and "28,000" in text
