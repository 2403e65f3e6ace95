"""The leak screen: a planted leak is sure, a near one is doubtful and stays, what is made from a leak goes with it."""

import functools

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from workbench import rules
from workbench.contracts import Column, Contract, Outcome
from workbench.panel import build, leakage, telling
from workbench.panel.cohort import Facts
from workbench.words import Text, heard, speaking


class Made(Column):
    """A column that says what it is made from."""

    made_from: tuple[str, ...] = ()


@pytest.fixture
def few_trees(monkeypatch):
    """Trees of a third of the rounds, which are what takes time: for tests whose answer hangs on no measured cost."""
    monkeypatch.setattr(
        leakage,
        "_boosted",
        lambda seed: HistGradientBoostingClassifier(
            max_iter=20, learning_rate=0.25, max_leaf_nodes=15, random_state=seed
        ),
    )


def _leaky(n: int = 1500, features: int = 5) -> tuple[pd.DataFrame, pd.Series, Contract]:
    """Honest features and the leak `term`, the last of them; with two features the screen takes a fifth of the time."""
    rng = np.random.default_rng(4)
    y = (rng.random(n) < 0.2).astype(float)
    X = pd.DataFrame({name: rng.normal(size=n) + 0.4 * y for name in ("honest", "also", "too", "as_well")})
    cut_short = np.where(y == 1, rng.integers(1, 120, n), rng.integers(1, 10, n) * 12)  # at the event
    X["term"] = cut_short.astype(float)
    X = X.iloc[:, 5 - features :]
    return X, pd.Series(y), Contract(name="l", title="t", columns=tuple(Made(name=c, type="number") for c in X))


def test_a_leak_without_order_in_it_is_refused_and_what_is_made_from_it_however_far_away():
    X, y, contract = _leaky()
    X = X.assign(term_years=X["honest"], term_class=X["also"])
    columns = [
        *contract.columns,
        Made(name="term_years", type="number", made_from=("term",)),
        Made(name="term_class", type="number", made_from=("term_years", "honest")),
        Made(name="loss", type="number", role="outcome", known="after", made_from=("term",)),
    ]
    screened, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    assert set(evidence.table.loc[evidence.table["suspect"], "column"]) == {"term"}
    assert [screened[c].known for c in ("term", "term_years", "term_class")] == ["after"] * 3
    assert [screened[c].known for c in ("honest", "also", "too", "as_well")] == ["before"] * 4
    assert evidence.verdict == "amber" and str(evidence.answer) == (
        "Suspected leak and refused: term. Made from a refused column and refused too: term_class, term_years."
    )


@pytest.mark.whole
def test_a_leak_that_another_one_hid_is_seen_without_it():
    """Nobody with the event has paid off; that says little beside what was written off."""
    X, y, contract = _leaky(4000)
    rng = np.random.default_rng(5)
    written_off = np.where(y == 1, rng.uniform(1, 100, 4000), 0.0) + rng.uniform(0, 1, 4000)
    X = X.drop(columns="term").assign(written_off=written_off, paid_off=(y == 0) * (rng.random(4000) < 0.7) * 1.0)
    columns = tuple(Made(name=c, type="number") for c in X)
    _, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    assert str(evidence.answer).startswith("Suspected leak and refused: paid_off, written_off.")
    columns = tuple(c.model_copy(update={"reviewed": "asked"}) if c.name == "written_off" else c for c in columns)
    _, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    answer = str(evidence.answer)  # what stays is what others are seen beside; a value hides behind no other
    assert answer.startswith("Suspected but reviewed: written_off. Doubtful, kept, to be looked at: paid_off.")


