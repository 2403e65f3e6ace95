"""Which of the bank's rows does the model rest on, and how did those turn out that were left out?

**Method** every month of the bank's entities (at most 20,000 of them) from the panel's first as-of date to its last, by what became of it: on no date that the panel takes, not eligible, window not closed, left out with no reason that can be told, watched, held out, not learnt from (the study's cap), learnt from; of each the outcomes derived from the months after it, and the mean prediction where the panel holds inputs.
**Reads as bad** eligible rows on a date that the panel takes, with a closed window, that stand in no sample.
**Blind to** customers of whom the bank has no month, and to who was refused.
**Source** ECB (2019), Instructions for reporting the validation results of internal models, section 2.5.2.1; levels by convention.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.panel.outcome import is_dated
from workbench.validation.raw import Raw, as_of, derived
from workbench.validation.sight import Gauge, everything, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "process", {"binary"}
READS_OUTCOME = False
DATE, ELIGIBLE, OPEN, WITHOUT = "date not taken", "not eligible", "window not closed", "no reason told"
STEPS = (DATE, ELIGIBLE, OPEN, WITHOUT, "watched", "held out", "not learnt from", "learnt from")
OUTSIDE = STEPS[:4]
SAMPLES = {"monitoring": "watched", "holdout": "held out", "development": "not learnt from"}


def population(s: Subject, raw: Raw) -> pd.DataFrame:
    """Return the months of the entities read, as rows: entity_id, as_of_date, is_eligible, sample (NaN: none), predicted, step."""
    held = raw.of(s.panel)
    begin, end = held["as_of_date"].min(), held["as_of_date"].max()
    months = raw.months.assign(as_of_date=as_of(raw.months["month_no"]), entity_id=raw.months["entity_id"].astype(str))
    months = months[(months["as_of_date"] >= begin) & (months["as_of_date"] <= end)]
    predicted = np.asarray(s.model.predict(held), float) if len(held) else np.array([])
    scored = held[["entity_id", "as_of_date", "sample"]].assign(predicted=predicted)
    rows = months[["entity_id", "as_of_date", "is_eligible"]].merge(scored, on=["entity_id", "as_of_date"], how="left")
    rows["outcome"] = derived(rows, raw, s.outcome)["derived"].to_numpy()
    return rows.assign(step=_step(s, rows, set(held["as_of_date"])))


def _step(s: Subject, rows: pd.DataFrame, dates: set) -> np.ndarray:
    """Return what became of each row (n): the first reason that holds, or its sample."""
    learnt = s.development.loc[s.development["learnt"], ["entity_id", "as_of_date"]].assign(is_learnt=True)
    is_learnt = rows.merge(learnt, on=["entity_id", "as_of_date"], how="left")["is_learnt"].notna().to_numpy()
    is_in = rows["sample"].notna().to_numpy()
    reasons = [
        is_in & is_learnt,
        is_in,
        ~rows["as_of_date"].isin(dates).to_numpy(),
        (rows["is_eligible"] == 0).to_numpy(),
        rows["outcome"].isna().to_numpy(),
    ]
    names = ["learnt from", rows["sample"].map(SAMPLES).to_numpy(object), DATE, ELIGIBLE, OPEN]
    return np.select(reasons, names, default=WITHOUT)


def steps(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per step, from the whole book down: rows, share, outcomes known, events, rate, predicted (mean)."""
    out = []
    for name in STEPS:
        part = rows[rows["step"] == name]
        known = part["outcome"].notna()
        mean = float(part["predicted"].mean()) if part["predicted"].notna().any() else np.nan
        rate = float(part.loc[known, "outcome"].mean()) if known.any() else np.nan
        out.append((name, len(part), len(part) / len(rows), int(known.sum()), int(part["outcome"].sum()), rate, mean))
    return pd.DataFrame(out, columns=["step", "rows", "share", "outcomes known", "events", "rate", "predicted"])


def test(s: Subject) -> Evidence:
    """Return what the sample left out, and how it turned out; not evaluated where the bank's months can't be read."""
    if s.raw is None or s.raw.own_month or s.raw.of(s.panel).empty:
        return _evidence(s, Verdict.not_evaluated, _unseen(s))
    if s.raw.months["is_eligible"].isna().all():
        reason = say("Who is eligible can't be told: the condition asks for what the bank's months alone don't hold.")
        return _evidence(s, Verdict.not_evaluated, reason)
    rows = population(s, s.raw)
    table = steps(rows).set_index("step", drop=False)
    eligible = len(rows) - int(table.loc[[DATE, ELIGIBLE, OPEN], "rows"].sum())
    share = float(table.loc[WITHOUT, "rows"]) / max(eligible, 1)
    inside = rows[~rows["step"].isin(OUTSIDE)]
    answer = say(
        "Of {rows:, rows} of {entities:, entities} {share:.1%} stand in a sample ({rate} {inside:.2%}). Left out: {each}.",
        rows=len(rows),
        entities=rows["entity_id"].nunique(),
        share=len(inside) / len(rows),
        rate=s.outcome.rate,
        inside=float(inside["outcome"].mean()),
        each=[_left_out(s, row) for row in table.loc[list(OUTSIDE)].to_dict("records") if row["rows"]] or [say("none")],
    )
    rule = s.rules["left_out"]
    stands = sight(s, share, everything(rule.amber), convention=Gauge(share, rule), rows=rows)
    return _evidence(s, judged(share, rule), answer, table.reset_index(drop=True), stands)


def _unseen(s: Subject) -> Text:
    """Say why no book of months stands behind the sample."""
    if not is_dated(s.outcome):
        return say(
            "The outcome is recorded once a row, not told by months: there is no book of months to hold the sample "
            "against. The panel's page counts who is in no sample."
        )
    if s.raw is not None and s.raw.own_month:
        return say(
            "Each row has a date of its own: there is no book of months to hold the sample against. The panel's page "
            "counts who is in no sample."
        )
    return say("The book that the sample was drawn from can't be told: there are no months of it on the panel's dates.")


def _left_out(s: Subject, row: dict) -> Text:
    facts = {"step": say(row["step"]), "rows": row["rows"], "events": row["events"], "known": row["outcomes known"]}
    return say("{step} {rows:,} ({events:,} {words} of {known:,} known)", words=s.outcome.events, **facts)


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="waterfall",
        question=say("Which of the bank's rows does the model rest on, and how did those turn out that were left out?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=s.rules["left_out"].text + say("What has a reason is a fact without a light."),
        source="ECB (2019), section 2.5.2.1",
        table=table,
        sight=stands,
    )
