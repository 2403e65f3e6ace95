"""At equal age, do later vintages turn out as development's did, and no earlier?

**Method** share of rows with the event by month 1 (the first payment), 3, 6 … of the window, by quarter of as-of dates (years where quarters have too few events), against all rows learnt from at the same age; effective counts by parent, z of two shares, pooled, Holm over vintages and ages that expect events enough.
**Reads as bad** a vintage that is off at an age, far enough to matter and beyond chance; never more than amber: a book may have become riskier and be predicted so, which calibration says.
**Blind to** months after the window, events dated wrongly, and roll rates between stages of arrears, of which the panel holds none.
**Source** Siddiqi (2017), ch. 14 (vintage and early-default reports); Fleiss, Levin & Paik (2003), ch. 3, for two shares.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.panel.cohort import UNDATED
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation.estimated import learnt
from workbench.validation.sight import Gauge, level, rate_in_words, sight
from workbench.validation.significance import FARTHEST, milder, off, p_text, shared_text
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "stability", {"binary"}, True
EVERY_PERIOD = False  # it is about all of them, against development
STEP = 3  # months between ages, after the first payment


def ages(s: Subject) -> list[int]:
    """Return the months by which events are counted: the first, every third and the window's last."""
    return sorted({1, *range(STEP, s.outcome.window_months, STEP), s.outcome.window_months})


def vintages(s: Subject) -> dict[str, pd.DataFrame]:
    """Return hold-out and later rows by quarter of their as-of dates, or by year where a quarter has too few events."""
    rows = pd.concat([s.holdout, s.later], ignore_index=True)
    for unit in ("Q", "Y"):
        parts = {str(k): part for k, part in rows.groupby(rows["as_of_date"].dt.to_period(unit))}
        if all((p["outcome"] == 1).sum() >= s.rules.number("least_events") for p in parts.values()):
            return parts
    return {k: p for k, p in parts.items() if (p["outcome"] == 1).sum() >= s.rules.number("least_events")}


def by_age(s: Subject) -> pd.DataFrame:
    """Return one row per vintage and age: rate, low, high (95 %), development, off (ratio), effective n, p (Holm)."""
    before, out = learnt(s.development), []
    first = {age: _counted(before, age) for age in ages(s)}
    for name, rows in vintages(s).items():
        for age, (events_before, n_before) in first.items():
            (events, n), base = _counted(rows, age), events_before / n_before
            if n * base < s.rules.number("least_expected"):
                continue
            rate, pooled = events / n, (events + events_before) / (n + n_before)
            error = float(np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_before)))
            p = float(2 * stats.norm.sf(abs(rate - base) / error)) if error > 0 else 1.0
            interval = metrics.rate_interval(events, n)
            out.append((name, age, rate, *interval, base, min(off(rate, base), FARTHEST), n, p))
    names = ["vintage", "months", "rate", "low", "high", "development rate", "off", "effective n", "p"]
    table = pd.DataFrame(out, columns=names)
    return table.assign(p=metrics.holm(table["p"].to_numpy(), s.looks))


def _counted(rows: pd.DataFrame, age: int) -> tuple[float, float]:
    """Return effective events by an age and effective rows."""
    return metrics.effective((rows[EVENT_AFTER] <= age).astype(float), rows["weight"], rows["parent_id"])


def test(s: Subject) -> Evidence:
    """Return the vintage that is off most at equal age; not evaluated where events have no date."""
    if any(EVENT_AFTER not in rows for rows in (s.development, s.holdout)):
        reason = say("The panel doesn't know in which month an event came: it is recorded, or of another kind.")
        return _evidence(s, Verdict.not_evaluated, reason)
    if (s.holdout["as_of_date"] == UNDATED).any() or (table := by_age(s)).empty:
        return _evidence(s, Verdict.not_evaluated, say("No vintage has events enough."))
    rule, p_rule = s.rules["rate_off_period"], s.rules["p_value"]
    lights = [milder(judged(r.off, rule), judged(r.p, p_rule), Verdict.amber) for r in table.itertuples()]
    table["light"] = [str(v) for v in lights]
    table = table.sort_values(["light", "p", "off"], ascending=[True, True, False], kind="stable", ignore_index=True)
    low = table.iloc[0]
    answer = say(
        "{vintages: vintages}; {vintage} is off most surely: {rate:.2%} by month {months}, {base:.2%} on development at the same "
        "age, adjusted {p}.",
        vintages=table["vintage"].nunique(),
        vintage=low["vintage"],
        rate=low["rate"],
        months=int(low["months"]),
        base=low["development rate"],
        p=p_text(low["p"]),
    ) + _first(table)
    base, n, above = low["development rate"], low["effective n"], s.outcome.direction == "adverse"
    least = metrics.least_rate(base, n, level(s, len(table)) / 2, above=above, off=rule.amber)
    seen = rate_in_words(s, base, n, least, above)
    gauges = {"convention": Gauge(low["off"], rule), "significance": Gauge(low["p"], p_rule)}
    return _evidence(s, Verdict(low["light"]), answer, table, sight(s, low["rate"], seen, rows=_tested(s), **gauges))


def _first(table: pd.DataFrame) -> Text:
    """Say what came in the first month of the window already, of the vintage with most of it."""
    first = table[table["months"] == 1]
    if first.empty:
        return say("Too few events are expected in the first month of the window.")
    most = first.loc[first["rate"].idxmax()]
    return say(
        "In the first month of the window most came in {vintage}: {rate:.2%} ({base:.2%} on development).",
        vintage=most["vintage"],
        rate=most["rate"],
        base=most["development rate"],
    )


def _tested(s: Subject) -> pd.DataFrame:
    return pd.concat(chain([s.holdout], [s.later] if len(s.later) else []), ignore_index=True)


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    needs = say("Amber needs both: beyond chance, and far enough to matter; it is never red.")
    return Evidence(
        key="vintages",
        question=say("At equal age, do later vintages turn out as development's did, and no earlier?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=s.rules["rate_off_period"].text + s.rules["p_value"].text + needs + shared_text(s.looks),
        source="Siddiqi (2017), ch. 14",
        table=table,
        sight=stands,
    )
