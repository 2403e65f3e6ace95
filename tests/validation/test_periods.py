"""Outcome tests on the hold-out and on every later period: the worse decides, the page says which, chance is shared."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics
from workbench.validation import battery, calibration_line, central_tendency, jeffreys
from workbench.validation.effects import effect
from workbench.validation.periods import periods, worse
from workbench.validation.significance import shared
from workbench.validation.subject import HOLDOUT, Once


def _later(s, years=(2021, 2022), true=lambda p: p, predicted=lambda p: p):
    """Rows of later years like the hold-out's, their outcomes drawn anew from `true` of the predictions."""
    rng, parts = np.random.default_rng(5), []
    for year in years:
        h = s.holdout.assign(as_of_date=pd.Timestamp(f"{year}-01-01"))
        outcome = (rng.random(len(h)) < np.clip(true(h["predicted"]), 0, 1)).astype(float)
        parts.append(h.assign(outcome=outcome, predicted=predicted(h["predicted"]), sample="monitoring"))
    return replace(s, later=pd.concat(parts, ignore_index=True))


def _battery(s, *names):
    return {e.key: e for e in battery.run(s, names=names)}


def test_a_default_rate_that_doubles_later_is_red_and_the_page_says_when(sound):
    doubled = _later(sound, true=lambda p: 2 * p)
    items = _battery(doubled, "jeffreys", "hosmer_lemeshow", "binomial", "calibration_line", "central_tendency")
    assert {str(e.verdict) for e in items.values()} == {"red"}
    answer = str(items["jeffreys"].answer)
    assert answer.startswith("Furthest on the rows of 20") and answer.endswith(
        "The worst sample decides: the hold-out green, the rows of 2021 red, the rows of 2022 red."
    )
    assert battery.verdict(list(items.values()), doubled, list(items)).value == "refuse"


def test_a_model_that_ranks_nothing_later_is_red(sound):
    lost = _later(sound, true=lambda p: np.full(len(p), p.mean()))
    items = _battery(lost, "auc", "ks", "grade_heterogeneity", "calibration_line")
    assert {str(e.verdict) for e in items.values()} == {"red"}
    assert "On the rows of 2021: Gini" in items["auc"].answer


def test_later_rows_as_predicted_change_no_light(sound, items):
    names = [
        n
        for n, m in battery.tests("binary").items()
        if battery.is_repeated(m) and n not in ("horizon", "override_effect")
    ]
    assert len(names) >= 13
    alone = {e.key: str(e.verdict) for e in items if e.key in names}
    watched = {n: str(e.verdict) for n, e in _battery(_later(sound), *names).items()}
    assert alone == watched == dict.fromkeys(names, "green")


def test_years_with_too_few_events_go_with_the_year_before(sound):
    h = sound.holdout
    events, others = h[h["outcome"] == 1], h[h["outcome"] == 0]
    few = pd.concat([events.head(5), others.head(500)])
    many = pd.concat([events.head(100), others.head(500)])
    dated = [
        part.assign(as_of_date=pd.Timestamp(f"{year}-06-01"))
        for year, part in ((2021, few), (2022, many), (2023, few), (2024, many), (2025, many))
    ]
    each = periods(replace(sound, later=pd.concat(dated)))
    assert [str(p.tested) for p in each] == ["the rows of 2021 to 2023", "the rows of 2024", "the rows of 2025"]
    assert [p.looks for p in each] == [4, 4, 4] and sum(len(p.holdout) for p in each) == 505 * 2 + 600 * 3
    assert periods(replace(sound, later=dated[0])) == [] and periods(sound) == []


def test_the_worse_decides_and_a_period_that_cannot_be_judged_does_not(sound):
    first = jeffreys.test(sound)
    open_ = replace(first, verdict="not_evaluated")
    amber = replace(first, verdict="amber", answer="Later.")
    assert worse(first, []) is first
    assert str(worse(first, [(HOLDOUT, open_)]).verdict) == "green"
    assert str(worse(first, [(HOLDOUT, open_), (HOLDOUT, amber)]).verdict) == "amber"


def test_looks_share_the_chance_of_a_false_alarm(sound):
    assert metrics.holm(np.array([0.01, 0.2]), 4) == pytest.approx([0.08, 0.8]) and shared(0.3, 4) == 1
    assert np.isnan(shared(float("nan"), 3))
    low = sound.holdout["predicted"] * 0.8
    alone, crowded = (
        jeffreys.test(replace(sound, holdout=sound.holdout.assign(predicted=low), looks=looks)) for looks in (1, 24)
    )
    assert list(crowded.table["p"]) == pytest.approx(list((24 * alone.table["p"]).clip(upper=1)))
    assert "p is multiplied by 24: so many tests of this family and samples ask the same." in crowded.threshold


def test_the_calibration_family_shares_among_ten_tests_and_central_tendency_is_one_of_them(sound):
    modules = battery.tests("binary")
    assert battery._looks(modules["jeffreys"], modules) == 10 == battery._looks(modules["central_tendency"], modules)
    assert battery._looks(modules["auc"], modules) == 1
    assert battery.is_repeated(modules["jeffreys"]) and not battery.is_repeated(modules["central_tendency"])


def test_central_tendency_reads_only_rows_not_learnt_from_and_every_month_alike(sound):
    few = _later(sound, years=(2021,), true=lambda p: 3 * p).later.head(400)
    rows = central_tendency.long_run(replace(sound, later=few))
    shares = rows.groupby(rows["as_of_date"])["weight"].sum() / rows["weight"].sum()
    assert list(shares.round(6)) == [0.5, 0.5] and len(rows) == len(sound.holdout) + 400
    high = replace(sound, development=sound.development.assign(predicted=0.5))
    assert central_tendency.test(high).value == central_tendency.test(sound).value


def test_one_class_has_no_calibration_line(sound):
    one = replace(sound, holdout=sound.holdout.assign(outcome=0.0))
    e = calibration_line.test(one)
    assert str(e.verdict) == "not_evaluated" and str(e.answer) == "The rows tested have one outcome only."


def test_what_several_tests_ask_for_is_worked_out_once_and_anew_of_other_rows(sound):
    once, asked = Once(), []
    rows, equal = [1], [1]
    answers = [once.answer("q", (x,), lambda: asked.append(1) or len(asked)) for x in (rows, rows, equal)]
    assert answers == [1, 1, 2] and once.answer("another", (rows,), lambda: 0) == 0
    name, of_all = next(iter(sound.model.features)), sound.grades(sound.holdout)
    half = replace(sound, development=sound.development.iloc[::2].reset_index(drop=True))
    assert half.once is sound.once and not np.array_equal(effect(half, name), effect(sound, name), equal_nan=True)
    few = sound.grades(sound.holdout.iloc[::2])
    assert few["rows"].sum() < of_all["rows"].sum() and sound.grades(sound.holdout).equals(of_all)
