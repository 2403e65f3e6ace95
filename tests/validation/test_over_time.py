"""What only time shows: AUC by horizon and against the first, migrations, and whether another fit gives the same grades."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench import metrics
from workbench.contracts import Column
from workbench.panel.outcome import EVENT_AFTER
from workbench.params import UserError
from workbench.validation import (
    auc_initial,
    battery,
    concentration,
    horizon,
    jeffreys,
    migrations,
    override_effect,
    process_statistics,
    specification,
)
from workbench.validation.subject import Subject, subject
from workbench.words import speaking


def _dated(s, months: int, known: float):
    """The hold-out with a window of `months`, whose events after month 3 are of the first rows only by a share `known`."""
    rng, h = np.random.default_rng(5), s.holdout
    month = rng.integers(1, months + 1, len(h)).astype(float)
    late = (month > 3) & (rng.random(len(h)) > known)
    outcome = np.where(late, (rng.random(len(h)) < 3 * h["outcome"].mean()) * 1.0, h["outcome"])
    outcome_ = s.contract.outcome.model_copy(update={"window_months": months})
    h = h.assign(outcome=outcome, **{EVENT_AFTER: np.where(outcome == 1, month, np.nan)})
    return replace(s, holdout=h, contract=s.contract.model_copy(update={"outcome": outcome_}))


def test_a_model_that_knows_only_what_is_about_to_happen_plunges(sound):
    assert horizon.horizons(_dated(sound, 12, 1.0)) == [3, 6, 9, 12]
    assert str(horizon.test(_dated(sound, 12, 1.0)).verdict) == "green"
    e = horizon.test(_dated(sound, 12, 0.0))
    assert str(e.verdict) in ("amber", "red") and e.table["auc"].is_monotonic_decreasing and e.value > 0.10
    assert e.table["events"].is_monotonic_increasing and np.isnan(e.table["p"].iloc[0])


def test_without_dates_or_with_one_horizon_it_is_not_evaluated_and_passes_all_the_same(sound, items):
    alone = horizon.test(sound)
    assert str(alone.verdict) == "not_evaluated" and "doesn't know in which month" in alone.answer
    short = horizon.test(_dated(sound, 3, 1.0))
    assert "The window of 3 months has no two horizons with 20 events each." in short.answer
    needing_more = {"horizon", "vintages", "auc_initial", "migrations", "representativeness"}
    needing_more |= {"target_audit", "waterfall", "implementation_parity", "override_effect"}
    assert {e.key for e in items if str(e.verdict) == "not_evaluated"} == needing_more
    assert battery.verdict(items, sound).value == "pass"
    assert battery.verdict(items, sound, ["horizon"]).value == "refer", "a mandatory one must answer"


def test_the_auc_of_grades_against_the_first_has_both_variances(sound):
    h, rng = sound.holdout, np.random.default_rng(6)
    dated = h.assign(as_of_date=pd.Timestamp("2021-06-01"))
    same = replace(sound, later=dated.assign(outcome=(rng.random(len(h)) < h["predicted"]) * 1.0))
    assert str(auc_initial.test(same).verdict) == "green"
    noise = replace(sound, later=dated.assign(outcome=rng.permutation(h["outcome"])))
    e = auc_initial.test(noise)
    row = e.table.iloc[0]
    assert str(e.verdict) == "red" and row["auc"] == pytest.approx(0.5, abs=0.03)
    first, error, _ = auc_initial.on_grades(noise, h)
    _, other, place = auc_initial.on_grades(noise, noise.later)
    assert row["p"] == pytest.approx(stats.norm.sf((first - row["auc"]) / np.hypot(error, other)))
    plain = stats.norm.sf((first - row["auc"]) / other)  # ECB (2019), 2.5.4.1: the first without error
    assert auc_initial.ecb_p(first, place, noise.later["outcome"].to_numpy()) == pytest.approx(plain, rel=0.05)
    assert str(auc_initial.test(sound).verdict) == "not_evaluated"
    better = auc_initial.test(replace(sound, later=dated.assign(outcome=(h["predicted"].rank(pct=True) > 0.9) * 1.0)))
    assert better.table["fall"].lt(0).all() and "the fall that weighs" not in better.answer, "a rise is no fall"


def test_a_period_whose_rows_are_all_of_one_grade_separates_nothing(sound):
    """Its AUC is a half without error, and the ECB's formula has no answer."""
    later = sound.holdout.assign(as_of_date=pd.Timestamp("2021-06-01"), grade_code=sound.model.grade_names[2])
    e = auc_initial.test(replace(sound, later=later))
    assert str(e.verdict) == "red" and e.table["auc"].tolist() == [0.5] and e.table["ecb_p"].isna().all()
    assert "to 0.5000 on the rows of 2021, adjusted p < 0.0001 with both variances (p n/a by the ECB's formula" in str(
        e.answer
    )


