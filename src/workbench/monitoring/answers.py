"""What monitoring answers: one piece of evidence for each question, from the tables that were watched."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict
from workbench.monitoring import alarms, estimated
from workbench.monitoring.performance import Separation
from workbench.monitoring.through_time import Watched
from workbench.panel.rates import gap, level
from workbench.rules import Rules
from workbench.words import Text, say


def data(w: Watched, rules: Rules) -> Evidence:
    """Return whether inputs have newly become missing or unknown: the first thing to look at, before any model."""
    rise = w.gaps["share"] - w.gaps["share_before"]
    top = _foremost(w, "data", w.gaps, rise)
    return Evidence(
        key="data",
        question=say("Do the inputs still arrive as they did?"),
        verdict=w.light("data"),
        answer=say(
            "Largest rise: {feature} has no known value in {share:.1%} of the book of {period}, {before:.1%} in "
            "development.",
            feature=top["feature"],
            share=top["share"],
            period=top["period"],
            before=top["share_before"],
        )
        if top["share"] > top["share_before"]
        else say("No input is missing or unknown more often than in development."),
        value=float(rise.max()),
        threshold=rules["newly_missing"].text + among_all(rules),
        blind_to=say("values that are there and wrong, as long as they stay within the bins they used to have."),
        table=w.gaps.assign(rise=rise).sort_values("rise", ascending=False, ignore_index=True),
        since=w.since("data"),
    )


def drift(w: Watched, rules: Rules) -> Evidence:
    """Return the strongest shift, and every PSI with its n, bins and critical value."""
    top = _foremost(w, "drift", w.drift, w.drift["psi"])
    facts = {"period": top["period"], "psi": top["psi"], "critical": top["critical"]}
    facts |= {"n": int(top["n"]), "m": int(top["m"]), "bins": int(top["bins"])}
    return Evidence(
        key="drift",
        question=say("Do the customers still look like those the model was built on?"),
        verdict=w.light("drift"),
        answer=say(
            "Strongest shift: {feature} in {period}, PSI {psi:.3f} (critical value {critical:.4f} "
            "with n {n:,}, m {m:,}, {bins: bins}).",
            feature=alarms.subject(top["feature"]),
            **facts,
        ),
        value=float(top["psi"]),
        threshold=rules["psi"].text + among_all(rules),
        blind_to=say("shifts inside a bin, and to changes of the relation between inputs."),
        source="Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), J. Risk Model Validation 14(4)",
        table=w.drift.sort_values("psi", ascending=False).reset_index(drop=True),
        since=w.since("drift"),
    )


def performance(w: Watched, outcome: Outcome, reference: float, rules: Rules) -> Evidence:
    """Return whether the model still separates, and by how much the expected outcome is off, by period."""
    known, measure = w.performance[w.performance["separation"].notna()], Separation.of(outcome, rules)
    pending = say(
        "{pending:,} of {periods:, periods are} still open or have too few {events}.",
        pending=int(w.performance["observed"].isna().sum()),
        periods=len(w.performance),
        events=outcome.events,
    )
    if flat := int(w.performance["observed"].notna().sum()) - len(known):
        pending += say("In {flat:, periods} the model predicts the same of every row: it separates nothing.", flat=flat)
    floor = rules["auc_floor"].text if outcome.is_binary else Text()
    families = ("discrimination", "floor", "calibration")
    return Evidence(
        key="performance",
        question=say("Does the model still separate, and is its {predicted} still right?", predicted=outcome.predicted),
        verdict=w.light(*families),
        answer=(_newest(known, outcome, measure.label, w) if len(known) else Text())
        + (_weakest(known, outcome, measure.label, reference) + _is_past(known, w) if len(known) else Text())
        + pending
        + _matured(w, outcome),
        value=_shown_value(known, w) if len(known) else None,
        threshold=measure.drop.text
        + floor
        + rules["rate_off_period"].text
        + say("Green where the interval holds the hold-out's separation, or what was expected."),
        blind_to=say("periods whose performance window is still open."),
        source="DeLong et al. (1988); Basel WP 14 (2005)",
        table=_performed(w.performance),
        since=w.since(*families),
    )


def _performed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of the periods; estimates have a table of their own, empty columns none."""
    known = rows.drop(columns=[c for c in rows if c.startswith("estimated") or c in ("calibrated_on", "brier")])
    return known.drop(columns=known.columns[known.isna().all()]).rename(columns={"known": "outcome known"})


