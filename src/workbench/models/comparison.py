"""Candidates side by side: the table for a paper, calibration curves, grades, and the model in readable form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, touched
from workbench.models.development import Candidate, Params, Sample
from workbench.models.pd_model import PdModel
from workbench.panel.describe import effective

METRICS = ("auc", "gini", "ks", "brier", "log_loss", "slope", "intercept")
LEAST_AUC_AMBER, LEAST_AUC_RED = 0.65, 0.55
SLOPE_BAND = 0.15


def tuning(found: list[Candidate]) -> Evidence:
    """Return every setting tried, with its cross-validated AUC."""
    table = pd.concat([c.tuning for c in found], ignore_index=True)
    best = table.loc[table["cross-validated AUC"].idxmax()]
    answer = f"{len(table)} settings tried; {best.candidate} ({best.settings}) is best with {best.iloc[2]:.4f}."
    return Evidence(
        "tuning",
        "Which settings were tried inside development?",
        Verdict.info,
        answer,
        float(best.iloc[2]),
        table=table,
    )


def table(compared: pd.DataFrame) -> pd.DataFrame:
    """Return candidates by metric as text, `value (low to high)`, to paste into a paper."""
    out = {"candidate": compared["candidate"]}
    for m in METRICS:
        triples = zip(compared[m], compared[f"{m}_low"], compared[f"{m}_high"], strict=True)
        out[m.replace("_", " ")] = [f"{v:.4f} ({low:.4f} to {high:.4f})" for v, low, high in triples]
    return pd.DataFrame(out).set_index("candidate")


def calibration_curves(s: Sample, pds: dict[str, np.ndarray], bins: int = 10) -> dict[str, pd.DataFrame]:
    """Return, per candidate, predicted and observed rate with interval in `bins` parts of equal size."""
    curves = {}
    for name, pd_ in pds.items():
        rows = []
        for part in np.array_split(np.argsort(pd_, kind="stable"), bins):
            weight = pd.Series(s.weight[part])
            bad, n = effective(pd.Series(s.y[part]), weight)
            rows.append((np.average(pd_[part], weights=weight), bad / n, *metrics.rate_interval(bad, n)))
        curves[name] = pd.DataFrame(rows, columns=["predicted", "observed", "low", "high"])
    return curves


def grades(model: PdModel, s: Sample) -> Evidence:
    """Return size, mean PD and observed rate of every grade on a sample; amber where rates don't rise."""
    pd_ = model.pd(s.X)
    frame = pd.DataFrame({"grade": model.grade(pd_), "pd": pd_, "y": s.y, "weight": s.weight})
    rows = []
    for grade, part in frame.groupby("grade"):
        bad, n = effective(part["y"], part["weight"])
        share = part["weight"].sum() / frame["weight"].sum()
        mean = float(np.average(part["pd"], weights=part["weight"]))
        rows.append((grade, len(part), share, mean, bad / n, *metrics.rate_interval(bad, n)))
    shown = pd.DataFrame(rows, columns=["grade", "rows", "share", "mean PD", "default rate", "low", "high"])
    turns = int((shown["default rate"].diff().dropna() < 0).sum())
    answer = (
        f"{len(shown)} grades, default rate from {shown['default rate'].iloc[0]:.2%} to "
        f"{shown['default rate'].iloc[-1]:.2%}; {turns} turn back."
    )
    return Evidence(
        "grades",
        "Do the grades order customers by risk on the hold-out?",
        Verdict.amber if turns else Verdict.green,
        answer,
        float(turns),
        "no grade has a lower default rate than the better grade before it",
        "Basel Committee (2005), Working Paper 14",
        shown,
    )


def on_holdout(compared: pd.DataFrame, kind: str) -> Evidence:
    """Return what the chosen candidate reaches on the hold-out, the whole comparison as its table."""
    r = compared.set_index("candidate").loc[kind]
    answer = (
        f"On the hold-out {kind} has AUC {r.auc:.4f} ({r.auc_low:.4f} to {r.auc_high:.4f}), Gini {r.gini:.4f}, "
        f"KS {r.ks:.4f}, Brier {r.brier:.4f}, calibration slope {r.slope:.3f} and intercept {r.intercept:.3f}."
    )
    verdict = Verdict.red if r.auc < LEAST_AUC_RED else Verdict.amber if r.auc < LEAST_AUC_AMBER else Verdict.green
    if abs(r.slope - 1) > SLOPE_BAND and not r.slope_low <= 1 <= r.slope_high:
        verdict = min(verdict, Verdict.amber, key=lambda v: v.rank)
    threshold = (
        f"AUC amber below {LEAST_AUC_AMBER}, red below {LEAST_AUC_RED}; slope within 1 ± {SLOPE_BAND} (convention)"
    )
    return Evidence(
        "holdout", "How good is the chosen model on rows it never saw?", verdict, answer, float(r.auc), threshold,
        "Cox (1958); DeLong et al. (1988)", compared,
    )  # fmt: skip


def figures(compared: pd.DataFrame, choice: Evidence, kind: str) -> dict[str, float]:
    """Return the key figures of the chosen candidate: what validation will re-perform."""
    r = compared.set_index("candidate").loc[kind]
    cross_validated = choice.table.set_index("candidate")["auc"]
    return {
        **{f"holdout_{m}": float(r[m]) for m in METRICS},
        "cv_auc": float(cross_validated[kind]),
        **{f"cv_auc_{k}": float(v) for k, v in cross_validated.items()},
    }


def facts(p: Params, panel: pd.DataFrame) -> dict[str, Any]:
    """Return what the model is made from: study, panel, dates and digests of the tables read."""
    learn = panel[panel["sample"] == "development"]
    return {
        "study": p.study,
        "model": p.model,
        "panel": p.panel,
        "params": p.digest(),
        "development_from": f"{learn['as_of_month'].min():%Y-%m}",
        "development_to": f"{learn['as_of_month'].max():%Y-%m}",
        "development_rows": len(learn),
        **{f"table.{name}": digest for name, digest in touched()["read"].items()},
    }


def points(found: list[Candidate]) -> pd.DataFrame:
    """Return the scorecard candidate as it is printed: characteristic, bin, n, bad rate, WOE, points."""
    card = next(c.estimator for c in found if c.kind == "scorecard").points_table()
    return card[card["n"] > 0].drop(columns="iv").reset_index(drop=True)


def rules(found: list[Candidate], most: int = 25) -> pd.DataFrame:
    """Return the tree candidate as rules, the riskiest first: rule, share of development, bad rate."""
    tree = next(c.estimator for c in found if c.kind == "tree")
    table = pd.DataFrame(tree.rules(), columns=["rule", "n", "bad rate"])
    table["share"] = table["n"] / table["n"].sum()
    shown = table.sort_values("bad rate", ascending=False).head(most)
    return shown[["rule", "share", "bad rate"]].reset_index(drop=True)


def readable(model: PdModel) -> pd.DataFrame:
    """Return the inputs by the standard deviation of their contribution on development, the strongest first."""
    mean = pd.Series(model.facts["mean_contributions"])
    weight = pd.Series(model.facts["contribution_spread"]).sort_values(ascending=False).head(15)
    rows = [(n, model.features[n]["description"], w, mean.get(n, np.nan)) for n, w in weight.items()]
    return pd.DataFrame(rows, columns=["feature", "description", "spread of contribution", "mean contribution"])
