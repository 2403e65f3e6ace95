"""The inventory: every version with its state, tier, owner, dates, open conditions and last monitoring verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench import tables
from workbench.evidence import Verdict
from workbench.params import UserError, day, ends, nearest
from workbench.registry import about, current, events, obligations, recorded, registered, runs, standing, store
from workbench.registry.events import Chain, Event
from workbench.registry.lifecycle import RETIRED
from workbench.registry.policy import Policy
from workbench.registry.registered import Registered
from workbench.registry.state import Standing, next_review, replay

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

COLUMNS = (
    "model",
    "version",
    "state",
    "tier",
    "owner",
    "champion_since",
    "next_review",
    "conditions",
    "findings",
    "overdue",
    "monitoring",
)


@dataclass(frozen=True)
class Entry:
    """One version of the inventory; days are `YYYY-MM-DD`, empty text and None stand for nothing known.

    `findings`: open ones, in words; `overdue`: findings and conditions whose day is over.
    """

    model: str
    version: str
    state: str
    tier: int | None
    owner: str
    champion_since: str
    next_review: str
    conditions: tuple[str, ...]
    monitoring: str
    until: str
    missing: bool
    findings: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {n: list(v) if isinstance(v, tuple) else v for n, v in vars(self).items()}


def listing() -> list[Entry]:
    """Return every version that the registry or the chain knows, by model and number; changes nothing."""
    chain = events.read()
    book, policy = replay(chain), _policy(chain)
    versions = registered.everything()
    held = {(r.model, r.version) for r in versions}
    watched = (_watched_anywhere if store.is_server() else _watched)(versions)
    keys = sorted({*held, *book.standings}, key=lambda k: (k[0], int(k[1])))
    entries = [_entry(book.of(*k), policy, watched.get(k, ""), k not in held) for k in keys]
    return [_owing(e, chain) for e in entries]


def of_versions(versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Entry]:
    """Return where these versions (model, number) stand by the chain alone; the registry is not opened for it."""
    chain = events.read()
    book, policy = replay(chain), _policy(chain)
    return {v: _owing(_entry(book.of(*v), policy, "", missing=False), chain) for v in versions}


def champions(study: str) -> list[Mapping[str, Any]]:
    """Return each version of a study's models that decides, as the run that registered it wrote it down.

    Of one whose run left no record there is name and number alone.
    """
    standings = replay(events.read()).standings.values()
    return [_made(s) for s in standings if s.is_in_use and s.model.partition(".")[0] == study]


def _made(s: Standing) -> Mapping[str, Any]:
    entry = {"name": s.model, "version": s.version}
    run_id = standing.tags(s.model, s.version).get("run_id", "") if standing.exists(entry) else ""
    record = runs.record(run_id) if run_id else None
    made = record.models.values() if record else ()
    return next((e for e in made if (e["name"], e["version"]) == (s.model, s.version)), entry)


def _owing(e: Entry, chain: Chain) -> Entry:
    """Return an entry with the findings that are open on its version, and what of them and its conditions is late."""
    if e.state == RETIRED:  # no move closes its findings any more
        return e
    raised = [f for f in obligations.findings(chain, e.model) if f.version == e.version and f.is_open]
    today, due = events.now()[:10], {c: obligations.condition(c).due for c in e.conditions}
    late = [f.words for f in raised if obligations.is_overdue(f.due, today)]
    late += [c for c, last in due.items() if obligations.is_overdue(last, today)]
    return replace(e, findings=tuple(f.words for f in raised), overdue=tuple(late))


def table(entries: list[Entry]) -> pd.DataFrame:
    """Return the inventory as a table, a row per version; open conditions and findings, and late ones, are counted.

    Where no policy names a model's owner, it is its study's.
    """
    import pandas as pd

    owed = ("conditions", "findings", "overdue")
    rows = [{**vars(e), **{n: len(getattr(e, n)) for n in owed}, "tier": e.tier or ""} for e in entries]
    studies = {study: about.read(study) or about.About() for study in {e.model.partition(".")[0] for e in entries}}
    for row, e in zip(rows, entries, strict=True):
        row["owner"] = e.owner or studies[e.model.partition(".")[0]].owner
        row["state"] = (
            f"{e.state}, gone from the registry" if e.missing else e.state + (f" to {e.until}" * bool(e.until))
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def doubts(adopted: Policy) -> list[str]:
    """Return what of a policy nothing in the registry answers to, perhaps a misspelling: models, figures, minima."""
    versions = registered.everything()
    models, recorded = {r.model for r in versions}, [runs.figures(r.run_id) for r in versions]
    out = [f"models.{m}: not registered; {nearest(m, models)}" for m in adopted.models if m not in models]
    known = {name for figures in recorded for name in figures}
    for tier, asked in adopted.by_tier.items():
        for name, least in asked.minimum.items() if recorded else ():
            values, where = [figures[name] for figures in recorded if name in figures], f"by_tier.{tier}.minimum.{name}"
            if not values:
                out.append(f"{where}: no version has recorded it; {nearest(name, known)}")
            elif max(values) < least:
                out.append(f"{where}: no version reaches {least:g}, the most is {max(values):.4g}")
    return out


def history(model: str) -> list[Event]:
    """Return every move of a model, oldest first; `UserError` where nothing is known of it."""
    chain = events.read()
    moves = chain.of(model)
    if not moves and not registered.everything(model):
        names = {e.model for e in chain.events if e.model} | {r.model for r in registered.everything()}
        raise UserError(f"model '{model}' is not known; {nearest(model, names) if names else 'none is registered yet'}")
    return moves


def as_of(date: str) -> list[dict[str, Any]]:
    """Return which version of each model decided at the end of a day (UTC), with conditions and what its tier asked.

    `UserError` where the text is no day.
    """
    try:
        if not day(date):
            raise ValueError("write a day as YYYY-MM-DD")
    except ValueError as e:
        raise UserError(f"as-of: {e}") from None
    chain = events.read().until(date)
    adopted = events.adopted(chain.policy())
    out = []
    for s in replay(chain).standings.values():
        if not s.is_in_use:
            continue
        tier = adopted.policy.tier(s.model) if adopted else None
        asked = adopted.policy.strictness(s.model).model_dump(mode="json") if adopted and tier else {}
        facts = {"model": s.model, "version": s.version, "state": s.state, "champion_since": s.champion_since}
        facts |= {"conditions": list(s.conditions), "tier": tier, **asked, "policy": adopted.digest if adopted else ""}
        out.append({**facts, "rules": dict(adopted.rules) if adopted else {}})
    return sorted(out, key=lambda row: row["model"])


def _policy(chain: Chain) -> Policy | None:
    adopted = events.adopted(chain.policy())
    return adopted.policy if adopted else None


def _watched(versions: list[Registered]) -> dict[tuple[str, str], str]:
    """Return the last monitoring verdict of each version: the worst of the newest period's runs that read its file."""
    by_digest = {(r.model, r.tags.get("sha256", "")): (r.model, r.version) for r in versions}
    watching: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for record in (r for r in current.everything() if r.step.startswith("monitoring/")):
        for name, digest in recorded.tables_read(record).items():
            model = f"{record.study}.{name.removeprefix(tables.MODEL)}"
            if name.startswith(tables.MODEL) and (model, digest) in by_digest:
                watching.setdefault(by_digest[model, digest], []).append((record.period, record.verdict))
    return {version: _worst_of_newest(verdicts) for version, verdicts in watching.items()}


