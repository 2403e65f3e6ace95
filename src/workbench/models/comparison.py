"""Candidates side by side on the hold-out: the table for a paper, who leads whom, calibration, grades, the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench import metrics, rules
from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict, judged, touched
from workbench.models.development import Params
from workbench.models.kinds import named
from workbench.models.measures import Measure, leading, measures
from workbench.models.samples import Sample
from workbench.models.scorer import Scorer
from workbench.models.tuning import Candidate
from workbench.panel.months import span_in_words
from workbench.panel.rates import level, observed
from workbench.words import Text, apart, formatted, say

LINE = ("slope", "intercept")
TENTHS = 10


def table(compared: pd.DataFrame, s: Sample) -> pd.DataFrame:
    """Return candidates by measure as text, `value (low to high)`, to paste into a paper."""
    out = {"candidate": compared["candidate"].str.replace("_", " ")}
    specs = {name: (str(m.label), m.spec) for name, m in measures(s.outcome).items()}
    specs |= {name: (name, ".4f" if s.outcome.scale != "amount" else "") for name in LINE}
    for name, (label, spec) in specs.items():
        triples = zip(compared[name], compared[f"{name}_low"], compared[f"{name}_high"], strict=True)
        out[label] = [f"{v} ({low} to {high})" for v, low, high in ([formatted(x, spec) for x in t] for t in triples)]
    return pd.DataFrame(out).set_index("candidate")


def pictured(outcome: Outcome) -> dict[str, Text]:
    """Return the measures that are drawn with their intervals: name → how pages call it."""
    names = ("auc", "ks", "brier") if outcome.is_binary else ("r_squared", "rmse", "spearman")
    known = measures(outcome)
    return {name: known[name].label for name in names} | {name: say(name) for name in LINE}


def paired(tuned: list[Candidate], s: Sample, compared: pd.DataFrame, seed: int) -> Evidence:
    """Return by how much the best candidate leads each other on the same rows of the hold-out.

    Intervals of two candidates that overlap don't say that the two are alike; the interval of their
    difference, from the same resamples of parents, does. Source: Efron & Tibshirani (1993), ch. 13.
    """
    measure = leading(s.outcome)
    best = compared.loc[compared[measure.name].idxmax(), "candidate"]
    predictions, rows = {c.kind: c.predict(s.X) for c in tuned}, []
    for kind in [k for k in predictions if k != best]:
        both = (predictions[best], predictions[kind])
        interval = measure.interval(s.y, both, s.weight, s.parent_id, seed)
        rows.append((best, kind, measure.gain(s.y, *both, s.weight), *interval))
    leads = pd.DataFrame(rows, columns=["best", "against", "lead", "low", "high"])
    return Evidence(
        key="paired",
        question=say("Does the best candidate really lead on the hold-out?"),
        verdict=Verdict.info,
        answer=_leads(leads, best, measure),
        value=float(leads["lead"].min()) if len(leads) else None,
        source="Efron & Tibshirani (1993), ch. 13",
        table=leads,
    )


def _leads(leads: pd.DataFrame, best: str, measure: Measure) -> Text:
    if not len(leads):
        return say("{best} is the only candidate.", best=named(best))
    each = [
        say(
            "{kind} by {lead:.4f} ({low:.4f} to {high:.4f})", kind=named(r.against), lead=r.lead, low=r.low, high=r.high
        )
        for r in leads.itertuples()
    ]
    return say(
        "In {measure}, {best} leads {each}; an interval that holds 0 means the data can't tell.",
        measure=measure.label,
        best=named(best),
        each=each,
    )


def calibration_curves(s: Sample, predictions: dict[str, np.ndarray], bins: int = TENTHS) -> dict[str, pd.DataFrame]:
    """Return, per candidate, predicted and observed outcome with interval in `bins` parts of equal size.

    Rows with the same prediction are in one part, so that a file's order says nothing: there may be fewer parts.
    """
    curves = {}
    for name, predicted in predictions.items():
        rows = []
        codes = metrics.equal_parts(predicted, bins)
        for part in (codes == code for code in np.unique(codes)):
            mean = float(np.average(predicted[part], weights=s.weight[part]))
            rows.append((mean, *observed(s.y[part], s.weight[part], s.outcome, s.parent_id[part])))
        curves[name] = pd.DataFrame(rows, columns=["predicted", "observed", "low", "high"])
    return curves


def calibration(s: Sample, model: Scorer) -> Evidence:
    """Return prediction and outcome of the chosen model by tenths of the hold-out, the lowest predicted first.

    Fewer groups where predictions are tied.
    """
    curve = calibration_curves(s, {model.kind: model.predict(s.X)})[model.kind]
    inside = int(((curve["low"] <= curve["predicted"]) & (curve["predicted"] <= curve["high"])).sum())
    ends = {"first": level(curve["observed"].iloc[0], s.outcome), "last": level(curve["observed"].iloc[-1], s.outcome)}
    facts = {"inside": inside, "n": len(curve), "rate": s.outcome.rate, **ends}
    if whole := len(curve) == TENTHS:
        answer = say(
            "In {inside} of {n: tenths} the mean prediction lies in the 95 % interval of what was observed; {rate} "
            "observed runs from {first} in the lowest tenth to {last} in the highest.",
            **facts,
        )
    else:
        answer = say(
            "In {inside} of {n: groups} the mean prediction lies in the 95 % interval of what was observed; {rate} "
            "observed runs from {first} in the lowest group to {last} in the highest.",
            **facts,
        )
        answer += say("Rows with the same prediction stay in one group, so there are fewer than ten.")
    return Evidence(
        key="calibration",
        question=say("Are predictions as high as what happened, from the lowest tenth to the highest?"),
        verdict=Verdict.info,
        answer=answer,
        value=inside,
        source="Jeffreys' interval of a rate, Student's t of a mean, rows of a parent counted together",
        table=curve.set_axis(range(1, len(curve) + 1)).rename_axis("tenth" if whole else "group").reset_index(),
    )


def grades(model: Scorer, s: Sample) -> Evidence:
    """Return size, mean prediction and outcome of every grade on a sample; amber where the outcomes turn back."""
    predicted, outcome, rows = model.predict(s.X), s.outcome, []
    grade = model.grade(predicted)
    for name in [g for g in model.grade_names if (grade == g).any()]:
        part = grade == name
        share = s.weight[part].sum() / s.weight.sum()
        mean = float(np.average(predicted[part], weights=s.weight[part]))
        rows.append(
            (name, int(part.sum()), share, mean, *observed(s.y[part], s.weight[part], outcome, s.parent_id[part]))
        )
    columns = [
        "grade",
        "rows",
        "share",
        str(say("mean {predicted}", predicted=outcome.predicted)),
        str(outcome.rate),
        "low",
        "high",
    ]
    shown = pd.DataFrame(rows, columns=columns)
    rates = shown.iloc[:, 4]
    turns = int(((rates.diff().dropna() if outcome.direction == "adverse" else -rates.diff().dropna()) < 0).sum())
    ends = {"first": level(rates.iloc[0], outcome), "last": level(rates.iloc[-1], outcome)}
    return Evidence(
        key="grades",
        question=say("Do the grades put the rows of the hold-out in order?"),
        verdict=Verdict.amber if turns else Verdict.green,
        answer=say(
            "{n: grades}, {rate} from {first} in the best to {last} in the last; {turns} turn back.",
            n=len(shown),
            rate=outcome.rate,
            turns=turns,
            **ends,
        ),
        value=float(turns),
        threshold=say("amber where a grade turns out better than the one before it"),
        source="Basel Committee (2005), Working Paper 14",
        table=shown,
    )


def on_holdout(compared: pd.DataFrame, kind: str, s: Sample) -> Evidence:
    """Return what the chosen candidate reaches on the hold-out, the whole comparison as its table."""
    r, limits = compared.set_index("candidate").loc[kind], rules.load()
    limit = limits["gini" if s.outcome.is_binary else "r_squared"]
    verdict, (tilted, shifted) = judged(float(r[limit.name]), limit), _off_line(r, s, limits)
    answer = Text() if verdict is Verdict.green else _short(r, limit, verdict, s)
    if tilted:
        answer += _tilt(r, limits)
    if tilted or shifted:
        verdict = min(verdict, Verdict.amber, key=lambda v: v.rank)
    answer += say(
        "On the hold-out {kind} has {measures}, calibration slope {slope:.3f}.",
        kind=named(kind),
        measures=[_measured(m, r) for m in measures(s.outcome).values()],
        slope=float(r["slope"]),
    )
    if shifted:
        answer += _shift(r, s)
    return Evidence(
        key="holdout",
        question=say("How good is the chosen model on rows it never saw?"),
        verdict=verdict,
        answer=answer,
        value=float(r[leading(s.outcome).name]),
        threshold=limit.text + _line_limits(s, limits),
        source="Cox (1958); Mincer & Zarnowitz (1969)",
        table=compared,
    )


def _short(r: pd.Series, limit: rules.Threshold, verdict: Verdict, s: Sample) -> Text:
    """Return by how much the measure that has a limit falls short of it."""
    beside = limit.red if verdict is Verdict.red else limit.amber
    facts = {"measure": measures(s.outcome)[limit.name].label, "value": apart(float(r[limit.name]), beside)}
    if verdict is Verdict.red:
        return say("{measure} is {value}, below the red limit of {limit:g}.", limit=beside, **facts)
    return say("{measure} is {value}, below the amber limit of {limit:g}.", limit=beside, **facts)


def _measured(m: Measure, r: pd.Series) -> Text:
    facts = {"label": m.label, "value": float(r[m.name]), "low": r[f"{m.name}_low"], "high": r[f"{m.name}_high"]}
    if m.spec:
        return say("{label} {value:.4f} ({low:.4f} to {high:.4f})", **facts)
    return say("{label} {value} ({low} to {high})", **facts)


def _off_line(r: pd.Series, s: Sample, limits: rules.Rules) -> tuple[bool, bool]:
    """Say whether slope and intercept are off materially and beyond their intervals.

    The intercept of an event is in log odds; that of an amount or a rate is compared as observed over predicted.
    """
    tilted = abs(r["slope"] - 1) > limits["slope"].amber and not r["slope_low"] <= 1 <= r["slope_high"]
    sure = not r["intercept_low"] <= 0 <= r["intercept_high"]
    if s.outcome.is_binary:
        return tilted, sure and abs(r["intercept"]) > limits["intercept"].amber
    mean, limit = float(np.average(s.y, weights=s.weight)), limits["rate_off"].amber
    predicted = mean - r["intercept"]
    return tilted, sure and max(abs(mean), abs(predicted)) > limit * min(abs(mean), abs(predicted))


def _tilt(r: pd.Series, limits: rules.Rules) -> Text:
    """Return how far the slope is off 1, and what that means."""
    slope, limit = float(r["slope"]), limits["slope"].amber
    beside = 1 + limit if slope > 1 else 1 - limit
    facts = {"slope": apart(slope, beside, 3), "low": r["slope_low"], "high": r["slope_high"], "limit": limit}
    if slope > 1:
        return say(
            "Calibration slope is {slope} ({low:.3f} to {high:.3f}), further from 1 than the amber limit of {limit:g}: "
            "predictions are too timid.",
            **facts,
        )
    return say(
        "Calibration slope is {slope} ({low:.3f} to {high:.3f}), further from 1 than the amber limit of {limit:g}: "
        "predictions are too extreme.",
        **facts,
    )


def _shift(r: pd.Series, s: Sample) -> Text:
    seen = level(float(np.average(s.y, weights=s.weight)), s.outcome)
    facts = {"rate": s.outcome.rate, "observed": seen}
    if r["intercept"] > 0:
        return say("As a whole its predictions are too low there: the {rate} observed is {observed}.", **facts)
    return say("As a whole its predictions are too high there: the {rate} observed is {observed}.", **facts)


def _line_limits(s: Sample, limits: rules.Rules) -> Text:
    slope = limits["slope"].amber
    if s.outcome.is_binary:
        return say(
            "Amber, too, where the calibration is off beyond its interval: slope by {slope:g}, intercept by "
            "{intercept:g} log odds.",
            slope=slope,
            intercept=limits["intercept"].amber,
        )
    return say(
        "Amber, too, where the calibration is off beyond its interval: slope by {slope:g}, mean observed over mean "
        "predicted by a factor of {ratio:g}.",
        slope=slope,
        ratio=limits["rate_off"].amber,
    )


def figures(compared: pd.DataFrame, choice: Evidence, kind: str) -> dict[str, float]:
    """Return the key figures of the chosen candidate: what validation will re-perform.

    `holdout_MEASURE` for each measure of `compared`, slope and intercept; `cv_MEASURE` and `cv_MEASURE_KIND` for the
    measure that decided.
    """
    r, measured = compared.set_index("candidate").loc[kind], [c for c in compared if f"{c}_low" in compared]
    cross_validated = choice.table.set_index("candidate").iloc[:, 0]
    deciding = cross_validated.name
    return {
        **{f"holdout_{m}": float(r[m]) for m in measured},
        f"cv_{deciding}": float(cross_validated[kind]),
        **{f"cv_{deciding}_{k}": float(v) for k, v in cross_validated.items()},
    }


def facts(p: Params, panel: pd.DataFrame, learn: Sample) -> dict[str, Any]:
    """Return what the model is made from: study, panel, dates and digests of the tables read, rows learnt from."""
    dates = panel.loc[panel["sample"] == "development", "as_of_date"]
    first, last = span_in_words(dates.min(), dates.max())
    return {
        "study": p.study,
        "model": p.model,
        "panel": p.panel,
        "params": p.digest(),
        "development_from": first,
        "development_to": last,
        "development_rows": len(learn.y),
        "max_development_rows": p.max_development_rows,
        "seed": p.seed,
        **{f"table.{name}": digest for name, digest in touched()["read"].items()},
    }
