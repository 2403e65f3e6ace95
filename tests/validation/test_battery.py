"""The battery: planted faults are found with the right sign, a sound model passes, tests say what they are blind to."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench.contracts import Column, Contract
from workbench.models import development
from workbench.models.development import Sample
from workbench.params import UserError
from workbench.validation import battery, fairness, jeffreys
from workbench.validation.subject import Subject, holm, subject, thresholds

N = 8000
CONTRACT = Contract(
    name="mart__panel",
    title="t",
    columns=(
        Column(name="delay", type="number", monotone=1, description="months past due"),
        Column(name="income", type="number", monotone=-1, description="monthly income"),
        Column(name="sex_code", type="category", fairness=True),
    ),
)


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(N)],
            "as_of_month": pd.Timestamp("2020-01-01"),
            "sample": np.where(np.arange(N) < N // 2, "development", "holdout"),
            "weight": 1.0,
            "delay": rng.poisson(0.8, N).astype(float),
            "income": rng.lognormal(8, 0.6, N),
            "sex_code": rng.choice(["F", "M"], N),
        }
    )
    z = -2.2 + 0.9 * frame["delay"] - 1.0 * (np.log(frame["income"]) - 8)
    frame["is_default"] = (rng.random(N) < 1 / (1 + np.exp(-z))).astype(float)
    return frame


@pytest.fixture(scope="module")
def sound(panel) -> Subject:
    learn = panel[panel["sample"] == "development"]
    s = Sample(
        learn[["delay", "income"]].reset_index(drop=True),
        learn["is_default"].to_numpy(),
        learn["weight"].to_numpy(),
        learn["account_id"].to_numpy(),
    )
    p = development.Params(choice="scorecard")
    chosen, _ = development.choose(development.candidates(s, CONTRACT, p), s, p)
    model = development.assemble(chosen, s, CONTRACT, p, {})
    held = panel[panel["sample"] == "holdout"]
    from workbench import metrics

    pd_ = model.pd(held)
    figures = {
        f"holdout_{m}": getattr(metrics, m)(held["is_default"], pd_, held["weight"])
        for m in ("auc", "gini", "ks", "brier", "log_loss")
    }
    return subject(model, panel, CONTRACT, figures, {}, seed=3)


def _with(s: Subject, **changes) -> Subject:
    return Subject(**{**{f: getattr(s, f) for f in Subject.__dataclass_fields__}, **changes})


def _pd_changed(s: Subject, change) -> Subject:
    pd_ = change(s.holdout["pd"])
    return _with(s, holdout=s.holdout.assign(pd=pd_))


def _light(name: str, s: Subject) -> str:
    return str(battery.tests()[name].test(s).verdict)


def test_there_are_at_least_twenty_tests_and_each_says_what_it_is_blind_to():
    found = battery.tests()
    assert len(found) >= 20
    for name, module in found.items():
        for part in ("**Method**", "**Reads as bad**", "**Blind to**", "**Source**"):
            assert part in module.__doc__, f"{name} lacks {part}"
        assert module.__doc__.splitlines()[0].endswith("?") and module.FAMILY


def test_a_sound_model_passes(sound):
    items = battery.run(sound)
    red = {e.name for e in items if str(e.verdict) in ("red", "error")}
    assert red <= {"sensitivity"}  # all hangs on two inputs here, and the battery says so
    assert {e.name for e in items} == set(battery.tests())


def test_pds_five_points_too_low_are_found_with_the_right_sign(sound):
    low = _pd_changed(sound, lambda p: (p - 0.05).clip(lower=0.001))
    assert _light("jeffreys", low) == "red" and _light("hosmer_lemeshow", low) == "red"
    assert "too low" in battery.tests()["binomial"].test(low).answer
    assert _light("central_tendency", low) == "red" or "Mean PD" in battery.tests()["central_tendency"].test(low).answer


def test_pds_far_too_high_pass_jeffreys_but_not_the_binomial_test(sound):
    high = _pd_changed(sound, lambda p: (p + 0.10).clip(upper=0.99))
    assert _light("jeffreys", high) == "green"
    found = battery.tests()["binomial"].test(high)
    assert str(found.verdict) == "amber" and "too high" in found.answer


def test_extreme_pds_have_a_slope_below_one(sound):
    extreme = _pd_changed(sound, lambda p: 1 / (1 + ((1 - p) / p) ** 2))
    found = battery.tests()["calibration_line"].test(extreme)
    assert str(found.verdict) == "red" and found.value < 0.7


def test_a_score_that_says_nothing_is_red(sound):
    rng = np.random.default_rng(0)
    random = _pd_changed(sound, lambda p: rng.permutation(p))
    assert _light("auc", random) == "red" and _light("ks", random) == "red"
    assert _light("challenger", random) == "red"


def test_an_account_in_both_samples_is_found(sound):
    both = _with(sound, holdout=pd.concat([sound.holdout, sound.development.head(1)], ignore_index=True))
    found = battery.tests()["split_integrity"].test(both)
    assert str(found.verdict) == "red" and found.value == 1


def test_figures_that_were_not_earned_are_found(sound):
    claimed = _with(sound, figures={**sound.figures, "holdout_auc": sound.figures["holdout_auc"] + 0.01})
    assert _light("reperformance", claimed) == "red" and _light("reperformance", sound) == "green"
    assert _light("reperformance", _with(sound, figures={})) == "not_evaluated"


def test_a_shifted_input_is_found(sound):
    moved = _with(sound, later=sound.holdout.assign(income=sound.holdout["income"] * 2.5))
    found = battery.tests()["psi_characteristics"].test(moved)
    assert str(found.verdict) == "red" and found.table.iloc[0]["input"] == "income"


def test_a_group_judged_riskier_than_it_is_is_red_and_a_riskier_one_amber(sound):
    unfair = sound.holdout.assign(pd=np.where(sound.holdout["sex_code"] == "F", 0.5, sound.holdout["pd"] * 0.5))
    assert str(fairness.test(_with(sound, holdout=unfair)).verdict) == "red"
    assert str(fairness.test(sound).verdict) == "green"


def test_a_broken_test_is_an_error_and_the_battery_goes_on(sound, monkeypatch):
    monkeypatch.setattr(battery.tests()["ks"], "test", lambda s: 1 / 0)
    items = battery.run(sound)
    broken = next(e for e in items if e.name == "ks")
    assert str(broken.verdict) == "error" and broken.answer == "ZeroDivisionError: division by zero"
    assert battery.verdict(items).value == "refuse"


def test_jeffreys_is_the_ecbs_worked_formula():
    grades = pd.DataFrame({"bad": [3.0], "n": [60.0], "pd": [0.01]})
    assert jeffreys.p_values(grades).iloc[0] == pytest.approx(stats.beta.cdf(0.01, 3.5, 57.5))


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_a_study_may_name_thresholds_and_an_unknown_one_is_refused():
    assert thresholds({"gini": [0.5, 0.3]})["gini"].amber == 0.5
    with pytest.raises(UserError) as e:
        thresholds({"ginni": [0.5, 0.3]})
    assert str(e.value) == "validation/battery: thresholds: unknown 'ginni'; did you mean 'gini'?"
