"""Candidates compared in pictures: ROC, KS, lift, calibration and score distribution."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme

LIFT_FROM = 0.01  # of the customers: fewer make a curve of chance


def _curves(y: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cumulated shares of goods, bads and all, from the riskiest down; rows of the same risk are one step."""
    _, at = np.unique(-risk, return_inverse=True)
    sums = (np.bincount(at, w).cumsum() for w in (weight * (1 - y), weight * y, weight))
    return tuple(np.concatenate([[0], c / c[-1]]) for c in sums)


def roc_gains_lift(y: np.ndarray, pds: dict[str, np.ndarray], weight: np.ndarray) -> Figure:
    """Draw ROC curves, gains (defaults by customers looked at) and lift (their default rate over everybody's)."""
    with theme.house():
        figure, (roc, gains, lift) = theme.panels(3, width=12.5, height=3.8)
        for name, pd_ in pds.items():
            good, bad, everyone = _curves(y, pd_, weight)
            roc.plot(good, bad, label=name)
            gains.plot(everyone, bad, label=name)
            looked_at = everyone >= LIFT_FROM
            lift.plot(everyone[looked_at], bad[looked_at] / everyone[looked_at], label=name)
        for ax in (roc, gains):
            ax.plot([0, 1], [0, 1], color=theme.GREY, lw=0.8, ls=":")
            ax.xaxis.set_major_formatter("{x:.0%}")
            ax.yaxis.set_major_formatter("{x:.0%}")
            ax.set_ylabel("defaults found")
        roc.set(title="ROC: the further up and left, the better", xlabel="good customers alarmed")
        gains.set(title="Gains: defaults found among the riskiest", xlabel="customers looked at")
        lift.axhline(1, color=theme.GREY, lw=0.8, ls=":")
        lift.xaxis.set_major_formatter("{x:.0%}")
        lift.set(title="Lift: default rate over the average", xlabel="customers looked at", ylabel="times the average")
        roc.legend()
    return figure


def ks(y: np.ndarray, score: np.ndarray, weight: np.ndarray) -> Figure:
    """Draw score distributions of goods and bads, and the KS distance between their cumulated shares."""
    with theme.house():
        figure, (density, cumulated) = theme.panels(2, height=3.4)
        edges = np.histogram_bin_edges(score, 40)
        for value, name, colour in ((0, "good", theme.GREEN), (1, "bad", theme.RED)):
            density.hist(
                score[y == value],
                edges,
                weights=weight[y == value],
                density=True,
                alpha=0.55,
                color=colour,
                label=name,
            )
        good, bad, _ = _curves(y, -score, weight)
        ordered = np.concatenate([[score.min()], np.unique(score)])
        cumulated.plot(ordered, good, color=theme.GREEN)
        cumulated.plot(ordered, bad, color=theme.RED)
        at = int(np.argmax(bad - good))
        cumulated.vlines(ordered[at], good[at], bad[at], color=theme.INK, lw=1.5)
        cumulated.text(ordered[at], (good[at] + bad[at]) / 2, f"  KS {bad[at] - good[at]:.3f}")
        density.set(title="Score distribution", xlabel="score (higher is safer)", yticks=[])
        cumulated.set(title="Cumulated shares", xlabel="score")
        cumulated.yaxis.set_major_formatter("{x:.0%}")
        density.legend()
    return figure


def calibration(curves: dict[str, pd.DataFrame]) -> Figure:
    """Draw observed against predicted rate; each table: predicted, observed, low, high (0 to 1)."""
    with theme.house():
        figure, axes = theme.panels(len(curves), width=3.6 * len(curves), height=3.6)
        for ax, (name, c) in zip(axes, curves.items(), strict=True):
            top = float(max(c["predicted"].max(), c["high"].max())) * 1.05
            ax.plot([0, top], [0, top], color=theme.GREY, lw=0.8, ls=":")
            ax.errorbar(
                c["predicted"],
                c["observed"],
                yerr=[c["observed"] - c["low"], c["high"] - c["observed"]],
                fmt="o",
                ms=4,
                capsize=2,
            )
            ax.set(title=name, xlabel="predicted PD", ylabel="observed default rate")
            ax.xaxis.set_major_formatter("{x:.0%}")
            ax.yaxis.set_major_formatter("{x:.0%}")
    return figure


def intervals(table: pd.DataFrame, metrics: list[str]) -> Figure:
    """Draw each candidate's metrics with their 95 % intervals; columns NAME, NAME_low, NAME_high."""
    with theme.house():
        figure, axes = theme.panels(len(metrics), width=3.2 * len(metrics), height=2.2)
        for ax, m in zip(axes, metrics, strict=True):
            error = [table[m] - table[f"{m}_low"], table[f"{m}_high"] - table[m]]
            ax.errorbar(table[m], range(len(table)), xerr=error, fmt="o", capsize=3)
            ax.set_yticks(range(len(table)), table["candidate"])
            ax.set_ylim(len(table) - 0.5, -0.5)
            ax.set_title(m.replace("_", " "))
    return figure


def information_value(table: pd.DataFrame, most: int = 20) -> Figure:
    """Draw information values, the largest on top; columns feature, iv."""
    shown = table.sort_values("iv").tail(most)
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=1.0 + 0.24 * len(shown))
        ax.barh(shown["feature"], shown["iv"], color=theme.BLUE)
        for x, words in ((0.02, "useless below"), (0.5, "suspicious above")):
            ax.axvline(x, color=theme.GREY, lw=0.8, ls=":")
            ax.text(x, -0.9, f" {words}", fontsize=7.5, color=theme.GREY)
        ax.tick_params(axis="y", labelsize=8)
        ax.set_title("Information value")
    return figure


def woe(tables: dict[str, pd.DataFrame]) -> Figure:
    """Draw WOE (bars) and bad rate (dots) by bin of a few characteristics; tables: bin, n, bad_rate, woe."""
    with theme.house():
        figure, axes = theme.panels(len(tables), width=4.2 * len(tables), height=3.4)
        for ax, (name, t) in zip(axes, tables.items(), strict=True):
            used = t[t["n"] > 0]
            ax.bar(range(len(used)), used["woe"], color=theme.BLUE, alpha=0.6)
            ax.set_xticks(range(len(used)), [b[:16] for b in used["bin"]], rotation=45, ha="right", fontsize=7.5)
            ax.set_title(name)
            ax.set_ylabel("WOE")
            rate = ax.twinx()
            rate.plot(range(len(used)), used["bad_rate"], "o-", color=theme.ORANGE, ms=4)
            rate.yaxis.set_major_formatter("{x:.0%}")
            rate.grid(False)
    return figure
