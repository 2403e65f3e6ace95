"""Evidence out: what every check, test, monitor and comparison returns, and how a step leaves it behind."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import io
import json
import math
import os
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

SHOWN_ROWS, MOST_ROWS = 30, 1000  # of a table: at once, and folded away below
LEFT_BEHIND = "evidence.json"  # written last: a step without it has not ended well

_touched: dict[str, dict[str, str]] = {"read": {}, "written": {}}


class Verdict(StrEnum):
    """Traffic lights, worst first; `info` is a fact without a threshold."""

    error = "error"
    red = "red"
    amber = "amber"
    not_evaluated = "not_evaluated"
    green = "green"
    info = "info"

    @property
    def rank(self) -> int:
        """0 is worst, so that sorting by rank puts bad news first."""
        return list(Verdict).index(self)


@dataclass(frozen=True)
class Evidence:
    """One answered question.

    `value` is a plain number or text, `answer` one sentence with the computed numbers in it,
    `threshold` says in words when the light changes and whose threshold it is, `source` names the
    paper or standard. `table` and `figure` are what the answer rests on.
    """

    name: str
    question: str
    verdict: Verdict
    answer: str
    value: float | str | None = None
    threshold: str = ""
    source: str = ""
    table: DataFrame | None = None
    figure: Figure | None = None
    made_from: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", Verdict(self.verdict))
        if isinstance(self.value, float) and not math.isfinite(self.value):
            object.__setattr__(self, "value", None)
        elif hasattr(self.value, "item"):
            object.__setattr__(self, "value", self.value.item())

    def facts(self) -> dict[str, Any]:
        """Return what fits in JSON: everything but the table and the figure."""
        kept = [f.name for f in dataclasses.fields(self) if f.name not in ("table", "figure", "made_from")]
        return {name: getattr(self, name) for name in kept} | {"made_from": dict(self.made_from)}

    def _repr_html_(self) -> str:
        """The card a notebook shows; everything that may come from data is escaped."""
        rows = [("Value", _show(self.value)), ("Threshold", self.threshold), ("Source", self.source)]
        facts = "".join(f"<dt>{k}</dt><dd>{html.escape(v)}</dd>" for k, v in rows if v)
        return (
            f'<div class="evidence {self.verdict}"><p class="question">{html.escape(self.question)}</p>'
            f'<p class="answer"><span class="light {self.verdict}">{label(self.verdict)}</span> '
            f"{html.escape(self.answer)}</p><dl>{facts}</dl>{_table(self.table)}{_picture(self)}</div>"
        )


def label(verdict: Verdict) -> str:
    """Return the word shown beside a light, for readers who don't see colours."""
    return {"not_evaluated": "not evaluated"}.get(verdict, str(verdict))


def worst_first(items: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence with the bad news on top; order within a light is kept."""
    return sorted(items, key=lambda e: e.verdict.rank)


def worst(items: Iterable[Evidence]) -> Verdict:
    """Return the worst verdict, `info` where there is none."""
    return min((e.verdict for e in items), key=lambda v: v.rank, default=Verdict.info)


def light(value: float, amber: float, red: float, *, high_is_bad: bool = True) -> Verdict:
    """Return green, amber or red for a value against two thresholds; NaN is `not_evaluated`.

    >>> light(0.12, amber=0.10, red=0.25), light(0.7, amber=0.75, red=0.65, high_is_bad=False)
    (<Verdict.amber: 'amber'>, <Verdict.amber: 'amber'>)
    """
    if not math.isfinite(value):
        return Verdict.not_evaluated
    if not high_is_bad:
        value, amber, red = -value, -amber, -red
    return Verdict.red if value >= red else Verdict.amber if value >= amber else Verdict.green


def summary(items: Iterable[Evidence]) -> Evidence:
    """Return all evidence as one card, worst first: verdict, name, answer, threshold and source of each."""
    import pandas as pd

    items, columns = worst_first(items), ["verdict", "name", "answer", "threshold", "source"]
    lights = Counter(label(e.verdict) for e in items)
    return Evidence(
        "summary", "What was found?", worst(items),
        f"{len(items)} answers: {', '.join(f'{n} {light_}' for light_, n in lights.items())}.", len(items),
        table=pd.DataFrame([{c: str(e.facts()[c]) for c in columns} for e in items], columns=columns),
    )  # fmt: skip


def leave(
    items: Iterable[Evidence],
    *,
    figures: Mapping[str, float] | None = None,
    files: Mapping[str, Path] | None = None,
) -> Evidence:
    """Leave a step's evidence for the runner and return the summary card, worst first.

    The runner names the folder in `WORKBENCH_STEP_DIR`; in a notebook run by hand there is none
    and nothing is kept: evidence that counts comes from `workbench run`. `figures` are the step's
    key figures (they become MLflow metrics), `files` extra artifacts by name.
    """
    items = worst_first(items)
    if folder := os.environ.get("WORKBENCH_STEP_DIR"):
        made_from = {f"table.{k}": v for k, v in touched()["read"].items()}
        kept = [dataclasses.replace(e, made_from={**made_from, **e.made_from}) for e in items]
        _keep(Path(folder), kept, dict(figures or {}), dict(files or {}))
    return summary(items)


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


def _keep(folder: Path, items: list[Evidence], figures: dict[str, float], files: dict[str, Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for e in items:
        if e.table is not None:
            e.table.to_csv(folder / f"{e.name}.csv", index=e.table.index.name is not None)
        if e.figure is not None:
            (folder / f"{e.name}.png").write_bytes(_png(e.figure))
    for name, path in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(Path(path).read_bytes())
    left = {str(p.relative_to(folder)): digest_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}
    content = {
        "verdict": worst(items),
        "evidence": [e.facts() for e in items],
        "figures": {k: float(v) for k, v in figures.items()},
        "tables": touched(),
        "files": left,
    }
    part = folder / f".{LEFT_BEHIND}"
    part.write_text(json.dumps(content, indent=1, default=str, ensure_ascii=False))
    part.rename(folder / LEFT_BEHIND)


def _show(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else number(value)


def _table(table: DataFrame | None) -> str:
    if table is None:
        return ""
    import pandas as pd

    def shown(part: DataFrame) -> str:
        with pd.option_context("display.max_colwidth", None):
            named = table.index.name is not None
            return part.to_html(index=named, escape=True, border=0, justify="left", float_format=number, na_rep="")

    rest = table.iloc[SHOWN_ROWS:MOST_ROWS]
    more = f"<details><summary>{len(rest):,} more rows</summary>{shown(rest)}</details>" if len(rest) else ""
    if len(table) > MOST_ROWS:
        more += f"<p class='more'>… and {len(table) - MOST_ROWS:,} more in the CSV beside the MLflow run's evidence</p>"
    return f'<div class="scroll">{shown(table.head(SHOWN_ROWS))}{more}</div>'


def number(x: float) -> str:
    """Return a number as people read it: four digits that count, or whole with thousands set apart.

    >>> number(0.12345), number(346085.2), number(3.0)
    ('0.1235', '346,085', '3')
    """
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.4g}" if abs(x) >= 1e-4 or x == 0 else f"{x:.1e}"


def _picture(e: Evidence) -> str:
    if e.figure is None:
        return ""
    encoded = b64encode(_png(e.figure)).decode()
    return f'<img alt="{html.escape(e.question)}" src="data:image/png;base64,{encoded}">'


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()
