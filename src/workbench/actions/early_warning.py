"""Who will default unless somebody acts? A monthly score, dated triggers, and the lists they make, month by month."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import engine, metrics, params, tables
from workbench.actions import action_list, triggers
from workbench.contracts import Contract, Outcome
from workbench.customers import lists
from workbench.models.scorer import Scorer
from workbench.panel.months import number, number_sql
from workbench.params import DAY_OR_NONE, MONTH, Columns, OfPanel, UserError, Watching, nearest
from workbench.registry import model_read
from workbench.rules import Ruled, Rules

LIST = lists.WATCH
ALERTS = "mart__alerts"
NO_TRIGGER = "no_trigger"


class Params(Ruled, params.Params):
    """Which scores and months are watched, how long a trigger counts, how many can be looked at, which areas."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    panel: str = Field("mart__warning", pattern=r"^mart__[a-z0-9_]+$", description="panel of the monthly score")
    model: str = Field("warning", pattern=r"^[a-z0-9_]+$", description="registered model that gives the score")
    until: str = Field("", pattern=rf"({MONTH})|^$", description="last month looked at; empty is all")
    capacity: int = Field(5, ge=1, description="customers looked at in a month, by each officer where there are any")
    active_months: int = Field(3, ge=1, le=12, description="months for which a trigger that fired counts")
    quiet_months: int = Field(3, ge=1, le=12, description="months of silence after which a trigger is news again")
    worst_grades: int = Field(2, ge=1, le=9, description="grades whose customers are candidates without any trigger")
    deferred_from: str = Field(
        "", pattern=rf"({MONTH})|^$", description="first month of deferred payments; empty is none"
    )
    deferred_to: str = Field("", pattern=rf"({MONTH})|^$", description="last month of deferred payments")
    areas: list[str] = Field(
        [], description="columns of core__account by which arrears are watched together; empty: none"
    )
    start: str = Field("delay_months > 0", description="condition on a month whose begin is counted by area")
    baseline_months: int = Field(12, ge=3, le=36, description="months before, against which an area is held")
    exposure: str = Field("", description="column of the month or panel with the amount at stake; empty looks for one")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")
    seed: int = Field(42, ge=0, description="seed of the bootstrap")

    def verify(self) -> None:
        """Raise `UserError` for a condition that is none, half an interval of deferred months, an area twice."""
        self.rules()
        params.once(self.areas, "actions/early_warning: areas")
        engine.parsed(self.start, "actions/early_warning: start")
        if bool(self.deferred_from) != bool(self.deferred_to) or self.deferred_from > self.deferred_to:
            raise UserError(
                f"actions/early_warning: deferred_from '{self.deferred_from}', deferred_to '{self.deferred_to}': name "
                "the first and the last month of deferred payments, or neither"
            )

    @property
    def scores(self) -> str:
        """Table of the scores of the model."""
        return f"mart__scores_{self.model}"

    @property
    def deferred(self) -> tuple[int, int]:
        """First and last month of deferred payments as numbers (`panel.months`)."""
        if not self.deferred_from:
            return triggers.NEVER
        return number(pd.Timestamp(self.deferred_from)), number(pd.Timestamp(self.deferred_to))


