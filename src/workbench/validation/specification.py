"""Would the same recipe, with other draws, put customers into the same grades?

**Method** the recorded settings fitted again: with another seed, without each fold of development in turn (calibrated on the fold left out), and with bins half and twice as large where the kind has them; share of the hold-out's customers whose grade, by the registered edges, is another one, and of those who move by two grades and more; the worst refit decides.
**Reads as bad** too many who move: the grade hangs on the draw, not on the customer.
**Blind to** choices that every refit shares: the inputs, the kind of model, the period of development.
**Source** Breiman (2001), Statistical Science 16(3), section 8 (the multiplicity of good models); levels by convention.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from workbench.contracts.counted import entities
from workbench.evidence import Evidence, Verdict
from workbench.models import naming
from workbench.models.kinds import settings_of
from workbench.models.samples import Sample, directions, special_codes
from workbench.models.scorer import raw
from workbench.models.tuning import calibrated, fitted, folds
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "robustness", {"binary", "rate", "amount", "named"}
BINS = ("min_bin_size", "min_bin_share")  # settings that say how small a bin may be, by kind of model


def learnt(s: Subject) -> Sample:
    """Return the rows that the model learnt from, with every feature it could have taken."""
    d = s.development[s.development["learnt"]]
    names = [c.name for c in s.contract.features()]
    arrays = (d[c].to_numpy() for c in ("outcome", "weight", "parent_id", "entity_id"))
    return Sample(d[names].reset_index(drop=True), *arrays, s.outcome)


def recipe(s: Subject, **changed: Any) -> Any:
    """Return an unfitted estimator of the model's kind with its recorded settings, some of them changed."""
    kind = type(s.model.estimator)
    given = {
        "monotone": directions(s.contract),
        "special": special_codes(s.contract),
        "bounded": s.outcome.kind == "rate",
    }
    estimator = settings_of(kind, **given)[0]
    known = set(estimator.get_params())
    return estimator.set_params(**{n: v for n, v in {**s.model.facts["settings"], **changed}.items() if n in known})


def refits(s: Subject) -> Iterator[tuple[Text, np.ndarray]]:
    """Yield what each refit is called and what it predicts of the hold-out (n), calibrated on rows it left out."""
    if s.outcome.kind == "named":
        yield from _naming_refits(s)
        return
    sample, seed = learnt(s), int(s.model.facts.get("seed", 0)) + 1
    splits = folds(sample, int(s.model.facts["folds"]), seed)
    held, out = [], np.zeros(len(sample.y))
    for train, test in splits:
        refit = fitted(recipe(s, seed=seed), sample, train)
        out[test] = raw(refit, sample.X.iloc[test])
        held.append(raw(refit, s.holdout[list(sample.X)]))
    calibration = calibrated(out, sample.y, sample.weight, s.outcome)
    for number, values in enumerate(held, 1):
        yield say("without fold {number} of another draw", number=number), calibration.apply(values)
    for name, changed in _whole(s, seed):
        refit = fitted(recipe(s, **changed), sample)
        yield name, calibration.apply(raw(refit, s.holdout[list(sample.X)]))


def _naming_refits(s: Subject) -> Iterator[tuple[Text, np.ndarray]]:
    """Yield the same of a model that names: it learns from questions and their intents, not from right and wrong."""
    facts, d, seed = s.model.facts, s.development, int(s.model.facts["seed"]) + 1
    settings, held, (raw_, right) = {**facts["settings"], "seed": seed}, [], np.zeros((2, len(d)))
    for model, rest in naming.by_fold(d, settings, int(facts["folds"]), seed):
        asked = d.iloc[rest]
        raw_[rest], right[rest] = raw(model, asked), model.named(asked) == asked[naming.INTENT].to_numpy()
        held.append(raw(model, s.holdout))
    calibration = calibrated(raw_, right, np.ones(len(d)), s.outcome)
    for number, values in enumerate(held, 1):
        yield say("without fold {number} of another draw", number=number), calibration.apply(values)
    yield say("with another seed"), calibration.apply(raw(naming.fitted(d, settings), s.holdout))


def _whole(s: Subject, seed: int) -> Iterator[tuple[Text, dict[str, Any]]]:
    """Yield the refits on all rows: with another seed, and with other bins, where the kind has them."""
    settings = s.model.facts["settings"]
    if "seed" in settings:
        yield say("with another seed"), {"seed": seed}
    for name in BINS:
        if name in settings:
            for factor in (0.5, 2.0):
                yield say("bins {factor:g} times as large", factor=factor), {name: factor * settings[name]}


def changes(s: Subject) -> pd.DataFrame:
    """Return one row per refit: changed (share of the weight that changes grade), jumped (by two grades and more)."""
    places, weight = {g: i for i, g in enumerate(s.model.grade_names)}, s.holdout["weight"].to_numpy(float)
    base, rows = s.holdout["grade_code"].map(places).to_numpy(), []
    with threadpool_limits(1):
        for name, predicted in refits(s):
            moved = np.abs(pd.Series(s.model.grade(predicted)).map(places).to_numpy() - base)
            rows.append((name, *(float(np.average(moved >= n, weights=weight)) for n in (1, 2))))
    return pd.DataFrame(rows, columns=["refit", "changed", "jumped"])


def test(s: Subject) -> Evidence:
    """Return how many customers of the hold-out change grade when the model is fitted again."""
    if "settings" not in s.model.facts or "folds" not in s.model.facts:
        return _evidence(s, Verdict.not_evaluated, say("The version has recorded no settings to fit it again with."))
    table = changes(s).sort_values(["jumped", "changed"], ascending=False, ignore_index=True)
    gauges = [
        Gauge(float(table[n].max()), s.rules[r]) for n, r in (("changed", "grade_change"), ("jumped", "grade_jump"))
    ]
    worst = min(gauges, key=lambda g: (g.light.rank, g.distance))
    answer = say(
        "{refits: refits}: up to {changed:.1%} of {entities} change grade, up to {jumped:.1%} by two and more ({refit}).",
        refits=len(table),
        changed=gauges[0].value,
        entities=entities(s.contract, s.holdout["entity_id"].nunique()),
        jumped=gauges[1].value,
        refit=table["refit"].iloc[0],
    )
    stands = sight(s, gauges[0].value, not_stated(say("a share is held against a level")), convention=worst)
    return replace(_evidence(s, worst.light, answer), value=gauges[0].value, table=table, sight=stands)


def _evidence(s: Subject, verdict: Verdict, answer: Text) -> Evidence:
    return Evidence(
        key="specification",
        question=say("Would the same recipe, with other draws, put customers into the same grades?"),
        verdict=verdict,
        answer=answer,
        threshold=s.rules["grade_change"].text + s.rules["grade_jump"].text,
        source="Breiman (2001), section 8",
    )
