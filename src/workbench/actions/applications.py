"""Applications from the first step to the last: how far each came, how it ended, what is still open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workbench import engine, metrics
from workbench.evidence import Evidence, Verdict
from workbench.words import Text, say

STARTED = "application_started"
DECLINED, ABANDONED = "declined", "abandoned"
STEPS = (STARTED, "documents_complete", "credit_check", "approved", "contract_signed", "paid_out", "first_use")
STATES = ("converted", DECLINED, ABANDONED, "silent", "open")


def progress_sql(steps: Sequence[str], contacts: Sequence[str], window_days: int) -> str:
    """Return the SQL of `progress` over `e`, the events.

    A unit is an application, held by its number; where there are contacts, a customer's first contact of a quarter,
    then the first application after it. Each step must be later than the one before and within `window_days` (of 24
    hours) of the first; later repeats of the first don't begin the window anew. Source: the funnels of Mixpanel and
    Amplitude, unique users, strict order, held property constant.
    """
    quarter = "CAST(date_trunc('quarter', happened_at) AS DATE)"
    ctes, last = [_begin(contacts, quarter) if contacts else _begin_with(steps[0], quarter)], "s0"
    later = list(steps) if contacts else list(steps[1:])
    for i, kind in enumerate(later, 1):
        by_case = not contacts or i > 1
        held = f"e.case_id = {last}.case_id" if by_case else f"e.entity_id = {last}.entity_id"
        case = "" if by_case else ", min_by(e.case_id, e.happened_at) AS case_id"
        columns = f"{last}.*, x.t{i}" + ("" if by_case else ", x.case_id")
        ctes.append(
            f"""s{i} AS (SELECT {columns} FROM {last} LEFT JOIN (
                SELECT {last}.unit, min(e.happened_at) AS t{i}{case} FROM {last} JOIN e ON {held}
                WHERE e.event_kind = '{kind}' AND e.happened_at > {last}.t{i - 1}
                    AND e.happened_at <= {last}.t0 + INTERVAL {window_days} DAY
                GROUP BY {last}.unit) x ON x.unit = {last}.unit)"""
        )
        last = f"s{i}"
    ends = [f"min(CASE WHEN event_kind = '{k}' THEN happened_at END) AS {k}_at" for k in (DECLINED, ABANDONED)]
    return f"""WITH {", ".join(ctes)}, ended AS (
            SELECT case_id, {", ".join(ends)} FROM e WHERE event_kind IN ('{DECLINED}', '{ABANDONED}') GROUP BY case_id)
        SELECT {last}.*, ended.{DECLINED}_at, ended.{ABANDONED}_at
        FROM {last} LEFT JOIN ended ON ended.case_id = {last}.case_id ORDER BY {last}.t0, {last}.unit"""


def _begin_with(step: str, quarter: str) -> str:
    return f"""s0 AS (SELECT case_id AS unit, case_id, entity_id, min(happened_at) AS t0,
            min_by(channel_code, happened_at) AS channel_code, min({quarter}) AS cohort
        FROM e WHERE event_kind = '{step}' AND case_id IS NOT NULL GROUP BY case_id, entity_id)"""


def _begin(contacts: Sequence[str], quarter: str) -> str:
    kinds = ", ".join(f"'{k}'" for k in contacts)
    return f"""s0 AS (SELECT entity_id || ' ' || CAST({quarter} AS VARCHAR) AS unit, entity_id,
            min(happened_at) AS t0, min_by(channel_code, happened_at) AS channel_code, {quarter} AS cohort
        FROM e WHERE event_kind IN ({kinds}) GROUP BY entity_id, {quarter})"""


def progress(
    events: Path | pd.DataFrame, steps: Sequence[str], contacts: Sequence[str], window_days: int
) -> pd.DataFrame:
    """Return one row a unit: unit, entity_id, channel_code, cohort (`2018-Q1`), t0 … tk, reached, state, open.

    reached: the last step reached (0 is the first). state: converted; open, where the window isn't over and it hasn't
    converted; declined by the bank; abandoned by the customer; silent, where neither was said. open marks every unit
    whose window isn't over, converted or not: rates leave those out, for the slow of them aren't there yet.
    """
    sql = progress_sql(steps, contacts, window_days)
    rows = engine.frame(sql, {"e": events})
    end = pd.Timestamp(engine.frame("SELECT max(happened_at) AS t FROM e", {"e": events})["t"][0])
    last = len(steps) - (not contacts)
    times = pd.DataFrame({f"t{i}": pd.to_datetime(rows[f"t{i}"]) for i in range(last + 1)})
    is_open = times["t0"] + pd.Timedelta(days=window_days) > end
    limit = times["t0"] + pd.Timedelta(days=window_days)
    declined, abandoned = (pd.to_datetime(rows[f"{k}_at"]) <= limit for k in (DECLINED, ABANDONED))
    state = np.select(
        [times[f"t{last}"].notna(), is_open, declined, abandoned],
        [*("converted", "open"), DECLINED, ABANDONED],
        "silent",
    )
    cohort = pd.to_datetime(rows["cohort"]).dt.to_period("Q").map(lambda q: f"{q.year}-Q{q.quarter}")
    out = rows[["unit", "entity_id", "channel_code"]].assign(cohort=cohort, **times, open=is_open, state=state)
    followed = (np.minimum(end, limit) - times["t0"]).dt.total_seconds() / 86_400
    return out.assign(reached=times.notna().sum(axis=1) - 1, followed_days=followed)


def steps_table(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return one row a step of the closed units: how many reached it, shares with Wilson's interval, days, losses.

    Columns: step, n, of_previous, low, high, of_first, first_low, first_high, days_median, days_p90 (since the step
    before), and what became of those who stopped there: declined, abandoned, silent. The losses of a step and the n of
    the next add up to its own n.
    """
    closed, out = rows[~rows["open"]], []
    total = len(closed)
    for i, name in enumerate(names):
        n, before = int((closed["reached"] >= i).sum()), int((closed["reached"] >= max(i - 1, 0)).sum())
        row = {"step": name, "n": n, "of_previous": n / before if before else np.nan}
        row["low"], row["high"] = (float(v) for v in metrics.wilson(n, before))
        row["of_first"] = n / total if total else np.nan
        row["first_low"], row["first_high"] = (float(v) for v in metrics.wilson(n, total))
        waited = (closed[f"t{i}"] - closed[f"t{max(i - 1, 0)}"]).dt.total_seconds().dropna() / 86_400
        row["days_median"], row["days_p90"] = (
            waited.quantile([0.5, 0.9]) if i else pd.Series([np.nan, np.nan])
        ).tolist()
        stopped = closed.loc[closed["reached"] == i, "state"]
        out.append(row | {s: int((stopped == s).sum()) for s in (DECLINED, ABANDONED, "silent")})
    return pd.DataFrame(out)


