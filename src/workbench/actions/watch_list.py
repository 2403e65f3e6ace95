"""The watch list of the last month: whom to look at, why, what is at stake, what to do; and who is new on it."""

from __future__ import annotations

import pandas as pd

from workbench import engine, tables
from workbench.actions import action_list, early_warning, triggers
from workbench.actions.action_list import ActionList
from workbench.actions.because import because
from workbench.actions.early_warning import Params
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, few, smallest, tellable
from workbench.models.scorer import Scorer
from workbench.panel.months import number_sql
from workbench.rules import Rules
from workbench.words import Text, say

ORDER = say("by the predicted chance, times what the strongest trigger tells beyond it; who opted out stays on it")
REASONS = 3  # told of each customer


def of_last_month(watched: pd.DataFrame, counted: pd.DataFrame, model: Scorer, p: Params, rules: Rules) -> ActionList:
    """Return the list of the last month, of all its candidates: reasons in words, exposure, measure and officer."""
    now = watched[(watched["month_no"] == watched["month_no"].max()) & watched["candidate"]]
    chosen = now.reset_index(drop=True)
    reasons = _reasons(chosen, counted, model, p, rules)
    known = watched[watched["flagged"] > 0].groupby("entity_id")["month_no"].agg(["min", "size"])
    rows = chosen[["entity_id", "priority"]].assign(
        predicted=chosen["predicted"].round(4),
        adjusted_probability=chosen["priority"].round(4),
        reason=[r for r, _ in reasons],
        measure=[m for _, m in reasons],
        exposure_amt=_exposure(chosen, p),
        months_listed=chosen["entity_id"].map(known["size"]).fillna(0).astype(int),
    )
    rows = rows.drop(columns=["exposure_amt"]) if rows["exposure_amt"].isna().all() else rows
    return action_list.made(p.key, early_warning.LIST, rows, capacity=p.capacity)


def _panel_rows(chosen: pd.DataFrame, p: Params, month_no: int) -> pd.DataFrame:
    """Return the panel's rows of these customers in a month, indexed by entity."""
    sql = f"""SELECT p.* FROM panel p JOIN chosen c ON c.entity_id = p.entity_id
        WHERE {number_sql("p.as_of_date")} = {month_no} ORDER BY p.entity_id"""
    relations = {"panel": tables.scan(p.key, p.panel), "chosen": chosen[["entity_id"]]}
    return engine.frame(sql, relations).set_index("entity_id")


def _reasons(
    chosen: pd.DataFrame, counted: pd.DataFrame, model: Scorer, p: Params, rules: Rules
) -> list[tuple[Text, Text]]:
    month = int(chosen["month_no"].iloc[0]) if len(chosen) else 0
    active = counted[counted["month_no"] == month].groupby("entity_id")
    by_entity = {e: list(zip(g["trigger_code"], g["age"], strict=True)) for e, g in active}
    inputs, out = _model_reasons(chosen[chosen["flagged"] > 0], model, p, month), []
    for r in chosen.itertuples():
        fired = sorted(by_entity.get(r.entity_id, []), key=lambda f: (f[0] != r.trigger_code, f[1], f[0]))
        words = [_because(code, int(age), rules) for code, age in fired[:REASONS]]
        words += inputs.get(r.entity_id, [])[: REASONS - len(words)]
        words = words or [say("the score stands in grade {grade}", grade=r.grade_code)]
        measure = triggers.BY_CODE[fired[0][0]].measure if fired else say("Look through the account; call if in doubt.")
        out.append((say("{reasons}", reasons=words), measure))
    return out


def _because(code: str, age: int, rules: Rules) -> Text:
    trigger = triggers.BY_CODE[code]
    reason = trigger.reason(rules.number(trigger.rule))
    if age == 1:
        return say("{reason} (a month ago)", reason=reason)
    return say("{reason} ({age: months} ago)", reason=reason, age=age) if age else reason


