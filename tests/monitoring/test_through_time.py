"""Monitoring: planted changes are seen in their month and not before; open windows are not judged."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench import metrics, rules
from workbench.contracts import Column, Contract, Outcome, Words
from workbench.evidence.table import to_html
from workbench.monitoring import (
    alarms,
    answers,
    conduct,
    conduct_answers,
    drift,
    drift_report,
    estimated,
    performance,
    planted,
    through_time,
)
from workbench.panel.bins import quantile_bins
from workbench.params import UserError
from workbench.words import names, say, speaking

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
                    "known_in": period,
                    "grade_code": np.where(pd_ < 0.05, "A", "B"),
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
    counts = {c: (b, tuple(b.counts(reference[c]))) for c, b in bins.items()}
    return SimpleNamespace(reference=counts, explains=False, grade_names=("A",))


def _drift(model: SimpleNamespace, rows: pd.DataFrame) -> pd.DataFrame:
    return drift.by_period(model, rows, RULES)[0]


def _lights(model: SimpleNamespace, rows: pd.DataFrame) -> pd.DataFrame:
    shifts, performed = _drift(model, rows), performance.by_period(rows, DEFAULT, 0.7, RULES)
    parts = [
        alarms.lights("drift", shifts, shifts["feature"], "psi"),
        alarms.lights("discrimination", performed, alarms.SEPARATION, "separation", "separation_light"),
        alarms.lights("calibration", performed, alarms.CALIBRATION, "ratio", "calibration_light"),
    ]
    return alarms.history(parts, RULES)


CONTRACT = Contract(
    name="cases",
    title="Cases",
    columns=(Column(name="customer_id", type="text", role="key"),),
    outcome=DEFAULT,
)


def _watched(
    rows: pd.DataFrame, model: SimpleNamespace, outcome: Outcome = DEFAULT, until: str = "", override: str = ""
):
    p = through_time.Params(until=until)
    marked = (Column(name=override, type="integer", role="override"),) if override else ()
    contract = CONTRACT.model_copy(update={"outcome": outcome, "columns": (*CONTRACT.columns, *marked)})
    scored = rows if "sample" in rows else rows.assign(sample="monitoring")
    days = pd.to_datetime(scored["period"], format="%Y-%m") + pd.offsets.MonthEnd(0)
    return through_time.watch(scored.assign(as_of_date=days), model, contract, 0.7, p)


@pytest.fixture(scope="module")
def model() -> SimpleNamespace:
    return _model(_rows(n=1000, drift_from="9999"))


def test_planted_drift_rings_in_its_month_and_not_before(model):
    lights = _lights(model, _rows())
    evidence = planted.noticed(lights, "2020-07", "drift", say("drift"))
    assert str(evidence.verdict) == "green" and evidence.value == "2020-07"
    assert set(alarms.first(lights[lights["kind"] == "drift"])["subject"]) == {"x"}


def test_alarm_before_the_planted_month_is_red(model):
    lights = _lights(model, _rows(drift_from="2020-04"))
    assert str(planted.noticed(lights, "2020-07", "drift", say("drift")).verdict) == "red"


def test_no_drift_no_alarm(model):
    seen = _drift(model, _rows(drift_from="9999"))
    assert set(seen["light"]) == {"green"} and seen["psi"].max() < 0.05


def test_a_quarter_newly_missing_is_a_bin_of_its_own(model):
    seen = _drift(model, _rows(drift_from="9999", missing_from="2020-10"))
    red = seen[(seen["feature"] == "x") & (seen["light"] == "red")]
    assert list(red["period"]) == PERIODS[9:]


def test_small_periods_do_not_cry_wolf(model):
    tiny = _rows(n=40, drift_from="9999")
    shifts = _drift(model, tiny)
    assert (shifts["light"] != "green").mean() < 0.25 * (shifts["psi"] > 0.10).mean()


def test_a_crisis_shows_in_calibration_and_open_windows_are_not_judged():
    rows = _rows()
    crisis = rows["period"] >= "2020-06"
    rows.loc[crisis, "outcome"] = (RNG.random(crisis.sum()) < 2.5 * rows.loc[crisis, "predicted"]).astype(float)
    rows.loc[rows["period"] >= "2020-11", "outcome"] = np.nan
    seen = performance.by_period(rows, DEFAULT, 0.6, RULES).set_index("period")
    assert set(seen.loc["2020-06":"2020-10", "calibration_light"]) == {"red"}
    assert set(seen.loc[:"2020-05", "calibration_light"]) <= {"green"}
    assert set(seen.loc["2020-11":, "separation_light"]) == {"not_evaluated"}


def test_the_period_in_which_a_crisis_begins_to_bite_is_named():
    rows = _rows()
    crisis = rows["period"] >= "2020-06"
    rows.loc[crisis, "outcome"] = (RNG.random(crisis.sum()) < 2.5 * rows.loc[crisis, "predicted"]).astype(float)
    answer = answers.performance(_watched(rows, _model(rows)), DEFAULT, 0.6, RULES).answer
    assert "The default rate rose most in 2020-06, from " in answer


def test_amber_rings_only_when_it_holds_for_two_periods():
    rows = pd.DataFrame({"period": PERIODS[:6], "known_in": PERIODS[:6], "psi": 0.15, "light": "amber"})
    rows.loc[[0, 2], "light"] = "green"
    rang = alarms.raised(alarms.history([alarms.lights("drift", rows, "x", "psi")], RULES))
    assert list(rang["period"]) == PERIODS[4:6] and list(rang["light"]) == ["red"] * 2
    assert list(rang["since"]) == [PERIODS[4]] * 2


def test_amber_months_apart_are_no_row_and_the_safe_side_stays_amber():
    rows = pd.DataFrame({"period": PERIODS[:6], "known_in": PERIODS[:6], "ratio": 0.6, "light": "amber"})
    others = alarms.lights("data", rows.assign(light="green"), "y", "ratio")  # in these months something was looked at
    apart = alarms.lights("grades", rows.iloc[[0, 5]], "grade E", "ratio")
    history = alarms.history([others, apart], RULES)
    assert alarms.raised(history).empty and list(history.columns) == alarms.COLUMNS
    safe = alarms.lights("grades", rows, "grade D", "ratio").assign(spared=[True] * 5 + [False])
    rang = alarms.raised(alarms.history([others, safe], RULES))
    assert list(rang["period"]) == PERIODS[5:6]


def test_a_sentence_names_what_is_lit_and_of_these_the_largest():
    rows = pd.DataFrame({"feature": [*"abc"], "period": "2020-01", "known_in": "2020-01", "psi": [9.0, 0.3, 0.4]})
    rows = rows.assign(light=["green", "red", "red"])
    lights = alarms.history([alarms.lights("drift", rows, rows["feature"], "psi")], RULES)
    assert alarms.foremost(rows, rows["feature"], rows["psi"], lights, "")["feature"] == "c"
    rows = pd.concat([rows, rows.assign(period="2020-02", known_in="2020-02", light=["amber", "green", "green"])])
    rows = rows.reset_index(drop=True)
    lights = alarms.history([alarms.lights("drift", rows, rows["feature"], "psi")], RULES)
    now = alarms.foremost(rows, rows["feature"], rows["psi"], lights, "2020-02")
    assert (now["feature"], now["period"]) == ("a", "2020-02"), "of a report on a month, what is lit in it"


def test_two_customers_of_the_rarer_class_say_nothing_of_a_favourable_outcome():
    rng = np.random.default_rng(9)
    rows = _rows(n=60).assign(predicted=lambda r: rng.beta(48, 2, len(r)))
    rows["outcome"] = (rng.random(len(rows)) < rows["predicted"]) * 1.0
    seen = performance.by_period(rows, Outcome(name="bought", direction="favourable"), 0.9, RULES)
    assert (rows.groupby("period")["outcome"].sum() > 50).all()
    assert set(seen["separation_light"]) | set(seen["floor_light"]) == {"not_evaluated"}


def test_drift_counts_developments_parents_and_not_their_rows():
    """300 customers of 24 months each are 300 looks; another 300 each month differ from them by chance."""
    rng = np.random.default_rng(10)

    def model() -> SimpleNamespace:
        often = pd.DataFrame({c: np.repeat(rng.normal(size=300), 24) for c in "abcdefgh"})
        bins = {c: quantile_bins(often[c]) for c in often}
        return SimpleNamespace(reference={c: (b, tuple(b.counts(often[c]))) for c, b in bins.items()})

    lit = []
    for _ in range(40):
        now = pd.DataFrame(rng.normal(size=(300, 8)), columns=[*"abcdefgh"])
        now = now.assign(period="2020-01", weight=1.0, parent_id=range(300))
        learnt = model()
        lit.append(
            [(drift.by_period(learnt, now, RULES, apart)[0]["light"] != "green").any() for apart in (1.0, 1 / 24)]
        )
    by_rows, by_parents = np.mean(lit, axis=0)
    assert by_parents <= 0.1 < 0.3 < by_rows


def test_of_a_case_control_sample_sizes_are_those_of_as_many_even_rows():
    """Critical values of 15,718 rows for weights that sum up to that would be too low by a third."""
    rng = np.random.default_rng(12)
    learnt = pd.DataFrame({"a": rng.normal(size=900), "weight": np.where(np.arange(900) % 3 == 0, 4.0, 0.2)})
    bins = {"a": quantile_bins(learnt["a"])}
    model = SimpleNamespace(reference={"a": (bins["a"], tuple(bins["a"].counts(learnt["a"], learnt["weight"])))})
    now = learnt.head(300).assign(period="2020-01", parent_id=range(300))
    independent = drift.draws_per_weight(learnt.assign(parent_id=range(900)))
    row = drift.by_period(model, now, RULES, independent)[0].iloc[0]
    even = [float(w.sum() ** 2 / (w**2).sum()) for w in (learnt["weight"], now["weight"])]
    assert [row["n"], row["m"]] == [int(n) for n in even] and even[0] < 400
    assert drift.draws_per_weight(learnt.assign(weight=7.0, parent_id=np.arange(900) // 3)) == pytest.approx(1 / 21)


def test_a_marked_number_is_watched_in_developments_quarters():
    rng = np.random.default_rng(11)
    columns = (Column(name="income_amt", type="number", role="fact", fairness=True),)
    contract = CONTRACT.model_copy(update={"columns": (*CONTRACT.columns, *columns)})

    def rows(period: str, penalty: float) -> pd.DataFrame:
        income = rng.lognormal(10, 0.5, 4000)
        p = rng.beta(2, 30, 4000) + np.where(income < np.exp(10 - 0.34), penalty, 0)
        more = {"weight": 1.0, "parent_id": range(4000)}
        return pd.DataFrame({"period": period, "income_amt": income, "predicted": p, **more})

    table = conduct.fairness(rows("2020-01", 0.1), rows("", 0.0), contract, True, RULES)
    assert len(table) == 4 and list(table["light"]).count("red") == 1
    assert table.loc[table["light"] == "red", "group"].iloc[0].startswith("income_amt · <")


def test_few_overrides_ring_only_where_their_share_is_surely_high():
    rows = pd.DataFrame({"period": np.repeat(["2020-01", "2020-02"], [20, 2000]), "manual": 0})
    rows.loc[[0, 1], "manual"] = 1  # 2 of 20: above the limit of 5 %, by chance of a share of 3 %
    rows.loc[20:260, "manual"] = 1
    assert list(conduct.overrides(rows, "manual", RULES)["light"]) == ["green", "red"]


def test_an_estimate_is_held_against_the_holdout_made_right_in_the_same_way():
    """A model that overstated its spread from the first day hasn't lost any since."""
    rng, parts = np.random.default_rng(12), []
    for i, period in enumerate(["2019-12", *PERIODS]):
        p = rng.beta(1, 12, 5000)
        true = 1 / (1 + np.exp(-(0.7 * np.log(p / (1 - p)) - 0.8)))
        y = (rng.random(5000) < true) * 1.0
        known = {"known_in": ["2019-12", *PERIODS][min(i + 2, 12)], "weight": 1.0, "parent_id": range(5000)}
        parts.append(pd.DataFrame({"period": period, "predicted": p, "outcome": y, **known}))
    table = estimated.by_period(pd.concat(parts[1:]), parts[0], RULES)
    assert set(table["light"][3:]) == {"green"}
    against = parts[-1].assign(predicted=1 - parts[-1]["predicted"])
    expected = estimated.by_period(
        pd.concat([against.assign(period="2020-11", known_in="2020-11"), against]), parts[0], RULES
    )
    assert expected["estimated_auc"].iloc[-1] < 0.5, "a score that ranks the wrong way is said to"


