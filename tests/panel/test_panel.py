"""The panel: outcomes are open while their window is, samples never mix parents, what can't be built is named."""

import re

import numpy as np
import pandas as pd
import pytest

from workbench import engine, metrics
from workbench.contracts import Column, Contract, Outcome
from workbench.models.binning import woe_bins
from workbench.panel import build, describe, outcome, samples
from workbench.panel.bins import Bins, counted, quantile_bins
from workbench.panel.cohort import Facts
from workbench.panel.samples import Waterfall
from workbench.params import UserError
from workbench.portfolios import intake

MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")
KEY = Column(name="entity_id", type="text", role="key")
LIMIT = Column(name="limit_amt", type="number", aspect="size")
ACCOUNT = Contract(name="core__account", title="t", columns=(KEY, LIMIT))
DEFAULT = {"event": "delay_months >= 3", "eligible": "delay_months < 3", "window_months": 3}
P = build.Params(
    study="t",
    outcome=DEFAULT,
    as_of_from="2020-03",
    as_of_to="2020-12",
    observation_months=3,
    monitoring_from="2020-07",
)


def _months(n: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    account = pd.DataFrame({"entity_id": [f"a{i}" for i in range(n)], "limit_amt": rng.integers(1, 9, n) * 1000.0})
    long = account[["entity_id"]].merge(pd.DataFrame({"month": MONTHS}), how="cross")
    long["delay_months"] = rng.choice([0.0, 1.0, 2.0, 3.0], len(long), p=[0.8, 0.1, 0.06, 0.04])
    long["balance_amt"], long["payment_amt"] = rng.integers(0, 5000, (2, len(long))).astype(float)
    return account, long


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    account, long = _months()
    return build.build(account, ACCOUNT, long, P)[0]


@pytest.mark.parametrize("kind", ["amount", "rate", "time"])
def test_a_recorded_outcome_in_words_is_no_number(kind):
    bad = Column(name="bad", type="category", role="outcome", known="after", values={"0": "paid", "1": "not paid"})
    words = "panel/build: outcome: kind '{}' needs a number, and 'bad' of contract 'core__account' is of type category; write `kind: binary`, or give an `event`"
    with pytest.raises(UserError) as refused:
        outcome.resolved({"kind": kind}, ACCOUNT.replaced([KEY, LIMIT, bad]))
    assert str(refused.value) == words.format(kind)


def test_outcome_is_open_while_the_performance_window_is(panel):
    open_ = panel.groupby("as_of_date")["outcome"].apply(lambda s: s.isna().all())
    assert list(open_[open_].index.strftime("%Y-%m")) == ["2020-10", "2020-11", "2020-12"]


def test_outcome_is_the_worst_delay_after_the_date(panel):
    _, long = _months()
    for row in panel[panel["as_of_date"] == "2020-04-01"].head(50).itertuples():
        after = long[(long["entity_id"] == row.entity_id) & long["month"].between("2020-05-01", "2020-07-01")]
        assert row.outcome == float((after["delay_months"] >= 3).any())


def test_no_account_stands_on_both_sides_and_defaulted_ones_are_out(panel):
    by = {s: set(panel.loc[panel["sample"] == s, "entity_id"]) for s in ("development", "holdout")}
    assert by["development"] and by["holdout"] and not by["development"] & by["holdout"]
    assert (panel["delay_now_months"] < 3).all()
    assert (panel.loc[panel["sample"] == "monitoring", "as_of_date"] >= "2020-07").all()
    assert (panel["parent_id"] == panel["entity_id"]).all()  # the contract names no parent


def test_out_of_time_holdout_is_later_and_says_how_many_parents_stand_on_both_sides():
    late = P.model_copy(update={"out_of_time_from": "2020-06"})
    panel, words = build.build(_months()[0], ACCOUNT, _months()[1], late)
    dates = panel.groupby("sample")["as_of_date"]
    assert dates.max()["development"] < dates.min()["holdout"] <= dates.max()["holdout"] < dates.min()["monitoring"]
    sides = [set(panel.loc[panel["sample"] == s, "parent_id"]) for s in ("development", "holdout")]
    card = describe.samples(panel, Waterfall(300), words.outcome)
    text = f"{len(sides[0] & sides[1])} of the {len(sides[1])} parents (whose rows they are) in the hold-out stand in"
    assert text in card.answer


def test_parents_and_not_rows_are_drawn_into_the_holdout():
    account, long = _months()
    account["customer_id"] = [f"c{i // 3}" for i in range(len(account))]
    contract = ACCOUNT.replaced([*ACCOUNT.columns, Column(name="customer_id", type="text", role="parent")])
    panel, words = build.build(account, contract, long, P)
    by = {s: set(panel.loc[panel["sample"] == s, "parent_id"]) for s in ("development", "holdout")}
    assert not by["development"] & by["holdout"]
    worst = panel[panel["sample"] != "monitoring"].groupby("parent_id")["outcome"].max()
    held = worst[worst.index.isin(by["holdout"])]
    assert len(held) / len(worst) == pytest.approx(0.3, abs=0.01)
    assert held.mean() == pytest.approx(worst.mean(), abs=0.02)  # stratified by the parent's worst row
    assert words["parent_id"].role == "parent"


@pytest.mark.parametrize(
    ("event_month", "competing_month", "expected", "months"),
    [(2, 0, 1.0, 2.0), (2, 1, 0.0, 3.0), (1, 2, 1.0, 1.0), (2, 2, 1.0, 2.0), (0, 1, 0.0, 3.0)],
)
def test_an_earlier_competing_event_ends_the_window(event_month, competing_month, expected, months):
    """Months 1 to 3 after the date; 0: it never comes. Of a time, the months until then, else the whole window."""
    account = pd.DataFrame({"entity_id": ["a", "b", "c"], "limit_amt": [1.0, 2.0, 3.0]})
    long = account[["entity_id"]].merge(pd.DataFrame({"month": MONTHS[:5]}), how="cross").assign(state="open")
    now = long["month"].dt.month - 2  # as of February
    if event_month:
        long.loc[(long["entity_id"] == "a") & (now == event_month), "state"] = "closed"
    if competing_month:
        twin = long[(long["entity_id"] == "a") & (now == competing_month)].assign(state="died")
        long = pd.concat([long, twin], ignore_index=True)  # two records of one month: the event counts
    fields = {"name": "churn", "event": "state = 'closed'", "competing": ["state = 'died'"], "window_months": 3}
    facts = build.Facts(account, ACCOUNT, long)
    for kind, of_a, of_others in (("binary", expected, 0.0), ("time", months, 3.0)):
        resolved = outcome.resolved({**fields, "kind": kind}, ACCOUNT)
        rows = build.cohort(facts, resolved, "2020-02", "2020-02", 2)
        table = engine.frame(rows.sql, {**facts.relations, "calendar": rows.calendar}).set_index("entity_id")
        assert set(table.loc[["a"], "outcome"]) == {of_a} and (table.loc[["b", "c"], "outcome"] == of_others).all()


def _stopping(kind: str) -> build.Made:
    """As of February, three months ahead: of 40 the event comes to 10, 8 stop in April, 2 of them after another end."""
    account = pd.DataFrame({"entity_id": [f"a{i:02d}" for i in range(40)], "limit_amt": np.arange(40.0)})
    long = account[["entity_id"]].merge(pd.DataFrame({"month": MONTHS[:5]}), how="cross").assign(state="open")
    place, month = long["entity_id"].str[1:].astype(int), long["month"].dt.month
    long.loc[(place < 10) & (month == 3), "state"] = "late"
    long.loc[(place >= 38) & (month == 4), "state"] = "paid off"
    long = long[~((place < 5) & (month > 3)) & ~((place >= 32) & (month > 4))]  # five with the event stop, too
    given = {"name": "default", "event": "state = 'late'", "competing": ["state = 'paid off'"], "window_months": 3}
    p = build.Params(
        study="t", outcome={**given, "kind": kind}, as_of_from="2020-02", as_of_to="2020-02", observation_months=2
    )
    return build.make_from(Facts(account, ACCOUNT, long), p)


@pytest.mark.parametrize("kind", ["binary", "time"])
def test_rows_without_the_event_that_were_not_followed_to_the_end_are_counted(kind):
    made = _stopping(kind)
    counted_rows = made.waterfall.without_event
    assert tuple(np.sum(list(counted_rows.values()), axis=0)) == (30, 6), "another end is the end of the window"
    panel = pd.read_parquet(made.path)
    card = describe.samples(panel, made.waterfall, made.contract.outcome)
    development, holdout = (f"{k} of {n} ({k / n:.1%})" for n, k in (counted_rows[s] for s in samples.SAMPLES[:2]))
    assert f"development {development}, holdout {holdout}" in card.answer and "Not followed to the end" in card.answer
    assert list(card.table["not followed to the end"]) == [counted_rows[s][1] for s in card.table["sample"]]
    assert outcome.UNFOLLOWED not in panel, "what is known only afterwards stays out of the panel"


def test_many_rows_not_followed_to_the_end_are_amber():
    bad = (np.arange(4000) % 10 == 0).astype(float)
    names = [f"a{i}" for i in range(4000)]
    frame = pd.DataFrame({"entity_id": names, "parent_id": names, "outcome": bad, "weight": 1.0})
    frame = frame.assign(as_of_date=MONTHS[0], sample=np.repeat(["development", "holdout"], 2000))
    cards = [
        describe.samples(
            frame, Waterfall(4000, without_event={"development": (1800, k), "holdout": (1800, 0)}), Outcome()
        )
        for k in (0, 180, 181)
    ]
    assert [str(c.verdict) for c in cards] == ["green", "green", "amber"]
    assert ["Not followed" in c.answer for c in cards] == [False, True, True]
    assert all("more than 10% of a sample's rows" in c.threshold for c in cards)


def _applications() -> tuple[pd.DataFrame, Contract]:
    rng = np.random.default_rng(2)
    n = 400
    table = pd.DataFrame(
        {
            "loan_id": [f"l{i}" for i in range(n)],
            "applied_date": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 200, n), "D"),
            "income_amt": rng.normal(3000, 500, n),
            "loss_rate": rng.random(n),
        }
    )
    columns = (
        Column(name="loan_id", type="text", role="key"),
        Column(name="applied_date", type="date", role="as_of"),
        Column(name="income_amt", type="number"),
        Column(name="loss_rate", type="number", role="outcome", known="after"),
    )
    words = {"event": "loss", "events": "losses", "rate": "mean loss", "predicted": "predicted loss"}
    lgd = Outcome(name="lgd", kind="rate", words=words)
    return table, Contract(name="core__account", title="t", columns=columns, outcome=lgd, entity="application")


