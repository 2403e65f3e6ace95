"""Does the model come nearer than a plain average would?

**Method** RMSE and MAE on the hold-out against predicting development's mean for everyone; 1 − RMSE / RMSE of the mean.
**Reads as bad** a share of the mean's RMSE saved that is below the threshold; on a later period, whose rows may be few, one whose whole interval is below it.
**Blind to** where the errors lie: a few large ones weigh most.
**Source** Hyndman & Koehler (2006), International Journal of Forecasting 22(4) (relative measures against a benchmark).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, judged
from workbench.validation.sight import Gauge, below_seen, sight
from workbench.validation.significance import interval_text, milder
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "discrimination", {"rate", "amount"}


def test(s: Subject) -> Evidence:
    """Return RMSE and MAE of the rows tested beside those of development's mean."""
    h, rule = s.holdout, s.rules["rmse_saved"]
    mean = np.full(len(h), float(np.average(s.development["outcome"], weights=s.development["weight"])))
    columns = {"model": h["predicted"], "mean of development": mean}
    table = pd.DataFrame(
        [(n, *(m(h["outcome"], p, h["weight"]) for m in (metrics.rmse, metrics.mae))) for n, p in columns.items()],
        columns=["prediction", "RMSE", "MAE"],
    )
    saved = 1 - float(table["RMSE"][0] / table["RMSE"][1])
    error = _error(h, mean)
    sure = saved + float(stats.norm.ppf(1 - s.chance("amber"))) * error
    most = saved if s.is_holdout else sure
    facts = {
        "rmse": table["RMSE"][0],
        "mae": table["MAE"][0],
        "mean_rmse": table["RMSE"][1],
        "mean_mae": table["MAE"][1],
    }
    return Evidence(
        key="rmse_saved",
        question=say("Does the model come nearer than a plain average would?"),
        verdict=milder(judged(saved, rule), judged(most, rule)),
        answer=say(
            "On {sample}: RMSE {rmse}, MAE {mae}; development's mean for everyone {mean_rmse} and {mean_mae}: {saved:.1%} of "
            "the RMSE saved.",
            sample=s.tested,
            saved=saved,
            **facts,
        ),
        value=saved,
        threshold=rule.text + interval_text(s.is_holdout),
        source="Hyndman & Koehler (2006)",
        sight=sight(
            s,
            saved,
            below_seen(rule.amber, error, 0.5 if s.is_holdout else s.chance("amber"), say("share of the RMSE saved")),
            convention=Gauge(saved, rule),
            significance=Gauge(sure, rule, decides=not s.is_holdout),
        ),
        table=table,
    )


def _error(h: pd.DataFrame, mean: np.ndarray) -> float:
    """Return the standard error of the share saved, by parent: ½·√ratio times that of the ratio's logarithm."""
    squares = [h["weight"] * (h["outcome"] - p) ** 2 for p in (h["predicted"], mean)]
    influence = squares[0] / squares[0].sum() - squares[1] / squares[1].sum()
    ratio = float(squares[0].sum() / squares[1].sum())
    return 0.5 * ratio**0.5 * metrics.clustered_error(influence, h["parent_id"])
