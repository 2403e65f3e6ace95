"""Groups of customers in pictures: how many, where they lie, how they differ, and what their policies do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme


def number_of_groups(table: pd.DataFrame, k: int, stable: float) -> Figure:
    """Draw stability and separation by number of groups; the chosen number is marked."""
    with theme.house():
        figure, (left, right) = theme.panels(2, height=2.9)
        left.plot(table["k"], table["stability"], "o-")
        left.fill_between(table["k"], table["stability_min"], table["stability"], alpha=0.2)
        left.axhline(stable, color=theme.GREY, ls=":")
        left.set_title("Stability (adjusted Rand index, mean and worst resample)")
        right.plot(table["k"], table["separation"], "o-", color=theme.ORANGE)
        right.set_title("Separation (silhouette)")
        for ax in (left, right):
            ax.axvline(k, color=theme.INK, lw=0.8)
            ax.set_xlabel("number of groups")
    return figure


def scatter(points: np.ndarray, group: np.ndarray, most: int = 3000) -> Figure:
    """Draw the customers on the two directions in which they differ most, coloured by group."""
    colours = theme.plt.get_cmap("tab10")
    with theme.house():
        figure, (ax,) = theme.panels(width=7.5, height=4.4)
        shown = np.linspace(0, len(points) - 1, min(most, len(points))).astype(int)
        for g in np.unique(group):
            own = points[shown][group[shown] == g]
            ax.scatter(own[:, 0], own[:, 1], s=5, alpha=0.35, color=colours(g))
            centre = points[group == g][:, :2].mean(axis=0)
            ax.text(
                *centre,
                str(g + 1),
                fontsize=13,
                weight="bold",
                ha="center",
                bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": colours(g)},
            )
        ax.set(title="The groups on a map", xlabel="first direction", ylabel="second direction", xticks=[], yticks=[])
    return figure


def portraits(table: pd.DataFrame) -> Figure:
    """Draw share and default rate with interval of every group."""
    with theme.house():
        figure, (left, right) = theme.panels(2, height=0.9 + 0.42 * len(table))
        left.barh(table["segment"], table["share"], color=theme.BLUE)
        left.xaxis.set_major_formatter("{x:.0%}")
        left.set_title("Share of customers")
        error = [table["default rate"] - table["low"], table["high"] - table["default rate"]]
        right.errorbar(
            table["default rate"],
            table["segment"],
            xerr=error,
            fmt="o",
            color=theme.ORANGE,
            capsize=3,
            label="observed (95 %)",
        )
        right.scatter(table["mean PD"], table["segment"], marker="|", s=200, color=theme.INK, label="mean PD")
        right.xaxis.set_major_formatter("{x:.0%}")
        right.set_title("Default rate")
        right.legend(fontsize=8)
        for ax in (left, right):
            ax.invert_yaxis()
    return figure


def matrix(cells: pd.DataFrame) -> Figure:
    """Draw risk × need: default rate as colour, share, lane and price written in."""
    risks, needs = list(dict.fromkeys(cells["risk"])), sorted(set(cells["need"]))
    with theme.house():
        figure, (ax,) = theme.panels(width=2.6 + 2.1 * len(needs), height=0.9 + 0.72 * len(risks))
        grid = cells.pivot(index="risk", columns="need", values="default rate").reindex(index=risks, columns=needs)
        ax.imshow(grid.to_numpy(float), cmap="YlOrRd", aspect="auto", alpha=0.85)
        for c in cells.itertuples():
            text = f"{c._5:.1%} default\n{c.share:.0%} of customers\n{c.lane}, {c.interest_rate:.0%}"
            ink = "white" if c._5 > 0.6 * grid.max(axis=None) else theme.INK
            ax.text(needs.index(c.need), risks.index(c.risk), text, ha="center", va="center", fontsize=8, color=ink)
        ax.set_xticks(range(len(needs)), needs)
        ax.set_yticks(range(len(risks)), risks)
        ax.grid(False)
        ax.set_title("Risk and need: how the hold-out turned out, and what the cell gets")
    return figure


def policy_effect(table: pd.DataFrame) -> Figure:
    """Draw volume, loss and income as is and with the policies; columns what, as is, with policies, change."""
    with theme.house():
        figure, axes = theme.panels(len(table), width=10.5, height=2.8)
        for ax, row in zip(axes, table.itertuples(index=False), strict=True):
            ax.bar(["as is", "with policies"], [row[1], row[2]], color=[theme.GREY, theme.BLUE])
            ax.set_title(f"{row.what} {row.change:+.1%}")
            ax.yaxis.set_major_formatter(theme.plt.matplotlib.ticker.EngFormatter())
    return figure
