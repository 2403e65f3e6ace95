"""One panel on DuckDB and on a Spark Connect server that runs already (docs/scale.md says how): every cell to 1e-9.

python benchmarks/spark.py spark://127.0.0.1:15002 [CUSTOMERS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from scale import P, _facts, bank

from workbench.panel import build


def _panel(folder: Path, engine: str) -> tuple[pd.DataFrame, float]:
    os.environ["WORKBENCH_ENGINE"] = engine
    began = time.perf_counter()
    made = build.make_from(_facts(folder), P)
    return pd.read_parquet(made.path), time.perf_counter() - began


def main(address: str, customers: int) -> None:
    """Print rows, columns and seconds on either engine; stop with pandas' word on the first cell that differs."""
    with tempfile.TemporaryDirectory(prefix="spark-") as place:
        os.environ["WORKBENCH_HOME"], folder = place, Path(place)
        bank(folder, customers)
        here, seconds = _panel(folder, "duckdb")
        there, seconds_there = _panel(folder, address)
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=1e-9, check_dtype=False)
    numbers = here.select_dtypes("number")
    worst = ((there[list(numbers)] - numbers).abs() / numbers.abs().clip(lower=1)).max().max()
    print(
        f"{len(here):,} rows x {here.shape[1]} columns equal, largest difference {worst:.1e}; "
        f"DuckDB {seconds:.1f} s, Spark {seconds_there:.1f} s"
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
