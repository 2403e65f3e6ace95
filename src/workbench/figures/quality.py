"""Data quality as a heat map: column by dimension, the worst columns on top; and what each feature says alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.words import formatted, say
from workbench.words.names import display, term

ALONE = "auc_of_a_small_tree_cross_validated"  # of the leakage screen's table
_SCALE = LinearSegmentedColormap.from_list("quality", [theme.RED, theme.AMBER, "#e8f1ec"])


@theme.picture
def heat_map(shares: pd.DataFrame, dimensions: list[str], most: int = 25) -> Figure:
    """Draw the share of good rows of each column (rows of `shares`) in each dimension; 80 % and less is darkest."""
    worst = shares.assign(mean=shares[dimensions].mean(axis=1)).sort_values("mean", kind="stable").head(most)
    values = worst[dimensions].to_numpy(float)
    figure, (ax,) = theme.panels(width=9, height=1.2 + 0.28 * len(worst))
    ax.imshow(np.clip(values, 0.8, 1), cmap=_SCALE, vmin=0.8, vmax=1, aspect="auto")
    ax.set_xticks(range(len(dimensions)), [term(d) for d in dimensions])
    ax.set_yticks(range(len(worst)), labels.fitted(_columns(worst), 48), fontsize=8)
    for (i, j), v in np.ndenumerate(values):
        ink = "white" if v < 0.86 else theme.INK
        ax.text(j, i, "" if np.isnan(v) else formatted(v, ".1%"), ha="center", va="center", fontsize=7.5, color=ink)
    ax.grid(False)
    ax.set_title(say("Share of good rows: the {shown:,} weakest of {n:, columns}", shown=len(worst), n=len(shares)))
    return figure


def _columns(worst: pd.DataFrame) -> list[str]:
    """Return the columns' names, the table before them where there is more than one."""
    if worst["table"].nunique() == 1:
        return [display(c) for c in worst["column"]]
    return [f"{display(t)} · {display(c)}" for t, c in zip(worst["table"], worst["column"], strict=True)]


@theme.picture
def leakage(table: pd.DataFrame, most: int = 20) -> Figure:
    """Draw each column's AUC alone, by a small tree in folds; suspects in red."""
    shown = table.dropna(subset=[ALONE]).sort_values(ALONE).tail(most)
    figure, (ax,) = theme.panels(width=9, height=1.2 + 0.26 * len(shown))
    colours = [theme.RED if s else theme.BLUE for s in shown["suspect"]]
    y = range(len(shown))
    ax.barh(y, shown[ALONE] - 0.5, left=0.5, color=colours)
    ax.set_yticks(y, labels.fitted([display(c) for c in shown["column"]], 44))
    ax.set_xlabel(say("AUC of a small tree on the column alone, cross-validated (0.5 says nothing)"))
    theme.numbers(ax.xaxis)
    ax.tick_params(axis="y", labelsize=8)
    ax.set_title(say("What each column says on its own (red: suspected leak)"))
    return figure
