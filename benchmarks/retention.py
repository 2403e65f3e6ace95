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

from workbench import metrics
from workbench.actions import hazards, next_action, next_product, profit, retention, trial
from workbench.actions.groups import Params as GroupsParams
from workbench.actions.groups import needs, worth
from workbench.actions.trial import Trial
from workbench.customers import catalogue
from workbench.panel import build
from workbench.portfolios import simulated_customers, simulated_relationships, simulated_whole
from workbench.portfolios.source import Request

CHURN = {
    "name": "churn",
    "event": "left_bank = 1",
    "eligible": "n_products > 0 AND left_bank = 0 AND delay_months < 1",
    "window_months": 3,
}
SHARE = 0.3
LABELS = {
    "account": ("customers",),
    "month": ("months",),
    "holding": ("holding", "holdings"),
    "event": ("event", "events"),
}


def main() -> None:
    """Print the figures, one line each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--customers", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=42)
    a = asked.parse_args()
    began = time.perf_counter()
    request = Request(portfolio="simulated_customers", simulation={"n_customers": a.customers}, seed=a.seed)
    source = simulated_relationships.SOURCE
    asked_of = simulated_relationships.parameters(request.simulation, a.seed)
    parts = list(simulated_whole.with_truth(asked_of))
    made = {n: pd.concat([tables[n] for tables, _ in parts], ignore_index=True) for n in parts[0][0]}
    made |= {"product": simulated_customers.products(asked_of), "macro": simulated_customers.macro(asked_of)}
    truth = {"campaign": pd.concat([known["campaign"] for _, known in parts], ignore_index=True)}
    core = source.core(made, source.words(request))
    print(f"{a.customers:,} customers simulated in {time.perf_counter() - began:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, Path] = {}
        for name in ("account", "month", "performance", "holding", "product", "event"):
            core[f"core__{name}"][0].to_parquet(path := Path(folder) / name)
            files |= dict.fromkeys(LABELS.get(name, (name,)), path)
        _saves(core, files, truth, a.seed)
        _value(files, retention.Params(seed=a.seed), core["core__month"][0]["month"])
        _offers(files, a.seed, core["core__month"][0]["month"].max())


def _saves(core: dict, files: dict, truth: dict, seed: int) -> None:
    (account, contract), (months, of_months) = core["core__account"], core["core__month"]
    p = build.Params(panel="mart__churn", outcome=CHURN, as_of_from="2016-01", as_of_to="2019-09", seed=seed)
    panel, _ = build.build(account, contract, months, p, of_months)
    drawn = trial.rows(core["core__event"][0], panel, ["save_1", "save_2"])
    tagged = [catalogue.tagged(files, d).table.assign(as_of_date=d) for d in sorted(drawn["as_of_date"].unique())]
    asked = pd.concat(tagged, ignore_index=True)[["entity_id", "as_of_date", *retention.INPUTS]]
    known = Trial(drawn.merge(asked, on=["entity_id", "as_of_date"]), retention.INPUTS)
    uplift = truth["campaign"].rename(columns={"customer_id": "entity_id"})
    saves = -known.rows.merge(uplift, on=["entity_id", "campaign_code"])["uplift"].to_numpy()
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


def _value(files: dict, p: retention.Params, months: pd.Series) -> None:
    last, first = months.max().to_period("M"), months.min().to_period("M")
    test = (last - p.horizon_months).to_timestamp()
    learn_on = [d.to_timestamp() for d in pd.period_range(first + 5, last - 2 * p.horizon_months, freq="M")][::-6]
    learn, asked = hazards.states(files["months"], learn_on), hazards.states(files["months"], [test])
    model = hazards.fitted(learn, hazards.followed(files["months"], learn, 12), 12, p.max_rows, p.seed)
    after = hazards.followed(files["months"], asked, 12)
    card = hazards.held_against(model, asked, after, 0.25)
    print(card.table.assign(event=card.table["event"].map(str)).to_string(index=False))
    last_row = hazards.observed(after, 12).iloc[-1]
    print(f"default by 1 − KM {last_row['naive']:.4f}, Aalen–Johansen {last_row['defaulted']:.4f}")
    values = retention.value(model, asked, profit.at_stake(files, test), p)
    table, gini = profit.foretold(values, profit.brought(files, test, 12, p.discount_rate))
    ratio = table["predicted"].sum() / table["observed"].sum()
    print(f"value: foretold / realised {ratio:.3f}; Gini of the ranking {gini:.3f}; by tenth:")
    print(table.round(1).to_string(index=False))


def _offers(files: dict, seed: int, today: pd.Timestamp) -> None:
    ends = today - pd.DateOffset(months=3)
    learnt = next_product.wanted(files, [ends - pd.DateOffset(months=k) for k in range(3, 24, 3)])
    asked = next_product.wanted(files, [ends])
    score = next_product.chances(next_product.fitted(learnt), learnt, asked)
    card = next_product.compared(asked, score, next_product.popular(learnt, needs(learnt), asked, needs(asked)), seed)
    print(f"next product: {card.answer}")
    drawn = next_action.touched(files["event"], ["next_1", "next_2"])
    numbers = sorted(set(drawn["month_no"] - 1))
    before = next_product.wanted(files, [pd.Timestamp((n - 1) // 12, (n - 1) % 12 + 1, 1) for n in numbers])
    arms = next_action.arms(drawn, before)
    effect = next_action.effects(arms, None, "logistic", seed)
    worth_of = worth(files, arms.offers, GroupsParams())
    card = next_action.policy_evidence(arms, effect, worth_of, 2.0)
    print(f"next offer: {card.answer}")
    print(card.table.round(2).to_string(index=False))
    began = time.perf_counter()
    chosen = next_action.assigned(effect * worth_of - 2.0, 2.0, 4_000.0, 1_000)
    took = time.perf_counter() - began
    print(f"assignment of {len(effect):,} customers: {(chosen >= 0).sum():,} offers in {took:.1f} s")


if __name__ == "__main__":
    main()
