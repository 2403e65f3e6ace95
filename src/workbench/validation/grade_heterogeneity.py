"""Are adjacent grades really different?

**Method** two-sided two-proportion z-test of each adjacent pair, and whether the pair's rates lie closer together than its predictions do (z of the gap predicted less the gap observed, one-sided); effective counts by parent, Holm over the pairs.
**Reads as bad** a pair whose predictions hardly differ, or whose rates surely lie closer together than its predictions, by enough to matter, and can't be told apart: the two grades could be one.
**Blind to** small grades, where nothing is sure: they are counted as undecided.
**Source** EBA (2023), Supervisory handbook on the validation of IRB rating systems; Fleiss, Levin & Paik (2003), ch. 3.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.estimated import sure
from workbench.validation.sight import level, sight, two
from workbench.validation.significance import both_text, milder, off
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "discrimination", {"binary", "named"}, True


def pairs(grades: pd.DataFrame) -> pd.DataFrame:
    """Return one row per adjacent pair, lowest prediction first.

    Columns: pair, lower and higher (observed rates), p (two-sided, that they are alike), difference (higher minus lower),
    promised (the same of the predictions), error (of the difference, if the predictions are true), p_closer (one-sided, that the difference is as large as promised), p_both (with development's error in the predictions), ratio (of
    the predictions).
    """
    rows = []
    for (_, a), (_, b) in zip(grades.iloc[:-1].iterrows(), grades.iloc[1:].iterrows(), strict=True):
        counts = [b["events"], a["events"]], [b["n"], a["n"]]
        _, p = proportions_ztest(*counts) if a["events"] + b["events"] > 0 else (0, 1.0)
        gap, promised = b["observed"] - a["observed"], b["predicted"] - a["predicted"]
        sides = [np.sqrt(sum(g["predicted"] * (1 - g["predicted"]) / g[n] for g in (a, b))) for n in ("n", "n_both")]
        closer = [float(stats.norm.sf((promised - gap) / e)) if e > 0 else 1.0 for e in sides]
        pair = f"{a['grade']}-{b['grade']}"
        p = float(np.nan_to_num(p, nan=1.0))
        ratio = off(b["predicted"], a["predicted"])
        rows.append((pair, a["observed"], b["observed"], p, gap, promised, float(sides[0]), *closer, ratio))
    names = ["pair", "lower", "higher", "p", "difference", "promised", "standard_error", "p_closer", "p_both", "ratio"]
    return pd.DataFrame(rows, columns=names)


def _light(s: Subject, pair: pd.Series) -> Verdict:
    rule = s.rules["rate_off"]
    if pair.ratio < rule.amber:
        return Verdict.amber
    if pair.p <= s.rules.number("grades_alike"):
        return Verdict.green
    return milder(sure(pair.p_closer, pair.p_both, s.rules["p_value"]), judged(_short(pair), rule))


def _short(pair: pd.Series) -> float:
    """Return 1 and by how much a pair's rates lie closer together than promised, as a part of the larger."""
    return 1 + max(pair.promised - pair.difference, 0) / max(pair.lower, pair.higher, 1e-12)


def test(s: Subject) -> Evidence:
    """Return how many adjacent pairs of grades differ, and which lie closer together than promised."""
    table, level = pairs(s.grades(s.holdout)), s.rules.number("grades_alike")
    for name in ("p_closer", "p_both"):
        table[name] = metrics.holm(table[name].to_numpy(), s.looks)
    lights = [_light(s, pair) for pair in table.itertuples()]
    table["light"] = [str(light) for light in lights]
    apart, alike = int((table["p"] <= level).sum()), table[table["light"] != "green"]
    answer = say(
        "On {sample} {apart} of {pairs: adjacent pairs differ} at {level:.0%}; of {undecided} more the rows are too few to say.",
        sample=s.tested,
        apart=apart,
        pairs=len(table),
        level=level,
        undecided=int(((table["p"] > level) & (table["light"] == "green")).sum()),
    )
    return Evidence(
        key="grade_heterogeneity",
        question=say("Are adjacent grades really different?"),
        verdict=min(lights, key=lambda v: v.rank, default=Verdict.not_evaluated),
        answer=answer + (say("Alike: {grades}.", grades=list(alike["pair"])) if len(alike) else Text()),
        value=float(len(alike)),
        threshold=both_text(s.rules, s.looks)
        + say("Amber, too, where a pair's predictions are less than {ratio:g} apart.", ratio=s.rules["rate_off"].amber),
        source="EBA (2023), Supervisory handbook on the validation of IRB rating systems",
        table=table,
        sight=_sight(s, table),
    )


def _sight(s: Subject, table: pd.DataFrame) -> Sight | None:
    """Return what stands behind the light: by the pair that is surest to lie closer together than promised."""
    if table.empty:
        return None
    pair = table.iloc[int(table["p_closer"].to_numpy().argmin())]
    band = (s.rules["rate_off"].amber - 1) * max(pair["lower"], pair["higher"])
    least = metrics.least_shift(pair["standard_error"], level(s, len(table)), band)
    seen = (
        least,
        say(
            "Rates of {pair} that lie {least:.2pp} and more closer together than promised, with {power:.0%} certainty.",
            pair=pair["pair"],
            least=least,
            power=metrics.POWER,
        ),
    )
    return sight(s, pair["difference"], seen, **two(s, pair["p_closer"], _short(pair), pair["p_both"]))