def funnel(rows: pd.DataFrame, names: Sequence[str], key: str = "funnel") -> Evidence:
    """Return how far the closed units came, step by step; the open ones are counted apart, not as lost."""
    table, n_open = steps_table(rows, names), int(rows["open"].sum())
    closed = rows[~rows["open"]]
    last, counts = table.iloc[-1], closed["state"].value_counts()
    worst = table.iloc[1:].loc[lambda t: t["of_previous"].idxmin()]
    return Evidence(
        key=key,
        question=say("How many come from {first} to {last}?", first=_step(names[0]), last=_step(names[-1])),
        verdict=Verdict.info,
        answer=say(
            "Of {n:,}, {rate:.1%} ({low:.1%} to {high:.1%}) reach {last}; {declined:,} were declined, {abandoned:,} "
            "were abandoned by the customer, {silent:,} ended without a word. Most stay behind before {worst}. "
            "{open:,} are open: their window isn't over, and they are not counted.",
            n=len(closed),
            rate=last["of_first"],
            low=last["first_low"],
            high=last["first_high"],
            last=_step(names[-1]),
            declined=int(counts.get(DECLINED, 0)),
            abandoned=int(counts.get(ABANDONED, 0)),
            silent=int(counts.get("silent", 0)),
            worst=_step(worst["step"]),
            open=n_open,
        ),
        value=float(last["of_first"]),
        threshold=say("an application is declined by the bank or abandoned by the customer; the two are never one"),
        source="Wilson (1927), JASA 22(158)",
        table=table,
    )


def _step(kind: str) -> Text:
    return say(kind.replace("_", " "))


def curve(rows: pd.DataFrame, window_days: int) -> pd.DataFrame:
    """Return the share converted by each day (0 to the window), 1 − Kaplan–Meier, open units under observation as long.

    Who was declined or gave up stays in the denominator: only the end of the data takes a unit out of observation.
    Source: Kaplan & Meier (1958), JASA 53(282).
    """
    last = max(int(c[1:]) for c in rows.columns if c[0] == "t" and c[1:].isdigit())
    took = (rows[f"t{last}"] - rows["t0"]).dt.total_seconds() / 86_400
    days = np.arange(1, window_days + 1)
    until = np.ceil(took.fillna(np.inf).to_numpy())
    seen = np.where(np.isfinite(until), until, np.floor(rows["followed_days"].to_numpy()))
    at_risk = (seen[:, None] >= days).sum(axis=0)
    events = pd.DataFrame({"converted": (until[:, None] == days).sum(axis=0)}, index=pd.Index(days, name="day"))
    return metrics.cumulative_incidence(at_risk, events)[["converted"]].assign(at_risk=at_risk)


def time_to_convert(rows: pd.DataFrame, window_days: int) -> Evidence:
    """Return how long it takes from the first step to the last, and the share converted by then."""
    shares = curve(rows, window_days)
    done = shares["converted"]
    end = float(done.iloc[-1])
    half = int(done.index[np.searchsorted(done.to_numpy(), end / 2)]) if end > 0 else window_days
    return Evidence(
        key="time",
        question=say("How long does it take?"),
        verdict=Verdict.info,
        answer=say(
            "{end:.1%} convert within {window} days (1 − Kaplan–Meier, open ones under observation as long as they "
            "are); half of them within {half} days.",
            end=end,
            window=window_days,
            half=half,
        ),
        value=half,
        source="Kaplan & Meier (1958), JASA 53(282)",
        table=shares.reset_index(),
    )
