"""Candidates: every kind that fits the outcome, tuned, fitted and calibrated inside development only."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LinearRegression, LogisticRegression

from workbench.contracts import Contract, Outcome
from workbench.evidence import Evidence, Verdict
from workbench.models.characteristics import Characteristics, fitted_bins
from workbench.models.kinds import edges, fitting, fixed, named, settings_of
from workbench.models.measures import leading
from workbench.models.samples import Sample, directions, special_codes
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Calibration, predicted, raw
from workbench.panel.samples import Splits, whole_folds
from workbench.words import Text, formatted, say

ALIKE = 0.001  # of settings whose AUC or R² is so near to the best, the preferred one is taken (convention)


@dataclass(frozen=True)
class Candidate:
    """A tuned, fitted, calibrated candidate with its out-of-fold predictions on development (n)."""

    kind: str
    estimator: Any
    calibration: Calibration
    out_of_fold: np.ndarray
    tuning: pd.DataFrame
    outcome: Outcome = field(default_factory=Outcome)
    best: Any = None  # of what was tried, by its value alone: not the estimator, where a preferred one is within ALIKE

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return calibrated predictions (n)."""
        return predicted(self.estimator, self.calibration, X, self.outcome)


def candidates(
    development: Sample, contract: Contract, p: Any, progress: Callable[[str], None] = lambda _: None
) -> list[Candidate]:
    """Return one candidate per kind that fits the outcome, tuned and calibrated inside development only.

    Folds keep the rows of a parent together. The preferred of the settings whose out-of-fold AUC (of an event) or R²
    (of an amount or a rate) is within 0.001 of the highest is taken; the calibration is fitted to those out-of-fold
    predictions with the sampling weights, which also brings a case-control sample back to its true base rate.
    """
    splits, out = folds(development, p.folds, p.seed), []
    given = {
        "monotone": directions(contract),
        "special": special_codes(contract),
        "bounded": development.outcome.kind == "rate",
        "seed": p.seed,
    }
    shared = _shared_bins(development, contract, splits)
    for kind, estimator in fitting(development.outcome).items():
        out.append(_tuned(kind, settings_of(estimator, **given), development, splits, shared))
        progress(f"{kind} tuned")
    return out


def folds(s: Sample, n: int, seed: int) -> Splits:
    """Return n folds (train, test) of whole parents, of equal event rate where the outcome is binary."""
    return whole_folds(s.y, s.parent_id, n, seed, s.outcome.is_binary)


def fitted(estimator: Any, s: Sample, rows: Any = slice(None), **given: Any) -> Any:
    """Fit an estimator to rows of a sample; one that draws folds of its own is told whose each row is.

    `given`: more that it takes, passed over by an estimator that doesn't (`bins`).
    """
    taken = inspect.signature(estimator.fit).parameters
    more = {"parents": s.parent_id[rows], **given}
    return estimator.fit(s.X.iloc[rows], s.y[rows], **{n: value for n, value in more.items() if n in taken})


def _shared_bins(s: Sample, contract: Contract, splits: Splits) -> list[Characteristics | None]:
    """Bins of every fold, fitted once for all settings of an estimator that takes them; WOE is of events only."""
    if not s.outcome.is_binary:
        return [None for _ in splits]
    given = {
        "monotone": directions(contract),
        "min_bin_size": Scorecard().min_bin_size,
        "special": special_codes(contract),
    }
    return [fitted_bins(s.X.iloc[t], s.y[t], **given, parents=s.parent_id[t]) for t, _ in splits]


def _tuned(kind: str, grid: list[Any], s: Sample, splits: Splits, shared: list[Characteristics | None]) -> Candidate:
    measure, tried = leading(s.outcome), []
    for estimator in grid:
        out_of_fold = _out_of_fold(estimator, s, splits, shared)
        tried.append((estimator, out_of_fold, measure(s.y, out_of_fold)))
    best, _, most = max(tried, key=lambda t: t[2])
    chosen, out_of_fold, _ = next(t for t in tried if t[2] >= most - ALIKE)
    calibration = calibrated(out_of_fold, s.y, s.weight, s.outcome)
    seed = getattr(chosen, "seed", "")
    rows = [(kind, _settings(e), seed, len(splits), value, "chosen" if e is chosen else "") for e, _, value in tried]
    columns = [
        "candidate",
        "settings",
        "seed",
        "folds",
        str(say("cross-validated {measure}", measure=measure.label)),
        "",
    ]
    out_of_fold = calibration.apply(out_of_fold)
    if s.outcome.kind == "rate":
        out_of_fold = np.clip(out_of_fold, 0, 1)
    table = pd.DataFrame(rows, columns=columns)
    return Candidate(kind, fitted(chosen, s), calibration, out_of_fold, table, s.outcome, best)


