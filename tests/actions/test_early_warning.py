"""Early warning: triggers fire on planted months and are told once; lists, lead and areas give back what was planted."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbench import engine, metrics, rules
from workbench.actions import area_alarm, early_warning, triggers, warning_answers, warning_orders, watch_list
from workbench.actions.early_warning import Params
from workbench.contracts import Outcome
from workbench.params import UserError
from workbench.words import speaking

RULES = rules.load("2026-11-28")
KEY = {"study": "sample", "period": "once"}


def _months(**facts: list) -> pd.DataFrame:
    n = len(next(iter(facts.values())))
    dates = pd.date_range("2020-01-01", periods=n, freq="MS")
    return pd.DataFrame({"entity_id": "a", "month": dates, **{k: np.asarray(v, float) for k, v in facts.items()}})


def _fired(months: pd.DataFrame, silent: tuple[int, int] = triggers.NEVER, grades: list | None = None) -> dict:
    """Return, by trigger, the places of the months (0 is the first) in which it fired."""
    graded = pd.DataFrame(
        {"entity_id": "a", "month_no": 24241 + np.arange(len(grades or [])), "grade_no": grades or []}
    )
    account = pd.DataFrame({"customer_id": ["a"]})
    base, facts = triggers.months_sql(months, account, "customer_id", silent)
    sql = triggers.fired_sql(base, triggers.usable(facts), RULES)
    made = engine.frame(
        sql, {"months": months, "accounts": account, "graded": graded.astype({"entity_id": "str", "grade_no": "float"})}
    )
    return {c: sorted(int(n) - 24241 for n in g["month_no"]) for c, g in made.groupby("trigger_code")}


@pytest.mark.parametrize(
    ("code", "facts", "places"),
    [
        ("in_arrears", {"delay_months": [0, 0, 1, 2, 0]}, [2, 3]),
        ("late_again", {"delay_months": [1, 0, 1, 0, 1, 0, 0]}, [4]),
        ("slight_delay", {"late_rate": [0, 0, 0, 1, 1, 0, 1]}, [3]),
        ("paid_short", {"payment_amt": [100, 49, 50, 0], "due_amt": [100, 100, 100, 0]}, [1]),
        ("limit_used", {"balance_amt": [90, 91, 10], "limit_amt": [100, 100, 0]}, [1]),
        ("inflow_stopped", {"inflow_amt": [100, 100, 100, 19, 100]}, [3]),
        ("enquiries", {"n_enquiries": [1, 1, 1, 0, 1]}, [2]),
        ("balance_jumped", {"balance_amt": [100, 100, 100, 151, 150]}, [3]),
        ("deposit_drained", {"deposit_amt": [100, 100, 100, 49, 90]}, [3]),
    ],
)
def test_a_trigger_fires_where_it_was_planted_and_nowhere_else(code, facts, places):
    fired = _fired(_months(**facts))
    assert fired.get(code, []) == places


def test_a_fall_of_two_grades_fires_and_of_one_does_not():
    assert _fired(_months(delay_months=[0] * 5), grades=[1, 1, 2, 3, 3])["grade_fell"] == [3, 4]


def test_no_month_later_than_the_firing_changes_it():
    long = _months(delay_months=[0, 1, 0, 0, 1, 1, 2], balance_amt=[10, 10, 10, 30, 30, 90, 90])
    cut = _fired(long.head(5))
    early = {c: [p for p in places if p < 5] for c, places in _fired(long).items()}
    assert {c: places for c, places in early.items() if places} == cut


def test_triggers_of_payment_are_silent_while_payments_are_deferred():
    months = _months(delay_months=[0, 1, 2, 1], balance_amt=[10, 10, 10, 100])
    assert _fired(months, (24242, 24243)) == {"in_arrears": [3], "balance_jumped": [3]}


def test_what_was_not_delivered_is_no_zero():
    gone = [100, 100, 100, np.nan]
    assert _fired(_months(inflow_amt=gone, deposit_amt=gone, payment_amt=gone, due_amt=[100] * 4)) == {}
    assert str(triggers.BY_CODE["late_again"].reason(3)) == "late again: 3 or more of the last six months in arrears"


def test_a_month_without_a_row_is_no_value():
    months = _months(balance_amt=[100, 100, 100, 200]).drop(index=0)
    assert "balance_jumped" not in _fired(months)


def test_an_alert_is_told_once_until_it_was_quiet():
    fired = pd.DataFrame({"entity_id": "a", "trigger_code": "x", "month_no": [1, 2, 4, 8]})
    made = triggers.alerts(fired, quiet_months=3)
    assert made[["opened_no", "last_no", "n_fired", "age_months"]].to_numpy().tolist() == [[1, 4, 3, 3], [8, 8, 1, 0]]


def test_alerts_are_of_who_is_watched_and_open_until_they_are_quiet():
    watched = pd.DataFrame({"entity_id": [f"w{i}" for i in range(20)] * 2, "month_no": [7] * 20 + [8] * 20})
    fired = [(f"w{i}", 7, 7) for i in range(12)] + [(f"other{i}", 7, 8) for i in range(50)]
    made = pd.DataFrame(fired, columns=["entity_id", "opened_no", "last_no"])
    made = made.assign(trigger_code="paid_short", n_fired=1)
    facts = warning_answers.alerts(made, watched, 3).answer.facts
    assert (facts["per"], facts["alerts"], facts["open"], facts["age"]) == (300.0, 12, 12, 1.0)
    assert warning_answers.alerts(made, watched, 1).answer.facts["open"] == 0


def _watched(n: int = 400, months: int = 12) -> pd.DataFrame:
    """Customers 0 to 19 have the event in the last month, and their probability rises four months before it."""
    rows = pd.DataFrame(
        [(f"{i:03d}", m) for m in range(100, 100 + months) for i in range(n)], columns=["e", "month_no"]
    )
    bad, to = rows["e"].astype(int) < 20, (100 + months) - rows["month_no"]
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "entity_id": rows["e"],
            "month_no": rows["month_no"],
            "sample": "monitoring",
            "months_to_event": to.where(bad & (to <= 6)).astype(float),
            "event": (bad & (to <= 6)).astype(float),
            "known": True,
            "predicted": np.where(bad & (to <= 4), 0.5, 0.05) + rng.uniform(0, 0.01, len(rows)),
            "grade_no": np.where(bad & (to <= 4), 5, 1),
        }
    )


@pytest.fixture
def no_tables(monkeypatch):
    monkeypatch.setattr(early_warning.action_list, "barred", lambda key, name: {"003": "mart__list_x"})
    monkeypatch.setattr(
        early_warning.action_list, "officers", lambda key: pd.DataFrame(columns=["entity_id", "officer_code"])
    )


def test_the_lead_that_was_planted_comes_back_and_who_is_barred_is_never_flagged(no_tables):
    counted = pd.DataFrame({"entity_id": [], "month_no": [], "trigger_code": [], "age": []}).astype(
        {"entity_id": "str", "trigger_code": "str", "month_no": int, "age": int}
    )
    by_trigger = pd.DataFrame({"beyond": {early_warning.NO_TRIGGER: 1.0}})
    rows = early_warning.ordered(_watched(), counted, by_trigger)
    listed = early_warning.listed(rows, Params(**KEY, capacity=20, worst_grades=1))
    assert not listed.loc[listed["entity_id"] == "003", "flagged"].any()
    events = warning_answers.leads(listed, Outcome(event="x", window_months=6))
    assert len(events) == 20 and events["lead"].notna().sum() == 19
    assert set(events["lead"].dropna()) == {4.0}
    e = warning_answers.lead(events, Outcome(event="x", window_months=6), RULES)
    assert (e.value, str(e.verdict)) == (4.0, "green")
    table = warning_orders.compared(listed, 1).set_index("order")
    assert table.at["both", "precision"] == 1.0 and table.at["both", "recall"] == pytest.approx(19 * 4 / (20 * 6))


@pytest.mark.parametrize(
    ("both", "words"),
    [
        (
            (30, 0),
            "together catch more than the score alone by as many flags: 100.00% of the flags are right against 50",
        ),
        (
            (0, 30),
            "together catch less than the score alone by as many flags: 0.00% of the flags are right against 50.00%",
        ),
        (
            (15, 15),
            "together don't demonstrably catch more or less than the score alone by as many flags: 50.00% of the",
        ),
    ],
)
def test_whether_triggers_catch_more_than_the_score_is_said_with_both_numbers(both, words):
    rows = pd.DataFrame({"entity_id": [f"{i:03d}" for i in range(400)], "month_no": 7, "known": True, "n_triggers": 0})
    at = rows.index
    rows = rows.assign(event=(at < 45).astype(float), flagged=0.0, priority=0.1)
    rows["predicted"] = np.where((at >= 30) & (at < 60), 0.5, 0.1)  # 15 of 30 right
    rows.loc[[*range(both[0]), *range(100, 100 + both[1])], "flagged"] = 1.0
    answer = str(warning_orders.caught(rows, Outcome(event="x", window_months=6), 1).answer)
    assert "Score and triggers " + words in answer and ("(+0.00 percentage points, -" in answer) == (both == (15, 15))


def test_what_a_trigger_tells_beyond_the_score_is_counted_before_the_watched_months():
    rows = pd.DataFrame(
        {
            "entity_id": [str(i) for i in range(100)] * 2,
            "month_no": [1] * 100 + [2] * 100,
            "sample": ["development"] * 100 + ["monitoring"] * 100,
            "known": True,
            "event": [1.0] * 9 + [0.0] * 91 + [1.0] * 100,
            "predicted": 0.05,
        }
    )
    counted = pd.DataFrame({"entity_id": [str(i) for i in range(20)], "month_no": 1, "trigger_code": "x", "age": 0})
    table = early_warning.worth(rows, counted, Outcome(event="x", window_months=1))
    assert table.loc["x", ["rows", "events"]].tolist() == [20, 9]
    assert table.at["x", "beyond"] == pytest.approx(10 / 2) and table.at["no_trigger", "beyond"] == pytest.approx(1 / 5)
    late = early_warning.worth(rows, counted, Outcome(event="x", window_months=2))
    assert late.empty, "what came of them wasn't known when watching began"


def test_months_of_one_customer_make_a_triggers_rate_no_surer():
    rows = pd.DataFrame({"entity_id": np.repeat([f"{i:02d}" for i in range(40)], 10), "month_no": [*range(10)] * 40})
    rows = rows.assign(sample="development", known=True, event=np.repeat(np.arange(40) < 10, 10) * 1.0, predicted=0.2)
    counted = rows[["entity_id", "month_no"]].assign(trigger_code="paid_short", age=0)
    chosen, watched = [triggers.BY_CODE["paid_short"]], rows.tail(1).assign(sample="monitoring", month_no=10)
    outcome = Outcome(event="x", window_months=1)
    by_trigger = early_warning.worth(pd.concat([rows, watched]), counted, outcome)
    row = warning_answers.triggers_evidence(by_trigger, chosen, RULES).table.iloc[0]
    assert (row["rows"], row["rate"]) == (400, 0.25)
    assert (row["low"], row["high"]) == pytest.approx(metrics.rate_interval(10, 40))


def _areas(times: float, months: int = 40, at: int = 36, seed: int = 1) -> pd.DataFrame:
    """Eight areas of 1,500 customers; the bank's rate trends; area 3 is `times` as bad from month `at` on."""
    rng, rows = np.random.default_rng(seed), []
    for m in range(months):
        for a in range(8):
            rate = 0.012 * (1 + m / 40) * (1 + 0.1 * a) * (times if a == 3 and m >= at else 1)
            rows.append(("region_code", f"R{a}", m, -1, 1500.0, float(rng.binomial(1500, rate))))
    return pd.DataFrame(rows, columns=["column", "area", "month_no", "grade_no", "n", "starts"])


