"""Is there a slice of customers whose prediction is clearly wrong?

**Method** the mean prediction in each frozen bin of each input against what was observed there: exact binomial test on effective counts where an event is predicted, Student's t where an amount or a rate is; by parent; Holm over all slices.
**Reads as bad** a slice with a small adjusted p whose mean is off by enough to matter; at most amber on the side that doesn't cost.
**Blind to** slices by two inputs, and to slices with few rows.
**Source** Chung et al. (2019), Slice Finder, ICDE; Holm (1979).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict
from workbench.validation.estimated import both, inflation, learnt, of_both
from workbench.validation.sight import level, rate_seen, shift_seen, sight, two
from workbench.validation.significance import FARTHEST, both_text, mean_error, mean_p, off, p_text
from workbench.validation.subject import COUNTED, Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "robustness", {"binary", "rate", "amount"}, True
COMPARED = ["predicted", "observed", "p", "p_both", "effective n", "standard_error"]
ASKS = "calibration"  # whether predictions are right: shares the chance of a false alarm with that family


def slices(s: Subject) -> pd.DataFrame:
    """Return one row per input and bin of the hold-out: rows, predicted, observed, p."""
    rows, least, d = [], s.rules.number("least_slice_rows"), learnt(s.development)
    alike = likeness(s)
    for name in s.model.features:
        bins = s.model.reference[name][0]
        before = bins.codes(d[name])
        for code, part in s.holdout.groupby(bins.codes(s.holdout[name])):
            if len(part) >= least:
                rows.append((name, bins.labels[code], len(part), *compared(part, d[before == code], alike)))
    return pd.DataFrame(rows, columns=["input", "slice", "rows", *COMPARED])


def likeness(s: Subject) -> float | None:
    """Return how alike the rows of a parent are within grades; None where no event is predicted."""
    if not s.outcome.is_binary:
        return None
    return metrics.likeness(*(s.holdout[c] for c in ("outcome", "weight", "parent_id", "grade_code")))


def compared(part: pd.DataFrame, learnt_part: pd.DataFrame, alike: float | None) -> tuple[float, ...]:
    """Return of rows what `COMPARED` names: prediction, observed, the two-sided p that the first is true, and as estimated.

    learnt_part: the same slice of the rows learnt from. alike: as `likeness` returns it, None of an amount or a rate.
    """
    y, predicted, w = (part[c].to_numpy(float) for c in ("outcome", "predicted", "weight"))
    mean, observed = float(np.average(predicted, weights=w)), float(np.average(y, weights=w))
    error = mean_error(y - predicted, w, part["parent_id"].to_numpy())
    if alike is None:
        arrays = (y - predicted, w, part["parent_id"].to_numpy())
        p = [mean_p(*arrays, factor) for factor in (1.0, inflation(part, learnt_part))]
        return mean, observed, *p, float(len(part)), error
    n = metrics.effective_alike(y, w, part["parent_id"], alike)[1]
    before = metrics.effective_alike(*(learnt_part[c] for c in COUNTED), alike)[1] if len(learnt_part) else 0.0
    p = [_exact(observed, size, mean) for size in (n, of_both(n, before))]
    return mean, observed, *p, n, error


def _exact(observed: float, n: float, predicted: float) -> float:
    rows = max(round(n), 1)
    return float(stats.binomtest(min(round(observed * n), rows), rows, predicted).pvalue)


def test(s: Subject) -> Evidence:
    """Return the slices of the hold-out whose prediction is clearly wrong, the worst first."""
    table, least = slices(s), s.rules.number("least_slice_rows")
    table = table[table["p"].notna()]
    if table.empty:
        return _evidence(s, Verdict.not_evaluated, say("No slice has {least:, rows}.", least=least))
    table = _judged(s, table)
    weak, low = table[table["light"] != str(Verdict.green)], table.iloc[0]
    facts = {"input": low["input"], "slice": low["slice"], "rows": int(low["rows"]), "p": p_text(low["p"])}
    facts |= {"prediction": s.shown(low["predicted"]), "observed": s.shown(low["observed"])}
    answer = say(
        "{weak} of {slices: slices are} clearly wrong; the worst is {input} {slice} ({rows:, rows}): "
        "{predicted} {prediction}, observed {observed}, adjusted {p}.",
        weak=len(weak),
        slices=len(table),
        predicted=s.outcome.predicted,
        **facts,
    )
    return _evidence(s, Verdict(low["light"]), answer, table, slice_sight(s, low, len(table)))


def _judged(s: Subject, table: pd.DataFrame) -> pd.DataFrame:
    """Return the slices with adjusted p and light, the worst light first, then the smallest p, then the farthest off."""
    plain, far = table["p"], [off(o, p) for o, p in zip(table["observed"], table["predicted"], strict=True)]
    table = table.assign(**{n: metrics.holm(table[n].to_numpy(), s.looks) for n in ("p", "p_both")}, light="")
    both_p = zip(table["p"], table["p_both"], far, strict=True)
    lights = [both(p, with_both, min(f, FARTHEST), s.rules) for p, with_both, f in both_p]
    costly = [s.is_costly(o, p) for o, p in zip(table["observed"], table["predicted"], strict=True)]
    lights = [v if c or v is not Verdict.red else Verdict.amber for v, c in zip(lights, costly, strict=True)]
    table["light"] = [str(v) for v in lights]
    order = pd.DataFrame({"rank": [v.rank for v in lights], "p": plain, "near": [-f for f in far]})
    return table.loc[order.sort_values(["rank", "p", "near"], kind="stable").index].reset_index(drop=True)


def slice_sight(s: Subject, low: pd.Series, questions: int) -> Sight:
    """Return what stands behind a slice's light: `low` with predicted, observed, adjusted p, effective n, error."""
    if s.outcome.is_binary:
        seen = rate_seen(s, low["predicted"], low["effective n"], level(s, questions))
    else:
        band = (s.rules["rate_off"].amber - 1) * abs(low["predicted"])
        seen = shift_seen(low["standard_error"], level(s, questions), band, say("distance of the mean of the slice"))
    return sight(
        s,
        low["observed"],
        seen,
        **two(s, low["p"], min(off(low["observed"], low["predicted"]), FARTHEST), low["p_both"]),
    )


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="weak_spot",
        question=say("Is there a slice whose {predicted} is clearly wrong?", predicted=s.outcome.predicted),
        verdict=verdict,
        answer=answer,
        value=None if table is None else float(table["p"].iloc[0]),
        threshold=both_text(s.rules, s.looks) + say("At most amber on the side that doesn't cost."),
        source="Chung et al. (2019)",
        table=table,
        sight=stands,
    )
