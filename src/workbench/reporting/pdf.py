"""A page as PDF: A4, page numbers, its fonts embedded, nothing fetched; the same bytes from the same page."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import re
import warnings
from functools import cache, partial
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

from workbench.params import UserError

STYLE = Path(__file__).parent / "templates" / "pdf.css"
_FRONT = (  # a page of its own, on which the decision's reasons aren't said twice
    "main>h2:nth-of-type(2){break-before:page}.lead{display:none}"
    "main>h2:nth-of-type(1)+p+.output :is(.question,.answer,dl){display:none}"
)
_HEAD = re.compile(r"<table([^>]*)>(\s*<thead>.*?</thead>)", re.S)
_MANY, _MOST = 9, 13  # columns from which a table is set smaller, and on a page laid across
_FOLD = re.compile(
    r'</tbody></table></div><details><summary>[^<]*</summary>(?:<div class="scroll">)?'
    r"<table[^>]*><thead>.*?</thead><tbody>"
    r"(.*?)</tbody></table>(?:</div>)?</details>",
    re.S,
)
MOST_UNFOLDED = 60  # rows of a table beyond those shown at once: about a page
_FACES = (("Latin", "normal", "matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf"),)
_FACES += (("Latin", "bold", "matplotlib", "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf"),)
_FACES += (("Latin Mono", "normal", "matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),)
_FACES += (("Chinese", "normal", "mplfonts", "fonts/NotoSansCJKsc-Regular.otf"),)


def render(html: str, footer: str, *, front: bool = False) -> bytes:
    """Return a page (whole HTML, as `page.render` makes it) as PDF; `footer` stands below each of its pages.

    With `front` the page's first chapter has a page of its own. Short tables stand unfolded, heads repeated.
    Nothing is fetched: pictures stand in the page, fonts come from installed packages; what else it names is left out.
    `UserError` where Pango, which lays the text out, is not there.
    """
    whole = for_paper(html, footer, front=front)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries about fonts
        return laid_out(whole).write_pdf(pdf_identifier=_identifier(whole))


def laid_out(whole: str) -> Any:
    """Return a page with its style laid out on sheets of paper: WeasyPrint's document."""
    library = _library()
    from weasyprint.text.fonts import FontConfiguration

    document = library.HTML(string=whole, url_fetcher=_fetcher(library), media_type="print")
    return document.render(font_config=FontConfiguration())


def for_paper(html: str, footer: str, *, front: bool = False) -> str:
    """Return a page with the style of paper, its tables unfolded and set so that they fit."""
    return _HEAD.sub(_fitting, _unfolded(html)).replace("</head>", f"<style>{_style(footer, front)}</style></head>", 1)


def missing() -> str:
    """Return what is not there for making a PDF and what to do, in one line; empty where all is."""
    try:
        _library()
    except UserError as e:
        return str(e)
    return ""


@cache
def _library() -> ModuleType:
    """Return WeasyPrint; without Pango it prints a notice and raises."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import weasyprint
    except (OSError, ImportError):
        raise UserError(
            "PDF: Pango is not there; install your system's package of it (Debian: libpango-1.0-0 libpangoft2-1.0-0 "
            "libharfbuzz-subset0)"
        ) from None
    _fonts_as_they_were()
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what a page names and isn't fetched is left out in silence
    return weasyprint


def _fonts_as_they_were() -> None:
    """Let the part of a font that is embedded keep the whole one's date and bounds, where fontTools cuts it out.

    It would write the second in which it did, other bytes each time, and measure 65,000 Chinese glyphs, now empty.
    """
    from weasyprint.pdf import fonts

    fonts.TTFont = partial(fonts.TTFont, recalcTimestamp=False, recalcBBoxes=False)


def _fetcher(library: ModuleType) -> Any:
    fonts = {_face_file(package, name).as_uri() for _, _, package, name in _FACES}

    class OfThePage(library.urls.URLFetcher):
        """Gives what stands in the page itself, and the fonts; nothing else."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if not url.startswith("data:") and url not in fonts:
                raise ValueError(f"not fetched: {url[:80]}")
            return super().fetch(url, headers)

    return OfThePage(allowed_protocols=("data", "file"), allow_redirects=False)


def _unfolded(html: str) -> str:
    """Return a page whose folded rows stand in their tables: nobody can unfold them on paper.

    Where they are very many they stay folded; the page's own words say how many they are.
    """

    def opened(fold: re.Match[str]) -> str:
        return f"{fold[1]}</tbody></table></div>" if fold[1].count("<tr") <= MOST_UNFOLDED else fold[0]

    return _FOLD.sub(opened, html)


def _fitting(head: re.Match[str]) -> str:
    """Return a table's beginning with how it is set, by the number of its columns."""
    columns = head[2].count("<th")
    size = "most" if columns >= _MOST else "many" if columns >= _MANY else ""
    return f'<table{head[1]} class="{size}">{head[2]}' if size else head[0]


def _style(footer: str, front: bool) -> str:
    faces = "".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};src:url("{_face_file(package, name).as_uri()}")}}\n'
        for family, weight, package, name in _FACES
    )
    sheet = STYLE.read_text(encoding="utf-8").replace('"FOOTER"', _string(footer))
    return faces + sheet + (_FRONT if front else "")


def _face_file(package: str, name: str) -> Path:
    return Path(str(resources.files(package))) / name


def _string(text: str) -> str:
    r"""Return a text as a CSS string in which nothing ends the string or begins anything else.

    >>> _string('a"}')
    '"a\\000022 \\00007D "'
    """
    return '"' + "".join(c if c.isalnum() or c in " ·,." else f"\\{ord(c):06X} " for c in text) + '"'


def _identifier(html: str) -> bytes:
    return hashlib.sha256(html.encode()).hexdigest()[:32].encode()
