"""The panel in two pictures: its windows on a time line, and the outcome rate by as-of date."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from workbench.figures import theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import say
from workbench.words.names import term

_COLOUR = {"development": theme.BLUE, "holdout": theme.ORANGE, "monitoring": theme.PURPLE}


def dated(ax: Axes) -> None:
    """Write dates as numbers (2005-09), which every language reads; as few as fit."""
    locator = AutoDateLocator(minticks=3, maxticks=8)
    formats = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S.%f"]
    ax.xaxis.set_major_locator(locator)
    zero = ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"]
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, formats=formats, zero_formats=zero, show_offset=False))


@theme.picture
def windows(as_of: pd.DatetimeIndex, observation_months: int, performance_months: int) -> Figure:
    """Draw observation and performance windows of the first and last as-of date."""
    dates = sorted({as_of.min(), as_of.max()})
    figure, (ax,) = theme.panels(width=9, height=1.2 + 0.5 * len(dates))
    for y, date in enumerate(dates):
        begin = date - pd.DateOffset(months=observation_months - 1)
        middle, end = date + pd.DateOffset(months=1), date + pd.DateOffset(months=1 + performance_months)
        ax.barh(y, middle - begin, left=begin, color=theme.BLUE, height=0.5)
        ax.barh(y, end - middle, left=middle, color=theme.ORANGE, height=0.5)
        ax.text(middle, y + 0.36, str(say("as of {date}", date=f"{date:%Y-%m}")), ha="center", fontsize=9)
    ax.set_ylim(-0.5, len(dates) - 0.1)
    ax.set_yticks([])
    dated(ax)
    ax.set_title(say("Features come from the blue months, the outcome from the orange ones"))
    return figure


@theme.picture
def outcome_rate(rates: pd.DataFrame, outcome: Outcome = PLAIN) -> Figure:
    """Draw the outcome rate by as-of date and sample, with its interval.

    `rates`: as_of_date, sample, n, rate, low, high; one date gives bars per sample.
    """
    figure, (level, rows) = theme.panels(2, height=3.2)
    single = rates["as_of_date"].nunique() == 1
    for name, part in rates.groupby("sample", sort=False):
        at = [term(name)] * len(part) if single else part["as_of_date"]
        error = [part["rate"] - part["low"], part["high"] - part["rate"]]
        colour, shown = _COLOUR.get(name, theme.GREY), term(name)
        level.errorbar(at, part["rate"], yerr=error, fmt="o-", ms=4, color=colour, label=shown, capsize=2)
        rows.bar(at, part["n"], width=0.5 if single else 20, color=colour, label=shown)
    level.set_title(say("{rate} with 95 % interval", rate=outcome.rate))
    level.set_ylim(bottom=0)
    theme.level(outcome, level.yaxis)
    theme.numbers(rows.yaxis)
    rows.set_title(say("Rows"))
    if single:
        level.set_xlim(-0.5, rates["sample"].nunique() - 0.5)
    else:
        rows.legend()
        dated(level)
        dated(rows)
    return figure