def _watched_anywhere(versions: list[Registered]) -> dict[tuple[str, str], str]:
    """Return the same as a server knows it, wherever monitoring ran: by each step's run of the newest period.

    Which versions a run has read stands in MLflow as its inputs, its period and verdict as tags.
    """
    by_id = {r.model_id: (r.model, r.version) for r in versions if r.model_id}
    watching: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for study in sorted({r.model.partition(".")[0] for r in versions}):
        for run in _newest_by_step(study):
            stated = (run.data.tags.get("period", ""), run.data.tags.get("verdict", ""))
            for read in store.client().get_run(run.info.run_id).inputs.model_inputs:
                if read.model_id in by_id:
                    watching.setdefault(by_id[read.model_id], []).append(stated)
    return {version: _worst_of_newest(verdicts) for version, verdicts in watching.items()}


def _newest_by_step(study: str) -> list[Run]:
    """Return of each monitoring step of a study the newest run that says a verdict of the newest period it ran on."""
    by_step: dict[str, Run] = {}
    for run in store.runs(study, "attributes.status = 'FINISHED' and tags.step LIKE 'monitoring/%'"):
        if run.data.tags.get("verdict") in set(Verdict):
            newest = by_step.setdefault(run.data.tags["step"], run)
            if ends(run.data.tags.get("period", "")) > ends(newest.data.tags.get("period", "")):
                by_step[run.data.tags["step"]] = run  # runs come newest first: one made again later is no later period
    return list(by_step.values())


def _worst_of_newest(verdicts: list[tuple[str, str]]) -> str:
    """Return the worst verdict of the newest period, of (period, verdict): of red beside amber, red."""
    newest = max((period for period, _ in verdicts), key=ends)
    worst = min((v for period, v in verdicts if period == newest), key=lambda v: Verdict(v).rank)
    return f"{worst} ({newest})"


def _entry(s: Standing, policy: Policy | None, monitoring: str, missing: bool) -> Entry:
    tier = policy.tier(s.model) if policy else None
    months = policy.strictness(s.model).review_months if policy and tier else 0
    return Entry(
        model=s.model,
        version=s.version,
        state=s.state,
        tier=tier,
        owner=policy.models[s.model].owner if policy and tier else "",
        champion_since=s.champion_since,
        next_review=next_review(s.reviewed, months) if months and s.state != RETIRED else "",
        conditions=s.conditions if s.state != RETIRED else (),
        monitoring=monitoring,
        until=s.until if s.state == "exception use" else "",
        missing=missing,
    )
