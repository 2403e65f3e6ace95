"""The service desk in pictures: how many questions are answered, and how many of the answers are right."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.words import say


@theme.picture
def answer_or_hand_over(curve: pd.DataFrame, least: float, accuracy: float) -> Figure:
    """Draw accuracy of the answered by share answered (columns answered, accuracy, threshold), and where it is cut."""
    figure, (ax,) = theme.panels(width=7.5, height=3.6)
    ax.plot(curve["answered"], curve["accuracy"], color=theme.INK)
    ax.axhline(accuracy, color=theme.GREY, ls=":")
    cut = curve[curve["threshold"] >= least]
    if len(cut):
        ax.axvline(cut["answered"].max(), color=theme.ORANGE, lw=0.9)
    ax.set(title=say("Answer or hand over"), xlabel=say("share answered"), ylabel=say("of these right"))
    theme.percent(ax.xaxis, ax.yaxis)
    return figure


@theme.picture
def by_month(unsure: dict[str, float], before: float) -> Figure:
    """Draw the share of questions of which the model was unsure, by month, and what it was on development."""
    figure, (ax,) = theme.panels(width=7.5, height=3.0)
    ax.plot(range(len(unsure)), list(unsure.values()), color=theme.INK, marker="o")
    ax.axhline(before, color=theme.GREY, ls=":")
    ax.set(title=say("Unsure, by month"), xlabel=say("month"), ylabel=say("share of questions"), ylim=(0, 1))
    labels.every(ax, list(unsure), most=12)
    theme.percent(ax.yaxis)
    return figure
