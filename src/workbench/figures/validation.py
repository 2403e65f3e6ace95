"""The battery at a glance, and the pictures behind its verdicts."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import heard, say
from workbench.words.names import display, term

_INK = {"amber": theme.INK}
_COLOUR = {**theme.LIGHTS, "error": theme.RED, "not_evaluated": theme.GREY}
_ACROSS = 620  # points that a row of tiles has for its names


@theme.picture
def tiles(tests: pd.DataFrame) -> Figure:
    """Draw one tile per test in the colour of its light, a row per family; columns family, name, light."""
    families = list(dict.fromkeys(tests["family"]))
    widest = int(tests.groupby("family").size().max())
    figure, (ax,) = theme.panels(width=11, height=0.8 + 0.62 * len(families))
    for y, family in enumerate(families):
        for x, t in enumerate(tests[tests["family"] == family].to_dict("records")):
            ax.add_patch(theme.plt.Rectangle((x + 0.03, y + 0.08), 0.94, 0.84, color=_COLOUR[t["light"]]))
            name = "\n".join(labels.fitted([_title(t["name"])], int(100 / widest)))
            ink, size = _INK.get(t["light"], "white"), labels.size(name, _ACROSS / widest)
            ax.text(x + 0.5, y + 0.5, name, ha="center", va="center", fontsize=size, color=ink)
    ax.set_xlim(0, widest)
    ax.set_ylim(len(families), 0)
    ax.set_yticks([y + 0.5 for y in range(len(families))], [_title(f) for f in families])
    ax.set_xticks([])
    ax.set_title(say("Every test in the colour of its light, by family"))
    ax.grid(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    return figure


def _title(code: str) -> str:
    return term(code)


@theme.picture
def grades(table: pd.DataFrame, outcome: Outcome = PLAIN) -> Figure:
    """Draw observed rate with interval and predicted one by grade; columns grade, predicted, observed, low, high."""
    predicted = "predicted" if "predicted" in table else "pd"
    figure, (ax,) = theme.panels(width=9, height=3.4)
    x = range(len(table))
    error = [table["observed"] - table["low"], table["high"] - table["observed"]]
    seen = str(say("observed (95 %)"))
    ax.errorbar(x, table["observed"], yerr=error, fmt="o", color=theme.ORANGE, capsize=3, label=seen)
    ax.scatter(x, table[predicted], marker="_", s=300, color=theme.INK, label=str(outcome.predicted))
    ax.set_xticks(x, [str(g) for g in table["grade"]])
    theme.level(outcome, ax.yaxis)
    ax.set_ylim(bottom=0)
    ax.set_title(say("Every grade on the hold-out: {rate}", rate=outcome.rate))
    ax.legend()
    return figure


@theme.picture
def bars(table: pd.DataFrame, label: str, value: str, title: str, most: int = 15) -> Figure:
    """Draw the largest values of a table as bars, the largest on top; the title is an English template."""
    shown = table.sort_values(value).tail(most)
    figure, (ax,) = theme.panels(width=9, height=0.9 + 0.28 * len(shown))
    y = range(len(shown))
    ax.barh(y, shown[value], color=theme.BLUE)
    ax.set_yticks(y, labels.fitted([display(str(v)) for v in shown[label]], 44))
    (theme.percent if shown[value].abs().max() <= 1 else theme.numbers)(ax.xaxis)
    ax.tick_params(axis="y", labelsize=8)
    ax.set_title(heard(str(title)))
    return figure


@theme.picture
def groups(table: pd.DataFrame, amber: float, outcome: Outcome = PLAIN) -> Figure:
    """Draw ratios of groups (column, group, ratio), with predicted and observed rate beside."""
    names = [f"{display(c)}: {heard(str(g))}" for c, g in zip(table["column"], table["group"], strict=True)]
    observed = next(n for n in ("observed", "rate", "default rate") if n in table)
    predicted = next(n for n in ("predicted", "mean predicted", "mean PD") if n in table)
    figure, (ratio, rate) = theme.panels(2, height=1.0 + 0.3 * len(table))
    y = range(len(table))
    ratio.barh(y, table["ratio"], color=[theme.BLUE if r >= amber else theme.AMBER for r in table["ratio"]])
    ratio.axvline(amber, color=theme.GREY, ls=":")
    ratio.set_title(say("Share of the most favoured group's"))
    theme.numbers(ratio.xaxis)
    rate.scatter(table[observed], y, color=theme.ORANGE, label=str(say("observed")))
    rate.scatter(table[predicted], y, marker="|", s=150, color=theme.INK, label=str(outcome.predicted))
    theme.level(outcome, rate.xaxis)
    rate.set_title(say("{rate} and {predicted}", rate=outcome.rate, predicted=outcome.predicted))
    rate.legend(fontsize=8)
    for ax, shown in ((ratio, labels.fitted(names, 40)), (rate, [""] * len(names))):
        ax.set_yticks(y, shown)
        ax.set_ylim(-0.6, len(names) - 0.4)
    return figure
