"""Candidates compared in pictures: ROC, KS, lift, calibration, information value and WOE."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import Text, formatted, say
from workbench.words.names import display, with_unit

LIFT_FROM = 0.01  # of the customers: fewer make a curve of chance
MOST_POINTS = 400  # of a curve: more can't be seen


def _curves(y: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cumulated shares of negatives, positives and all, from the highest down; equal values are one step."""
    _, at = np.unique(-risk, return_inverse=True)
    sums = (np.bincount(at, w).cumsum() for w in (weight * (1 - y), weight * y, weight))
    whole = tuple(np.concatenate([[0], c / c[-1]]) for c in sums)
    if len(whole[0]) <= MOST_POINTS:
        return whole
    seen = np.unique(np.linspace(0, len(whole[0]) - 1, MOST_POINTS).astype(int))
    return tuple(c[seen] for c in whole)


@theme.picture
def roc_gains_lift(y: np.ndarray, pds: dict[str, np.ndarray], weight: np.ndarray, outcome: Outcome = PLAIN) -> Figure:
    """Draw ROC curves, gains (events by rows looked at) and lift (their rate over everybody's)."""
    figure, (roc, gains, lift) = theme.panels(3, width=12.5, height=3.8)
    for name, predicted in pds.items():
        negative, positive, everyone = _curves(y, predicted, weight)
        roc.plot(negative, positive, label=display(name))
        gains.plot(everyone, positive, label=display(name))
        looked_at = everyone >= LIFT_FROM
        lift.plot(everyone[looked_at], positive[looked_at] / everyone[looked_at], label=display(name))
    for ax in (roc, gains):
        ax.plot([0, 1], [0, 1], color=theme.GREY, lw=0.8, ls=":")
        ax.set_ylabel(say("share of {events} reached", events=outcome.events))
        theme.percent(ax.yaxis)
    theme.percent(roc.xaxis, gains.xaxis, lift.xaxis)
    theme.numbers(lift.yaxis)
    lift.axhline(1, color=theme.GREY, lw=0.8, ls=":")
    roc.set(title=say("ROC: the further up and left, the better"))
    roc.set_xlabel(say("share of the others reached"))
    gains.set(title=say("Gains: {events} by rows looked at", events=outcome.events))
    gains.set_xlabel(say("rows looked at"))
    lift.set(title=say("Lift: {rate} over the average", rate=outcome.rate))
    lift.set(xlabel=say("rows looked at"), ylabel=say("times the average"))
    roc.legend()
    return figure


@theme.picture
def ks(y: np.ndarray, score: np.ndarray, weight: np.ndarray, outcome: Outcome = PLAIN) -> Figure:
    """Draw score distributions of rows with and without the event, and the KS distance of their cumulated shares."""
    figure, (density, cumulated) = theme.panels(2, height=3.4)
    edges = np.histogram_bin_edges(score, 40)
    colours = _colours(outcome)
    for value, name, colour in zip((0, 1), (outcome.negative, outcome.positive), colours, strict=True):
        part = y == value
        density.hist(score[part], edges, weights=weight[part], density=True, alpha=0.55, color=colour, label=str(name))
    _cumulated(cumulated, y, score, weight, colours)
    density.set(title=say("Score distribution"), yticks=[])
    density.set_xlabel(_direction(outcome))
    cumulated.set(title=say("Cumulated shares"), xlabel=say("score"))
    theme.percent(cumulated.yaxis)
    theme.numbers(density.xaxis, cumulated.xaxis)
    density.legend()
    return figure


def _direction(outcome: Outcome) -> Text:
    """Say what a high score means, in the outcome's words: of a favourable one it rises with the event."""
    if outcome.direction == "favourable":
        return say("score (higher: more {events})", events=outcome.events)
    return say("score (higher: fewer {events})", events=outcome.events)


def _colours(outcome: Outcome) -> tuple[str, str]:
    """Return the colours of rows without and with the event: red is what the bank doesn't want."""
    return (theme.RED, theme.GREEN) if outcome.direction == "favourable" else (theme.GREEN, theme.RED)


def _cumulated(ax: Axes, y: np.ndarray, score: np.ndarray, weight: np.ndarray, colours: tuple[str, str]) -> None:
    order = np.argsort(score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)  # the last row of every value
    shares = [np.cumsum((weight * part)[order])[ends] / (weight * part).sum() for part in (1 - y, y)]
    negative, positive = shares
    at = int(np.argmax(np.abs(positive - negative)))  # events have the low scores, or the high where they are wanted
    for share, colour in zip(shares, colours, strict=True):
        seen = np.unique(np.linspace(0, len(ends) - 1, min(MOST_POINTS, len(ends))).astype(int))
        ax.plot(score[order][ends][seen], share[seen], color=colour)
    x = score[order][ends][at]
    ax.vlines(x, negative[at], positive[at], color=theme.INK, lw=1.5)
    distance = say("KS {ks:.3f}", ks=abs(positive[at] - negative[at]))
    ax.annotate(str(distance), (x, (negative[at] + positive[at]) / 2), xytext=(6, 0), textcoords="offset points")