def test_a_window_beyond_the_data_is_told():
    account, long = _months(30)
    beyond = {"outcome": {**DEFAULT, "window_months": 24}, "monitoring_from": "", "out_of_time_from": "2020-06"}
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long, P.model_copy(update=beyond))
    assert str(e.value) == (
        "panel/build: no row has a known outcome; a window of 24 months may reach beyond the data; look at "
        "outcome.window_months, as_of_from, as_of_to"
    )


def test_a_recorded_rate_is_the_outcome_and_entities_keep_their_day():
    table, contract = _applications()
    panel, words = build.build(table, contract, None, build.Params(as_of_from="2020-02", as_of_to="2020-04"))
    joined = panel.merge(table, left_on="entity_id", right_on="loan_id")
    assert (
        np.array_equal(joined["outcome"], joined["loss_rate"])
        and (joined["as_of_date"] == joined["applied_date"]).all()
    )
    assert panel["as_of_date"].between("2020-02-01", "2020-04-30").all() and panel["as_of_date"].dt.day.nunique() > 5
    assert words.outcome.name == "lgd" and words.outcome.kind == "rate"
    card = describe.samples(panel, Waterfall(len(table)), words.outcome)
    assert "mean loss" in card.answer and "default" not in card.answer and "events" not in card.table
    begun = panel.assign(
        as_of_date=panel["as_of_date"].mask(panel["as_of_date"].rank(method="first") == 1, "2020-02-01")
    )
    table = describe.samples(begun, Waterfall(len(table)), words.outcome).table
    assert "2020-02-01" in set(table["first as-of"]) and table["last as-of"].str.len().eq(10).all()
    assert describe.rates(panel, words.outcome)["as_of_date"].dt.day.eq(1).all()