def _matured(w: Watched, outcome: Outcome) -> Text:
    """Say which period's outcomes have arrived now, and what had been estimated of it."""
    new = w.performance[(w.performance["known_in"] == w.now) & w.performance["separation"].notna()]
    if not w.now or new.empty or not outcome.window_months:
        return Text()
    row = new.iloc[-1]
    arrived = say(
        "The outcomes of {period} are known now, and it is computed anew: {rate} {observed}, {measure} {value:.3f}.",
        period=row["period"],
        rate=outcome.rate,
        observed=level(row["observed"], outcome),
        measure=say("AUC") if outcome.is_binary else say("rank correlation"),
        value=row["separation"],
    )
    if "estimated_auc" not in row:
        return arrived
    estimate = {"rate": level(row["estimated_rate"], outcome), "auc": row["estimated_auc"]}
    return arrived + say("It had been estimated at {rate} and {auc:.3f}.", **estimate)


def estimate(w: Watched, outcome: Outcome, rules: Rules) -> Evidence:
    """Return what the open periods will turn out to be, and how near earlier estimates came."""
    question = say("What will the open periods turn out to be?")
    if "estimated_auc" not in w.performance:
        none = say("Only events can be estimated from their probabilities, with a hold-out to compare with.")
        return Evidence(key="estimate", question=question, verdict=Verdict.info, answer=none)
    pending, known = (w.performance[w.performance["separation"].isna() == is_open] for is_open in (True, False))
    answer = _pending(pending, outcome) if len(pending) else say("No period is open.")
    return Evidence(
        key="estimate",
        question=question,
        verdict=w.light("estimate") if len(pending) else Verdict.info,
        answer=answer + (_came_near(known, outcome) if len(known) else Text()),
        value=float(pending["estimated_auc"].iloc[-1]) if len(pending) else None,
        threshold=rules["auc_drop"].text + say("Below what was estimated for the hold-out in the same way."),
        blind_to=say("a relation of inputs and outcome that has changed since the newest known outcomes."),
        source="Bialek et al. (2024), arXiv:2401.08348",
        table=w.performance[
            [
                "period",
                "separation",
                "estimated_auc",
                "estimated_low",
                "estimated_high",
                "observed",
                "estimated_rate",
                "calibrated_on",
                "estimated_light",
            ]
        ],
        since=w.since("estimate"),
    )


def _pending(pending: pd.DataFrame, outcome: Outcome) -> Text:
    last = pending.iloc[-1]
    return say(
        "Estimated for {period}: AUC {auc:.3f} ({low:.3f} to {high:.3f}), {rate} {level}. {n:, periods are} open.",
        period=last["period"],
        auc=last["estimated_auc"],
        low=last["estimated_low"],
        high=last["estimated_high"],
        rate=outcome.rate,
        level=level(last["estimated_rate"], outcome),
        n=len(pending),
    )


def _came_near(known: pd.DataFrame, outcome: Outcome) -> Text:
    return say(
        "Where the outcome came to be known, estimates were off by {auc:.3f} AUC and {points} {rate} in the median, "
        "each made on at most {newest: earlier periods}.",
        auc=(known["estimated_auc"] - known["separation"]).abs().median(),
        points=gap((known["estimated_rate"] - known["observed"]).abs().median(), outcome),
        rate=outcome.rate,
        newest=estimated.NEWEST,
    )