@pytest.mark.whole
def test_evidently_agrees_on_frozen_bins_and_its_own_bins_would_not_have_seen_it():
    reference = pd.DataFrame(
        {"x": np.where(RNG.random(4000) < 0.065, RNG.integers(1, 60, 4000), 0.0), "predicted": RNG.beta(2, 30, 4000)}
    )
    current = reference.assign(x=np.where(RNG.random(4000) < 0.457, RNG.integers(1, 60, 4000), 0.0))
    bins = {c: quantile_bins(reference[c]) for c in ("x", "predicted")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(reference[c]))) for c, b in bins.items()})
    extra = {"outcome": np.nan, "weight": 1.0}
    seen = drift_report.run(model, reference.assign(**extra), current.assign(**extra), 0.1, 1, None).set_index(
        "feature"
    )["evidently_psi"]
    rows = current.assign(period="2020-01", weight=1.0, parent_id=np.arange(len(current)))
    ours = _drift(model, rows).set_index("feature")["psi"]
    assert ours["x"] > 0.9 and seen["x"] == pytest.approx(ours["x"], rel=0.02)
    assert seen["predicted"] == pytest.approx(0.0, abs=1e-6)


def test_what_customers_typed_is_escaped_before_evidently_gets_it(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    rows = pd.DataFrame(
        {"kind": [evil, "b"] * 300, "predicted": RNG.beta(2, 30, 600), "outcome": [0.0, 1.0] * 300, "weight": 1.0}
    )
    bins = {c: quantile_bins(rows[c]) for c in ("kind", "predicted")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(rows[c]))) for c, b in bins.items()})
    with names.knowing({"kind": f"借款用途 {evil}"}):
        seen = drift_report.run(model, rows, rows, 0.1, 1, tmp_path / "2020-01.html")
    page = (tmp_path / "2020-01.html").read_text()
    assert "<img src=x" not in page and list(seen["feature"]) == ["kind", "predicted"]
    assert json.dumps("借款用途")[1:-1] in page or "借款用途" in page


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
    assert len(through_time.rows(panel, _scorer(), DEFAULT, p)) == rows