def test_a_recorded_rate_in_percent_is_a_share_wherever_it_is_read():
    table, contract = _applications()
    percent = contract["loss_rate"].model_copy(update={"unit": "%"})
    words = contract.replaced([percent if c.name == "loss_rate" else c for c in contract.columns])
    panel, _ = build.build(table.assign(loss_rate=table["loss_rate"] * 100), words, None, build.Params())
    joined = panel.merge(table, left_on="entity_id", right_on="loan_id")
    assert joined["outcome"].to_numpy() == pytest.approx(joined["loss_rate"].to_numpy())
    recorded = build.recorded_outcome(table.assign(loss_rate=35.66), words)
    answer = intake.conclusion({"core__account": (table, words)}, recorded)
    assert "Recorded mean loss: **35.66%** over 400 rows." in answer


@pytest.mark.parametrize("value", [1.0, "Y"])
def test_one_value_or_none_is_a_flag_and_one_value_alone_is_constant(value):
    table, contract = _applications()
    kind = "number" if value == 1.0 else "category"
    flags = [Column(name=n, type=kind) for n in ("secured", "same", "never")]
    secured = [value if i % 3 == 0 else None for i in range(len(table))]
    made, words = build.build(
        table.assign(secured=secured, same=value, never=pd.Series([None] * len(table), dtype="str")),
        contract.replaced([*contract.columns, *flags]),
        None,
        build.Params(),
    )
    assert [c.name for c in words.features()] == ["income_amt", "secured"]
    bins = woe_bins(made["secured"], (made["outcome"] > 0.5).to_numpy(float))
    assert bins.bins.counts(made["secured"]).sum() == len(made)