def test_one_variance_rejects_too_often_and_both_do_not():
    rng, rejected = np.random.default_rng(7), np.zeros((400, 2))
    for i in range(400):
        z = [rng.normal(size=800) for _ in range(2)]
        y = [(rng.random(800) < 1 / (1 + np.exp(1.5 - v))) * 1.0 for v in z]
        aucs = [metrics.auc(a, b) for a, b in zip(y, z, strict=True)]
        errors = [
            metrics.clustered_error(metrics.auc_influence(a, b), np.arange(800)) for a, b in zip(y, z, strict=True)
        ]
        fall = aucs[0] - aucs[1]
        rejected[i] = stats.norm.sf([fall / errors[1], fall / np.hypot(*errors)]) < 0.05
    assert rejected[:, 0].mean() > 0.09 and rejected[:, 1].mean() == pytest.approx(0.05, abs=0.025)


def test_the_bandwidth_is_that_of_worked_figures():
    nobody = np.diag([10.0, 20.0, 30.0])
    assert migrations.bandwidth(nobody) == (0.0, 0.0)
    ends = np.array([[0.0, 0, 5], [0, 10, 0], [7, 0, 0]])
    assert migrations.bandwidth(ends) == (1.0, 1.0)
    one = np.array([[8.0, 2, 0], [0, 10, 0], [0, 0, 10]])  # two of ten go one of two steps down
    assert migrations.bandwidth(one) == (pytest.approx(0.5), 0.0)
    mathworks = [[10, 8, 15, 9, 10], [11, 9, 13, 9, 8], [0, 10, 10, 11, 10], [0, 0, 9, 11, 11], [0, 0, 0, 11, 10]]
    upper, lower = migrations.bandwidth(np.array(mathworks, float))  # its worked example: 0.3306 and 0.6066
    assert sorted((upper, lower)) == [pytest.approx(0.3306, abs=5e-5), pytest.approx(0.6066, abs=5e-5)]


def test_the_z_of_a_cell_is_the_ecbs():
    counts = np.array([[60.0, 5, 35], [10, 80, 10], [2, 18, 80]])
    cells, fuller, p = migrations.turned(counts)
    z = (0.05 - 0.35) / np.sqrt((0.35 * 0.65 + 0.05 * 0.95 + 2 * 0.35 * 0.05) / 100)  # ECB (2019), section 2.5.5.2
    assert (cells, fuller) == (6, 1) and p == pytest.approx(6 * stats.norm.cdf(z), rel=1e-9)


def test_customers_rated_twice_a_year_apart_migrate(sound):
    again = sound.holdout.assign(as_of_date=sound.holdout["as_of_date"] + pd.DateOffset(months=12))
    again["grade_code"] = again["grade_code"].replace({"A": "B"})
    e = migrations.test(replace(sound, later=again))
    assert str(e.verdict) == "info" and "4,000 accounts rated twice, 12 months apart" in e.answer
    counts = migrations.matrix(replace(sound, later=again))
    assert counts.sum() == 4000 and counts[0, 1] == (sound.holdout["grade_code"] == "A").sum()
    assert "none is rated twice" in migrations.test(sound).answer


