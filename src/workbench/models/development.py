"""Develop a PD model: tune each candidate inside development, calibrate, compare on the hold-out, choose by rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from workbench import metrics, params
from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.models.binning import WoeBins, grade_bins
from workbench.models.choice import choose as choose
from workbench.models.pd_model import Calibration, PdModel, to_score
from workbench.models.scorecard import Characteristics, Scorecard, fitted_bins
from workbench.models.trees import BoostedTrees, RuleTree
from workbench.panel.bins import quantile_bins
from workbench.params import UserError
from workbench.words import say

SCORECARD_C = (1.0, 0.1, 0.01)  # shrunk only where it helps
TREE_DEPTHS = (4, 5, 6)
BOOSTED = ((2, 150), (2, 300), (3, 150), (3, 300), (4, 150), (4, 300))  # depth and trees, from simple to complex
USELESS_IV, SUSPICIOUS_IV = 0.02, 0.5  # Siddiqi (2017), ch. 6
ALIKE = 0.001  # AUC: of settings so near to the best, the simplest is taken (convention)


class Params(params.Params):
    """Which panel, which model name, how candidates are compared and chosen."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel to learn from")
    model: str = Field("pd", pattern=r"^[a-z0-9_]+$", description="name of the model within the study")
    choice: Literal["rule", "scorecard", "tree", "boosted"] = Field("rule", description="rule, or the study's own say")
    folds: int = Field(3, ge=2, le=10, description="folds of the cross-validation inside development")
    max_development_rows: int = Field(30000, ge=500, description="rows at most taken from development")
    min_grade_share: float = Field(0.05, gt=0, lt=0.5, description="smallest share of a grade")
    seed: int = Field(42, ge=0, description="seed of folds, trees and bootstrap")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel]


def writes(p: Params) -> list[str]:
    """What this step writes: scores of every row of the panel, and the model (registered by the runner)."""
    return [f"mart__scores_{p.model}", f"model__{p.model}"]


