"""A simulated bank's customers with their whole relationship: parameters, people, products; made block by block.

Nobody in it is real. What is planted is listed in `simulated_truth`, which no source and no notebook reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.params import MONTH
from workbench.portfolios import simulated_people
from workbench.portfolios.source import DATA

BLOCK_CUSTOMERS = 10_000
REGIONS, EMPLOYERS, OFFICER_CUSTOMERS = 8, 40, 150
SHOCK_REGION, SHOCK_EMPLOYER = "R3", "E07"
INCOME = {"employed": 2800, "self_employed": 3000, "public": 2600, "student": 900, "retired": 1700}


class SimulatedCustomers(BaseModel):
    """What is simulated: how many customers, which months, when the shock and the complaint topic begin (0 to 1)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_customers: int = Field(20_000, ge=500, le=5_000_000)
    n_months: int = Field(60, ge=24, le=120)
    start_month: str = Field("2015-01", pattern=MONTH)
    shock_month: str = Field("2018-06", pattern=MONTH)
    topic_month: str = Field("2018-09", pattern=MONTH)
    seed: int = Field(42, ge=0)

    @model_validator(mode="after")
    def _inside(self) -> Self:
        last = (pd.Period(self.start_month, "M") + self.n_months - 1).strftime("%Y-%m")
        for name in ("shock_month", "topic_month"):
            if not self.start_month <= getattr(self, name) <= last:
                raise ValueError(f"{name} {getattr(self, name)} lies outside {self.start_month} to {last}")
        return self

    @cached_property
    def months(self) -> pd.DatetimeIndex:
        """The months that are written, first days."""
        return pd.date_range(f"{self.start_month}-01", periods=self.n_months, freq="MS")

    def at(self, month: str) -> int:
        """Return a month's place among the months."""
        return int(self.months.get_loc(pd.Timestamp(month)))


@dataclass(frozen=True)
class Product:
    """What a product is: kind, price, who may have it, and what draws customers to it."""

    code: str
    kind: str  # loan, card, deposit, insurance
    rate: float
    fee: float
    minimum_income: float
    service_cost: float
    margin: float  # of the balance a year
    log_odds: float  # of a purchase in a month
    taste: tuple[float, float, float]  # to age, income, engagement, in standard deviations


PRODUCTS = (
    Product("current_account", "deposit", 0.0, 3.0, 0, 2.0, 0.010, -9.0, (0.0, 0.0, 0.0)),
    Product("savings", "deposit", 0.010, 0.0, 0, 0.5, 0.012, -4.9, (0.6, 0.3, 0.2)),
    Product("term_deposit", "deposit", 0.018, 0.0, 1200, 0.3, 0.010, -6.0, (1.0, 0.5, 0.0)),
    Product("credit_card", "card", 0.16, 2.5, 900, 1.5, 0.110, -4.9, (-0.5, 0.4, 0.6)),
    Product("personal_loan", "loan", 0.08, 0.0, 1000, 1.0, 0.050, -5.3, (-0.6, -0.5, 0.1)),
    Product("auto_loan", "loan", 0.06, 0.0, 1400, 1.0, 0.035, -5.8, (-0.2, 0.4, 0.0)),
    Product("mortgage", "loan", 0.035, 0.0, 2200, 1.5, 0.015, -6.4, (-0.3, 0.8, 0.1)),
    Product("overdraft", "card", 0.12, 0.0, 800, 0.5, 0.090, -5.8, (-0.3, -0.6, 0.4)),
    Product("life_insurance", "insurance", 0.0, 12.0, 1000, 2.0, 0.0, -5.9, (0.4, 0.3, 0.0)),
    Product("home_insurance", "insurance", 0.0, 9.0, 1000, 1.5, 0.0, -6.0, (0.5, 0.4, 0.0)),
)
CODES = [p.code for p in PRODUCTS]
CURRENT, SAVINGS, DEPOSIT, CARD, PERSONAL, AUTO, MORTGAGE, OVERDRAFT, LIFE, HOME = range(10)
TERM_LOANS, REVOLVING = (PERSONAL, AUTO, MORTGAGE), (CARD, OVERDRAFT)
TOGETHER = (
    (MORTGAGE, HOME, 1.8),
    (AUTO, LIFE, 0.9),
    (SAVINGS, DEPOSIT, 0.9),
    (CARD, OVERDRAFT, 0.7),
    (MORTGAGE, LIFE, 0.8),
)
TERMS = {PERSONAL: (12, 48), AUTO: (24, 60), MORTGAGE: (120, 240)}


@dataclass(frozen=True)
class People:
    """A block of n customers: what is recorded of them, and what only the simulation knows."""

    customer: pd.DataFrame
    quality: np.ndarray  # of paying
    engagement: np.ndarray
    income: np.ndarray  # true, a month
    joined: np.ndarray  # month of joining, below 0 before the first written one
    taste: np.ndarray  # (n × products) of a purchase
    shocked: np.ndarray  # whether region or employer is hit

    def __len__(self) -> int:
        return len(self.income)


