"""How early warning did: what triggers tell, lead, alerts, steadiness, areas; as evidence."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.actions import triggers
from workbench.actions.early_warning import NO_TRIGGER, Params
from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict, judged
from workbench.evidence.disclosure import HIDDEN, MARK, People, few, open_rows, smallest
from workbench.rules import Rules, described
from workbench.words import Text, say


def triggers_evidence(by_trigger: pd.DataFrame, chosen: list[triggers.Trigger], rules: Rules) -> Evidence:
    """Return the triggers with level, unit, owner, day, and what followed each of them before the watched months.

    by_trigger: `early_warning.worth`. The interval is of as many independent rows as the customers' months are worth.
    """
    rows = []
    for t in chosen:
        rule, since = described(t.rule), described(t.rule).on(rules.as_of)[0]
        n, k, size = (float(by_trigger[c].get(t.code, 0)) for c in ("rows", "events", "effective"))
        rate = k / n if n else np.nan
        low, high = metrics.rate_interval(rate * size, size)
        rows.append(
            {
                "trigger": t.name,
                "level": rules.number(t.rule),
                "unit": rule.unit,
                "owner": rule.owner,
                "since": f"{since}",
                "rows": int(n),
                "rate": rate,
                "low": low,
                "high": high,
                "beyond the score": float(by_trigger["beyond"].get(t.code, np.nan)),
            }
        )
    table = pd.DataFrame(rows)
    telling = open_rows(table, "rows")
    telling = telling[telling["rows"] > 0].sort_values("beyond the score", ascending=False)
    answer = say("{n} of {all: triggers} can be looked at with these data.", n=len(chosen), all=len(triggers.TRIGGERS))
    if lacking := [t.name for t in triggers.TRIGGERS if t.code not in {c.code for c in chosen}]:
        answer += say("What it needs isn't there for: {triggers}.", triggers=lacking)
    if len(telling):
        best = telling.iloc[0]
        answer += say(
            "Before the watched months {trigger} told most beyond the score: {times:.1f} times the events it expected.",
            trigger=best["trigger"],
            times=best["beyond the score"],
        )
    return Evidence(
        key="triggers",
        question=say("Which triggers are there, and what followed them?"),
        verdict=Verdict.info,
        answer=answer,
        value=len(chosen),
        source="Jeffreys' interval: Brown, Cai & DasGupta (2001); design effect: Kish (1965)",
        table=table,
        people=People(("rows",), ("trigger",), tells_nothing=("level", "unit", "owner", "since")),
    )


def leads(watched: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Return one row an event: entity_id, event_no, lead (months from the first flag to it; NaN: never flagged).

    Events whose whole window before lies in the watched months, so that none was seen too late to be flagged early; all
    of them where the watched months are shorter than that.
    """
    rows = watched[watched["months_to_event"].notna()]
    rows = rows.assign(event_no=(rows["month_no"] + rows["months_to_event"]).astype(int))
    rows["lead"] = rows["months_to_event"].where(rows["flagged"] > 0)
    events = rows.groupby(["entity_id", "event_no"], as_index=False)["lead"].max()
    whole = events[events["event_no"] >= watched["month_no"].min() + outcome.window_months]
    return whole if len(whole) else events


def _median(median: float, low: float, high: float) -> Text:
    if math.isnan(low):
        return say("{median:g} (of too few for an interval)", median=median)
    return say("{median:g} ({low:g} to {high:g})", median=median, low=low, high=high)


