"""Headlines of a pack: each figure now and in the period before, an arrow, what it means; the worst first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd
from statsmodels.stats.proportion import proportions_ztest

from workbench.evidence import Verdict, judged
from workbench.rules import Rules
from workbench.words import Text, say

FARTHEST = 1e6  # a ratio to nothing


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One figure of page one. `worse` is how much it worsened, as a share of what it was: below 0 it got better.

    `sentence`: what a sentence names it by, where its row's name alone wouldn't say what is wrong.
    """

    key: str
    what: Text
    now: Text
    before: Text
    change: Text
    meaning: Text
    verdict: Verdict = Verdict.info
    worse: float = 0.0
    sentence: Text = field(default_factory=Text)


def rate(key: str, what: Text, shares: tuple[float, float], meaning: Text, verdict: Verdict = Verdict.info) -> Headline:
    """Return a headline of a share, now and before (NaN: not known), of which more is worse."""
    now, before = shares
    texts = {"now": _share(now), "before": _share(before)}
    change = say("{arrow}\u00a0{change:+.2pp}", arrow=arrow(now - before), change=now - before)
    worse = relative(now, before)
    known = not math.isnan(now - before)
    return Headline(
        key=key, what=what, **texts, change=change if known else Text(), meaning=meaning, verdict=verdict, worse=worse
    )


def amount(key: str, what: Text, amounts: tuple[float, float], unit: str, meaning: Text, *, worse: int = 0) -> Headline:
    """Return a headline of an amount or a count (`unit` empty), now and before; `worse` 1: more is worse, -1: less."""
    now, before = amounts
    share = relative(now, before)
    texts = {"now": _amount(now, unit), "before": _amount(before, unit)}
    known = math.isfinite(share) and abs(share) < FARTHEST
    change = (
        say("{arrow}\u00a0{change:+.1%}", arrow=arrow(now - before), change=share) if known else _arrow(now - before)
    )
    return Headline(key=key, what=what, **texts, change=change, meaning=meaning, worse=worse * share)


def count(
    key: str, what: Text, counts: tuple[float, float], meaning: Text, verdict: Verdict = Verdict.info
) -> Headline:
    """Return a headline of a few cases, now and before, of which more is worse: their change is a number of cases."""
    now, before = counts
    change = say("{arrow}\u00a0{n:+,}", arrow=arrow(now - before), n=int(now - before)) if before == before else Text()
    texts = {"now": _amount(now, ""), "before": _amount(before, ""), "change": change}
    return Headline(key=key, what=what, **texts, meaning=meaning, verdict=verdict, worse=relative(now, before))


def figure(
    key: str, what: Text, values: tuple[float, float], meaning: Text, verdict: Verdict, *, worse: int
) -> Headline:
    """Return a headline of a model's figure (AUC, PSI, a ratio), now and before; `worse` 1: more is worse, -1: less."""
    now, before = values
    texts = {"now": _figure(now), "before": _figure(before)}
    known = not math.isnan(now - before)
    change = say("{arrow}\u00a0{change:+.3f}", arrow=arrow(now - before), change=now - before) if known else Text()
    return Headline(
        key=key,
        what=what,
        **texts,
        change=change,
        meaning=meaning,
        verdict=verdict,
        worse=worse * relative(now, before),
    )


def relative(now: float, before: float) -> float:
    """Return the change as a share of what was before; 0 where one isn't known, very much where nothing was before.

    >>> relative(1.5, 1.0), relative(1.0, float("nan")), relative(0, 0)
    (0.5, 0.0, 0.0)
    """
    if math.isnan(now) or math.isnan(before) or now == before:
        return 0.0
    return (now - before) / abs(before) if before else math.copysign(FARTHEST, now)


def arrow(change: float) -> str:
    """Return an arrow up, down, or to the side where nothing changed or the change is not known.

    >>> arrow(0.1), arrow(-2), arrow(0), arrow(float("nan"))
    ('↑', '↓', '→', '')
    """
    return "" if math.isnan(change) else "↑" if change > 0 else "↓" if change < 0 else "→"


def risen(events: tuple[int, int], rows: tuple[int, int], rules: Rules, looks: int = 1) -> Verdict:
    """Return the light of a share of late accounts, (now, before): by how much it rose, where that is beyond chance.

    Green where a z-test of two proportions, p times the looks that ask the same (Bonferroni), isn't beyond chance at
    `interval_level`.
    """
    (late, late_before), (known, known_before) = events, rows
    if not known or not known_before:
        return Verdict.not_evaluated
    share, share_before = late / known, late_before / known_before
    if share <= share_before:
        return Verdict.green
    p = float(proportions_ztest([late, late_before], [known, known_before], alternative="larger")[1])
    if p * looks >= 1 - rules.number("interval_level"):
        return Verdict.green
    return judged(share / share_before if share_before else FARTHEST, rules["arrears_rise"])


def worst_first(headlines: Iterable[Headline]) -> list[Headline]:
    """Return the headlines by light, within a light those that worsened most on top.

    Amounts have no rule and so no light, which is no praise: they stand among the green ones by how much they worsened.
    """
    return sorted(headlines, key=lambda h: (min(h.verdict.rank, Verdict.green.rank), -h.worse))


def table(headlines: Iterable[Headline]) -> pd.DataFrame:
    """Return the headlines as a table, in the order given."""
    names = {"light": "verdict", "figure": "what", "now": "now", "last period": "before"}
    names |= {"change": "change", "what it means": "meaning"}
    rows = [[getattr(h, attribute) for attribute in names.values()] for h in headlines]
    rows = [[str(verdict), *rest] for verdict, *rest in rows]
    return pd.DataFrame(rows, columns=list(names), dtype=object)


def _share(value: float) -> Text:
    return Text() if math.isnan(value) else say("{value:.2%}", value=value)


def _amount(value: float, unit: str) -> Text:
    if math.isnan(value):
        return Text()
    return say("{value:,.0f}\u00a0{unit}", value=value, unit=unit) if unit else say("{value:,.0f}", value=value)


def _figure(value: float) -> Text:
    return Text() if math.isnan(value) else say("{value:.3f}", value=value)


def _arrow(change: float) -> Text:
    return say("{arrow}", arrow=arrow(change)) if not math.isnan(change) else Text()
