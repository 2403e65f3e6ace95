"""The documents of a version: whole, the same twice, each number with its run; what a person wrote escaped and apart."""

from __future__ import annotations

import importlib
import io
import math
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from workbench import cli
from workbench.evidence import Evidence, Verdict
from workbench.params import UserError
from workbench.registry import claims, inventory, written
from workbench.registry.claims import Claim, Figure
from workbench.registry.current import Record
from workbench.registry.events import Chain, Event
from workbench.registry.recorded import Recorded
from workbench.registry.registered import Registered
from workbench.registry.written import Chapters
from workbench.reporting import (
    documents,
    dossier,
    ecb_template,
    inventory_entry,
    monitoring_report,
    site,
    validation_report,
)
from workbench.reporting.document import Answer, Document, Row, Rows, Typed, chapter, is_whole
from workbench.reporting.dossier import Dossier
from workbench.rules import regulations
from workbench.words import say, speaking, untranslated
from workbench.words.pair import Pair

XLSX = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CHAPTERS = Chapters.model_validate(
    {
        "developer": {
            "intended_use": "Cards <b>alone</b>.\n\nIt separates: {{claim: holdout_gini >= 0.1}}.",
            "restrictions": "{{claim: holdout_gini >= 0.99}}",
            "limitations": {"en": "Few rows.", "zh_CN": "行数少。"},
            "overrides": "None.",
        },
        "validator": {"opinion": 2, "assessment": "Sound."},
    }
)


@pytest.fixture(scope="module")
def gathered(sample_home) -> Dossier:
    """The sample study's behaviour score, which is watched, with nothing written of it yet."""
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WORKBENCH_HOME", str(sample_home))
        return dossier.gather("sample.behaviour", "1")


@pytest.fixture
def d(gathered, sample_home, monkeypatch) -> Dossier:
    """The same, with every chapter written, one claim of which doesn't hold."""
    monkeypatch.setenv("WORKBENCH_HOME", str(sample_home))
    monkeypatch.setattr(written, "load", lambda model: CHAPTERS)
    return replace(gathered)


@pytest.fixture(scope="module")
def made(gathered, sample_home) -> SimpleNamespace:
    """Every document, its page in both languages, and what was asked of the catalogue that it hasn't."""
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WORKBENCH_HOME", str(sample_home))
        here.setattr(written, "load", lambda model: CHAPTERS)
        asked = untranslated()
        each = {name: documents.rendered(replace(gathered), name) for name in ("", "zh_CN")}
        pages = {name: by_name for name, (_, by_name) in each.items()}
        return SimpleNamespace(documents=each[""][0], pages=pages, untranslated=untranslated() - asked)


@pytest.fixture
def pages(made) -> dict[str, dict[str, str]]:
    return made.pages


def test_every_document_is_there_in_both_languages_and_says_its_own_digest(made):
    for language, by_name in made.pages.items():
        assert list(by_name) == list(documents.MADE)
        for name, content in by_name.items():
            assert is_whole(content) and not is_whole(content.replace("SHA-256", "SHA-257", 1)), name
            ids = re.findall(r' id="([^"]*)"', content)
            assert len(ids) == len(set(ids)) and "" not in ids and '<div class="scroll">' not in content, name
            assert f'<html lang="{"zh-CN" if language else "en"}">' in content and ">None<" not in content
    assert made.untranslated == set()


def test_without_a_language_they_are_in_that_of_the_study(d):
    chinese = replace(d.development, record=replace(d.development.record, language="zh_CN"))
    of_chinese_study = replace(d, development=chinese)
    assert documents._spoken(of_chinese_study, "") == documents._spoken(of_chinese_study, "zh_CN") == ("zh_CN", "")
    assert documents._spoken(of_chinese_study, "en") == ("en", "en")
    assert documents._spoken(d, "") == documents._spoken(d, "en") == ("en", "")
    assert documents._spoken(d, "zh_CN") == ("zh_CN", "zh_CN")


def test_the_same_records_give_the_same_bytes(d, pages):
    assert documents.rendered(replace(d), "zh_CN")[1] == pages["zh_CN"]
    assert ecb_template.content(d) == ecb_template.content(replace(d))