def test_a_reviewed_suspect_may_stay_and_honest_data_pass(few_trees):
    X, y, contract = _leaky(features=2)
    columns = [
        c.model_copy(update={"reviewed": "contract term, checked"}) if c.name == "term" else c for c in contract.columns
    ]
    screened, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    assert screened["term"].known == "before" and str(evidence.answer) == "Suspected but reviewed: term."
    X, y, contract = _leaky()
    honest = contract.replaced([c for c in contract.columns if c.name != "term"])
    assert leakage.examine(X.drop(columns="term"), y, honest, seed=1)[1].verdict == "green"


def test_a_strong_predictor_near_the_threshold_is_doubtful_and_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "params" / "rules").mkdir(parents=True)
    rule = "{description: d, unit: AUC, owner: o, reference: r, values: {2026-01-01: 0.5}}"
    (tmp_path / "params" / "rules" / "bank.yaml").write_text(f"leak_cost: {rule}\n")  # of two features, one costs much
    rng = np.random.default_rng(0)
    y = (rng.random(3000) < 0.3).astype(float)
    X = pd.DataFrame({"strong": rng.normal(size=3000) + 0.74 * y, "weak": rng.normal(size=3000) + 0.3 * y})
    contract = Contract(name="l", title="t", columns=tuple(Column(name=c, type="number") for c in X))
    screened, evidence = leakage.examine(X, pd.Series(y), contract, seed=1)
    row = evidence.table.set_index("column").loc["strong"]
    assert row["gap_to_next_low"] < rules.load().number("leak_above_next") < row["gap_to_next_high"]
    assert screened["strong"].known == "before" and row["treatment"] == "kept: doubtful"
    assert evidence.verdict == "amber" and "Doubtful, kept, to be looked at: strong." in evidence.answer


def test_the_interval_is_that_of_nadeau_and_bengio():
    low, high = leakage.interval(np.array([0.1, 0.2, 0.3]))  # s² = 0.01, factor 1/3 + 1/2, t(2) = 4.302653
    assert (low, high) == pytest.approx(
        (0.2 - 4.302653 * np.sqrt(0.01 * 5 / 6), 0.2 + 4.302653 * np.sqrt(0.01 * 5 / 6)), rel=1e-6
    )


def test_columns_known_afterwards_are_refused_and_what_they_would_add_is_told(few_trees):
    X, y, contract = _leaky()
    columns = [c.model_copy(update={"known": "after"}) if c.name == "term" else c for c in contract.columns]
    _, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    answer = str(evidence.answer)
    assert answer.startswith("Known only afterwards and refused: term. With them boosted trees reach an AUC of ")
    more, less = (float(answer.split(word)[1][:5]) for word in ("AUC of ", "without "))
    assert more > 0.85 and less < more - 0.1


def test_a_feature_of_the_months_goes_with_the_column_its_fact_was_made_from():
    account = pd.DataFrame({"entity_id": ["a", "b"], "late_2021_04": [0.0, 1.0], "limit_amt": [1.0, 2.0]})
    months = pd.DataFrame({"entity_id": ["a", "b"], "month": pd.Timestamp("2021-04-01")})
    months = months.assign(delay_months=[0.0, 1.0], balance_amt=[1.0, 2.0])
    key = Column(name="entity_id", type="text", role="key")
    late = Made(name="late_2021_04", type="number")
    words = Contract(
        name="core__month",
        title="t",
        columns=(
            key,
            Column(name="month", type="date", role="as_of"),
            Made(name="delay_months", type="number", role="fact", made_from=("late_2021_04",)),
            Made(name="balance_amt", type="number", role="fact", made_from=("bill_2021_04",)),
        ),
    )

    def names(late: Column) -> set[str]:
        contract = Contract(
            name="a", title="t", columns=(key, late, Column(name="limit_amt", type="number", aspect="size"))
        )
        return {c.name for c in build.panel_sql(Facts(account, contract, months, words), 1, Outcome())[1]}

    assert {"delay_now_months", "late_2021_04", "balance_amt"} <= names(late)
    assert names(late.model_copy(update={"known": "after"})) == {
        "balance_amt", "headroom_amt", "limit_amt", "utilisation_rate",
    }  # fmt: skip