def test_a_last_period_before_the_first_is_refused():
    with pytest.raises(UserError) as e:
        through_time.rows(_panel(["2018-03-01"]), _scorer(), DEFAULT, through_time.Params(until="2017-12"))
    line = "panel 'mart__behaviour' has no monitoring rows up to 2017-12; set `until` later"
    assert str(e.value) == line


def test_one_pass_counts_what_period_by_period_counting_counts(model):
    rows = _rows(n=300).assign(weight=lambda r: RNG.choice([0.5, 2.0], len(r)))
    table = _drift(model, rows).set_index(["feature", "period"])
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
    evidence = answers.performance(_watched(rows, _model(rows), LOSS), LOSS, 0.9, RULES)
    assert "Lowest rank correlation" in evidence.answer and "The mean loss rose most in 2020-08" in evidence.answer
    assert "default" not in str(evidence.answer) and "PD" not in str(evidence.question)


def test_a_model_that_predicts_the_same_of_every_row_is_watched_all_the_same():
    """It has no rank correlation to claim or to lose; what it expects can still be off."""
    rows = _rows(n=500)
    rows["outcome"] = 1000 * RNG.lognormal(0, 0.2, len(rows)) * np.where(rows["period"] >= "2020-08", 1.8, 1)
    rows["predicted"] = rows.loc[rows["period"] < "2020-08", "outcome"].mean()
    reference = through_time.reference({"holdout_rmse": 200.0}, LOSS, through_time.Params())
    w = _watched(rows, _model(rows), LOSS)
    assert np.isnan(reference) and set(w.performance["separation_light"]) == {"not_evaluated"}
    evidence = answers.performance(w, LOSS, reference, RULES)
    n = rows["period"].nunique()
    assert evidence.verdict == "red" and f"0 of {n} periods are still open" in str(evidence.answer)
    assert f"In {n} periods the model predicts the same of every row" in str(evidence.answer)
    with pytest.raises(UserError, match="claims no holdout_spearman; develop it again"):
        through_time.reference({}, LOSS, through_time.Params())


