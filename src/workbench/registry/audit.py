"""The audit: what the registry says is recomputed from files, data, runs and signatures; what differs is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from workbench import home, tables
from workbench.params import Key, UserError
from workbench.registry import (
    chained,
    current,
    events,
    guarded,
    inventory,
    labels,
    logged,
    looking,
    marks,
    on_data,
    placed,
    policy,
    proof,
    registered,
)
from workbench.registry.chained import Finding
from workbench.registry.current import Record
from workbench.registry.events import Chain
from workbench.registry.lifecycle import EXCEPTION, RETIRED
from workbench.registry.registered import Registered
from workbench.registry.state import Book, replay

TABLE = "table."  # how a model's facts name the tables it was learnt from
Stands = Callable[[Key, str, str], bool]


@dataclass(frozen=True)
class Result:
    """What an audit came to: findings (none: clean), what was looked at in words, and the head of the chain.

    `level`: whether what goes past the life cycle is named here, or refused by the server as well.
    """

    findings: tuple[Finding, ...]
    looked_at: str
    head: str
    level: str = guarded.DETECT


def run(anchor: Path | None = None) -> Result:
    """Audit the whole registry; changes nothing in it.

    anchor: a file of heads (`n:hash`, one a line) kept elsewhere: the chain must hold each of them, and where all is
    well its head is added. Without one, the newest events could be removed unseen. Raises `UserError` where its folder
    is not there: an anchor named amiss would otherwise begin anew, and compare with nothing.
    """
    if anchor and anchor.is_dir():
        raise UserError(f"--anchor {anchor}: is a folder; name the file in it")
    if anchor and not anchor.parent.is_dir():
        raise UserError(f"--anchor {anchor}: the folder is not there; name the file of heads, or make its folder first")
    with looking.once():
        return _run(anchor)


def _run(anchor: Path | None) -> Result:
    chain, held = events.read(), registered.everything()
    findings = [*chained.findings(chain), *_policy(chain), *_versions(chain, held), *_labels(chain, held)]
    findings += [*_runs(held), *_days(chain), *(_anchored(chain, anchor) if anchor else ())]
    if anchor and not findings:
        _add(anchor, chain.head)
    words = f"{len(held)} versions and {len(chain.events)} events"
    if asked := sum(e.verb == "forget" for e in chain.events):
        words += f"; tables made anew after {asked} request{'' if asked == 1 else 's'} to forget"
    return Result(tuple(dict.fromkeys(findings)), words, chain.head, guarded.level())


def _policy(chain: Chain) -> Iterator[Finding]:
    event = chain.policy()
    adopted = events.adopted(event)
    if event is None or adopted is None:  # an altered one is named with its event
        return
    try:
        for change in adopted.differences(policy.as_it_stands(adopted.day)):
            yield Finding(policy.FILE, f"changed since event {event.seq} adopted it: {change}")
    except UserError as e:
        yield Finding(policy.FILE, str(e))


def _versions(chain: Chain, held: list[Registered]) -> Iterator[Finding]:
    book, there = replay(chain), {(r.model, r.version): r for r in held}
    for key in book.standings.keys() - there.keys():
        yield Finding(f"{key[0]} version {key[1]}", "not in the registry: deleted, or its model renamed")
    stands = cache(tables.stands)  # versions share tables
    for r in logged.gone(held):
        yield Finding(r.name, f"its logged model {r.model_id} was deleted in MLflow; `mlflow gc` takes its files next")
    for r in held:
        yield from _born_otherwise(chain, r)
        yield from _changed(book, r, stands)


def _born_otherwise(chain: Chain, r: Registered) -> Iterator[Finding]:
    for e in chain.of(r.model, r.version)[:1]:
        evidence = events.evidence(e) or {}
        if evidence and (evidence.get("run_id"), evidence.get("created")) != (r.run_id, r.created):
            yield Finding(r.name, f"another version of this number was registered after event {e.seq}")


def _changed(book: Book, r: Registered, stands: Stands) -> Iterator[Finding]:
    record, standing = r.record, book.of(r.model, r.version)
    if record is None:
        yield Finding(r.name, f"run {r.run_id or 'unknown'} that registered it is gone, or left no record")
    elif fault := proof.altered(record):
        yield Finding(r.name, fault)
    if record is not None:
        yield from _data(r, record, stands)
    files = registered.files(r)
    as_logged = _logged(r, record)
    if standing.files and registered.digest(files) != standing.files:
        yield Finding(r.name, f"served files: {_named(files, as_logged)}; not those that were submitted")
    elif as_logged and files != as_logged:
        yield Finding(r.name, f"served files: {_named(files, as_logged)}; not those that its run logged")


def _runs(held: list[Registered]) -> Iterator[Finding]:
    """Name current runs and pages that aren't as they were left: inventory and readers go by them.

    A run that registered a version is named with it; a page that is lost misleads nobody.
    """
    born = {r.run_id for r in held}
    everything = current.everything()
    marked = marks.of(everything)
    for record in everything:
        siblings = [r for r in everything if r.study == record.study]
        if record.run_id not in born and (fault := proof.altered(record)):
            yield Finding(f"{record.key.place} {record.step}", fault)
        for artifact, page in record.pages.items():
            if (home.reports() / page).exists() and not placed.stands(record, artifact, siblings, marked):
                yield Finding(f"reports/{page}", "changed since its run wrote it; `workbench run` puts it right")


def _logged(r: Registered, record: Record | None) -> dict[str, str]:
    entries = record.models.values() if record else ()
    return next((dict(e["files"]) for e in entries if (e["name"], e["version"]) == (r.model, r.version)), {})


def _named(files: dict[str, str], logged: dict[str, str]) -> str:
    if not files:
        return "all are gone"
    differing = sorted(n for n in {*files, *logged} if files.get(n) != logged.get(n))
    words = {True: "changed", False: "added"}
    return (
        ", ".join(f"{n} {words[n in logged] if n in files else 'lost'}" for n in differing) or "changed, and its record"
    )


def _data(r: Registered, record: Record, stands: Stands) -> Iterator[Finding]:
    """Name the tables a version was learnt from that are no longer whole; the model's own file says which."""
    for name, digest in learnt_from(r).items():
        keys = (record.key, Key(record.study))
        if any(stands(key, name, digest) for key in keys):
            continue
        anew = on_data.anew(digest)  # asked only where it isn't as it was: the chain is read for it
        if not any(stands(key, name, anew) for key in keys):
            yield Finding(r.name, f"data: table {name} was changed or lost")


