"""One look for every picture: colours that hold for colour-blind readers, light grid, no frame, Chinese glyphs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any, Protocol

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter
from pandas import DataFrame

from workbench.evidence import Picture, hidden
from workbench.words import Text, language, say, ticks

INK, GRID, PAPER = "#22303c", "#dfe5ea", "#ffffff"
BLUE, ORANGE, GREEN, RED, PURPLE, GREY, AMBER = (
    "#1f5f99",
    "#d9792b",
    "#2c8c68",
    "#b3383f",
    "#7a5ea8",
    "#66747f",
    "#d9a514",
)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
LIGHTS = {"green": GREEN, "amber": AMBER, "red": RED, "info": GREY}  # of verdicts
LATIN = "DejaVu Sans"

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
    "axes.titley": 1.0,  # no ticks stand above: looking for them takes a tenth of a picture's time
    "legend.frameon": False,
    "axes.prop_cycle": cycler(color=SERIES),
    "figure.constrained_layout.use": True,
    "axes.unicode_minus": True,
}


class Outcome(Protocol):
    """What a picture asks of `contracts.Outcome`: the words for what is predicted, and whether more of it is worse."""

    @property
    def rate(self) -> Text: ...
    @property
    def events(self) -> Text: ...
    @property
    def predicted(self) -> Text: ...
    @property
    def positive(self) -> Text: ...
    @property
    def negative(self) -> Text: ...
    @property
    def direction(self) -> str: ...


@dataclass(frozen=True)
class _Plain:
    rate: Text
    events: Text
    predicted: Text
    positive: Text
    negative: Text
    direction: str = "adverse"


PLAIN = _Plain(  # the words of a picture that isn't told what is predicted
    rate=say("outcome rate"),
    events=say("events"),
    predicted=say("predicted rate"),
    positive=say("with the event"),
    negative=say("without it"),
)


@functools.cache
def cjk_font() -> str:
    """Return the name of the font that draws Chinese; its file comes with the package `mplfonts`."""
    path = str(resources.files("mplfonts") / "fonts" / "NotoSansCJKsc-Regular.otf")
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


@contextmanager
def house() -> Iterator[None]:
    """Draw in the house style within the block."""
    fonts = [LATIN, cjk_font()]
    with plt.rc_context({**_STYLE, "font.family": fonts}):
        yield


def picture(draw: Callable[..., Figure] | None = None, *, nothing: Text | None = None) -> Callable[..., Any]:
    """Make a function that returns a figure return a picture: drawn when somebody looks, in the language spoken.

    Of a table whose groups are all hidden there is none: a line that says so comes in its place, and `nothing` in that
    of a picture whose first table has no rows.
    """
    if draw is None:
        return functools.partial(picture, nothing=nothing)

    @functools.wraps(draw)
    def later(*args: Any, **kwargs: Any) -> Picture | Text:
        if any(isinstance(a, DataFrame) and hidden.nothing_shown(a) for a in (*args, *kwargs.values())):
            return hidden.too_small()
        if nothing is not None and len(args[0]) == 0:
            return nothing
        return Picture(functools.partial(draw, *args, **kwargs), house)

    return later


def panels(n: int = 1, *, width: float = 10, height: float = 3.6) -> tuple[Figure, list[Axes]]:
    """Return a figure of n axes side by side; it is closed, so that a notebook shows it once, when it is returned."""
    figure, axes = plt.subplots(1, n, figsize=(width, height), squeeze=False)
    plt.close(figure)
    return figure, list(axes[0])


def legend_below(ax: Axes, ncols: int = 3) -> None:
    """Put the legend below the axis and its labels, where it covers no point, the newest ones least of all."""
    ax.legend(ncols=ncols, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.22))


class _Numbers(Formatter):
    """Writes the numbers of an axis as pages write them, with the digits its ticks need."""

    def __init__(self, percent: bool):
        self.percent = percent

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.format_ticks([x])[0]

    def format_ticks(self, values: list[float]) -> list[str]:
        return list(_written(tuple(values), self.percent, language()))


@functools.lru_cache(maxsize=64)  # to lay out one picture, the same ticks are asked for a dozen times
def _written(values: tuple[float, ...], percent: bool, _: str) -> list[str]:
    return ticks(values, percent=percent)


def percent(*axes: Axis) -> None:
    """Write the numbers of these axes as percent."""
    for axis in axes:
        axis.set_major_formatter(_Numbers(percent=True))


def numbers(*axes: Axis) -> None:
    """Write the numbers of these axes with thousands set apart and no powers of ten."""
    for axis in axes:
        axis.set_major_formatter(_Numbers(percent=False))


def level(outcome: Outcome, *axes: Axis) -> None:
    """Write the numbers of these axes as the outcome is measured: an amount in its unit, a rate in percent."""
    (numbers if getattr(outcome, "scale", "binary") == "amount" else percent)(*axes)
