"""Groups of customers in pictures: how many, where they lie, how they differ, and what their policies do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import formatted, heard, say
from workbench.words.names import term


@theme.picture
def number_of_groups(table: pd.DataFrame, k: int, stable: float) -> Figure:
    """Draw stability and separation by number of groups; the chosen number is marked."""
    figure, (stability, separation) = theme.panels(2, height=2.9)
    stability.plot(table["k"], table["stability"], "o-")
    stability.fill_between(table["k"], table["stability_min"], table["stability"], alpha=0.2)
    stability.axhline(stable, color=theme.GREY, ls=":")
    stability.set_title(say("Stability (adjusted Rand index, mean and worst)"))
    separation.plot(table["k"], table["silhouette"], "o-", color=theme.ORANGE)
    separation.set_title(say("Separation (silhouette)"))
    for ax in (stability, separation):
        ax.axvline(k, color=theme.INK, lw=0.8)
        ax.set_xticks(list(table["k"]))
        ax.set_xlabel(say("number of groups"))
        theme.numbers(ax.yaxis)
    return figure


@theme.picture
def scatter(points: np.ndarray, group: np.ndarray, most: int = 1500) -> Figure:
    """Draw the customers on the two directions in which they differ most, coloured by group."""
    colours = theme.plt.get_cmap("tab10")
    figure, (ax,) = theme.panels(width=7.5, height=4.4)
    shown = np.linspace(0, len(points) - 1, min(most, len(points))).astype(int)
    flat = points[:, :2] if points.shape[1] > 1 else np.column_stack([points[:, 0], np.zeros(len(points))])
    for g in np.unique(group):
        members = flat[shown][group[shown] == g]
        ax.scatter(members[:, 0], members[:, 1], s=5, alpha=0.35, color=colours(g), rasterized=True)
        box = {"facecolor": "white", "alpha": 0.8, "edgecolor": colours(g)}
        centre = flat[group == g].mean(axis=0)
        ax.text(*centre, str(g + 1), fontsize=13, weight="bold", ha="center", bbox=box)
    ax.set(title=say("The groups on a map"), xticks=[], yticks=[])
    ax.set(xlabel=say("first direction"), ylabel=say("second direction"))
    return figure


def _column(table: pd.DataFrame, *names: str) -> str:
    return next(n for n in names if n in table)


@theme.picture
def portraits(table: pd.DataFrame, outcome: Outcome = PLAIN) -> Figure:
    """Draw share and outcome rate with interval of every group; columns segment, share, rate, low, high, predicted."""
    observed, predicted = _column(table, "rate", "default rate"), _column(table, "predicted", "mean PD")
    figure, (share, rate) = theme.panels(2, height=1.0 + 0.42 * len(table))
    y, names = range(len(table)), [heard(str(s)) for s in table["segment"]]
    share.barh(y, table["share"], color=theme.BLUE)
    share.set_title(say("Share of customers"))
    error = [table[observed] - table["low"], table["high"] - table[observed]]
    seen = str(say("observed (95 %)"))
    rate.errorbar(table[observed], y, xerr=error, fmt="o", color=theme.ORANGE, capsize=3, label=seen)
    mean = str(say("{predicted} (mean)", predicted=outcome.predicted))
    rate.scatter(table[predicted], y, marker="|", s=200, color=theme.INK, label=mean)
    rate.set_title(outcome.rate)
    rate.legend(fontsize=8)
    theme.percent(share.xaxis)
    theme.level(outcome, rate.xaxis)
    for ax, shown in ((share, names), (rate, [""] * len(names))):
        ax.set_yticks(y, shown)
        ax.set_ylim(len(table) - 0.5, -0.5)
    return figure


@theme.picture
def matrix(cells: pd.DataFrame, outcome: Outcome = PLAIN) -> Figure:
    """Draw risk × need: outcome rate as colour, share, lane and price written in."""
    risks, needs = list(dict.fromkeys(cells["risk"])), sorted(set(cells["need"]))
    observed = _column(cells, "rate", "default rate")
    figure, (ax,) = theme.panels(width=2.6 + 2.3 * len(needs), height=0.9 + 0.8 * len(risks))
    grid = cells.pivot(index="risk", columns="need", values=observed).reindex(index=risks, columns=needs)
    ax.imshow(grid.to_numpy(float), cmap="YlOrRd", aspect="auto", alpha=0.85)
    for c in cells.to_dict("records"):
        ink = "white" if c[observed] > 0.6 * grid.max(axis=None) else theme.INK
        at = needs.index(c["need"]), risks.index(c["risk"])
        ax.text(*at, _in_cell(c, observed, outcome), ha="center", va="center", fontsize=8, color=ink)
    ax.set_xticks(range(len(needs)), labels.fitted([heard(n) for n in needs], 20))
    ax.set_yticks(range(len(risks)), [term(r) for r in risks])
    ax.grid(False)
    ax.set_title(say("Risk and need: how the hold-out turned out, and what the cell gets"))
    return figure


def _in_cell(c: dict[str, object], observed: str, outcome: Outcome) -> str:
    kind = ".4g" if getattr(outcome, "scale", "binary") == "amount" else ".1%"
    if c.get("suppressed"):
        return str(say("too few to tell"))
    lines = (
        say("{rate} {value}", rate=outcome.rate, value=formatted(c[observed], kind)),
        say("{share:.0%} of customers", share=c["share"]),
        say("{lane}, {price:.0%}", lane=say(str(c["lane"])), price=c["interest_rate"]),
    )
    return "\n".join(map(str, lines))


@theme.picture
def policy_effect(table: pd.DataFrame) -> Figure:
    """Draw volume, loss and income as is and with the policies; columns what, as is, with policies, change."""
    figure, axes = theme.panels(len(table), width=11.5, height=3.0)
    for ax, row in zip(axes, table.to_dict("records"), strict=True):
        ways = [str(say("as is")), str(say("with policies"))]
        ax.bar(ways, [row["as is"], row["with policies"]], color=[theme.GREY, theme.BLUE])
        ax.set_title(f"{heard(row['what'])}\n{_change(row)}")
        theme.numbers(ax.yaxis)
        ax.locator_params(axis="y", nbins=5)
    return figure


def _change(row: dict[str, float]) -> str:
    """Return the change in percent; where it starts from nothing or from a loss, percent would mislead: the amount."""
    if row["as is"] > 0:
        return formatted(row["with policies"] / row["as is"] - 1, "+.1%")
    return formatted(row["with policies"] - row["as is"], "+,.0f")
