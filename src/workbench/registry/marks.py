"""What stands on a run's page today that its run can't know: earlier inputs, a version that may not be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from workbench.evidence.lights import light
from workbench.params import ONCE, Key
from workbench.registry import earlier, state
from workbench.registry.current import Record
from workbench.registry.lifecycle import REJECTED
from workbench.registry.state import Standing
from workbench.words import Text, say


@dataclass(frozen=True)
class Marks:
    """The runs made from earlier inputs (ids), and by run the versions it made or read that may not be used."""

    earlier: frozenset[str] = frozenset()
    barred: Mapping[str, tuple[Standing, ...]] = field(default_factory=dict)

    def html(self, record: Record) -> str:
        """Return the marks of a run as they stand on its page, in the language now spoken, the worst first."""
        notes = [("red", _barred(s)) for s in self.barred.get(record.run_id, ())]
        if record.run_id in self.earlier:
            notes.append(("amber", say("Made from earlier inputs; run the study again.")))
        return "".join(f"<p>{light(verdict)} {escape(str(note))}</p>" for verdict, note in notes)


NONE = Marks()


def of(records: Sequence[Record]) -> Marks:
    """Return the marks of runs (all current ones of their studies)."""
    unusable = state.barred() if any(r.models for r in records) else {}
    if not unusable:
        return Marks(earlier.of(records))
    makers = {(r.key, name): entry for r in records for name, entry in r.models.items()}
    barred = {r.run_id: tuple(unusable[v] for v in sorted({*_versions(r, makers)} & unusable.keys())) for r in records}
    return Marks(earlier.of(records), {run_id: those for run_id, those in barred.items() if those})


def _versions(record: Record, makers: Mapping[tuple[Key, str], Mapping]) -> Iterator[tuple[str, str]]:
    """Yield model and version of what a run has made, and of what it has read where that is still the current one."""
    for entry in record.models.values():
        yield entry["name"], str(entry["version"])
    for name, digest in earlier.inputs(record).items():
        entry = makers.get((record.key, name)) or makers.get((Key(record.study, ONCE), name))
        if entry and entry["digest"] == digest:
            yield entry["name"], str(entry["version"])


def _barred(s: Standing) -> Text:
    if s.state == REJECTED:
        return say("Version {version} of {model:s} was rejected: it may not be used.", version=s.version, model=s.model)
    return say("Version {version} of {model:s} was retired from use.", version=s.version, model=s.model)
