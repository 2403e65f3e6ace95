"""One look for every picture: colours that hold for colour-blind readers, light grid, no frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GRID, PAPER = "#22303c", "#dfe5ea", "#ffffff"
BLUE, ORANGE, GREEN, RED, PURPLE, GREY, AMBER = (
    "#1f5f99",
    "#d9792b",
    "#2c8c68",
    "#b3383f",
    "#7a5ea8",
    "#8795a1",
    "#d9a514",
)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
LIGHTS = {"green": GREEN, "amber": AMBER, "red": RED, "info": GREY}  # of verdicts

_STYLE = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "axes.prop_cycle": cycler(color=SERIES),
    "figure.constrained_layout.use": True,
    "font.sans-serif": ["DejaVu Sans"],
    "axes.unicode_minus": True,
}


@contextmanager
def house() -> Iterator[None]:
    """Draw in the house style within the block."""
    with plt.rc_context(_STYLE):
        yield


def panels(n: int = 1, *, width: float = 10, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """Return a figure of n axes side by side; it is closed, so that a notebook shows it once, when it is returned."""
    figure, axes = plt.subplots(1, n, figsize=(width, height), squeeze=False)
    plt.close(figure)
    return figure, list(axes[0])
