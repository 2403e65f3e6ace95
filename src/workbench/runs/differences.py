"""What two runs of a step left, held against each other: model, tables, predictions, figures and answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench import tables
from workbench.evidence import LEFT_BEHIND, digest_file
from workbench.registry import recorded
from workbench.registry.current import Record
from workbench.registry.lifecycle import REPRODUCED

IDENTICAL, EQUAL = REPRODUCED
DIFFERENT = "different"
CLOSE = 1e-9  # of a number, relative: what another order of the same sum may change
_TOUCHED = ("tables", "files")  # of what a step left: digests, compared with what they are of
_PREDICTED = "predicted"


@dataclass(frozen=True)
class Difference:
    """One thing that differs: what (data, code, model, table, figure, value …), its place in it, then and now."""

    what: str
    place: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{f'{self.what} {self.place}'.strip()}: {self.then} then, {self.now} now"


@dataclass(frozen=True)
class Comparison:
    """What was compared, how much of each (`compared`), and what differs.

    `figures`: largest relative difference of a number, largest of a prediction, rank correlation of the predictions.
    """

    differences: tuple[Difference, ...]
    compared: Mapping[str, int]
    figures: Mapping[str, float]

    def within(self, tolerance: str) -> str:
        """Return the verdict, `equal` where what differs is within a class: `close` (1e-9) or `ranks` (their order)."""
        if not self.differences:
            return IDENTICAL
        numbers = self.figures.get("largest_relative_difference", np.inf) <= CLOSE
        ranks = self.figures.get("rank_correlation", 0.0) >= 1 - CLOSE
        is_within = {"close": numbers, "ranks": ranks}.get(tolerance, False)
        return EQUAL if is_within else DIFFERENT


def between(record: Record, again: Path) -> Comparison:
    """Return how what a run left (`again`: the folder of its evidence) compares with what a record says was left."""
    then, now = recorded.left_behind(record), _left(again)
    differing = [*_models(record, again), *_tables(record, now)]
    pairs = list(_numbers(_facts(then), _facts(now)))
    differing += [Difference(_what(place), place, _shown(a), _shown(b)) for place, a, b in pairs if a != b]
    differing += _files(record, again, bool(differing))
    figures = {"largest_relative_difference": _largest(pairs)} | _predictions(record, again)
    compared = {"models": len(record.models), "tables": len(record.tables)}
    compared |= {"predictions": int(figures.get("predictions", 0)), **Counter(_what(place) for place, _, _ in pairs)}
    return Comparison(tuple(differing), {w: n for w, n in compared.items() if n}, figures)


def same(first: Path, second: Path) -> bool:
    """Say whether two runs (the folders of their evidence) left the same facts, tables and files."""
    return _left(first) == _left(second)


def _left(folder: Path) -> dict[str, Any]:
    return json.loads((folder / LEFT_BEHIND).read_text(encoding="utf-8"))


def _facts(content: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in content.items() if k not in _TOUCHED}


def _what(place: str) -> str:
    kinds = {"figures": "figures", "series": "figures by period"}
    return kinds.get(place.partition(".")[0], "values in answers")


def _models(record: Record, again: Path) -> Iterator[Difference]:
    file = again / "model" / "model.json"
    for name, entry in record.models.items():
        now = digest_file(file) if file.exists() else ""
        if now == entry["digest"]:
            continue
        then = json.loads(recorded.artifact(record, "evidence/model/model.json").read_bytes())
        pairs = _numbers(then, json.loads(file.read_bytes())) if now else iter(())
        place, a, b = next((p for p in pairs if p[1] != p[2]), ("", entry["digest"][:16], now[:16] or "none"))
        yield Difference("model", f"{name.removeprefix(tables.MODEL)} {place}".strip(), _shown(a), _shown(b))


def _tables(record: Record, now: Mapping[str, Any]) -> Iterator[Difference]:
    written = now["tables"]["written"]
    for name, entry in record.tables.items():
        if written.get(name) != entry["digest"]:
            yield Difference("table", name, entry["digest"][:16], written.get(name, "none")[:16])


def _files(record: Record, again: Path, differs: bool) -> Iterator[Difference]:
    """Yield files beside the facts that differ: tables for spreadsheets and pictures; only where the facts agree."""
    for name, digest in record.files.items() if not differs else ():
        place = again / name.removeprefix("evidence/")
        if name.startswith("evidence/") and not name.endswith(LEFT_BEHIND):
            now = digest_file(place) if place.exists() else "none"
            if now != digest:
                yield Difference("file", name, digest[:16], now[:16])


def _numbers(then: Any, now: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield every value of two JSON texts with its place, side by side; None where one side has none."""
    if isinstance(then, dict) and isinstance(now, dict):
        for k in dict.fromkeys([*then, *now]):
            yield from _numbers(then.get(k), now.get(k), f"{place}.{k}" if place else str(k))
    elif isinstance(then, list) and isinstance(now, list):
        for i in range(max(len(then), len(now))):
            a, b = (side[i] if i < len(side) else None for side in (then, now))
            yield from _numbers(a, b, f"{place}[{i}]")
    else:
        yield place, then, now


def _largest(pairs: list[tuple[str, Any, Any]]) -> float:
    """Return the largest relative difference of two numbers; infinite where something else than a number differs."""
    largest = 0.0
    for _, a, b in pairs:
        if a == b:
            continue
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b)):
            return float("inf")
        largest = max(largest, abs(a - b) / max(abs(a), abs(b)))
    return largest


def _predictions(record: Record, again: Path) -> dict[str, float]:
    """Return how the predictions of all rows compare, where the step left any: the snapshot that was scored."""
    for name, entry in record.tables.items():
        file = again / tables.STAGED / f"{name}.parquet"
        before = tables.at_rest(record.key, name, entry["digest"])
        if not name.startswith("mart__scores_") or not file.exists() or not before.exists():
            continue
        then, now = (pd.read_parquet(p, columns=[_PREDICTED])[_PREDICTED].to_numpy() for p in (before, file))
        if len(then) == len(now):
            same_order = float(pd.Series(then).corr(pd.Series(now), method="spearman"))
            return {
                "predictions": float(len(then)),
                "largest_prediction_difference": float(np.abs(then - now).max(initial=0.0)),
                "rank_correlation": same_order,
            }
    return {}


def _shown(value: Any) -> str:
    return f"{value!r}" if isinstance(value, float) else str(value)[:80]
