"""Does every input still separate as much as it did on development?

**Method** information value of each input's frozen bins on development and on the rows tested, what chance adds taken off; fall as a part of development's, its error from the influence of each parent's rows on both, and from chance where bins say nothing; one-sided p, Holm over the inputs.
**Reads as bad** an input that has lost a large part of its information, beyond chance; one that says next to nothing, or so much that it may be a leak, is named.
**Blind to** an input that separates as much as before, but the other way round (`trends`), and to what inputs say together.
**Source** Siddiqi (2017), ch. 6 (information value and its rules of thumb); fall and error by the validator.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.validation.sight import Gauge, Seen, drop_seen, level, not_stated, sight
from workbench.validation.significance import and_chance_text, milder, p_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "form", {"binary"}, True
EVERY_PERIOD = True


def values(s: Subject) -> pd.DataFrame:
    """Return one row per input: iv (development), now (rows tested), lost (part of iv), error (of the fall), p (Holm).

    lost and p are NaN where development's value is that of a useless input: nothing can be lost of it.
    """
    least, rows = s.rules.number("iv_useless"), []
    parts = [(p, np.unique(p["parent_id"], return_inverse=True)[1]) for p in (s.development, s.holdout)]
    for name in s.model.features:
        bins, each = s.model.reference[name][0], []
        for part, parent in parts:
            arrays = (bins.codes(part[name]), part["outcome"], part["weight"])
            value, influence, chance = metrics.information(*arrays, len(bins.labels), parent)
            each.append((value, np.hypot(metrics.clustered_error(influence, parent), chance)))
        (before, error), (now, error_now) = each
        rows.append((name, before, now, before - now if before >= least else np.nan, np.hypot(error, error_now)))
    table = pd.DataFrame(rows, columns=["input", "iv beyond chance", "now beyond chance", "fall", "standard_error"])
    table["lost"] = table["fall"] / table["iv beyond chance"]
    judgeable = table["fall"].notna()
    table["p"] = np.nan
    table.loc[judgeable, "p"] = metrics.holm(
        stats.norm.sf(table.loc[judgeable, "fall"] / table.loc[judgeable, "standard_error"]), s.looks
    )
    return table


def test(s: Subject) -> Evidence:
    """Return the inputs that have lost what they said; not evaluated where none said anything."""
    table, rule, p_rule = values(s), s.rules["iv_lost"], s.rules["p_value"]
    judgeable = table["lost"].notna()
    if not judgeable.any():
        return _evidence(s, Verdict.not_evaluated, say("No input says anything sure on development."))
    lights = [
        milder(judged(r.lost, rule), judged(r.p, p_rule)) if known else Verdict.info
        for r, known in zip(table.itertuples(), judgeable, strict=True)
    ]
    table["light"] = [str(v) for v in lights]
    verdict = min((v for v, known in zip(lights, judgeable, strict=True) if known), key=lambda v: v.rank)
    at = table[judgeable & (table["light"] == str(verdict))]["lost"].idxmax()
    low = table.loc[at]
    answer = say(
        "On {sample} {input} says least of what it said: IV {now:.3f} beyond chance for {iv:.3f} on development, adjusted {p} that it has "
        "lost nothing.",
        sample=s.tested,
        input=low["input"],
        now=low["now beyond chance"],
        iv=low["iv beyond chance"],
        p=p_text(low["p"]),
    )
    answer += _beyond_chance(table) + _thumb(s, table)
    seen = _seen(s, low, int(judgeable.sum()))
    stands = sight(s, low["lost"], seen, convention=Gauge(low["lost"], rule), significance=Gauge(low["p"], p_rule))
    return _evidence(s, verdict, answer, table, stands)


def _seen(s: Subject, low: pd.Series, questions: int) -> Seen:
    """Return the loss that would be seen; not stated where even an input that says nothing any more would not be."""
    what = say("loss, as a part of the IV of {input}", input=low["input"])
    seen = drop_seen(
        low["standard_error"] / low["iv beyond chance"], level(s, questions), s.rules["iv_lost"].amber, what
    )
    if seen[0] is not None and seen[0] > 1:
        return not_stated(say("on these rows even an input that says nothing any more may look like chance"))
    return seen


def _beyond_chance(table: pd.DataFrame) -> Text:
    """Say why a value differs from development's own page, and what one below 0 means."""
    out = say(
        "What chance adds on so many rows is taken off each IV: development's page, which leaves it in, has higher ones."
    )
    if (table[["iv beyond chance", "now beyond chance"]] < 0).any(axis=None):
        out += say("An IV below 0 is less than chance alone would show: nothing.")
    return out


def _thumb(s: Subject, table: pd.DataFrame) -> Text:
    """Name what says next to nothing, and what says so much that a leak is looked for, by the rules of thumb."""
    least, most, out = s.rules.number("iv_useless"), s.rules.number("iv_suspicious"), Text()
    if useless := list(table.loc[table["iv beyond chance"] < least, "input"]):
        out += say("Next to nothing on development (IV below {limit:g}): {inputs}.", limit=least, inputs=useless)
    if much := list(table.loc[table["iv beyond chance"] > most, "input"]):
        out += say("Above {limit:g}, so that a leak is looked for: {inputs}.", limit=most, inputs=much)
    return out


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="information_value",
        question=say("Does every input still separate as much as it did on development?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=and_chance_text(s.rules["iv_lost"], s.rules, s.looks),
        source="Siddiqi (2017), ch. 6",
        table=table,
        sight=stands,
    )