@theme.picture
def calibration(curves: dict[str, pd.DataFrame], outcome: Outcome = PLAIN) -> Figure:
    """Draw observed against predicted rate; each table: predicted, observed, low, high."""
    figure, axes = theme.panels(len(curves), width=3.6 * len(curves), height=3.6)
    for ax, (name, c) in zip(axes, curves.items(), strict=True):
        top = float(max(c["predicted"].max(), c["high"].max())) * 1.05
        ax.plot([0, top], [0, top], color=theme.GREY, lw=0.8, ls=":")
        error = [c["observed"] - c["low"], c["high"] - c["observed"]]
        ax.errorbar(c["predicted"], c["observed"], yerr=error, fmt="o", ms=4, capsize=2)
        ax.set(title=display(name), xlabel=say("{predicted} (mean)", predicted=outcome.predicted))
        ax.set_ylabel(say("{rate} observed", rate=outcome.rate))
        theme.level(outcome, ax.xaxis, ax.yaxis)
    return figure


@theme.picture
def intervals(table: pd.DataFrame, metrics: Mapping[str, Text]) -> Figure:
    """Draw each candidate's metrics (name → title) with 95 % intervals; columns NAME, NAME_low, NAME_high."""
    figure, axes = theme.panels(len(metrics), width=3.2 * len(metrics), height=2.2)
    for i, (ax, (m, title)) in enumerate(zip(axes, metrics.items(), strict=True)):
        ax.hlines(range(len(table)), table[f"{m}_low"], table[f"{m}_high"])  # a weak model's own KS may lie below
        ax.plot(table[m], range(len(table)), "o")
        names = labels.fitted([display(c) for c in table["candidate"]], 16) if i == 0 else [""] * len(table)
        ax.set_yticks(range(len(table)), names)
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.locator_params(axis="x", nbins=4)
        theme.numbers(ax.xaxis)
        ax.set_title(title)
    return figure


@theme.picture
def information_value(table: pd.DataFrame, most: int = 20) -> Figure:
    """Draw information values, the largest on top; columns feature, iv."""
    shown = table.sort_values("iv").tail(most)
    figure, (ax,) = theme.panels(width=9, height=1.0 + 0.26 * len(shown))
    ax.barh(range(len(shown)), shown["iv"], color=theme.BLUE)
    ax.set_yticks(range(len(shown)), labels.fitted([display(f) for f in shown["feature"]], 44))
    for x, words in ((0.02, say("useless below")), (0.5, say("suspicious above"))):
        ax.axvline(x, color=theme.GREY, lw=0.8, ls=":")
        side, shift = ("right", -3) if x > ax.get_xlim()[1] / 2 else ("left", 3)
        ax.annotate(
            str(words), (x, 0), xycoords=("data", "axes fraction"), xytext=(shift, 3), textcoords="offset points",
            fontsize=7.5, color=theme.GREY, ha=side,
        )  # fmt: skip
    ax.set_ylim(-1.1, len(shown) - 0.4)
    theme.numbers(ax.xaxis)
    ax.tick_params(axis="y", labelsize=8)
    ax.set_title(say("Information value"))
    return figure


@theme.picture
def woe(tables: dict[str, pd.DataFrame], outcome: Outcome = PLAIN) -> Figure:
    """Draw WOE (bars) and observed rate (dots) by bin of a few characteristics; tables: bin, n, bad_rate, woe."""
    figure, axes = theme.panels(len(tables), width=4.2 * len(tables), height=3.7)
    for i, (ax, (name, t)) in enumerate(zip(axes, tables.items(), strict=True)):
        used = t[t["n"] > 0]
        ax.bar(range(len(used)), used["woe"], color=theme.BLUE, alpha=0.6)
        labels.along(ax, [_spoken(b) for b in used["bin"]], room=3.3)
        ax.set_title("\n".join(labels.fitted([with_unit(name)], 34)))
        ax.set_ylabel(say("WOE") if i == 0 else "")
        theme.numbers(ax.yaxis)
        rate = ax.twinx()
        rate.plot(range(len(used)), used["bad_rate"], "o-", color=theme.ORANGE, ms=4)
        theme.percent(rate.yaxis)
        rate.grid(False)
        rate.set_ylabel(outcome.rate if i == len(tables) - 1 else "", color=theme.ORANGE)
    return figure


def _spoken(label: object) -> str:
    """Return a bin's name in the language now spoken: `missing`, `unseen` and intervals are words, data are not."""
    from workbench.words import heard

    return heard(str(label)) if isinstance(label, str) else formatted(label)