def grades(w: Watched, outcome: Outcome, rules: Rules) -> Evidence:
    """Return whether every grade has the outcome it should have: the relation of score and outcome, both ways."""
    judged = w.grades[w.grades["light"] != "not_evaluated"]
    question = say("Does each grade still have the {rate} it should have?", rate=outcome.rate)
    if judged.empty:
        why = say("No grade has enough known outcomes to judge.")
        return Evidence(key="grades", question=question, verdict=Verdict.info, answer=why)
    off = np.log(judged["ratio"].clip(lower=1e-6)).abs()
    far = _foremost(w, "grades", judged, off)
    ranked = judged.assign(is_green=judged["light"] == "green", off=-off).sort_values(["is_green", "off"])
    return Evidence(
        key="grades",
        question=question,
        verdict=w.light("grades"),
        answer=say(
            "Furthest off is grade {grade} in {period}: {observed} observed, {expected} expected.",
            grade=far["grade_code"],
            period=far["period"],
            observed=level(far["observed"], outcome),
            expected=level(far["expected"], outcome),
        ),
        value=float(far["ratio"]),
        threshold=rules["grade_off"].text + among_all(rules),
        blind_to=say("grades with fewer events expected than a test needs, and errors that cancel within a grade."),
        source="ECB (2019), Instructions for reporting the validation results of internal models, 2.5.3.1",
        table=ranked.drop(columns=["is_safe", "is_green", "off"]).reset_index(drop=True),
        since=w.since("grades"),
    )


def _foremost(w: Watched, kind: str, table: pd.DataFrame, size: pd.Series) -> pd.Series:
    subject = table["feature"] if "feature" in table else alarms.GRADE + table["grade_code"].astype(str)
    return alarms.foremost(table, subject, size, w.lights[w.lights["kind"] == kind], w.now)


def among_all(rules: Rules) -> Text:
    """Say that a light needs significance among all tests of its kind in a period."""
    return say(
        "A light needs significance, too, at {level:.0%} among all tests of its kind in a period (Holm).",
        level=1 - rules.number("psi_level"),
    )


def _weakest(known: pd.DataFrame, outcome: Outcome, measure: Text, reference: float) -> Text:
    low, far = known.loc[known["separation"].idxmin()], known.loc[np.log(known["ratio"].abs()).abs().idxmax()]
    return (
        say(
            "Lowest {measure} {value:.3f} in {period} (development's hold-out {reference:.3f}).",
            measure=measure,
            value=low["separation"],
            period=low["period"],
            reference=reference,
        )
        + say(
            "Calibration is furthest off in {period}: {observed} observed, {expected} expected.",
            period=far["period"],
            observed=level(far["observed"], outcome),
            expected=level(far["expected"], outcome),
        )
        + _steepest(known, outcome)
    )


def _shown_value(known: pd.DataFrame, w: Watched) -> float:
    """Return the separation the light is of: the newest one known, of a report on all periods the lowest."""
    return float(known["separation"].iloc[-1] if w.now else known["separation"].min())


def _newest(known: pd.DataFrame, outcome: Outcome, measure: Text, w: Watched) -> Text:
    """Say what the newest period shows whose outcomes are known: the light is of it, whatever came before."""
    row = known.iloc[-1]
    if not w.now or (row["known_in"] == w.now and outcome.window_months):  # else `_matured` says it
        return Text()
    facts = {"measure": measure, "value": row["separation"], "period": row["period"]}
    facts |= {"observed": level(row["observed"], outcome), "expected": level(row["expected"], outcome)}
    return say("Newest known is {period}: {measure} {value:.3f}, {observed} observed, {expected} expected.", **facts)


def _is_past(known: pd.DataFrame, w: Watched) -> Text:
    """Say of the lowest separation that its alarm is over, where it rang and doesn't ring now."""
    low, over = known.loc[known["separation"].idxmin()], alarms.past(w.lights, w.now)
    rang = w.lights[(w.lights["period"] == low["period"]) & (w.lights["light"] == "red")]
    of_low = over[
        over["kind"].isin(("discrimination", "floor")) & over["kind"].isin(rang["kind"]) & over["over_since"].ne("")
    ]
    if of_low.empty:
        return Text()
    return say("The alarm of {period} is over since {over}.", period=low["period"], over=of_low["over_since"].max())


def _steepest(known: pd.DataFrame, outcome: Outcome) -> Text:
    """Say where the observed mean rose most from one period to the next: where a crisis begins to bite."""
    rise = known["observed"].diff()
    if not (rise > 0).any():
        return Text()
    at = rise.idxmax()
    return say(
        "The {rate} rose most in {period}, from {before} to {after}.",
        rate=outcome.rate,
        period=known["period"][at],
        before=level(known["observed"].shift()[at], outcome),
        after=level(known["observed"][at], outcome),
    )