def test_the_head_names_version_files_chain_policy_protection_and_tools(d, pages):
    head = pages[""]["inventory_entry"].partition("<dl")[2].partition("</dl>")[0]
    for what in ("sample.behaviour/1", dossier.files_digest(d), d.chain.head, "none was adopted", "mlflow 3."):
        assert what in head


def test_the_top_says_the_last_monitoring_and_a_refusal_bad_news_first(d, pages, monkeypatch):
    top = pages[""]["model_card"].partition('<section class="decision')[2].partition("<dl")[0]
    assert re.search(r"Last monitoring, \d{4}(-\w\w)?: \w+ \(Monitoring through time\)\.", top)
    once = _run_of("once", series={"psi": {"2023-Q3": 0.1, "2023-Q4": 0.2}})
    red = _run_of("2018-03", verdict="red")
    state = documents._state(replace(d, monitoring=(once,), battery=None))
    assert [(v, str(text)) for v, text in state] == [
        ("green", "Last monitoring, 2023-Q4: green (Monitoring through time).")
    ]
    tags = {"model__behaviour": {"name": "sample.behaviour", "version": "1", "tags": {"validation.verdict": "refuse"}}}
    battery = replace(_run_of("once"), record=replace(_run_of("once").record, tags=tags))
    state = documents._state(replace(d, monitoring=(once,), battery=battery))
    assert [v for v, _ in state] == ["red", "green"]
    assert str(state[0][1]) == "sample.behaviour version 1 was refused by the independent validation."
    state = documents._state(replace(d, monitoring=(once, red), battery=None))
    assert state[0][0] == "red" and documents._worst("amber", state) == "red" == documents._worst("info", state)
    assert documents._worst("info", [("green", say("x"))]) == "info"
    state = documents._state(replace(d, monitoring=(), battery=None))
    assert [(v, str(text)) for v, text in state] == [("info", "No step of monitoring has watched this version.")]


def test_a_number_stands_beside_the_run_and_the_key_it_was_read_from(d, pages):
    content, run = pages[""]["development_document"], d.development.record
    assert f"{run.figures['holdout_gini']:.4f} <code" in content
    assert f'<code class="from">{run.run_id[:8]} · holdout_gini</code>' in content
    assert all(r.record.run_id in content for r in d.runs)


def test_what_is_missing_says_why(pages):
    assert '<span class="absent">absent: no step computes it</span>' in pages[""]["development_document"]
    assert "absent: </span>" not in "".join(pages[""].values())


def test_all_runs_of_development_are_listed_and_not_the_winner_alone(d, pages):
    assert d.attempts and all(a.run_id in pages[""]["development_document"] for a in d.attempts)


def test_what_a_person_wrote_is_escaped_and_apart_and_its_claims_are_tested(d, pages):
    content = pages[""]["model_card"]
    assert "Cards &lt;b&gt;alone&lt;/b&gt;." in content and 'class="typed" id="developer.intended_use"' in content
    value = d.development.record.figures["holdout_gini"]
    claimed = r'class="claim green"><code>holdout_gini &gt;= 0.1</code> holds: it is '
    assert re.search(rf"{claimed}{value:.4f} <code>{d.registered.run_id[:8]} · holdout_gini</code>", content)
    assert f"no: it is {value:.4f}" in content and 'class="decision red"' in content


def test_an_empty_chapter_is_an_empty_frame_with_guidance_and_a_finding(gathered, sample_home, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(sample_home))
    asked = ("development_document", "model_card")
    monkeypatch.setattr(documents, "MADE", {name: documents.MADE[name] for name in asked})
    made, by_name = documents.rendered(replace(gathered))
    findings = [str(t) for doc in made if doc.name == "development_document" for t in doc.findings]
    where = "params/chapters/sample.behaviour.yaml"
    assert findings[0] == f"Intended use is empty: {where}, developer.intended_use." and len(findings) == 4
    assert 'class="typed empty" id="developer.limitations"' in by_name["model_card"]
    assert "What can&#39;t it see, what does it assume" in by_name["model_card"]