def test_a_day_dated_application_sees_only_months_that_were_over():
    table, contract = _applications()
    months = (
        table[["loan_id"]].rename(columns={"loan_id": "entity_id"}).merge(pd.DataFrame({"month": MONTHS}), how="cross")
    )
    months["score_rate"] = months["month"].dt.month * 1.0
    panel, _ = build.build(
        table, contract, months, build.Params(as_of_from="2020-03", as_of_to="2020-05", observation_months=2)
    )
    assert (panel["score_rate"] == panel["as_of_date"].dt.month - 1).all()


def test_sampling_weights_restore_the_base_rate_and_mean_one():
    event, other = samples.weights(0.175, 0.5)
    w = np.array([event] * 500 + [other] * 500)
    assert np.average(np.repeat([1, 0], 500), weights=w) == pytest.approx(0.175) and w.mean() == pytest.approx(1.0)
    assert samples.weights(0.0, 0.5) == (1.0, 1.0)


def test_a_case_control_panel_is_weighted_back():
    rng = np.random.default_rng(0)
    account = pd.DataFrame(
        {"entity_id": [f"a{i}" for i in range(200)], "limit_amt": rng.random(200), "y": ["1", "0"] * 100}
    )
    columns = [KEY, LIMIT, Column(name="y", type="category", role="outcome", known="after")]
    contract = ACCOUNT.replaced(columns, event_value="1")
    panel, _ = build.build(account, contract, None, build.Params(base_rate=0.1))
    assert np.average(panel["outcome"], weights=panel["weight"]) == pytest.approx(0.1)
    e = describe.base_rate(panel, 0.1, Outcome())
    assert e.verdict == "amber" and e.value == pytest.approx(0.1)
    assert str(e.answer).startswith("The file is a case-control sample: 50.0% of these rows are bad.")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"evnt": "x > 1"}, "panel/build: outcome: unknown field 'evnt'; did you mean 'event'?"),
        ({"words": {"rat": "x"}}, "panel/build: outcome.words: unknown field 'rat'; did you mean 'rate'?"),
        (
            {"event": "a > 1"},
            "panel/build: outcome: an event needs `window_months`, the months after the date in which it counts",
        ),
        (
            {"event": "SELECT 1", "window_months": 1},
            "panel/build: outcome.event: `SELECT 1` is no SQL condition on one row; write it like `delay_months >= 3`, "
            "without SELECT or sums",
        ),
        (
            {"event": "sum(a) > 1", "window_months": 1},
            "panel/build: outcome.event: `sum(a) > 1` is no SQL condition on one row; write it like `delay_months >= 3`, "
            "without SELECT or sums",
        ),
        (
            {"kind": "amount", "event": "a > 1", "window_months": 1},
            "panel/build: outcome: an event makes a binary outcome or a time; leave `event` empty for kind 'amount'",
        ),
        (
            {"competing": ["a > 1"]},
            "panel/build: outcome: `competing` needs an `event`; a recorded outcome has its competitors in it",
        ),
    ],
)
def test_an_outcome_that_cannot_be_computed_is_named_before_a_kernel_starts(given, message):
    with pytest.raises(UserError) as e:
        build.Params(outcome=given).verify()
    assert str(e.value) == message


