"""Whether the area alarm rings when something happens in one region, and keeps quiet when nothing does.

    python benchmarks/early_warning.py [RUNS]

Simulated banks (`simulated_customers`) of 20,000 customers over 48 months, each of another seed, with a shock in one
region and at one employer from the 42nd month on: late payments there become exp(1.5) times as likely. For each: in
which cycle after its begin region and employer rang (1: the first month), and how often any region or employer rang in
the 24 months before. Arrears that begin (one month late or more) by area against the rest of the bank and the area's
past 12 months; no score is used, so that every customer is of one grade: the step itself holds like against like, too.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from workbench import engine, rules
from workbench.actions import area_alarm
from workbench.panel.months import number
from workbench.portfolios import simulated_whole
from workbench.portfolios.simulated_customers import SHOCK_EMPLOYER, SHOCK_REGION, SimulatedCustomers

CUSTOMERS, MONTHS, SHOCK, CLEAN, BASELINE = 20_000, 48, "2018-06", 24, 12
AREAS = ["region_code", "employer_code"]
PLANTED = {("region_code", SHOCK_REGION), ("employer_code", SHOCK_EMPLOYER)}


def bank(seed: int) -> pd.DataFrame:
    """Return arrears that began and that were expected, by area and month, of one simulated bank."""
    p = SimulatedCustomers(n_customers=CUSTOMERS, n_months=MONTHS, shock_month=SHOCK, topic_month=SHOCK, seed=seed)
    parts = []
    for tables in simulated_whole.blocks(p):
        months = engine.frame(
            """SELECT customer_id AS entity_id, month, floor(max(days_past_due) / 30) AS delay_months
            FROM monthly GROUP BY ALL""",
            {"monthly": tables["monthly"][["customer_id", "month", "days_past_due"]]},
        )
        people = tables["customer"][["customer_id", *AREAS]]
        nobody = pd.DataFrame({"entity_id": pd.Series([], dtype="str"), "month_no": [], "grade_no": []})
        parts.append(area_alarm.counts(months, people, nobody, "delay_months >= 1", "customer_id", AREAS))
    whole = pd.concat(parts).groupby(["column", "area", "month_no", "grade_no"], as_index=False)[["n", "starts"]].sum()
    return area_alarm.standardised(whole)


def main() -> int:
    """Print one row a bank, and how many rang in their first month."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    level, shock = rules.load().number("area_alarm"), number(pd.Timestamp(SHOCK))
    print("| seed | region rang in cycle | employer rang in cycle | false in 24 clean months | false in the shock |")
    print("| --- | --- | --- | --- | --- |")
    for seed in range(1, runs + 1):
        table = area_alarm.alarms(bank(seed), BASELINE, level)
        rang = table[table["alarm"]]
        named = np.array([(c, a) in PLANTED for c, a in zip(rang["column"], rang["area"], strict=True)], bool)
        after = rang[named & (rang["month_no"] >= shock)]
        first = after.groupby("column")["month_no"].min() - shock + 1
        clean = rang[(rang["month_no"] < shock) & (rang["month_no"] >= shock - CLEAN)]
        astray = rang[~named & (rang["month_no"] >= shock)]
        cycles = [f"{first[c]:g}" if c in first else "never" for c in AREAS]
        print(f"| {seed} | {cycles[0]} | {cycles[1]} | {len(clean)} | {len(astray)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