def test_the_chapters_are_those_that_were_signed(d, monkeypatch):
    signed = {"chapters": CHAPTERS.model_dump(mode="json")}
    monkeypatch.setattr(written.events, "evidence", lambda e: signed)
    monkeypatch.setattr(written, "load", lambda model: Chapters())
    later = written.signed("sample.behaviour", [_Move("submit"), _Move("approve")])
    assert later == CHAPTERS and written.signed("sample.behaviour", []) == Chapters()


class _Move:
    def __init__(self, verb: str, person: str = "", seq: int = 1):
        self.verb, self.person, self.seq = verb, person, seq


def test_of_several_approvers_each_is_named(d):
    moves = (_Move("validate", "v001"), _Move("approve", "a001", 2), _Move("approve", "a002", 3))
    rows = validation_report._independence(SimpleNamespace(moves=moves, standing=d.standing))
    assert [str(r.value) for r in rows] == [f"{p}, who has not developed it" for p in ("v001", "a001", "a002")]
    assert (
        str(validation_report._independence(SimpleNamespace(moves=(), standing=d.standing))[1].key)
        == "independent_approve"
    )


def _chain(*moves: tuple) -> Chain:
    """Return a chain of moves of s.pd: version, verb, person, state before and after; a day each."""
    about = {"prev": "", "model": "s.pd", "files": "", "role": "", "evidence": "", "policy": ""}
    events = []
    for seq, (version, verb, person, source, target) in enumerate(moves, 1):
        facts = {"version": version, "verb": verb, "person": person, "source": source, "target": target}
        events.append(Event(seq=seq, at=f"2026-11-{seq:02d}T06:00:00Z", **facts, **about))
    return Chain(tuple(events))


def _dossier(version: str, chain: Chain, *monitoring) -> Dossier:
    return Dossier(Registered("s.pd", version, "", 0, {}), chain, None, None, {}, monitoring, ())


APPROVED = [
    ("1", "submit", "dev", "candidate", "submitted"),
    ("1", "validate", "val", "submitted", "in validation"),
    ("1", "approve", "app", "in validation", "approved"),
    ("1", "promote", "own", "approved", "champion"),
]


def _entries(monkeypatch, d: Dossier) -> dict[str, str]:
    """Return state, calendar and limits of an entry of the inventory as they are said, by key."""
    entry = inventory.Entry("s.pd", d.registered.version, "", None, "", "", "", (), "", "", False)
    monkeypatch.setattr(dossier.inventory, "listing", lambda: [entry])
    monkeypatch.setattr(written, "load", lambda model: Chapters())
    parts = (inventory_entry._state(d), inventory_entry._calendar(d), inventory_entry._limits(d))
    return {r.key: str(r.value or r.absent) for rows in parts for r in rows}


def test_a_version_retired_by_anothers_promotion_is_said_to_be_retired_by_that_event(monkeypatch):
    second = [("2", *move[1:]) for move in APPROVED]
    chain = _chain(*APPROVED, *second)
    shown = _entries(monkeypatch, _dossier("1", chain))
    assert shown["lifecycle"] == "retired from use" and shown["event"].startswith("8:")
    assert (shown["since"], shown["retired"]) == ("2026-11-08", "2026-11-08")
    assert shown["approved"] == "2026-11-03"


def test_what_is_put_on_record_moves_no_state_of_the_inventory(monkeypatch):
    chain = _chain(*APPROVED, ("1", "finding", "val", "champion", "champion"))
    shown = _entries(monkeypatch, _dossier("1", chain))
    assert shown["event"].startswith("4:") and shown["since"] == "2026-11-04"
    assert shown["retired"] == "it is not retired"


def test_a_version_rejected_after_one_of_two_approvals_was_not_approved(monkeypatch):
    first = ("1", "approve", "app", "in validation", "in validation")
    chain = _chain(*APPROVED[:2], first, ("1", "reject", "second", "in validation", "rejected"))
    shown = _entries(monkeypatch, _dossier("1", chain))
    assert shown["approved"] == "no such move was made" and shown["since"] == "2026-11-04"


