"""Customer groups in pictures: what they earn, where stages lead, value foretold and come, policies compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme
from workbench.words import formatted, say
from workbench.words.names import term


@theme.picture
def profit(groups: pd.DataFrame, currency: str) -> Figure:
    """Draw the profit of each need, split by stage."""
    wide = groups.pivot(index="need", columns="stage", values="profit").fillna(0.0)
    figure, (ax,) = theme.panels(width=9, height=1.2 + 0.55 * len(wide))
    colours = theme.plt.get_cmap("tab10")
    for sign in (1, -1):
        base = np.zeros(len(wide))
        for k, stage in enumerate(wide.columns):
            part = wide[stage].clip(lower=0) if sign > 0 else wide[stage].clip(upper=0)
            ax.barh(
                [str(term(n)) for n in wide.index],
                part,
                left=base,
                color=colours(k),
                label=term(stage) if sign > 0 else None,
            )
            base = base + part.to_numpy()
    ax.axvline(0, color=theme.INK, lw=0.8)
    ax.set_title(say("Profit of twelve months by need and stage, {currency}", currency=currency))
    theme.legend_below(ax, ncols=4)
    theme.numbers(ax.xaxis)
    return figure


@theme.picture
def migration(table: pd.DataFrame) -> Figure:
    """Draw the share of each stage's customers (rows) in each stage a year later (columns); few stay blank."""
    shares = table.set_index("stage").drop(columns="suppressed", errors="ignore")
    figure, (ax,) = theme.panels(width=8, height=1.4 + 0.45 * len(shares))
    ax.imshow(shares.to_numpy(float), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(shares.shape):
        value = shares.to_numpy()[i, j]
        if not np.isfinite(value):  # hidden: it would tell of few
            ax.text(j, i, "·", ha="center", va="center", color=theme.GREY)
            continue
        colour = "white" if value > 0.5 else theme.INK
        ax.text(j, i, formatted(float(value), ".0%"), ha="center", va="center", fontsize=8, color=colour)
    ax.set_xticks(range(shares.shape[1]), [str(term(c)) for c in shares.columns], rotation=30, ha="right")
    ax.set_yticks(range(len(shares)), [str(term(c)) for c in shares.index])
    ax.set_title(say("Stage a year later"))
    ax.grid(False)
    return figure


@theme.picture
def value(table: pd.DataFrame) -> Figure:
    """Draw predicted and observed value of each tenth, highest first, with the observed mean's 95 % interval."""
    figure, (ax,) = theme.panels(width=7.5, height=3.2)
    error = [table["observed"] - table["low"], table["high"] - table["observed"]]
    ax.bar(table["tenth"], table["observed"], yerr=error, capsize=3, label=say("observed"))
    ax.plot(table["tenth"], table["predicted"], "o-", color=theme.ORANGE, label=say("predicted"))
    ax.set_title(say("Value of the months ahead, by tenth"))
    ax.set_xlabel(say("tenth of the customers"))
    ax.set_xticks(table["tenth"])
    ax.legend()
    theme.numbers(ax.yaxis)
    return figure


@theme.picture
def policies(table: pd.DataFrame, currency: str) -> Figure:
    """Draw what each policy brings a customer, with its 95 % interval."""
    figure, (ax,) = theme.panels(width=7.5, height=1.0 + 0.4 * len(table))
    y = np.arange(len(table))
    error = [table["value"] - table["low"], table["high"] - table["value"]]
    ax.errorbar(table["value"], y, xerr=error, fmt="o", capsize=3)
    ax.set_yticks(y, [str(term(c)) for c in table["policy"]])
    ax.invert_yaxis()
    ax.set_title(say("What a policy brings, {currency} a customer", currency=currency))
    theme.numbers(ax.xaxis)
    return figure