def test_grades_are_of_what_the_contracts_rows_are(sound):
    of_loans = replace(sound, contract=sound.contract.model_copy(update={"entity": "loan"}))
    n = pd.concat([sound.development, sound.holdout, sound.later])["entity_id"].nunique()
    answer = migrations.test(of_loans).answer
    assert str(answer) == f"Of {n:,} loans none is rated twice, 12 months apart."
    with speaking("zh_CN"):
        assert str(answer) == f"{n:,} 笔贷款中没有在相隔 12 个月的两个时点均有评级的。"


def test_the_recipe_fitted_again_gives_nearly_the_same_grades(sound):
    e = specification.test(sound)
    assert str(e.verdict) == "green" and len(e.table) >= 3 and 0 < e.value < 0.5
    assert (e.table["jumped"] <= e.table["changed"]).all()
    without = replace(sound, model=replace(sound.model, facts={}))
    assert str(specification.test(without).verdict) == "not_evaluated"
    lucky = sound.holdout.assign(grade_code=np.random.default_rng(8).permutation(sound.holdout["grade_code"]))
    assert str(specification.test(replace(sound, holdout=lucky)).verdict) == "red"


def test_ratings_made_of_nothing_and_overrides_are_counted(sound, panel):
    assert str(process_statistics.test(sound).verdict) == "green"
    hole = panel.copy()
    hole.loc[hole.index < 800, list(sound.model.features)] = np.nan
    e = process_statistics.test(
        replace(sound, panel=hole.assign(by_hand=(np.arange(len(hole)) % 5 == 0) * 1), override="by_hand")
    )
    assert e.value == pytest.approx(0.1) and list(e.table["light"]) == ["red", "red", "info"]


def with_grades(sound: Subject, skill: float) -> Subject:
    """Return the subject with a tenth of its grades given anew: with skill 1 by who has an event, with 0 by a coin."""
    rng, names = np.random.default_rng(4), np.array(sound.model.grade_names)

    def given(rows: pd.DataFrame) -> pd.DataFrame:
        knows, by_hand = rng.random(len(rows)) < skill, rng.random(len(rows)) < 0.1
        grade = np.where(knows, np.where(rows["outcome"] == 1, names[-1], names[0]), rng.choice(names, len(rows)))
        return rows.assign(final_grade=np.where(by_hand, grade, None))

    panel = given(sound.panel)
    return replace(sound, panel=panel, holdout=given(sound.holdout), override="final_grade")


def test_overrides_that_know_nothing_are_red_and_those_that_know_more_are_green(sound):
    blind, wise = (override_effect.test(with_grades(sound, skill)) for skill in (0.0, 1.0))
    assert str(blind.verdict) == "red" and "AUC" in blind.answer and "put into a worse grade" in blind.answer
    assert str(wise.verdict) == "green" and wise.value < 0
    assert blind.table["rows"].sum() == len(sound.holdout) and blind.table["share"].sum() == pytest.approx(1)
    counted = process_statistics.statistics(with_grades(sound, 0.0)).set_index("what")
    assert 0.05 < counted.loc["overridden", "share"] < 0.1  # a tenth, less those who were given the model's own grade


def test_overrides_that_keep_the_order_cost_nothing(sound):
    """All of one grade are put into a better one that nobody has: the AUC and its error are as they were."""
    names = list(sound.model.grade_names)
    h = sound.holdout[sound.holdout["grade_code"] != names[2]].reset_index(drop=True)
    rows = h.assign(final_grade=np.where(h["grade_code"] == names[3], names[2], None))
    e = override_effect.test(replace(sound, panel=rows, holdout=rows, override="final_grade"))
    assert str(e.verdict) == "green" and e.value == 0