def test_what_was_done_about_a_column_is_said_in_chinese():
    columns = dict(after={"a"}, sure={"b"}, from_them={"c"}, reviewed={"d"}, doubtful={"e"})
    treated = leakage._Treated(of_after=Text(), **columns)
    contract = Contract(name="l", title="t", columns=tuple(Made(name=c, type="number") for c in "abcdef"))
    telltale = {"telling_value": ["1"] * 5, "rows_with_it": 90, "events_with_it": 0, "events_expected": 60.0}
    card = treated.evidence(pd.DataFrame({"feature": list("bcdef"), **telltale}), contract)
    table = card.table
    assert "Told by a value alone: b, 90 rows with 1: 0 defaults, 60 at the overall rate; e, 90 rows" in card.answer
    with speaking("zh_CN"):
        in_english = [t for t in table["treatment"] if any(c.isascii() and c.isalpha() for c in heard(t))]
    assert len(set(table["treatment"])) == 6 and in_english == []


def test_what_alone_tells_nearly_all_is_a_leak_whatever_others_say(few_trees):
    rng = np.random.default_rng(3)
    y = (rng.random(1500) < 0.2).astype(float)
    X = pd.DataFrame({"plain": rng.normal(size=1500), "settled": y + rng.normal(scale=0.4, size=1500)})
    contract = Contract(name="l", title="t", columns=tuple(Made(name=c, type="number") for c in X))
    screened, evidence = leakage.examine(X, pd.Series(y), contract, seed=1)
    assert screened["settled"].known == "after" and screened["plain"].known == "before", str(evidence.answer)


def test_too_few_events_are_not_screened():
    X, y, contract = _leaky(100)
    assert leakage.examine(X, y, contract, seed=1)[1].verdict == "not_evaluated"


def test_an_amount_is_screened_above_and_below_its_median():
    X, y, contract = _leaky(features=2)
    amounts = contract.replaced(list(contract.columns), outcome=contract.outcome.model_copy(update={"kind": "amount"}))
    amount = y * 100 + X["as_well"]
    screened, _ = leakage.examine(X.assign(term=amount), amount, amounts, seed=1)
    assert screened["term"].known == "after"


def test_the_screen_keeps_a_customers_rows_together():
    rng = np.random.default_rng(7)
    who, worse = np.repeat(np.arange(150), 10), rng.normal(scale=2, size=150)
    X = pd.DataFrame({"number": rng.normal(size=150)[who]})
    y = (rng.random(1500) < 1 / (1 + np.exp(-worse[who]))).astype(float)
    of_rows, of_customers = (
        leakage.screen(X, y, parents, seed=1).set_index("feature") for parents in (np.arange(1500), who)
    )
    assert of_rows.loc["number", "auc_alone"] > 0.65 and of_customers.loc["number", "auc_alone"] < 0.55


@functools.cache
def _without_parents() -> tuple[Contract, str]:
    screened, evidence = leakage.examine(*_leaky(features=2), seed=1)
    return screened, str(evidence.answer)


@pytest.mark.parametrize("parents", [1, 2, 40])
def test_parents_too_few_to_part_change_nothing(parents, few_trees):
    X, y, contract = _leaky(features=2)
    whose = np.where(y == 1, 0, np.arange(len(y)) % parents)
    screened, evidence = leakage.examine(X.assign(parent_id=whose), y, contract, seed=1)
    plain, of_rows = _without_parents()
    assert plain["term"].known == "after"
    assert screened == plain and str(evidence.answer) == of_rows


def test_a_leak_of_a_rare_event_is_seen_among_many_rows(few_trees):
    """Of 60 events among 200,000 rows three would be among the rows drawn: all of them are."""
    rng, n = np.random.default_rng(0), 200_000
    y = np.zeros(n)
    y[rng.choice(n, 60, replace=False)] = 1
    X = pd.DataFrame({"z": rng.normal(size=n) + 5 * y, "a": rng.normal(size=n), "b": rng.normal(size=n)})
    contract = Contract(name="l", title="t", columns=tuple(Column(name=c, type="number") for c in X))
    refused, evidence = leakage.examine(X, pd.Series(y), contract, seed=1)
    assert refused["z"].known == "after" and str(evidence.answer) == "Suspected leak and refused: z."


