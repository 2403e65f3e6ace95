"""Candidates side by side: the table for a paper, calibration curves, grades, and the model in readable form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Evidence, Verdict, touched
from workbench.models.development import ALIKE, Candidate, Params, Sample
from workbench.models.pd_model import PdModel
from workbench.panel.describe import effective
from workbench.panel.months import in_words

METRICS = ("auc", "gini", "ks", "brier", "log_loss", "slope", "intercept")
LEAST_AUC_AMBER, LEAST_AUC_RED = 0.65, 0.55
SLOPE_BAND, INTERCEPT_BAND = 0.15, 0.10


def tuning(found: list[Candidate]) -> Evidence:
    """Return every setting tried, with its cross-validated AUC."""
    table = pd.concat([c.tuning for c in found], ignore_index=True)
    kept = table[table[""] == "chosen"].sort_values("cross-validated AUC", ascending=False)
    said = "; ".join(f"{r[0]} {r[1]}: {r[2]:.4f}" for r in kept.itertuples(index=False, name=None))
    best = kept.iloc[0]
    answer = f"{len(table)} settings tried; of each candidate the simplest within {ALIKE} of its best is kept: {said}."
    return Evidence(
        key="tuning",
        question="Which settings were tried inside development?",
        verdict=Verdict.info,
        answer=answer,
        value=float(best.iloc[2]),
        table=table,
    )


def table(compared: pd.DataFrame) -> pd.DataFrame:
    """Return candidates by metric as text, `value (low to high)`, to paste into a paper."""
    out = {"candidate": compared["candidate"]}
    for m in METRICS:
        triples = zip(compared[m], compared[f"{m}_low"], compared[f"{m}_high"], strict=True)
        out[m.replace("_", " ")] = [f"{v:.4f} ({low:.4f} to {high:.4f})" for v, low, high in triples]
    return pd.DataFrame(out).set_index("candidate")


def paired(found: list[Candidate], s: Sample, compared: pd.DataFrame, seed: int) -> Evidence:
    """Return by how much the best candidate leads each other in AUC on the same rows of the hold-out.

    Intervals of two candidates that overlap don't say that the two are alike; the interval of their
    difference, from the same resamples of accounts, does. Source: Efron & Tibshirani (1993), ch. 13.
    """
    best = compared.loc[compared["auc"].idxmax(), "candidate"]
    pds, rows = {c.kind: c.pd(s.X) for c in found}, []
    for kind in [k for k in pds if k != best]:
        arrays = (s.y, pds[best], pds[kind], s.weight)
        rows.append((best, kind, _lead(*arrays), *metrics.bootstrap_interval(_lead, arrays, s.account, seed)))
    table = pd.DataFrame(rows, columns=["best", "against", "lead", "low", "high"])
    said = "; ".join(f"{r.against} by {r.lead:.4f} ({r.low:.4f} to {r.high:.4f})" for r in table.itertuples())
    return Evidence(
        key="paired_auc",
        question="Does the best candidate really lead on the hold-out?",
        verdict=Verdict.info,
        answer=f"{best} leads {said} in AUC; an interval that holds 0 means the data can't tell.",
        value=float(table["lead"].min()),
        source="Efron & Tibshirani (1993), ch. 13",
        table=table,
    )


def _lead(y: np.ndarray, first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> float:
    return metrics.auc(y, first, weight) - metrics.auc(y, second, weight)


def calibration_curves(s: Sample, pds: dict[str, np.ndarray], bins: int = 10) -> dict[str, pd.DataFrame]:
    """Return, per candidate, predicted and observed rate with interval in `bins` parts of equal size."""
    curves = {}
    for name, pd_ in pds.items():
        rows = []
        codes = metrics.equal_parts(pd_, bins)
        for part in (codes == code for code in np.unique(codes)):
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
        key="grades",
        question="Do the grades order customers by risk on the hold-out?",
        verdict=Verdict.amber if turns else Verdict.green,
        answer=answer,
        value=float(turns),
        threshold="no grade has a lower default rate than the better grade before it",
        source="Basel Committee (2005), Working Paper 14",
        table=shown,
    )


def on_holdout(compared: pd.DataFrame, kind: str) -> Evidence:
    """Return what the chosen candidate reaches on the hold-out, the whole comparison as its table."""
    r = compared.set_index("candidate").loc[kind]
    answer = (
        f"On the hold-out {kind} has AUC {r.auc:.4f} ({r.auc_low:.4f} to {r.auc_high:.4f}), Gini {r.gini:.4f}, "
        f"KS {r.ks:.4f}, Brier {r.brier:.4f}, calibration slope {r.slope:.3f} and intercept {r.intercept:.3f}."
    )
    verdict = Verdict.red if r.auc < LEAST_AUC_RED else Verdict.amber if r.auc < LEAST_AUC_AMBER else Verdict.green
    tilted = abs(r.slope - 1) > SLOPE_BAND and not r.slope_low <= 1 <= r.slope_high
    shifted = abs(r.intercept) > INTERCEPT_BAND and not r.intercept_low <= 0 <= r.intercept_high
    if tilted or shifted:
        verdict = min(verdict, Verdict.amber, key=lambda v: v.rank)
    if shifted:
        answer += f" Its PDs are too {'low' if r.intercept > 0 else 'high'} there as a whole."
    threshold = (
        f"AUC amber below {LEAST_AUC_AMBER}, red below {LEAST_AUC_RED}; amber, too, where slope is off 1 by "
        f"{SLOPE_BAND} or intercept off 0 by {INTERCEPT_BAND}, and its interval is as well (convention)"
    )
    return Evidence(
        key="holdout",
        question="How good is the chosen model on rows it never saw?",
        verdict=verdict,
        answer=answer,
        value=float(r.auc),
        threshold=threshold,
        source="Cox (1958); DeLong et al. (1988)",
        table=compared,
    )


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
        "development_from": in_words(learn["as_of_date"].min()),
        "development_to": in_words(learn["as_of_date"].max()),
        "development_rows": len(learn),
        **{f"table.{name}": digest for name, digest in touched()["read"].items()},
    }


def bins_of_book(s: Sample, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of bins with rows in it (columns n, bad_rate as counted) with share and bad rate of the book."""
    used = table[table["n"] > 0]
    share, rate = s.as_book(used["n"].to_numpy(float), used["bad_rate"].to_numpy(float))
    return used.assign(share=share, bad_rate=rate).reset_index(drop=True)


