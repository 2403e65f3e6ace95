"""What a test's light rests on: one measure against its rule, another against chance, and the least it would have seen.

The formulas of power are those of `metrics.power`; this file says what they are asked, and puts the answer into words.
A departure that "is seen" lights amber or red in 80 % of samples such as this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.evidence import Sight, Verdict, judged
from workbench.rules import Threshold
from workbench.validation.estimated import sure
from workbench.validation.subject import Subject
from workbench.words import Text, plain, say

Seen = tuple[float | None, Text]  # the least that is seen, and what it is


@dataclass(frozen=True)
class Gauge:
    """One measure held against its rule; `decides` is false where it stands beside the light and has no part in it.

    p_both: of a p-value, the one with development's error in it, which red needs (`estimated`).
    """

    value: float
    rule: Threshold
    decides: bool = True
    p_both: float | None = None

    @property
    def light(self) -> Verdict:
        """The light of this measure alone."""
        if self.p_both is not None:
            return sure(float(self.value), float(self.p_both), self.rule)
        return judged(float(self.value), self.rule)

    @property
    def limit(self) -> float:
        """The level nearest to the value."""
        return min((self.rule.amber, self.rule.red), key=lambda level: abs(level - self.value))

    @property
    def distance(self) -> float:
        """What is left until the nearest level; below 0 where it has been passed."""
        gap = self.limit - self.value
        return gap if self.rule.worse == "higher" else -gap


class Two(TypedDict):
    """The two gauges of a test that needs both: how far off, and how sure."""

    convention: Gauge
    significance: Gauge


def two(s: Subject, p: float, far: float, p_both: float | None = None) -> Two:
    """Return the gauges of a test whose light needs both: a ratio of rates (`significance.off`) and a p-value."""
    return {"convention": Gauge(far, s.rules["rate_off"]), "significance": Gauge(p, s.rules["p_value"], p_both=p_both)}


def sight(
    s: Subject,
    statistic: float,
    seen: Seen,
    *,
    convention: Gauge | None = None,
    significance: Gauge | None = None,
    rows: pd.DataFrame | None = None,
) -> Sight:
    """Return what stands behind a light; `rows`: what was tested, where that isn't the subject's hold-out.

    The limit is that of the gauge which holds the light: the milder one where both are needed, of two alike the p-value.
    """
    rows, gauges = s.holdout if rows is None else rows, [g for g in (significance, convention) if g and g.decides]
    binding = max(gauges, key=lambda g: g.light.rank, default=None)
    return Sight(
        power=seen[1],
        statistic=float(statistic),
        n=len(rows),
        events=int((rows["outcome"] == 1).sum()) if s.outcome.is_binary else None,
        least=seen[0],
        value=binding and binding.value,
        limit=binding and binding.limit,
        distance=binding and binding.distance,
        convention=str(convention.light) if convention else "",
        significance=str(significance.light) if significance else "",
    )


def level(s: Subject, questions: int = 1) -> float:
    """Return the p-value that lights amber at once: shared by looks, and by the questions of a test (Holm's first step)."""
    return s.chance("amber") / max(questions, 1)


def rate_seen(
    s: Subject, predicted: float, n: float, level: float, *, above: bool | None = None, prior: float = 0.0
) -> Seen:
    """Return the true rate that would be seen where another is predicted, on n effective rows by an exact test.

    above: on that side only; None for two sides, each at half the level, of which the side that costs is stated.
    """
    costly = s.outcome.direction == "adverse"
    side, level = (costly, level / 2) if above is None else (above, level)
    off = s.rules["rate_off"].amber
    return rate_in_words(
        s, predicted, n, metrics.least_rate(predicted, n, level, above=side, off=off, prior=prior), side
    )


def rate_in_words(s: Subject, predicted: float, n: float, least: float, above: bool) -> Seen:
    """Return the least (or, not `above`, the most) true rate that would be seen where another is predicted, in words."""
    facts = {"rate": s.outcome.rate, "expected": predicted, "n": round(n), "power": metrics.POWER}
    if not np.isfinite(least):
        return None, say(
            "No true {rate} at all where {expected:.2%} is predicted: {n:, effective rows are} too few.", **facts
        )
    if above:
        words = say(
            "A true {rate} of {least:.2%} and more where {expected:.2%} is predicted, with {power:.0%} certainty "
            "({n:, effective rows}).",
            least=least,
            **facts,
        )
    else:
        words = say(
            "A true {rate} of {least:.2%} and less where {expected:.2%} is predicted, with {power:.0%} certainty "
            "({n:, effective rows}).",
            least=least,
            **facts,
        )
    return least, words


def below_seen(limit: float, error: float, level: float, measure: Text) -> Seen:
    """Return the true value of a measure of which less is worse that would be seen: the limit less what error hides.

    level: of the one-sided interval that must be below the limit; ½ where the estimate alone decides.
    """
    return _least(limit - metrics.least_shift(error, level), measure, say("and less"))


def above_seen(limit: float, error: float, level: float, measure: Text) -> Seen:
    """Return the true value of a measure of which more is worse that would be seen, its interval above the limit."""
    return _least(limit + metrics.least_shift(error, level), measure, say("and more"))


def shift_seen(error: float, level: float, band: float, measure: Text) -> Seen:
    """Return the true distance of an estimate, on either side, that would be seen: off by a band, and two-sided p."""
    return _least(metrics.least_shift(error, level / 2, band), measure, say("and more"))


def drop_seen(error: float, level: float, band: float, measure: Text) -> Seen:
    """Return the true fall of an estimate that would be seen: off by a band, and one-sided p."""
    return _least(metrics.least_shift(error, level, band), measure, say("and more"))


def _least(least: float, measure: Text, side: Text) -> Seen:
    if not np.isfinite(least):
        return not_stated(say("its error is not known here"))
    return least, say(
        "A true {measure} of {least:.4f} {side}, with {power:.0%} certainty.",
        measure=measure,
        least=least,
        side=side,
        power=metrics.POWER,
    )


def factor_seen(factor: float, s: Subject) -> Seen:
    """Return a departure that all predictions share, as the factor of the true rate over the predicted."""
    if not np.isfinite(factor):
        return not_stated(say("too few events"))
    return factor, say(
        "True rates {factor:.3f} times the {predicted} in every grade, with {power:.0%} certainty.",
        factor=factor,
        predicted=s.outcome.predicted,
        power=metrics.POWER,
    )


def not_stated(reason: Text) -> Seen:
    """Return that the least which is seen is not stated, and why."""
    return None, say("Not stated: {reason}.", reason=reason)


def everything(least: float) -> Seen:
    """Return that nothing is left to chance: whatever reaches the limit is seen."""
    return least, say(
        "Everything from {least} on: it counts or computes again, nothing is left to chance.", least=plain(least)
    )
