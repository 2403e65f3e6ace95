"""Applications from the first step to the last: how far each came, how it ended, what is still open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench import engine, metrics
from workbench.actions import funnel as funnels
from workbench.actions.trial import CONTROL
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.words import Text, say
from workbench.words.names import words_of

DECLINED, ABANDONED, SILENT = "declined", "abandoned", "silent"
STEPS = (
    "application_started",
    "documents_complete",
    "credit_check",
    "approved",
    "contract_signed",
    "paid_out",
    "first_use",
)
CONTACT = "first_contact"


def sql(steps: Sequence[str], window_days: int) -> str:
    """Return the SQL over `events` of one row an application: its progress (`funnel.progress_sql`) and its end.

    Columns: case_id, entity_id, channel_code of the first step, at_1 … at_k, is_open, ended_from (the last event's
    time), declined_at and abandoned_at (null where there was none).
    """
    held = funnels.progress_sql(funnels.Funnel(tuple(steps), window_days, hold="case_id"), ("channel_code",))
    ends = [f"min(CASE WHEN event_kind = '{k}' THEN happened_at END) AS {k}_at" for k in (DECLINED, ABANDONED)]
    return f"""WITH progress AS ({held}), ended AS (
            SELECT case_id, {", ".join(ends)} FROM events
            WHERE event_kind IN ('{DECLINED}', '{ABANDONED}') GROUP BY case_id)
        SELECT p.*, ended.{DECLINED}_at, ended.{ABANDONED}_at,
            (SELECT max(happened_at) FROM events) AS known_until
        FROM progress p LEFT JOIN ended ON ended.case_id = p.case_id ORDER BY p.at_1, p.case_id"""


def progress(events: engine.Relation, steps: Sequence[str], window_days: int) -> pd.DataFrame:
    """Return one row an application: what `sql` gives, cohort (`2018-Q1`), reached, state, followed_days.

    reached: the last step reached, 1 is the first. state: converted; open, where the window isn't over and it hasn't
    converted; declined by the bank; abandoned by the customer; silent, where neither was said. is_open marks every
    application whose window isn't over, converted or not: rates leave those out, for the slow of them aren't there
    yet. followed_days: how long it was under observation within its window.
    """
    rows = engine.frame(sql(steps, window_days), {"events": events})
    times = rows[[f"at_{k}" for k in range(1, len(steps) + 1)]].apply(pd.to_datetime)
    began, until = times["at_1"], pd.to_datetime(rows["known_until"])
    limit = began + pd.Timedelta(days=window_days)
    declined, abandoned = (pd.to_datetime(rows[f"{k}_at"]) <= limit for k in (DECLINED, ABANDONED))
    ways = {"converted": times.iloc[:, -1].notna(), "open": rows["is_open"], DECLINED: declined, ABANDONED: abandoned}
    state = np.select([w.to_numpy(bool) for w in ways.values()], list(ways), SILENT)
    cohort = began.dt.year.astype(str) + "-Q" + began.dt.quarter.astype(str)
    followed = (until.where(until < limit, limit) - began).dt.total_seconds() / 86_400
    made = {"cohort": cohort, "reached": times.notna().sum(axis=1), "state": state, "followed_days": followed}
    return rows[["case_id", "entity_id", "channel_code", "is_open"]].assign(**times, **made)


def from_contact(events: engine.Relation, kinds: Sequence[str], window_days: int) -> Evidence:
    """Return how many customers come from their first contact to first use, by whichever application.

    Customers count once; the window begins with the first contact (`funnel.Funnel`). Who drew a trial's control arm
    wasn't contacted.
    """
    listed = ", ".join(funnels.quoted(k) for k in kinds)
    reached = (
        f" AND coalesce(CAST(arm_code AS VARCHAR), '') <> '{CONTROL}'" if "arm_code" in engine.columns(events) else ""
    )
    named = f"""SELECT entity_id, happened_at,
        CASE WHEN event_kind IN ({listed}){reached} THEN '{CONTACT}' ELSE event_kind END AS event_kind FROM events"""
    steps = (CONTACT, *STEPS)
    table = funnels.funnel(engine.arrow(named, {"events": events}), funnels.Funnel(steps, window_days))
    n_open = int(table.loc[table["is_open"] & (table["step"] == 1), "reached"].sum())
    table = table[~table["is_open"]].drop(columns="is_open").reset_index(drop=True)
    question = say("How many come from the first contact to first use?")
    if table.empty:
        return _none_closed("from_contact", question, n_open)
    first, applied, last = table.iloc[0], table.iloc[1], table.iloc[-1]
    return Evidence(
        key="from_contact",
        question=question,
        verdict=Verdict.info,
        answer=say(
            "Of {n:, customers} {applied:.1%} begin an application within {window: days} of their first contact, and "
            "{rate:.1%} ({low:.1%} to {high:.1%}) reach first use; {open:,} are open.",
            n=int(first["reached"]),
            applied=applied["of_first"],
            window=window_days,
            rate=last["of_first"],
            low=last["first_low"],
            high=last["first_high"],
            open=n_open,
        ),
        value=float(last["of_first"]),
        blind_to=say("who would have applied without a contact: only a trial tells"),
        source="Wilson (1927), JASA 22(158)",
        table=table,
        people=People(("reached",), nested=True, of_previous=funnels.OF_PREVIOUS, tells_nothing=("step", "event_kind")),
    )


def _none_closed(key: str, question: Text, n_open: int, table: pd.DataFrame | None = None) -> Evidence:
    return Evidence(
        key=key,
        question=question,
        verdict=Verdict.not_evaluated,
        answer=say("No window is over; {n:,} are open.", n=n_open),
        table=table,
        people=People(("n",), nested=True) if table is not None else None,
    )


def steps_table(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return one row a step of the closed units: how many reached it, shares with Wilson's interval, days, losses.

    Columns: step, n, of_previous, low, high, of_first, first_low, first_high, days_median, days_p90 (since the step
    before), and what became of those who stopped there: declined, abandoned, silent. The losses of a step and the n of
    the next add up to its own n.
    """
    closed, out = rows[~rows["is_open"]], []
    total = len(closed)
    for i, name in enumerate(names, 1):
        n, before = int((closed["reached"] >= i).sum()), int((closed["reached"] >= i - 1).sum())
        row = {"step": name, "n": n, "of_previous": n / before if before else np.nan}
        row["low"], row["high"] = (float(v) for v in metrics.wilson(n, before))
        row["of_first"] = n / total if total else np.nan
        row["first_low"], row["first_high"] = (float(v) for v in metrics.wilson(n, total))
        if i == 1:  # everybody is there: no share of anything
            row |= dict.fromkeys(("of_previous", "low", "high", "first_low", "first_high"), np.nan)
        waited = (closed[f"at_{i}"] - closed[f"at_{max(i - 1, 1)}"]).dt.total_seconds().dropna() / 86_400
        row["days_median"], row["days_p90"] = (
            waited.quantile([0.5, 0.9]) if i > 1 else pd.Series([np.nan, np.nan])
        ).tolist()
        stopped = closed.loc[closed["reached"] == i, "state"]
        out.append(row | {s: int((stopped == s).sum()) for s in (DECLINED, ABANDONED, SILENT)})
    return pd.DataFrame(out)