def test_a_rate_that_most_have_in_full_is_screened():
    rng, n = np.random.default_rng(0), 2000
    rate = np.where(rng.random(n) < 0.6, 1.0, rng.random(n))
    X = pd.DataFrame({"copy": rate + rng.normal(0, 0.01, n), "a": rng.normal(size=n)})
    outcome = Outcome(kind="rate")
    columns = tuple(Column(name=c, type="number") for c in X)
    refused, _ = leakage.examine(X, pd.Series(rate), Contract(name="l", title="t", columns=columns, outcome=outcome), 1)
    assert refused["copy"].known == "after"


def test_two_honest_features_are_not_refused_for_being_missed():
    """Either of two strong ones costs 0.08 of AUC where it is left out: doubtful, and a person looks."""
    rng, n = np.random.default_rng(3), 2000
    y = (rng.random(n) < 0.25).astype(float)
    X = pd.DataFrame({"a": rng.normal(size=n) + y, "b": rng.normal(size=n) + y})
    contract = Contract(name="l", title="t", columns=tuple(Column(name=c, type="number") for c in X))
    examined, evidence = leakage.examine(X, pd.Series(y), contract, seed=1)
    assert examined["a"].known == examined["b"].known == "before"
    assert set(evidence.table["treatment"]) == {"kept: doubtful"}


@pytest.mark.parametrize(
    "drivers",
    [
        pytest.param((1.0, 0.15), id="a score", marks=pytest.mark.whole),
        pytest.param((0.65, 0.5), id="two weak ones", marks=pytest.mark.whole),
        pytest.param((1.1, 1.1), id="two strong ones", marks=pytest.mark.whole),
        pytest.param((1.4, 0.3), id="a strong score", marks=pytest.mark.whole),
    ],
)
def test_honest_features_are_not_refused_where_few_columns_say_anything(drivers):
    """Income and age drive the outcome and two columns are noise: each is dearly missed, and no sure leak."""
    rng, n = np.random.default_rng(7), 4000
    income, age = rng.normal(size=n), rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(2 + drivers[0] * income + drivers[1] * age))).astype(float)
    X = pd.DataFrame({"income": income, "age": age, "a": rng.normal(size=n), "b": rng.normal(size=n)})
    contract = Contract(name="l", title="t", columns=tuple(Column(name=c, type="number") for c in X))
    examined, evidence = leakage.examine(X, pd.Series(y), contract, seed=1)
    assert examined["income"].known == examined["age"].known == "before"
    assert "kept: doubtful" in set(evidence.table["treatment"])


@pytest.mark.whole
def test_the_exposure_of_an_amount_is_not_refused_for_being_the_driver():
    rng, n = np.random.default_rng(2), 4000
    insured, age = rng.lognormal(9, 0.8, n), rng.uniform(0, 15, n)
    paid = insured * (0.05 + 0.02 * age) * rng.lognormal(0, 0.7, n)
    X = pd.DataFrame({"insured": insured, "age": age, "a": rng.normal(size=n), "b": rng.normal(size=n)})
    columns = tuple(Column(name=c, type="number") for c in X)
    contract = Contract(name="l", title="t", columns=columns, outcome=Outcome(kind="amount"))
    examined, evidence = leakage.examine(X, pd.Series(paid), contract, 1)
    assert examined["insured"].known == examined["age"].known == "before"
    assert "kept: doubtful" in set(evidence.table["treatment"])