def test_thresholds_are_the_rules_and_a_study_may_name_its_own():
    p = through_time.Params(thresholds={"psi": [0.05, 0.4], "least_events": 5})
    assert p.rules()["psi"].red == 0.4 and p.rules().number("least_events") == 5
    with pytest.raises(UserError) as e:
        through_time.Params(thresholds={"psi": [0.3, 0.1]}).verify()
    line = "monitoring/through_time: thresholds.psi: [0.3, 0.1] is the wrong way round"
    assert str(e.value) == f"{line}: higher is worse, so amber stands below red"


def test_each_planted_change_is_held_against_its_alarm(model):
    lights = _lights(model, _rows())
    p = planted.Params(drift_month="2020-07", crisis_month="2020-07")
    answers = planted.held_against(lights, p)
    assert [(e.key, str(e.verdict)) for e in answers] == [("planted_drift", "green"), ("planted_crisis", "red")]


def test_what_amounts_will_turn_out_to_be_is_not_estimated(model):
    watched = _watched(_rows(), model)
    performance = watched.performance[[c for c in watched.performance if not c.startswith("estimated")]]
    e = answers.estimate(replace(watched, performance=performance), DEFAULT, rules.load())
    assert e.verdict == "info" and str(e.answer).startswith("Only events can be estimated from their probabilities")


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