def people(p: SimulatedCustomers, first: int, n: int, rng: np.random.Generator) -> People:
    """Return n invented customers from number `first` on."""
    table = simulated_people.customers(n, rng, first)
    quality, engagement = rng.normal(size=n), rng.normal(size=n)
    quality = 0.95 * quality + 0.3 * engagement
    income = table["employment_code"].map(INCOME).to_numpy(float) * rng.lognormal(0, 0.35, n) * np.exp(0.08 * quality)
    joined = np.where(rng.random(n) < 0.65, -rng.integers(1, 120, n), rng.integers(0, max(p.n_months - 6, 1), n))
    region = rng.choice([f"R{i}" for i in range(1, REGIONS + 1)], n, p=_weights(REGIONS, 0.5))
    employer = rng.choice([f"E{i:02d}" for i in range(1, EMPLOYERS + 1)], n, p=_weights(EMPLOYERS, 0.35))
    officer = np.arange(first, first + n) // OFFICER_CUSTOMERS + 1
    age = ((p.months[0] - table["birth_date"]).dt.days / 365.25).to_numpy()
    stale = rng.random(n) < 0.15
    declared = np.round(income * rng.lognormal(0, 0.10, n) * np.where(stale, 0.7, 1.0), 2)
    month = p.months[0].to_datetime64().astype("datetime64[M]") + joined
    since = month.astype("datetime64[us]") + rng.integers(0, 27, n).astype("timedelta64[D]")
    table = table.drop(columns=["income_amt", "region_code", "since_date"]).assign(
        region_code=region,
        employer_code=employer,
        declared_income_amt=np.where(rng.random(n) < 0.25, np.nan, declared),
        since_date=since,
        officer_code=[f"O{i:03d}" for i in officer],
        opted_out=np.where(rng.random(n) < 0.06, "1", "0"),
        channel_code=rng.choice(["branch", "online", "broker"], n, p=[0.4, 0.45, 0.15]),
        valid_from=since,
        recorded_at=since + np.timedelta64(1, "D"),
    )
    scaled = np.column_stack([(age - 45) / 12, (np.log(income) - 7.8) / 0.45, engagement])
    taste = scaled @ np.array([x.taste for x in PRODUCTS]).T
    shocked = (region == SHOCK_REGION) | (employer == SHOCK_EMPLOYER)
    return People(table, quality, engagement, income, joined, taste, shocked)


def _weights(n: int, tail: float) -> np.ndarray:
    w = np.arange(1, n + 1) ** -tail
    return w / w.sum()


def macro(p: SimulatedCustomers) -> pd.DataFrame:
    """Return unemployment, policy rate and prices by month and region: real US series, and a region in a shock."""
    long = pd.read_parquet(DATA / "macro_us.parquet")
    wide = long[long["series"].isin(["UNRATE", "FEDFUNDS", "CPIAUCSL"])].pivot(
        index="date", columns="series", values="value"
    )
    wide.index = pd.to_datetime(wide.index)
    real = wide.reindex(p.months).ffill().bfill()
    ramp = np.clip((np.arange(p.n_months) - p.at(p.shock_month) - 1) / 3, 0, 1)
    out = []
    for i in range(1, REGIONS + 1):
        extra = 0.002 * (i - 4) + 0.03 * ramp * (f"R{i}" == SHOCK_REGION)
        out.append(
            pd.DataFrame(
                {
                    "month": p.months,
                    "region_code": f"R{i}",
                    "unemployment_rate": (real["UNRATE"] / 100).to_numpy() + extra,
                    "policy_rate": (real["FEDFUNDS"] / 100).to_numpy(),
                    "price_index": real["CPIAUCSL"].to_numpy(),
                    "recorded_at": p.months + pd.Timedelta(days=45),
                }
            )
        )
    return pd.concat(out, ignore_index=True)


def products(p: SimulatedCustomers) -> pd.DataFrame:
    """Return the products with their terms, one version each."""
    return pd.DataFrame(
        {
            "product_code": CODES,
            "kind_code": [x.kind for x in PRODUCTS],
            "title": [x.code.replace("_", " ") for x in PRODUCTS],
            "interest_rate": [x.rate for x in PRODUCTS],
            "fee_amt": [x.fee for x in PRODUCTS],
            "minimum_income_amt": [x.minimum_income for x in PRODUCTS],
            "minimum_age": 18,
            "maximum_delay_months": [0 if x.kind in ("loan", "card") else 12 for x in PRODUCTS],
            "service_cost_amt": [x.service_cost for x in PRODUCTS],
            "margin_rate": [x.margin for x in PRODUCTS],
            "valid_from": p.months[0],
            "recorded_at": p.months[0],
        }
    )
