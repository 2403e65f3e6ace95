"""Events: how fast a funnel over three million is, and what event lift and the process make of what was planted.

    python benchmarks/events.py speed
    python benchmarks/events.py planted [CUSTOMERS] [SEED]
    python benchmarks/events.py gain [CUSTOMERS] [SEED]

`speed`: 3,000,000 events of 300,000 customers, a funnel of four steps; goal 5 s. `planted`: the simulated bank
(20,000 customers, 60 months): its five causal kinds should be among the first eight, one irrelevant kind should pass
at most, and its bottleneck should be what customers wait for most. Exit code 1 where a goal is missed. `gain`: what
counts of events add to a model of churn, on the panel of `params/relationships.yaml`: AUC on its last dates.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from workbench.actions import events, foretelling, lift, process
from workbench.actions.funnel import Funnel, funnel
from workbench.panel import build
from workbench.portfolios import catalog, intake, simulated_truth
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.source import Core

STUDY = Path(__file__).parent.parent / "params" / "relationships.yaml"
GOAL, N_EVENTS, N_CUSTOMERS, SEED = 5.0, 3_000_000, 300_000, 1


def log(n: int, customers: int, seed: int) -> pd.DataFrame:
    """Return n events of four kinds and two more, over a year."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, customers, n)
    kinds = np.array(["started", "documents", "approved", "paid_out", "login", "call"])
    at = np.datetime64("2025-01-01", "s") + rng.integers(0, 365 * 86_400, n).astype("timedelta64[s]")
    return pd.DataFrame({"entity_id": [f"c{i}" for i in who], "event_kind": rng.choice(kinds, n), "happened_at": at})


def speed() -> bool:
    """Print the funnel's seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        log(N_EVENTS, N_CUSTOMERS, SEED).to_parquet(path, index=False)
        wall, cpu = time.perf_counter(), time.process_time()
        rows = funnel(path, Funnel(("started", "documents", "approved", "paid_out"), 60))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    closed = rows[~rows["is_open"]]["reached"]
    print("| events | customers who began, window closed | reached the fourth step | s | CPU s |")
    print("| --- | --- | --- | --- | --- |")
    print(f"| {N_EVENTS:,} | {closed.iloc[0]:,} | {closed.iloc[-1]:,} | {wall:.1f} | {cpu:.1f} |")
    return wall <= GOAL


def bank(customers: int, seed: int) -> tuple[Core, dict[str, Any]]:
    """Return the core tables of a simulated bank with their contracts, and what is planted in it."""
    simulation = {"n_customers": customers}
    asked = intake.Params(portfolio="simulated_customers", simulation=simulation, sample_rows=0, seed=seed)
    source = catalog.source("simulated_customers")
    truth = simulated_truth.truth(SimulatedCustomers(**simulation, seed=seed))
    return source.core(source.raw(asked), source.words(asked)), truth


def planted(customers: int, seed: int) -> bool:
    """Print the kinds in their order, and whether what was planted is where it should be."""
    made, known = bank(customers, seed)
    core, step = {name: table for name, (table, _) in made.items()}, events.Params()
    wall = time.perf_counter()
    table = lift.states(core["core__month"], core["core__account"], step.matching)
    rows = lift.lift(core["core__event"], table, step.sure)
    print(f"{len(table):,} customer-months, {len(core['core__event']):,} events: {time.perf_counter() - wall:.1f} s\n")
    kind = rows["event_kind"]
    rows["planted"] = np.select(
        [kind.isin(known["causal_kinds"]), kind.isin(known["irrelevant_kinds"])], ["causal", "irrelevant"], ""
    )
    shown = rows[["event_kind", "planted", "events", "followed", "ratio", "low", "high", "q_value", "passes"]]
    print("| kind | planted | events | followed | ratio (95 %) | q | passes |\n" + "| --- " * 7 + "|")
    for r in shown[shown["passes"] | (shown["planted"] != "")].itertuples():
        ratio = f"{r.ratio:.2f} ({r.low:.2f} to {r.high:.2f})"
        passes = "yes" if r.passes else "no"
        print(
            f"| {r.event_kind} | {r.planted} | {r.events:,} | {r.followed:,} | {ratio} | {r.q_value:.2g} | {passes} |"
        )
    first = sum(rows["planted"].head(8) == "causal")
    false = int((rows["passes"] & (rows["planted"] == "irrelevant")).sum())
    waits = events.bank_waits(process.waits(core["core__event"]), step)
    slowest = waits["event_kind"].iloc[0]
    print(f"\ncausal in the first 8: {first} of 5; irrelevant that pass: {false}; waited for most: {slowest}")
    return first == 5 and false <= 1 and slowest == known["bottleneck"]


def gain(customers: int, seed: int) -> bool:
    """Print AUC on the panel's last dates without and with counts of events."""
    core, _ = bank(customers, seed)
    (account, words), (months, of_months) = core["core__account"], core["core__month"]
    log = core["core__event"][0]
    section = yaml.safe_load(STUDY.read_text())["steps"]["panel/build@churn"]
    step = events.Params(seed=seed)
    panel, contract = build.build(account, words, months, build.Params(**section), of_months)
    kinds = foretelling.kinds_of(lift.lift(log, lift.states(months, account, step.matching), step.sure))
    facts = foretelling.gain_of(panel, contract, log, kinds, step)
    print("| seed | learnt on | tested on | AUC without | with events | gain (95 %) |\n" + "| --- " * 6 + "|")
    interval = f"{facts['gain']:+.4f} ({facts['low']:+.4f} to {facts['high']:+.4f})"
    auc = f"{facts['without']:.4f} | {facts['with_events']:.4f}"
    print(f"| {seed} | {facts['n']:,} | {facts['n_test']:,} | {auc} | {interval} |")
    return facts["low"] > 0


if __name__ == "__main__":
    what, n, seed, *_ = [*sys.argv[1:], *("planted", "20000", "42")[len(sys.argv) - 1 :]]
    sys.exit(0 if (speed() if what == "speed" else {"planted": planted, "gain": gain}[what](int(n), int(seed))) else 1)