def test_what_is_not_known_by_the_period_reported_is_no_outcome_yet():
    outcome = Outcome(event="late", window_months=6)
    panel = _panel(["2018-03-31", "2018-08-31", "2018-09-30", "2018-10-31"])
    rows = through_time.rows(panel, _scorer(), outcome, through_time.Params(until="2019-03"))
    assert list(rows["outcome"].notna()) == [True, True, True, False]
    assert list(rows["known_in"]) == ["2018-09", "2019-02", "2019-03", "2019-04"]
    everything = through_time.rows(panel, _scorer(), outcome, through_time.Params())
    assert everything["outcome"].notna().all()


def test_an_alarm_is_news_once_and_then_stands(model):
    rows = _rows(drift_from="2020-07")
    now, later = (_watched(rows[rows["period"] <= month], model, until=month) for month in ("2020-07", "2020-08"))
    news, old = (answers.drift(w, RULES) for w in (now, later))
    assert str(news.verdict) == str(old.verdict) == "red" and (news.since, old.since) == ("", "2020-07")
    drop = RULES["auc_drop"]
    assert "New in 2020-07: drift of x (" in alarms.to_evidence(now.lights, RULES, drop, now.now).answer
    answer = alarms.to_evidence(later.lights, RULES, drop, later.now).answer
    assert "Still ringing: drift of x (" in answer and "), since 2020-07." in answer
    assert "To do: re-fit (model monitoring)." in answer


def test_before_the_change_nothing_rings_and_the_page_says_so(model):
    w = _watched(_rows(n=500, drift_from="9999"), model, until="2020-12")
    alarm = alarms.to_evidence(w.lights, RULES, RULES["auc_drop"], w.now)
    assert str(alarm.verdict) in ("green", "amber") and "No alarm in 2020-12." in alarm.answer
    assert alarm.repeats == ()


def test_what_is_amber_and_has_not_rung_is_named_and_told_once():
    rows = pd.DataFrame({"period": ["2023-Q3", "2023-Q4"], "psi": [0.02, 0.11], "light": ["green", "amber"]})
    rows["known_in"] = rows["period"]
    parts = [alarms.lights("drift", rows, "x", "psi"), alarms.lights("calibration", rows, "x", "psi")]
    alarm = alarms.to_evidence(alarms.history(parts, RULES), RULES, RULES["auc_drop"])
    assert str(alarm.verdict) == "amber" and alarm.repeats == ("drift", "performance")
    assert str(alarm.answer) == "No alarm in 2 periods and 4 tests. Amber, which has not rung: drift, calibration."
    then = alarms.to_evidence(alarms.history(parts, RULES), RULES, RULES["auc_drop"], "2023-Q3")
    assert str(then.verdict) == "green" and "Amber" not in str(then.answer) and then.repeats == ()