def reads(p: Params) -> list[str]:
    """Tables this step reads: months, accounts, panel and scores; the model that gave them, and what is said of it."""
    judged = model_read.reads(p.scores)
    return [p.panel, p.scores, judged, f"model__{p.model}", "core__account", "core__month"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: the watch list of the last month, and every alert with its age."""
    return [LIST, ALERTS]


def of_panel(p: Params) -> list[OfPanel | Watching]:
    """The model whose scores are read, which have to be of the panel's rows; the panel, which is watched."""
    return [OfPanel("model", tables.of_model(p.model), p.panel), Watching(p.panel, p.until)]


def areas(p: Params) -> Columns:
    """The columns of the accounts by which arrears are watched together."""
    return Columns("areas", tuple(p.areas), ("core__account",))


def columns(p: Params) -> list[Columns]:
    """Columns that parameters name, held against the contracts before a kernel starts."""
    names = tuple(engine.parsed(p.start, "actions/early_warning: start"))
    return [areas(p), Columns("start", names, ("core__month",), (p.start,))]


def outcome_of(contract: Contract, months: engine.Relation) -> Outcome:
    """Return what is warned of; `UserError` where the panel's outcome isn't an adverse event of the months."""
    outcome = contract.outcome
    if not outcome.event or not outcome.is_binary or outcome.direction != "adverse":
        raise UserError(
            f"actions/early_warning: panel '{contract.name}' predicts no adverse event of the months; give its "
            "panel/build an outcome with `event` and `window_months`"
        )
    engine.condition(outcome.event, engine.columns(months), "actions/early_warning: event")
    return outcome


def months(p: Params) -> engine.Relation:
    """Return the months up to `until`: what came later is read by nothing."""
    whole = tables.scan(p.key, "core__month")
    last = pd.Timestamp(p.until) + pd.offsets.MonthEnd(0) if p.until else None
    return whole if last is None else engine.Part(whole, "month", f"{pd.Timestamp.min:%Y-%m-%d}", f"{last:%Y-%m-%d}")


def scored(p: Params, outcome: Outcome, model: Scorer) -> pd.DataFrame:
    """Return one row a customer and month that has a score, with what came of it.

    Columns: entity_id, month_no, as_of_date, sample, predicted, grade_no (0 is best), months_to_event (NaN where it
    doesn't come within the window), known (the window is over). An event in a month of deferred payments isn't one; it
    counts from its first month after them, if it still stands there.
    """
    number_of = number_sql("s.as_of_date")
    sql = f"""
        WITH e AS (SELECT CAST(entity_id AS VARCHAR) AS entity_id, {number_sql("month")} AS month_no FROM months
            WHERE {outcome.event}),
        last AS (SELECT max({number_sql("month")}) AS month_no FROM months)
        SELECT s.entity_id, {number_of} AS month_no, s.as_of_date, s.sample, s.predicted, s.grade_code,
            min(e.month_no) - {number_of} AS months_to_event,
            any_value({number_of} + {outcome.window_months} <= last.month_no) AS known
        FROM scores s CROSS JOIN last LEFT JOIN e ON e.entity_id = s.entity_id AND e.month_no > {number_of}
            AND e.month_no <= {number_of} + {outcome.window_months}
            AND NOT e.month_no BETWEEN {p.deferred[0]} AND {p.deferred[1]}
        WHERE {number_of} <= last.month_no
        GROUP BY s.entity_id, s.as_of_date, s.sample, s.predicted, s.grade_code
        ORDER BY s.as_of_date, s.entity_id"""
    rows = engine.frame(sql, {"months": months(p), "scores": tables.scan(p.key, p.scores)})
    if not (rows["sample"] == "monitoring").any():
        mend = "set `until` later" if p.until else "set `monitoring_from` in its panel/build step"
        raise UserError(f"panel '{p.panel}' has no monitoring rows{p.until and f' up to {p.until}'}; {mend}")
    place = {name: i for i, name in enumerate(model.grade_names)}
    return rows.assign(
        grade_no=rows["grade_code"].map(place).astype(int),
        months_to_event=rows["months_to_event"].astype(float),
        event=rows["months_to_event"].notna().astype(float),
    )


def fired(p: Params, rows: pd.DataFrame, rules: Rules) -> tuple[pd.DataFrame, list[triggers.Trigger]]:
    """Return every firing (entity_id, month_no, trigger_code) and the triggers whose facts the months have."""
    account, key = tables.scan(p.key, "core__account"), tables.contract(p.key, "core__account").one("key")
    base, facts = triggers.months_sql(months(p), account, key, p.deferred)
    chosen = triggers.usable(facts)
    graded = rows[["entity_id", "month_no", triggers.GRADE]]
    sql = triggers.fired_sql(base, chosen, rules)
    return engine.frame(sql, {"months": months(p), "accounts": account, "graded": graded}), chosen


def active(rows: pd.DataFrame, firings: pd.DataFrame, months: int) -> pd.DataFrame:
    """Return which triggers count for which scored row: entity_id, month_no, trigger_code, age (0 fired this month)."""
    sql = f"""
        SELECT r.entity_id, r.month_no, f.trigger_code, min(r.month_no - f.month_no) AS age
        FROM watched r JOIN fired f ON f.entity_id = r.entity_id
            AND f.month_no <= r.month_no AND f.month_no > r.month_no - {months}
        GROUP BY r.entity_id, r.month_no, f.trigger_code ORDER BY r.month_no, r.entity_id, f.trigger_code"""
    return engine.frame(sql, {"watched": rows[["entity_id", "month_no"]], "fired": firings})


def worth(rows: pd.DataFrame, counted: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Return what followed each trigger before the watched months: rows, events, what the score expected, beyond.

    `effective` is the number of independent rows whose rate is as certain: months of a customer tell the same twice.
    `beyond` is (events + 1) / (expected + 1): above 1 the trigger tells what the score doesn't know. The row
    `no_trigger` is of customers for whom none counts. Only rows whose window was over when watching began.
    """
    is_watched = rows["sample"] == "monitoring"
    begins = rows.loc[is_watched, "month_no"].min()
    past = rows[~is_watched & (rows["month_no"] + outcome.window_months <= begins)]
    hit = past.merge(counted, on=["entity_id", "month_no"], how="left")
    hit["trigger_code"] = hit["trigger_code"].fillna(NO_TRIGGER)
    by_code = hit.groupby("trigger_code")
    table = by_code.agg(rows=("event", "size"), events=("event", "sum"), expected=("predicted", "sum"))
    size = {code: metrics.effective(g["event"], np.ones(len(g)), g["entity_id"])[1] for code, g in by_code}
    return table.assign(effective=pd.Series(size), beyond=(table["events"] + 1) / (table["expected"] + 1))


def ordered(rows: pd.DataFrame, counted: pd.DataFrame, by_trigger: pd.DataFrame) -> pd.DataFrame:
    """Return the watched rows with priority, n_triggers, the trigger that counts most and its age.

    priority is the predicted probability times what the strongest trigger told beyond the score.
    """
    watched = rows[rows["sample"] == "monitoring"]
    beyond = by_trigger["beyond"]
    hit = counted.assign(beyond=counted["trigger_code"].map(beyond).fillna(1.0))
    hit = hit.sort_values(["beyond", "trigger_code"], ascending=[False, True], kind="stable")
    first = hit.groupby(["entity_id", "month_no"], sort=False).agg(
        trigger_code=("trigger_code", "first"), age=("age", "first"), beyond=("beyond", "first"), n=("age", "size")
    )
    out = watched.merge(first.reset_index(), on=["entity_id", "month_no"], how="left")
    without = float(beyond.get(NO_TRIGGER, 1.0))
    out["n_triggers"] = out.pop("n").fillna(0).astype(int)
    out["priority"] = (out["predicted"] * out.pop("beyond").fillna(without)).clip(upper=1.0)
    return out


def listed(watched: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Return the watched rows with `candidate` and `flagged`: 1 where the month's list, by `action_list`, holds him.

    Candidates have an active trigger or one of the worst grades; nobody is on a list without a reason.
    """
    barred, monthly = action_list.barred(p.key, LIST), []
    worst = watched["grade_no"].max() - p.worst_grades + 1
    watched = watched.assign(candidate=(watched["n_triggers"] > 0) | (watched["grade_no"] >= worst))
    people = action_list.officers(p.key)
    for month, part in watched.groupby("month_no"):
        rows = part[part["candidate"]]
        rows = rows[["entity_id", "priority"]].assign(reason=NO_TRIGGER, measure=NO_TRIGGER)
        rows = rows.merge(people, on="entity_id", how="left") if len(people) else rows
        made = action_list.action_list(rows, capacity=p.capacity, barred=barred)
        monthly.append(made.rows[["entity_id"]].assign(month_no=month, flagged=1.0))
    flagged = watched.merge(pd.concat(monthly), on=["entity_id", "month_no"], how="left")
    return flagged.assign(flagged=flagged["flagged"].fillna(0.0))


def exposure_column(contract: Contract, month_names: list[str], p: Params) -> str:
    """Return the column with the amount at stake: the parameter's, the month's balance, the panel's; "" is none."""
    names = [c.name for c in contract.columns]
    if p.exposure and p.exposure not in [*month_names, *names]:
        raise UserError(
            f"actions/early_warning: exposure '{p.exposure}' is no column of the months or of '{p.panel}'; "
            f"{nearest(p.exposure, [*month_names, *names])}"
        )
    marked = next((c.name for c in contract.columns if c.exposure), "")
    return p.exposure or ("balance_amt" if "balance_amt" in month_names else marked)
