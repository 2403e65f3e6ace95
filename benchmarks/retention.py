"""Churn, retention, value, next offer on 20,000 simulated customers, against what was planted.

python benchmarks/retention.py [--customers 20000] [--seed 42]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from whole_bank import Bank, bank

from workbench import metrics
from workbench.actions import groups, hazards, lifetime, next_action, next_product, profit, retention, trial
from workbench.actions.trial import Trial
from workbench.customers import catalogue
from workbench.panel import build
from workbench.portfolios.simulated_customers import SimulatedCustomers

CHURN = {
    "name": "churn",
    "event": "left_bank = 1",
    "eligible": "n_products > 0 AND left_bank = 0 AND delay_months < 1",
    "window_months": 3,
}
SHARE = 0.3


def main() -> None:
    """Print the figures, one line each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--customers", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=42)
    a = asked.parse_args()
    began = time.perf_counter()
    made = bank(SimulatedCustomers(n_customers=a.customers, seed=a.seed))
    print(f"{a.customers:,} customers simulated in {time.perf_counter() - began:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        files = made.files(Path(folder))
        _saves(made, files, a.seed)
        _value(files, retention.Params(seed=a.seed), made.p.months[-1])
        _offers(files, a.seed, made.p.months[-1])


def _saves(made: Bank, files: dict, seed: int) -> None:
    (account, contract), (months, of_months) = made.core["account"], made.core["month"]
    p = build.Params(panel="mart__churn", outcome=CHURN, as_of_from="2016-01", as_of_to="2019-09", seed=seed)
    panel, _ = build.build(account, contract, months, p, of_months)
    drawn = trial.rows(made.core["event"][0], panel, ["save_1", "save_2"])
    tagged = [catalogue.tagged(files, d).table.assign(as_of_date=d) for d in sorted(drawn["as_of_date"].unique())]
    asked = pd.concat(tagged, ignore_index=True)[["entity_id", "as_of_date", *retention.INPUTS]]
    known = Trial(drawn.merge(asked, on=["entity_id", "as_of_date"]), retention.INPUTS)
    saves = -known.rows.merge(made.truth["campaign"], on=["entity_id", "campaign_code"])["uplift"].to_numpy()
    k = int(SHARE * len(saves))
    oracle = np.sort(saves)[::-1][:k].mean()
    print(f"trial: {len(saves):,} rows; mean effect {saves.mean():+.4f}; better left alone {np.mean(saves < 0):.1%}")
    for name, score in {
        "S-learner, both": trial.held_out_effects(known, "both", seed),
        "S-learner, logistic": trial.held_out_effects(known, "logistic", seed),
        "S-learner, boosted": trial.held_out_effects(known, "boosted", seed),
        "by risk": _risk(known),
    }.items():
        first = np.argsort(-score, kind="stable")[:k]
        area = metrics.qini_area(trial.curve(known, score))
        print(
            f"{name}: first {SHARE:.0%} save {1000 * saves[first].mean():.1f} per 1,000, oracle {1000 * oracle:.1f} "
            f"({saves[first].mean() / oracle:.1%}); driven away among them {(saves[first] < 0).mean():.1%}; "
            f"Qini area {area:.4f}; {trial.tells(known, score).verdict}"
        )
    small = Trial(known.rows.sample(600, random_state=seed).reset_index(drop=True), known.inputs)
    print(f"600 rows of the trial: {trial.tells(small, trial.held_out_effects(small, 'both', seed)).answer}")


def _risk(known: Trial) -> np.ndarray:
    learner = trial.SLearner("logistic").fit(known.X, np.zeros(len(known.rows)), 1 - known.benefit)
    return learner.chance(known.X, 0)


def _value(files: dict, p: retention.Params, today: pd.Timestamp) -> None:
    test, horizon = today - pd.DateOffset(months=p.horizon_months), p.horizon_months
    life = lifetime.learnt(files, test, horizon, p.discount_rate, most_rows=p.max_rows, seed=p.seed)
    asked = hazards.states(files["months"], [test])
    after = hazards.followed(files["months"], asked, horizon)
    card = hazards.held_against(life.hazards, asked, after, 0.25)
    print(card.table.assign(event=card.table["event"].map(str)).to_string(index=False))
    last_row = hazards.observed(after, horizon).iloc[-1]
    print(f"default by 1 − KM {last_row['naive']:.4f}, Aalen–Johansen {last_row['defaulted']:.4f}")
    realised = profit.brought(files, test, horizon, p.discount_rate)
    card = groups.value_evidence(life.value(files, asked), realised, "")
    print(f"value: {card.answer}\n{card.table.round(1).to_string(index=False)}")


def _offers(files: dict, seed: int, today: pd.Timestamp) -> None:
    ends = today - pd.DateOffset(months=3)
    learnt = next_product.wanted(files, [ends - pd.DateOffset(months=k) for k in range(3, 24, 3)])
    asked = next_product.wanted(files, [ends])
    score = next_product.chances(next_product.fitted(learnt), learnt, asked)
    popular = next_product.popular(learnt, learnt.rows["need"], asked, asked.rows["need"])
    card = next_product.compared(asked, score, popular, seed)
    print(f"next product: {card.answer}")
    drawn = next_action.touched(files["event"], ["next_1", "next_2"])
    before = next_product.wanted(files, groups.months_before(drawn))
    arms = next_action.arms(drawn, before)
    effect = next_action.effects(arms, None, "logistic", seed)
    worth_of = groups.worth(files, arms.offers, groups.Params())
    card = next_action.policy_evidence(arms, effect, worth_of, 2.0, "EUR")
    print(f"next offer: {card.answer}")
    print(card.table.round(2).to_string(index=False))
    began = time.perf_counter()
    chosen = next_action.assigned(effect * worth_of - 2.0, 2.0, 4_000.0, 1_000)
    took = time.perf_counter() - began
    print(f"assignment of {len(effect):,} customers: {(chosen >= 0).sum():,} offers in {took:.1f} s")


if __name__ == "__main__":
    main()
