"""The battery: planted faults are found with the right sign, a sound model passes, tests say what they are blind to."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench import metrics, rules
from workbench.evidence import Verdict
from workbench.params import UserError
from workbench.validation import battery, fairness, jeffreys, shown, spiegelhalter
from workbench.validation.subject import Subject, subject
from workbench.words.catalogue import catalogue


def _with(s: Subject, **changes) -> Subject:
    return replace(s, **changes)


def _pd_changed(s: Subject, change) -> Subject:
    pd_ = change(s.holdout["predicted"])
    return _with(s, holdout=s.holdout.assign(predicted=pd_))


def _light(name: str, s: Subject) -> str:
    return str(battery.tests()[name].test(s).verdict)


def test_there_are_at_least_twenty_tests_and_each_says_what_it_is_blind_to():
    tests = battery.tests()
    assert len(tests) >= 20
    for name, module in tests.items():
        for part in ("**Method**", "**Reads as bad**", "**Blind to**", "**Source**"):
            assert part in module.__doc__, f"{name} lacks {part}"
        assert module.__doc__.splitlines()[0].endswith("?") and module.FAMILY
        assert name.replace("_", " ") in catalogue("zh_CN"), f"{name}: run python -m workbench.words.extract"


def test_a_sound_model_passes(sound, items):
    assert not [e.key for e in items if str(e.verdict) in ("red", "error")]
    assert {e.key for e in items} == set(battery.tests("binary"))


def test_pds_five_points_too_low_are_found_with_the_right_sign(sound):
    low = _pd_changed(sound, lambda p: (p - 0.05).clip(lower=0.001))
    assert _light("jeffreys", low) == "red" and _light("hosmer_lemeshow", low) == "red"
    assert "too low" in battery.tests()["binomial"].test(low).answer


def test_a_mean_pd_that_is_too_low_is_red_and_one_too_high_amber(sound):
    def both(change):
        return _with(
            sound,
            **{
                n: getattr(sound, n).assign(predicted=change(getattr(sound, n)["predicted"]))
                for n in ("development", "holdout")
            },
        )

    assert _light("central_tendency", both(lambda p: p * 0.7)) == "red"
    assert _light("central_tendency", both(lambda p: (p * 1.4).clip(upper=0.99))) == "amber"


def test_pds_far_too_high_pass_jeffreys_but_not_the_binomial_test(sound):
    high = _pd_changed(sound, lambda p: (p + 0.10).clip(upper=0.99))
    assert _light("jeffreys", high) == "green"
    card = battery.tests()["binomial"].test(high)
    assert str(card.verdict) == "amber" and "too high" in card.answer


def test_extreme_pds_have_a_slope_below_one(sound):
    extreme = _pd_changed(sound, lambda p: 1 / (1 + ((1 - p) / p) ** 2))
    card = battery.tests()["calibration_line"].test(extreme)
    assert str(card.verdict) == "red" and card.value < 0.7


def test_pds_too_low_as_a_whole_are_red_though_the_slope_is_right(sound):
    low = _pd_changed(sound, lambda p: 1 / (1 + (1 - p) / p * np.exp(0.4)))
    card = battery.tests()["calibration_line"].test(low)
    assert str(card.verdict) == "red" and card.value == pytest.approx(1, abs=0.15) and "too low" in card.answer


def test_a_score_that_says_nothing_is_red(sound):
    rng = np.random.default_rng(0)
    random = _pd_changed(sound, lambda p: rng.permutation(p))
    assert _light("auc", random) == "red" and _light("ks", random) == "red"
    assert _light("challenger", random) == "red"


def test_an_account_in_both_samples_is_found(sound):
    both = _with(sound, holdout=pd.concat([sound.holdout, sound.development.head(1)], ignore_index=True))
    card = battery.tests()["split_integrity"].test(both)
    assert str(card.verdict) == "red" and "1 of 4,001 parents of the hold-out stood in development, too." in card.answer


def test_figures_that_were_not_earned_are_found(sound):
    claimed = _with(sound, figures={**sound.figures, "holdout_auc": sound.figures["holdout_auc"] + 0.01})
    assert _light("reperformance", claimed) == "red" and _light("reperformance", sound) == "green"
    assert _light("reperformance", _with(sound, figures={})) == "not_evaluated"


def test_a_shifted_input_is_found(sound):
    moved = _with(sound, later=sound.holdout.assign(income=sound.holdout["income"] * 2.5))
    card = battery.tests()["psi_characteristics"].test(moved)
    assert str(card.verdict) == "red" and card.table.iloc[0]["input"] == "income"


def test_a_group_judged_riskier_than_it_is_is_red_and_a_riskier_one_amber(sound):
    unfair = sound.holdout.assign(
        predicted=np.where(sound.holdout["sex_code"] == "F", 0.5, sound.holdout["predicted"] * 0.5)
    )
    assert str(fairness.test(_with(sound, holdout=unfair)).verdict) == "red"
    assert str(fairness.test(sound).verdict) == "green"


def test_a_misjudged_group_is_red_though_a_riskier_group_has_the_lower_ratio(sound):
    h, rng = sound.holdout, np.random.default_rng(1)
    group = np.select(
        [h["predicted"].rank(pct=True) > 0.8, rng.random(len(h)) < 0.25], ["riskier", "wronged"], "others"
    )
    pd_ = np.where(group == "wronged", (h["predicted"] * 1.9 + 0.08).clip(upper=0.95), h["predicted"])
    card = fairness.test(_with(sound, holdout=h.assign(sex_code=group, predicted=pd_)))
    assert (
        str(card.verdict) == "red" and "'wronged'" in card.answer and "The lowest ratio of all is 0.00." in card.answer
    )


def test_groups_coded_as_numbers_are_groups_and_small_ones_are_not_evaluated(sound):
    coded = sound.holdout.assign(sex_code=(sound.holdout["sex_code"] == "F").astype(int))
    assert list(fairness.ratios(_with(sound, holdout=coded), ["sex_code"])["group"]) == [0, 1]
    few = _with(sound, holdout=sound.holdout.head(150))
    assert _light("fairness", few) == _light("weak_spot", few) == "not_evaluated"


def test_a_tiny_group_is_no_yardstick(sound):
    h = sound.holdout
    tiny = h["predicted"].rank(method="first") <= 0.015 * len(h)
    codes = np.select([tiny, np.arange(len(h)) % 2 == 0], ["tiny", "even"], "odd")
    card = fairness.test(_with(sound, holdout=h.assign(sex_code=codes)))
    assert str(card.verdict) == "green" and "Not judged: sex_code 'tiny' (60 rows)." in card.answer
    assert set(card.table.loc[card.table["ratio"].notna(), "group"]) == {"even", "odd"}


def test_an_input_that_does_as_well_as_the_model_is_amber(sound):
    assert _light("leakage", _pd_changed(sound, lambda p: p.sample(frac=1, random_state=1).to_numpy())) == "amber"


def test_a_mandatory_test_whose_file_is_gone_is_missed_and_ends_no_page(sound, items):
    without = [e for e in items if e.key != "ks"]
    overall = battery.verdict(without, sound)
    assert overall.value == "refuse" and "Missing: ks." in overall.answer
    assert "Missing" not in battery.verdict(without, sound, ["auc", "jeffreys"]).answer
    gone = shown.picture_of(without, "ks", lambda table: "drawn")
    assert str(gone.answer) == "The battery holds no test 'ks' for this outcome."
    assert str(shown.by_key(without)["ks"].verdict) == "not_evaluated"
    assert shown.picture_of(items, "jeffreys", lambda table: "drawn") == "drawn"
    with pytest.raises(UserError) as e:
        battery.verdict(items, sound, ["jefreys"])
    assert str(e.value) == "validation/battery: mandatory: unknown 'jefreys'; did you mean 'jeffreys'?"


def test_a_test_file_that_does_not_load_is_an_error_and_the_battery_goes_on(sound, monkeypatch):
    load, wanted = battery.import_module, {"workbench.validation.auc": metrics}

    def fails(name):
        if name.endswith(".ks"):
            raise ImportError("no such library")
        return load(name) if name.endswith((".auc", ".ks")) else wanted.get(name, metrics)

    monkeypatch.setattr(battery, "import_module", fails)
    items = battery.run(sound)
    assert {e.key: str(e.verdict) for e in items} == {"auc": "green", "ks": "error"}
    assert items[1].answer.in_language("en") == (
        "The test broke: it says nothing of the model. Mend `src/workbench/validation/ks.py` or what it reads, and run"
        " the step again. ImportError: no such library"
    )
    overall = battery.verdict(items, sound, ["auc", "ks"])
    assert overall.value == "refuse" and "Broken: ks." in overall.answer and "Red:" not in overall.answer


def test_of_a_test_whose_rule_is_missing_the_card_says_so_and_what_to_do(sound):
    rules = replace(sound.rules, thresholds={n: t for n, t in sound.rules.thresholds.items() if n != "ks"})
    (broken,) = battery.run(replace(sound, rules=rules), names=["ks"])
    words, technical = str(broken.answer).split(" UserError: ")
    assert words == (
        "The test broke: it says nothing of the model. Its rule `ks` is missing: give one in a file of"
        " `src/workbench/rules/`, as `docs/extending.md` shows."
    )
    assert technical.startswith("rules: unknown 'ks'; ")
    assert broken.answer.in_language("zh_CN").endswith(f"UserError：{technical}")


def test_a_broken_test_is_an_error_and_ends_no_page(sound, items, monkeypatch):
    monkeypatch.setattr(battery.tests()["ks"], "test", lambda s: 1 / 0)
    broken = battery._answer("ks", battery.tests()["ks"], sound)
    assert str(broken.verdict) == "error" and str(broken.answer).endswith("ZeroDivisionError: division by zero")
    assert battery.verdict([broken, *(e for e in items if e.key != "ks")], sound).value == "refuse"
    assert shown.picture_of([broken], "ks", lambda table: "drawn") is broken
    assert shown.figures([broken], sound) == {
        "tests": 1,
        "red": 0,
        "gini": pytest.approx(sound.figures["holdout_gini"]),
    }


def test_every_answer_says_what_it_cannot_see(items):
    for e in items:
        assert e.blind_to, e.key
        assert "**" not in e.blind_to and "\n" not in str(e.blind_to)


def test_mandatory_tests_that_could_not_be_evaluated_are_named(sound, items):
    unknown = [replace(e, verdict=Verdict.not_evaluated) if e.key in ("ks", "stability_trend") else e for e in items]
    overall = battery.verdict(unknown, sound)
    assert overall.value == "refer" and "Mandatory and not evaluated: " in overall.answer and "ks" in overall.answer


def test_tests_that_do_not_fit_are_named_and_not_run(sound, items):
    overall = battery.verdict(items, sound)
    assert "made for other outcomes than an event see: answered, calibration parts, mean backtest," in overall.blind_to
    assert "r_squared" not in {e.key for e in items}


def test_a_prediction_that_is_missing_is_an_error_never_a_rank(sound, panel, contract):
    hole = _pd_changed(sound, lambda p: p.where(p.index > 2))
    broken = battery._answer("auc", battery.tests()["auc"], hole)
    assert str(broken.verdict) == "error" and "3 of 4000 predictions missing" in broken.answer

    class Silent:
        def predict(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(UserError) as e:
        subject(Silent(), panel, contract, {}, rules.load(), 1)
    assert str(e.value) == "validation/battery: the model predicts nothing for 8,000 of 8,000 rows; mend it"


def test_a_holdout_of_one_class_is_not_evaluated(sound):
    one = _with(sound, holdout=sound.holdout[sound.holdout["outcome"] == 0].reset_index(drop=True))
    modules = battery.tests("binary")
    for name in ("auc", "jeffreys", "calibration_line", "challenger"):
        answer = battery._answer(name, modules[name], one)
        assert str(answer.verdict) == "not_evaluated" and str(answer.answer) == "The hold-out has one outcome only."
    assert str(battery._answer("concentration", modules["concentration"], one).verdict) != "not_evaluated"


def test_jeffreys_is_the_ecbs_worked_formula():
    grades = pd.DataFrame({"events": [3.0], "n": [60.0], "predicted": [0.01]})
    assert jeffreys.p_values(grades).iloc[0] == pytest.approx(stats.beta.cdf(0.01, 3.5, 57.5))


def test_holm_by_hand():
    assert metrics.holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_a_case_control_sample_of_one_population_has_no_psi(case_control):
    for name in ("psi_score", "psi_characteristics"):
        card = battery.tests()[name].test(case_control)
        assert str(card.verdict) == "green" and card.value < 0.01


def test_true_pds_of_a_case_control_sample_pass_calibration_and_low_ones_do_not(case_control):
    names = ("jeffreys", "binomial", "hosmer_lemeshow", "spiegelhalter", "reliability")
    assert {_light(n, case_control) for n in names} <= {"green", "amber"}
    low = _pd_changed(case_control, lambda p: p * 0.75)
    assert [_light(n, low) for n in ("jeffreys", "hosmer_lemeshow", "spiegelhalter")] == ["red"] * 3


def test_effective_counts_of_a_case_control_sample_have_the_spread_they_claim():
    rng, p, z = np.random.default_rng(4), 0.05, []
    bad, good = 0.35, 1.65  # half bad, brought back to 17.5 %
    share = p / bad / (p / bad + (1 - p) / good)  # of bads among the rows drawn, at a true rate of p
    for _ in range(400):
        y = pd.Series((rng.random(800) < share).astype(float))
        k, n = metrics.effective(y, pd.Series(np.where(y == 1, bad, good)))
        z.append((k / n - p) / np.sqrt(p * (1 - p) / n))
    assert np.std(z) == pytest.approx(1, abs=0.12)
    assert metrics.effective(pd.Series([1.0, 0, 0, 0]), pd.Series([1.0] * 4)) == pytest.approx((1, 4))


def test_spiegelhalters_z_is_standard_normal_under_true_pds_and_cautious_where_the_number_of_bads_is_fixed():
    rng, p = np.random.default_rng(6), np.random.default_rng(5).beta(1.2, 5, 4000)
    base, plain, drawn, fixed = p.mean(), [], [], []
    bad, good, odds = base / 0.5, (1 - base) / 0.5, p / (1 - p)
    for _ in range(300):
        plain.append(spiegelhalter.statistic((rng.random(4000) < p) * 1.0, p, np.ones(4000)))
        y = (rng.random(4000) < odds * good / bad / (1 + odds * good / bad)) * 1.0
        drawn.append(spiegelhalter.statistic(y, p, np.where(y == 1, bad, good)))
        bads, goods = rng.choice(p, 2000, p=p / p.sum()), rng.choice(p, 2000, p=(1 - p) / (1 - p).sum())
        y = np.repeat([1.0, 0.0], 2000)
        fixed.append(spiegelhalter.statistic(y, np.concatenate([bads, goods]), np.where(y == 1, bad, good)))
    for z in (plain, drawn):
        assert np.std(z) == pytest.approx(1, abs=0.12) and np.mean(z) == pytest.approx(0, abs=0.2)
    assert 0.5 < np.std(fixed) < 1


def test_the_counts_of_lights_add_up_to_the_tests(sound, items):
    items = [*items, replace(items[0], verdict=Verdict.info)]
    facts = battery.verdict(items, sound).answer.facts
    assert facts["info"] and facts["tests"] == len(items)
    assert facts["tests"] == sum(facts[n] for n in ("red", "broken", "amber", "open", "green", "info"))