def _model_reasons(chosen: pd.DataFrame, model: Scorer, p: Params, month_no: int) -> dict[str, list[Text]]:
    """Return, by entity, what raised the score most, high or low among all; empty for a model that can't say."""
    if not model.explains or not len(chosen):
        return {}
    rows = _panel_rows(chosen, p, month_no)
    numbers = rows[list(model.features)].select_dtypes("number").columns
    each = ", ".join(f"median({engine.column(c)}) AS {engine.column(c)}" for c in numbers)
    sql = f"SELECT {each or '0 AS nothing'} FROM panel WHERE {number_sql('as_of_date')} = {month_no}"
    usual = engine.frame(sql, {"panel": tables.scan(p.key, p.panel)}).iloc[0].to_dict()
    return because(model.reasons(rows, top=REASONS), usual)


def _exposure(chosen: pd.DataFrame, p: Params) -> pd.Series:
    names = list(engine.columns(tables.scan(p.key, "core__month")))
    column = early_warning.exposure_column(tables.contract(p.key, p.panel), names, p)
    if not column or not len(chosen):
        return pd.Series(float("nan"), index=chosen.index)
    source, date = ("core__month", "month") if column in names else (p.panel, "as_of_date")
    sql = f"""SELECT CAST(entity_id AS VARCHAR) AS entity_id, CAST({engine.column(column)} AS DOUBLE) AS amount FROM x
        WHERE {number_sql(date)} = {int(chosen["month_no"].iloc[0])}"""
    amounts = engine.frame(sql, {"x": tables.scan(p.key, source)}).set_index("entity_id")["amount"]
    return chosen["entity_id"].map(amounts)


def entrants(watched: pd.DataFrame, counted: pd.DataFrame, model: Scorer, p: Params) -> Evidence:
    """Return why each customer is on the last month's list who wasn't on that of the month before.

    A trigger that fired this month; else the input whose contribution to the score rose most; else that he is new to
    the panel, or moved up because others left.
    """
    last = int(watched["month_no"].max())
    flagged = watched[watched["flagged"] > 0]
    before = set(flagged.loc[flagged["month_no"] == last - 1, "entity_id"])
    new = flagged[(flagged["month_no"] == last) & ~flagged["entity_id"].isin(before)]
    fresh = counted[(counted["month_no"] == last) & (counted["age"] == 0)].drop_duplicates("entity_id")
    cause = new["entity_id"].map(fresh.set_index("entity_id")["trigger_code"])
    quiet = new[cause.isna().to_numpy()]
    moved = _moved(quiet, model, p, last)
    rows = [("trigger", c.replace("_", " ")) for c in cause.dropna()]
    rows += [moved.get(e, ("moved up", "others left the list")) for e in quiet["entity_id"]]
    table = (
        pd.DataFrame(rows, columns=["cause", "what"]).value_counts(["cause", "what"]).rename("customers").reset_index()
    )
    by = table.groupby("cause")["customers"].sum() if len(table) else pd.Series(dtype=float)
    parts = tellable(*(int(by.get(cause, 0)) for cause in ("trigger", "score", "new customer", "moved up")))
    is_told = not few(len(new))
    return Evidence(
        key="entrants",
        question=say("Who is new on the list, and why?"),
        verdict=Verdict.info,
        answer=say(
            "{n:,} are new: {triggers:,} by a trigger that fired this month, {score:,} because an input raised the "
            "score, {first:,} are new to the book, {up:,} moved up.",
            n=len(new),
            **dict(zip(("triggers", "score", "first", "up"), parts, strict=True)),
        )
        if is_told
        else say("Fewer than {k} are new on the list: too few to tell why.", k=smallest()),
        value=len(new) if is_told else None,
        table=table,
        people=People(("customers",), ("cause", "what")),
    )


def _moved(quiet: pd.DataFrame, model: Scorer, p: Params, last: int) -> dict[str, tuple[str, str]]:
    """Return, by entity, the input that raised the score most since the month before."""
    if not len(quiet):
        return {}
    now, past = _panel_rows(quiet, p, last), _panel_rows(quiet, p, last - 1)
    out = {e: ("new customer", "first month in the panel") for e in now.index.difference(past.index)}
    both = now.index.intersection(past.index)
    if not model.explains or not len(both):
        return out
    rise = model.contributions(now.loc[both]) - model.contributions(past.loc[both])
    for entity, parts in rise.iterrows():
        if parts.max() > 1e-9:
            feature = parts.idxmax()
            out[entity] = ("score", model.features[feature].get("description", "") or feature)
    return out