def test_a_planted_shock_rings_in_its_first_month_and_only_there():
    level = RULES.number("area_alarm")
    table = area_alarm.alarms(area_alarm.standardised(_areas(3.0)), 12, level)
    rang = table[table["alarm"]]
    assert set(rang["area"]) == {"R3"} and rang["month_no"].min() == 36 and rang["month_no"].max() == 39


def test_clean_months_ring_at_most_once_in_24():
    level, clean = RULES.number("area_alarm"), 0
    for seed in range(4):
        table = area_alarm.alarms(area_alarm.standardised(_areas(1.0, months=30, seed=seed)), 12, level)
        clean += int(table["alarm"].sum())
    assert clean <= 4


@pytest.mark.parametrize("sizes", [(8000, 2000), (5000, 5000), (1000,) * 8])
def test_a_rest_that_is_small_itself_rings_no_alarm_by_its_own_chance(sizes):
    rng, rows = np.random.default_rng(3), []
    for m in range(240):
        for a, n in enumerate(sizes):
            rows.append(("region_code", f"R{a}", m, -1, float(n), float(rng.binomial(n, 0.01))))
    table = pd.DataFrame(rows, columns=["column", "area", "month_no", "grade_no", "n", "starts"])
    rang = area_alarm.alarms(area_alarm.standardised(table), 12, 0.01).groupby("month_no")["alarm"].any()
    assert rang.sum() <= 6, "one month in a hundred: 2.4 of 240"


