"""Profile, groups and policies: planted groups are found, policies are looked up as of a date, effects by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import adjusted_rand_score

from workbench import tables
from workbench.contracts import Column, Contract, Outcome
from workbench.customers import groups, policies, profile, segments
from workbench.params import Key, UserError

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "policies.yaml").read_text())
TABLE = [
    {"risk": "low", "need": "*", "lane": "automatic", "interest_rate": 0.10},
    {"risk": "medium", "need": "*", "lane": "automatic", "interest_rate": 0.14},
    {"risk": "medium", "need": "*", "lane": "manual", "interest_rate": 0.15, "valid_from": "2026-03-01"},
    {"risk": "high", "need": "*", "lane": "manual", "interest_rate": 0.18},
    {"risk": "high", "need": "stretched", "lane": "decline", "interest_rate": 0.20},
]
CONTRACT = Contract(
    name="p",
    title="t",
    columns=(
        Column(name="use", type="number", description="use"),
        Column(name="pay", type="number", description="payments"),
        Column(name="job", type="category", description="job"),
        Column(name="limit_amt", type="number", aspect="size", description="limit"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_policy_cases(case):
    policy = policies.lookup(policies.table(TABLE, str(case["as_of"])), case["risk"], case["need"])
    assert {k: getattr(policy, k) for k in case["expect"]} == case["expect"]


def test_a_cell_without_policy_and_a_wrong_row_are_named():
    with pytest.raises(UserError) as e:
        policies.lookup(policies.table(TABLE, "2026-06-30"), "very_high", "revolver")
    assert str(e.value) == (
        "customers/segments: policies: no row for risk 'very_high', need 'revolver'; add one (need: * is every need)"
    )
    with pytest.raises(UserError) as e:
        policies.table([{**TABLE[0], "interest_rate": 7}], "2026-06-30")
    assert str(e.value) == "customers/segments: policies row 1: interest_rate: write 0.6 or less"


def test_the_effect_of_policies_by_hand():
    cells = pd.DataFrame(
        {
            "exposure_amt": [100.0, 200.0],
            "predicted": [0.1, 0.5],
            "lane": ["automatic", "decline"],
            "interest_rate": [0.2, 0.2],
            "limit_multiple": [1.5, 1.0],
        }
    )
    out = policies.effect(cells, loss_given_default=0.5, present_rate=0.1)
    assert out["volume_after"].tolist() == pytest.approx([150, 0])
    assert out["loss_before"].tolist() == pytest.approx([5, 50]) and out["loss_after"].tolist() == pytest.approx(
        [7.5, 0]
    )
    assert out["income_before"].tolist() == pytest.approx([9, 10]) and out["income_after"].tolist() == pytest.approx(
        [27, 0]
    )


def test_a_cell_whose_pd_is_off_the_holdouts_rate_is_amber():
    cells = pd.DataFrame(
        [("low", "*", 500, 0.5, 0.02, 0.01, 0.03, 0.02), ("high", "*", 500, 0.5, 0.30, 0.26, 0.34, 0.20)],
        columns=["risk", "need", "rows", "share", "rate", "low", "high", "predicted"],
    )
    card = segments.cells_evidence(cells)
    assert card.verdict == "amber" and "In 1 of them the PD is off" in card.answer and "high * (20.0%" in card.answer
    assert segments.cells_evidence(cells.head(1)).verdict == "green"


def test_a_cell_the_holdout_has_no_row_of_is_not_called_right():
    cells = pd.DataFrame(
        [("low", "*", 500, 0.5, 0.02, 0.01, 0.03, 0.02), ("high", "*", 500, 0.5, *[np.nan] * 3, 0.20)],
        columns=["risk", "need", "rows", "share", "rate", "low", "high", "predicted"],
    )
    one, none = segments.cells_evidence(cells), segments.cells_evidence(cells.tail(1))
    assert one.verdict == "green" and "holds in the 1 that are judged." in one.answer
    assert "1 of them are not judged" in one.answer
    assert none.verdict == "not_evaluated" and "holds in" not in none.answer


def _blobs(k: int, n: int = 1500) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, k, n)
    centres = np.array([[0, 0], [8, 8], [0, 8], [8, 0]])[:k]
    xy = centres[truth] + rng.normal(0, 0.7, (n, 2))
    return pd.DataFrame(
        {
            "use": xy[:, 0],
            "pay": xy[:, 1],
            "job": np.array(["x", "y", "x", "y"])[truth],
            "limit_amt": rng.lognormal(8, 0.1, n),
        }
    ), truth


def test_planted_groups_are_found():
    rows, truth = _blobs(3)
    p = segments.Params(resamples=5, k_to=6)
    mapped, columns = groups.space(rows, CONTRACT)
    points = mapped.transform(rows)
    tried = groups.numbers_of_groups(points, p)
    assert tried.set_index("k")["stability"][3] > 0.95
    assigned = groups.assign(points, np.arange(len(rows)), 3, p.seed)
    assert adjusted_rand_score(truth, assigned) > 0.9
    assert set(columns) == {"use", "pay", "job", "limit_amt"}


def test_noise_has_no_stable_groups():
    rng = np.random.default_rng(1)
    tried = groups.numbers_of_groups(rng.normal(size=(800, 6)), segments.Params(resamples=5, k_from=4, k_to=7))
    evidence = groups.choose_number(tried)
    assert tried["stability_min"].max() < groups.STABLE and str(evidence.verdict) == "amber"


def test_same_seed_same_groups():
    rows, _ = _blobs(3)
    points = groups.space(rows, CONTRACT)[0].transform(rows)
    first, second = (groups.assign(points, np.arange(900), 3, 5) for _ in range(2))
    assert np.array_equal(first, second)


def test_risk_bands_and_needs():
    p = segments.Params(risk_bands=[0.1, 0.2, 0.4])
    assert list(segments.risk_band(pd.Series([0.05, 0.1, 0.3, 0.9]), p)) == ["low", "medium", "high", "very_high"]
    rows = pd.DataFrame(
        {"limit_amt": 1.0, "utilisation_rate": [0.95, 0.5, 0.5, 0.01], "payment_ratio_rate": [0.1, 0.1, 1.0, np.nan]}
    )
    assert list(segments.need(rows, "limit_amt")) == ["stretched", "revolver", "transactor", "transactor"]


def test_profile_rates_and_intervals_are_those_of_the_rows():
    rows = pd.DataFrame(
        {"job": ["x"] * 80 + ["y"] * 20, "outcome": [0.0] * 76 + [1.0] * 4 + [1.0] * 10 + [0.0] * 10, "weight": 1.0}
    )
    rows["entity_id"] = [f"c{i}" for i in range(100)]
    rates = profile.groups(rows, "job", 5).set_index("group")
    assert rates.loc["x", "rate"] == pytest.approx(0.05) and rates.loc["y", "share"] == pytest.approx(0.2)
    assert rates.loc["y", "low"] < 0.5 < rates.loc["y", "high"]
    few = profile.groups(rows.assign(entity_id=[*rows["entity_id"][:80], *["c80", "c81"] * 10]), "job", 5)
    assert few[["share", "rate", "low", "high"]].isna().all(axis=None), "twenty rows of two customers are two"


def test_a_profile_says_of_when_it_is():
    days = pd.to_datetime(["2020-01-31", "2020-03-31"])
    assert str(profile._seen(pd.DataFrame({"as_of_date": days}))) == "as of 2020-01-31 to 2020-03-31"
    assert str(profile._seen(pd.DataFrame({"as_of_date": days[:1]}))) == "as of 2020-01-31"


def test_months_are_a_books_months_where_there_are_some(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    key = Key("s")
    assert profile.months(key) is None
    tables.write(key, "core__month", pd.DataFrame({"account_id": ["a"], "delay_months": [1]}))
    assert profile.months(key) == tables.scan(key, "core__month")
    tables.write(key, "core__month", pd.DataFrame({"account_id": ["a"], "balance_amt": [1.0]}))
    assert profile.months(key) is None, "months that say nothing of delay"


def test_an_account_that_is_not_there_is_named():
    rows = pd.DataFrame({"entity_id": ["a"], "outcome": [1.0]})
    with pytest.raises(UserError, match="account 'b' is not in 'mart__panel'"):
        profile.chosen(rows, profile.Params(account="b"))


WORDS = {"rate": "share subscribed", "predicted": "probability to subscribe", "events": "subscriptions"}
SUBSCRIPTION = Outcome(name="subscription", direction="favourable", words=WORDS)
LOSS = Outcome(name="lgd", kind="rate", words={"rate": "loss given default", "predicted": "LGD"})


def _told(outcome: Outcome, exposure: bool = False) -> Contract:
    columns = [c.model_copy(update={"exposure": exposure and c.name == "limit_amt"}) for c in CONTRACT.columns]
    return CONTRACT.replaced(columns, outcome=outcome, entity="customer")


def _outcomes(rows: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    frame = {"entity_id": [f"c{i}" for i in range(len(rows))], "as_of_date": pd.Timestamp("2020-01-01")}
    return rows.assign(**frame, outcome=values, weight=1.0, predicted=values.mean())


def test_policies_are_decided_where_an_adverse_event_puts_an_amount_at_risk():
    p = segments.Params()
    assert segments.undecided(_told(Outcome(), exposure=True), p) is None
    for outcome in (SUBSCRIPTION, LOSS):
        card = segments.undecided(_told(outcome), p)
        assert card.verdict == "not_evaluated" and f"don't apply to {outcome.rate}" in card.answer
    none_named = segments.undecided(_told(Outcome()), segments.Params(policies=[]))
    assert none_named.verdict == "info" and "names no policies" in none_named.answer


def test_a_study_with_policies_and_nothing_at_stake_is_told_what_to_do():
    with pytest.raises(UserError) as e:
        segments.undecided(_told(Outcome()), segments.Params())
    assert str(e.value) == (
        "customers/segments: no column of 'mart__panel' says what is at stake; mark one in the contract "
        "(exposure: true), name it (exposure: COLUMN), or find groups only (policies: [])"
    )
    assert segments.undecided(_told(Outcome()), segments.Params(exposure="limit_amt")) is None
    with pytest.raises(UserError) as e:
        segments.undecided(_told(Outcome()), segments.Params(exposure="limit_amnt"))
    assert str(e.value) == (
        "customers/segments: exposure 'limit_amnt' is no column of 'mart__panel'; did you mean 'limit_amt'?"
    )
    segments.Params(policies=[]).verify()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("outcom", "exposure 'outcom' is no column of 'mart__panel'; known: limit_amt, pay, use"),
        ("job", "exposure 'job' is of type category; name a column of amounts at stake"),
        ("outcome", "exposure 'outcome' has the role outcome; name a column of amounts at stake"),
    ],
)
def test_what_is_at_stake_is_an_amount_that_is_known_before(named, words):
    contract = _told(Outcome())
    contract = contract.replaced([*contract.columns, Column(name="outcome", type="number", role="outcome")])
    with pytest.raises(UserError) as e:
        segments.exposure_column(contract, segments.Params(exposure=named))
    assert str(e.value) == f"customers/segments: {words}"


def test_nothing_at_stake_is_told_before_a_kernel_starts(tmp_path, monkeypatch):
    from workbench.panel import build
    from workbench.portfolios import catalog, intake

    source = type("Source", (), {"words": lambda self, asked: {"account": CONTRACT}})()
    monkeypatch.setattr(catalog, "source", lambda name: source)
    taken, panel = intake.Params.model_construct(portfolio="own_files"), build.Params()
    others = {"portfolios/intake": taken, "panel/build": panel}
    with pytest.raises(UserError, match=r"no column of 'mart__panel' says what is at stake; mark one"):
        segments.agree(segments.Params(), others)
    segments.agree(segments.Params(policies=[]), others)
    segments.agree(segments.Params(exposure="limit_amt"), others)
    with pytest.raises(UserError) as e:
        segments.agree(segments.Params(exposure="job"), others)
    assert str(e.value) == ("customers/segments: exposure 'job' is of type category; name a column of amounts at stake")
    favourable = build.Params(outcome={"name": "yes", "direction": "favourable"})
    segments.agree(segments.Params(), {**others, "panel/build": favourable})


def test_one_characteristic_is_enough_to_group_by_and_none_is_refused():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"use": np.r_[rng.normal(0, 1, 300), rng.normal(9, 1, 300)], "pay": 1.0, "job": "x"})
    rows["limit_amt"] = np.nan
    mapped, columns = groups.space(rows, CONTRACT)
    points = mapped.transform(rows)
    assert columns == ["use"] and points.shape == (600, 1) and groups.on_map(points).shape == (600, 2)
    tried = groups.numbers_of_groups(points, segments.Params(resamples=4, k_to=3))
    assert tried.set_index("k").at[2, "stability"] > 0.95
    with pytest.raises(UserError) as e:
        groups.space(rows.assign(use=0.0), CONTRACT)
    assert str(e.value) == "customers/segments: no feature of 'p' varies; there is nothing to group by"


def test_fewer_kinds_of_rows_than_groups_are_not_forced_apart():
    points = np.repeat([[0.0], [1.0], [2.0]], 100, axis=0)
    tried = groups.numbers_of_groups(points, segments.Params(resamples=4, k_to=7))
    assert tried["k"].max() == 3


@pytest.mark.parametrize("outcome", [SUBSCRIPTION, LOSS], ids=lambda o: o.name)
def test_groups_and_the_book_speak_of_the_outcome(outcome):
    rows, truth = _blobs(3)
    values = np.where(truth == 2, 0.9, 0.2) if outcome is LOSS else (truth == 2).astype(float)
    rows, contract = _outcomes(rows, values), _told(outcome)
    portraits = groups.portraits(rows, truth, ["use", "pay", "job"], contract)
    card = groups.segments_evidence(portraits, outcome)
    assert f"The {outcome.rate} is highest in group 3" in card.answer and str(outcome.rate) in card.table
    book = profile.book(rows, contract, 5)
    assert f"1,500 customers as of 2020-01: {outcome.rate}" in book.answer
    assert f"highest {outcome.rate}" in book.table and "default" not in f"{book.answer} {book.question}".replace(
        str(outcome.rate), ""
    )
    person = profile.chosen(rows, profile.Params())
    assert values[int(person[1:])] == values.max(), "drawn among those with the highest outcome"


def test_what_the_holdout_showed_is_weighed_by_money_as_the_prediction_is():
    rows = pd.DataFrame({"exposure_amt": [100.0] * 80 + [10_000.0] * 20, "weight": 1.0, "sample": "holdout"})
    rows["outcome"] = np.where(rows["exposure_amt"] > 100, 0.0, np.arange(100) % 4 == 0)
    rows["predicted"] = np.where(rows["exposure_amt"] > 100, 0.0, 0.25)  # exactly right: the large loans are safe
    rows = rows.assign(grade_code="A", limit_amt=rows["exposure_amt"])
    p = segments.Params(exposure="limit_amt", as_of="2030-01-01")
    rows = segments.decided(rows, _told(Outcome()), p).assign(risk_code="low", need_code="small")
    card = segments.policy_effect(rows, segments.matrix(rows), p)
    assert card.answer.facts["seen"] == pytest.approx(card.value, abs=1)
    weighted = segments.policy_effect(rows.assign(weight=np.arange(100) % 2 + 0.5), segments.matrix(rows), p)
    words = "Rows are weighted back to the true base rate."
    assert words in weighted.answer and words not in card.answer


def test_a_cells_prediction_is_of_the_rows_whose_rate_it_is_held_against():
    rows = pd.DataFrame({"sample": ["development"] * 60 + ["holdout"] * 40, "weight": 1.0, "exposure_amt": 1.0})
    rows = rows.assign(outcome=0.0, predicted=np.where(rows["sample"] == "holdout", 0.08, 0.02))
    rows = rows.assign(risk_code="low", need_code="small", **dict.fromkeys(segments.POLICY, 1))
    assert segments.matrix(rows)["predicted"].tolist() == [pytest.approx(0.08)]
    assert segments.matrix(rows[rows["sample"] == "development"])["predicted"].tolist() == [pytest.approx(0.02)]


def test_nothing_stands_out_where_a_customer_is_on_the_better_side():
    table = pd.DataFrame({"aspect": "x", "column": ["late", "income"], "value": ["0", "9"], "percentile": [50.0, 70.0]})
    words = profile.customer_evidence(table.assign(monotone=[1, -1]), "c1", CONTRACT).answer
    assert str(words) == "Nothing stands out on the side where a higher default rate is expected."


def test_nobody_is_further_out_than_all_with_himself_among_them():
    table = pd.DataFrame({"aspect": ["x"], "column": ["late"], "value": ["9"], "percentile": [99.98], "monotone": [1]})
    assert "(further out than 99% of all)" in str(profile.customer_evidence(table, "c1", CONTRACT).answer)


def test_a_change_from_a_loss_is_no_percentage():
    cells = pd.DataFrame(
        {f"{n}_{w}": [v] for n, v in (("volume", 10.0), ("loss", 9.0), ("income", 1.0)) for w in ("before", "after")}
    )
    table = segments._sums(cells).set_index("what")
    assert np.isnan(table.at["income after loss", "relative change"]) and table.at["volume", "relative change"] == 0
