"""A step's end: names, versions, tags and pages made to say what its current run says; repeated, it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from workbench import home, tables
from workbench.params import ONCE, ends
from workbench.registry import about, current, placed, proof, standing
from workbench.registry.current import Record
from workbench.words.markdown import literal


def fault(record: Record) -> str:
    """Return what of a run is not as it was left, in words; empty where all is: evidence, page, tables, models, run."""
    return proof.changed_file(record) or _changed_content(record) or proof.fault(record)


def stands(record: Record) -> bool:
    """Say whether everything a run names is still there as it was left."""
    return not fault(record)


def _changed_content(record: Record) -> str:
    for name, entry in record.tables.items():
        if not tables.stands(record.key, name, entry["digest"]):
            return f"table {name} was changed or lost"
    for entry in record.models.values():
        if not standing.exists(entry):
            return f"{entry['name']} version {entry['version']} was deleted"
    return ""


def settle(record: Record) -> list[str]:
    """Make this run the step's current one; return what had been changed by hand and was put right.

    What the runs before it have left is put right: names that they wrote and this one doesn't, tags they said, pages
    beside theirs, a notebook that failed. The pin comes last: where it stands, all else does.
    """
    current.must_hold(record.study)
    is_damaged, before = current.is_damaged(record.key, record.slug), current.read(record.key, record.slug)
    mended = [*_names(record), *_models(record, before), *publish(record, before)]
    _unpin(record, before)
    if not proof.tagged(record):
        proof.retag(record)
        mended.append("tags of the run")
    if before != record:
        current.put(record)
    _lead_here(record)
    for kind in (current.FAILED, current.SETTLING):
        current.drop(record.key, record.slug, kind)
    failed_notebook(record).unlink(missing_ok=True)
    return mended if before == record else ["the step's pin"] if is_damaged else []


def _names(record: Record) -> list[str]:
    wrong = {n: e for n, e in {**record.tables, **record.models}.items() if tables.pinned_in(record.key, n) != e}
    for name, entry in wrong.items():
        tables.pin(record.key, name, dict(entry))
    return [f"name {name}" for name in wrong]


def retire(study: str, periods: set[str], steps: set[str]) -> None:
    """Let steps that a study no longer has (any but `steps`, in these periods) say nothing more: names, tags, pages.

    Their runs stay in MLflow, and come back from there with the step.
    """
    _retire(study, lambda record: record.period in periods and record.step not in steps)


def retire_undated(study: str, period: str, once: set[str]) -> None:
    """Let the period's runs of steps that no longer belong to a period (`once`) say nothing more.

    What reads their tables would find those of the period first.
    """
    _retire(study, lambda record: record.period == period != ONCE and record.step in once)


def _retire(study: str, is_over: Callable[[Record], bool]) -> None:
    current.must_hold(study)
    for kind in (current.CURRENT, current.FAILED):
        for record in filter(is_over, current.everything(kind, study)):
            _unpin(replace(record, tables={}, models={}), record)
            for verdict in record.tags.values():
                standing.tag(study, {**verdict, "tags": {}}, verdict)
                standing.unlink(study, verdict, record.step)
            for place in record.pages.values():
                (home.reports() / place).unlink(missing_ok=True)
            failed_notebook(record).unlink(missing_ok=True)
            current.drop(record.key, record.slug, kind)
            _unpoint(record)
            _lead_here(record)


def _unpoint(record: Record) -> None:
    """Take the alias of a retired run's model away, unless another run makes the model, too."""
    made = {e["name"] for r in current.everything(study=record.study) for e in r.models.values()}
    for entry in record.models.values():
        if entry["name"] not in made and standing.holds(entry):
            standing.unpoint(record.study, entry)


def failed_notebook(record: Record) -> Path:
    """Return where the half-run notebook of a failed step lies."""
    return home.reports() / record.key.place / f"{record.slug}.failed.ipynb"


def _unpin(record: Record, before: Record | None) -> None:
    """Take away names that this step wrote before and no longer writes, unless another step has taken them over."""
    if before is None:
        return
    others = [r for r in current.everything(study=record.study) if r.key == record.key and r.slug != record.slug]
    taken = {n for r in (*others, record) for n in (*r.tables, *r.models)}
    for name in {*before.tables, *before.models} - taken:
        tables.unpin(record.key, name)


def _models(record: Record, before: Record | None) -> list[str]:
    """Let aliases and tags say what this run says, unless a later period's run says it of the same model."""
    if not record.models and not record.tags:
        return []
    mended = []
    later = [r for r in current.everything(study=record.study) if ends(r.period) > ends(record.period)]
    made_later = {e["name"] for r in later for e in r.models.values()}
    judged_later = {(t["name"], t["version"]) for r in later if r.step == record.step for t in r.tags.values()}
    for entry in record.models.values():
        if entry["name"] not in made_later and not standing.holds(entry):
            standing.point(record.study, entry, _note(record))
            mended.append(f"alias of {entry['name']}")
        facts = standing.facts(record.study, entry)
        if not standing.says(facts):
            standing.tag(record.study, facts)
            mended.append(f"tags of {entry['name']}")
    for name, verdict in record.tags.items():
        earlier = before.tags.get(name) if before else None
        if (verdict["name"], verdict["version"]) in judged_later:
            continue
        if not standing.says(verdict) or (earlier and earlier != verdict):
            standing.tag(record.study, verdict, earlier)
            standing.link(record.study, verdict, record.run_id, record.step)
            mended.append(f"tags of {verdict['name']}")
    return mended


def describe(record: Record) -> None:
    """Let the registry say of the models whose candidate this run made what the study is called now."""
    for entry in record.models.values():
        if standing.holds(entry) and not standing.notes(entry, _note(record)):
            standing.point(record.study, entry, _note(record))


def _note(record: Record) -> str:
    return f"{literal(about.of(record).title)}. Page: reports/{record.key.place}/{record.slug}.html"


def publish(record: Record, before: Record | None = None) -> list[str]:
    """Let `reports/` hold the run's page and those attached to it, byte for byte, and none of an earlier run's.

    Return the pages that did not. The slot of the page leads to the periods beside it.
    """
    siblings = [*(r for r in current.everything(study=record.study) if r.key != record.key), record]
    mended = [f"page {place}" for place in placed.publish(record, siblings)]
    for place in set(before.pages.values() if before else ()) - set(record.pages.values()):
        (home.reports() / place).unlink(missing_ok=True)
    return mended


def _lead_here(record: Record) -> None:
    """Let the pages of the periods beside this one lead to it, or past it where it is gone."""
    siblings = current.everything(study=record.study)
    for neighbour in placed.neighbours(record, siblings):
        placed.publish(neighbour, siblings)
