"""Features of an account as of a month, from the months of its observation window."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.contracts import Aspect, Column
from workbench.panel.months import Months

_STANDARD = ("delay_months", "balance_amt", "payment_amt", "due_amt")


@dataclass(frozen=True)
class Feature:
    """One feature: what it is called, what it means, which way risk goes with it, how it is computed."""

    name: str
    description: str
    compute: Callable[[Months], np.ndarray]
    needs: tuple[str, ...]
    monotone: int = 0
    unit: str = ""
    aspect: Aspect = "credit_record"
    least_months: int = 1

    def column(self) -> Column:
        """Return the feature's words in a contract."""
        kind = "category" if self.name.endswith("_code") else "number"
        return Column(
            name=self.name,
            type=kind,
            description=self.description,
            unit=self.unit,
            aspect=self.aspect,
            monotone=self.monotone,
        )


def _delay(w: Months) -> np.ndarray:
    return w.facts["delay_months"]


def _utilisation(w: Months) -> np.ndarray:
    return w.facts["balance_amt"] / w.limit[:, None]


def _payment_ratio(w: Months) -> np.ndarray:
    """Paid in a month over what was billed the month before (or due, where that is known), at most 2."""
    paid, billed = w.facts["payment_amt"][:, 1:], w.facts.get("due_amt", w.facts["balance_amt"])
    billed = billed[:, 1:] if "due_amt" in w.facts else billed[:, :-1]
    return np.where(billed > 0, np.minimum(paid / np.where(billed > 0, billed, 1), 2.0), np.nan)


def _since_late(w: Months) -> np.ndarray:
    late = (_delay(w) > 0)[:, ::-1]
    return np.where(late.any(1), late.argmax(1), late.shape[1]).astype(float)


def _trend(values: np.ndarray) -> np.ndarray:
    """Latest month minus the mean of the months before."""
    return values[:, -1] - np.nanmean(values[:, :-1], axis=1)


def _recent_delay(w: Months) -> np.ndarray:
    weights = np.arange(1, _delay(w).shape[1] + 1, dtype=float)
    return np.nansum(_delay(w) * weights, axis=1) / weights.sum()


def _share(status: str) -> Callable[[Months], np.ndarray]:
    return lambda w: (w.facts["status_code"] == status).sum(1).astype(float)


def _lagged(name: str, lag: int) -> Callable[[Months], np.ndarray]:
    return lambda w: w.facts[name][:, -1 - lag]


def _of(values: Callable[[Months], np.ndarray], reduce: Callable[..., np.ndarray]) -> Callable[[Months], np.ndarray]:
    return lambda w: reduce(values(w), axis=1)


