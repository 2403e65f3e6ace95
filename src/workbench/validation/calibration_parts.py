"""Is the prediction right in every tenth of the book?

**Method** the hold-out in ten parts of equal size by prediction: mean observed with its 95 % interval by parent against mean predicted, Student's t; Holm over the parts.
**Reads as bad** a part with a small adjusted p that is off by enough to matter; on the side that doesn't cost, at most amber.
**Blind to** errors that cancel within a tenth.
**Source** Hosmer & Lemeshow (1980) for the parts; Holm (1979).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.validation.estimated import both, inflation, learnt
from workbench.validation.sight import Seen, level, shift_seen, sight, two
from workbench.validation.significance import both_text, mean_p, off, p_text, side, worst
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS, BY_CHANCE = "calibration", {"rate", "amount"}, True
PARTS = 10


def parts(h: pd.DataFrame, inflated: float = 1.0) -> pd.DataFrame:
    """Return one row per tenth by prediction: rows, predicted, observed with interval, p, p_both (see `estimated`)."""
    rows = []
    for code, part in h.groupby(metrics.equal_parts(h["predicted"], PARTS)):
        mean, low, high = metrics.mean_interval(part["outcome"], part["weight"], part["parent_id"])
        predicted = float(np.average(part["predicted"], weights=part["weight"]))
        residual = (part["outcome"] - part["predicted"]).to_numpy()
        arrays = (residual, part["weight"].to_numpy(), part["parent_id"].to_numpy())
        p = [np.nan_to_num(mean_p(*arrays, factor), nan=1.0) for factor in (1.0, inflated)]
        rows.append((code + 1, len(part), predicted, mean, low, high, *p))
    return pd.DataFrame(rows, columns=["part", "rows", "predicted", "observed", "low", "high", "p", "p_both"])


def _seen(s: Subject, low: pd.Series) -> Seen:
    error = (low["high"] - low["low"]) / (2 * float(stats.norm.ppf(0.975)))
    band = (s.rules["rate_off"].amber - 1) * abs(low["predicted"])
    return shift_seen(error, level(s, PARTS), band, say("distance of the mean of the tenth"))


def _light(s: Subject, part: pd.Series) -> Verdict:
    light = both(part.p, part.p_both, off(part.observed, part.predicted), s.rules)
    return light if s.is_costly(part.observed, part.predicted) or light is not Verdict.red else Verdict.amber


def test(s: Subject) -> Evidence:
    """Return observed against predicted in ten parts of the rows tested."""
    table = parts(s.holdout, inflation(s.holdout, learnt(s.development)))
    for name in ("p", "p_both"):
        table[name] = metrics.holm(table[name].to_numpy(), s.looks)
    table["light"] = [str(_light(s, part)) for part in table.itertuples()]
    low = worst(table)
    facts = {"part": int(low["part"]), "prediction": s.shown(low["predicted"]), "observed": s.shown(low["observed"])}
    return Evidence(
        key="calibration_parts",
        question=say("Is the {predicted} right in every tenth of the book?", predicted=s.outcome.predicted),
        verdict=Verdict(low["light"]),
        answer=say(
            "Furthest on {sample} is tenth {part} from below, where the {predicted} is {side}: {prediction} against "
            "{observed}, adjusted {p}.",
            sample=s.tested,
            predicted=s.outcome.predicted,
            side=side(low["observed"], low["predicted"]),
            p=p_text(low["p"]),
            **facts,
        ),
        value=float(low["p"]),
        threshold=both_text(s.rules, s.looks) + say("At most amber on the side that doesn't cost."),
        source="Hosmer & Lemeshow (1980)",
        table=table,
        sight=sight(
            s, low["observed"], _seen(s, low), **two(s, low["p"], off(low["observed"], low["predicted"]), low["p_both"])
        ),
    )