def test_median_interval_covers_and_excess_counts_the_baselines_own_chance():
    rng = np.random.default_rng(1)
    hits = [low <= 0 <= high for _, low, high in (metrics.median_interval(rng.normal(size=25)) for _ in range(400))]
    assert 0.93 <= np.mean(hits) <= 0.99
    p = metrics.excess([10], [5.0], [10], [10.0])[0]
    assert p > metrics.excess([10], [5.0], [1000], [1000.0])[0] > 0.01


def test_a_median_of_five_or_fewer_has_no_interval_and_the_page_says_so():
    """The lowest and highest of five enclose the median in 1 − 2/2⁵ = 94 of 100 samples, of six in 97."""
    assert np.isnan(metrics.median_interval([1, 2, 3, 4, 5])[1:]).all()
    assert metrics.median_interval([1, 2, 3, 4, 5, 6]) == (3.5, 1, 6)
    answer = _lead(4, 3, 2, *[np.nan] * 40).answer
    assert "the median lead of those flagged, in months, is 3 (of too few for an interval)." in str(answer)
    with speaking("zh_CN"):
        assert "被预警事件提前期的中位数（月）为 3（数量太少，无法给出区间）。" in str(answer)
    assert "in months, is 4 (4 to 4)." in str(_lead(*[4] * 40, *[np.nan] * 10).answer)