def test_an_unknown_column_of_a_condition_is_named_with_the_nearest():
    account, long = _months(20)
    for field, where in (("event", "event"), ("eligible", "eligible")):
        p = P.model_copy(update={"outcome": {**DEFAULT, field: "delay_month > 1"}})
        with pytest.raises(UserError) as e:
            build.build(account, ACCOUNT, long, p)
        assert str(e.value) == (
            f"panel/build: outcome.{where}: no column 'delay_month' in `delay_month > 1`; did you mean 'delay_months'?"
        )


@pytest.mark.parametrize("field", ["event", "eligible", "competing"])
def test_a_condition_that_compares_text_with_a_number_is_named_by_its_field(field):
    account, long = _months(20)
    long = long.assign(status_code="1")
    wrong = "status_code >= 1"
    p = P.model_copy(update={"outcome": {**DEFAULT, field: [wrong] if field == "competing" else wrong}})
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long, p)
    start = (
        f"panel/build: outcome.{field}: `{wrong}` can't be asked, status_code is VARCHAR: Binder Error: Cannot compare"
    )
    assert str(e.value).startswith(start)


def test_another_outcome_takes_nothing_from_the_contracts():
    lgd = _applications()[1]
    assert outcome.resolved({}, lgd) == lgd.outcome
    churn = outcome.resolved({"name": "churn", "event": "a > 1", "window_months": 3}, lgd)
    assert churn.kind == "binary" and churn.words.rate == Outcome().words.rate


def test_a_window_that_starts_before_the_data_is_refused():
    account, long = _months(5)
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long, P.model_copy(update={"observation_months": 6}))
    assert str(e.value) == (
        "panel/build: as of 2020-03 the observation window of 6 months begins before the data do (2020-01); "
        "move as_of_from to 2020-06"
    )


def test_a_window_longer_than_the_data_is_to_be_shortened():
    account, long = _months(5)
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long, P.model_copy(update={"observation_months": 18, "as_of_from": ""}))
    assert str(e.value) == (
        "panel/build: as of 2020-12 the observation window of 18 months begins before the data do (2020-01); "
        "shorten observation_months to 12"
    )


