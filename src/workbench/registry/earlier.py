"""Which current runs were made from earlier inputs: what they have read is no longer what stands under its name.

Nothing is hashed: the digests a run has read are held against those that the current runs of its study have written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from workbench.params import ONCE, Key, before, ends
from workbench.registry import recorded
from workbench.registry.current import Record
from workbench.registry.recorded import EVIDENCE, OF_MOVES, PREVIOUS

Makers = Mapping[tuple[Key, str], Record]


def of(records: Iterable[Record]) -> frozenset[str]:
    """Return the ids of those runs (all current ones of their studies) whose inputs have moved on since.

    So has what a run has read where the run that made it was made from earlier inputs itself.
    """
    by_study: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_study[record.study].append(record)
    return frozenset(run_id for every in by_study.values() for run_id in _of_study(every))


def _of_study(records: list[Record]) -> set[str]:
    makers = {(r.key, name): r for r in records for name in (*r.tables, *r.models, EVIDENCE + r.step)}
    newest = {r.slug: r.key for r in sorted(records, key=lambda r: ends(r.period))}
    open_, moved = {r.run_id: r for r in records}, set[str]()
    while more := {i for i, r in open_.items() if _has_moved(r, newest[r.slug] == r.key, makers, moved)}:
        moved |= more
        open_ = {i: r for i, r in open_.items() if i not in more}
    return moved


def _has_moved(record: Record, is_newest: bool, makers: Makers, moved: set[str]) -> bool:
    """Say whether an input is another now. An earlier period's report stays as it was reported then.

    Of it only what was made for that very period counts, not what is done once and has grown since.
    """
    for name, digest in inputs(record).items():
        if name in OF_MOVES:
            has_moved = is_newest and recorded.digest(record.key, name) != digest
        else:
            maker = _maker(record.key, name, makers, is_newest)
            has_moved = maker.run_id in moved or _digest(maker, _bare(name)) != digest if maker else is_newest
        if has_moved:
            return True
    return False


def _maker(key: Key, name: str, makers: Makers, is_newest: bool) -> Record | None:
    """Return the current run that stands behind a name as it is read in a period, None where none does."""
    return next((makers[at] for k in _keys(key, name, is_newest) if (at := (k, _bare(name))) in makers), None)


def _keys(key: Key, name: str, is_newest: bool) -> list[Key]:
    """Return where a name is looked for, first to last."""
    if name.startswith(PREVIOUS):
        return [Key(key.study, before(key.period) or ONCE)] if is_newest else []
    return [key, Key(key.study, ONCE)] if is_newest else [key]


def _bare(name: str) -> str:
    """Return a name as its maker knows it: what is `previous:STEP` to a reader is `evidence:STEP` to the step."""
    return EVIDENCE + name.removeprefix(PREVIOUS) if name.startswith(PREVIOUS) else name


def _digest(maker: Record, name: str) -> str:
    entry = maker.tables.get(name) or maker.models.get(name)
    return str(entry["digest"]) if entry else maker.digest


def inputs(record: Record) -> dict[str, str]:
    """Return the digests of what a run has read of that which its step declares; of an old server's run none."""
    declared = {name.lstrip("?") for name in record.reads}
    read = record.inputs or (recorded.tables_read(record) if record.folder else {})
    return {name: digest for name, digest in read.items() if name in declared}