def test_half_an_interval_of_deferred_months_is_refused():
    with pytest.raises(UserError) as e:
        Params(**KEY, deferred_from="2020-03").verify()
    assert str(e.value) == (
        "actions/early_warning: deferred_from '2020-03', deferred_to '': name the first and the last month of "
        "deferred payments, or neither"
    )


def _lead(*months: float):
    events = pd.DataFrame({"lead": months})
    return warning_answers.lead(events, Outcome(event="x", window_months=6), RULES)


def test_the_lead_tells_of_no_few_in_its_sentence_either():
    few = _lead(3, 3, 2, 2)
    assert str(few.answer) == "Fewer than 10 events came in the watched months: too few to tell of."
    assert few.verdict == "not_evaluated" and few.value is None
    some = str(_lead(*[4] * 40, *[1] * 30, *[np.nan] * 3).answer)
    assert some.startswith(
        "Of 73 events of the watched months (each counted once, flagged in any month before it) [suppressed] were never "
        "flagged; the median lead of those flagged, in months, is 4"
    )
    whole = str(_lead(*[4] * 40, *[1] * 30, *[np.nan] * 30).answer)
    assert "30 were never flagged, 40 were flagged 3 months before or earlier, 30 later than that; the median" in whole


def test_no_sum_of_the_sentence_on_the_lead_gives_a_hidden_month_back():
    card = _lead(*[5] * 90, *[4] * 40, *[3] * 4, *[2] * 60, *[1] * 50, *[np.nan] * 70)
    hidden = card.table.loc[card.table["events"].isna(), "months before"].tolist()
    assert hidden == [3, 4] and {k: card.answer.facts.get(k) for k in ("events", "never", "early", "late")} == {
        "events": 314,
        "never": 70,
        "early": None,
        "late": None,
    }


