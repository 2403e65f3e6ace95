"""Events in pictures: a funnel, the process as a graph, its variants, what follows an event, who comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path

from workbench.figures import labels, theme
from workbench.words import formatted, heard, say
from workbench.words.names import term

MOST_BARS, MOST_ARCS = 12, 24
BOX, LETTER = 0.07, 0.024  # half the width of a kind's box: of an empty one, and what each letter adds


@theme.picture
def funnel(rows: pd.DataFrame) -> Figure:
    """Draw the share that reached each step with its interval, and grey beside it the cohort that is still open.

    rows: of `actions.funnel.funnel` without a split.
    """
    steps = rows.drop_duplicates("step").sort_values("step")
    figure, (ax,) = theme.panels(width=9.5, height=1.2 + 0.55 * len(steps))
    for is_open, shift, colour in ((False, -0.18, theme.BLUE), (True, 0.22, theme.GRID)):
        part = rows[(rows["is_open"] == is_open) & rows["reached"].notna()].sort_values("step")
        if not len(part):
            continue
        y, error = part["step"] + shift, None
        if not is_open:
            error = [part["of_first"] - part["first_low"], part["first_high"] - part["of_first"]]
        label = say("still open: can only rise") if is_open else say("window over, 95 % interval")
        ax.barh(y, part["of_first"], 0.34, xerr=error, color=colour, ecolor=theme.INK, capsize=3, label=str(label))
        ends = part["of_first"] if is_open else part["first_high"]
        for at, end, n in zip(y, ends, part["reached"], strict=True):
            ax.text(end + 0.01, at, formatted(int(n), ",d"), va="center", fontsize=8)
    ax.set_yticks(steps["step"], [term(k) for k in steps["event_kind"]])
    ax.set_ylim(len(steps) + 0.6, 0.4)
    ax.set_xlim(0, 1.12)
    ax.set_title(say("Share that reached each step"))
    theme.percent(ax.xaxis)
    ax.legend(loc="lower right", fontsize=8)
    return figure


@theme.picture
def graph(arcs: pd.DataFrame, order: list[str]) -> Figure:
    """Draw who follows whom: kinds from top to bottom in their order, arcs by how often, with the median days.

    arcs: of `actions.process.graph`. Forward to the next kind straight; forward past others to the right, back (rework)
    to the left. The rarest arcs beyond `MOST_ARCS` are left out.
    """
    arcs = arcs.head(MOST_ARCS)
    present = {*arcs["from_kind"], *arcs["to_kind"]}
    kinds = [k for k in order if k in present] + sorted(present - set(order))
    figure, (ax,) = theme.panels(width=10, height=1.2 + 0.82 * len(kinds))
    for i, kind in enumerate(kinds):
        box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": theme.BLUE}
        ax.text(0, -i, term(kind), ha="center", va="center", fontsize=9, bbox=box, zorder=3)
    most, beside = arcs["n"].max() if len(arcs) else 1, [0, 0]
    edges = [BOX + LETTER * labels.width(term(kind)) for kind in kinds]
    placed = [(kinds.index(a["from_kind"]), kinds.index(a["to_kind"]), a) for a in arcs.to_dict("records")]
    for start, end, arc in sorted(placed, key=lambda a: (abs(a[1] - a[0]), a[0])):
        is_back = end <= start
        _arc(ax, arc, [(start, edges[start]), (end, edges[end])], (arc["n"] / most, beside[is_back]))
        beside[is_back] += end != start + 1
    ax.set(xlim=(-2.6, 4.2), ylim=(-len(kinds) + 0.3, 0.7), xticks=[], yticks=[])
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_title(say("Who follows whom: times, and days in the median"))
    return figure


def _arc(ax: Axes, arc: dict[str, float], ends: list[tuple[int, float]], look: tuple[float, int]) -> None:
    """Draw one arc, straight to the next kind, else in a lane of its own beside the kinds.

    ends: place and half the width of the kind it leaves and of the one it comes to. look: share of the thickest, lane.
    """
    ((start, begin), (end, stop)), (share, lane) = ends, look
    is_back = end <= start
    ink, text = theme.RED if is_back else theme.BLUE, say("{n:,} · {days:.1f} d", n=arc["n"], days=arc["median_days"])
    if end == start + 1:
        points, at = [(0, -start - 0.24 - 0.52 * t / 3) for t in range(4)], (0.42, -(start + end) / 2)
    else:
        side, reach = (-1 if is_back else 1), 0.85 + 0.36 * lane
        a, b = (side * begin, -start - 0.06), (side * stop, -end + 0.06 + 0.12 * (start == end))
        points = [a, (side * (0.72 + reach), a[1]), (side * (0.72 + reach), b[1]), b]
        t = 0.5 if is_back else 0.3 + 0.1 * (lane % 4)  # labels of neighbours at different heights
        weights = np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
        at = tuple(weights @ np.array(points))
    course = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    arrow = {"arrowstyle": "-|>", "mutation_scale": 10, "color": ink, "fill": False}
    ax.add_patch(FancyArrowPatch(path=course, lw=0.5 + 3.5 * share, alpha=0.75, **arrow))
    box = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.5}
    ax.text(*at, str(text), fontsize=7.5, ha="center", va="center", color=ink, bbox=box, zorder=4)


@theme.picture
def variants(rows: pd.DataFrame) -> Figure:
    """Draw the share of cases that took each course, most frequent first; `variant` holds kinds, apart by `, `."""
    rows = rows.head(MOST_BARS)
    figure, (ax,) = theme.panels(width=11.5, height=0.9 + 0.42 * len(rows))
    ax.barh(range(len(rows)), rows["share"], color=theme.BLUE)
    top = float(rows["share"].max()) if len(rows) else 1.0
    for i, r in enumerate(rows.itertuples()):
        ax.text(r.share + top * 0.015, i, heard(r.variant), va="center", fontsize=7)
    ax.set_yticks(range(len(rows)), [formatted(int(n), ",d") for n in rows["cases"]])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, top * 4.5)
    ax.set_ylabel(say("cases"))
    ax.set_title(say("The courses most cases take"))
    theme.percent(ax.xaxis)
    return figure


@theme.picture
def forest(rows: pd.DataFrame, most: int = 20) -> Figure:
    """Draw the ratio of each kind of event with its interval on a log scale, the surest first; full: it passes."""
    rows = rows[rows["ratio"].notna()].head(most)
    figure, (ax,) = theme.panels(width=9, height=1.1 + 0.3 * len(rows))
    for i, r in enumerate(rows.itertuples()):
        ink = (theme.RED if r.ratio > 1 else theme.GREEN) if r.passes else theme.GREY
        ax.plot([r.low, r.high], [i, i], color=ink, lw=1.6)
        ax.plot(r.ratio, i, "o", color=ink, mfc=ink if r.passes else "white", ms=6)
    ax.axvline(1, color=theme.INK, lw=0.8)
    ax.set_xscale("log")
    ends = rows["low"].min(), rows["high"].max()
    ticks = [t for t in (0.25, 0.5, 0.7, 1, 1.4, 2, 3, 4, 6) if not len(rows) or 0.9 * ends[0] <= t <= 1.1 * ends[1]]
    ax.set_xticks(ticks, [formatted(t, ".4g") for t in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(rows)), [term(k) for k in rows["event_kind"]])
    ax.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    ax.set_xlabel(say("times as often as in matched customers without it"))
    ax.set_title(say("What follows an event (full: passes; 95 % interval)"))
    return figure


@theme.picture
def triangle(rows: pd.DataFrame, most: int = 24) -> Figure:
    """Draw the share of each cohort that came back, by months since its first event; the latest cohorts."""
    rows = rows[(rows["cohort"] > rows["cohort"].max() - most) & (rows["age"] <= most)]
    grid = rows.pivot(index="cohort", columns="age", values="share")
    figure, (ax,) = theme.panels(width=10, height=1.4 + 0.2 * len(grid))
    later = grid.drop(columns=[0], errors="ignore").max(axis=None)
    image = ax.imshow(grid, aspect="auto", cmap="Blues", vmin=0, vmax=later if np.isfinite(later) and later > 0 else 1)
    figure.colorbar(image, ax=ax, format=lambda v, _: formatted(v, ".0%"), pad=0.01)
    names = [f"{(int(c) - 1) // 12}-{(int(c) - 1) % 12 + 1:02d}" for c in grid.index]
    step = max(1, len(names) // 12)
    ax.set_yticks(range(0, len(names), step), names[::step])
    ax.set_xlabel(say("months since the first"))
    ax.set_title(say("Share of each month's customers that came back"))
    ax.grid(False)
    return figure
