"""What is planted apart is named apart: broken data, other customers, another relation; shares add up to the whole."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from workbench import metrics, rules
from workbench.contracts import Outcome
from workbench.monitoring import attribution, causes, drift, triage
from workbench.panel.bins import quantile_bins
from workbench.params import UserError

RULES, OUTCOME = rules.load(), Outcome()
WEIGHTS = {"late": 0.9, "used": 0.6, "income": -0.5}


def _rows(n: int, seed: int, **shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    rows = pd.DataFrame({name: rng.normal(size=n) * 0.8 + 0.6 * hidden + shift.get(name, 0) for name in WEIGHTS})
    rows["income"] = np.exp(rows["income"])
    rows["region"] = rng.choice(["north", "south"], n, p=[0.5 - shift.get("south", 0), 0.5 + shift.get("south", 0)])
    return rows.assign(weight=1.0, parent_id=np.arange(n))


def _parts(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {n: w * (np.log(rows[n].clip(lower=1e-9)) if n == "income" else rows[n]) for n, w in WEIGHTS.items()}
    )


def _scored(rows: pd.DataFrame, odds: float = 1.0, seed: int = 0) -> pd.DataFrame:
    p = expit(_parts(rows).sum(axis=1) - 2.5).to_numpy()
    y = np.random.default_rng(seed).random(len(rows)) < expit(logit(p) + np.log(odds))
    return rows.assign(predicted=p, outcome=y.astype(float))


DEVELOPMENT, HOLDOUT = _scored(_rows(8000, 1)), _scored(_rows(4000, 2), seed=1)


@pytest.fixture(scope="module")
def model() -> SimpleNamespace:
    bins = {n: quantile_bins(DEVELOPMENT[n]) for n in (*WEIGHTS, "region", "predicted")}
    reference = {n: (b, tuple(b.counts(DEVELOPMENT[n]))) for n, b in bins.items()}
    return SimpleNamespace(
        features=dict.fromkeys(WEIGHTS), reference=reference, contributions=_parts, outcome=OUTCOME, facts={}
    )


def _diagnosed(model: SimpleNamespace, now: pd.DataFrame) -> triage.Diagnosis:
    return triage.diagnose(model, DEVELOPMENT, HOLDOUT, now, RULES)


def test_where_nothing_changed_nothing_is_named(model):
    assert _diagnosed(model, _scored(_rows(4000, 3), seed=2)).cause == "none"


@pytest.mark.whole
def test_small_periods_in_which_nothing_changed_are_not_broken_by_chance(model):
    gaps = {n: np.random.default_rng(20).random(8000) < 0.2 for n in WEIGHTS}
    development = DEVELOPMENT.assign(**{n: DEVELOPMENT[n].mask(g) for n, g in gaps.items()})
    bins = {n: quantile_bins(development[n]) for n in (*WEIGHTS, "region")}
    with_gaps = SimpleNamespace(
        **{**vars(model), "reference": {n: (b, tuple(b.counts(development[n]))) for n, b in bins.items()}}
    )
    causes_ = []
    for seed in range(30):
        rng, now = np.random.default_rng(seed), _scored(_rows(150, 100 + seed), seed=seed)
        now = now.assign(**{n: now[n].mask(rng.random(150) < 0.2) for n in WEIGHTS})
        causes_.append(triage.diagnose(with_gaps, development, HOLDOUT, now, RULES).cause)
    assert causes_.count("none") >= 28


def test_a_holdout_of_few_rows_is_itself_an_estimate():
    """Its AUC was high by chance; that a period of many rows doesn't reach it is no other relation."""
    now, fell, lenient = _scored(_rows(5000, 30), seed=30), 0, rules.load(overrides={"rate_off_period": [50.0, 60.0]})
    for seed in range(40):
        few = _scored(_rows(400, 200 + seed), seed=200 + seed)
        came = triage._realised(few, now, lenient)
        fell += came.is_otherwise
    assert fell <= 2


def test_other_customers_are_population_and_what_was_expected_of_them_is_the_larger_part(model):
    d = _diagnosed(model, _scored(_rows(4000, 4, late=0.8, used=0.5), seed=3))
    assert d.cause == "population" and set(d.shifted) >= {"late", "used", "predicted"} and not d.defects
    assert d.rate[0] > 0.05 and abs(d.rate[1]) < d.rate[0] / 4


