"""What customers say in pictures: scores through time, what drives them, topics, a product against the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme
from workbench.words import say
from workbench.words.names import term


@theme.picture
def scores(months: pd.DataFrame) -> Figure:
    """Draw the weighted score with its interval by period, the unweighted dotted, significant changes as rings."""
    figure, (ax,) = theme.panels(width=8, height=3.4)
    at = np.arange(len(months))
    ax.fill_between(at, months["low"], months["high"], alpha=0.2, label=say("95 % interval"))
    ax.plot(at, months["weighted"], marker="o", ms=4, label=say("weighted for non-response"))
    ax.plot(at, months["naive"], ls=":", color=theme.GREY, label=say("unweighted"))
    marked = months["marked"].to_numpy(bool)
    ax.plot(
        at[marked],
        months["weighted"].to_numpy()[marked],
        "o",
        ms=11,
        mfc="none",
        color=theme.RED,
        label=say("significant change"),
    )
    _months(ax, months["month"].dt.strftime("%Y-%m").tolist())
    ax.set_title(say("Score in points"))
    theme.numbers(ax.yaxis)
    ax.legend(fontsize=8)
    return figure


@theme.picture
def drivers(table: pd.DataFrame) -> Figure:
    """Draw each attribute's effect on the score with its interval, strongest first."""
    figure, (ax,) = theme.panels(width=7.5, height=0.9 + 0.4 * len(table))
    at = -np.arange(len(table))
    ax.errorbar(
        table["effect"],
        at,
        xerr=[table["effect"] - table["low"], table["high"] - table["effect"]],
        fmt="o",
        capsize=3,
    )
    ax.axvline(0, color=theme.INK, lw=0.8)
    ax.set_yticks(at, [str(a) for a in table["attribute"]])
    ax.set_title(say("Points of ten per standard deviation"))
    theme.numbers(ax.xaxis)
    return figure


@theme.picture
def trends(table: pd.DataFrame, product: str) -> Figure:
    """Draw the score of a product and of the others around a break: side by side before it, or not comparable."""
    figure, (ax,) = theme.panels(width=7.5, height=3.2)
    ax.plot(table["months"], table["its"], marker="o", ms=4, label=term(product))
    ax.plot(table["months"], table["others"], marker="o", ms=4, color=theme.GREY, label=say("other products"))
    ax.axvline(0, color=theme.RED, ls="--", lw=1)
    ax.set_title(say("Mean score, 0 to 10"))
    ax.set_xlabel(say("months from the break"))
    theme.numbers(ax.xaxis, ax.yaxis)
    ax.legend()
    return figure


@theme.picture
def calendar(listed: pd.DataFrame) -> Figure:
    """Draw the calls due on each working day."""
    figure, (ax,) = theme.panels(width=8, height=2.8)
    days = listed.groupby("due_on").size()
    ax.bar(np.arange(len(days)), days)
    _months(ax, [str(d) for d in days.index])
    ax.set_title(say("Calls by working day"))
    theme.numbers(ax.yaxis)
    return figure


def _months(ax, labels: list[str]) -> None:  # type: ignore[no-untyped-def]
    step = max(1, len(labels) // 10)
    ax.set_xticks(np.arange(len(labels))[::step], labels[::step], rotation=30, ha="right")