def _out_of_fold(estimator: Any, s: Sample, splits: Splits, shared: list[Characteristics | None]) -> np.ndarray:
    out = np.zeros(len(s.y))
    for (train, test), bins in zip(splits, shared, strict=True):
        out[test] = raw(fitted(estimator, s, train, bins=bins), s.X.iloc[test])
    return out


def _settings(estimator: Any) -> str:
    """Every setting of an estimator as text; what is given by feature as how many have it; the seed stands apart."""
    settings = {k: v for k, v in estimator.get_params().items() if k != "seed"}
    for by_feature in settings.keys() & {"monotone", "special"}:
        settings[by_feature] = sum(bool(v) for v in (settings[by_feature] or {}).values())
    return ", ".join(f"{k}={v}" for k, v in settings.items())


def calibrated(
    raw: np.ndarray, y: np.ndarray, weight: np.ndarray, outcome: Outcome | None = None, falls: bool = False
) -> Calibration:
    """Return the calibration of raw out-of-fold predictions: logistic of probabilities, a straight line of others.

    A line never falls: where predictions say the opposite of what was observed, all rows get the weighted mean. Only of
    probabilities, and where `falls` is set, it may: to tell how well they rank, not to put them right.
    Source: Platt (1999); Mincer & Zarnowitz (1969).
    """
    if outcome is None or outcome.is_binary:
        z = logit(np.clip(raw, 1e-6, 1 - 1e-6))[:, None]
        fit = LogisticRegression(C=1e6, max_iter=1000).fit(z, y, sample_weight=weight)
        if fit.coef_[0, 0] < 0 and not falls:  # it would turn the order of a model round, and its declared directions
            return Calibration(0.0, float(logit(np.average(y, weights=weight))))
        return Calibration(float(fit.coef_[0, 0]), float(fit.intercept_[0]))
    line = LinearRegression(positive=True).fit(np.asarray(raw)[:, None], y, sample_weight=weight)
    return Calibration(float(line.coef_[0]), float(line.intercept_), "identity")


def tuning(tuned: list[Candidate]) -> Evidence:
    """Return every setting tried, with its seed and cross-validated AUC or R²."""
    table = pd.concat([c.tuning for c in tuned], ignore_index=True)
    value = table.columns[4]
    chosen = table[table[""] == "chosen"].sort_values(value, ascending=False)
    each = [say("{candidate} {value:.4f}", candidate=named(r.iloc[0]), value=r[value]) for _, r in chosen.iterrows()]
    return Evidence(
        key="tuning",
        question=say("Which settings were tried inside development?"),
        verdict=Verdict.info,
        answer=say(
            "{n: settings} tried; of each candidate the preferred within {alike} of its best is taken. "
            "{measure}: {each}.",
            n=len(table),
            alike=formatted(ALIKE),
            measure=_measured(tuned[0].outcome),
            each=each,
        )
        + _on_an_edge(tuned),
        value=float(chosen.iloc[0][value]),
        table=table,
    )


def _measured(outcome: Outcome) -> Text:
    """Name what settings are compared by; calibration leaves an AUC as it is, and R² not: the choice's is another."""
    label = leading(outcome).label
    return label if outcome.is_binary else say("{measure} before calibration", measure=label)


def _on_an_edge(tuned: list[Candidate]) -> Text:
    """Say which candidates were best at an end of what was tried: beyond it something better may lie."""
    at = {c.kind: edges(type(c.best), c.best) for c in tuned}
    each = [say("{candidate} ({edges})", candidate=named(kind), edges=ends) for kind, ends in at.items() if ends]
    if not each:
        return say("None is best at an end of what was tried.")
    return say("Best at an end of what was tried, beyond which something better may lie: {each}.", each=each)


def fixed_settings(tuned: list[Candidate]) -> Evidence:
    """Return every setting of the candidates that was not tuned, with the reason for its value."""
    rows = [
        (c.kind, name, str(value), c.estimator.KIND.reasons.get(name, say("no reason is given")))
        for c in tuned
        for name, value in fixed(type(c.estimator)).items()
    ]
    table = pd.DataFrame(rows, columns=["candidate", "setting", "fixed at", "reason"])
    open_ = [name for c in tuned for name in fixed(type(c.estimator)) if name not in c.estimator.KIND.reasons]
    return Evidence(
        key="fixed_settings",
        question=say("Which settings were not tuned, and why are they what they are?"),
        verdict=Verdict.amber if open_ else Verdict.info,
        answer=say("{n: settings are} fixed.", n=len(table))
        + (say("Without a reason: {names}.", names=open_) if open_ else say("Each has a reason.")),
        value=len(table),
        threshold=say("Amber where one has no reason."),
        table=table,
    )
