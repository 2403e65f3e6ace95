"""Sources: found, not listed; each turns raw files into the core tables it says it writes."""

import pandas as pd
import pytest

from workbench import contracts
from workbench.params import UserError
from workbench.portfolios import bank_marketing, catalog, intake
from workbench.portfolios.source import Request


def test_the_sources_are_found_and_listed():
    listing = catalog.listing().set_index("portfolio")
    assert set(listing.index) == {
        "bank_marketing", "german_credit", "lendingclub_2007_2014", "taiwan_cards", "own_files", "simulated_bank",
        "simulated_customers",
    }  # fmt: skip
    assert listing.loc["taiwan_cards", "rows"] == 30_000 and listing.loc["bank_marketing", "outcome"] == "is_subscribed"
    assert [n for n, s in catalog.sources().items() if s.simulated] == ["simulated_bank", "simulated_customers"]
    with pytest.raises(UserError, match="portfolio 'taiwan' is unknown; did you mean 'taiwan_cards'"):
        catalog.source("taiwan")


FEW = {
    "simulated_bank": {"n_customers": 1000},
    "simulated_customers": {"n_customers": 600, "n_months": 24, "shock_month": "2016-01", "topic_month": "2016-01"},
}


@pytest.mark.parametrize("name", sorted(n for n in catalog.sources() if n != "own_files"))
def test_a_source_writes_what_it_says_and_its_contracts_fit(name):
    p = intake.Params(portfolio=name, sample_rows=400, today="2026-01-01", simulation=FEW.get(name, {}))
    p.verify()
    assert all(f.exists() for f in intake.files(p))
    raw = intake.raw_tables(p)
    checked, _ = intake.check(raw, p)
    core = intake.core(checked, raw, p)
    assert list(core) == intake.writes(p)
    for name_, columns in catalog.source(name).columns({n: c for n, (_, c) in raw.items()}).items():
        assert set(columns) == set(core[name_][0].columns) - {"file_row"}, name_
    for table, contract in core.values():
        assert list(table.columns) == [c.name for c in contract.columns]
    account, contract = core["core__account"]
    assert contract.named("key") == ["entity_id"] and account["entity_id"].is_unique and len(account) >= 399
    if "core__month" in core:
        month, words = core["core__month"]
        assert words.identity() == ["entity_id", "month"] and not month.duplicated(["entity_id", "month"]).any()
        assert set(month["entity_id"]) <= set(account["entity_id"])


def test_a_contact_has_the_date_that_the_order_of_the_rows_gives_it():
    table = catalog.source("bank_marketing").raw(Request())["bank_marketing"]
    dates = table["contact_date"]
    assert dates.notna().all() and dates.dt.to_period("M").is_monotonic_increasing
    assert (dates.min(), dates.max()) == (pd.Timestamp("2008-05-05"), pd.Timestamp("2010-11-17"))
    assert dates.dt.year.value_counts().to_dict() == {2008: 27_729, 2009: 14_862, 2010: 2_620}
    few = pd.DataFrame({"day": [30, 5, 30, 1], "month": ["nov", "dec", "feb", "jan"]})
    assert bank_marketing.contact_dates(few).dt.strftime("%F").fillna("").tolist() == [
        "2008-11-30",
        "2008-12-05",
        "",
        "2010-01-01",
    ]


def test_what_is_made_from_a_refused_column_is_refused_in_every_core_table():
    source = catalog.source("taiwan_cards")
    words, raw = source.words(Request()), source.raw(Request())
    table, _ = contracts.check(raw["taiwan_cards"].head(500), source.contract, pd.Timestamp("2026-01-01"))
    core = source.core({"taiwan_cards": table}, words)
    late = [
        c.model_copy(update={"known": "after"}) if c.name == "status_2005_09" else c for c in source.contract.columns
    ]
    refused = intake.refused(core, source.contract.replaced(late))
    assert [c.name for c in refused["core__month"][1].columns if c.known == "after"] == ["status_code", "delay_months"]
    before = {c.name for c in core["core__account"][1].columns if c.known == "after"}
    assert {c.name for c in refused["core__account"][1].columns if c.known == "after"} == before


@pytest.mark.parametrize(
    ("name", "amount"),
    [
        ("taiwan_cards", "limit_amt"),
        ("german_credit", "credit_amt"),
        ("lendingclub_2007_2014", "loan_amt"),
        ("bank_marketing", None),
    ],
)
def test_the_amount_at_stake_is_named(name, amount):
    assert catalog.shipped()[name].contract.exposure() == amount
