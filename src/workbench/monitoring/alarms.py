"""Alarms: which period first broke which threshold, for what, whose it is, and what its owner does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.rules import Action, Rules, Threshold
from workbench.words import Text, say

SEPARATION, CALIBRATION = "separation", "observed / expected"
REASONS, OVERRIDES, SEGMENTS = "first reasons", "share overridden", "shares of segments"
COLUMNS = ["kind", "subject", "period", "value", "light", "known_in"]
GRADE = "grade "  # before a grade's letter
ACTIONS = get_args(Action)  # from the mildest to the strictest
_LOOK: Action = "look into the data"
SHOWN = 5  # alarms of one sort that a sentence names
_ALIGHT = ("amber", "red")
_ANSWERS = dict.fromkeys(("discrimination", "floor", "calibration"), "performance")  # kind → key, where they differ
_BY_SIZE = ("data", "drift", "segments", "behaviour")  # kinds whose larger values are worse


def kinds() -> dict[str, Text]:
    """Return the kinds of alarms as a page says them, in the order in which they can ring."""
    return {
        "data": say("data quality"),
        "drift": say("drift"),
        "segments": say("shift between segments"),
        "behaviour": say("drift within a segment"),
        "reasons": say("reasons"),
        "fairness": say("fairness"),
        "overrides": say("overrides"),
        "estimate": say("estimated separation"),
        "discrimination": say("discrimination"),
        "floor": say("least discrimination"),
        "calibration": say("calibration"),
        "grades": say("calibration by grade"),
    }


def answer_of(kind: str) -> str:
    """Return the key of the answer that a kind of alarm, as the alarms' table says it in English, stands on."""
    by_words = {words.in_language("en"): _ANSWERS.get(key, key) for key, words in kinds().items()}
    return by_words.get(kind, "")


def rule_of(kind: str, rules: Rules, separation: Threshold) -> Threshold:
    """Return the rule behind a kind of alarm: its owner, and what the owner does."""
    names = {"data": "newly_missing", "drift": "psi", "reasons": "psi", "fairness": "fairness"}
    names |= {"segments": "psi", "behaviour": "psi"}
    names |= {"overrides": "overrides", "floor": "auc_floor", "calibration": "rate_off_period", "grades": "grade_off"}
    return rules[names[kind]] if kind in names else separation


def lights(kind: str, rows: pd.DataFrame, subject: pd.Series | str, value: str, light: str = "light") -> pd.DataFrame:
    """Return a table's lights in the one form they are kept in: kind, subject, period, value, light, known_in.

    `rows`: period, `known_in` (the period in which a light became known), and the columns named; `subject` says what
    each row is of, or the whole table.
    """
    out = rows.rename(columns={value: "value", light: "light"})[["period", "value", "light", "known_in"]]
    return out.assign(kind=kind, subject=subject)[COLUMNS]


def history(parts: Iterable[pd.DataFrame], rules: Rules) -> pd.DataFrame:
    """Return every light of every period; amber becomes red where it holds for the rule's number of periods in a row.

    So many lights a year are amber by chance now and then, and not twice in a row. Periods in which a subject has no
    light end a row; what `spared` (a column of a part) marks stays amber.
    """
    rows = pd.concat([part for part in parts if len(part)]).sort_values(
        ["kind", "subject", "period"], ignore_index=True
    )
    alight, group = rows["light"].isin(_ALIGHT), [rows["kind"], rows["subject"]]
    place = pd.Series(pd.factorize(rows["period"], sort=True)[0], index=rows.index)
    run = (~alight | place.groupby(group).diff().ne(1)).groupby(group).cumsum()
    length = alight.groupby([*group, run]).cumsum()
    reddens = rows.reindex(columns=["spared"])["spared"].ne(True)
    rows.loc[alight & reddens & (length >= rules.number("ambers_in_a_row")), "light"] = "red"
    return rows[COLUMNS]


def raised(lights: pd.DataFrame) -> pd.DataFrame:
    """Return the alarms: every red light, with the period since which it has been standing without a break."""
    rows = lights.sort_values(["kind", "subject", "period"])
    red, group = rows["light"] == "red", [rows["kind"], rows["subject"]]
    begins = red & ~red.groupby(group).shift(1, fill_value=False)
    since = rows["period"].where(begins).groupby(group).ffill()
    return rows.assign(since=since)[red].sort_values("period", kind="stable").reset_index(drop=True)


