"""Monitoring: planted changes are found in their month and not before; open windows are not judged."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench.monitoring import alarms, drift, drift_report, performance, through_time
from workbench.panel.bins import quantile_bins

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
                    "pd": pd_,
                    "weight": 1.0,
                    "outcome": (RNG.random(n) < pd_).astype(float),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _model(reference: pd.DataFrame) -> SimpleNamespace:
    bins = {c: quantile_bins(reference[c]) for c in ("x", "kind", "pd")}
    return SimpleNamespace(reference={c: (b, tuple(b.counts(reference[c]))) for c, b in bins.items()})


@pytest.fixture(scope="module")
def model() -> SimpleNamespace:
    return _model(_rows(n=1000, drift_from="9999"))


def test_planted_drift_rings_in_its_month_and_not_before(model):
    found = drift.psi_by_period(model, _rows(), 0.10, 0.25)
    lights = alarms.history(found, performance.by_period(_rows(), 0.7, (0.03, 0.06), 20))
    evidence = alarms.held_against(lights, "2020-07", "drift", "drift")
    assert str(evidence.verdict) == "green" and evidence.value == "2020-07"
    assert set(alarms.first(lights[lights["kind"] == "drift"])["subject"]) == {"x"}


def test_alarm_before_the_planted_month_is_red(model):
    found = drift.psi_by_period(model, _rows(drift_from="2020-04"), 0.10, 0.25)
    lights = alarms.history(found, performance.by_period(_rows(), 0.7, (0.03, 0.06), 20))
    assert str(alarms.held_against(lights, "2020-07", "drift", "drift").verdict) == "red"


def test_no_drift_no_alarm(model):
    found = drift.psi_by_period(model, _rows(drift_from="9999"), 0.10, 0.25)
    assert set(found["light"]) == {"green"} and found["psi"].max() < 0.05


def test_a_quarter_newly_missing_is_a_bin_of_its_own(model):
    found = drift.psi_by_period(model, _rows(drift_from="9999", missing_from="2020-10"), 0.10, 0.25)
    red = found[(found["feature"] == "x") & (found["light"] == "red")]
    assert list(red["period"]) == PERIODS[9:]


def test_small_periods_do_not_cry_wolf(model):
    tiny = _rows(n=40, drift_from="9999")
    found = drift.psi_by_period(model, tiny, 0.10, 0.25)
    assert (found["light"] != "green").mean() < 0.25 * (found["psi"] > 0.10).mean()


def test_a_crisis_shows_in_calibration_and_open_windows_are_not_judged():
    rows = _rows()
    crisis = rows["period"] >= "2020-06"
    rows.loc[crisis, "outcome"] = (RNG.random(crisis.sum()) < 2.5 * rows.loc[crisis, "pd"]).astype(float)
    rows.loc[rows["period"] >= "2020-11", "outcome"] = np.nan
    found = performance.by_period(rows, 0.6, (0.03, 0.06), 20).set_index("period")
    assert set(found.loc["2020-06":"2020-10", "calibration_light"]) == {"red"}
    assert set(found.loc[:"2020-05", "calibration_light"]) <= {"green"}
    assert set(found.loc["2020-11":, "auc_light"]) == {"not_evaluated"}


def test_the_period_in_which_a_crisis_begins_to_bite_is_named():
    rows = _rows()
    crisis = rows["period"] >= "2020-06"
    rows.loc[crisis, "outcome"] = (RNG.random(crisis.sum()) < 2.5 * rows.loc[crisis, "pd"]).astype(float)
    performed = performance.by_period(rows, 0.6, (0.03, 0.06), 20)
    said = through_time.performance_evidence(performed, 0.6, through_time.Params()).answer
    assert "The default rate rose most in 2020-06, from " in said


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
        {"x": np.where(RNG.random(4000) < 0.065, RNG.integers(1, 60, 4000), 0.0), "pd": RNG.beta(2, 30, 4000)}
    )
    current = reference.assign(x=np.where(RNG.random(4000) < 0.457, RNG.integers(1, 60, 4000), 0.0))
    bins = {c: quantile_bins(reference[c]) for c in ("x", "pd")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(reference[c]))) for c, b in bins.items()})
    extra = {"outcome": np.nan, "weight": 1.0}
    found = drift_report.run(model, reference.assign(**extra), current.assign(**extra), 0.1, 1, None).set_index(
        "feature"
    )["evidently_psi"]
    own = drift.psi_by_period(model, current.assign(period="2020-01", weight=1.0), 0.1, 0.25).set_index("feature")[
        "psi"
    ]
    assert own["x"] > 0.9 and found["x"] == pytest.approx(own["x"], rel=0.02)
    assert found["predicted PD"] == pytest.approx(0.0, abs=1e-6)


def test_what_customers_typed_is_escaped_before_evidently_gets_it(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    rows = pd.DataFrame(
        {"kind": [evil, "b"] * 300, "pd": RNG.beta(2, 30, 600), "outcome": [0.0, 1.0] * 300, "weight": 1.0}
    )
    bins = {c: quantile_bins(rows[c]) for c in ("kind", "pd")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(rows[c]))) for c, b in bins.items()})
    drift_report.run(model, rows, rows, 0.1, 1, tmp_path / "page.html")
    assert "<img src=x" not in (tmp_path / "page.html").read_text()
