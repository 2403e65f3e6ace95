"""Early warning in pictures: lead time, gains, the score before the event, arrears by area."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import say
from workbench.words.names import term

CALLED = (theme.RED, theme.ORANGE, theme.PURPLE, theme.BLUE)  # lines of the areas that rang first


@theme.picture
def lead(table: pd.DataFrame, median: float | None, outcome: Outcome = PLAIN) -> Figure:
    """Draw how many events were flagged how long before; columns months before (0: never flagged), events."""
    figure, (ax,) = theme.panels(width=7.5, height=3.2)
    months, events = table["months before"].to_numpy(), table["events"].to_numpy()
    ax.bar(months, events, color=np.where(months > 0, theme.BLUE, theme.GREY))
    if median is not None and np.isfinite(median):
        ax.axvline(median, color=theme.ORANGE, ls="--", label=say("median of the flagged {median:g}", median=median))
        ax.legend()
    ax.set_xticks(range(int(months.max()) + 1 if len(months) else 1))
    ax.set_title(say("{events} by months from the first flag (0: never flagged)", events=outcome.events))
    ax.set_xlabel(say("months before"))
    theme.numbers(ax.yaxis)
    return figure


@theme.picture
def gains(table: pd.DataFrame, listed: float, caught: float) -> Figure:
    """Draw the share of events among the share of customers looked at; the cross is the list itself."""
    figure, (ax,) = theme.panels(width=7.5, height=3.6)
    for name, colour in (("score", theme.BLUE), ("both", theme.ORANGE)):
        ax.plot(table["share"], table[name], color=colour, label=term(name))
    ax.plot([0, 1], [0, 1], color=theme.GREY, ls=":", label=say("at random"))
    ax.plot([listed], [caught], "x", color=theme.INK, ms=9, mew=2, label=say("the list"))
    ax.set_title(say("Share of the events caught"))
    ax.set_xlabel(say("share of the customers looked at"))
    theme.percent(ax.xaxis, ax.yaxis)
    ax.legend()
    return figure


@theme.picture
def trajectory(table: pd.DataFrame, outcome: Outcome = PLAIN) -> Figure:
    """Draw what was predicted in the months before the event, middle and quartiles, against customers without it."""
    figure, (ax,) = theme.panels(width=7.5, height=3.4)
    rows, others = table[table["months"].notna()], table[table["months"].isna()]
    ax.plot(rows["months"], rows["median"], "o-", color=theme.RED, label=outcome.positive)
    ax.fill_between(rows["months"], rows["low"], rows["high"], color=theme.RED, alpha=0.15)
    for r in others.itertuples():
        ax.axhline(r.median, color=theme.GREY, ls="--", label=outcome.negative)
    ax.set_title(say("{predicted} in the months before, median and quartiles", predicted=outcome.predicted))
    ax.set_xlabel(say("months to the event"))
    if len(rows):  # the axis of a single month would be parts of it
        ax.set_xlim(rows["months"].min() - 0.5, rows["months"].max() + 0.5)
    ax.xaxis.get_major_locator().set_params(integer=True)
    theme.percent(ax.yaxis)
    ax.legend()
    return figure


@theme.picture
def areas(table: pd.DataFrame) -> Figure:
    """Draw arrears begun over expected, against each area's own past, by month; those that rang are coloured."""
    figure, (ax,) = theme.panels(width=9, height=3.8)
    judged = table[table["p_value"].notna()]
    rang = judged[judged["alarm"]].sort_values("month_no")
    first = list(dict.fromkeys(zip(rang["column"], rang["area"], strict=True)))[: len(CALLED)]
    for (column, area), part in judged.groupby(["column", "area"]):
        months = range(part["month_no"].min(), part["month_no"].max() + 1)
        part = part.set_index("month_no").reindex(months).rename_axis("month_no").reset_index()  # a gap stays one
        part["alarm"] = part["alarm"].eq(True)
        when = pd.to_datetime([f"{(n - 1) // 12}-{(n - 1) % 12 + 1:02d}-01" for n in part["month_no"]])
        called = (column, area) in first
        colour = CALLED[first.index((column, area))] if called else theme.GREY
        ax.plot(
            when,
            part["ratio"],
            ".-",
            ms=1.5,
            color=colour,
            lw=1.6 if called else 0.6,
            alpha=1 if called else 0.4,
            label=str(area) if called else None,
        )
        ax.plot(when[part["alarm"]], part["ratio"][part["alarm"]], "o", color=colour, ms=4)
    ax.axhline(1, color=theme.INK, lw=0.8)
    ax.set_title(say("Arrears begun over expected, by area; points are alarms"))
    theme.numbers(ax.yaxis)
    if first:
        ax.legend()
    return figure