def catalogue(w: Months) -> list[Feature]:
    """Return the features this window allows: by the facts it has, its length and whether a limit is known."""
    d, b, p = ("delay_months",), ("balance_amt", "limit"), ("payment_amt", "balance_amt")
    features = [
        Feature(
            "delay_now_months",
            "months past due at the as-of month",
            _lagged("delay_months", 0),
            d,
            1,
            "month",
        ),
        Feature(
            "delay_worst_months",
            "worst delay in the window",
            _of(_delay, np.nanmax),
            d,
            1,
            "month",
            least_months=2,
        ),
        Feature(
            "n_months_late",
            "months with any delay in the window",
            lambda w: (_delay(w) > 0).sum(1) * 1.0,
            d,
            1,
            "month",
        ),
        Feature(
            "n_months_late_2",
            "months with two or more months past due",
            lambda w: (_delay(w) >= 2).sum(1) * 1.0,
            d,
            1,
            "month",
        ),
        Feature(
            "months_since_late",
            "months since the last delay (window length if none)",
            _since_late,
            d,
            -1,
            "month",
        ),
        Feature(
            "delay_recent_months",
            "mean delay, recent months weighing more",
            _recent_delay,
            d,
            1,
            "month",
            least_months=2,
        ),
        Feature(
            "delay_trend_months",
            "delay now minus mean delay before",
            lambda w: _trend(_delay(w)),
            d,
            0,
            "month",
            least_months=2,
        ),
        Feature(
            "n_months_paid_duly",
            "months paid in full and in time",
            _share("paid_duly"),
            ("status_code",),
            0,
            "month",
        ),
        Feature("n_months_unused", "months without use", _share("unused"), ("status_code",), 0, "month"),
        Feature(
            "n_months_revolving",
            "months with the minimum paid, the rest revolving",
            _share("revolving"),
            ("status_code",),
            0,
            "month",
        ),
        Feature(
            "utilisation_rate",
            "balance over limit at the as-of month",
            lambda w: _utilisation(w)[:, -1],
            b,
            1,
            aspect="capacity",
        ),
        Feature(
            "utilisation_mean_rate",
            "mean balance over limit",
            _of(_utilisation, np.nanmean),
            b,
            1,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "utilisation_max_rate",
            "highest balance over limit",
            _of(_utilisation, np.nanmax),
            b,
            1,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "utilisation_trend_rate",
            "utilisation now minus mean before",
            lambda w: _trend(_utilisation(w)),
            b,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "utilisation_volatility_rate",
            "standard deviation of balance over limit",
            _of(_utilisation, np.nanstd),
            b,
            aspect="capacity",
            least_months=3,
        ),
        Feature(
            "headroom_amt",
            "limit not used",
            lambda w: w.limit - w.facts["balance_amt"][:, -1],
            b,
            -1,
            aspect="capacity",
        ),
        Feature("payment_amt", "paid in the as-of month", _lagged("payment_amt", 0), p, -1, aspect="capacity"),
        Feature(
            "payment_min_amt",
            "smallest payment of a month",
            lambda w: np.nanmin(w.facts["payment_amt"], axis=1),
            p,
            -1,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "payment_max_amt",
            "largest payment of a month",
            lambda w: np.nanmax(w.facts["payment_amt"], axis=1),
            p,
            -1,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "payment_mean_amt",
            "mean payment of a month",
            lambda w: np.nanmean(w.facts["payment_amt"], axis=1),
            p,
            -1,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "n_months_unpaid",
            "months without any payment",
            lambda w: (w.facts["payment_amt"] == 0).sum(1) * 1.0,
            p,
            1,
            "month",
            aspect="capacity",
        ),
        Feature(
            "payment_ratio_rate",
            "paid over what was billed, latest month",
            lambda w: _payment_ratio(w)[:, -1],
            p,
            -1,
            aspect="capacity",
            least_months=2,
        ),
        Feature(
            "payment_ratio_mean_rate",
            "paid over what was billed, mean",
            _of(_payment_ratio, np.nanmean),
            p,
            -1,
            aspect="capacity",
            least_months=3,
        ),
        Feature(
            "payment_to_limit_rate",
            "mean payment over limit",
            lambda w: np.nanmean(w.facts["payment_amt"], axis=1) / w.limit,
            ("payment_amt", "limit"),
            -1,
            aspect="capacity",
            least_months=2,
        ),
    ]
    features += [_lag("delay_months", k, "months past due", 1, "credit_record") for k in range(1, 6)]
    features += [_lag("balance_amt", k, "balance", 0, "capacity") for k in (0, 1, 2)]
    features += [_lag("payment_amt", k, "paid", -1, "capacity") for k in range(1, 6)]
    features += _other_facts(w)
    have = {*w.facts, *(() if w.limit is None else ("limit",))}
    return [f for f in features if set(f.needs) <= have and f.least_months <= len(w.months)]


def _lag(fact: str, k: int, words: str, monotone: int, aspect: Aspect) -> Feature:
    name = fact if k == 0 else fact.replace("_amt", f"_lag{k}_amt").replace("_months", f"_lag{k}_months")
    when = "in the as-of month" if k == 0 else f"{k} months before"
    return Feature(name, f"{words} {when}", _lagged(fact, k), (fact,), monotone, "", aspect, k + 1)


def _other_facts(w: Months) -> list[Feature]:
    """Any further number of the months: its latest value and, where the window is longer, its mean."""
    features = []
    for name in [n for n, v in w.facts.items() if n not in _STANDARD and v.dtype != object]:
        features.append(Feature(name, f"{name} at the as-of month", _lagged(name, 0), (name,), aspect="capacity"))
        if name.endswith("_amt"):
            mean = name.replace("_amt", "_mean_amt")
            features.append(
                Feature(
                    mean,
                    f"{name}, mean of the window",
                    lambda w, n=name: np.nanmean(w.facts[n], axis=1),
                    (name,),
                    aspect="capacity",
                    least_months=2,
                )
            )
    return features


def features(months: Months, as_of: pd.Timestamp, length: int) -> tuple[pd.DataFrame, list[Column]]:
    """Return the features of every account as of a month (n_accounts × k), and their words.

    Only months up to and including `as_of` are looked at: the window is cut before anything is computed.
    """
    w = months.window(as_of, length)
    known = catalogue(w)
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # an account without any row in the window is all NaN
        values = {f.name: f.compute(w) for f in known}
    return pd.DataFrame(values, index=months.accounts), [f.column() for f in known]