def _run_of(period: str, step: str = "monitoring/through_time", start: float = 1.0, **more) -> Recorded:
    about = {"study": "s", "status": "FINISHED", "headline": "", "seconds": 1.0, "run_id": "r" * 32, "step_key": "k"}
    record = Record(**about, step=step, slug=step, period=period, verdict=more.get("verdict", "green"), start=start)
    return Recorded(record, more.get("evidence", {}), more.get("series", {}), {}, {})


@pytest.mark.parametrize(
    ("moves", "controls"),
    [
        (
            [*APPROVED, ("1", "review", "val", "champion", "under review")],
            "monitoring by monitoring/through_time",
        ),
        (APPROVED[:3], "only a champion has one"),
    ],
)
def test_a_champion_under_review_is_still_watched(monkeypatch, moves, controls):
    shown = _entries(monkeypatch, _dossier("1", _chain(*moves), _run_of("2018-03")))
    assert (shown["controls"], shown["last_monitoring"]) == (controls, "2018-03")


@pytest.mark.parametrize(
    ("people", "answer"),
    [
        (("dev", "val", "app"), "yes"),
        (("dev", "app", "app"), "no: app did more than one of these"),
        (("dev", "dev", "app"), "no: dev did more than one of these"),
        (("dev", "val", "dev"), "no: dev did more than one of these"),
        (("dev", "val"), ""),
    ],
)
def test_different_people_are_compared_pair_by_pair(people, answer):
    moves = [(v, verb, p, a, b) for (v, verb, _, a, b), p in zip(APPROVED, people, strict=False)]
    assert str(inventory_entry._distinct(_dossier("1", _chain(*moves)))) == answer


def test_a_model_that_was_taken_in_is_not_said_to_be_made_here(monkeypatch):
    monkeypatch.setattr(inventory_entry.excerpts, "parameters", lambda run: {"source": "models:/elsewhere.pd/3"})
    taken_in = SimpleNamespace(development=_run_of("once", "registry/adoption@pd"))
    assert str(inventory_entry._origin(taken_in)) == "taken in by registry/adoption@pd from models:/elsewhere.pd/3"
    made = SimpleNamespace(development=_run_of("once", "models/development"))
    assert str(inventory_entry._origin(made)) == "made in the workbench by models/development"


def test_the_decision_of_the_validation_report_is_the_newest():
    again = [("1", "submit", "dev", "rejected", "submitted"), *APPROVED[1:]]
    d = _dossier("1", _chain(*APPROVED[:2], ("1", "reject", "app", "in validation", "rejected"), *again))

    def decision(d: Dossier) -> str:
        blocks = (block for c in validation_report._judgement(d, say("first")) for block in c.blocks)
        rows = (r for block in blocks if isinstance(block, Rows) for r in block.rows)
        return next(str(r.value) for r in rows if r.key == "decision")

    assert decision(d) == "approved on 2026-11-06"
    assert (
        decision(_dossier("1", _chain(*APPROVED[:2], ("1", "approve", "app", "in validation", "in validation")))) == ""
    )


def test_what_changed_is_held_against_an_earlier_period_of_the_same_step():
    """A step that asks for causes ran after it, and the step itself on all the data: neither is a period before."""
    series = {"psi": {"2018-03": 0.1}}
    whole, earlier, now = (_run_of(period, series=series) for period in ("once", "2018-02", "2018-03"))
    causes = _run_of("2018-03", "monitoring/causes", start=2.0)
    assert monitoring_report._before(_dossier("1", Chain(), whole, earlier, now, causes)) is earlier
    assert monitoring_report._before(_dossier("1", Chain(), whole, now, causes)) is None
    assert monitoring_report._before(_dossier("1", Chain())) is None