def _entrants(by_trigger: int, others: int):
    """Return what is said of the list's newcomers: so many with a trigger of this month, so many without."""
    names = [f"{i:03d}" for i in range(by_trigger + others)]
    watched = pd.DataFrame({"entity_id": names, "month_no": 7, "flagged": 1.0})
    counted = pd.DataFrame({"entity_id": names[:by_trigger], "month_no": 7, "trigger_code": "paid_short", "age": 0})
    return watch_list.entrants(watched, counted, None, Params(**KEY))


def test_who_is_new_tells_of_no_few_in_its_sentence_either(monkeypatch):
    monkeypatch.setattr(watch_list, "_moved", lambda quiet, *_: dict.fromkeys(quiet["entity_id"], ("score", "x")))
    assert str(_entrants(4, 2).answer) == "Fewer than 10 are new on the list: too few to tell why."
    assert _entrants(4, 2).value is None
    assert str(_entrants(40, 3).answer) == (
        "43 are new: [suppressed] by a trigger that fired this month, [suppressed] because an input raised the score, "
        "0 are new to the book, 0 moved up."
    )
    assert str(_entrants(40, 30).answer).startswith("70 are new: 40 by a trigger that fired this month, 30 because")


def test_up_to_a_month_nothing_later_is_read(tmp_path, monkeypatch):
    dates = pd.date_range("2020-01-01", periods=12, freq="MS")
    late = pd.DataFrame({"entity_id": "a", "month": dates, "delay_months": [0] * 5 + [1] + [0] * 4 + [1] * 2})
    scores = pd.DataFrame(
        {"entity_id": "a", "as_of_date": dates, "sample": "monitoring", "predicted": 0.1, "grade_code": "1"}
    )
    for name, table in {"core__month": late, "mart__scores_warning": scores}.items():
        table.to_parquet(tmp_path / f"{name}.parquet", index=False)
    monkeypatch.setattr(early_warning.tables, "scan", lambda key, name: tmp_path / f"{name}.parquet")
    outcome, model = Outcome(event="delay_months >= 1", window_months=3), SimpleNamespace(grade_names=["1"])
    until = Params(**KEY, until="2020-08")
    rows = early_warning.scored(until, outcome, model)
    assert rows["as_of_date"].max() == pd.Timestamp("2020-08-01") and rows["event"].sum() == 3  # before June's alone
    assert rows.loc[rows["known"], "as_of_date"].max() == pd.Timestamp("2020-05-01")
    assert early_warning.scored(Params(**KEY), outcome, model)["event"].sum() == 7
    months = engine.frame("SELECT max(month) AS last FROM months", {"months": early_warning.months(until)})
    assert months["last"][0] == pd.Timestamp("2020-08-01")
    with pytest.raises(
        UserError, match=r"^panel 'mart__warning' has no monitoring rows up to 2019-12; set `until` later"
    ):
        early_warning.scored(Params(**KEY, until="2019-12"), outcome, model)
