"""How a step leaves its evidence behind for the runner, and what it read and wrote on the way."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from workbench.evidence.answer import Evidence, Verdict, summary, worst, worst_first
from workbench.evidence.picture import Picture
from workbench.evidence.table import to_csv
from workbench.words import names

LEFT_BEHIND = "evidence.json"  # written last: a step without it has not ended well

T = TypeVar("T")

_touched: dict[str, dict[str, str]] = {"read": {}, "written": {}}


def leave(
    items: Iterable[Evidence],
    *,
    figures: Mapping[str, float] | None = None,
    files: Mapping[str, Path] | None = None,
    tags: Mapping[str, Mapping[str, str]] | None = None,
    series: Mapping[str, Mapping[str, float]] | None = None,
    optional: Collection[str] = (),
) -> Evidence:
    """Leave a step's evidence for the runner and return the summary card, worst first.

    The runner names the folder in `WORKBENCH_STEP_DIR`; in a notebook run by hand there is none
    and nothing is kept: evidence that counts comes from `workbench run`. `figures` are the step's
    key figures (they become MLflow metrics), `files` extra artifacts by name. `tags` are proposed for the
    version of a model that the step has read (`{"model__pd": {...}}`); the runner writes them once the step
    has succeeded. `series` are figures by period (`{"auc": {"2018-03": 0.71}}`). `optional` are keys of answers that
    may have nothing to evaluate: such a one doesn't decide the step's light.
    """
    items = worst_first(items)
    if folder := os.environ.get("WORKBENCH_STEP_DIR"):
        made_from = {f"table.{k}": v for k, v in touched()["read"].items()}
        whole = [dataclasses.replace(e, made_from={**made_from, **e.made_from}) for e in items]
        _files(Path(folder), whole, dict(files or {}))
        _marker(Path(folder), whole, _light(whole, optional), _plain(figures, float), tags or {}, series or {})
    return dataclasses.replace(summary(items), verdict=_light(items, optional))


def _light(items: list[Evidence], optional: Collection[str]) -> Verdict:
    return worst(e for e in items if e.verdict is not Verdict.not_evaluated or e.key not in optional)


def touch(kind: str, name: str, digest: str) -> None:
    """Remember that this process has `read` or `written` the table of that digest."""
    _touched[kind][name] = digest


def touched() -> dict[str, dict[str, str]]:
    """Return the tables read and written in this process: name → digest."""
    return {kind: dict(sorted(seen.items())) for kind, seen in _touched.items()}


def digest_file(path: Path) -> str:
    """Return the SHA-256 of all bytes of a file (hex)."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def digest_folder(folder: Path) -> dict[str, str]:
    """Return every file below a folder with its digest, but the one that MLflow adds when it serves a model."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "registered_model_meta"]
    return {str(p.relative_to(folder)): digest_file(p) for p in files}


def _files(folder: Path, items: list[Evidence], files: dict[str, Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for e in items:
        if e.table is not None:
            to_csv(e.table, folder / f"{e.key}.csv")
        if e.figure is not None:
            ending, image = Picture.of(e.figure).drawn().file()
            (folder / f"{e.key}.{ending}").write_bytes(image)
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(Path(path).read_bytes())


def _marker(
    folder: Path,
    items: list[Evidence],
    verdict: Verdict,
    figures: dict[str, float],
    tags: Mapping[str, Mapping[str, str]],
    series: Mapping[str, Mapping[str, float]],
) -> None:
    """Write the end marker: evidence, and a digest for each file around it but the staged tables."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.relative_to(folder).parts[0] != "tables"]
    content = {
        "verdict": verdict,
        "evidence": [e.record() for e in items],
        "figures": figures,
        "tables": touched(),
        "names": names.learnt(),
        "units": names.units(),
        "tags": {name: _plain(facts, str) for name, facts in tags.items()},
        "series": {name: _plain(values, float) for name, values in series.items()},
        "files": {str(p.relative_to(folder)): digest_file(p) for p in files},
    }
    part = folder / f".{LEFT_BEHIND}"
    part.write_text(json.dumps(content, indent=1, default=str, ensure_ascii=False))
    part.rename(folder / LEFT_BEHIND)


def _plain(values: Mapping[str, Any] | None, kind: Callable[[Any], T]) -> dict[str, T]:
    """Return the values as JSON can hold them; one that is none, or no number (NaN), is left out."""
    return {str(k): kind(v) for k, v in (values or {}).items() if v is not None and v == v}