@dataclass(frozen=True)
class Sample:
    """One sample of the panel: inputs (n × k), outcome (n), weight (n), account (n)."""

    X: pd.DataFrame
    y: np.ndarray
    weight: np.ndarray
    account: np.ndarray

    def as_book(self, n: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of the book and the bad rate that groups of rows stand for; n and rate as counted (k each).

        Undoes case-control sampling, whose weights are the same for all bads and for all goods.
        Source: King & Zeng (2001), eq. 8.
        """
        bad = np.asarray(n * rate) * self.weight[self.y == 1].mean()
        everyone = bad + np.asarray(n * (1 - rate)) * self.weight[self.y == 0].mean()
        return everyone / everyone.sum(), np.divide(bad, everyone, out=np.full(len(bad), np.nan), where=everyone > 0)


@dataclass(frozen=True)
class Candidate:
    """A tuned, fitted, calibrated candidate with its out-of-fold PDs on development."""

    kind: str
    estimator: Any
    calibration: Calibration
    out_of_fold: np.ndarray
    tuning: pd.DataFrame

    def pd(self, X: pd.DataFrame) -> np.ndarray:
        """Return calibrated PDs (n)."""
        return self.calibration.apply(self.estimator.predict_proba(X)[:, 1])


def sample(panel: pd.DataFrame, contract: Contract, name: str, limit: int = 0, seed: int = 42) -> Sample:
    """Return one sample of the panel: rows whose outcome is known, whole accounts, at most about `limit` rows."""
    rows = panel[(panel["sample"] == name) & panel["outcome"].notna()]
    if limit and len(rows) > limit:
        accounts = rows["entity_id"].drop_duplicates().sample(frac=limit / len(rows), random_state=seed)
        rows = rows[rows["entity_id"].isin(set(accounts))]
    if rows["outcome"].nunique() < 2:
        raise UserError(
            f"panel '{contract.name}': sample '{name}' has {len(rows)} rows of one class only; widen its dates"
        )
    X = rows[[c.name for c in contract.features()]].reset_index(drop=True)
    return Sample(X, rows["outcome"].to_numpy(), rows["weight"].to_numpy(), rows["entity_id"].to_numpy())


def directions(contract: Contract) -> dict[str, int]:
    """Return the direction of risk each feature must keep (1, -1; 0 is free)."""
    return {c.name: c.monotone for c in contract.features()}


def information_values(development: Sample, contract: Contract) -> tuple[Mapping[str, WoeBins], Evidence]:
    """Return the optimal bins of every feature, and IV of each as evidence (> 0.5 suspicious, < 0.02 useless)."""
    bins = fitted_bins(development.X, development.y, directions(contract), Scorecard().min_bin_size)
    table = pd.DataFrame(
        [(n, b.iv, b.bins.inner, contract[n].description) for n, b in bins.items()],
        columns=["feature", "iv", "bins", "description"],
    ).sort_values("iv", ascending=False, ignore_index=True)
    useless, top = int((table["iv"] < USELESS_IV).sum()), table.iloc[0]
    answer = say(
        "{feature} says most (IV {iv:.2f}); {useless} of {n} say next to nothing (below {limit:.2f}).",
        feature=top.feature,
        iv=float(top.iv),
        useless=useless,
        n=len(table),
        limit=USELESS_IV,
    )
    if suspicious := table.loc[table["iv"] > SUSPICIOUS_IV, "feature"].tolist():
        answer += say(
            "Suspiciously strong, look for a leak (above {limit:.1f}): {features}.",
            limit=SUSPICIOUS_IV,
            features=suspicious,
        )
    return bins, Evidence(
        key="information_value",
        question=say(
            "Which features separate {negative} from {positive}?",
            negative=contract.outcome.negative,
            positive=contract.outcome.positive,
        ),
        verdict=Verdict.info,
        answer=answer,
        value=float(top.iv),
        threshold=say("below {low:.2f} useless, above {high:.1f} look for a leak", low=USELESS_IV, high=SUSPICIOUS_IV),
        source="Siddiqi (2017), ch. 6 (rule of thumb)",
        table=table,
    )


def candidates(
    development: Sample, contract: Contract, p: Params, progress: Callable[[str], None] = lambda _: None
) -> list[Candidate]:
    """Return scorecard, tree and boosted trees, each tuned and calibrated inside development only.

    Folds keep an account's rows together. The simplest settings whose out-of-fold AUC is within 0.001 of
    the highest win; the calibration is fitted to those out-of-fold predictions with the sampling weights,
    which also brings a case-control sample back to its true base rate.
    """
    folds = StratifiedGroupKFold(p.folds, shuffle=True, random_state=p.seed)
    splits = list(folds.split(development.X, development.y, development.account))
    shared = [
        fitted_bins(development.X.iloc[t], development.y[t], directions(contract), Scorecard().min_bin_size)
        for t, _ in splits
    ]
    progress("bins of every fold fitted")
    out = []
    for kind, grid in _grids(contract, p).items():
        out.append(_tuned(kind, grid, development, splits, shared))
        progress(f"{kind} tuned")
    return out


def _grids(contract: Contract, p: Params) -> dict[str, list[Any]]:
    signs = directions(contract)
    return {
        "scorecard": [Scorecard(signs, C=c) for c in SCORECARD_C],
        "tree": [RuleTree(d, seed=p.seed) for d in TREE_DEPTHS],
        "boosted": [BoostedTrees(signs, d, n, seed=p.seed) for d, n in BOOSTED],
    }


def _tuned(
    kind: str,
    grid: list[Any],
    s: Sample,
    splits: list[tuple[np.ndarray, np.ndarray]],
    shared: list[Characteristics],
) -> Candidate:
    tried = []
    for estimator in grid:
        out_of_fold = np.zeros(len(s.y))
        for (train, test), bins in zip(splits, shared, strict=True):
            more = {"bins": bins} if kind == "scorecard" else {}
            out_of_fold[test] = estimator.fit(s.X.iloc[train], s.y[train], **more).predict_proba(s.X.iloc[test])[:, 1]
        tried.append((estimator, out_of_fold, metrics.auc(s.y, out_of_fold)))
    best = max(value for *_, value in tried)
    chosen, out_of_fold, _ = next(t for t in tried if t[2] >= best - ALIKE)
    calibration = calibrated(out_of_fold, s.y, s.weight)
    rows = [(kind, _settings(e), value, "chosen" if e is chosen else "") for e, _, value in tried]
    tuning = pd.DataFrame(rows, columns=["candidate", "settings", "cross-validated AUC", ""])
    return Candidate(kind, chosen.fit(s.X, s.y), calibration, calibration.apply(out_of_fold), tuning)


def _settings(estimator: Any) -> str:
    shown = {k: v for k, v in estimator.get_params().items() if k != "monotone" and v is not None}
    return ", ".join(f"{k}={v}" for k, v in shown.items())


def calibrated(raw: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Calibration:
    """Return the logistic calibration of raw out-of-fold probabilities. Source: Platt (1999)."""
    z = logit(np.clip(raw, 1e-6, 1 - 1e-6))[:, None]
    fit = LogisticRegression(C=1e6, max_iter=1000).fit(z, y, sample_weight=weight)
    return Calibration(float(fit.coef_[0, 0]), float(fit.intercept_[0]))


def compare(found: list[Candidate], s: Sample, p: Params) -> pd.DataFrame:
    """Return one row per candidate, measured on the hold-out, each metric with its 95 % interval.

    AUC, Gini, KS, Brier and log loss by bootstrap of whole accounts, calibration slope and intercept
    by robust errors. Columns: candidate, then metric, metric_low, metric_high.
    """
    rows = []
    for c in found:
        pd_, row = c.pd(s.X), {"candidate": c.kind}
        for name in ("auc", "gini", "ks", "brier", "log_loss"):
            metric = getattr(metrics, name)
            low, high = metrics.bootstrap_interval(metric, (s.y, pd_, s.weight), s.account, p.seed)
            row |= {name: metric(s.y, pd_, s.weight), f"{name}_low": low, f"{name}_high": high}
        line = metrics.calibration_line(s.y, pd_, s.weight, s.account)
        for name, (value, low, high) in line.items():
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def assemble(chosen: Candidate, development: Sample, contract: Contract, p: Params, facts: dict[str, Any]) -> PdModel:
    """Return the chosen candidate as a whole model: grades and reference bins frozen on development."""
    names = list(development.X.columns)
    used = chosen.estimator.bins_ if chosen.kind == "scorecard" else names
    features = {
        n: {
            "description": contract[n].description,
            "monotone": contract[n].monotone,
            "type": contract[n].type,
        }
        for n in names
        if n in used
    }
    columns = {n: development.X[n] for n in names} | {"pd": pd.Series(chosen.pd(development.X), name="pd")}
    reference = {}
    for name, values in columns.items():
        bins = quantile_bins(values)
        reference[name] = (bins, tuple(bins.counts(values, development.weight)))
    grades = grade_bins(chosen.out_of_fold, development.y, p.min_grade_share)
    parts = chosen.estimator.contributions(development.X)
    facts = {
        **facts,
        "mean_contributions": parts.mean().to_dict(),
        "contribution_spread": parts.std().to_dict(),
    }
    return PdModel(chosen.kind, chosen.estimator, chosen.calibration, grades, features, reference, facts)


def scores(panel: pd.DataFrame, model: PdModel) -> pd.DataFrame:
    """Return PD, score and grade of every row of the panel."""
    pd_ = model.pd(panel)
    kept = panel[["entity_id", "as_of_date", "sample", "outcome", "weight"]]
    return kept.assign(pd=pd_, score=to_score(pd_), grade_code=model.grade(pd_))
