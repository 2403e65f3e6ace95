"""What a customer earns and can afford: income with its interval, burden, free instalment, under stress too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_predict

from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.params import UserError
from workbench.words import say

COVERED = 0.8
SALARY_MONTHS = 4  # of six: whose salary comes in here
FOLDS, LEAST_KNOWN = 5, 50  # of known salaries; so many at least
MOST_BURDEN = 0.55  # all debt over income, the mark of 银监发〔2004〕57号
STRESS = 0.2  # less income
INPUTS = (
    "declared_income_amt",
    "outflow_3",
    "due_6",
    "deposit_now",
    "balance_now",
    "n_products",
    "n_dependants",
    "tenure_months",
)


@dataclass(frozen=True)
class Income:
    """Estimate, low and high of each customer's monthly income (n), and whether it is his salary or estimated."""

    table: pd.DataFrame
    covers: float  # share of known salaries inside an interval whose width others' errors gave


def income(tags: pd.DataFrame, seed: int) -> Income:
    """Return entity_id, income, low, high, basis: the salary where it comes in here, else estimated from the rest.

    Estimated by boosted trees on the logarithm, learnt from those whose salary is known, and conformal: the 80 %
    interval is the estimate times the 80 % quantile of the errors of who was not learnt from; how often it covers is
    counted fold by fold, with the width that the other folds' errors give. `UserError` where too few salaries are
    known. Source: Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World; Barber et al. (2021), Annals
    of Statistics 49(1).
    """
    X = pd.get_dummies(tags[[*INPUTS, "employment_code"]], columns=["employment_code"], dtype=float).astype(float)
    X["outflow_3"] = 0.0  # what is spent comes from the salary that is paid in: unknown where that is unknown
    known = (tags["salary_months_6"] >= SALARY_MONTHS).to_numpy()
    if known.sum() < LEAST_KNOWN:
        raise UserError(
            f"customers/tags: the salary of {int(known.sum())} customers is known ({SALARY_MONTHS} months of six); "
            f"incomes are estimated from {LEAST_KNOWN} at least"
        )
    salary = tags["salary_income_6"].to_numpy(float)
    y, model = np.log(salary[known]), HistGradientBoostingRegressor(max_iter=120, max_depth=4, random_state=seed)
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    error_of = np.abs(y - cross_val_predict(model, X[known], y, cv=folds))
    width = _width(error_of)
    inside = [error_of[ask] <= _width(error_of[learn]) for learn, ask in folds.split(y)]
    estimate = np.exp(model.fit(X[known], y).predict(X))
    spread = tags["inflow_spread_6"].fillna(0.0).to_numpy(float)
    error = np.clip(1.4759 * spread / np.sqrt(tags["salary_months_6"].clip(lower=1).to_numpy(float)), 0.002, None)
    low = np.where(known, salary * (1 - error), estimate * np.exp(-width))
    high = np.where(known, salary * (1 + error), estimate * np.exp(width))
    table = pd.DataFrame(
        {
            "entity_id": tags["entity_id"],
            "income": np.where(known, salary, estimate),
            "low": low,
            "high": high,
            "basis": np.where(known, "salary", "estimated"),
        }
    )
    return Income(table, float(np.concatenate(inside).mean()))


def _width(errors: np.ndarray) -> float:
    return float(np.quantile(errors, COVERED, method="higher"))


def afforded(tags: pd.DataFrame, earned: Income) -> pd.DataFrame:
    """Return burden, free (what more a month can be afforded), and both with a fifth less income, of each customer.

    Reckoned on the low end of the income's interval: monotone in income, falling in what is due.
    """
    due, low = tags["due_now"].fillna(0.0).to_numpy(float), earned.table["low"].to_numpy(float)
    middle = earned.table["income"].to_numpy(float)
    return pd.DataFrame(
        {
            "entity_id": tags["entity_id"],
            "burden": due / middle,
            "free": np.maximum(MOST_BURDEN * low - due, 0.0),
            "burden under stress": due / (middle * (1 - STRESS)),
            "free under stress": np.maximum(MOST_BURDEN * (1 - STRESS) * low - due, 0.0),
        }
    )


def income_evidence(earned: Income) -> Evidence:
    """Return how incomes were estimated, and whether the interval covers as it says where the salary is known."""
    by = earned.table.groupby("basis").agg(
        n=("income", "size"), income=("income", "median"), low=("low", "median"), high=("high", "median")
    )
    wide = float(
        ((earned.table["high"] - earned.table["low"]) / earned.table["income"])[
            earned.table["basis"] == "estimated"
        ].median()
    )
    estimated = int((earned.table["basis"] == "estimated").sum())
    return Evidence(
        key="income",
        question=say("What do customers earn, and how surely is it known?"),
        verdict=Verdict.green if abs(earned.covers - COVERED) <= 0.02 else Verdict.amber,
        answer=say(
            "{estimated:,} of {n:, incomes are} estimated; of those not learnt from, {covers:.1%} of known salaries "
            "lie in the interval, which is {wide:.0%} of the income wide.",
            estimated=estimated,
            n=len(earned.table),
            covers=earned.covers,
            wide=wide,
        ),
        value=earned.covers,
        threshold=say("amber where the 80 % interval covers less than 78 % or more than 82 %"),
        source="Barber et al. (2021), Annals of Statistics 49(1)",
        blind_to=say(
            "income that comes in elsewhere of who has a salary here, and of who has none here: nobody checks it"
        ),
        table=by.reset_index(),
        people=People(("n",)),
    )


def capacity_evidence(can: pd.DataFrame, currency: str) -> Evidence:
    """Return how many are burdened beyond the mark, now and with a fifth less income."""
    now, then = ((can[c] > MOST_BURDEN).mean() for c in ("burden", "burden under stress"))
    parts = can[["burden", "free", "burden under stress", "free under stress"]].quantile([0.1, 0.25, 0.5, 0.75, 0.9])
    return Evidence(
        key="capacity",
        question=say("What more can customers afford, and what if they earn a fifth less?"),
        verdict=Verdict.info,
        answer=say(
            "{now:.1%} owe more than {mark:.0%} of their income a month, {then:.1%} with a fifth less income; half of "
            "all can afford {free:,.0f} {currency} more.",
            now=float(now),
            mark=MOST_BURDEN,
            then=float(then),
            free=float(can["free"].median()),
            currency=currency,
        ),
        value=float(now),
        source="银监发〔2004〕57号",
        table=parts.rename_axis("quantile").reset_index(),
    )
