"""Population drift: PSI of every input and of the PD by period, on bins frozen on the development sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Verdict
from workbench.models.pd_model import PdModel

CRITICAL_LEVEL = 0.99


def psi_by_period(model: PdModel, rows: pd.DataFrame, amber: float, red: float) -> pd.DataFrame:
    """Return one row per feature (and `pd`) and period with its PSI and light.

    `rows`: the panel's rows with `period`, `pd` and `weight`. A light needs the PSI over the threshold *and*
    over the critical value of two samples of this size, so that small periods don't cry wolf.
    Columns: feature, period, psi, n (development), m (period), bins, critical, light. Missing and
    unseen values are bins of their own; an empty bin counts as half an observation.
    Source: Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020) for the critical value.
    """
    out = []
    for feature, (bins, counts) in model.reference.items():
        expected = np.array(counts)
        for period, part in rows.groupby("period", sort=True):
            actual = bins.counts(part[feature], part["weight"].to_numpy())  # as development's counts are
            used = int(((expected + actual) > 0).sum())
            value = metrics.psi(expected, actual)
            critical = metrics.psi_critical(int(expected.sum()), len(part), used, CRITICAL_LEVEL)
            light = _light(value, critical, amber, red)
            out.append((feature, period, value, int(expected.sum()), len(part), used, critical, str(light)))
    return pd.DataFrame(out, columns=["feature", "period", "psi", "n", "m", "bins", "critical", "light"])


def _light(value: float, critical: float, amber: float, red: float) -> Verdict:
    if value <= critical or value < amber:
        return Verdict.green
    return Verdict.red if value >= red else Verdict.amber
