"""A store of customer data in pictures: alarms by table and month, days until a delivery came, corrections by month."""

from __future__ import annotations

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from workbench.figures import theme
from workbench.words import say
from workbench.words.names import term

_SCALE = LinearSegmentedColormap.from_list("alarms", ["#e8f1ec", theme.AMBER, theme.RED])
_TICKS = 8


@theme.picture
def alarms(table: pd.DataFrame, months: list[str], tables: list[str]) -> Figure:
    """Draw the kinds of alarm (rows) by month, each cell with its table: nothing is pale, many rows are dark."""
    kinds = list(dict.fromkeys(table["kind"])) or [""]
    share = table.groupby(["kind", "month"])["rows"].sum().unstack("month").reindex(index=kinds, columns=months)
    figure, (ax,) = theme.panels(width=9.5, height=1.3 + 0.3 * len(kinds))
    ax.imshow(share.notna().to_numpy(float) * 2 - 0.0, cmap=_SCALE, vmin=0, vmax=2, aspect="auto")
    ax.set_yticks(range(len(kinds)), [term(k) for k in kinds], fontsize=8)
    for kind, month, name in table[["kind", "month", "table"]].itertuples(index=False, name=None):
        ax.text(
            months.index(month), kinds.index(kind), term(name)[:1], ha="center", va="center", fontsize=7, color="white"
        )
    _months(ax, months)
    ax.grid(False)
    legend = ", ".join(f"{term(t)[:1]}: {term(t)}" for t in tables)
    ax.set_title(say("Alarms by month ({legend})", legend=legend))
    return figure


@theme.picture
def freshness(deliveries: pd.DataFrame, due_day: int) -> Figure:
    """Draw on which day of the next month each table came, month by month, with the day it was due."""
    figure, (ax,) = theme.panels(width=9.5, height=2.8)
    months = sorted(deliveries["month"].unique())
    for i, (name, part) in enumerate(deliveries.groupby("table", sort=False)):
        ax.plot(
            [months.index(m) for m in part["month"]], part["days"], marker="o", ms=5 - i, lw=0.8, label=term(str(name))
        )
    ax.axhline(due_day, ls="--", color=theme.RED, lw=1)
    _months(ax, months)
    ax.set_title(say("Day of the next month on which each table came (dashed: due)"))
    ax.legend(ncols=4)
    return figure


@theme.picture
def corrections(by: pd.DataFrame) -> Figure:
    """Draw how many rows of each month came late and how many were corrected."""
    figure, (ax,) = theme.panels(width=9.5, height=2.8)
    x = range(len(by))
    ax.bar(x, by["late_rows"], label=say("came late"))
    ax.bar(x, by["corrected_rows"], bottom=by["late_rows"], label=say("corrected"))
    _months(ax, list(by["month"]))
    ax.set_title(say("Account-months that weren't right in time"))
    ax.legend()
    return figure


def _months(ax: object, months: list[str]) -> None:
    every = max(len(months) // _TICKS, 1)
    ax.set_xticks(range(0, len(months), every), months[::every])
