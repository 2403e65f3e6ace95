"""Relationship: does the weighted score hold the truth where the naive one doesn't, and is a planted topic found?

    python benchmarks/satisfaction.py weights [CUSTOMERS] [SEEDS]
    python benchmarks/satisfaction.py topics [CUSTOMERS] [SEEDS]

`weights`: simulated banks of which every customer's score is known, whether he was asked or not; months before the
planted topic. `topics`: a topic begins in a known month on one product; goal: found in that month or the next, at most
one other topic a month. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import whole_bank

from workbench.actions import satisfaction, topics
from workbench.portfolios.simulated_customers import SimulatedCustomers


def bank(customers: int, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any], pd.Timestamp]:
    """Return the core tables of one simulated bank, its truth, and the month its topic begins."""
    p = SimulatedCustomers(
        n_customers=customers,
        n_months=36,
        start_month="2016-01",
        shock_month="2018-01",
        topic_month="2018-06",
        seed=seed,
    )
    made = whole_bank.bank(p)
    return {name: table for name, (table, _) in made.core.items()}, made.truth, pd.Timestamp(p.topic_month)


def weights(customers: int, seeds: int) -> bool:
    """Print truth, naive and weighted score of each bank; good where truth is within the weighted intervals alone."""
    print("| seed | asked | answers | truth | naive | weighted |\n" + "| --- " * 6 + "|")
    naive, weighted = 0, 0
    for seed in range(1, seeds + 1):
        core, known, begins = bank(customers, seed)
        rows = satisfaction.invitations(core["feedback"], core["account"], core["month"])
        before = known["satisfaction"][known["satisfaction"]["month"] < begins]
        s = satisfaction.score(rows[(rows["kind_code"] == "nps") & (rows["month"] < begins)])
        truth = satisfaction.points(before.assign(kind_code="nps")).mean()
        naive += s["naive_low"] <= truth <= s["naive_high"]
        weighted += s["low"] <= truth <= s["high"]
        print(
            f"| {seed} | {s['asked']:,} | {s['n']:,} | {truth:.1f} | {s['naive']:.1f} ({s['naive_low']:.1f} to "
            f"{s['naive_high']:.1f}) | {s['weighted']:.1f} ({s['low']:.1f} to {s['high']:.1f}) |"
        )
    print(f"\ntruth within the interval: naive {naive} of {seeds}, weighted {weighted} of {seeds}")
    return weighted > naive and weighted >= np.floor(0.9 * seeds)


def planted_topics(customers: int, seeds: int) -> bool:
    """Print when the planted topic was found in each bank and how many other topics there were a month."""
    print("| seed | texts a month | found after months | other topics a month |\n" + "| --- " * 4 + "|")
    good = True
    for seed in range(1, seeds + 1):
        core, known, begins = bank(customers, seed)
        texts = topics.texts(core["feedback"])
        began = topics.emerging(texts)
        planted = [t for t in began if _is_planted(t, known)]
        after = min(((t.month.to_period("M") - begins.to_period("M")).n for t in planted), default=None)
        judged = texts["month"].nunique() - topics.EARLIER
        false = (len(began) - len(planted)) / judged
        good &= after is not None and 0 <= after <= 1 and false <= 1
        print(f"| {seed} | {len(texts) / texts['month'].nunique():.0f} | {after} | {false:.2f} |")
    return bool(good)


def _is_planted(topic: topics.Topic, known: dict[str, Any]) -> bool:
    right = sum(text.startswith(known["topic"]["words"]) for text in topic.texts)
    return topic.product_code == known["topic"]["product_code"] and right > len(topic.texts) / 2


if __name__ == "__main__":
    what = {"weights": weights, "topics": planted_topics}[(sys.argv[1:2] or ["weights"])[0]]
    sys.exit(0 if what(int((sys.argv[2:3] or ["2000"])[0]), int((sys.argv[3:4] or ["5"])[0])) else 1)