def test_the_report_speaks_of_the_run_that_followed_the_version_whatever_ran_after_it(d):
    """A step that asks for causes ran later in the same period: the light is the worst, the figures are all there."""
    run = d.watched
    why = Evidence(key="causes", question=say("Why?"), verdict=Verdict.amber, answer=say("Other customers."))
    record = replace(run.record, step="monitoring/causes", verdict="amber", run_id="c" * 32)
    after = replace(run, record=record, evidence={"causes": why}, series={})
    both = monitoring_report.document(replace(d, monitoring=(*d.monitoring, after)))
    chapters = {c.key: c for c in both.chapters}
    light = chapters["verdict"].blocks[0].rows[0]
    assert str(light.value) == run.record.verdict == "red" and light.source.startswith(run.record.run_id[:8])
    shown = [b.evidence.key for b in chapters["population"].blocks if isinstance(b, Answer)]
    assert shown == ["drift", "data", "causes"]
    assert all(r.value for r in chapters["period"].blocks[0].rows)


def test_a_claim_of_a_watched_figure_is_held_against_monitoring(d):
    run = d.monitoring[-1]
    seen = claims.monthly(run.series, run.record.run_id, d.development.record.figures)
    assert seen["psi"].period == max(run.series["separation"]) and seen["holdout_auc"].key == "separation"
    tested = claims.tested([Claim("c", "psi", ">=", 0.0)], seen)
    assert tested[0].holds and str(tested[0].text).startswith("holds: it is")


def test_the_ecb_template_has_its_sheets_and_jeffreys_p(d):
    with speaking("en"), zipfile.ZipFile(io.BytesIO(ecb_template.content(d))) as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        assert len({i.date_time for i in book.infolist()}) == 1
        shared = book.read("xl/sharedStrings.xml").decode()
        p = re.findall(r"<v>([^<]+)</v>", book.read("xl/worksheets/sheet4.xml").decode())
    assert names[0] == "2.4.2 opinion" and names[-1] == "2.5.5.3 concentration" and len(names) == 7
    assert "Opinion, 1 to 4" in shared and "absent: no step computes it" in shared
    from scipy import stats

    rows = [r for r in d.battery.rows("jeffreys") if r["grade"] == "A"]
    n, events, pd_ = (float(rows[0][c]) for c in ("effective n", "effective events", "predicted"))
    expected = stats.beta.cdf(pd_, events + 0.5, n - events + 0.5)  # ECB (2019), 2.5.3.1
    assert any(abs(float(v) - expected) < 1e-12 for v in p)


def test_every_pointer_of_the_register_leads_somewhere(made):
    keys = {doc.name: doc.keys for doc in made.documents} | {"ecb_template": set(ecb_template.KEYS)}
    lost = []
    for rule, demand in ((n, ask) for n, r in regulations.register().items() for ask in r.asks):
        kind, _, target = demand.at.partition(":")
        name, _, key = target.partition("#")
        if kind == "document" and key not in keys[name]:
            lost.append((rule, demand.at))
        if kind == "module":
            importlib.import_module(target)
    assert lost == []


def test_a_citation_of_a_rescinded_rule_turns_a_document_amber():
    e = Evidence(key="k", question="q", verdict=Verdict.green, answer="a", source="SR 11-7, section V")
    doc = Document("model_card", (chapter("c", say("Use"), Answer(e, "r · k")),))
    sentence = "Cites Guidance on model risk management (SR 11-7; OCC 2011-12), rescinded on 2026-04-17."
    assert [str(t) for t in doc.outdated] == [sentence]


def test_completeness_counts_what_is_there():
    rows = Rows((Row("a", say("Name"), "x"), Row("b", say("Name")), Row("c", say("Name"), say("yes"))))
    assert Document("model_card", (chapter("c", say("Use"), rows),)).completeness == (2, 3)


def test_a_page_with_personal_data_is_not_written(d, monkeypatch):
    made = {"model_card": "<main><p>Ask the clerk, 13800138000.</p></main>"}
    monkeypatch.setattr(documents, "rendered", lambda *_: ([], made))
    monkeypatch.setattr(dossier, "gather", lambda *_: d)
    with pytest.raises(
        UserError, match=r"sample.behaviour version 1: model_card: holds personal data \(.* take it out"
    ):
        documents.write("sample.behaviour", "1")


