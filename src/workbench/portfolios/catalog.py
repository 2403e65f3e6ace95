"""What data there is: the embedded portfolios, the simulated bank, and a bank's own file by contract."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pandas as pd

from workbench import contracts
from workbench.contracts import Contract
from workbench.params import UserError, nearest

DATA = Path(__file__).parent / "data"
SIMULATED = "simulated_bank"
OWN_FILE = "own_file"


def embedded() -> dict[str, Contract]:
    """Return the contracts of the data sets shipped in the package, by portfolio name."""
    found = {p.stem: contracts.load(p) for p in sorted(DATA.glob("*.yaml")) if "__" not in p.stem}
    return {name: contract for name, contract in found.items() if raw_file(name).exists()}


def raw_file(name: str) -> Path:
    """Return where the raw file of an embedded portfolio lies."""
    return DATA / f"{name}.parquet"


def source(name: str) -> ModuleType | None:
    """Return the portfolio's own module (raw to core tables), None where one table needs no reshaping."""
    if not (Path(__file__).parent / f"{name}.py").exists():
        return None
    return import_module(f"workbench.portfolios.{name}")


def known(name: str) -> str:
    """Return the name, or raise `UserError` with the nearest right one."""
    names = [*(p.stem for p in DATA.glob("*.yaml") if "__" not in p.stem), SIMULATED, OWN_FILE]
    if name not in names:
        raise UserError(f"portfolio '{name}' is unknown; {nearest(name, names)}")
    return name


def listing() -> pd.DataFrame:
    """Return one row per portfolio: name, title, rows, columns, outcome, licence."""
    import pyarrow.parquet as pq

    rows = []
    for name, contract in embedded().items():
        meta = pq.read_metadata(raw_file(name))
        outcome = ", ".join(contract.named("outcome")) or "-"
        rows.append((name, contract.title, meta.num_rows, meta.num_columns, outcome, contract.licence))
    rows.append((SIMULATED, "Simulated bank (not real customers)", None, None, "default in 6 months", "made here"))
    rows.append((OWN_FILE, "a bank's own CSV or Parquet file, by contract", None, None, "by contract", "its owner's"))
    return pd.DataFrame(rows, columns=["portfolio", "title", "rows", "columns", "outcome", "licence"])
