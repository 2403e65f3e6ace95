"""Does the model do what is declared of it: use its inputs, nothing else, each in its direction?

**Method** predictions asked again with columns changed, of any kind of model: with the values of every column that is no input exchanged among rows, nothing may move; with an input's exchanged, something must; with an input of declared direction moved along its frozen bins, no customer's prediction may go the other way.
**Reads as bad** a column that is read though not declared, a direction that is broken for too many; amber where an input is declared and moves nothing, or where model and contract declare other directions.
**Blind to** columns that the panel doesn't hold, and to directions between two values of one bin.
**Source** Goldstein et al. (2015), Journal of Computational and Graphical Statistics 24(1) (individual conditional expectation); levels by convention.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logit

from workbench.evidence import Evidence, Verdict, judged
from workbench.panel.bins import is_category
from workbench.validation.effects import along
from workbench.validation.sensitivity import evenly
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "form", {"binary", "rate", "amount", "named"}
READS_OUTCOME = False
ROWS, MADE = 1_000, ("predicted", "grade_code", "learnt", "sample")  # rows asked; columns that the validator made
SAME = 1e-9  # of the predictions' spread: rounding


def exchanged(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the rows with the values of columns taken from the row half the sample away: no draw, and all present."""
    half = len(rows) // 2
    return rows.assign(**{n: rows[n].take(np.roll(np.arange(len(rows)), half)).array for n in names})


def moved(s: Subject, rows: pd.DataFrame, names: list[str]) -> float:
    """Return the mean change of predictions (of an event, on log odds) with columns exchanged, as a part of their spread."""
    before, after = (_scale(s, r) for r in (rows, exchanged(rows, names)))
    spread = float(before.std())
    return float(np.abs(after - before).mean()) / spread if spread > 0 else 0.0


def _scale(s: Subject, rows: pd.DataFrame) -> np.ndarray:
    predicted = np.asarray(s.model.predict(rows), float)
    return logit(np.clip(predicted, 1e-9, 1 - 1e-9)) if s.outcome.is_binary else predicted


def undeclared(s: Subject, rows: pd.DataFrame) -> pd.Series:
    """Return what every column that is no input moves (share of the spread); one by one only where all together do."""
    names = [n for n in rows.columns if n not in s.model.features and n not in MADE]
    if moved(s, rows, names) <= SAME:
        return pd.Series(0.0, index=names)
    return pd.Series({n: moved(s, rows, [n]) for n in names})


def directions(s: Subject) -> dict[str, int]:
    """Return the direction that the contract declares of each input that is a number, or else the model; 0 is free."""
    known = {c.name: c.monotone for c in s.contract.columns}
    in_file = {n: int(f.get("monotone", 0)) for n, f in s.model.features.items()}
    return {n: known.get(n) or in_file[n] for n in in_file if not is_category(s.development[n])}


def broken(s: Subject, name: str, direction: int) -> float:
    """Return the share of pairs (a customer, two neighbouring bins of the input) whose predictions go the other way."""
    codes, predicted = along(s, name)
    inner = [i for i, code in enumerate(codes) if code < s.model.reference[name][0].inner]
    steps = np.diff(predicted[inner], axis=0) * direction
    return float((steps < -SAME * max(float(predicted.std()), SAME)).mean()) if steps.size else 0.0


def declared(s: Subject, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per input: moves (share of the spread), direction declared (1, -1, 0), broken (share of pairs)."""
    asked = directions(s)
    out = [
        (n, moved(s, rows, [n]), asked.get(n, 0), broken(s, n, asked[n]) if asked.get(n) else np.nan)
        for n in s.model.features
    ]
    return pd.DataFrame(out, columns=["input", "moves", "direction", "broken"])


def test(s: Subject) -> Evidence:
    """Return what is read though not declared, declared though not read, and how often a declared direction is broken."""
    rows = evenly(s.development, ROWS).reset_index(drop=True)
    others, table = undeclared(s, rows), declared(s, rows)
    outside, against = s.rules["undeclared_use"], s.rules["direction_broken"]
    most, worst = float(others.max()) if len(others) else 0.0, float(table["broken"].fillna(0).max())
    idle, other = list(table.loc[table["moves"] <= SAME, "input"]), _declared_otherwise(s)
    lights = [judged(most, outside), judged(worst, against), Verdict.amber if idle or other else Verdict.green]
    reads = list(others.index[others >= outside.amber])
    answer = say(
        "{columns: columns are} not among the inputs, and {read} of them move predictions; of "
        "{directed: declared directions} the one broken most is so in {broken:.1%} of pairs.",
        columns=len(others),
        read=len(reads),
        directed=int((table["direction"] != 0).sum()),
        broken=worst,
    )
    gauges = (Gauge(most, outside), Gauge(worst, against))
    binding = min(gauges, key=lambda g: (g.light.rank, g.distance))
    return Evidence(
        key="claims",
        question=say("Does the model do what is declared of it?"),
        verdict=min(lights, key=lambda v: v.rank),
        answer=answer + _named(table, against.amber, reads, idle, other),
        value=worst,
        threshold=outside.text
        + against.text
        + say("Amber, too, where an input moves nothing, or is declared otherwise."),
        source="Goldstein et al. (2015)",
        table=table,
        sight=sight(s, worst, everything(against.amber), convention=binding, rows=rows),
    )


def _declared_otherwise(s: Subject) -> list[str]:
    """Return the inputs whose direction the model's file and the contract declare the opposite way, or one leaves free."""
    known = {c.name: c.monotone for c in s.contract.columns}
    return [n for n, f in s.model.features.items() if n in known and int(f.get("monotone", known[n])) != known[n]]


def _named(table: pd.DataFrame, least: float, reads: list[str], idle: list[str], other: list[str]) -> Text:
    out = say("Read, though not declared: {columns}.", columns=reads) if reads else Text()
    if against := list(table.loc[table["broken"] >= least, "input"]):
        out += say("Against their direction: {inputs}.", inputs=against)
    if idle:
        out += say("Declared, and without any effect: {inputs}.", inputs=idle)
    if other:
        out += say("Declared otherwise by the contract than by the model: {inputs}.", inputs=other)
    return out