def test_a_typed_text_shows_its_claims_in_place():
    made = Claim("developer.overrides", "psi", "<=", 0.25)
    tested = claims.tested([made], {"psi": Figure(0.3, "0123456789", "psi")})
    pair = Pair.model_validate("Drift: {{claim: psi <= 0.25}} & no more.")
    block = Typed("developer.overrides", say("Overrides"), pair, say("Use"), "f", tuple(tested))
    assert str(block.html) == (
        '<p>Drift: <span class="claim red"><code>psi &lt;= 0.25</code> no: it is 0.3000 <code>01234567 · psi</code></span>'
        " &amp; no more.</p>"
    )


def test_the_command_names_findings_and_exits_with_1_where_a_claim_does_not_hold(monkeypatch, capsys):
    made = documents.Written(
        [Path("a.html")], ["Opinion is empty: f, validator.opinion."], ["auc >= 0.9: contradicted"], "zh_CN"
    )
    asked = []
    monkeypatch.setattr(documents, "write", lambda *given, **more: asked.append((given, more)) or made)
    monkeypatch.setattr(site, "write", asked.append)
    assert cli.main(["documents", "bank.pd/2", "--lang", "zh_CN", "--pdf"]) == 1
    assert asked == [(("bank.pd", "2", "zh_CN"), {"as_pdf": True}), "zh_CN"]
    assert capsys.readouterr().out.splitlines() == [
        "a.html",
        "finding: Opinion is empty: f, validator.opinion.",
        "claim: auc >= 0.9: contradicted",
    ]
    monkeypatch.setattr(documents, "write", lambda *given, **more: replace(made, contradicted=[]))
    assert cli.main(["documents", "bank.pd/2"]) == 0


def test_a_row_of_the_ecb_template_has_room_for_its_longest_cell():
    assert [ecb_template._lines(r) for r in (("a", 1, ""), ("a", "b" * 59), ("字" * 21,), ("字" * 22, 0.5))] == [
        1,
        2,
        1,
        2,
    ]
    assert ecb_template._lines(("", "", "")) == 1


def test_a_spreadsheet_program_can_read_the_ecb_template_as_it_is(d):
    """What Excel refuses or mends by itself: names of sheets, lost parts, formulas, characters, cells out of order."""
    content = ecb_template.content(d)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {n: ElementTree.fromstring(book.read(n)) for n in book.namelist()}
    sheets = [s.get("name") for s in parts["xl/workbook.xml"].iter(f"{XLSX}sheet")]
    assert len({s.casefold() for s in sheets}) == len(sheets) == 7
    assert all(0 < len(s) <= 31 and not set(s) & set(r"[]:*?/\'") for s in sheets)
    listed = {o.get("PartName") for o in parts["[Content_Types].xml"]} - {None}
    assert {f"/{n}" for n in parts if not n.endswith(".rels")} - {"/[Content_Types].xml"} <= listed
    links = [r.get("Target").removeprefix("/xl/") for r in parts["xl/_rels/workbook.xml.rels"]]
    assert all(f"xl/{target}" in parts for target in links)
    texts = ["".join(t.itertext()) for t in parts["xl/sharedStrings.xml"].iter(f"{XLSX}si")]
    assert all(len(t) <= 32_767 and not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", t) for t in texts)
    for name in (n for n in parts if n.startswith("xl/worksheets/sheet")):
        cells = list(parts[name].iter(f"{XLSX}c"))
        assert not list(parts[name].iter(f"{XLSX}f")) and cells, name
        for cell in cells:
            value = cell.findtext(f"{XLSX}v")
            assert int(value) < len(texts) if cell.get("t") == "s" else math.isfinite(float(value)), name
        rows = [int(r.get("r")) for r in parts[name].iter(f"{XLSX}row")]
        assert rows == sorted(set(rows)) and len(cells) == len({c.get("r") for c in cells}), name


def test_the_table_of_tests_counts_those_that_the_battery_counts():
    e = Evidence(key="auc", question=say("x"), verdict="green", answer=say("y"))
    run = SimpleNamespace(
        evidence={k: e for k in ("battery", "auc", "ks", "sights")}, record=SimpleNamespace(run_id="a" * 32)
    )
    assert str(validation_report._table(SimpleNamespace(battery=run)).caption) == "Tests: 2; answers about them: 1"
