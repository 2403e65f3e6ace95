"""A simulated bank with a known truth: customers, loans, months and macro, a planted drift, crisis, leak and dirt.

Customers are simulated in blocks, each with its own random stream, so that memory doesn't limit the bank's size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.params import MONTH
from workbench.portfolios import simulated_people
from workbench.portfolios.source import DATA

HORIZON_MONTHS = 6  # of the true PD
DEFAULT_DELAY = 3  # months past due
BURN_IN_MONTHS = 120  # the longest term: the book's age mix no longer changes when the first row is written
BLOCK_CUSTOMERS = 50_000
LOANS_PER_CUSTOMER = 3
KEPT_AFTER_DEFAULT = 3  # months a defaulted loan still stands in the book
DRIFT_FEATURE, DRIFT_FACTOR = "n_inquiries_6m", 2.5
SHOCK_RATE, SHOCK_RAMP_MONTHS = 0.05, 3  # unemployment, planted from the crisis month
SENSITIVITY = 15.0  # of the log odds of falling late to unemployment
PRODUCTS = {"personal": (12, 36), "auto": (36, 60), "mortgage": (96, 120)}
CURE, ROLL, ROLL_CRISIS = (0.45, 0.25), (0.33, 0.48), (0.45, 0.60)  # from one and from two months past due


class SimulatedBank(BaseModel):
    """What is simulated: size, months, what is planted and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_customers: int = Field(6_000, ge=1_000, le=5_000_000)
    n_months: int = Field(60, ge=24, le=120)
    start_month: str = Field("2015-01", pattern=MONTH)
    crisis_month: str = Field("2019-01", pattern=MONTH)
    drift_month: str = Field("2018-03", pattern=MONTH)
    macro: Literal["stressed", "real"] = "stressed"
    dirt: bool = True
    seed: int = Field(42, ge=0)

    @model_validator(mode="after")
    def _inside(self) -> Self:
        last = (pd.Period(self.start_month, "M") + self.n_months - 1).strftime("%Y-%m")
        for name in ("crisis_month", "drift_month"):
            if not self.start_month <= getattr(self, name) <= last:
                raise ValueError(f"{name} {getattr(self, name)} lies outside {self.start_month} to {last}")
        return self

    @property
    def months(self) -> pd.DatetimeIndex:
        """The months that are written, first days."""
        return pd.date_range(f"{self.start_month}-01", periods=self.n_months, freq="MS")


@dataclass(frozen=True)
class _Book:
    """Loans as arrays (n): month of origination (0 is the first written month), term, propensity to fall late."""

    loan: pd.DataFrame
    begins: np.ndarray
    ends: np.ndarray
    propensity: np.ndarray
    latent: np.ndarray


def macro(p: SimulatedBank) -> pd.DataFrame:
    """Return month, unemployment_rate, policy_rate (0 to 1): the real US series, with a shock where stressed."""
    long = pd.read_parquet(DATA / "macro_us.parquet")
    wide = long[long["series"].isin(["UNRATE", "FEDFUNDS"])].pivot(index="date", columns="series", values="value")
    wide.index = pd.to_datetime(wide.index)
    real = wide.reindex(p.months).ffill().bfill() / 100
    ramp = np.clip((np.arange(p.n_months) - _at(p, p.crisis_month) + 1) / SHOCK_RAMP_MONTHS, 0, 1)
    shock = SHOCK_RATE * ramp * (p.macro == "stressed")
    return pd.DataFrame(
        {
            "month": p.months,
            "unemployment_rate": real["UNRATE"].to_numpy() + shock,
            "policy_rate": real["FEDFUNDS"].to_numpy(),
        }
    )


def _at(p: SimulatedBank, month: str) -> int:
    return int(p.months.get_loc(pd.Timestamp(month)))


def _stress(p: SimulatedBank) -> np.ndarray:
    """Return what the economy adds to unemployment in each month, against the first; 0 before a planted shock."""
    path = macro(p)["unemployment_rate"].to_numpy()
    if p.macro == "real":
        return path - path[0]
    return SHOCK_RATE * np.clip((np.arange(p.n_months) - _at(p, p.crisis_month) + 1) / SHOCK_RAMP_MONTHS, 0, 1)


def _n_loans(p: SimulatedBank, n_customers: int) -> int:
    return LOANS_PER_CUSTOMER * n_customers * (BURN_IN_MONTHS + p.n_months) // 180