@pytest.mark.parametrize(("delay", "often"), [(0.0, "no row has"), (9.0, "every row has")])
def test_a_base_rate_needs_rows_of_both_kinds(delay, often):
    account, long = _months(40)
    always = {**DEFAULT, "eligible": ""}
    p = P.model_copy(update={"outcome": always, "base_rate": 0.05})
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long.assign(delay_months=delay), p)
    assert str(e.value) == (
        f"panel/build: base_rate 0.05 needs rows with the event and rows without, and {often} it; "
        "look at the outcome, or leave base_rate at 0"
    )


def test_a_share_that_leaves_nobody_to_develop_on_is_refused():
    account, long = _months(40)
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long, P.model_copy(update={"holdout_share": 0.999}))
    n = re.fullmatch(
        r"panel/build: holdout_share 0\.999 of (\d+) parents leaves too few on one side; set it nearer to 0\.5",
        str(e.value),
    )
    assert n and 1 < int(n[1]) <= 40


def test_entities_in_no_sample_are_counted_at_the_first_thing_they_lack():
    account, long = _months()
    first = long.groupby("entity_id")["month"].min().index
    gone, late, silent = first[:7], first[7:12], first[12:15]
    long = long[~long["entity_id"].isin(gone)]
    long.loc[long["entity_id"].isin(late), "delay_months"] = 5  # never eligible
    long = long[
        ~long["entity_id"].isin(silent) | (long["month"] >= long["month"].max())
    ]  # no outcome of theirs is over
    p = P.model_copy(update={"monitoring_from": "", "as_of_to": ""})
    made = build.make_from(Facts(account, ACCOUNT, long), p)
    w = made.waterfall
    assert (w.entities, w.undated, w.ineligible, w.unknown) == (len(account), 7, 5, 3)
    panel = pd.read_parquet(made.path)
    assert panel["entity_id"].nunique() == w.entities - w.undated - w.ineligible - w.unknown - w.unused
    counted_words = (
        f"{15 + w.unused} of {len(account)} entities are in no sample: 7 have no row on an as-of date, 5 are not"
    )
    assert counted_words in describe.samples(panel, w, made.contract.outcome).answer


def test_a_month_that_stands_twice_is_refused():
    account, long = _months(5)
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, pd.concat([long, long[long["month"] == "2020-04-01"].head(1)]), P)
    assert str(e.value) == (
        "panel/build: an entity stands twice as of 2020-04; core__account needs one row an entity and core__month one an "
        "entity and month: name the key that tells the rows apart"
    )


def test_nobody_eligible_is_said():
    account, long = _months(5)
    with pytest.raises(UserError, match="no row is eligible at any as-of date"):
        build.build(
            account, ACCOUNT, long, P.model_copy(update={"outcome": {**DEFAULT, "eligible": "delay_months > 9"}})
        )


def test_event_value_that_does_not_occur_is_named():
    columns = (Column(name="id", type="text", role="key"), Column(name="y", type="category", role="outcome"))
    contract = Contract(name="c", title="t", event_value="9", columns=columns)
    with pytest.raises(UserError, match="contract 'c': event_value '9' does not stand in 'y'"):
        build.recorded_outcome(pd.DataFrame({"id": ["a"], "y": ["0"]}), contract)


def test_a_rates_interval_goes_by_parent():
    """Twelve equal rows of each of 200 parents are as sure as one row of each."""
    once = pd.DataFrame({"outcome": (np.arange(200) % 5 == 0) * 1.0, "parent_id": [f"p{i}" for i in range(200)]})
    once = once.assign(weight=1.0, sample="development", as_of_date=pd.Timestamp("2020-01-01"))
    often = once.loc[once.index.repeat(12)].reset_index(drop=True)
    few, many = (describe.rates(rows, Outcome()).iloc[0] for rows in (once, often))
    assert (few["low"], few["high"]) == pytest.approx((many["low"], many["high"]))


