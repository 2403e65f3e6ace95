"""Do observed rates rise from grade to grade as predictions do?

**Method** whether the grades stand in the order of their predictions; one-sided two-proportion test that a grade with the higher prediction has the *lower* rate; Holm over the adjacent pairs; effective counts by parent.
**Reads as bad** grades out of order, and a significant inversion in which the rates differ by enough to matter.
**Blind to** pairs with few events, where nothing is significant.
**Source** Basel Committee (2005), Working Paper 14; Holm (1979).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict
from workbench.validation.grade_heterogeneity import pairs
from workbench.validation.sight import level, sight, two
from workbench.validation.significance import both, both_text, off, p_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "discrimination", {"binary", "named"}, True


def out_of_order(grades: pd.DataFrame, s: Subject) -> list[str]:
    """Return pairs of grades (lowest prediction first) whose names stand the other way round on the model's scale."""
    names = list(s.model.grade_names if s.outcome.direction == "adverse" else s.model.grade_names[::-1])
    places = [names.index(grade) for grade in grades["grade"]]
    return [f"{a}-{b}" for (a, b), (i, j) in zip(pairwise(grades["grade"]), pairwise(places), strict=True) if i > j]


def test(s: Subject) -> Evidence:
    """Return the inversions between adjacent grades of the rows tested."""
    grades = s.grades(s.holdout)
    swapped, table = out_of_order(grades, s), pairs(grades)
    turned = table["difference"] < 0
    table["p_inverted"] = metrics.holm(np.where(turned, table["p"] / 2, 1.0), s.looks)
    ends = zip(table["p_inverted"], table["lower"], table["higher"], strict=True)
    lights = [both(p, off(low, high), s.rules) for p, low, high in ends]
    worst = float(table["p_inverted"].min()) if len(table) else float("nan")
    return Evidence(
        key="rank_ordering",
        question=say("Does the {rate} rise from grade to grade?", rate=s.outcome.rate),
        verdict=Verdict.red if swapped else min(lights, key=lambda v: v.rank, default=Verdict.not_evaluated),
        answer=say(
            "On {sample} {turned} of {pairs: pairs} turn back; smallest adjusted {p}.",
            sample=s.tested,
            turned=int(turned.sum()),
            pairs=len(table),
            p=p_text(worst),
        )
        + (say("Out of order: {grades}.", grades=swapped) if swapped else Text()),
        value=worst,
        threshold=both_text(s.rules, s.looks, of_predictions=False)
        + say("Red where a better grade has the higher prediction."),
        source="Basel Committee (2005), Working Paper 14",
        table=table,
        sight=_sight(s, grades, table),
    )


def _sight(s: Subject, grades: pd.DataFrame, table: pd.DataFrame) -> Sight | None:
    """Return what stands behind the light: by the pair that comes nearest to an inversion."""
    if table.empty:
        return None
    place = int(table["p_inverted"].to_numpy().argmin())
    pair, ends = table.iloc[place], grades.iloc[place : place + 2]
    rate = float(np.average(ends["observed"], weights=ends["n"]))
    error = float(np.sqrt(rate * (1 - rate) * (1 / ends["n"]).sum()))
    band = (s.rules["rate_off"].amber - 1) * rate
    least = metrics.least_shift(error, level(s, len(table)), band)
    seen = (
        least,
        say(
            "Rates of {pair} the wrong way round by {least:.2pp} and more, with {power:.0%} certainty.",
            pair=pair["pair"],
            least=least,
            power=metrics.POWER,
        ),
    )
    far = off(pair["lower"], pair["higher"]) if pair["difference"] < 0 else 1.0
    return sight(s, pair["difference"], seen, **two(s, pair["p_inverted"], far))
