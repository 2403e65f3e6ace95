"""Conversion in pictures: the funnel, cohorts, time to convert, mix against rate, ranking and level through time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import formatted, heard, say

WAYS = {"declined": theme.RED, "abandoned": theme.ORANGE, "silent": theme.GREY}


@theme.picture
def funnel(table: pd.DataFrame) -> Figure:
    """Draw the share that reached each step with its interval, and what became of those who stopped there."""
    figure, (reached, lost) = theme.panels(2, width=11, height=1.2 + 0.4 * len(table))
    y, names = np.arange(len(table)), [heard(s.replace("_", " ")) for s in table["step"]]
    error = [table["of_first"] - table["first_low"], table["first_high"] - table["of_first"]]
    reached.barh(y, table["of_first"], xerr=np.clip(error, 0, None), color=theme.BLUE, ecolor=theme.INK, capsize=2)
    for at, share in zip(y, table["of_first"], strict=True):
        reached.text(0.01, at, formatted(share, ".1%"), va="center", color="white", fontsize=8)
    reached.set_title(say("Share that reached the step"))
    start = np.zeros(len(table))
    for way, colour in WAYS.items():
        lost.barh(y, table[way], left=start, color=colour, label=heard(way))
        start += table[way].to_numpy(float)
    lost.set_title(say("What became of those who stopped there"))
    lost.legend(fontsize=8)
    theme.percent(reached.xaxis)
    theme.numbers(lost.xaxis)
    for ax, shown in ((reached, names), (lost, [""] * len(names))):
        ax.set_yticks(y, shown)
        ax.set_ylim(len(table) - 0.5, -0.5)
    return figure


@theme.picture
def cohorts(table: pd.DataFrame) -> Figure:
    """Draw the rate of each cohort with its interval; cohorts with open units are grey, their rate of the closed."""
    shown = table.iloc[:-1]
    figure, (ax,) = theme.panels(width=9, height=3.2)
    x, is_open = np.arange(len(shown)), shown["open"].to_numpy() > 0
    for part, colour, words in (
        (~is_open, theme.BLUE, say("window over")),
        (is_open, theme.GREY, say("open: still counting")),
    ):
        rows = shown[part].dropna(subset="rate")
        error = [rows["rate"] - rows["low"], rows["high"] - rows["rate"]]
        if len(rows):
            at = x[part][shown.loc[part, "rate"].notna()]
            ax.errorbar(at, rows["rate"], yerr=np.clip(error, 0, None), fmt="o", color=colour, capsize=2, label=words)
    for at in x[is_open]:
        ax.axvspan(at - 0.5, at + 0.5, color=theme.GREY, alpha=0.15)
    ax.set_title(say("Share that converts, by quarter of the first step"))
    labels.every(ax, list(shown.iloc[:, 0]), most=12)
    theme.percent(ax.yaxis)
    ax.legend(fontsize=8)
    return figure


@theme.picture
def time_to_convert(curves: dict[str, pd.DataFrame]) -> Figure:
    """Draw the share converted by each day (1 − Kaplan–Meier), one line a group of cohorts."""
    figure, (ax,) = theme.panels(width=8, height=3.2)
    for name, curve in curves.items():
        ax.step(curve.index, curve["converted"], where="post", label=heard(name))
    ax.set_title(say("Share converted by day"))
    ax.set_xlabel(say("days since the first step"))
    theme.percent(ax.yaxis)
    ax.legend(fontsize=8)
    return figure


@theme.picture
def bridge(table: pd.DataFrame) -> Figure:
    """Draw what each segment adds to the change: mix and rate side by side, and their sums."""
    shown = table[["segment", "mix", "rate"]]
    if shown[["mix", "rate"]].notna().all(axis=None):  # with hidden ones the sum isn't known here
        whole = {"segment": say("all"), "mix": table["mix"].sum(), "rate": table["rate"].sum()}
        shown = pd.concat([shown, pd.DataFrame([whole])], ignore_index=True)
    figure, (ax,) = theme.panels(width=8.5, height=1.2 + 0.42 * len(shown))
    y = np.arange(len(shown))
    ax.barh(y - 0.18, shown["mix"], 0.34, color=theme.ORANGE, label=say("mix: who comes"))
    ax.barh(y + 0.18, shown["rate"], 0.34, color=theme.BLUE, label=say("rate: how they convert"))
    ax.axvline(0, color=theme.INK, lw=0.8)
    ax.set_yticks(y, labels.fitted([heard(str(s)) for s in shown["segment"]], 22))
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_title(say("What the change is made of"))
    theme.percent(ax.xaxis)
    ax.legend(fontsize=8)
    return figure


@theme.picture
def ranking(table: pd.DataFrame) -> Figure:
    """Draw the AUC of each group of rows with its interval; columns rows, auc, low, high."""
    figure, (ax,) = theme.panels(width=8, height=1.0 + 0.34 * len(table))
    y = np.arange(len(table))
    error = [table["auc"] - table["low"], table["high"] - table["auc"]]
    ax.errorbar(table["auc"], y, xerr=error, fmt="o", capsize=3)
    ax.axvline(0.5, color=theme.GREY, ls=":")
    ax.set_yticks(y, [str(r) for r in table["rows"]])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.set_title(say("AUC with 95 % interval"))
    theme.numbers(ax.xaxis)
    return figure


@theme.picture
def level(table: pd.DataFrame, outcome: Outcome = PLAIN) -> Figure:
    """Draw observed rate by quarter with its interval, and predictions as developed and recalibrated.

    Columns: quarter, rows, rate, low, high, predicted, recalibrated, by place (words may name some of them).
    """
    quarter, _, rate, low, high, predicted, updated = (table.iloc[:, i] for i in range(7))
    figure, (ax,) = theme.panels(width=9, height=3.4)
    x = np.arange(len(table))
    ax.errorbar(x, rate, yerr=[rate - low, high - rate], fmt="o", color=theme.INK, capsize=2, label=outcome.rate)
    ax.plot(x, predicted, "s-", color=theme.ORANGE, label=say("as developed"))
    ax.plot(x, updated, "^-", color=theme.GREEN, label=say("recalibrated"))
    ax.set_title(say("Predicted and observed, quarter by quarter"))
    labels.every(ax, list(quarter), most=12)
    theme.percent(ax.yaxis)
    ax.legend(fontsize=8)
    return figure