def test_bins_count_missing_and_unseen_apart():
    bins = quantile_bins(pd.Series(np.arange(100.0), name="x"), 4)
    assert bins.counts(pd.Series([0.0, 30.0, 99.0, np.nan])).tolist() == [1, 1, 0, 1, 1, 0]
    category = quantile_bins(pd.Series(["a", "b", "a"], name="c"))
    assert category.counts(pd.Series(["a", "z", None])).tolist() == [1, 0, 1, 1]
    assert Bins.from_dict(bins.to_dict()) == bins


def test_bins_of_many_columns_are_counted_in_one_pass_as_one_by_one():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"x": rng.normal(size=3000).round(1), "c": rng.choice(["a", "b'", "z"], 3000), "t": rng.integers(0, 3, 3000)}
    )
    table.loc[::7, ["x", "c"]] = None
    bins = [quantile_bins(table["x"], 5), quantile_bins(table.loc[table["c"] != "z", "c"])]
    tallied = counted(table, bins, "t")
    for b in bins:
        for t, rows in table.groupby("t"):
            lines = tallied[(tallied["by"] == t) & (tallied["name"] == b.name)]
            counts = np.zeros(len(b.labels))
            counts[lines["bin"]] = lines["n"]
            assert counts.tolist() == b.counts(rows[b.name]).tolist()


def test_a_share_of_zeros_that_changes_is_seen():
    rng = np.random.default_rng(0)
    before = pd.Series(np.where(rng.random(20_000) < 0.065, rng.integers(1, 50, 20_000), 0.0), name="previous")
    after = pd.Series(np.where(rng.random(20_000) < 0.457, rng.integers(1, 50, 20_000), 0.0), name="previous")
    bins = quantile_bins(before)
    assert metrics.psi(bins.counts(before), bins.counts(after)) > 0.9
    assert metrics.psi(bins.counts(before[:10_000]), bins.counts(before[10_000:])) < 0.01


def test_a_holdout_that_defaults_at_another_rate_is_amber_and_entities_in_no_sample_are_counted():
    def rows(held_rate: float) -> pd.DataFrame:
        bad = np.concatenate([np.arange(2000) % 10 == 0, np.arange(2000) < 2000 * held_rate]).astype(float)
        names = [f"a{i}" for i in range(4000)]
        frame = pd.DataFrame({"entity_id": names, "parent_id": names, "outcome": bad, "weight": 1.0})
        return frame.assign(as_of_date=MONTHS[0], sample=np.repeat(["development", "holdout"], 2000))

    sound, unstated = rows(0.11), "No performance window is stated (`outcome.window_months`)"
    assert describe.samples(sound, Waterfall(4000), Outcome()).verdict == "green"
    months = sound.assign(as_of_date=np.where(np.arange(4000) % 2 == 0, MONTHS[0], MONTHS[1]))
    answers = [describe.samples(months, Waterfall(4000), Outcome(window_months=n)).answer for n in (0, 12)]
    assert [unstated in answer for answer in answers] == [True, False]
    assert unstated not in describe.samples(sound, Waterfall(4000), Outcome()).answer, (
        "one date: nothing is watched over time"
    )
    card = describe.samples(rows(0.2), Waterfall(4100, ineligible=99, unknown=1), Outcome())
    assert (
        card.verdict == "amber"
        and ("100 of 4,100 entities are in no sample: 99 are not eligible, 1 has no known outcome.") in card.answer
    )
    assert "The hold-out's default rate is another one: PD learnt on development" in card.answer


def test_the_book_holds_each_account_once_and_not_as_it_left():
    months = pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"])
    rows = pd.DataFrame(
        {
            "entity_id": ["gone", "stays", "stays", "new", "stays"],
            "as_of_date": months[[0, 0, 1, 1, 2]],
            "sample": ["development"] * 4 + ["monitoring"],
            "outcome": [1.0, 0, 0, 0, 0],
        }
    )
    assert list(describe.book(rows)["entity_id"]) == ["stays", "new"]
    once = rows.drop_duplicates("entity_id").assign(outcome=[1.0, 0, np.nan])
    assert list(describe.book(once)["entity_id"]) == ["gone", "stays"]