def _over_lights() -> pd.DataFrame:
    """Separation was red in February and March and green since; drift of x is red since May; y was judged last in March."""
    light = {"separation": ["green", "red", "red", "green", "green"], "x": ["green", "green", "green", "green", "red"]}
    rows = [
        ("discrimination" if s == "separation" else "drift", s, PERIODS[i], 0.5, v, PERIODS[i])
        for s, lights in light.items()
        for i, v in enumerate(lights)
    ]
    rows += [("drift", "y", PERIODS[2], 0.5, "red", PERIODS[2])]
    return pd.DataFrame(rows, columns=alarms.COLUMNS)


@pytest.mark.parametrize("now", ["2020-05", ""])
def test_alarms_are_those_that_stand_and_what_is_over_is_named_as_past(now):
    lights = _over_lights()
    assert list(alarms.newest(lights, now)["subject"]) == ["x"] and len(alarms.raised(lights)) == 4
    card = alarms.past_evidence(lights, now)
    assert card.value == 2 and card.table.drop(columns="kind").to_numpy().tolist() == [
        ["separation", "2020-02", "2020-03", "2020-04", 2], ["y", "2020-03", "2020-03", "", 1],
    ]  # fmt: skip
    assert "discrimination of separation, first in 2020-02, over since 2020-04" in card.answer
    assert "drift of y, first in 2020-03, not judged since 2020-03" in card.answer
    with speaking("zh_CN"):
        headers = to_html(card.table)
    assert "首次报警" in headers and "末次报警" in headers and "前者" not in headers and "last" not in headers
    nothing = alarms.past_evidence(lights[lights["subject"] == "x"], now)
    assert nothing.table.empty and str(nothing.answer) == "Nothing rang before that doesn't ring now."


def test_of_alarms_that_ever_rang_the_table_says_which_stand_and_these_alone_ask_something():
    alarm = alarms.to_evidence(_over_lights(), RULES, RULES["auc_drop"])
    assert str(alarm.answer).endswith("To do: re-fit (model monitoring).")  # of drift, not of separation, which is over
    table = alarm.table
    until = dict(zip(table["subject"], table["over_since"].map(str), strict=True))
    assert until == {"separation": "2020-04", "y": "not judged since", "x": "stands"}
    assert "over_since" not in alarms.to_evidence(_over_lights(), RULES, RULES["auc_drop"], "2020-05").table


def test_a_green_light_quotes_the_newest_separation_and_says_that_the_lowest_is_past():
    performed = pd.DataFrame(
        {"period": PERIODS[:5], "known_in": PERIODS[:5], "separation": [0.7, 0.5, 0.5, 0.71, 0.72]}
    )
    performed = performed.assign(observed=0.1, expected=0.1, ratio=1.0)
    empty = pd.DataFrame()
    w = through_time.Watched(empty, empty, performed, *[empty] * 5, lights=_over_lights(), now="2020-05")
    card = answers.performance(w, DEFAULT, 0.7, RULES)
    assert str(card.verdict) == "green" and card.value == pytest.approx(0.72)
    assert "Newest known is 2020-05: AUC 0.720" in card.answer
    assert "Lowest AUC 0.500 in 2020-02" in card.answer and "The alarm of 2020-02 is over since 2020-04." in card.answer


def test_a_delivery_that_lacks_values_is_named_as_data(model):
    w = _watched(_rows(drift_from="9999", missing_from="2020-10"), model, until="2020-10")
    data = answers.data(w, RULES)
    assert str(data.verdict) == "red" and data.table["feature"][0] == "x"
    assert "x has no known value in 2" in data.answer
    alarm = alarms.to_evidence(w.lights, RULES, RULES["auc_drop"], w.now)
    assert "look into the data (data management)" in alarm.answer and set(alarm.repeats) >= {"data", "drift"}