def _loss_of(exposure: bool, booked: bool = False, spread: float = 1) -> tuple[pd.DataFrame, pd.Series, Contract]:
    """A loss that is a share of what was owed, by the loan-to-value; and what the books said of it afterwards."""
    rng, n = np.random.default_rng(7), 3000
    ead, ltv = rng.lognormal(9, spread, n), rng.uniform(0.2, 1.4, n)
    lost = ead * (0.25 + 0.35 * ltv + rng.normal(0, 0.15, n)).clip(0, 1)
    X = pd.DataFrame({"ead": ead, "ltv": ltv, "a": rng.normal(size=n), "booked": lost * rng.lognormal(0, 0.2, n)})
    columns = [Column(name=c, type="number", exposure=exposure and c == "ead") for c in ("ead", "ltv", "a")]
    columns += [Column(name="booked", type="number")] if booked else []
    kind = Outcome(kind="amount")
    return X, pd.Series(lost), Contract(name="l", title="t", columns=tuple(columns), outcome=kind)


def test_the_exposure_of_an_amount_stays_and_the_contract_says_which_column_it_is(few_trees):
    X, lost, contract = _loss_of(exposure=True)
    examined, evidence = leakage.examine(X, lost, contract, seed=1)
    assert examined["ead"].known == "before" and evidence.verdict == "amber"
    assert "Kept, for the outcome is an amount of this exposure: ead." in evidence.answer
    assert evidence.table.set_index("column").loc["ead", "treatment"] == "kept: the exposure"
    X, lost, contract = _loss_of(exposure=False)
    examined, evidence = leakage.examine(X, lost, contract, seed=1)
    assert examined["ead"].known == "after"
    refused = "Suspected leak and refused: ead. If it is the exposure, say `exposure: true` of it in the contract."
    assert refused in evidence.answer


def test_beside_the_exposure_of_an_amount_a_leak_is_refused_and_of_an_event_the_exposure_too(few_trees):
    X, lost, contract = _loss_of(exposure=True, booked=True, spread=0.4)
    examined, _ = leakage.examine(X, lost, contract, seed=1)
    assert (examined["ead"].known, examined["booked"].known) == ("before", "after")
    X, lost, contract = _loss_of(exposure=True)
    much = (lost > lost.median()).astype(float)
    examined, _ = leakage.examine(X, much, contract.model_copy(update={"outcome": Outcome()}), seed=1)
    assert examined["ead"].known == "after"


@pytest.mark.whole
def test_a_leak_that_only_two_columns_together_tell_is_refused():
    """Neither the day it ended nor the day it was due says anything alone; the event is that the one came first."""
    rng, n = np.random.default_rng(7), 4000
    y, due = (rng.random(n) < 0.2).astype(float), rng.uniform(0, 100, n)
    X = pd.DataFrame({"due": due, "ended": due - 3 * y, "a": rng.normal(size=n), "b": rng.normal(size=n) + 0.3 * y})
    contract = Contract(name="l", title="t", columns=tuple(Column(name=c, type="number") for c in X))
    examined, _ = leakage.examine(X, pd.Series(y), contract, seed=1)
    assert "after" in {examined["ended"].known, examined["due"].known}


def _twins(n: int = 6000) -> tuple[pd.DataFrame, pd.Series, Contract]:
    """A leak and its twin, of one strength: a third of the loans without the event are open still; and honest ones."""
    rng = np.random.default_rng(11)
    y = (rng.random(n) < 0.25).astype(float)
    is_open = (y == 0) & (rng.random(n) < 0.33)
    ended = np.where(is_open, 60.0, rng.integers(1, 60, n))
    X = pd.DataFrame({"open": np.where(is_open, "yes", "no"), "ended": ended, "honest": rng.normal(size=n) + 0.4 * y})
    types = {"open": "category", "ended": "integer", "honest": "number"}
    return X, pd.Series(y), Contract(name="l", title="t", columns=tuple(Column(name=c, type=types[c]) for c in X))