@pytest.mark.parametrize(
    ("bins", "values"),
    [
        (
            Bins("years", edges=(1.0, 5.0), special=(("-9", "not asked"), ("-8", "refused"), ("-7", "refused"))),
            pd.Series([0.0, 1.0, 7.0, -9.0, -8.0, -7.0, np.nan]),
        ),
        (
            Bins("job", groups=(("a", "it's"), ("b",)), special=(("x", "not asked"),)),
            pd.Series(["a", "it's", "b", "x", None, "new"], dtype="str"),
        ),
        (Bins("empty_before"), pd.Series(["new", None, "7"], dtype="str")),
        (Bins("empty_before", special=(("x", "not asked"),)), pd.Series(["new", None, "x"], dtype="str")),
        (Bins("empty_before"), pd.Series([1.0, np.nan, 7.0])),
        (Bins("empty_before", special=(("-9", "not asked"),)), pd.Series([1.0, np.nan, -9.0])),
    ],
)
def test_special_codes_and_quotation_marks_are_counted_by_the_engine_as_in_memory(bins, values):
    rows = pd.DataFrame({bins.name: values, "part": 1})
    counts = counted(rows, [bins], "part").set_index("bin")["n"]
    assert counts.reindex(range(bins.size), fill_value=0).tolist() == bins.counts(values).tolist()


def test_a_category_without_values_in_development_is_unseen_when_it_is_delivered():
    reference = pd.Series([None] * 100, name="job", dtype=object)
    bins, later = quantile_bins(reference), pd.Series(["clerk"] * 60 + [None] * 40, name="job", dtype=object)
    assert dict(zip(bins.labels, bins.counts(later), strict=True)) == {"all": 0, "missing": 40, "unseen": 60}
    assert metrics.psi(bins.counts(reference), bins.counts(later)) > 1


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ((0.5, 20_000.0, 1_250_000.0), ["0.5", "20,000", "1,250,000"]),
        ((1_234_567.1, 1_234_567.42), ["1,234,567.1", "1,234,567.4"]),
        ((20_190_107.0, 20_190_117.0), ["20,190,107", "20,190,117"]),
        ((-2_500_000.0, 0.0, 7.5e-07), ["-2,500,000", "0", "0.00000075"]),
        ((1 / 3, 1 / 3 + 1e-12, 1e300), ["0.333333333333", "0.333333333334", "1e+300"]),
    ],
)
def test_bins_are_named_by_their_edges_without_powers_of_ten_and_no_two_alike(edges, words):
    labels = Bins("amount", edges=edges).labels
    assert labels[0] == f"< {words[0]}" and labels[len(edges)] == f">= {words[-1]}"
    assert labels[1] == f"{words[0]} to < {words[1]}"
    assert len(set(labels)) == len(labels)


def test_features_that_are_missing_nowhere_are_said_to_be_so():
    panel = pd.DataFrame({"sample": ["development"] * 3, "limit_amt": [1.0, 2.0, 3.0], "weight": 1.0})
    answer = describe.features(panel, Contract(name="mart__panel", title="t", columns=(LIMIT,))).answer
    assert str(answer) == "1 feature; none is missing in any row."


def test_what_is_missing_counts_by_its_weight_as_rates_do():
    panel = pd.DataFrame({"sample": ["development"] * 3, "limit_amt": [1.0, 2.0, np.nan], "weight": [1.0, 1.0, 8.0]})
    table = describe.features(panel, Contract(name="mart__panel", title="t", columns=(LIMIT,))).table
    assert table["missing"].tolist() == [0.8]


def test_a_hold_out_that_begins_before_the_data_is_refused():
    account, long = _months()
    p = P.model_copy(update={"as_of_from": "", "out_of_time_from": "2019-01", "monitoring_from": ""})
    with pytest.raises(UserError) as e:
        build.build(account, ACCOUNT, long, p)
    assert str(e.value) == (
        "panel/build: out_of_time_from 2019-01 leaves no row to develop on; the first with a known outcome is as of 2020-03"
    )
