"""Compute a contract's SQL columns from its file's, by DuckDB, with no way out to other files."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import engine
from workbench.contracts import Column, Contract, by_clock
from workbench.contracts.computed import named
from workbench.params import UserError
from workbench.portfolios.large import LargeTable

_TYPES = {"number": "DOUBLE", "integer": "DOUBLE", "date": "TIMESTAMP", "category": "VARCHAR", "text": "VARCHAR"}


def with_computed(raw: pd.DataFrame | LargeTable, contract: Contract) -> pd.DataFrame | LargeTable:
    """Return the raw table (n × k) with the contract's computed columns added, each in its type, rows in order.

    Raises `UserError` that names the column and what DuckDB said of its expression.
    """
    columns = [c for c in contract.columns if c.sql]
    if not columns:
        return raw
    return raw.assign(**{c.file_name: _values(raw, c, contract) for c in columns})


def _values(raw: pd.DataFrame | LargeTable, column: Column, contract: Contract) -> pd.Series:
    import pyarrow as pa

    wanted = {n.casefold() for part in named(column.sql) for n in part}
    columns = [c for c in raw.columns if str(c).casefold() in wanted]
    arrays = {str(c): pa.Array.from_pandas(by_clock(raw[c])) for c in columns}
    file = pa.table({"row number": np.arange(len(raw)), **arrays})
    query = f'SELECT CAST((\n{column.sql}\n) AS {_TYPES[column.type]}) AS value FROM file ORDER BY "row number"'
    try:
        values = engine.apart(query, {"file": file})["value"].to_pandas()
    except ValueError as e:
        raise UserError(f"contract '{contract.name}': column '{column.name}': sql: {e}") from None
    if len(values) != len(raw):
        raise UserError(
            f"contract '{contract.name}': column '{column.name}': sql: gives {len(values):,} values for {len(raw):,} "
            "rows; write an expression of one value a row, without unnest"
        )
    return values if isinstance(raw, LargeTable) else values.set_axis(raw.index)
