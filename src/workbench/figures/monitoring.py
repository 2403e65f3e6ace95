"""A model through time at a glance: PSI heat map, performance and calibration by period, grades, alarms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from workbench.figures import theme

MOST_LABELS = 12


def _periods(ax: Axes, periods: list[str]) -> None:
    step = max(1, int(np.ceil(len(periods) / MOST_LABELS)))
    ax.set_xticks(
        range(0, len(periods), step),
        periods[::step],
        rotation=45 if len(periods) > 6 else 0,
        ha="right" if len(periods) > 6 else "center",
        fontsize=8,
    )


def heat_map(drift: pd.DataFrame, amber: float, red: float, most: int = 25) -> Figure:
    """Draw PSI by feature (rows, the strongest on top) and period (columns); columns feature, period, psi."""
    grid = drift.pivot(index="feature", columns="period", values="psi")
    grid = grid.loc[grid.max(axis=1).sort_values(ascending=False).index[:most]]
    colours = ListedColormap(["#eef5f1", "#d5e6dd", "#f0cf6b", theme.RED])
    with theme.house():
        figure, (ax,) = theme.panels(width=11, height=1.4 + 0.26 * len(grid))
        ax.imshow(grid.to_numpy(), cmap=colours, norm=BoundaryNorm([0, amber / 2, amber, red, 1e9], 4), aspect="auto")
        ax.set_yticks(range(len(grid)), grid.index, fontsize=8)
        _periods(ax, list(grid.columns))
        if grid.shape[1] <= 40:
            for (i, j), v in np.ndenumerate(grid.to_numpy()):
                text = f"{v:.2f}" if grid.shape[1] <= 24 else f"{v:.1f}" if v >= amber else ""
                ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color="white" if v >= red else theme.INK)
        ax.grid(False)
        ax.set_title(f"PSI against development, by feature and period (amber from {amber}, red from {red})")
    return figure


def performance(rows: pd.DataFrame, reference_auc: float) -> Figure:
    """Draw AUC and KS, and observed against expected default rate, by period; one row per period."""
    periods, x = list(rows["period"]), np.arange(len(rows))
    with theme.house():
        figure, (left, right) = theme.panels(2, width=11, height=3.6)
        left.fill_between(x, rows["auc_low"], rows["auc_high"], color=theme.BLUE, alpha=0.2, lw=0)
        left.plot(x, rows["auc"], "o-", ms=3.5, color=theme.BLUE, label="AUC")
        left.plot(x, rows["ks"], "s--", ms=3, color=theme.PURPLE, label="KS")
        left.axhline(reference_auc, color=theme.GREY, ls=":", label="AUC on the hold-out")
        left.set_title("Does it still separate? (95 % interval)")
        right.fill_between(x, rows["observed_low"], rows["observed_high"], color=theme.ORANGE, alpha=0.25, lw=0)
        right.plot(x, rows["observed"], "o-", ms=3.5, color=theme.ORANGE, label="observed")
        right.plot(x, rows["expected"], "--", color=theme.INK, label="expected (mean PD)")
        right.set_title("Are the PDs right? (99 % interval)")
        right.yaxis.set_major_formatter("{x:.0%}")
        right.set_ylim(bottom=0)
        for ax in (left, right):
            _periods(ax, periods)
            ax.legend(fontsize=8)
    return figure


def grades(mix: pd.DataFrame) -> Figure:
    """Draw the share of every grade by period; rows are periods, columns grades, values shares."""
    shades = [theme.plt.get_cmap("RdYlGn_r")(v) for v in np.linspace(0.05, 0.95, mix.shape[1])]
    with theme.house():
        figure, (ax,) = theme.panels(width=11, height=2.8)
        ax.stackplot(range(len(mix)), mix.to_numpy().T, labels=mix.columns, colors=shades)
        _periods(ax, list(mix.index))
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.set_ylim(0, 1)
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, reverse=True)
        ax.set_title("Grades by period")
    return figure


def timeline(lights: pd.DataFrame, periods: list[str]) -> Figure:
    """Draw every alarm on a time line; columns kind, subject, period, light."""
    subjects = list(dict.fromkeys(lights["subject"]))[:20]
    with theme.house():
        figure, (ax,) = theme.panels(width=11, height=1.2 + 0.25 * max(len(subjects), 1))
        for y, subject in enumerate(subjects):
            own = lights[lights["subject"] == subject]
            ax.scatter(
                [periods.index(p) for p in own["period"]],
                [y] * len(own),
                c=[theme.LIGHTS[v] for v in own["light"]],
                s=45,
                marker="s",
            )
        ax.set_yticks(range(len(subjects)), subjects, fontsize=8)
        ax.set_xlim(-0.5, len(periods) - 0.5)
        ax.set_ylim(len(subjects) - 0.5, -0.5)
        _periods(ax, periods)
        ax.set_title("When the alarm rang, and for what" if subjects else "The alarm never rang")
    return figure