def lead(events: pd.DataFrame, outcome: Outcome, rules: Rules) -> Evidence:
    """Return the median months from the first flag to the event, and the share that was never flagged."""
    seen, rule = events["lead"].dropna(), rules["warning_lead"]
    least = math.ceil(rule.amber)
    median, low, high = metrics.median_interval(seen)
    table, people = _by_months(events), People(("events",), ("months before",))
    shown = people.published(table)
    facts = {"events": len(events), "never": _never(shown), "median": _median(median, low, high)}
    if HIDDEN in shown:  # a sum of shown and hidden months would give the hidden ones back
        answer = say(
            "Of {events:, events} of the watched months (each counted once, flagged in any month before it) {never:,} "
            "were never flagged; the median lead of those flagged, in months, is {median}.",
            **facts,
        )
    else:
        answer = say(
            "Of {events:, events} of the watched months (each counted once, flagged in any month before it) {never:,} "
            "were never flagged, {early:,} were flagged {least:g} months before or earlier, {late:,} later than that; "
            "the median lead of those flagged, in months, is {median}.",
            early=int((seen >= least).sum()),
            late=int((seen < least).sum()),
            least=least,
            **facts,
        )
        if 2 * len(seen) < len(events):
            answer += say("More than half were never flagged: over all of them the median is 0.")
    short = outcome.window_months <= rule.amber
    if short:
        answer += say("A window of {window: months} is too short to judge the lead by.", window=outcome.window_months)
    if few(len(events)):
        median, answer = (
            float("nan"),
            say("Fewer than {k: events} came in the watched months: too few to tell of.", k=smallest()),
        )
    return Evidence(
        key="lead_time",
        question=say("How long before the event does the first flag come?"),
        verdict=Verdict.not_evaluated if short else judged(median, rule),
        answer=answer,
        value=median,
        threshold=rule.text,
        blind_to=say(
            "events that were never flagged: their share stands beside the median; events whose window began before "
            "the watched months, which could have been flagged too late only"
        ),
        source="interval of the median: Conover (1999), ch. 3.2",
        table=table,
        people=people,
    )


def _by_months(events: pd.DataFrame) -> pd.DataFrame:
    """Return months before (0: never flagged) and events."""
    counts = events["lead"].fillna(0).value_counts().sort_index()
    return counts.rename_axis("months before").reset_index(name="events")


def _never(shown: pd.DataFrame) -> int | Text:
    """Return how many were never flagged, as the published table tells it."""
    n = shown.loc[shown["months before"] == 0, "events"]
    if not len(n):
        return 0
    return MARK if n.isna().any() else int(n.iloc[0])


def alerts(made: pd.DataFrame, watched: pd.DataFrame, quiet_months: int) -> Evidence:
    """Return how many alerts a month are news, per thousand accounts, and how old those still open are.

    Only alerts of who is watched: news those that open in a month he is watched in, open in the last month those of who
    is watched then that haven't been quiet for `quiet_months` yet (`triggers.alerts`).
    """
    first, last = int(watched["month_no"].min()), int(watched["month_no"].max())
    here = made[made["entity_id"].isin(watched["entity_id"]) & (made["opened_no"] <= last)]
    seen = here[here["last_no"] >= first]
    news = seen.merge(
        watched[["entity_id", "month_no"]], left_on=["entity_id", "opened_no"], right_on=["entity_id", "month_no"]
    )
    months = last - first + 1
    accounts = len(watched) / max(watched["month_no"].nunique(), 1)
    now = watched.loc[watched["month_no"] == last, "entity_id"]
    open_now = here[(here["last_no"] > last - quiet_months) & here["entity_id"].isin(now)]
    age = last - open_now["opened_no"]
    table = seen.groupby("trigger_code").agg(alerts=("n_fired", "size"), firings=("n_fired", "sum"))
    return Evidence(
        key="alerts",
        question=say("How much is there to look at?"),
        verdict=Verdict.info,
        answer=say(
            "{per:.1f} new alerts a month per thousand accounts; {firings:, firings were} {alerts:, alerts}. {open:,} "
            "are open in the last month, not quiet for {quiet: months} yet, half of them for {age:g} months or longer.",
            quiet=quiet_months,
            per=1000 * len(news) / months / accounts,
            firings=int(seen["n_fired"].sum()),
            alerts=len(seen),
            open=len(open_now),
            age=float(age.median()) if len(age) else 0.0,
        ),
        value=1000 * len(news) / months / accounts,
        table=table.assign(trigger=[triggers.BY_CODE[c].name for c in table.index])[
            ["trigger", "alerts", "firings"]
        ].reset_index(drop=True),
        people=People(("alerts",)),
    )


