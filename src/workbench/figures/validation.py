"""The battery at a glance, and the pictures behind its verdicts."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme

_INK = {"amber": theme.INK}
_COLOUR = {**theme.LIGHTS, "error": theme.RED, "not_evaluated": theme.GREY}


def tiles(tests: pd.DataFrame) -> Figure:
    """Draw one tile per test in the colour of its light, a row per family; columns family, name, light."""
    families = list(dict.fromkeys(tests["family"]))
    widest = int(tests.groupby("family").size().max())
    with theme.house():
        figure, (ax,) = theme.panels(width=11, height=0.5 + 0.62 * len(families))
        for y, name in enumerate(families):
            for x, (_, t) in enumerate(tests[tests["family"] == name].iterrows()):
                ax.add_patch(theme.plt.Rectangle((x + 0.03, y + 0.08), 0.94, 0.84, color=_COLOUR[t["light"]]))
                ax.text(
                    x + 0.5,
                    y + 0.5,
                    t["name"].replace("_", "\n", 1),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=_INK.get(t["light"], "white"),
                )
        ax.set_xlim(0, widest)
        ax.set_ylim(len(families), 0)
        ax.set_yticks([y + 0.5 for y in range(len(families))], families)
        ax.set_xticks([])
        ax.grid(False)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
    return figure


def grades(table: pd.DataFrame) -> Figure:
    """Draw observed rate with interval against PD by grade; columns grade, pd, observed, low, high."""
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=3.4)
        error = [table["observed"] - table["low"], table["high"] - table["observed"]]
        ax.errorbar(
            table["grade"],
            table["observed"],
            yerr=error,
            fmt="o",
            color=theme.ORANGE,
            capsize=3,
            label="observed (95 %)",
        )
        ax.scatter(table["grade"], table["pd"], marker="_", s=300, color=theme.INK, label="PD")
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.set_ylim(bottom=0)
        ax.set_title("Every grade on the hold-out")
        ax.legend()
    return figure


def bars(table: pd.DataFrame, label: str, value: str, title: str, most: int = 15) -> Figure:
    """Draw the largest values of a table as bars, the largest on top."""
    shown = table.sort_values(value).tail(most)
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=0.9 + 0.26 * len(shown))
        ax.barh(shown[label].astype(str), shown[value], color=theme.BLUE)
        ax.tick_params(axis="y", labelsize=8)
        ax.set_title(title)
    return figure


def groups(table: pd.DataFrame, amber: float) -> Figure:
    """Draw approval ratios of groups (column, group, ratio), with mean PD and observed default rate beside."""
    names = [f"{c}: {g}" for c, g in zip(table["column"], table["group"], strict=True)]
    with theme.house():
        figure, (left, right) = theme.panels(2, height=0.9 + 0.28 * len(table))
        left.barh(names, table["ratio"], color=[theme.BLUE if r >= amber else theme.AMBER for r in table["ratio"]])
        left.axvline(amber, color=theme.GREY, ls=":")
        left.set_title("Approval rate over the most favoured group's")
        right.scatter(table["default rate"], names, color=theme.ORANGE, label="observed")
        right.scatter(table["mean PD"], names, marker="|", s=150, color=theme.INK, label="PD")
        right.xaxis.set_major_formatter("{x:.0%}")
        right.set_yticks(range(len(names)), [""] * len(names))
        right.set_title("Observed default rate and PD")
        right.legend(fontsize=8)
    return figure
