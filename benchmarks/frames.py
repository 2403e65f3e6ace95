"""Samples for the benchmarks, six real and one with planted noise: features, outcome and directions, from raw files.

`sba_loans`, `card_records` and `auto_loans` are read from the folder WORKBENCH_DATA and left out where it isn't there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from workbench import contracts
from workbench.contracts import Contract
from workbench.models.samples import directions
from workbench.panel import build
from workbench.portfolios import catalog

OWN = Path(os.environ.get("WORKBENCH_DATA", "../shared/data/try"))
CONTRACTS = Path(__file__).parents[1] / "params" / "contracts"


@dataclass(frozen=True)
class Frame:
    """Features (n × k), outcome (n, 1 is the event), raw columns where peers are shown with them, directions."""

    X: pd.DataFrame
    y: np.ndarray
    signs: dict[str, int] = field(default_factory=dict)
    raw: pd.DataFrame | None = None


def frames(names: list[str] | None = None) -> dict[str, Frame]:
    """Return the samples, all or those named, that can be made here."""
    made: dict[str, Callable[[], Frame]] = {
        "taiwan_cards": taiwan,
        "lendingclub": lendingclub,
        "german_credit": german,
        "sba_loans": sba,
        "card_records": card_records,
        "auto_loans": auto_loans,
    }
    here = {"taiwan_cards", "lendingclub", "german_credit", "noise"} | (set(made) if OWN.exists() else set())
    return {n: (made | {"noise": noise})[n]() for n in names or made if n in here}


def noise() -> Frame:
    """3,000 simulated rows: three characteristics that say something, ten that say nothing."""
    rng, n = np.random.default_rng(0), 3000
    X = pd.DataFrame(
        {"delay": rng.poisson(0.7, n) * 1.0, "income": rng.lognormal(8, 0.5, n), "job": rng.choice(list("abc"), n)}
    )
    z = -2.5 + 0.9 * X["delay"] - 0.8 * (np.log(X["income"]) - 8) + 0.8 * (X["job"] == "c")
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int).to_numpy()
    return Frame(X.join(pd.DataFrame(rng.normal(size=(n, 10))).add_prefix("noise_")), y, {"delay": 1, "income": -1})


def taiwan() -> Frame:
    """The panel of params/taiwan_cards.yaml; raw: the file's own columns."""
    source = catalog.shipped()["taiwan_cards"]
    raw = pd.read_parquet(source.path)
    checked, _ = contracts.check(raw, source.contract, pd.Timestamp("2026-01-01"))
    core = source.core({source.name: checked}, {source.name: source.contract})
    built, words = build.build(*core["core__account"], core["core__month"][0], build.Params(study="benchmark"))
    built = built.sort_values("entity_id", key=lambda s: s.astype(int), ignore_index=True)
    raw = raw.sort_values("ID", ignore_index=True).drop(columns=["ID", "DEFAULT"]).astype(float)
    X = built[[c.name for c in words.features()]]
    return Frame(X, built["outcome"].to_numpy(int), directions(words), raw)


def lendingclub() -> Frame:
    """Application columns only: no price, term or grade, which are the lender's own judgement."""
    source = catalog.shipped()["lendingclub_2007_2014"]
    judged = ("term_code", "interest_pct", "instalment_amt", "lender_grade_code", "lender_sub_grade_code")
    return _checked(pd.read_parquet(source.path), source.contract, judged)


def german() -> Frame:
    """All features of the contract; protected groups are left out as everywhere."""
    source = catalog.shipped()["german_credit"]
    return _checked(pd.read_parquet(source.path), source.contract)


def sba() -> Frame:
    """Loans approved in 1989 to 2010, without the term, which is shortened at charge-off."""
    contract = contracts.load(CONTRACTS / "sba_loans.yaml")
    raw = pd.read_parquet(OWN / "sba_loans.parquet")
    raw = raw[raw["approval_fy"].between(1989, 2010)].reset_index(drop=True)
    return _checked(raw, contract, ("term_months",))


def _checked(raw: pd.DataFrame, contract: Contract, without: tuple[str, ...] = ()) -> Frame:
    checked, _ = contracts.check(raw, contract, pd.Timestamp("2026-01-01"))
    X = checked[[c.name for c in contract.features() if c.name not in without]]
    X = X.astype({n: float for n in X if pd.api.types.is_numeric_dtype(X[n])}).reset_index(drop=True)
    event = contract[contract.one("outcome")].values.get(contract.event_value, contract.event_value)
    y = (checked[contract.one("outcome")].astype(str) == event).to_numpy(int)
    return Frame(X, y, {n: s for n, s in directions(contract).items() if n in X})