def first(lights: pd.DataFrame) -> pd.DataFrame:
    """Return, for every subject that ever rang, its first alarm, the earliest on top, and how often it rang."""
    rang = raised(lights)
    times = rang.groupby(["kind", "subject"]).size().rename("times").reset_index()
    return rang.drop_duplicates(["kind", "subject"]).merge(times, on=["kind", "subject"]).reset_index(drop=True)


def standing(lights: pd.DataFrame, now: str) -> pd.DataFrame:
    """Return the alarms that became known in a period (all that ever rang where it is empty), the worst kind first."""
    if not now:
        return first(lights)
    order = {kind: i for i, kind in enumerate(reversed(kinds()))}
    rang = raised(lights)
    return rang[rang["known_in"] == now].sort_values(
        "kind", key=lambda k: k.map(order), kind="stable", ignore_index=True
    )


def newest(lights: pd.DataFrame, now: str) -> pd.DataFrame:
    """Return the alarms that stand in a period; where it is empty, in the newest one known of each kind."""
    if now:
        return standing(lights, now)
    judged, rang = lights[lights["light"] != "not_evaluated"], raised(lights)
    is_newest = rang["known_in"] == rang["kind"].map(judged.groupby("kind")["known_in"].max())
    return rang[is_newest].reset_index(drop=True)


def past(lights: pd.DataFrame, now: str) -> pd.DataFrame:
    """Return what rang and doesn't ring any more: kind, subject, first_rang, last_rang and over_since (periods), times.

    `over_since` is the next period in which the subject had a light; empty where it has had none since.
    """
    names, rang = ["kind", "subject"], raised(lights)
    spans = rang.groupby(names)["period"].agg(first_rang="min", last_rang="max", times="size").reset_index()
    rings = pd.MultiIndex.from_frame(newest(lights, now)[names])
    spans = spans[~pd.MultiIndex.from_frame(spans[names]).isin(rings)]
    judged = lights.loc[lights["light"] != "not_evaluated", [*names, "period"]].merge(spans, on=names)
    after = judged[judged["period"] > judged["last_rang"]].groupby(names)["period"].min().rename("over_since")
    table = spans.merge(after.reset_index(), on=names, how="left").fillna({"over_since": ""})
    columns = [*names, "first_rang", "last_rang", "over_since", "times"]
    return table[columns].sort_values(["first_rang", *names], ignore_index=True)


