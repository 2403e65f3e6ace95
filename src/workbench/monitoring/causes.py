"""Why it rings: which inputs and segments moved the prediction, what the model lost, and what kind of change it is."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import Field

from workbench import metrics, params, tables
from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict
from workbench.models.scorer import Scorer
from workbench.monitoring import alarms, attribution, through_time
from workbench.monitoring.triage import Cause, Defect, Diagnosis
from workbench.panel.rates import changed
from workbench.params import DAY_OR_NONE, UserError, Watching
from workbench.rules import Ruled
from workbench.words import Text, say

NAMED = 3  # inputs and segments that a sentence names


class Params(Ruled, params.Params):
    """Which model's alarm is explained: of which period, by default the newest that rings."""

    panel: str = Field("mart__behaviour", pattern=r"^mart__[a-z0-9_]+$", description="panel with the periods watched")
    model: str = Field("behaviour", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    every: Literal["month", "quarter", "year"] = Field("month", description="month, quarter or year, as it was watched")
    until: str = Field("", pattern=through_time.PERIOD, description="last period watched; empty is all")
    at: str = Field("", pattern=through_time.PERIOD, description="period explained; empty is the newest that rings")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")
    seed: int = Field(42, ge=0, description="seed of the pairing of rows")

    def watched(self) -> through_time.Params:
        """Return the same watch as monitoring/through_time's."""
        return through_time.Params(study=self.study, panel=self.panel, every=self.every, until=self.until)


def reads(p: Params) -> list[str]:
    """Tables this step reads: panel, model, and the lights that monitoring left."""
    return [p.panel, tables.of_model(p.model), f"mart__alarms_{p.model}"]


def of_panel(p: Params) -> list[Watching]:
    """The panel, whose monitoring rows were watched."""
    return [Watching(p.panel, p.until)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none."""
    return []


def period(lights: pd.DataFrame, p: Params) -> str:
    """Return the period explained: the one asked for, else the newest that rings, else the newest of all.

    Of the alarms that ring now the one whose outcome is known comes first: it says most.
    """
    if p.at:
        if p.at not in set(lights["period"]):
            first, last = lights["period"].min(), lights["period"].max()
            raise UserError(f"monitoring/causes: at: '{p.at}' is not watched; the periods are {first} to {last}")
        return p.at
    rang = lights[lights["light"] == "red"]
    if rang.empty:
        return str(lights["period"].max())
    newest = rang[rang["known_in"] == rang["known_in"].max()]
    known = newest[newest["kind"].isin(("discrimination", "floor", "calibration", "grades"))]
    return str((known if len(known) else newest)["period"].max())


def holdout(scored: pd.DataFrame, model: Scorer, p: Params) -> pd.DataFrame:
    """Return the model's own hold-out among the rows watched; none where it was learnt from another panel.

    What the one watched calls its hold-out the model may have learnt from.
    """
    return scored[(scored["sample"] == "holdout") & (model.facts.get("panel", p.panel) == p.panel)]


def rings(lights: pd.DataFrame, at: str) -> list[Text | str]:
    """Return what rings in a period, in words."""
    rows = lights[(lights["period"] == at) & (lights["light"] == "red")]
    return [
        say("{subject} ({kind})", kind=alarms.kinds()[k], subject=alarms.subject(s))
        for k, s in zip(rows["kind"], rows["subject"], strict=True)
    ]


def words(cause: Cause, *, is_known: bool = True) -> tuple[Text, Text]:
    """Return what a cause is called, and what it asks for.

    is_known: outcomes are; without them nobody can say that the model holds for customers who are others.
    """
    called = {
        "data quality": say("broken data"),
        "population": say("other customers"),
        "concept": say("another relation of inputs and outcome"),
        "none": say("nothing that surely changed"),
    }
    asks = {
        "data quality": say(
            "Mend the delivery before anything else is concluded; until then the predictions are void."
        ),
        "population": say("The model still holds for who comes now; look whether limits and prices do, and re-fit.")
        if is_known
        else say(
            "Whether the model holds for who comes now shows with their outcomes only; until then look whether limits "
            "and prices do."
        ),
        "concept": say("The same customers now behave otherwise: re-calibrate at once, then re-develop."),
        "none": say("Nothing is to be done."),
    }
    return called[cause], asks[cause]


def diagnosis(d: Diagnosis, lights: pd.DataFrame, at: str, outcome: Outcome, *, has_holdout: bool = True) -> Evidence:
    """Return the likeliest cause of what rings in a period, what speaks for it, and what it asks for.

    has_holdout: rows watched hold the model's hold-out, which what came of a period is compared with.
    """
    called, asks = words(d.cause, is_known=d.rate is not None and d.auc is not None)
    ringing = rings(lights, at)
    more = len(ringing) - NAMED * 2
    named = [*ringing[: NAMED * 2], *([say("{n:,} more", n=more)] if more > 0 else [])]
    head = say("In {period} {n:, alarms ring}: {alarms}.", period=at, n=len(ringing), alarms=named)
    quiet = say("Nothing rings in {period}.", period=at)
    verdict = Verdict.info if not ringing and d.cause == "none" else Verdict.amber
    return Evidence(
        key="causes",
        question=say("What kind of change is it?"),
        verdict=Verdict.red if d.cause == "data quality" else verdict,
        answer=(head if ringing else quiet)
        + say("Likeliest cause: {cause}.", cause=called)
        + _speaks(d, outcome, has_holdout)
        + asks,
        value=d.cause,
        threshold=say("Data are looked at first; then how much of the change was expected of these customers."),
        blind_to=say("a change that is two of these at once: the larger part is named.")
        + say("A column that holds one value because the book was narrowed to it looks like broken data."),
        source="Moreno-Torres et al. (2012), Pattern Recognition 45(1)",
        table=pd.DataFrame([vars(x) for x in d.defects], columns=["feature", "what", "size"]) if d.defects else None,
    )


def _speaks(d: Diagnosis, outcome: Outcome, has_holdout: bool) -> Text:
    parts = Text()
    if d.defects:
        each = [_defect(x) for x in d.defects[:NAMED]]
        more = [say("{n:,} more", n=len(d.defects) - NAMED)] if len(d.defects) > NAMED else []
        parts += say("It shows in {defects}.", defects=[*each, *more])
    if d.shifted:
        parts += say("Shifted: {features}.", features=[alarms.subject(f) for f in d.shifted[:NAMED]])
    if not outcome.is_binary:
        return parts
    if not has_holdout:
        return parts + _no_holdout()
    if d.rate is None or d.auc is None:
        return parts + say("Outcomes aren't known yet: whether the relation changed can't be seen.")
    return (
        parts
        + say(
            "Of the change of the {rate} since the hold-out, {population} was expected of these customers and "
            "{concept} came otherwise;",
            rate=outcome.rate,
            population=changed(d.rate[0], outcome),
            concept=changed(d.rate[1], outcome),
        )
        + say("of that of AUC, {population:+.3f} and {concept:+.3f}.", population=d.auc[0], concept=d.auc[1])
    )


def _no_holdout() -> Text:
    return say("The panel watched doesn't hold the model's hold-out: what came otherwise than expected can't be told.")


def _defect(x: Defect) -> Text:
    facts = {"feature": x.feature, "size": x.size}
    by_sign = {
        "missing": say("{feature} (missing in {size:.0%} more rows than others explain)", **facts),
        "values never seen": say("{feature} ({size:.0%} of values never seen before)", **facts),
        "one value": say("{feature} (one value in {size:.0%} of those that have one)", **facts),
        "scaled": say("{feature} (as in development once divided by {size:g})", **facts),
        "torn from its rows": say("{feature} (goes with no other input any more)", **facts),
    }
    return by_sign[x.what]


def moved(table: pd.DataFrame, at: str, outcome: Outcome) -> Evidence:
    """Return which inputs moved the mean prediction since development, by how much each."""
    total = float(table["change"].sum())
    each = [
        say("{feature} {change}", feature=r.feature, change=changed(r.change, outcome))
        for r in table.head(NAMED).itertuples()
    ]
    return Evidence(
        key="moved",
        question=say("Which inputs moved the mean {predicted}?", predicted=outcome.predicted),
        verdict=Verdict.info,
        answer=say(
            "From development to {period} the mean {predicted} changed by {total}; most by {each}.",
            period=at,
            predicted=outcome.predicted,
            total=changed(total, outcome),
            each=each,
        ),
        value=total,
        blind_to=say("what an input does through others that stand for it."),
        source="Aumann & Shapley (1974); Sundararajan, Taly & Yan (2017), ICML",
        table=table,
    )


def lost(table: pd.DataFrame | None, at: str, *, has_holdout: bool = True) -> Evidence:
    """Return which inputs no longer separate as they did."""
    question = say("Which inputs no longer separate as they did?")
    if table is None:
        too_few = say("The outcomes of {period} aren't known, or are too few.", period=at)
        open_ = too_few if has_holdout else _no_holdout()
        return Evidence(key="lost", question=question, verdict=Verdict.info, answer=open_)
    top = table.iloc[0]
    return Evidence(
        key="lost",
        question=question,
        verdict=Verdict.info,
        answer=say(
            "{feature} added {before:.3f} AUC on the hold-out and adds {now:.3f} in {period}.",
            feature=top["feature"],
            before=top["before"],
            now=top["now"],
            period=at,
        ),
        value=float(top["change"]),
        blind_to=say("inputs that say the same: each adds little beside the other."),
        table=table.rename(columns={"change": "change of AUC"}),
    )


def segments(table: pd.DataFrame, at: str, outcome: Outcome) -> Evidence:
    """Return which segments moved the mean prediction: by growing or shrinking, or by changing within."""
    question = say("In which segments?")
    if table.empty:
        none = say("No column cuts the book into a few named segments.")
        return Evidence(key="segments", question=question, verdict=Verdict.info, answer=none)
    top = table.iloc[0]
    return Evidence(
        key="segments",
        question=question,
        verdict=Verdict.info,
        answer=say(
            "Most through {column} '{segment}': {change} of the mean {predicted} in {period}, {size} by its size and "
            "{within} within it.",
            column=top["column"],
            segment=top["segment"],
            change=changed(top["change"], outcome),
            predicted=outcome.predicted,
            period=at,
            size=changed(top["size"], outcome),
            within=changed(top["within"], outcome),
        ),
        value=float(top["change"]),
        source="Kitagawa (1955), JASA 50(272)",
        table=table.rename(columns={"size": "by size"}),
    )


def attributed(
    model: Scorer, scored: pd.DataFrame, at: str, p: Params
) -> tuple[pd.DataFrame, pd.DataFrame | None, pd.DataFrame]:
    """Return the changes since development by input (of prediction, of separation) and by segment.

    The change of separation is None where the period's outcomes aren't known or are too few, or there is no hold-out.
    """
    development, held_out = scored[scored["sample"] == "development"], holdout(scored, model, p)
    now = scored[(scored["sample"] == "monitoring") & (scored["period"] == at)]
    known, least = now[now["outcome"].notna()], p.rules().number("least_events")
    separation = None
    if model.outcome.is_binary and len(held_out) and metrics.rarer(known["outcome"]) >= least:
        separation = attribution.of_separation(model, held_out, known)
    candidates = [f for f in model.reference if f in scored]
    by = attribution.of_segments(development, now, attribution.cuts(development, candidates))
    return attribution.of_prediction(model, development, now, p.seed), separation, by