def _book(p: SimulatedBank, customer: pd.DataFrame, latent: np.ndarray, first: int, rng: np.random.Generator) -> _Book:
    n, before = _n_loans(p, len(customer)), _n_loans(p, first)
    owner = rng.integers(0, len(customer), n)
    product = rng.choice(list(PRODUCTS), n, p=[0.5, 0.35, 0.15])
    low, high = (np.array([PRODUCTS[k][i] for k in product]) for i in (0, 1))
    term = (rng.integers(low // 12, high // 12 + 1) * 12).astype(int)
    income = customer["income_amt"].to_numpy()[owner]
    burden = np.clip(rng.lognormal(np.log(0.18), 0.45, n), 0.03, 0.75)
    rate = np.round(
        0.03 + 0.02 * (product == "personal") + 0.012 * np.clip(latent[owner] + rng.normal(0, 1, n), 0, 3), 4
    )
    instalment = np.round(burden * income, 2)
    original = np.round(instalment * (1 - (1 + rate / 12) ** -term) / (rate / 12), 2)
    begins = rng.integers(-BURN_IN_MONTHS, p.n_months, n)
    job = customer["employment_code"].map({"self_employed": 0.35, "student": 0.5, "public": -0.4}).fillna(0).to_numpy()
    propensity = -4.15 + 0.95 * latent[owner] + 1.1 * np.log(burden / 0.18) + job[owner] - 0.25 * np.log(income / 2500)
    loan = pd.DataFrame(
        {
            "loan_id": [f"L{i:07d}" for i in range(before, before + n)],
            "customer_id": customer["customer_id"].to_numpy()[owner],
            "product_code": product,
            "origination_month": (np.datetime64(p.start_month, "M") + begins).astype("datetime64[us]"),
            "term_months": term,
            "interest_rate": rate,
            "original_amt": original,
            "instalment_amt": instalment,
            "channel_code": rng.choice(["branch", "online", "broker"], n, p=[0.4, 0.4, 0.2]),
            "collateral_amt": np.round(original * np.where(product == "personal", 0, rng.uniform(0.9, 1.5, n)), 2),
        }
    )
    return _Book(loan, begins, begins + term, propensity, latent[owner])


def _rates(book: _Book, stress: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the chance of falling late (n), of rolling on (2) and of curing (2) in a month of this stress."""
    fall = 1 / (1 + np.exp(-(book.propensity + SENSITIVITY * stress)))
    weight = min(abs(stress) / SHOCK_RATE, 1.0) * np.sign(stress)
    roll = np.array(ROLL) + weight * (np.array(ROLL_CRISIS) - np.array(ROLL))
    return fall, roll, np.array(CURE) * (1 - 0.3 * weight)


def _walk(p: SimulatedBank, book: _Book, rng: np.random.Generator) -> np.ndarray:
    """Return months past due of every loan in every written month (n × n_months); −1 where it is not in the book."""
    n, stress = len(book.begins), _stress(p)
    late, in_default = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int16)
    out = np.full((n, p.n_months), -1, dtype=np.int8)
    for t in range(-BURN_IN_MONTHS, p.n_months):
        alive = (book.begins < t) & (t < book.ends) & (in_default <= KEPT_AFTER_DEFAULT)
        fall, roll, cure = _rates(book, stress[t] if t >= 0 else 0.0)
        late = np.where(alive, _step(late, fall, roll, cure, rng.random(n)), late)
        in_default = np.where(alive & (late >= DEFAULT_DELAY), in_default + 1, in_default)
        if t >= 0:
            shown = alive | ((book.begins == t) & (t < book.ends))
            recorded = shown & (in_default <= KEPT_AFTER_DEFAULT)
            out[recorded, t] = late[recorded]
    return out


def _step(late: np.ndarray, fall: np.ndarray, roll: np.ndarray, cure: np.ndarray, u: np.ndarray) -> np.ndarray:
    """One month of the chain: 0 → 1; 1 and 2 roll on, cure or stay; default goes on ageing."""
    after = late.copy()
    after[late == 0] = (u < fall)[late == 0]
    for state in (1, 2):
        rolls, cures = u < roll[state - 1], u > 1 - cure[state - 1]
        after = np.where(late == state, np.where(rolls, state + 1, np.where(cures, 0, state)), after)
    return np.where(late >= DEFAULT_DELAY, late + 1, after).astype(np.int8)


def _true_pd(p: SimulatedBank, book: _Book, late: np.ndarray) -> np.ndarray:
    """Return the chance that each performing loan-month defaults within the horizon (n × n_months), NaN elsewhere.

    Backward over the chain's three performing states with the known path of the economy; months after
    the last written one are as stressed as the last.
    """
    n, stress = len(book.begins), _stress(p)
    out = np.full((n, p.n_months), np.nan)
    for t in range(p.n_months):
        value = np.zeros((3, n))
        for k in range(HORIZON_MONTHS, 0, -1):
            fall, roll, cure = _rates(book, stress[min(t + k, p.n_months - 1)])
            stay = 1 - roll - cure
            value = np.stack(
                [
                    (1 - fall) * value[0] + fall * value[1],
                    roll[0] * value[2] + cure[0] * value[0] + stay[0] * value[1],
                    roll[1] + cure[1] * value[0] + stay[1] * value[2],
                ]
            ) * (t + k < book.ends)
        for state in (0, 1, 2):
            rows = late[:, t] == state
            out[rows, t] = value[state][rows]
    return out


def _performance(p: SimulatedBank, book: _Book, late: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    row, t = np.nonzero(late >= 0)
    d, before = late[row, t].astype(int), np.where(t > 0, late[row, np.maximum(t - 1, 0)], 0).astype(int)
    loan = book.loan
    instalment, rate = loan["instalment_amt"].to_numpy()[row], loan["interest_rate"].to_numpy()[row] / 12
    months_to_run = np.maximum(book.ends[row] - t - 1 + d, 0)
    missed = d > np.maximum(before, 0)
    paid = np.where(missed, rng.uniform(0, 0.6, len(row)), 1 + np.maximum(before - d, 0)) * instalment
    inquiries = np.exp(0.12 * book.latent[row]) * np.where(t >= _at(p, p.drift_month), DRIFT_FACTOR, 1.0)
    return pd.DataFrame(
        {
            "loan_id": loan["loan_id"].to_numpy()[row],
            "month": p.months.to_numpy().astype("datetime64[us]")[t],
            "balance_amt": np.round(instalment * (1 - (1 + rate) ** -months_to_run) / rate, 2),
            "due_amt": np.round(instalment * (1 + np.maximum(before, 0)), 2),
            "paid_amt": np.round(paid, 2),
            "days_past_due": 30 * d,
            "status_code": np.select(
                [d >= DEFAULT_DELAY, d > 0, months_to_run == 0], ["default", "late", "paid_off"], "current"
            ),
            "n_inquiries_6m": rng.poisson(inquiries),
            "account_balance_amt": np.round(
                1500 * np.exp(-0.55 * book.latent[row] - 0.25 * d + rng.normal(0, 0.8, len(row))), 2
            ),
        }
    )


def _block(p: SimulatedBank, first: int, n: int, rng: np.random.Generator) -> tuple[dict[str, pd.DataFrame], Counter]:
    """Return the tables of `n` customers from number `first` on, and how many dirty rows of each kind they hold."""
    latent = rng.normal(0, 1, n)
    customer = simulated_people.customers(n, rng, first)
    book = _book(p, customer, latent, first, rng)
    late = _walk(p, book, rng)
    tables = {"customer": customer, "loan": book.loan, "performance": _performance(p, book, late, rng)}
    seen = (late >= 0).any(axis=1)
    defaulted = (late >= DEFAULT_DELAY).any(axis=1)
    share = rng.uniform(0.05, 0.6, len(seen))
    loan = book.loan.assign(recovered_amt=np.where(defaulted, np.round(share * book.loan["original_amt"], 2), 0.0))
    tables["loan"] = loan[seen].reset_index(drop=True)
    row, t = np.nonzero(~np.isnan(pds := _true_pd(p, book, late)))
    months = p.months.to_numpy().astype("datetime64[us]")
    tables["truth"] = pd.DataFrame(
        {"loan_id": book.loan["loan_id"].to_numpy()[row], "month": months[t], "true_pd_rate": pds[row, t]}
    )
    planted = simulated_people.plant_dirt(tables, rng) if p.dirt else {}
    return tables, Counter(planted)


def blocks(p: SimulatedBank) -> Iterator[tuple[dict[str, pd.DataFrame], Counter]]:
    """Yield the bank block by block: its tables, and how many dirty rows of each kind they hold."""
    for number, first in enumerate(range(0, p.n_customers, BLOCK_CUSTOMERS)):
        rng = np.random.default_rng([p.seed, number] if number else p.seed)
        yield _block(p, first, min(BLOCK_CUSTOMERS, p.n_customers - first), rng)


def simulate(p: SimulatedBank) -> dict[str, pd.DataFrame]:
    """Return the raw tables `customer`, `loan`, `performance`, `macro`, and `truth` (what no model may see).

    `truth` has loan_id, month and true_pd_rate: the chance (0 to 1) that a loan not in default in that
    month is 90 or more days past due within the next six. Same parameters, same tables. Some 40 rows of
    `performance` a customer: from half a million customers on `write` is the way.
    """
    parts = [tables for tables, _ in blocks(p)]
    tables = {name: pd.concat([part.pop(name) for part in parts], ignore_index=True) for name in list(parts[0])}
    return {**tables, "macro": macro(p)}


def write(p: SimulatedBank, folder: Path) -> dict[str, int]:
    """Write the tables of `simulate` as Parquet files in `folder`, one block in memory at a time; return their rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    macro(p).to_parquet(folder / "macro.parquet", index=False)
    rows: Counter = Counter(macro=p.n_months)
    with ExitStack() as open_files:
        writers: dict[str, pq.ParquetWriter] = {}
        for tables, _ in blocks(p):
            for name, table in tables.items():
                arrow = pa.Table.from_pandas(table, preserve_index=False)
                if name not in writers:
                    writer = pq.ParquetWriter(folder / f"{name}.parquet", arrow.schema)
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(arrow)
                rows[name] += len(table)
    return dict(rows)


def truth(p: SimulatedBank) -> dict[str, Any]:
    """Return what was planted: months, drifting feature, and how many dirty rows of each kind."""
    return {
        "crisis_month": p.crisis_month,
        "drift_month": p.drift_month,
        "drift_feature": DRIFT_FEATURE,
        "leak": "recovered_amt",
        "dirt": dict(sum((planted for _, planted in blocks(p)), Counter())),
    }