def past_evidence(lights: pd.DataFrame, now: str) -> Evidence:
    """Return the alarms of the past, which `alarm` doesn't list or count."""
    table = past(lights, now)
    return Evidence(
        key="past_alarms",
        question=say("What rang before, and is over?"),
        verdict=Verdict.info,
        answer=_over(table) if len(table) else say("Nothing rang before that doesn't ring now."),
        value=len(table),
        table=_in_words(table),
    )


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return alarms with their kinds as the sentences above say them."""
    return table.assign(kind=table["kind"].map(kinds()))


def _over(table: pd.DataFrame) -> Text:
    each = [_one_over(row) for row in table.head(SHOWN).itertuples()]
    return say("Past alarms, over now: {each}.", each=[*each, *_more(len(table))])


def _one_over(row: tuple) -> Text:
    facts = {
        "kind": kinds()[row.kind],
        "subject": subject(row.subject),
        "first": row.first_rang,
        "over": row.over_since,
    }
    if row.over_since:
        return say("{kind} of {subject}, first in {first}, over since {over}", **facts)
    return say("{kind} of {subject}, first in {first}, not judged since {last}", last=row.last_rang, **facts)


def verdict(lights: pd.DataFrame, now: str, *of: str) -> Verdict:
    """Return the worst light of some kinds (of all where none is named) that became known in a period (empty: ever)."""
    rows = lights[(lights["known_in"] == now) if now else lights["known_in"].notna()]
    rows = rows[rows["kind"].isin(of)] if of else rows
    known = (Verdict(v) for v in set(rows["light"]) if v != "not_evaluated")
    return min(known, key=lambda v: v.rank, default=Verdict.not_evaluated)


def since(lights: pd.DataFrame, now: str, *of: str) -> str:
    """Return the period since which all alarms of some kinds have been standing; empty where one of them is news.

    An alarm is news in the period in which it first became known.
    """
    rang = standing(lights, now) if now else lights.head(0)
    rang = rang[rang["kind"].isin(of)]
    return "" if rang.empty or (rang["since"] == rang["period"]).any() else str(rang["since"].max())


def to_evidence(
    lights: pd.DataFrame, rules: Rules, separation: Threshold, now: str = "", *, of_model: bool = True
) -> Evidence:
    """Return what rings, in the period `now` or ever, with owner and action; the worst light decides.

    Where no model is watched (`of_model`), none can be re-fit: whoever owns the rule looks into the data. To be done is
    what the alarms that stand ask; those that are over ask nothing any more.
    """
    rang = standing(lights, now)
    by_kind = {kind: rule_of(kind, rules, separation) for kind in kinds()}
    waiting = [] if len(rang) else _amber(lights, now)
    due = {k: (by_kind[k].actions.red if of_model else _LOOK, by_kind[k].owner) for k in rang["kind"]}
    table = rang.assign(action=[due[k][0] for k in rang["kind"]], owner=[due[k][1] for k in rang["kind"]])
    table = table if now else table.assign(over_since=_until(rang, lights))
    return Evidence(
        key="alarm",
        question=say("What rings now?") if now else say("When did the alarm first ring, and for what?"),
        verdict=Verdict.red if len(rang) else verdict(lights, now),
        answer=_answer(rang, lights, now) + _waiting(waiting) + _to_do(due[k] for k in newest(lights, now)["kind"]),
        value=str(rang["period"].iloc[0]) if len(rang) else "never",
        threshold=say(
            "Red rings at once, amber where it holds for {n:, periods} in a row (convention).",
            n=int(rules.number("ambers_in_a_row")),
        ),
        blind_to=say("what happens within a period, and to windows that are still open."),
        table=_in_words(table) if len(rang) else lights.head(0),
        repeats=tuple(dict.fromkeys(_ANSWERS.get(k, k) for k in [*rang["kind"], *waiting])),
    )


def _until(rang: pd.DataFrame, lights: pd.DataFrame) -> list[Text | str]:
    """Return for each alarm that ever rang since when it is over; one that stands says so."""
    over = past(lights, "").set_index(["kind", "subject"])["over_since"].to_dict()
    until = [over.get(names) for names in zip(rang["kind"], rang["subject"], strict=True)]
    return [say("stands") if o is None else o or say("not judged since") for o in until]


def _amber(lights: pd.DataFrame, now: str) -> list[str]:
    """Return the kinds that are amber in a period (empty: ever): they light the answer though nothing rings."""
    rows = lights[(lights["known_in"] == now) if now else lights["known_in"].notna()]
    amber = set(rows.loc[rows["light"] == "amber", "kind"])
    return [kind for kind in kinds() if kind in amber]


def _waiting(amber: list[str]) -> Text:
    return say("Amber, which has not rung: {kinds}.", kinds=[kinds()[k] for k in amber]) if amber else Text()


def _answer(rang: pd.DataFrame, lights: pd.DataFrame, now: str) -> Text:
    tests, periods = int((lights["light"] != "not_evaluated").sum()), lights["period"].nunique()
    looked = say("{tests:, tests} in {periods:, periods}.", tests=tests, periods=periods)
    if len(rang):
        return (_rings(rang, now) if now else _rang(rang) + _stand(lights)) + looked
    if not now:
        return say("No alarm in {periods:, periods} and {tests:, tests}.", periods=periods, tests=tests)
    earlier = raised(lights)
    before = _earlier(earlier) if len(earlier) else say("It has never rung.")
    return say("No alarm in {period}.", period=now) + before + looked


def _stand(lights: pd.DataFrame) -> Text:
    return say("In the newest period known {n:, alarms stand}.", n=len(newest(lights, "")))


def _earlier(rang: pd.DataFrame) -> Text:
    last = rang.iloc[-1]
    facts = {"period": last["period"], "kind": kinds()[str(last["kind"])], "subject": subject(last["subject"])}
    return say("The newest cause of an alarm was {kind} of {period} ({subject}).", **facts)


def _rings(rang: pd.DataFrame, now: str) -> Text:
    """Say what rings in a period: what is news, and what has been standing for how long."""
    is_news = rang["since"] == rang["period"]
    parts = []
    if is_news.any():
        each = [_one(row) for row in rang[is_news].head(SHOWN).itertuples()]
        parts.append(say("New in {period}: {each}.", period=now, each=[*each, *_more(is_news.sum())]))
    if (~is_news).any():
        each = [
            say("{one}, since {since}", one=_one(row), since=row.since)
            for row in rang[~is_news].head(SHOWN).itertuples()
        ]
        parts.append(say("Still ringing: {each}.", each=[*each, *_more((~is_news).sum())]))
    return sum(parts[1:], parts[0])


def _one(row: tuple) -> Text:
    kind = kinds()[row.kind]
    return say("{kind} of {subject} ({value:.3f})", kind=kind, subject=subject(row.subject), value=row.value)


def one_first(row: tuple) -> Text:
    """Say of the first alarm of all what it was of; whether it still rings, `alarm` and `past_alarms` say."""
    facts = {"kind": kinds()[row.kind], "subject": subject(row.subject), "period": row.period}
    return say("The first alarm of all was {kind} of {subject} in {period}.", **facts)


def _more(n: int) -> list[Text]:
    return [say("{n:,} more", n=int(n) - SHOWN)] if n > SHOWN else []


def _rang(rang: pd.DataFrame) -> Text:
    firsts = {str(kind): _strongest(g) for kind, g in rang.groupby("kind")}
    top = firsts[str(rang["kind"].iloc[0])]
    each = [
        say(
            "{kind} first in {period} ({subject} {value:.3f})",
            kind=kinds()[kind],
            period=row["period"],
            subject=subject(row["subject"]),
            value=row["value"],
        )
        for kind, row in firsts.items()
    ]
    return say(
        "The alarm first rang in {period}, for {subject} ({value:.3f}). By kind: {each}.",
        period=top["period"],
        subject=subject(top["subject"]),
        value=top["value"],
        each=each,
    )


def _strongest(rang: pd.DataFrame) -> pd.Series:
    """Return, of the alarms of one kind that rang first, the one that is farthest off."""
    rows = rang[rang["period"] == rang["period"].iloc[0]]
    return rows.loc[rows["value"].idxmax()] if rows["kind"].iloc[0] in _BY_SIZE else rows.iloc[0]


def foremost(table: pd.DataFrame, subject: pd.Series, size: pd.Series, lights: pd.DataFrame, now: str) -> pd.Series:
    """Return the row of a table (n) that a sentence names: the worst light, of these the largest `size` (n).

    `lights`: those of the table's kind, as `history` returns them. Of a report on the period `now`, what became known
    in it comes first where any of it is lit.
    """
    final = lights.set_index(["subject", "period"])["light"]
    light = final.reindex([subject, table["period"]]).set_axis(table.index)
    is_now = light.isin(_ALIGHT) & (table["known_in"] == now)
    rank = light.map(lambda v: Verdict(v).rank)
    order = pd.DataFrame({"earlier": ~is_now, "rank": rank, "size": -size}).sort_values(["earlier", "rank", "size"])
    return table.loc[order.index[0]]


def _to_do(due: Iterable[tuple[str, str]]) -> Text:
    """Say what is to be done, by whom; what weighs most comes first."""
    owners = dict(due)
    if not owners:
        return Text()
    actions = sorted(owners, key=ACTIONS.index, reverse=True)
    each = [say("{action} ({owner})", action=say(a), owner=say(owners[a])) for a in actions]
    return say("To do: {each}.", each=each)


def subject(name: str) -> Text | str:
    """Return what a light is of, as a page says it: a feature or a group by its name, the others in words."""
    words = {SEPARATION: say("separation"), CALIBRATION: say("observed / expected"), "predicted": say("prediction")}
    words |= {REASONS: say("first reasons"), OVERRIDES: say("share overridden")}
    words |= {SEGMENTS: say("shares of segments")}
    if name.startswith(GRADE):
        return say("grade {grade}", grade=name.removeprefix(GRADE))
    return words.get(name, name)
