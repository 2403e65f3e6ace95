"""Monitoring: planted changes are found in their month and not before; open windows are not judged."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics, rules
from workbench.contracts import Outcome, Words
from workbench.monitoring import alarms, drift, drift_report, performance, planted, through_time
from workbench.panel.bins import quantile_bins
from workbench.params import UserError
from workbench.words import say

RULES, DEFAULT = rules.load(), Outcome()
RNG = np.random.default_rng(8)
PERIODS = [str(p) for p in pd.period_range("2020-01", "2020-12", freq="M")]


def _rows(n: int = 2000, drift_from: str = "2020-07", missing_from: str = "2021-01") -> pd.DataFrame:
    parts = []
    for period in PERIODS:
        x = RNG.normal(size=n) + (0.9 if period >= drift_from else 0.0)
        x = np.where((RNG.random(n) < 0.25) & (period >= missing_from), np.nan, x)
        pd_ = RNG.beta(2, 30, n)
        parts.append(
            pd.DataFrame(
                {
                    "period": period,
                    "x": x,
                    "kind": RNG.choice(["a", "b"], n),
                    "predicted": pd_,
                    "weight": 1.0,
                    "parent_id": np.arange(n),
                    "outcome": (RNG.random(n) < pd_).astype(float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _model(reference: pd.DataFrame) -> SimpleNamespace:
    bins = {c: quantile_bins(reference[c]) for c in ("x", "kind", "predicted")}
    return SimpleNamespace(reference={c: (b, tuple(b.counts(reference[c]))) for c, b in bins.items()})


@pytest.fixture(scope="module")
def model() -> SimpleNamespace:
    return _model(_rows(n=1000, drift_from="9999"))


def test_planted_drift_rings_in_its_month_and_not_before(model):
    psi = drift.psi_by_period(model, _rows(), RULES)
    lights = alarms.history(psi, performance.by_period(_rows(), DEFAULT, 0.7, RULES))
    evidence = planted.noticed(lights, "2020-07", "drift", say("drift"))
    assert str(evidence.verdict) == "green" and evidence.value == "2020-07"
    assert set(alarms.first(lights[lights["kind"] == "drift"])["subject"]) == {"x"}


def test_alarm_before_the_planted_month_is_red(model):
    psi = drift.psi_by_period(model, _rows(drift_from="2020-04"), RULES)
    lights = alarms.history(psi, performance.by_period(_rows(), DEFAULT, 0.7, RULES))
    assert str(planted.noticed(lights, "2020-07", "drift", say("drift")).verdict) == "red"


def test_no_drift_no_alarm(model):
    psi = drift.psi_by_period(model, _rows(drift_from="9999"), RULES)
    assert set(psi["light"]) == {"green"} and psi["psi"].max() < 0.05


def test_a_quarter_newly_missing_is_a_bin_of_its_own(model):
    psi = drift.psi_by_period(model, _rows(drift_from="9999", missing_from="2020-10"), RULES)
    red = psi[(psi["feature"] == "x") & (psi["light"] == "red")]
    assert list(red["period"]) == PERIODS[9:]


def test_small_periods_do_not_cry_wolf(model):
    tiny = _rows(n=40, drift_from="9999")
    psi = drift.psi_by_period(model, tiny, RULES)
    assert (psi["light"] != "green").mean() < 0.25 * (psi["psi"] > 0.10).mean()


def test_a_crisis_shows_in_calibration_and_open_windows_are_not_judged():
    rows = _rows()
    crisis = rows["period"] >= "2020-06"
    rows.loc[crisis, "outcome"] = (RNG.random(crisis.sum()) < 2.5 * rows.loc[crisis, "predicted"]).astype(float)
    rows.loc[rows["period"] >= "2020-11", "outcome"] = np.nan
    performed = performance.by_period(rows, DEFAULT, 0.6, RULES).set_index("period")
    assert set(performed.loc["2020-06":"2020-10", "calibration_light"]) == {"red"}
    assert set(performed.loc[:"2020-05", "calibration_light"]) <= {"green"}
    assert set(performed.loc["2020-11":, "separation_light"]) == {"not_evaluated"}


def test_the_period_in_which_a_crisis_begins_to_bite_is_named():
    rows = _rows()
    crisis = rows["period"] >= "2020-06"
    rows.loc[crisis, "outcome"] = (RNG.random(crisis.sum()) < 2.5 * rows.loc[crisis, "predicted"]).astype(float)
    performed = performance.by_period(rows, DEFAULT, 0.6, RULES)
    answer = through_time.performance_evidence(performed, DEFAULT, 0.6, through_time.Params()).answer
    assert "The default rate rose most in 2020-06, from " in answer


def test_amber_rings_only_when_it_holds_for_two_periods():
    lights = pd.DataFrame(
        {
            "kind": "drift",
            "subject": "x",
            "period": PERIODS[:5],
            "value": 0.15,
            "light": ["green", "amber", "green", "amber", "amber"],
        }
    )
    assert list(alarms.raised(lights)["period"]) == [PERIODS[4]]


def test_evidently_agrees_on_frozen_bins_and_its_own_bins_would_not_have_seen_it():
    reference = pd.DataFrame(
        {"x": np.where(RNG.random(4000) < 0.065, RNG.integers(1, 60, 4000), 0.0), "predicted": RNG.beta(2, 30, 4000)}
    )
    current = reference.assign(x=np.where(RNG.random(4000) < 0.457, RNG.integers(1, 60, 4000), 0.0))
    bins = {c: quantile_bins(reference[c]) for c in ("x", "predicted")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(reference[c]))) for c, b in bins.items()})
    extra = {"outcome": np.nan, "weight": 1.0}
    reported = drift_report.run(model, reference.assign(**extra), current.assign(**extra), 0.1, 1, None).set_index(
        "feature"
    )["evidently_psi"]
    frozen = drift.psi_by_period(model, current.assign(period="2020-01", weight=1.0), RULES).set_index("feature")["psi"]
    assert frozen["x"] > 0.9 and reported["x"] == pytest.approx(frozen["x"], rel=0.02)
    assert reported["predicted"] == pytest.approx(0.0, abs=1e-6)


def test_what_customers_typed_is_escaped_before_evidently_gets_it(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    rows = pd.DataFrame(
        {"kind": [evil, "b"] * 300, "predicted": RNG.beta(2, 30, 600), "outcome": [0.0, 1.0] * 300, "weight": 1.0}
    )
    bins = {c: quantile_bins(rows[c]) for c in ("kind", "predicted")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(rows[c]))) for c, b in bins.items()})
    drift_report.run(model, rows, rows, 0.1, 1, tmp_path / "page.html")
    assert "<img src=x" not in (tmp_path / "page.html").read_text()


def _scorer(value: float = 0.1) -> SimpleNamespace:
    return SimpleNamespace(
        predict=lambda X: np.full(len(X), value), grade=lambda predicted: np.full(len(predicted), "A"), reference={}
    )


def _panel(days: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "entity_id": [f"e{i}" for i in range(len(days))],
            "as_of_date": pd.to_datetime(days),
            "sample": "monitoring",
            "outcome": 0.0,
            "weight": 1.0,
        }
    )


def test_days_fall_into_months_quarters_and_years_and_names_sort_as_time_does():
    days = pd.Series(pd.to_datetime(["2018-03-01", "2018-03-31", "2018-04-15", "2019-01-01"]))
    assert through_time.periods(days, "month").tolist() == ["2018-03", "2018-03", "2018-04", "2019-01"]
    assert through_time.periods(days, "quarter").tolist() == ["2018-Q1", "2018-Q1", "2018-Q2", "2019-Q1"]
    assert through_time.periods(days, "year").tolist() == ["2018", "2018", "2018", "2019"]


@pytest.mark.parametrize(("until", "rows"), [("", 4), ("2018-03", 2), ("2018-Q2", 3), ("2018", 3), ("2019-01", 4)])
def test_only_periods_up_to_the_last_watched_are_looked_at(until, rows):
    p = through_time.Params(until=until)
    panel = _panel(["2018-03-01", "2018-03-31", "2018-04-15", "2019-01-01"])
    assert len(through_time.rows(panel, _scorer(), p)) == rows


def test_a_last_period_before_the_first_is_refused():
    with pytest.raises(UserError) as e:
        through_time.rows(_panel(["2018-03-01"]), _scorer(), through_time.Params(until="2017-12"))
    line = "panel 'mart__behaviour' has no monitoring rows up to 2017-12; set `until` later"
    assert str(e.value) == line


def test_one_pass_counts_what_period_by_period_counting_counts(model):
    rows = _rows(n=300).assign(weight=lambda r: RNG.choice([0.5, 2.0], len(r)))
    table = drift.psi_by_period(model, rows, RULES).set_index(["feature", "period"])
    for feature, (bins, expected) in model.reference.items():
        part = rows[rows["period"] == "2020-08"]
        value = metrics.psi(np.array(expected), bins.counts(part[feature], part["weight"].to_numpy()))
        assert table.loc[(feature, "2020-08"), "psi"] == pytest.approx(value, abs=1e-12)


def test_twelve_rows_of_one_customer_are_not_twelve_customers():
    once = _rows(n=400)
    often = once.loc[once.index.repeat(6)].reset_index(drop=True)
    few, many = (performance.by_period(r, DEFAULT, 0.7, RULES) for r in (once, often))
    widths = [f["observed_high"] - f["observed_low"] for f in (few, many)]
    judged = few["observed"].notna()
    assert widths[1][judged].to_numpy() == pytest.approx(widths[0][judged].to_numpy(), rel=0.02)


LOSS = Outcome(name="loss", kind="amount", words=Words(events="losses", rate="mean loss", predicted="predicted loss"))


def test_an_amount_is_watched_too():
    rows = _rows(n=500)
    rows["predicted"] = rows["predicted"] * 1000
    rows["outcome"] = rows["predicted"] * RNG.lognormal(-0.02, 0.2, len(rows))
    late = rows["period"] >= "2020-08"
    rows.loc[late, "outcome"] *= 1.8
    performed = performance.by_period(rows, LOSS, 0.9, RULES).set_index("period")
    assert set(performed.loc["2020-08":, "calibration_light"]) == {"red"}
    assert set(performed.loc[:"2020-07", "calibration_light"]) == {"green"}
    evidence = through_time.performance_evidence(performed.reset_index(), LOSS, 0.9, through_time.Params())
    assert "Lowest rank correlation" in evidence.answer and "The mean loss rose most in 2020-08" in evidence.answer
    assert "default" not in str(evidence.answer) and "PD" not in str(evidence.question)


def test_thresholds_are_the_rules_and_a_study_may_name_its_own():
    p = through_time.Params(thresholds={"psi": [0.05, 0.4], "least_events": 5})
    assert p.rules()["psi"].red == 0.4 and p.rules().number("least_events") == 5
    with pytest.raises(UserError) as e:
        through_time.Params(thresholds={"psi": [0.3, 0.1]}).verify()
    line = "monitoring/through_time: thresholds.psi: [0.3, 0.1] is the wrong way round"
    assert str(e.value) == f"{line}: higher is worse, so amber stands below red"


def test_nothing_planted_is_said():
    answer = planted.held_against(pd.DataFrame(), planted.Params())
    assert [str(a.answer) for a in answer] == ["Nothing was planted: no truth is known here."]


def test_a_crisis_may_ring_in_the_periods_whose_windows_it_hits():
    lights = pd.DataFrame(
        {"kind": "calibration", "subject": "r", "period": ["2018-09"], "value": [2.0], "light": ["red"]}
    )
    p = planted.Params(crisis_month="2019-01", ahead_months=6)
    answer = planted.held_against(lights, p)[0]
    assert answer.key == "planted_crisis" and str(answer.verdict) == "green"
    early = planted.held_against(lights, planted.Params(crisis_month="2019-01", ahead_months=3))[0]
    assert str(early.verdict) == "red" and "first rang for as-of month 2018-09, -4 months from it" in early.answer
