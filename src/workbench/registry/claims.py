"""Claims: `{{claim: holdout_gini >= 0.45}}` in a document is a test of a figure that the version's runs have logged."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from workbench.params import UserError, nearest
from workbench.registry import written
from workbench.registry.current import Record
from workbench.registry.written import Chapters
from workbench.words import Text, say

CLAIM = re.compile(r"\{\{\s*claim:\s*([a-z0-9_]+)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*\}\}")
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
WATCHED = ("psi", "separation", "observed", "expected")  # series of monitoring: no run before the first period has them
_SEPARATION = ("holdout_auc", "holdout_spearman")  # what `separation` goes on from the hold-out


@dataclass(frozen=True)
class Claim:
    """What a chapter claims of a figure."""

    chapter: str
    figure: str
    sign: str
    limit: float

    @property
    def words(self) -> str:
        """The claim as it stands in the chapter, without its braces."""
        return f"{self.figure} {self.sign} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """A figure as a run has logged it, and of which period where it is one of a series."""

    value: float
    run_id: str
    key: str
    period: str = ""


@dataclass(frozen=True)
class Tested:
    """A claim held against what is logged; `figure` is None where nothing is, and then nothing holds."""

    claim: Claim
    figure: Figure | None
    why: Text = field(default_factory=Text)

    @property
    def holds(self) -> bool:
        """Whether the figure is there and is as claimed."""
        return self.figure is not None and _SIGNS[self.claim.sign](self.figure.value, self.claim.limit)

    @property
    def is_open(self) -> bool:
        """Whether only monitoring can tell, and has not yet."""
        return self.figure is None and self.claim.figure in WATCHED

    @property
    def words(self) -> str:
        """What the test says, in one line."""
        return self.sentence.in_language("en")

    @property
    def sentence(self) -> Text:
        """What the test says of the claim, in any language."""
        if self.figure is None:
            return say("{claim:s}: {why}", claim=self.claim.words, why=self.why)
        value = self.figure.value
        if self.holds:
            return say("{claim:s}: holds, it is {value:.6g}", claim=self.claim.words, value=value)
        return say("{claim:s}: contradicted, it is {value:.6g}", claim=self.claim.words, value=value)

    @property
    def text(self) -> Text:
        """What the test says, in any language."""
        if self.is_open:
            return say("monitoring tells it; no period is known yet")
        if self.figure is None:
            return say("no run of the version has logged such a figure")
        value = self.figure.value
        return say("holds: it is {value:.4f}", value=value) if self.holds else say("no: it is {value:.4f}", value=value)


def of(chapters: Chapters, where: str = written.FOLDER) -> list[Claim]:
    """Return the claims of all chapters, each once; `UserError` for braces that are no claim.

    Both languages of a chapter claim the same, or the reader of one would be told less than that of the other.
    """
    out: dict[Claim, None] = {}
    for chapter, pair in chapters.texts().items():
        by_text = [tuple(_in(text, chapter, where)) for text in pair.texts if text]
        if len({frozenset(claims) for claims in by_text}) > 1:
            raise UserError(f"{where}: {chapter}: its languages claim different things; claim the same in each")
        out |= dict.fromkeys(by_text[0] if by_text else ())
    return list(out)


def _in(text: str, chapter: str, where: str) -> Iterator[Claim]:
    for part in re.finditer(r"\{\{.*?(?:\}\}|$)", text, re.S):
        claim = CLAIM.fullmatch(part[0])
        if claim is None:
            raise UserError(
                f"{where}: {chapter}: '{' '.join(part[0].split())[:60]}' is no claim; "
                "write {{claim: holdout_gini >= 0.45}}"
            )
        yield Claim(chapter, claim[1], claim[2], float(claim[3]))


def logged(*records: Record | None) -> dict[str, Figure]:
    """Return the figures of runs by the names under which they logged them; the first run that has a name is taken."""
    return {n: Figure(v, r.run_id, n) for r in reversed(records) if r is not None for n, v in r.figures.items()}


def monthly(series: Mapping[str, Mapping[str, float]], run_id: str, names: Mapping[str, float]) -> dict[str, Figure]:
    """Return what monitoring says of the newest period whose outcomes are known, by the names development used.

    `series`: figure → period → value; `names`: the figures that development logged. Separation is the AUC of an event
    (and 2·AUC − 1 its Gini), the rank correlation of an amount.
    """
    known = series.get("separation", {})
    if not known:
        return {}
    period = max(known)
    out = {n: Figure(series[n][period], run_id, n, period) for n in WATCHED if period in series.get(n, {})}
    of_holdout = next((n for n in _SEPARATION if n in names), "")
    if of_holdout:
        out[of_holdout] = out["separation"]
    if of_holdout == "holdout_auc":
        out["holdout_gini"] = Figure(2 * known[period] - 1, run_id, "separation", period)
    return out


def tested(claims: list[Claim], figures: Mapping[str, Figure]) -> list[Tested]:
    """Return every claim with the figure it is about."""
    return [Tested(c, figures.get(c.figure), Text() if c.figure in figures else _without(c, figures)) for c in claims]


def _without(claim: Claim, figures: Mapping[str, Figure]) -> Text:
    if claim.figure in WATCHED:
        return say("monitoring tells it; no period is known yet")
    if not figures:
        return say("no run of the version has logged it")
    return say("no run of the version has logged it; {hint}", hint=nearest(claim.figure, figures))


def contradicted(results: list[Tested]) -> list[Tested]:
    """Return the claims that don't hold, those apart that only monitoring can tell."""
    return [t for t in results if not t.holds and not t.is_open]
