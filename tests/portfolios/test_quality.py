"""Data quality: what is missing by its nature is no flaw, what is missing else is; what came in, and from where."""

import numpy as np
import pandas as pd

from workbench.contracts import Column, Contract, Finding, checks
from workbench.evidence import Verdict
from workbench.portfolios import intake, quality
from workbench.words import speaking

WORDS = Contract(
    name="loans",
    title="loans",
    columns=(
        Column(name="income", type="number"),
        Column(name="bad", type="category", role="outcome", known="after"),
        Column(name="repaid_on", type="text", role="fact", known="after"),
        Column(name="closed_on", type="text", role="fact", known="after", nullable=False),
    ),
)


def _measured(**values) -> pd.DataFrame:
    whole = {"income": np.arange(100.0), "bad": ["0", "1"] * 50, "repaid_on": "2020-01-01", "closed_on": "2021-01-01"}
    table = pd.DataFrame(whole).assign(**values)
    return quality.measure({"account": table}, {"account": WORDS}, []).set_index("column")


def test_what_is_filled_in_only_after_an_event_does_not_count_as_incomplete():
    shares = _measured(repaid_on=["2020-01-01"] * 20 + [None] * 80)
    assert np.isnan(shares.loc["repaid_on", "completeness"])
    answer = quality.to_evidence(shares.reset_index())
    assert (answer.verdict, answer.value) == (Verdict.green, 1.0)


def test_what_is_missing_else_counts():
    for name in ("income", "bad", "closed_on"):
        shares = _measured(**{name: ["1"] * 80 + [None] * 20})
        assert shares.loc[name, "completeness"] == 0.8
        answer = quality.to_evidence(shares.reset_index())
        assert answer.verdict is Verdict.red and f"{name} of account (80.0%)" in str(answer.answer)
        mean = shares["completeness"].mean()
        assert answer.value == mean < shares["validity"].mean(), "the value shown is the one the light is judged by"


def test_the_sentence_calls_the_table_as_its_own_table_does():
    answer = quality.to_evidence(_measured(income=["1"] * 80 + [None] * 20).reset_index()).answer
    with speaking("zh_CN"):
        assert "最低的是“账户”表的" in str(answer)
    breach = Finding(table="account", column="income", rule="key is not unique", severity="error", rows=2)
    named = checks.to_evidence([breach], "bank", ["account"])
    with speaking("zh_CN"):
        assert "（账户）" in str(named.answer)


def test_uniqueness_is_asked_of_keys_and_timeliness_of_dates():
    columns = (Column(name="id", type="text", role="key"), Column(name="opened_on", type="date"), *WORDS.columns[:1])
    table = pd.DataFrame({"id": ["a", "b"], "opened_on": pd.to_datetime(["2020-01-01", None]), "income": [1.0, 2.0]})
    words = WORDS.replaced(list(columns))
    twice = Finding(table="loans", column="id", rule="key is not unique", severity="error", rows=1)
    shares = quality.measure({"account": table}, {"account": words}, [twice]).set_index("column")
    assert shares["uniqueness"].dropna().to_dict() == {"id": 0.5}, "a repeated key is not thinned out by other columns"
    assert shares["timeliness"].dropna().to_dict() == {"opened_on": 1.0}
    bare = _measured().reset_index()
    assert bare[["uniqueness", "timeliness"]].isna().all(axis=None) and quality.to_evidence(bare).value == 1.0


def test_what_came_in_names_what_the_contract_leaves_open():
    (line,) = intake.came_in({"account": (pd.DataFrame({"income": [1.0]}), WORDS.replaced(WORDS.columns[:1]))})
    assert str(line) == "**loans**: 1 row, 1 column. Source: not named. Licence: not named."