def test_the_same_customers_who_behave_otherwise_are_concept(model):
    d = _diagnosed(model, _scored(_rows(4000, 5), odds=2.0, seed=4))
    assert d.cause == "concept" and d.rate[1] > 0.03 > abs(d.rate[0])
    forgotten = _scored(_rows(4000, 6), seed=5)
    forgotten["outcome"] = np.random.default_rng(6).permutation(forgotten["outcome"])
    d = _diagnosed(model, forgotten)
    assert d.cause == "concept" and d.auc[1] < -0.1


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("missing", lambda v: v.where(np.arange(len(v)) % 4 > 0)),
        ("scaled", lambda v: v * 100),
        ("one value", lambda v: v * 0 + 1.0),
        ("torn from its rows", lambda v: pd.Series(np.random.default_rng(7).permutation(v), index=v.index)),
    ],
)
def test_a_broken_column_is_named_with_its_defect(model, what, change):
    rows = _rows(4000, 8)
    d = _diagnosed(model, _scored(rows.assign(income=change(rows["income"]))).assign(predicted=0.1))
    assert d.cause == "data quality" and [(x.feature, x.what) for x in d.defects] == [("income", what)]


def test_values_never_seen_are_a_defect(model):
    rows = _scored(_rows(4000, 9), seed=8).assign(region=lambda r: r["region"].replace("south", "S"))
    assert _diagnosed(model, rows).defects[0] == triage.Defect(
        "region", "values never seen", pytest.approx(0.5, abs=0.03)
    )


def test_what_is_missing_because_there_are_more_customers_who_never_had_it_is_no_defect():
    def rows(n: int, seed: int, renters: float) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        home = rng.choice(["rents", "owns"], n, p=[renters, 1 - renters])
        value = np.where(home == "rents", np.nan, rng.lognormal(12, 0.3, n))
        return pd.DataFrame({"home": home, "value": value, "weight": 1.0, "parent_id": np.arange(n)})

    before, now = rows(4000, 1, 0.3), rows(4000, 2, 0.6)
    bins = {n: quantile_bins(before[n]) for n in ("home", "value")}
    model = SimpleNamespace(reference={n: (b, tuple(b.counts(before[n]))) for n, b in bins.items()})

    def defects(now: pd.DataFrame) -> list[triage.Defect]:
        gaps = drift.by_period(model, now.assign(period=""), RULES)[1]
        return triage.defects(before, now, gaps, model, RULES)

    assert defects(now) == []
    broken = now.assign(value=now["value"].where(np.arange(len(now)) % 3 > 0))
    assert [x.feature for x in defects(broken)] == ["value"]


def test_shares_of_the_inputs_add_up_to_the_change_of_the_mean(model):
    now = _scored(_rows(8000, 10, late=0.8))
    table = attribution.of_prediction(model, DEVELOPMENT, now, seed=1)
    assert table["change"].sum() == pytest.approx(now["predicted"].mean() - DEVELOPMENT["predicted"].mean())
    assert table["feature"][0] == "late" and table["change"][0] > 0.8 * table["change"].sum()


def test_shares_add_up_to_the_change_of_the_mean_where_rows_count_by_weight(model):
    """As of a case-control sample; what has no value is a segment, too."""
    rng, rows = np.random.default_rng(4), (DEVELOPMENT, _scored(_rows(300, 12, late=0.5)))
    before, now = (
        r.assign(weight=np.where(r["late"] > 0, 0.2, 1.5), area=rng.choice(["a", None], len(r))) for r in rows
    )
    change = np.average(now["predicted"], weights=now["weight"]) - np.average(
        before["predicted"], weights=before["weight"]
    )
    assert abs(change - (now["predicted"].mean() - before["predicted"].mean())) > 0.005, "weights tell"
    by_input = attribution.of_prediction(model, before, now, seed=1)
    assert by_input["change"].sum() == pytest.approx(change) and by_input["feature"][0] == "late"
    by_segment = attribution.of_segments(before, now, ["area"])
    assert by_segment["change"].sum() == pytest.approx(change) and set(by_segment["segment"]) == {"a", "missing"}


def test_what_another_panel_calls_its_hold_out_is_not_the_models(model):
    scored = pd.concat([r.assign(sample=n) for n, r in (("holdout", HOLDOUT), ("monitoring", HOLDOUT))])
    p = causes.Params(panel="mart__watched")
    elsewhere = SimpleNamespace(**{**vars(model), "facts": {"panel": "mart__panel"}})
    assert len(causes.holdout(scored, model, p)) == len(HOLDOUT) and causes.holdout(scored, elsewhere, p).empty
    diagnosed = triage.diagnose(model, DEVELOPMENT, causes.holdout(scored, elsewhere, p), HOLDOUT, RULES)
    e = causes.diagnosis(diagnosed, LIGHTS, "2020-03", OUTCOME, has_holdout=False)
    unknown = "The panel watched doesn't hold the model's hold-out: what came otherwise than expected can't be told."
    assert diagnosed.auc is None and unknown in e.answer
    assert str(causes.lost(None, "2020-03", has_holdout=False).answer) == unknown


