"""Actions in pictures: ways to leave through time, value at risk, Qini's curve, the effect by tenth."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme
from workbench.words import say
from workbench.words.names import term


@theme.picture
def incidence(table: pd.DataFrame) -> Figure:
    """Draw the share that has left by each way, by month ahead, and dotted what 1 − Kaplan–Meier says of default."""
    figure, (ax,) = theme.panels(width=7.5, height=3.4)
    for name in [c for c in table.columns if c not in ("staying", "naive")]:
        ax.plot(table.index, table[name], label=term(str(name)))
    ax.plot(table.index, table["naive"], ls=":", color=theme.GREY, label=say("default by 1 − Kaplan–Meier"))
    ax.set_title(say("Share of customers by way of leaving"))
    ax.set_xlabel(say("months ahead"))
    theme.percent(ax.yaxis)
    ax.legend()
    return figure


@theme.picture
def value_at_risk(table: pd.DataFrame, currency: str) -> Figure:
    """Draw the value at risk of each tenth of the customers, highest first."""
    figure, (ax,) = theme.panels(width=7.5, height=3.2)
    ax.bar(table["tenth"].astype(int), table["value_at_risk"])
    ax.set_title(say("Value at risk, {currency}", currency=currency))
    ax.set_xlabel(say("tenth of the customers"))
    ax.set_xticks(table["tenth"].astype(int))
    theme.numbers(ax.yaxis)
    return figure


@theme.picture
def uplift(curve: pd.DataFrame, tenths: pd.DataFrame) -> Figure:
    """Draw Qini's curve with its band against random, and the effect in each tenth of the score."""
    figure, (gains, effects) = theme.panels(2, height=3.4)
    gains.plot(curve["share"], curve["gain"], label=say("by effect"))
    gains.fill_between(curve["share"], curve["low"], curve["high"], alpha=0.2)
    gains.plot(curve["share"], curve["random"], ls="--", color=theme.GREY, label=say("at random"))
    gains.set_title(say("Kept by acting on the first"))
    gains.set_xlabel(say("share acted on"))
    gains.legend()
    error = [tenths["effect"] - tenths["low"], tenths["high"] - tenths["effect"]]
    effects.bar(tenths["tenth"], tenths["effect"], yerr=error, ecolor=theme.INK, capsize=2)
    effects.plot(tenths["tenth"], tenths["predicted"], "o", color=theme.ORANGE, label=say("predicted"))
    effects.axhline(0, color=theme.INK, lw=0.8)
    effects.set_title(say("Effect by tenth, with 95 % interval"))
    effects.set_xlabel(say("tenth of the score, highest first"))
    effects.set_xticks(tenths["tenth"])
    effects.legend()
    theme.percent(gains.xaxis, gains.yaxis, effects.yaxis)
    return figure