CARDS = """
with month as (
    select ID, MONTHS_BALANCE + 24 as m, try_cast(STATUS as integer) as late, STATUS = 'C' as paid, STATUS = 'X' as none
    from '{folder}/card_records_monthly.parquet'),
seen as (
    select ID, 1 - min(m) as months_on_book, max(late) filter (m = 0) as late_now,
        coalesce(max(late) filter (m > -3), -1) as worst_3, coalesce(max(late) filter (m > -6), -1) as worst_6,
        coalesce(max(late) filter (m > -12), -1) as worst_12, coalesce(max(late), -1) as worst_ever,
        count(*) filter (late >= 0 and m > -6) as late_6, count(*) filter (late >= 0 and m > -12) as late_12,
        count(*) filter (late >= 1 and m > -12) as late_30_12, count(*) filter (late >= 1) as late_30_ever,
        count(*) filter (paid and m > -6) as paid_6, count(*) filter (none and m > -6) as idle_6,
        -max(m) filter (late >= 1) as months_since_late_30, -max(m) filter (late >= 0) as months_since_late
    from month where m <= 0 group by ID having max(m) = 0),
later as (select ID, max(coalesce(late, -1)) >= 1 as event from month where m between 1 and 12 group by ID)
select seen.* exclude (ID), later.event,
    AMT_INCOME_TOTAL as income, -DAYS_BIRTH / 365.25 as age, CNT_CHILDREN as children, CNT_FAM_MEMBERS as family,
    case when DAYS_EMPLOYED <= 0 then -DAYS_EMPLOYED / 365.25 end as employed_years, NAME_INCOME_TYPE as income_type,
    NAME_EDUCATION_TYPE as education, NAME_HOUSING_TYPE as housing, OCCUPATION_TYPE as occupation
from seen join later using (ID) join (select distinct on (ID) * from '{folder}/card_applications.parquet') using (ID)
where coalesce(late_now, -1) < 1
order by ID
"""
WORSE = ("late_now", "worst_3", "worst_6", "worst_12", "worst_ever", "late_6", "late_12", "late_30_12", "late_30_ever")


def card_records() -> Frame:
    """Customers as of 24 months before the extract, not 30 days late then; 30 days late within the next 12 months."""
    return _queried(CARDS, dict.fromkeys(WORSE, 1))


AUTO = """
with month as (
    select assetNumber as id, t, BAL, PRC, PMT, REP, coalesce(PMT, 0) <= 0 and BAL > 0 as unpaid,
        coalesce(PMT, 0) <= 0 and BAL > 0
            and count(*) filter (coalesce(PMT, 0) <= 0 and BAL > 0) over (
                partition by assetNumber order by t rows between 2 preceding and current row) = 3 as defaulted
    from '{folder}/auto_loans_monthly.parquet'),
seen as (
    select id, max(BAL) filter (t = 12) as balance, max(BAL) filter (t = 12) / max(BAL) filter (t = 1) as balance_left,
        sum(PMT) filter (t > 9) as paid_3, sum(PMT) as paid_12, stddev(PMT) / avg(PMT) as paid_variation,
        count(*) filter (unpaid and t > 9) as unpaid_3, count(*) filter (unpaid and t > 6) as unpaid_6,
        count(*) filter (unpaid) as unpaid_12, 12 - max(t) filter (unpaid) as months_since_unpaid,
        count(*) filter (unpaid and t = 12) as unpaid_now
    from month where t <= 12 group by id having bool_or(t = 12 and BAL > 0) and not bool_or(defaulted)),
later as (select id, bool_or(defaulted or REP > 0) as event from month where t between 13 and 24 group by id),
static as (select distinct on (assetNumber) * from '{folder}/auto_loans_static.parquet')
select seen.* exclude (id), later.event, obligorCreditScore as credit_score, originalInterestRatePercentage as rate,
    paymentToIncomePercentage as payment_to_income, originalLoanAmount as loan, originalLoanTerm as term,
    originalLoanAmount / nullif(vehicleValueAmount, 0) as loan_to_value, vehicleModelYear as model_year,
    remainingTermtoMaturityNumber as remaining, scheduledPrincipalAmount as scheduled_principal,
    paid_3 / nullif(3 * nextReportingPeriodPaymentAmountDue, 0) as paid_to_due,
    vehicleManufacturerName as maker, obligorGeographicLocation as state, vehicleTypeCode::varchar as vehicle
from seen join later using (id) join static on static.assetNumber = seen.id
order by id
"""


def auto_loans() -> Frame:
    """Car loans as of month 12; three unpaid months in a row, or repossession, within the next 12 months."""
    signs = dict.fromkeys(("unpaid_3", "unpaid_6", "unpaid_12", "unpaid_now", "rate", "payment_to_income"), 1)
    return _queried(AUTO, signs | {"credit_score": -1})


def _queried(sql: str, signs: dict[str, int]) -> Frame:
    rows = duckdb.sql(sql.format(folder=OWN)).df()
    y = rows.pop("event").to_numpy(int)
    return Frame(rows.astype({n: float for n in rows if pd.api.types.is_numeric_dtype(rows[n])}), y, signs)