def test_open_periods_are_estimated_from_what_is_known_before_them():
    """The estimate follows a level that has doubled since development, once outcomes of that level are known."""
    rng = np.random.default_rng(3)
    parts = []
    for i, period in enumerate(PERIODS):
        p = rng.beta(2, 30, 4000)
        parts.append(
            pd.DataFrame({"period": period, "known_in": PERIODS[min(i + 2, 11)], "predicted": p, "weight": 1.0}).assign(
                outcome=(rng.random(4000) < np.minimum(2 * p, 1)).astype(float), parent_id=np.arange(4000)
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    holdout = rows[rows["period"] == PERIODS[0]].assign(outcome=lambda r: (rng.random(len(r)) < r["predicted"]) * 1.0)
    table = estimated.by_period(rows, holdout, RULES).set_index("period")
    truth = rows.groupby("period")[["outcome"]].mean()["outcome"]
    assert table["estimated_rate"][PERIODS[0]] == pytest.approx(truth.mean() / 2, rel=0.1)
    assert table["calibrated_on"][PERIODS[1]] == 0 and table["calibrated_on"][PERIODS[5]] > 500
    for period in PERIODS[5:]:
        assert table["estimated_rate"][period] == pytest.approx(truth[period], rel=0.1)
        part = rows[rows["period"] == period]
        auc = metrics.auc(part["outcome"], part["predicted"])
        assert table["estimated_low"][period] < auc < table["estimated_high"][period]


def test_a_score_that_has_lost_its_spread_is_seen_before_any_outcome():
    rng = np.random.default_rng(4)
    p = rng.beta(1, 15, 6000)
    base = {"known_in": "2021-06", "weight": 1.0, "parent_id": np.arange(6000)}
    holdout = pd.DataFrame({"period": "2019-12", "predicted": p, "outcome": (rng.random(6000) < p) * 1.0, **base})
    flat = p.mean() + 0.2 * (p - p.mean())
    rows = pd.DataFrame({"period": "2020-12", "predicted": flat, "outcome": np.nan, **base})
    same = rows.assign(predicted=rng.permutation(p))
    lights = [estimated.by_period(r, holdout, RULES)["light"][0] for r in (rows, same)]
    assert lights == ["red", "green"]


def test_grades_are_judged_both_ways_and_the_safe_side_is_amber_at_most():
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"period": "2020-01", "known_in": "2020-07", "grade_code": np.repeat(["A", "B", "C"], 4000)})
    rows = rows.assign(predicted=np.repeat([0.01, 0.05, 0.10], 4000), weight=1.0, parent_id=np.arange(12000))
    true = np.repeat([0.03, 0.05, 0.03], 4000)
    table = performance.by_grade(rows.assign(outcome=(rng.random(12000) < true) * 1.0), DEFAULT, RULES)
    assert dict(zip(table["grade_code"], table["light"], strict=True)) == {"A": "red", "B": "green", "C": "amber"}
    tiny = performance.by_grade(rows.iloc[::100].assign(outcome=1.0), DEFAULT, RULES)
    assert set(tiny["light"]) == {"not_evaluated"}


def test_an_auc_below_what_a_model_in_use_must_reach_asks_for_its_withdrawal():
    rows = _rows().assign(outcome=lambda r: (RNG.random(len(r)) < 0.06) * 1.0)
    w = _watched(rows, _model(rows), until="2020-12")
    alarm = alarms.to_evidence(w.lights, RULES, RULES["auc_drop"], w.now)
    assert "To do: withdraw (model monitoring), re-develop (model monitoring)" in alarm.answer
    assert "least discrimination of separation (0.5" in alarm.answer or "(0.4" in alarm.answer


def test_a_group_that_falls_behind_is_seen_and_one_that_always_was_behind_is_not_news():
    rng = np.random.default_rng(6)
    columns = (Column(name="sex", type="category", role="fact", fairness=True),)
    contract = CONTRACT.model_copy(update={"columns": (*CONTRACT.columns, *columns)})

    def rows(period: str, shift: float) -> pd.DataFrame:
        sex = rng.choice(["f", "m"], 5000)
        p = rng.beta(2, 30, 5000) + np.where(sex == "f", shift, 0)
        return pd.DataFrame({"period": period, "sex": sex, "predicted": p, "weight": 1.0, "parent_id": range(5000)})

    later = pd.concat([rows("2020-01", 0.01), rows("2020-02", 0.06)])
    table = conduct.fairness(later, rows("", 0.01), contract, True, RULES)
    lights = table[table["group"] == "sex · f"].set_index("period")["light"]
    assert lights["2020-01"] == "green" and lights["2020-02"] == "red"


