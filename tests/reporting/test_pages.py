"""Pages: offline, no script, escaped, bad news first."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from workbench import home
from workbench.evidence import Evidence
from workbench.registry import current, placed, slots
from workbench.registry.recorded import JUDGED
from workbench.reporting import advice, index, listing, models, page, studies
from workbench.words import say, speaking


def test_pages_load_nothing_from_outside_and_run_no_script(sample_home):
    pages = list((sample_home / "reports" / "sample").rglob("*.html"))
    ours = [p for p in pages if "evidently" not in p.parent.name]
    assert len(ours) >= 3
    for path in ours:
        text = path.read_text()
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


def _page(tmp_path, *evidence, written=(), **more):
    notebook = tmp_path / "n.ipynb"
    notebook.write_text('{"cells": []}')
    worst = min((e.verdict for e in evidence), key=lambda v: v.rank)
    tables = {"read": {}, "written": dict.fromkeys(written, "d")}
    recorded = {"verdict": worst, "evidence": [e.record() for e in evidence], "tables": tables}
    facts = {"title": "t", "step": "a/a", "steps": [], "place": "s/once/a/a", "params": {}, "attached": {}}
    facts |= {"simulated": False, "run_id": "0" * 32, "link": "", "period": "once", "study": "s"}
    return page.render(notebook, recorded, {"start": 0.0, **facts, **more})


def test_a_citation_of_a_rescinded_rule_turns_a_page_amber(sample_home, tmp_path):
    e = Evidence(key="k", question="q", verdict="green", answer="a", source="SR 11-7, section V")
    text = _page(tmp_path, e)
    assert '<section class="decision amber">' in text and "(SR 11-7; OCC 2011-12), rescinded on 2026-04-17." in text
    assert '<section class="decision green">' in _page(tmp_path, replace(e, source="Cox (1958)"))


BEGINNINGS = {
    "pass: 45 tests.": "Pass: 45 tests.",
    "mean delay says most.": "Mean delay says most.",
    "taiwan_cards.pd version 1 is candidate.": "taiwan_cards.pd version 1 is candidate.",
    "`age` says most.": "<code>age</code> says most.",
    "pH is low.": "pH is low.",
    "3 columns.": "3 columns.",
}


@pytest.mark.parametrize("answer", BEGINNINGS)
def test_an_answer_begins_on_its_page_and_card_as_on_the_command_line(tmp_path, answer):
    e = Evidence(key="a", question="q", verdict="green", answer=answer)
    light = '<span class="light green">green</span>'
    assert f"<li>{light} {BEGINNINGS[answer]} <span" in _page(tmp_path, e)
    assert f'<p class="answer">{light} {BEGINNINGS[answer]}</p>' in e._repr_html_()
    with speaking("zh_CN"):
        chinese = replace(e, answer="age 与 income 最为相关。")._repr_html_()
    assert " age 与 income 最为相关。</p>" in chinese


def test_the_same_words_stand_once_where_they_stood_first(tmp_path):
    few, other = "Too few were asked.", "Another thing."
    answers = [("a", few), ("b", other), ("c", few)]
    made = [Evidence(key=k, question=k, verdict="amber", answer=answer) for k, answer in answers]
    text = _page(tmp_path, *made)
    assert text.count(few) == text.count(other) == 1 and text.index(few) < text.index(other)


def test_an_action_page_begins_with_the_light_of_the_model_it_acts_on_and_leads_to_it(tmp_path):
    amber = say("The scores acted on are those of model {model}.", model="churn")
    of_model = Evidence(key=JUDGED, question="q", verdict="amber", answer=amber)
    worse = Evidence(key="k", question="q", verdict="red", answer="worse")
    text = _page(tmp_path, worse, of_model, written=["mart__list_save"])
    assert text.index("those of model churn") < text.index("Worse") < text.index("What to do")
    assert '<a href="../../../s/models/churn.html">The model&#39;s page</a>' in text
    assert "Don&#x27;t act on the list before what is red is mended." in text
    chinese = _page(tmp_path, of_model, language="zh_CN", index="zh_CN/index.html", place="zh_CN/s/once/a/a")
    assert '<a href="../../../../zh_CN/s/models/churn.html">模型页面</a>' in chinese
    assert "models/churn.html" not in _page(tmp_path, worse)


def test_what_to_do_is_said_of_a_list_and_of_what_could_not_be_evaluated():
    assert (
        str(advice.what_to_do("actions/a", "info", lists=True)) == "Act on the list: it says whom, why and what to do."
    )
    of_alarms = str(advice.what_to_do("monitoring/through_time@behaviour", "red"))
    assert "Do what the alarms ask" in of_alarms and "ecalibrate" not in of_alarms  # one page, one action
    for step in ("portfolios/intake", "models/development", "actions/events"):
        assert str(advice.what_to_do(step, "not_evaluated")) == (
            "Don't rely on what could not be evaluated: give it what it lacks, as it says, and run it again."
        )


ENTRY = {"name": "s.pd", "version": "2", "kind": "scorecard"}


def _run(step, verdict, start, **more):
    about = {"status": "FINISHED", "headline": "<b>x</b>", "seconds": 1.0, "run_id": f"{start:032d}", "step_key": "k"}
    about |= {"study": "s", "period": "once", "step": step, "slug": step, "verdict": verdict, "start": start}
    return current.Record(**{**about, "figures": {"rows": 28000.0}, **more})


def _site(folder, *runs, failed=()):
    return listing.Site(tuple(listing.listed(list(runs), list(failed), folder)))


def test_bad_news_comes_first_and_is_escaped(tmp_path):
    rows = [_run("a/a", "green", 1), _run("b/b", "amber", 2), _run("c/c", "red", 3), _run("panel/build", "amber", 4)]
    rows.append(_run("portfolios/intake", "red", 5))
    text = index.render(_site(tmp_path, *rows))
    bad_news = text[text.index("Bad news first") : text.index("<h2>Studies")]
    assert bad_news.index("Data intake") < bad_news.index("b/b")
    assert bad_news.index("c/c") < bad_news.index("b/b") and "a/a" not in bad_news and "panel/build" not in bad_news
    assert "panel/build" in text[text.index("Warnings about data") :]
    (_, study), *_ = studies.pages(_site(tmp_path, *rows))
    assert "<b>x</b>" not in text + study and "28,000" in study


def test_every_page_of_a_study_says_which_of_its_steps_are_red():
    intake, model = _run("portfolios/intake", "red", 1), _run("models/development", "green", 2)
    ways = [
        placed.steps(r, ["portfolios/intake", "models/development"], [intake, model])[slots.STEPS]
        for r in (model, intake)
    ]
    assert 'Data intake <span class="light red">red</span></a>' in ways[0] and ways[0].count("light") == 1
    assert "light" not in ways[1]  # its own stands on top of it


def test_models_stand_on_top_with_what_validation_and_monitoring_say_of_this_version(tmp_path):
    entry = {"name": "s.pd", "version": "2", "kind": "scorecard"}
    tagged = {"model__pd": {"name": "s.pd", "version": "2", "tags": {"validation.verdict": "refer"}}}
    old = {"model__pd": {"name": "s.pd", "version": "1", "tags": {"validation.verdict": "pass"}}}
    runs = [
        _run("models/development", "info", 1, models={"model__pd": entry}, owner="risk"),
        _run("validation/battery", "amber", 2, tags=tagged),
        _run("validation/battery@old", "green", 3, tags=old),
        _run("monitoring/through_time", "amber", 4, reads=("mart__panel", "model__pd"), period="2018-01"),
        _run("monitoring/through_time", "red", 5, reads=("mart__panel", "model__pd"), period="2018-02"),
        _run("monitoring/causes", "info", 6, reads=("mart__panel", "?model__pd"), period="2018-02"),
    ]
    site = _site(tmp_path, *runs)
    (model,) = models.newest(site)
    assert (model.model, model.version, model.verdict, model.light) == ("s.pd", "2", "refer", "amber")
    assert (model.watched.period, model.watched.record.verdict) == ("2018-02", "red") and model.rank == listing.rank(
        "red"
    )
    text = index.render(site)
    assert "<p>1 model, 0 in use · " in text
    assert text.index("s.pd") < text.index("Bad news first") and ">risk</td>" in text
    ((place, page),) = models.pages(site)
    assert place == "s/models/pd.html" and page.count("validation/battery") == 2
    assert "simulated" not in text.split("</style>")[1]
    assert "simulated, not real" in index.render(_site(tmp_path, _run("a/a", "green", 1, simulated=True)))


def test_the_worst_model_comes_first_and_each_once(tmp_path):
    def made(study, start, verdict, period="once"):
        entry = {"name": f"{study}.pd", "version": str(start), "kind": "scorecard"}
        tags = {"model__pd": {**entry, "tags": {"validation.verdict": verdict}}}
        about = {"study": study, "period": period}
        yield _run("models/development", "info", start, models={"model__pd": entry}, **about)
        yield _run("validation/battery", "info", start + 1, tags=tags, **about)

    runs = [
        *made("a", 1, "pass"),
        *made("b", 3, "refuse"),
        *made("c", 5, "refuse", "2018-01"),
        *made("c", 7, "refer", "2018-02"),
    ]
    newest = models.newest(_site(tmp_path, *runs))
    assert [(m.model, m.version, m.verdict) for m in newest] == [
        ("b.pd", "3", "refuse"),
        ("c.pd", "7", "refer"),
        ("a.pd", "1", "pass"),
    ]


def test_a_failed_try_stands_beside_the_run_that_still_counts(tmp_path):
    failed = _run("a/a", "error", 2, status="FAILED", headline="cell 3: it broke")
    text = index.render(_site(tmp_path, _run("a/a", "green", 1), failed=[failed]))
    assert "(last try, failed)" in text and "cell 3: <code>it broke</code>" in text


def test_news_is_of_the_newest_period_and_the_study_shows_all_as_lights(tmp_path):
    watched = [
        _run("monitoring/through_time", v, i, period=f"2018-0{i}") for i, v in enumerate(["red", "green", "amber"], 1)
    ]
    site = _site(tmp_path, _run("panel/build", "green", 9), *watched)
    text = index.render(site)
    news = text[text.index("Bad news first") : text.index("<h2>Studies")]
    assert "2018-03" in news and "2018-01" not in news
    assert len(re.findall("data-earlier hidden", text)) == 2
    ((place, page),) = studies.pages(site)
    row = page[page.index('<tr id="monitoring/through_time">') :].partition("</tr>")[0]
    assert place == "s/index.html" and re.findall(r"light (\w+) sign", row) == ["red", "green", "amber"]
    assert page.index('<h2 id="2018-03">') < page.index('id="2018-02"') < page.index('id="2018-01"')


def test_a_study_lists_its_steps_as_they_stand_on_one_another_and_says_what_it_is_about(tmp_path):
    about = {"description": "Loans of a <b>bank</b>."}
    runs = [
        _run("panel/build@b", "green", 2, reads=("core__account",), tables={"mart__b": {}}, **about),
        _run("models/development@b", "green", 3, reads=("mart__b",), models={"model__b": ENTRY}, **about),
        _run("portfolios/intake", "green", 9, tables={"core__account": {}}, **about),  # made again later, as all below
        _run("panel/build", "green", 10, reads=("core__account",), tables={"mart__panel": {}}, **about),
        _run("monitoring/m", "red", 11, reads=("mart__b", "?model__b"), period="2018-01", **about),
        _run("reporting/pack", "red", 5, reads=("evidence:monitoring/m", "?previous:a"), period="2018-01", **about),
    ]
    site = _site(tmp_path, *runs)
    ((_, page),) = studies.pages(site)
    order = [
        "portfolios/intake",
        "panel/build",
        "panel/build@b",
        "models/development@b",
        "monitoring/m",
        "reporting/pack",
    ]
    assert re.findall(r'<tr id="[^"]+"><th scope="row">.*?<code>(.*?)</code>', page) == order
    assert [r.step for r in studies.in_order(list(site.rows))] == order
    assert page.count("<p>Loans of a &lt;b&gt;bank&lt;/b&gt;.</p>") == 1
    once, dated = (page[page.index(f'<tr id="{s}">') :].partition("</tr>")[0] for s in ("panel/build", "monitoring/m"))
    assert "not run" not in once + dated and "Once for all periods" in once and "by period" in dated
    ((_, page),) = models.pages(site)
    assert "<p>Loans of a &lt;b&gt;bank&lt;/b&gt;.</p>" in page
    circle = [_run("a/a", "green", 1, reads=("evidence:b/b",)), _run("b/b", "green", 2, reads=("evidence:a/a",))]
    assert [r.step for r in studies.in_order(list(_site(tmp_path, *circle).rows))] == ["a/a", "b/b"]


def test_the_last_monitoring_without_a_period_says_the_last_one_it_watched(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    home.put(tmp_path / "mlruns/m/evidence/evidence.json", b'{"series": {"psi": {"2023-Q3": 0.1, "2023-Q4": 0.1}}}')
    made = _run("models/development", "info", 1, models={"model__pd": ENTRY})
    watch = _run("monitoring/m", "amber", 1796023650, reads=("model__pd",))
    for folder, words in (("m", "2023-Q4"), ("", "once"), ("lost", "once")):
        site = _site(tmp_path, made, replace(watch, folder=folder))
        ((_, page),) = models.pages(site)
        assert all(f"</span> {words}<" in text for text in (page, index.render(site)))


def test_a_pack_is_listed_with_its_period_and_what_is_attached(tmp_path):
    place = "s/2018-03/reporting/pack-pdf/pack.pdf"
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_bytes(b"%PDF")
    pack = _run("reporting/pack", "amber", 1, period="2018-03", pages={"evidence/pdf/pack.pdf": place})
    text = index.render(_site(tmp_path, pack))
    packs = text[text.index("<h2>Packs") : text.index("<h2>All reports")]
    assert "2018-03" in packs and f'<a href="{place}">pack.pdf</a>' in packs


def test_the_script_is_the_one_the_policy_names_and_its_hash_changes_with_it(tmp_path):
    text = index.render(_site(tmp_path, _run("a/a", "green", 1)))
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text and "addEventListener" in script
