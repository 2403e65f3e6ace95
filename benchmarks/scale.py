"""A large bank through the workbench: N customers x 36 months; intake with every check, panel (against DuckDB told the
same SQL), scores and drift.

    python benchmarks/scale.py 1000000

Each stage runs in a process of its own, so that its peak memory is its own. The bank is made in a temporary folder.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from workbench import contracts, engine
from workbench.contracts import Column, Contract
from workbench.panel import bins, build

MONTHS, AS_OF, BLOCK = 36, ("2021-07", "2022-06"), 100_000
GOAL_RATIO, GOAL_GB = 1.15, 6.0
DEFAULT = {"event": "delay_months >= 3", "eligible": "delay_months < 3", "window_months": 6}
P = build.Params(
    study="scale",
    outcome=DEFAULT,
    as_of_from=AS_OF[0],
    as_of_to=AS_OF[1],
    observation_months=12,
    monitoring_from="2022-01",
)
ACCOUNT = Contract(
    name="core__account",
    title="scale",
    columns=(
        Column(name="entity_id", type="text", role="key"),
        Column(name="limit_amt", type="number", aspect="size"),
        Column(name="income_amt", type="number", aspect="capacity"),
        Column(name="region_code", type="category"),
    ),
)


MONTH = Contract(
    name="month",
    title="scale",
    entity="month",
    columns=(
        Column(name="entity_id", type="text", role="key"),
        Column(name="month", type="date", role="as_of"),
        Column(name="delay_months", type="integer", role="fact", minimum=0, maximum=36),
        *(
            Column(name=f"{name}_amt", type="number", role="fact", minimum=0)
            for name in ("balance", "payment", "due", "deposit")
        ),
        Column(name="n_inquiries", type="integer", role="fact", minimum=0),
        Column(name="status_code", type="category", role="fact", values={c: c for c in ("paid_duly", "revolving")}),
        Column(name="card_rate", type="number", role="fact", minimum=0, maximum=1),
    ),
)


def _number(seed: int, of: int = 1000) -> str:
    return f"CAST(hash(i * {MONTHS} + t + {seed} * 1000003) % {of} AS DOUBLE)"


def bank(folder: Path, customers: int) -> None:
    """Write accounts and months (10 columns), customer by customer."""
    key = "'C' || lpad(CAST(i AS VARCHAR), 8, '0') AS entity_id"
    account = f"""SELECT {key}, 1000e0 + hash(i) % 9000 AS limit_amt, 900e0 + hash(i + 7) % 4000 AS income_amt,
        CASE WHEN hash(i + 3) % 2 = 0 THEN 'north' ELSE 'south' END AS region_code FROM range({customers}) r(i)"""
    engine.write(account, {}, folder / "account.parquet", ["entity_id"])
    month = f"""SELECT {key}, CAST(DATE '2020-01-01' + to_months(CAST(t AS INTEGER)) AS TIMESTAMP) AS month,
        CASE WHEN {_number(1)} < 930 THEN 0e0 WHEN {_number(1)} < 975 THEN 1e0
            WHEN {_number(1)} < 990 THEN 2e0 ELSE 3e0 END AS delay_months,
        {_number(2, 800000)} / 100 AS balance_amt, {_number(3, 90000)} / 100 AS payment_amt,
        {_number(4, 70000)} / 100 AS due_amt, {_number(5, 300000)} / 100 AS deposit_amt,
        CAST(hash(i + t) % 5 AS INTEGER) AS n_inquiries,
        CASE WHEN {_number(6)} < 500 THEN 'paid_duly' ELSE 'revolving' END AS status_code,
        {_number(8, 1000)} / 1000 AS card_rate
        FROM range({{low}}, {{high}}) r(i), range({MONTHS}) s(t)"""
    parts = []
    for low in range(0, customers, BLOCK):
        parts.append(folder / f"month_{low:09d}.parquet")
        text = month.format(low=low, high=min(low + BLOCK, customers))
        engine.write(text, {}, parts[-1], ["entity_id", "month"])
    engine.write("SELECT * FROM parts", {"parts": tuple(parts)}, folder / "month.parquet")
    for part in parts:
        part.unlink()


def intake(folder: Path, customers: int) -> dict[str, float]:
    """Take the bank's files in as the notebook does: every check, quality, grain, personal data, snapshot."""
    from workbench.portfolios import grain, quality
    from workbench.portfolios import intake as step

    words = {"account": ACCOUNT.model_copy(update={"name": "account"}), "month": MONTH}
    for name, contract in words.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(contract.model_dump(mode="json")))
    given = {kind: {n: str(folder / f"{n}.{kind}") for n in words} for kind in ("parquet", "yaml")}
    p = step.Params(portfolio="own_files", files=given["parquet"], contracts=given["yaml"], sample_rows=0)
    raw = step.raw_tables(p)
    checked, findings = step.check(raw, p)
    quality.measure(checked, words, findings)
    grain.examine(checked, words)
    clean, _ = step.depersonalised(checked, raw, p)
    taken = step.snapshot(step.core(clean, raw, p), p)
    return {"rows": int(taken.table["rows"].sum()), "findings": len(findings)}


