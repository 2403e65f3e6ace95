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
    """Draw the alarms, each table's kinds by month; the darker, the larger the share of the most rows of its kind."""
    places = table[["table", "kind"]].drop_duplicates().sort_values("table", key=lambda t: t.map(tables.index))
    places = list(places.itertuples(index=False, name=None)) or [("", "")]
    rows = table.groupby(["table", "kind", "month"])["rows"].max().unstack("month").reindex(places, columns=months)
    strength = 0.5 + 0.5 * rows.div(rows.max(axis=1), axis=0)
    figure, (ax,) = theme.panels(width=9.5, height=1.3 + 0.28 * len(places))
    ax.imshow(strength.fillna(0).to_numpy(float), cmap=_SCALE, vmin=0, vmax=1, aspect="auto")
    labels = [f"{term(name)} · {term(kind)}" for name, kind in places]
    ax.set_yticks(range(len(places)), labels, fontsize=8)
    _months(ax, months)
    ax.grid(False)
    ax.set_title(say("Alarms by table, kind and month"))
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
