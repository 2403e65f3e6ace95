"""Which run made a table or a model of a digest, also one that no name points to any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.registry import runs, store
from workbench.registry.current import Record


def records(study: str, step: str = "") -> Iterator[Record]:
    """Yield what every finished run of a study (or of one of its steps) wrote down, newest first."""
    query = "attributes.status = 'FINISHED'" + (f" and tags.step = '{step}'" if step else "")
    yield from (r for run in store.runs(study, query) if (r := runs.record(run.info.run_id)) is not None)


def of(study: str, digests: Mapping[str, str]) -> dict[str, tuple[Record, dict[str, Any]]]:
    """Return the newest run that left each of these (name → digest) and what its name pointed to; none that is unknown.

    Names are of tables, or `model__NAME`.
    """
    out: dict[str, tuple[Record, dict[str, Any]]] = {}
    for record in records(study):
        for name in digests.keys() - out.keys():
            entry = record.tables.get(name) or record.models.get(name)
            if entry and entry["digest"] == digests[name]:
                out[name] = (record, dict(entry))
        if len(out) == len(digests):
            break
    return out