def test_shares_of_the_segments_add_up_to_the_change_of_the_mean():
    before, now = DEVELOPMENT, _scored(_rows(6000, 11, south=0.3, late=0.3))
    table = attribution.of_segments(before, now, ["region"])
    assert table["change"].sum() == pytest.approx(now["predicted"].mean() - before["predicted"].mean(), abs=1e-12)
    assert attribution.cuts(before, ["region", "late"]) == ["region"]


def test_an_input_that_no_longer_separates_is_named(model):
    now = _scored(_rows(6000, 12))
    blind = expit((_parts(now)[["used", "income"]].sum(axis=1) - 2.3).to_numpy())
    now["outcome"] = (np.random.default_rng(9).random(len(now)) < blind).astype(float)
    table = attribution.of_separation(model, HOLDOUT, now)
    assert table["feature"][0] == "late" and table["now"][0] < 0.01 < table["before"][0]
    whole = metrics.auc(HOLDOUT["outcome"], _parts(HOLDOUT).sum(axis=1), HOLDOUT["weight"])
    without = metrics.auc(HOLDOUT["outcome"], _parts(HOLDOUT)[["used", "income"]].sum(axis=1), HOLDOUT["weight"])
    assert table.set_index("feature")["before"]["late"] == pytest.approx(whole - without)

    answer = str(causes.lost(table, "2020-03").answer)
    assert answer.startswith("late added 0.") and answer.endswith(" in 2020-03.")
    scored = pd.concat([DEVELOPMENT.assign(sample="development"), HOLDOUT.assign(sample="holdout")])
    scored = pd.concat([scored, now.assign(sample="monitoring")]).assign(period="2020-03")
    _, separation, _ = causes.attributed(model, scored, "2020-03", causes.Params())
    pd.testing.assert_frame_equal(separation, table)
    _, none, _ = causes.attributed(model, scored.assign(outcome=np.nan), "2020-03", causes.Params())
    assert none is None and str(causes.lost(none, "2020-03").answer).endswith("aren't known, or are too few.")


LIGHTS = pd.DataFrame(
    [
        ("drift", "late", "2020-03", 0.3, "red", "2020-03"),
        ("drift", "late", "2020-09", 0.3, "red", "2020-09"),
        ("calibration", "observed / expected", "2020-03", 2.0, "red", "2020-09"),
        ("drift", "used", "2020-10", 0.1, "green", "2020-10"),
    ],
    columns=["kind", "subject", "period", "value", "light", "known_in"],
)


def test_of_what_rings_now_the_period_whose_outcome_is_known_is_explained():
    p = causes.Params()
    assert causes.period(LIGHTS, p) == "2020-03"
    assert causes.period(LIGHTS.head(1), p) == "2020-03" and causes.period(LIGHTS.tail(1), p) == "2020-10"
    assert causes.period(LIGHTS, causes.Params(at="2020-10")) == "2020-10"
    with pytest.raises(UserError) as e:
        causes.period(LIGHTS, causes.Params(at="2021-01"))
    assert str(e.value) == "monitoring/causes: at: '2021-01' is not watched; the periods are 2020-03 to 2020-10"


def test_the_answer_names_cause_signs_and_what_to_do(model):
    now = _scored(_rows(4000, 5), odds=2.0, seed=4)
    e = causes.diagnosis(_diagnosed(model, now), LIGHTS, "2020-03", OUTCOME)
    assert str(e.verdict) == "amber" and e.value == "concept"
    assert "In 2020-03 2 alarms ring: late (drift), observed / expected (calibration)." in e.answer
    assert "came otherwise" in e.answer and "re-calibrate at once, then re-develop" in e.answer
    rows = _rows(4000, 8)
    broken = _scored(rows.assign(income=rows["income"] * 100)).assign(predicted=0.1)
    e = causes.diagnosis(_diagnosed(model, broken), LIGHTS, "2020-10", OUTCOME)
    assert str(e.verdict) == "red" and "income (as in development once divided by 100)" in e.answer
    assert "Mend the delivery before anything else is concluded" in e.answer


def test_what_only_outcomes_can_tell_is_not_asserted_and_every_alarm_counts():
    d = triage.Diagnosis("population", (), ("late",), None, None)
    lights = pd.DataFrame(
        {"period": "2024-05", "light": "red", "kind": "drift", "subject": [f"x{i}" for i in range(17)]}
    )
    answer = str(causes.diagnosis(d, lights, "2024-05", OUTCOME).answer)
    assert "still holds" not in answer and "shows with their outcomes only" in answer
    assert "17 alarms ring" in answer and "11 more" in answer
    known = triage.Diagnosis("population", (), ("late",), (0.1, 0.0), (0.0, 0.0))
    assert "still holds" in str(causes.diagnosis(known, lights, "2024-05", OUTCOME).answer)