@pytest.mark.whole
def test_a_persons_grades_as_good_as_the_models_are_seldom_amber(sound):
    rng, h, names = np.random.default_rng(9), sound.holdout, list(sound.model.grade_names)
    lights = []
    for _ in range(40):
        truth = h["outcome"].to_numpy() * 1.2
        first, second = (truth + rng.normal(size=len(h)) for _ in range(2))
        cuts = np.quantile(first, np.linspace(0, 1, len(names) + 1)[1:-1])
        grades = [np.array(names)[np.searchsorted(cuts, v)] for v in (first, second)]
        by_hand = np.where(rng.random(len(h)) < 0.1, grades[1], None)
        rows = h.assign(grade_code=grades[0], final_grade=by_hand)
        lights.append(
            str(override_effect.test(replace(sound, panel=rows, holdout=rows, override="final_grade")).verdict)
        )
    assert lights.count("red") <= 1 and lights.count("amber") <= 5  # 40 draws at 1 and 5 %


def test_the_effect_of_overrides_is_judged_only_where_grades_say_it(sound, panel):
    assert "No column of the contract" in override_effect.test(sound).answer
    flagged = replace(sound, panel=panel.assign(by_hand=1), override="by_hand")
    assert "not what grade he gave instead" in override_effect.test(flagged).answer
    few = with_grades(sound, 0.0)
    few = replace(few, holdout=few.holdout.assign(final_grade=few.holdout["final_grade"].where(few.holdout.index < 60)))
    assert "fewer than 20 say nothing" in override_effect.test(few).answer
    marked = sound.contract.replaced([*sound.contract.columns, Column(name="given", type="category", role="override")])
    with pytest.raises(UserError) as error:
        subject(sound.model, panel.assign(given="Z"), marked, {}, sound.rules, 1)
    assert str(error.value) == (
        "contract 'mart__panel': override 'given' has 'Z', which is neither 0 or 1 nor a grade of "
        f"the model ({', '.join(sound.model.grade_names)}); give flags, or the grades that persons gave"
    )


def test_what_the_ecb_asks_is_what_riskvalidation_computes():
    from riskvalidation.validation.calibration import pd_jeffreys
    from riskvalidation.validation.rating_system import concentration as of_ecb
    from riskvalidation.validation.rating_system import rating_hhi

    grades = pd.DataFrame({"events": [3.0, 14.0], "n": [60.0, 900.0], "predicted": [0.01, 0.012]})
    for row, p in zip(grades.itertuples(), jeffreys.p_values(grades), strict=True):
        assert pd_jeffreys(n=int(row.n), d=int(row.events), pd=row.predicted).p_value == pytest.approx(p, rel=1e-9)
    before, now = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.05, 0.1, 0.15, 0.7])
    assert rating_hhi(now, before).p_value == pytest.approx(concentration.higher_p(before, now), rel=1e-9)
    assert of_ecb(now)[1] == pytest.approx(concentration.index(now), abs=1e-12)
    assert of_ecb(np.full(4, 0.25))[1] == pytest.approx(0, abs=1e-12)  # all alike; by hand, ECB (2019), 2.5.5.3


def test_concentration_is_said_by_exposure_too_where_the_contract_has_one(sound):
    names = list(sound.model.grade_names)
    h = sound.holdout.assign(limit_amt=np.where(sound.holdout["grade_code"] == names[0], 1e6, 1.0))
    column = Column(name="limit_amt", type="number", exposure=True, role="fact")
    contract = sound.contract.model_copy(update={"columns": (*sound.contract.columns, column)})
    e = concentration.test(replace(sound, holdout=h, contract=contract))
    assert "By exposure (limit_amt) it is 1.000." in e.answer and "By exposure" not in concentration.test(sound).answer
    none = concentration.test(replace(sound, holdout=h.assign(limit_amt=np.nan), contract=contract))
    assert "The hold-out has no exposure in limit_amt." in none.answer