def test_a_book_that_shifts_as_a_whole_treats_nobody_worse():
    """Every share falls, surely; a group that stood at half of the other's stands there still (chance: one in 100)."""
    columns = (Column(name="sex", type="category", role="fact", fairness=True),)
    contract = CONTRACT.model_copy(update={"columns": (*CONTRACT.columns, *columns)})

    def rows(period: str, share: float, rng: np.random.Generator) -> pd.DataFrame:
        sex = rng.choice(["f", "m"], 20_000)
        selected = rng.random(20_000) < np.where(sex == "f", 0.5, 1.0) * share
        predicted = np.where(selected, 0.01, 0.2) + rng.random(20_000) * 1e-6
        columns = {"sex": sex, "predicted": predicted, "weight": 1.0, "parent_id": range(20_000)}
        return pd.DataFrame({"period": period, **columns})

    lights = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        development, later = rows("", 0.7, rng), rows("2020-01", 0.6, rng)
        table = conduct.fairness(later, development, contract, True, RULES).set_index("group")
        assert table.loc["sex · f", "ratio"] < 0.65
        lights.append(table.loc["sex · f", "light"])
    assert lights.count("green") >= 9


def test_customers_are_followed_from_grade_to_grade():
    rows = pd.DataFrame({"period": ["1", "1", "1", "2", "2", "2", "2"], "parent_id": [1, 2, 3, 1, 2, 3, 4]})
    rows = rows.assign(grade_code=list("ABCBBAA"), as_of_date=pd.Timestamp("2020-01-31"))
    row = conduct.migration(rows).iloc[0]
    assert (row["better"], row["same"], row["worse"], row["new"]) == (0.25, 0.25, 0.25, 0.25)


def test_reasons_and_overrides_are_watched_where_there_are_any():
    rows = _rows(n=300).assign(manual=lambda r: (RNG.random(len(r)) < np.where(r["period"] > "2020-06", 0.3, 0.01)) * 1)
    w = _watched(rows, _model(rows), override="manual", until="2020-12")
    reasons, fairness, overrides, migration = conduct_answers.all_of(w, RULES)
    assert [str(e.verdict) for e in (reasons, fairness, migration)] == ["info"] * 3
    assert "or none that it marks is large enough to judge" in fairness.answer, "marked but small is not unmarked"
    nobody = pd.DataFrame([("2020-02", 0.0, 0.0, 0.0, 1.0)], columns=["period", "better", "same", "worse", "new"])
    *_, migration = conduct_answers.all_of(replace(w, migration=nobody), RULES)
    assert str(migration.answer) == "Nobody is rated in two periods in a row."
    assert str(overrides.verdict) == "red" and "of the decisions" in overrides.answer


def test_the_mix_of_first_reasons_moves_when_another_input_speaks():
    rng = np.random.default_rng(7)
    parts = {"explains": True, "features": {"a": {}, "b": {}}, "facts": {}, "contributions": lambda X: X[["a", "b"]]}
    base = pd.DataFrame({"a": rng.normal(0.5, 1, 3000), "b": rng.normal(0, 1, 3000), "parent_id": range(3000)})
    later = pd.concat([base.assign(period="1"), base.assign(a=base["a"] - 2, period="2")])
    table = conduct.reasons(SimpleNamespace(outcome=DEFAULT, **parts), later, base, RULES, 1).set_index("period")
    assert list(table["light"]) == ["green", "red"] and table["top"]["2"] == "b"
    bought = SimpleNamespace(outcome=Outcome(name="bought", direction="favourable"), **parts)
    assert list(conduct.reasons(bought, later, base, RULES, 1)["top"]) == ["b", "a"], "what lowers it most"


def test_one_customers_many_rows_are_one_reason_to_look():
    rng, model = np.random.default_rng(3), SimpleNamespace(explains=True, features=dict.fromkeys("abcd"), facts={})
    model = SimpleNamespace(outcome=DEFAULT, contributions=lambda X: X[[*"abcd"]], **vars(model))

    def rows(period: str) -> pd.DataFrame:
        once = pd.DataFrame(rng.normal(size=(100, 4)), columns=[*"abcd"]).assign(period=period, parent_id=range(100))
        return once.loc[once.index.repeat(12)].reset_index(drop=True)

    later = pd.concat([rows(f"{year}") for year in range(2000, 2060)])
    table = conduct.reasons(model, later, rows(""), RULES, 1)
    assert (table["light"] != "green").mean() <= 0.05
