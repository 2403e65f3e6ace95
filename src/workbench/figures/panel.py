"""The panel in two pictures: its windows on a time line, and the outcome rate by as-of month."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme

_COLOUR = {"development": theme.BLUE, "holdout": theme.ORANGE, "monitoring": theme.PURPLE}


def windows(as_of: pd.DatetimeIndex, observation_months: int, performance_months: int) -> Figure:
    """Draw observation and performance windows of the first and last as-of month."""
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=1.9)
        for y, date in enumerate(sorted({as_of.min(), as_of.max()})):
            begin = date - pd.DateOffset(months=observation_months - 1)
            middle, end = date + pd.DateOffset(months=1), date + pd.DateOffset(months=1 + performance_months)
            ax.barh(y, middle - begin, left=begin, color=theme.BLUE, height=0.5)
            ax.barh(y, end - middle, left=middle, color=theme.ORANGE, height=0.5)
            ax.text(middle, y + 0.36, f" as of {date:%Y-%m}", ha="center", fontsize=9)
        ax.set_ylim(-0.5, 1.9 if len(set(as_of)) > 1 else 0.9)
        ax.set_yticks([])
        ax.set_title("Features come from the blue months, the outcome from the orange ones")
    return figure


def outcome_rate(rates: pd.DataFrame, words: str = "", *, percent: bool = True) -> Figure:
    """Draw the outcome's rate or mean by as-of month and sample, with its interval; `words` say what it is.

    `rates`: as_of_date, sample, n, rate, low, high; one month gives bars per sample.
    """
    with theme.house():
        figure, (left, right) = theme.panels(2, height=3.2)
        single = rates["as_of_date"].nunique() == 1
        for name, part in rates.groupby("sample", sort=False):
            at = [name] * len(part) if single else part["as_of_date"]
            error = [part["rate"] - part["low"], part["high"] - part["rate"]]
            left.errorbar(at, part["rate"], yerr=error, fmt="o-", ms=4, color=_COLOUR[name], label=name, capsize=2)
            right.bar(at, part["n"], width=0.5 if single else 20, color=_COLOUR[name], label=name)
        left.set_title(f"{words} with 95 % interval".strip().capitalize())
        left.set_ylim(bottom=0)
        if percent:
            left.yaxis.set_major_formatter("{x:.1%}")
        right.set_title("Rows")
        right.legend()
        if not single:
            figure.autofmt_xdate()
    return figure