def steady(watched: pd.DataFrame) -> Evidence:
    """Return what the lists of neighbouring months have in common."""
    lists = {m: set(part["entity_id"]) for m, part in watched[watched["flagged"] > 0].groupby("month_no")}
    pairs = [(a, b) for a, b in pairwise(sorted(lists)) if b == a + 1]
    table = pd.DataFrame(
        [(_month(b), metrics.jaccard(lists[a], lists[b]), len(lists[b] - lists[a])) for a, b in pairs],
        columns=["month", "in common", "new on the list"],
    )
    median = float(table["in common"].median()) if len(table) else float("nan")
    return Evidence(
        key="steady",
        question=say("How much does the list change from month to month?"),
        verdict=Verdict.info if len(table) else Verdict.not_evaluated,
        answer=say(
            "Two lists in a row have {common:.0%} in common (median of {n: pairs}; Jaccard).",
            common=median,
            n=len(table),
        ),
        value=median,
        source="Jaccard (1901)",
        table=table,
    )


def trajectory(watched: pd.DataFrame) -> pd.DataFrame:
    """Return the predicted probability in the months before the event: months, median, low and high quartile, n.

    Customers without the event stand at month NaN; where all others are hidden, they are, too.
    """
    rows = watched.assign(months=-watched["months_to_event"])
    made = rows[rows["known"]].groupby("months", dropna=False)["predicted"]
    out = made.quantile([0.25, 0.5, 0.75]).unstack().rename(columns={0.25: "low", 0.5: "median", 0.75: "high"})
    shown = People(("n",), ("months",)).published(out.assign(n=made.size()).reset_index())
    if HIDDEN in shown and shown.loc[shown["months"].notna(), HIDDEN].all():
        return shown.assign(**{HIDDEN: True, **dict.fromkeys(("low", "median", "high", "n"), np.nan)})
    return shown


def areas_evidence(table: pd.DataFrame, level: float, p: Params) -> Evidence:
    """Return which areas ring in the last month, and which rang before."""
    judged_rows = table[table["p_value"].notna()]
    rang = judged_rows[judged_rows["alarm"]].copy()
    last = int(table["month_no"].max()) if len(table) else 0
    now = rang[rang["month_no"] == last]
    rang["month"] = rang["month_no"].map(_month)
    if not p.areas:
        answer = say("The study names no areas.")
    elif not len(judged_rows):
        answer = say("No area has months enough to be held against.")
    else:
        answer = say(
            "{n: areas} over {months: months}: {alarms: alarms}, {now} in the last month.",
            n=len(judged_rows[["column", "area"]].drop_duplicates()),
            months=judged_rows["month_no"].nunique(),
            alarms=len(rang),
            now=len(now),
        )
        firsts = rang.sort_values("month_no").drop_duplicates(["column", "area"])
        if len(firsts):
            each = [
                say("{area} since {month} ({ratio:.1f} times)", area=r.area, month=r.month, ratio=r.ratio)
                for r in firsts.head(6).itertuples()
            ]
            answer += say("First: {each}.", each=each)
    if p.deferred_from:
        answer += say("Months of deferred payments ({a} to {b}) aren't judged.", a=p.deferred_from, b=p.deferred_to)
    return Evidence(
        key="areas",
        question=say("Do arrears begin more often in one area than in the others?"),
        verdict=_areas_light(p, judged_rows, now),
        answer=answer,
        value=len(now),
        threshold=say(
            "amber where the chance that nothing changed, made up for all areas (Holm), is {level:g} or less",
            level=level,
        ),
        blind_to=say("what happens to the whole bank at once: every area is held against the others"),
        source="Holm (1979); indirect standardisation: Breslow & Day (1987)",
        table=rang[["column", "area", "month", "n", "observed", "expected", "ratio", "p_value"]],
        people=People(("n",), ("column", "area", "month")),
    )


def _areas_light(p: Params, judged_rows: pd.DataFrame, now: pd.DataFrame) -> Verdict:
    if not len(judged_rows):
        return Verdict.not_evaluated if p.areas else Verdict.info
    return Verdict.amber if len(now) else Verdict.green


def _month(no: int) -> str:
    return f"{(no - 1) // 12}-{(no - 1) % 12 + 1:02d}"


__all__ = [
    "NO_TRIGGER",
    "alerts",
    "areas_evidence",
    "lead",
    "leads",
    "steady",
    "trajectory",
    "triggers_evidence",
]
