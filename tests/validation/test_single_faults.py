"""Faults that single tests of the battery once let through, each planted by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.contracts import Contract
from workbench.panel.bins import Bins
from workbench.params import UserError
from workbench.validation import (
    battery,
    binomial,
    brier,
    challengers,
    concentration,
    grade_heterogeneity,
    hosmer_lemeshow,
    jeffreys,
    membership,
    overfit,
    psi_score,
    rank_ordering,
    reliability,
    sensitivity,
    weak_spot,
)
from workbench.validation.subject import checked, subject


def _changed(s, **columns):
    return replace(s, holdout=s.holdout.assign(**columns))


def _grades(predicted, observed, n=4000.0):
    table = pd.DataFrame({"grade": list("ABCDEF"[: len(predicted)]), "predicted": predicted, "observed": observed})
    return table.assign(n=n, events=table["observed"] * n, share=1 / len(table), rows=int(n), n_both=n / 2)


def test_the_binomial_test_names_the_worst_grade_of_either_side(sound):
    h = sound.holdout
    first, last = h["grade_code"].min(), h["grade_code"].max()
    off = np.select([h["grade_code"] == first, h["grade_code"] == last], [4.0, 0.6], 1.0)
    e = binomial.test(_changed(sound, predicted=(h["predicted"] * off).clip(upper=0.99)))
    assert str(e.verdict) == "red", "a PD too low is not hidden by one that is further off on the other side"
    assert f"too low furthest in grade {last}" in e.answer and f"too high furthest in grade {first}" in e.answer


def test_jeffreys_portfolio_is_one_of_holms_rows(sound):
    low = _changed(sound, predicted=sound.holdout["predicted"] * 0.93)
    table = jeffreys.test(low).table
    plain = jeffreys.p_values(table.rename(columns={"effective n": "n", "effective events": "events"}))
    assert (
        table["p"].min() == pytest.approx(min(plain.min() * len(table), 1)) and table["grade"].iloc[-1] == "portfolio"
    )


def test_a_weak_slice_is_red_and_named_and_not_one_that_is_only_sure(sound):
    h = sound.holdout
    rng = np.random.default_rng(1)
    bins = sound.model.reference["income"][0]
    slice_ = bins.codes(h["income"]) == 3
    true = np.where(slice_, np.minimum(3 * h["predicted"], 1), h["predicted"])
    e = weak_spot.test(_changed(sound, outcome=(rng.random(len(h)) < true).astype(float)))
    assert str(e.verdict) == "red" and f"the worst is income {bins.labels[3]} " in e.answer
    true = np.where(slice_, h["predicted"] / 3, h["predicted"])
    other = weak_spot.test(_changed(sound, outcome=(rng.random(len(h)) < true).astype(float)))
    assert str(other.verdict) == "amber", "at most amber on the side that doesn't cost"


def test_without_a_small_p_the_worst_slice_is_the_one_least_like_chance(sound):
    table = pd.DataFrame(
        {"input": ["a", "b"], "slice": ["1", "2"], "predicted": [0.1, 0.1], "observed": [0.1, 0.11], "p": [0.9, 0.6]}
    ).assign(p_both=lambda t: t["p"])
    judged = weak_spot._judged(sound, table)
    assert list(judged["input"]) == ["b", "a"] and list(judged["p"]) == [1.0, 1.0]


def test_weights_and_parents_raise_the_critical_value_of_a_psi(sound):
    codes, ones = np.arange(1000) % 10, np.ones(1000)
    assert metrics.effective_counts(codes, ones, np.arange(1000)) == pytest.approx(1000)
    assert metrics.effective_counts(codes, ones, codes + 10 * (np.arange(1000) // 100)) == pytest.approx(100)
    uneven = np.where(np.arange(1000) % 2, 1.9, 0.1)
    kish = uneven.sum() ** 2 / (uneven**2).sum()
    shuffled = np.random.default_rng(0).permutation(codes)
    assert metrics.effective_counts(shuffled, uneven, np.arange(1000)) == pytest.approx(kish, rel=0.05)
    once = psi_score.shift(sound, "predicted", sound.holdout)
    copies = sound.holdout.loc[sound.holdout.index.repeat(6)].reset_index(drop=True)
    often = psi_score.shift(sound, "predicted", copies)
    assert often == pytest.approx(once, rel=0.01), "six copies of a row are one row"


def test_a_holdout_of_the_same_time_cannot_have_moved(sound):
    assert str(psi_score.test(sound).question) == "Is the PD of the hold-out spread as development's?"
    later = _changed(sound, as_of_date=pd.Timestamp("2021-01-01"))
    assert str(psi_score.test(later).question) == "Has the distribution of the PD moved?"


def test_overfit_reads_the_rows_learnt_from(sound, panel, contract):
    model = replace(sound.model, facts={**sound.model.facts, "max_development_rows": 500, "seed": 7})
    capped = subject(model, panel, contract, {}, sound.rules, 1)
    learnt = capped.development["learnt"]
    parents = panel[panel["sample"] == "development"]["parent_id"].drop_duplicates()
    drawn = parents.sample(frac=500 / 4000, random_state=7)
    assert learnt.sum() == 500 and set(capped.development.loc[learnt, "entity_id"]) == set(drawn)
    rng = np.random.default_rng(0)
    known = capped.development.assign(
        predicted=np.where(learnt, capped.development["outcome"] * 0.9 + 0.05, rng.random(len(learnt)))
    )
    card = overfit.test(replace(capped, development=known))
    assert str(card.verdict) == "red" and "on the 500 rows learnt from" in card.answer
    assert str(overfit.test(replace(capped, development=known.assign(learnt=True))).verdict) != "red"


def test_who_was_learnt_from_is_told_by_a_model_that_remembers_and_by_no_sound_one(sound):
    d, rng = sound.development, np.random.default_rng(0)
    card = membership.test(sound)
    assert str(card.verdict) == "green" and abs(card.value - 0.5) < 0.03
    by_heart = d.assign(predicted=np.where(d["learnt"], 0.8 * d["outcome"] + 0.2 * d["predicted"], d["predicted"]))
    assert str(membership.test(replace(sound, development=by_heart)).verdict) == "red"
    rarer = _changed(sound, outcome=sound.holdout["outcome"] * (rng.random(len(sound.holdout)) < 0.5))
    assert str(membership.test(rarer).verdict) == "green", "another rate tells of nobody"
    none = membership.test(_changed(sound, outcome=0.0))
    assert str(none.verdict) == "not_evaluated"


def test_a_calibration_error_is_judged_by_the_rate_and_needs_an_event(sound):
    h = sound.holdout
    rare = _changed(sound, predicted=h["predicted"] * 0.1, outcome=(np.arange(len(h)) % 25 == 0).astype(float))
    rare = replace(rare, development=rare.holdout.assign(learnt=True))
    assert str(reliability.test(rare).verdict) == "red", "an error of 0.02 is half of a rate of 4 %"
    none = reliability.test(_changed(sound, outcome=0.0))
    assert str(none.verdict) == "not_evaluated"


def test_the_parts_of_the_brier_score_add_up(sound):
    table = brier.test(sound).table.set_index("part")["value"]
    reliability_, resolution, uncertainty, within = table.iloc[1:]
    assert reliability_ - resolution + uncertainty + within == pytest.approx(table["Brier score"], abs=1e-15)
    parts = [part for _, part in sound.holdout.groupby("grade_code")]
    cov = [np.cov(part["predicted"], part["outcome"], ddof=0) for part in parts]
    by_hand = sum(len(part) * (c[0, 0] - 2 * c[0, 1]) for part, c in zip(parts, cov, strict=True))
    assert within == pytest.approx(by_hand / len(sound.holdout), abs=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1])
def test_a_prediction_that_is_no_probability_is_an_error(sound, value):
    predicted = np.array([0.1, value, 0.2])
    with pytest.raises(UserError) as e:
        checked(predicted, sound.outcome)
    what = "predicts nothing" if not np.isfinite(value) else "predicts less than 0 or more than 1"
    assert str(e.value) == f"validation/battery: the model {what} for 1 of 3 rows; mend it"


@pytest.mark.parametrize("sample", ["development", "holdout", "later"])
def test_a_missing_prediction_is_an_error_of_every_test(sound, sample):
    later = sound.holdout.assign(as_of_date=pd.Timestamp("2021-01-01"))
    s = replace(sound, later=later)
    hole = replace(s, **{sample: getattr(s, sample).assign(predicted=lambda r: r["predicted"].where(r.index > 0))})
    modules = battery.tests("binary")
    for name in ("hosmer_lemeshow", "jeffreys", "weak_spot", "psi_score", "fairness"):
        assert str(battery._answer(name, modules[name], hole).verdict) == "error", name


def test_grades_that_are_one_are_found_and_undecided_ones_are_not(sound):
    table = grade_heterogeneity.pairs(_grades([0.01, 0.02, 0.04], [0.01, 0.01, 0.04], n=20_000.0))
    light = {r.pair: str(grade_heterogeneity._light(sound, r)) for r in table.itertuples()}
    assert light == {"A-B": "red", "B-C": "green"}
    few = grade_heterogeneity.pairs(_grades([0.01, 0.02], [0.012, 0.015], n=300.0))
    assert [str(grade_heterogeneity._light(sound, r)) for r in few.itertuples()] == ["green"]
    same = grade_heterogeneity.pairs(_grades([0.020, 0.021], [0.02, 0.021], n=300.0))
    assert [str(grade_heterogeneity._light(sound, r)) for r in same.itertuples()] == ["amber"]


def test_a_model_of_one_input_is_red(sound):
    rest = {n: sound.model.features[n] for n in ("delay",)}
    alone = replace(sound.model, features=rest)
    h = sound.holdout
    odds = np.exp(-2.5 + 0.9 * h["delay"])

    class ByDelay:
        features, reference, grade_names, grade = rest, alone.reference, alone.grade_names, alone.grade

        def predict(self, X):
            return 1 / (1 + 1 / np.exp(-2.5 + 0.9 * X["delay"]))

    e = sensitivity.test(replace(_changed(sound, predicted=odds / (1 + odds)), model=ByDelay()))
    assert str(e.verdict) == "red" and e.value > 0.95 and e.answer.facts["input"] == "delay"
    assert str(sensitivity.test(sound).verdict) == "green"


def test_the_index_of_concentration_and_the_ecbs_test_by_hand():
    assert concentration.index(np.full(7, 1 / 7)) == pytest.approx(0)
    assert concentration.index(np.array([0.7, 0.2, 0.1])) == pytest.approx(1 + np.log(0.54) / np.log(3))
    before, now = np.array([0.4, 0.3, 0.3]), np.array([0.8, 0.1, 0.1])
    cv = [np.sqrt(3 * ((s - 1 / 3) ** 2).sum()) for s in (before, now)]
    z = np.sqrt(2) * (cv[1] - cv[0]) / np.sqrt(cv[1] ** 2 * (0.5 + cv[1] ** 2))
    from scipy import stats

    assert concentration.higher_p(before, now) == pytest.approx(stats.norm.sf(z))


def test_groups_that_nobody_marked_do_not_satisfy_the_mandatory_test(sound, items):
    unmarked = replace(
        sound,
        contract=Contract(
            name="mart__panel", title="t", columns=tuple(c for c in sound.contract.columns if not c.fairness)
        ),
    )
    modules = battery.tests("binary")
    answers = {n: battery._answer(n, modules[n], unmarked) for n in ("fairness", "group_calibration")}
    assert {str(e.verdict) for e in answers.values()} == {"not_evaluated"}
    assert "mark a column with `fairness: true`" in answers["fairness"].answer
    others = [e for e in items if e.key not in answers]
    assert battery.verdict([*others, *answers.values()], unmarked).value == "refer"


def test_grades_that_share_parents_rise_and_fall_together():
    rows = pd.DataFrame(
        {"outcome": [1.0, 0, 1, 0], "weight": 1.0, "parent_id": [1, 2, 1, 2], "grade_code": ["A", "A", "B", "B"]}
    )
    assert hosmer_lemeshow.correlation(rows, ["A", "B"]) == pytest.approx(np.ones((2, 2)))
    apart = rows.assign(parent_id=range(4))
    assert hosmer_lemeshow.correlation(apart, ["A", "B"]) == pytest.approx(np.eye(2))


def test_a_category_moves_to_the_next_and_the_last_to_the_first():
    bins = Bins("job", (), (("clerk",), ("driver", "pilot"), ("none",)))
    moved = sensitivity.moved(pd.Series(["clerk", "driver", "none", None]), bins)
    assert moved.tolist()[:3] == ["driver", "none", "clerk"] and moved.isna().tolist() == [False, False, False, True]


def test_where_no_grade_expects_events_enough_nothing_is_computed(sound):
    grades = pd.DataFrame({"grade": ["A"], "n": [10.0], "events": [1.0], "predicted": [0.1]})
    chi2, degrees, p = hosmer_lemeshow.chi_squared(sound.holdout, grades, 5)
    assert (chi2, degrees) == (0.0, 0.0) and np.isnan(p)
    assert np.isnan(hosmer_lemeshow.least_factor(grades, degrees, 0.05))


def test_a_model_of_one_grade_turns_no_decision_and_has_no_pair(sound):
    table = pd.DataFrame({"challenger": ["logistic"], "decisions turned, at most": [np.nan]})
    assert (
        str(challengers._turned(table))
        == "The model has one grade: there is no cut-off at which a decision would turn."
    )
    one = replace(sound, holdout=sound.holdout.assign(grade_code="A"))
    for test in (rank_ordering, grade_heterogeneity):
        e = test.test(one)
        assert str(e.verdict) == "not_evaluated" and e.sight is None, e.key
