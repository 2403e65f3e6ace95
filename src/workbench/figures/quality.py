"""Data quality as a heat map: column by dimension, the worst columns on top."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from workbench.figures import theme

_SCALE = LinearSegmentedColormap.from_list("quality", [theme.RED, theme.AMBER, "#e8f1ec"])


def heat_map(shares: pd.DataFrame, dimensions: list[str], most: int = 25) -> Figure:
    """Draw the share of good rows of each column (rows of `shares`) in each dimension; 80 % and less is darkest."""
    worst = shares.assign(mean=shares[dimensions].mean(axis=1)).sort_values("mean").head(most)
    values = worst[dimensions].to_numpy(float)
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=1.2 + 0.27 * len(worst))
        ax.imshow(np.clip(values, 0.8, 1), cmap=_SCALE, vmin=0.8, vmax=1, aspect="auto")
        ax.set_xticks(range(len(dimensions)), dimensions)
        ax.set_yticks(
            range(len(worst)),
            [f"{t}.{c}" for t, c in zip(worst["table"], worst["column"], strict=True)],
            fontsize=8,
        )
        for (i, j), v in np.ndenumerate(values):
            ax.text(
                j,
                i,
                f"{v:.1%}",
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if v < 0.86 else theme.INK,
            )
        ax.grid(False)
        ax.set_title(f"Share of good rows: the {len(worst)} weakest of {len(shares)} columns")
    return figure


def leakage(table: pd.DataFrame, most: int = 20) -> Figure:
    """Draw each feature's AUC alone; suspects in red."""
    shown = table.dropna(subset=["auc_alone"]).sort_values("auc_alone").tail(most)
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=1.2 + 0.24 * len(shown))
        colours = [theme.RED if s else theme.BLUE for s in shown["suspect"]]
        ax.barh(shown["feature"], shown["auc_alone"] - 0.5, left=0.5, color=colours)
        ax.set_xlabel("AUC of the feature alone (0.5 says nothing)")
        ax.tick_params(axis="y", labelsize=8)
        ax.set_title("What each feature says on its own (red: suspected leak)")
    return figure