def test_leaks_that_hide_one_another_are_seen_by_a_value_without_the_event(few_trees):
    X, y, contract = _twins()
    examined, evidence = leakage.examine(X, y, contract, seed=1)
    n, expected = (X["open"] == "yes").sum(), (X["open"] == "yes").sum() * y.mean()
    treatment = evidence.table.set_index("column")["treatment"]
    assert evidence.verdict == "amber" and set(treatment[["open", "ended"]]) == {"kept: doubtful"}
    assert f"open, {n:,} rows with yes: 0 defaults, {expected:,.0f} at the overall rate" in evidence.answer
    assert f"ended, {n:,} rows with 60: 0 defaults" in evidence.answer
    assert all(c.known == "before" for c in examined.columns), "values without the event alone prove nothing"


def test_values_with_the_event_and_without_that_hold_most_rows_are_a_sure_leak(few_trees):
    X, y, contract = _twins()
    rng = np.random.default_rng(12)
    state = pd.Series(np.where(rng.random(len(y)) < 0.2, "current", np.where(y == 1, "written off", "repaid")))
    X, column = X.assign(state=state, twin=state), Column(name="state", type="category")
    columns = (*contract.columns, column, column.model_copy(update={"name": "twin"}))
    examined, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    assert examined["state"].known == examined["twin"].known == "after" and examined["honest"].known == "before"
    assert "Suspected leak and refused: state, twin." in evidence.answer
    columns = [c.model_copy(update={"reviewed": "asked"}) if c.name == "twin" else c for c in columns]
    examined, evidence = leakage.examine(X, y, contract.replaced(columns), seed=1)
    assert examined["twin"].known == "before" and "Suspected but reviewed: twin." in evidence.answer


def test_a_value_counts_as_many_parents_as_it_has():
    """Of 40 rows of each of 20 customers nobody has the event where 200 would: 20 customers, 5 of them, say little."""
    rng = np.random.default_rng(13)
    whose = np.repeat(np.arange(200), 40)
    y = np.where(whose < 20, 0.0, rng.random(8000) < 0.28)
    X = pd.DataFrame({"area": np.where(whose < 20, "north", "south")})
    assert list(telling.values(X, y, np.arange(8000), rules.load())["telling_value"]) == ["north"]
    assert telling.values(X, y, whose, rules.load()).empty
    columns = (Column(name="area", type="category"), Column(name="customer_id", type="text", role="parent"))
    contract = Contract(name="l", title="t", columns=columns)
    _, evidence = leakage.examine(X.assign(customer_id=whose.astype(str)), pd.Series(y), contract, seed=1)
    assert evidence.verdict == "green" and str(evidence.answer) == "No column gives the outcome away."


@pytest.mark.parametrize(("rows", "is_told"), [(190, False), (230, True)])
def test_what_is_missing_is_a_value_and_few_rows_prove_nothing(rows, is_told):
    """At a rate of a quarter 190 rows without an event lack 48; at 5 % of the rate none seen takes 50."""
    y = np.concatenate([np.zeros(rows), np.arange(4000) % 4 == 0, np.ones(rows // 3)])
    X = pd.DataFrame({"ended": np.concatenate([np.full(rows, np.nan), np.arange(4000.0) // 4, np.arange(rows // 3)])})
    telltale = telling.values(X, y, np.arange(len(y)), rules.load())
    assert list(telltale["telling_value"]) == ["missing"] * is_told


def test_a_fact_is_called_a_fact_and_an_auc_by_how_it_was_measured():
    X, y, contract = _leaky(features=2)
    columns = [c.model_copy(update={"role": "fact"}) if c.name == "as_well" else c for c in contract.columns]
    table = leakage.examine(X, y, contract.replaced(columns), seed=1)[1].table.set_index("column")
    assert table["role"].to_dict() == {"term": "feature", "as_well": "fact"}
    assert table.loc["term", "auc_of_a_small_tree_cross_validated"] > 0.8 and "telling_value" not in table