def learnt_from(r: Registered) -> dict[str, str]:
    """Return the tables a version was learnt from with their digests, as its own file says."""
    try:
        facts = json.loads(registered.model_file(r).read_bytes())["facts"]
        return {n.removeprefix(TABLE): str(d) for n, d in facts.items() if n.startswith(TABLE)}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}  # the file itself is a finding


def _labels(chain: Chain, held: list[Registered]) -> Iterator[Finding]:
    for d in labels.differences(chain, held):
        place = f"{d.model} version {d.version}" if d.version else d.model
        yield Finding(place, f"{d.words}; `workbench models --rebuild` puts it right")


def _days(chain: Chain) -> Iterator[Finding]:
    today = events.now()[:10]
    for s in replay(chain).standings.values():
        if s.state == EXCEPTION and s.until < today:
            yield Finding(f"{s.model} version {s.version}", f"its exception ended on {s.until}; retire it")
    for e in inventory.listing():
        if e.next_review and e.next_review < today and e.state != RETIRED:
            late = date.fromisoformat(today) - date.fromisoformat(e.next_review)
            yield Finding(
                f"{e.model} version {e.version}", f"its review is {late.days} days overdue (`workbench review`)"
            )
        for owed in e.overdue:
            yield Finding(f"{e.model} version {e.version}", f"overdue: {owed}")


def _anchored(chain: Chain, anchor: Path) -> Iterator[Finding]:
    heads = {f"{e.seq}:{e.digest}" for e in chain.events} | {Chain().head}
    for line in anchor.read_text(encoding="utf-8").split() if anchor.exists() else ():
        if line not in heads:
            number = line.partition(":")[0]
            yield Finding(str(anchor), f"event {number} was there with another content, or has been removed since")


def _add(anchor: Path, head: str) -> None:
    lines = anchor.read_text(encoding="utf-8").split() if anchor.exists() else []
    if not lines or lines[-1] != head:
        home.put(anchor, "".join(f"{line}\n" for line in [*lines, head]).encode())
