"""Periods beside a page: only like ones, the nearest, and a page is held to its run with its links taken out."""

import dataclasses
import hashlib

import pytest

from workbench import home
from workbench.registry import current, placed

TEXT = f"<p>a</p><nav>{placed.SLOT}</nav>".encode()


def _record(period: str, slug: str = "a/b") -> current.Record:
    place = f"s/{period}/{slug}.html"
    return current.Record(
        study="s", period=period, step=slug, slug=slug, run_id=period, step_key="k", status="FINISHED", verdict="green",
        headline="", start=1.0, seconds=1.0, folder=f"runs/{period}", pages={"page.html": place, "evidence/x.html": f"{place}.x.html"},
        files={"page.html": hashlib.sha256(TEXT).hexdigest(), "evidence/x.html": hashlib.sha256(b"x").hexdigest()},
    )  # fmt: skip


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    made = [_record(p) for p in ("once", "2018-01", "2018-02", "2018-Q1", "2018-04", "2018-Q2")]
    for r in made:
        home.put(home.mlruns() / r.folder / "page.html", TEXT)
        home.put(home.mlruns() / r.folder / "evidence/x.html", b"x")
        placed.publish(r, made)
    return {r.period: r for r in made}


def _text(record: current.Record) -> str:
    return (home.reports() / record.pages["page.html"]).read_text()


def test_the_nearest_periods_of_the_same_kind_are_beside_it(records):
    before = '<a rel="prev" href="../../2018-01/a/b.html">‹ 2018-01</a>'
    after = '<a rel="next" href="../../2018-04/a/b.html">2018-04 ›</a>'
    assert f"<!--periods-->{before} {after}<!--/periods-->" in _text(records["2018-02"])
    assert "2018-Q2" in _text(records["2018-Q1"]) and "2018-04" not in _text(records["2018-Q1"])
    assert _text(records["once"]).encode() == TEXT
    assert placed.links(records["2018-01"], [_record("2018-02", "other")]) == ""


def test_what_is_published_stands_and_is_published_once(records):
    every = list(records.values())
    assert all(placed.stands(r, artifact, every) for r in every for artifact in r.pages)
    assert [placed.publish(r, every) for r in every] == [[]] * len(every)


def test_a_new_neighbour_changes_the_links_and_nothing_else(records):
    every = [*records.values(), new := _record("2018-03")]
    assert {r.period for r in placed.neighbours(new, every)} == {"2018-02", "2018-04"}
    assert not placed.stands(records["2018-02"], "page.html", every)
    assert placed.publish(records["2018-02"], every) == ["s/2018-02/a/b.html"]
    assert "2018-03 ›" in _text(records["2018-02"]) and placed.stands(records["2018-02"], "page.html", every)


@pytest.mark.parametrize(
    "forged",
    [
        lambda text: text.replace("<p>a</p>", "<p>b</p>"),
        lambda text: text.replace("‹ 2018-01", "‹ all is well"),
        lambda text: text.replace("<!--/periods-->", "<!--/periods--><!--periods-->all is well<!--/periods-->"),
        lambda text: text.replace("<!--periods-->", "").replace("<!--/periods-->", ""),
        lambda text: text + " ",
        lambda text: "",
    ],
)
def test_whatever_else_is_changed_does_not_stand(records, forged):
    every, record = list(records.values()), records["2018-02"]
    path = home.reports() / record.pages["page.html"]
    whole = path.read_text()
    path.write_text(forged(whole))
    assert path.read_text() != whole and not placed.stands(record, "page.html", every)
    assert placed.publish(record, every) == ["s/2018-02/a/b.html"] and path.read_text() == whole


def test_a_page_without_a_slot_and_what_is_attached_are_byte_for_byte(records):
    record = records["2018-02"]
    attached = home.reports() / record.pages["evidence/x.html"]
    assert attached.read_bytes() == b"x"
    attached.write_bytes(TEXT)
    assert not placed.stands(record, "evidence/x.html", list(records.values()))
    old = dataclasses.replace(record, files={**record.files, "page.html": hashlib.sha256(b"old").hexdigest()})
    for place in (home.reports() / record.pages["page.html"], home.mlruns() / record.folder / "page.html"):
        home.put(place, b"old")
    assert placed.stands(old, "page.html", list(records.values()))
