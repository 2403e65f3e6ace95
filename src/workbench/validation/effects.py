"""What the model makes of each input, and what development's rows say of it, both by the input's frozen bins."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import logit

from workbench.validation.sensitivity import evenly
from workbench.validation.subject import Subject

ADDITIVE = ("scorecard", "linear")  # kinds whose inputs' effects add up
ROWS = 300  # the effect of a bin is a mean over rows: so many say it well enough


def risks(s: Subject, name: str) -> np.ndarray:
    """Return what was observed on development in each frozen bin of an input: the mean outcome, drawn to the overall mean.

    A bin counts as if one more row of the average were in it, so that an empty one says nothing. Of an event the mean is
    its rate; bins in the order of the bins' labels (k).
    """
    bins, d = s.model.reference[name][0], s.development
    codes, k = bins.codes(d[name]), len(bins.labels)
    weight, total = np.bincount(codes, d["weight"], k), np.bincount(codes, d["weight"] * d["outcome"], k)
    mean = float(np.average(d["outcome"], weights=d["weight"]))
    return (total + mean) / (weight + 1)


def coded(s: Subject, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with each input replaced by what development observed in its bin (n × inputs)."""
    return pd.DataFrame({n: risks(s, n)[s.model.reference[n][0].codes(rows[n])] for n in s.model.features})


def effect(s: Subject, name: str) -> np.ndarray:
    """Return the model's mean prediction (of an event, its log odds) with an input set to each of its frozen bins (k).

    The other inputs stay as they are, on rows taken evenly from development; a bin no row of development is in is NaN.
    Source: Friedman (2001), Annals of Statistics 29(5), section 8.2 (partial dependence).
    """
    codes, predicted = along(s, name)
    if s.outcome.is_binary:
        predicted = logit(np.clip(predicted, 1e-9, 1 - 1e-9))
    out = np.full(len(s.model.reference[name][0].labels), np.nan)
    out[codes] = predicted.mean(axis=1)
    return out


def along(s: Subject, name: str) -> tuple[list[int], np.ndarray]:
    """Return the frozen bins of an input that development has rows in (k codes), and predictions with it set to each (k × n).

    The n rows are taken evenly from development. It is worked out once: several tests ask, some again for each period.
    Source: Goldstein et al. (2015), JCGS 24(1) (individual expectations).
    """
    return s.once.answer(f"along {name}", (s.model, s.development), lambda: _along(s, name))


def _along(s: Subject, name: str) -> tuple[list[int], np.ndarray]:
    bins, d = s.model.reference[name][0], s.development
    rows, codes = evenly(d, ROWS), bins.codes(d[name])
    examples = {int(code): _example(d.loc[codes == code, name]) for code in np.unique(codes)}
    asked = pd.concat([rows.assign(**{name: _like(d[name], value, len(rows))}) for value in examples.values()])
    return list(examples), np.asarray(s.model.predict(asked), float).reshape(len(examples), len(rows))


def _example(values: pd.Series) -> object:
    """Return a value that stands for its bin: the middle one of those seen."""
    known = values.dropna().sort_values(kind="stable")
    return None if known.empty else known.iloc[len(known) // 2]


def _like(column: pd.Series, value: object, n: int) -> pd.Series:
    return pd.Series([value] * n, dtype=column.dtype if value is not None else None).to_numpy()


def direction(s: Subject, name: str) -> tuple[float, float]:
    """Return the slope of the model's effect on what was observed over the bins, and the spread of the effect.

    The slope is below 0 where the model calls those safer that turned out riskier; the spread is the effect's standard
    deviation over development, as a part of the predictions' own (of an event both in log odds).
    """
    bins, observed, made = s.model.reference[name][0], risks(s, name), effect(s, name)
    n = np.bincount(bins.codes(s.development[name]), s.development["weight"], len(bins.labels))
    n, made = np.where(np.isnan(made), 0, n), np.nan_to_num(made)
    x, e = observed - np.average(observed, weights=n), made - np.average(made, weights=n)
    varies = float((n * x**2).sum())
    return (float((n * x * e).sum()) / varies if varies > 0 else 0.0), float(
        np.sqrt((n * e**2).sum() / n.sum())
    ) / _own_spread(s)


def _own_spread(s: Subject) -> float:
    predicted = s.development["predicted"].to_numpy(float)
    if s.outcome.is_binary:
        predicted = logit(np.clip(predicted, 1e-9, 1 - 1e-9))
    return max(float(predicted.std()), 1e-12)


def said_p(s: Subject, name: str, estimate: float, error: float) -> float:
    """Return the p that an input says nothing on development, from the slope of the outcome on its bins' own means.

    The means were taken from the same rows, so that the slope is above 0 by chance alone: its square over the error's
    is then χ² with as many degrees of freedom as the input has bins with rows, less one. 1 where it is not above 0.
    """
    used = len(np.unique(s.model.reference[name][0].codes(s.development[name])))
    return float(stats.chi2.sf((estimate / error) ** 2, max(used - 1, 1))) if error > 0 and estimate > 0 else 1.0


def inverted_p(estimate: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the one-sided p that slopes which ought to be above 0 are so (k); 1 where a slope has no error."""
    z = np.divide(estimate, error, out=np.zeros(len(estimate)), where=error > 0)
    return np.where(error > 0, stats.norm.cdf(z), 1.0)