def _facts(folder: Path) -> build.Facts:
    return build.Facts(folder / "account.parquet", ACCOUNT, folder / "month.parquet")


def panel(folder: Path, customers: int) -> dict[str, float]:
    """Make the panel through the product."""
    made = build.make_from(_facts(folder), P)
    made.path.replace(folder / "panel.parquet")
    (folder / "made.json").write_text(json.dumps([dict(made.sql), made.contract.model_dump(mode="json")]))
    return {"rows": made.rows, "features": len(made.contract.features())}


def direct(folder: Path, customers: int) -> dict[str, float]:
    """Hand the same texts to DuckDB directly, with the same threads, memory and order of rows."""
    import duckdb

    texts, _ = json.loads((folder / "made.json").read_text())
    con = duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(folder / "spill"), "threads": _threads()})
    for name in ("account", "month"):
        con.execute(f"CREATE VIEW {name}s AS SELECT * FROM '{folder / name}.parquet'")
    con.register("calendar", build.cohort(_facts(folder), _outcome(), *AS_OF, 12).calendar)
    held = f"SELECT DISTINCT parent_id FROM '{folder}/panel.parquet' WHERE sample = 'holdout'"
    con.execute(f"CREATE TABLE held AS {held}")
    for name, text in texts.items():
        out = folder / f"direct_{name}.parquet"
        ordered = f"SELECT * FROM ({text}) ORDER BY entity_id, as_of_date"
        con.execute(f"COPY ({ordered}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
        view = {"cohort": "cohort", "samples": "sampled", "panel": "panel"}[name]
        con.execute(f"CREATE VIEW {view} AS SELECT * FROM '{out}'")
    return {"rows": con.execute("SELECT count(*) FROM panel").fetchall()[0][0]}


def _outcome() -> contracts.Outcome:
    return contracts.Outcome(**DEFAULT)


def _threads() -> int:
    return int(os.environ.get("WORKBENCH_THREADS") or len(os.sched_getaffinity(0)))


def _learnt(folder: Path) -> tuple[list[str], pd.DataFrame]:
    contract = Contract.model_validate(json.loads((folder / "made.json").read_text())[1])
    numbers = [c.name for c in contract.features() if c.type == "number"]
    text = f"SELECT {', '.join(numbers)}, outcome FROM panel WHERE sample = 'development' LIMIT 50000"
    return numbers, engine.frame(text, {"panel": folder / "panel.parquet"})


def score(folder: Path, customers: int) -> dict[str, float]:
    """Score every row of the panel in batches, with boosted trees learnt on 50,000 rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    numbers, learn = _learnt(folder)
    model = HistGradientBoostingClassifier(max_iter=50).fit(learn[numbers], learn["outcome"])

    def predict(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[["entity_id", "as_of_date"]].assign(predicted=model.predict_proba(rows[numbers])[:, 1])

    text = f"SELECT entity_id, as_of_date, {', '.join(numbers)} FROM panel"
    return {"rows": engine.transform(text, {"panel": folder / "panel.parquet"}, predict, folder / "scores.parquet")}


def monitor(folder: Path, customers: int) -> dict[str, float]:
    """Count the bins of 30 features by month, all in one pass."""
    numbers, learn = _learnt(folder)
    frozen = [bins.quantile_bins(learn[n]) for n in numbers[:30]]
    counts = bins.counted(folder / "panel.parquet", frozen, "as_of_date")
    return {"columns": counts["name"].nunique(), "periods": counts["by"].nunique()}


STAGES = {f.__name__: f for f in (bank, intake, panel, direct, score, monitor)}


def _stage(name: str, folder: Path, customers: int) -> None:
    begin, before = time.perf_counter(), time.process_time()
    facts = STAGES[name](folder, customers) or {}
    facts |= {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - before}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({**facts, "peak_gb": peak}))


def main() -> None:
    """Run every stage and print seconds, CPU seconds, peak memory; the ratio to DuckDB told the same SQL."""
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        for name in STAGES:
            command = [sys.executable, __file__, name, folder, str(customers)]
            environment = {**os.environ, "WORKBENCH_HOME": folder}
            out = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
            facts = json.loads(out.splitlines()[-1])
            seconds[name] = facts["seconds"]
            print(f"{name:8}", "  ".join(f"{k} {v:,.1f}" for k, v in facts.items()), flush=True)
    print(
        f"panel {seconds['panel'] / seconds['direct']:.2f} x DuckDB directly (goal {GOAL_RATIO}); "
        f"memory goal {GOAL_GB} GB"
    )


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _stage(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