def funnel(rows: pd.DataFrame, names: Sequence[str] = STEPS) -> Evidence:
    """Return how far the closed units came, step by step; the open ones are counted apart, not as lost."""
    table, n_open = steps_table(rows, names), int(rows["is_open"].sum())
    closed = rows[~rows["is_open"]]
    question = say("How many come from {first} to {last}?", first=_step(names[0]), last=_step(names[-1]))
    if closed.empty:
        return _none_closed("funnel", question, n_open, table)
    last, counts = table.iloc[-1], closed["state"].value_counts()
    worst = table.iloc[1:].loc[lambda t: t["of_previous"].idxmin()]
    return Evidence(
        key="funnel",
        question=question,
        verdict=Verdict.info,
        answer=say(
            "Of {n:,}, {rate:.1%} ({low:.1%} to {high:.1%}) reach {last}; {declined:,} were declined, {abandoned:,} "
            "were given up by the customer, {silent:,} took no further step. Most stay behind before {worst}. "
            "{open:,} are open: their window isn't over, and they are not counted.",
            n=len(closed),
            rate=last["of_first"],
            low=last["first_low"],
            high=last["first_high"],
            last=_step(names[-1]),
            declined=int(counts.get(DECLINED, 0)),
            abandoned=int(counts.get(ABANDONED, 0)),
            silent=int(counts.get(SILENT, 0)),
            worst=_step(worst["step"]),
            open=n_open,
        ),
        value=float(last["of_first"]),
        threshold=say("an application is declined by the bank or abandoned by the customer; the two are never one"),
        source="Wilson (1927), JASA 22(158)",
        table=table,
        people=People(
            ("n",), nested=True, of_previous=("of_previous", "low", "high"), parts=(DECLINED, ABANDONED, SILENT)
        ),
    )


def _step(kind: str) -> Text:
    return say(words_of(kind))


def curve(rows: pd.DataFrame, window_days: int) -> pd.DataFrame:
    """Return the share converted by each day (0 to the window), 1 − Kaplan–Meier, open units under observation as long.

    Who was declined or gave up stays in the denominator: only the end of the data takes a unit out of observation.
    Source: Kaplan & Meier (1958), JASA 53(282).
    """
    last = max(int(c.removeprefix("at_")) for c in rows.columns if c.startswith("at_"))
    took = (rows[f"at_{last}"] - rows["at_1"]).dt.total_seconds() / 86_400
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
            "{end:.1%} convert within {window: days} (1 − Kaplan–Meier, open ones under observation as long as they "
            "are); half of them within {half: days}.",
            end=end,
            window=window_days,
            half=half,
        ),
        value=half,
        source="Kaplan & Meier (1958), JASA 53(282)",
        table=shares.reset_index(),
        people=People(("at_risk",), tells_nothing=("day",)),
    )
