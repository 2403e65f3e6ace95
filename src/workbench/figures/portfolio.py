"""The book month by month: size and new business, arrears and roll rates, the health of its models."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.params import ends
from workbench.words import say

MOST_LABELS = 13
_LATE = (
    ("late_1", theme.BLUE, say("30 or more days past due")),
    ("late_2", theme.ORANGE, say("60 or more")),
    ("late_3", theme.RED, say("90 or more")),
)
_FROM = (
    (0, theme.BLUE, say("not late")),
    (1, theme.ORANGE, say("30 to 59 days")),
    (2, theme.RED, say("60 to 89 days")),
)


@theme.picture
def size(rows: pd.DataFrame, currency: str) -> Figure:
    """Draw balance and new business by month; columns month, balance, new_amt."""
    figure, axes = theme.panels(2, width=11, height=3.2)
    titles = (say("Balance, {currency}", currency=currency), say("New business, {currency}", currency=currency))
    for ax, column, colour, title in zip(axes, ("balance", "new_amt"), (theme.BLUE, theme.GREEN), titles, strict=True):
        ax.bar(range(len(rows)), rows[column], color=[colour] * (len(rows) - 1) + [theme.INK])
        labels.every(ax, list(rows["month"]), most=MOST_LABELS)
        theme.numbers(ax.yaxis)
        ax.set_title(str(title))
    return figure


@theme.picture
def arrears(rows: pd.DataFrame, rolls: pd.DataFrame) -> Figure:
    """Draw the shares of late accounts, and roll rates by bucket, by month.

    `rows`: month, known, late_1 to late_3; `rolls`: month, bucket, roll_rate.
    """
    figure, (late, rolled) = theme.panels(2, width=11, height=3.4)
    for column, colour, label in _LATE:
        late.plot(range(len(rows)), rows[column] / rows["known"], "o-", ms=3.5, color=colour, label=str(label))
    months = sorted(rolls["month"].unique())
    for bucket, colour, label in _FROM:
        share = rolls[rolls["bucket"] == bucket].set_index("month")["roll_rate"].reindex(months)
        rolled.plot(range(len(months)), share, "o-", ms=3.5, color=colour, label=str(label))
    late.set_title(str(say("Share of accounts past due")))
    rolled.set_title(str(say("Roll rates: share that is later a month on")))
    for ax, names in ((late, list(rows["month"])), (rolled, months)):
        labels.every(ax, names, most=MOST_LABELS)
        theme.percent(ax.yaxis)
        ax.set_ylim(bottom=0)
        theme.legend_below(ax)
    return figure


@theme.picture
def health(series: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    """Draw separation, and observed over expected, by period; model → figure (separation, observed, …) → period.

    One model may be watched by month and another by quarter: a period stands where it ends, so that both share an axis
    of time.
    """
    figure, (power, level) = theme.panels(2, width=11, height=3.2)
    periods = sorted({p for figures in series.values() for values in figures.values() for p in values}, key=ends)
    at = {p: _month(p) for p in periods}
    ticks = {at[p]: p for p in reversed(periods)}  # of two that end together the shorter one names the place
    places = sorted(ticks)
    for (model, figures), colour in zip(series.items(), theme.SERIES * len(series), strict=False):
        separation = figures.get("separation", {})
        power.plot([at[p] for p in separation], list(separation.values()), "o-", ms=3, color=colour, label=model)
        both = [p for p in figures.get("observed", {}) if figures.get("expected", {}).get(p)]
        ratio = [figures["observed"][p] / figures["expected"][p] for p in both]
        level.plot([at[p] for p in both], ratio, "o-", ms=3, color=colour, label=model)
    level.axhline(1, color=theme.GREY, ls=":")
    power.set_title(str(say("Does it still separate?")))
    level.set_title(str(say("Observed over expected (1 is right)")))
    for ax in (power, level):
        labels.every(ax, [ticks[i] for i in places], most=MOST_LABELS, at=places)
        theme.numbers(ax.yaxis)
        theme.legend_below(ax)
        ax.set_xlim(places[0] - 0.5, places[-1] + 0.5)
    return figure


def _month(period: str) -> int:
    """Return the month in which a period ends, by number.

    >>> _month("2023-Q1") - _month("2022-12")
    3
    """
    last, _ = ends(period)
    return int(last[:4]) * 12 + int(last[5:])