def points(found: list[Candidate], s: Sample) -> Evidence:
    """Return the scorecard candidate as it is printed: characteristic, bin, rows, share, default rate, WOE, points."""
    card = next(c.estimator for c in found if c.kind == "scorecard").points_table()
    table = pd.concat([bins_of_book(s, part) for _, part in card.groupby("characteristic", sort=False)])
    ends = table.groupby("characteristic")["points"].agg(["min", "max"]).sum()
    answer = (
        f"{table['characteristic'].nunique()} characteristics; a customer's points add up to a score "
        f"between {ends['min']:.0f} and {ends['max']:.0f}."
    )
    names = {"n": "rows", "bad_rate": "default rate"}
    shown = table.rename(columns=names)[["characteristic", "bin", "rows", "share", "default rate", "woe", "points"]]
    return Evidence(
        key="points",
        question="What are the scorecard's points?",
        verdict=Verdict.info,
        answer=answer,
        value=len(shown),
        source="Siddiqi (2017), ch. 10",
        table=shown.astype({"rows": int}).reset_index(drop=True),
    )


def rules(found: list[Candidate], s: Sample) -> Evidence:
    """Return the tree candidate as rules, the riskiest first: rule, rows, share and default rate of the book."""
    tree = next(c.estimator for c in found if c.kind == "tree")
    table = pd.DataFrame(tree.rules(), columns=["rule", "rows", "counted"])
    share, rate = s.as_book(table["rows"].to_numpy(float), table["counted"].to_numpy(float))
    shown = table.drop(columns="counted").assign(**{"share": share, "default rate": rate})
    shown = shown.sort_values("default rate", ascending=False, ignore_index=True)
    shown = shown[["default rate", "share", "rows", "rule"]]
    top = shown.iloc[0]
    return Evidence(
        key="rules",
        question="What are the tree's rules?",
        verdict=Verdict.info,
        answer=f"{len(shown)} rules; the riskiest holds {top['share']:.1%} of the book, of which "
        f"{top['default rate']:.1%} "
        f"default: {top['rule']}.",
        value=len(shown),
        source="Breiman et al. (1984)",
        table=shown,
    )


def inputs(model: PdModel) -> Evidence:
    """Return the inputs by the standard deviation of their contribution on development, the strongest first."""
    mean = pd.Series(model.facts["mean_contributions"])
    spread = pd.Series(model.facts["contribution_spread"]).sort_values(ascending=False)
    rows = [(n, model.features[n]["description"], v, mean.get(n, np.nan)) for n, v in spread.items()]
    table = pd.DataFrame(rows, columns=["input", "description", "spread of contribution", "mean contribution"])
    strongest = ", ".join(table["input"].head(3))
    unit = "bad rate" if model.kind == "tree" else "log odds of default"
    return Evidence(
        key="inputs",
        question="Which inputs move the PD most?",
        verdict=Verdict.info,
        answer=f"{len(table)} inputs; {strongest} move it most (contributions in {unit}).",
        value=len(table),
        table=table,
    )


def reasons(model: PdModel, s: Sample, customers: int = 3, top: int = 4) -> Evidence:
    """Return the riskiest customers of a sample, each once, and what raised their risk most."""
    pd_ = pd.Series(model.pd(s.X))
    order = pd_.sort_values(ascending=False, kind="stable").index
    chosen = pd.Series(s.account[order], index=order).drop_duplicates().head(customers)
    found = model.reasons(s.X.loc[chosen.index], top)
    values = [_value(v) for v in found["value"]]
    table = pd.DataFrame(
        {
            "account": found["row"].map(chosen),
            "PD": found["row"].map(pd_).map("{:.1%}".format),
            "rank": found["rank"],
            "reason": found["words"],
            "value": values,
            "contribution": found["contribution"],
        }
    )
    firsts = table[table["rank"] == 1]
    said = "; ".join(f"{r.account} (PD {r.PD}): {r.reason} {r.value}" for r in firsts.itertuples())
    return Evidence(
        key="reasons",
        question="Why is a customer at high risk?",
        verdict=Verdict.info,
        answer=f"First reasons: {said}.",
        value=len(firsts),
        source="US Regulation B, 12 CFR 1002.9 (official interpretation)",
        table=table,
    )


def _value(v: Any) -> str:
    return "missing" if pd.isna(v) else v if isinstance(v, str) else f"{v:,.4g}"
