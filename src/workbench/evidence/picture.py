"""A picture: drawn when somebody looks, once a language, the same bytes every time; whole in a notebook's output."""

from __future__ import annotations

import html
import io
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.words import LANGUAGES, language, speaking

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIME = "application/vnd.workbench.picture+json"
SVG, PNG = "image/svg+xml", "image/png"
LARGEST_SVG = 250_000  # characters; what is larger (many thousand points) is kept as PNG at twice the screen's density
_DPI = 200


@dataclass(frozen=True)
class Drawn:
    """A picture in one language: its kind, its content (SVG text, or PNG as base64), its words for who can't see it."""

    mime: str
    data: str
    alt: str
    words: str = ""  # everything written in it: what a search for personal data reads

    def html(self) -> str:
        """Return the picture as it stands in a page: whole in the page, no request, no script."""
        encoded = b64encode(self.data.encode()).decode() if self.mime == SVG else self.data
        source = f"data:{self.mime};base64,{encoded}"
        return f'<div class="picture"><img alt="{html.escape(self.alt)}" src="{source}"></div>'

    def to_json(self) -> dict[str, str]:
        """Return the image as JSON can hold it, packed; its words stand beside it in plain text."""
        return {**vars(self), "data": b64encode(zlib.compress(self.data.encode(), 9)).decode()}

    @classmethod
    def from_json(cls, content: dict[str, str]) -> Drawn:
        """Return the image that `to_json` wrote."""
        return cls(**{**content, "data": zlib.decompress(b64decode(content["data"])).decode()})

    def file(self) -> tuple[str, bytes]:
        """Return the ending of a file's name and its bytes."""
        return ("svg", self.data.encode()) if self.mime == SVG else ("png", b64decode(self.data))


class Picture:
    """A figure function with its arguments: `figure()` draws it, `drawn()` is its image in the language now spoken."""

    def __init__(
        self,
        draw: Callable[[], Figure] | None,
        style: Callable[[], AbstractContextManager[Any]] = nullcontext,
        drawn: dict[str, Drawn] | None = None,
    ):
        self._draw, self._style, self._drawn = draw, style, drawn or {}

    @classmethod
    def of(cls, figure: Figure | Picture) -> Picture:
        """Return a picture of a plain matplotlib figure, too: the same in every language."""
        return figure if isinstance(figure, Picture) else cls(lambda: figure)

    def figure(self) -> Figure:
        """Return the figure in the language now spoken, to look at its axes."""
        if self._draw is None:
            raise ValueError("a picture read from a record can't be drawn again")
        with self._style():
            return self._draw()

    def drawn(self) -> Drawn:
        """Return the image in the language now spoken; a recorded picture that lacks it, in English."""
        if language() not in self._drawn:
            if self._draw is None:
                return next(iter(self._drawn.values()))
            with self._style():
                self._drawn[language()] = _image(self._draw())
        return self._drawn[language()]

    def to_json(self) -> dict[str, dict[str, str]]:
        """Return the image in every language, as JSON can hold it."""
        images = {}
        for name in LANGUAGES:
            with speaking(name):
                images[name] = self.drawn().to_json()
        return images

    @classmethod
    def from_json(cls, content: dict[str, dict[str, str]]) -> Picture:
        """Return the picture that `to_json` wrote."""
        return cls(None, drawn={name: Drawn.from_json(image) for name, image in content.items()})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        here = self.drawn()
        return {here.mime: here.data, "text/plain": here.alt, MIME: self.to_json()}


def _image(figure: Figure) -> Drawn:
    svg, texts = _svg(figure), (_alt(figure), _words(figure))
    if len(svg) <= LARGEST_SVG:
        return Drawn(SVG, svg[svg.index("<svg") :], *texts)
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=_DPI, metadata={"Software": None})
    return Drawn(PNG, b64encode(raw.getvalue()).decode(), *texts)


def _svg(figure: Figure) -> str:
    """Return what `savefig` writes, a fifth sooner: that draws everything once more to find the layout it draws in."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer, (layout, before) = io.StringIO(), (figure.get_layout_engine(), figure.canvas)
    with mpl.rc_context({"svg.hashsalt": "workbench", "svg.fonttype": "path"}):
        canvas = FigureCanvasSVG(figure)
        if layout is not None:
            dpi, figure.dpi = figure.dpi, 72  # of SVG
            layout.execute(figure)
            figure.dpi = dpi
            figure.set_layout_engine("none")
        canvas.print_svg(buffer, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        if layout is not None:
            figure.set_layout_engine(layout)
    figure.set_canvas(before)
    return buffer.getvalue()


def _alt(figure: Figure) -> str:
    """Return the titles of a figure: what it says, in words."""
    above = figure.get_suptitle()
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes]
    return ": ".join(filter(None, [above, "; ".join(dict.fromkeys(filter(None, titles)))]))


def _words(figure: Figure) -> str:
    from matplotlib.text import Text

    return "\n".join(dict.fromkeys(t.get_text() for t in figure.findobj(Text) if t.get_text()))
