"""A model through time at a glance: PSI heat map, performance and calibration by period, grades, alarms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workbench.figures import labels, theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import formatted, heard, say
from workbench.words.names import display

MOST_LABELS = 12


def _periods(ax: Axes, periods: list[str]) -> None:
    labels.every(ax, periods, most=MOST_LABELS)


@theme.picture
def heat_map(drift: pd.DataFrame, amber: float, red: float, most: int = 25) -> Figure:
    """Draw PSI by feature (rows, the strongest on top) and period (columns); columns feature, period, psi."""
    grid = drift.pivot(index="feature", columns="period", values="psi")
    grid = grid.loc[grid.max(axis=1).sort_values(ascending=False).index[:most]]
    colours = ListedColormap(["#eef5f1", "#d5e6dd", "#f0cf6b", theme.RED])
    figure, (ax,) = theme.panels(width=11, height=1.4 + 0.28 * len(grid))
    ax.imshow(grid.to_numpy(), cmap=colours, norm=BoundaryNorm([0, amber / 2, amber, red, 1e9], 4), aspect="auto")
    ax.set_yticks(range(len(grid)), labels.fitted([display(f) for f in grid.index], 40), fontsize=8)
    _periods(ax, list(grid.columns))
    if grid.shape[1] <= 40:
        for (i, j), v in np.ndenumerate(grid.to_numpy()):
            text = formatted(v, ".2f") if grid.shape[1] <= 24 else formatted(v, ".1f") if v >= amber else ""
            ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color="white" if v >= red else theme.INK)
    ax.grid(False)
    ax.set_title(
        say("PSI against development, by feature and period (amber from {amber}, red from {red})", amber=amber, red=red)
    )
    return figure


@theme.picture
def performance(rows: pd.DataFrame, reference: float, outcome: Outcome = PLAIN) -> Figure:
    """Draw separation (AUC and KS, or rank correlation) and observed against expected; one row per period.

    Where the rows hold estimates, periods that are still open show them, dotted.
    """
    periods, x = list(rows["period"]), np.arange(len(rows))
    figure, (power, level) = theme.panels(2, width=11, height=3.6)
    power.fill_between(x, rows["separation_low"], rows["separation_high"], color=theme.BLUE, alpha=0.2, lw=0)
    binary = getattr(outcome, "kind", "binary") == "binary"
    measure = say("AUC") if binary else say("rank correlation")
    power.plot(x, rows["separation"], "o-", ms=3.5, color=theme.BLUE, label=str(measure))
    if binary:
        power.plot(x, rows["ks"], "s--", ms=3, color=theme.PURPLE, label=str(say("KS")))
    power.axhline(reference, color=theme.GREY, ls=":", label=str(say("{measure} on the hold-out", measure=measure)))
    power.set_title(say("Does it still separate? (95 % interval)"))
    theme.numbers(power.yaxis)
    level.fill_between(x, rows["observed_low"], rows["observed_high"], color=theme.ORANGE, alpha=0.25, lw=0)
    level.plot(x, rows["observed"], "o-", ms=3.5, color=theme.ORANGE, label=str(say("observed")))
    expected = say("expected (mean {predicted})", predicted=outcome.predicted)
    level.plot(x, rows["expected"], "--", color=theme.INK, label=str(expected))
    level.set_title(say("Is the level right? {rate} (99 % interval)", rate=outcome.rate))
    theme.level(outcome, level.yaxis)
    if "estimated_auc" in rows and rows["separation"].isna().any():
        _estimates(power, level, rows, x)
    level.set_ylim(bottom=0)
    for ax in (power, level):
        _periods(ax, periods)
        ax.legend(fontsize=8)
    return figure


def _estimates(power: Axes, level: Axes, rows: pd.DataFrame, x: np.ndarray) -> None:
    """Add what is estimated of open periods, joined to the last one that is known."""
    shown = rows["separation"].isna() | rows["separation"].shift(-1).isna()
    for ax, name, colour in ((power, "estimated_auc", theme.BLUE), (level, "estimated_rate", theme.ORANGE)):
        ax.plot(x, rows[name].where(shown), "o:", ms=3.5, mfc="white", color=colour, label=str(say("estimated")))
    low, high = rows["estimated_low"].where(shown), rows["estimated_high"].where(shown)
    power.fill_between(x, low, high, color=theme.BLUE, alpha=0.08, lw=0)


@theme.picture
def migration(rows: pd.DataFrame) -> Figure:
    """Draw the share of customers that moved to a better and to a worse grade since the period before."""
    figure, (ax,) = theme.panels(width=11, height=2.6)
    x = range(len(rows))
    ax.bar(x, rows["worse"], color=theme.RED, label=str(say("to a worse grade")))
    ax.bar(x, -rows["better"], color=theme.GREEN, label=str(say("to a better grade")))
    ax.axhline(0, color=theme.INK, lw=0.8)
    _periods(ax, list(rows["period"]))
    theme.percent(ax.yaxis)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    ax.set_title(say("Customers changing grade since the period before"))
    return figure


@theme.picture
def grades(mix: pd.DataFrame) -> Figure:
    """Draw the share of every grade by period; rows are periods, columns grades, values shares."""
    shades = [theme.plt.get_cmap("RdYlGn_r")(v) for v in np.linspace(0.05, 0.95, mix.shape[1])]
    figure, (ax,) = theme.panels(width=11, height=2.8)
    ax.stackplot(range(len(mix)), mix.to_numpy().T, labels=[str(c) for c in mix.columns], colors=shades)
    _periods(ax, list(mix.index))
    theme.percent(ax.yaxis)
    ax.set_ylim(0, 1)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, reverse=True)
    ax.set_title(say("Grades by period"))
    return figure


@theme.picture(nothing=say("The alarm never rang."))
def timeline(lights: pd.DataFrame, periods: list[str]) -> Figure:
    """Draw every alarm on a time line; columns kind, subject, period, light."""
    subjects = list(dict.fromkeys(lights["subject"]))[:20]
    figure, (ax,) = theme.panels(width=11, height=1.2 + 0.25 * len(subjects))
    for y, subject in enumerate(subjects):
        rung = lights[lights["subject"] == subject]
        x = [periods.index(p) for p in rung["period"]]
        ax.scatter(x, [y] * len(rung), c=[theme.LIGHTS[v] for v in rung["light"]], s=45, marker="s")
    ax.set_yticks(range(len(subjects)), labels.fitted([_subject(s) for s in subjects], 40), fontsize=8)
    ax.set_xlim(-0.5, len(periods) - 0.5)
    ax.set_ylim(len(subjects) - 0.5, -0.5)
    _periods(ax, periods)
    ax.set_title(say("When the alarm rang, and for what"))
    return figure


def _subject(name: str) -> str:
    return display(name) if "_" in name else heard(name)


@theme.picture
def causes(moved: pd.DataFrame, lost: pd.DataFrame | None, outcome: Outcome = PLAIN, most: int = 10) -> Figure:
    """Draw what each input adds to the change of the mean prediction, and, where known, to that of AUC."""
    figure, axes = theme.panels(1 if lost is None else 2, width=11, height=1.2 + 0.28 * min(most, len(moved)))
    _bars(axes[0], moved.head(most))
    axes[0].set_title(say("Change of the mean {predicted} since development", predicted=outcome.predicted))
    theme.level(outcome, axes[0].xaxis)
    if lost is not None:
        _bars(axes[1], lost.sort_values("change", key=np.abs, ascending=False).head(most))
        axes[1].set_title(say("Change of the AUC that each input adds"))
        theme.numbers(axes[1].xaxis)
    return figure


def _bars(ax: Axes, rows: pd.DataFrame) -> None:
    y = range(len(rows))
    ax.barh(y, rows["change"], color=[theme.RED if v > 0 else theme.BLUE for v in rows["change"]])
    ax.set_yticks(y, labels.fitted([display(f) for f in rows["feature"]], 32), fontsize=8)
    ax.invert_yaxis()
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.axvline(0, color=theme.INK, lw=0.8)
