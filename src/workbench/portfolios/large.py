"""A table too large for memory: its columns lie at rest in Parquet files and are taken one at a time.

It answers as a pandas table does to what the intake asks of both: length, shape, columns, one column, rows by position,
columns added and dropped. By hand: pandas' own readers hold the whole table, and the checks speak pandas.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from workbench import engine

CELLS_IN_MEMORY = 100_000_000  # 0.8 GB of decimal numbers; the checks hold three times as much
BATCH_ROWS = 500_000


@dataclass(frozen=True)
class _At:
    """Where a column lies: a file, its name there, the folder to be kept as long as it is asked for."""

    file: Path
    name: str
    folder: _Folder | None = None


class _Folder:
    """A folder that goes with the last column in it."""

    def __init__(self) -> None:
        self.path = engine.scratch()
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class LargeTable:
    """Columns (k, each n values) at rest; made by `of_file` and `of_columns`, never changed."""

    def __init__(self, places: Mapping[str, _At], rows: int):
        self._places, self._rows = dict(places), rows

    @classmethod
    def of_file(cls, path: Path, folder: _Folder | None = None) -> Self:
        """Return the table in a Parquet file; an index without a name, as pandas writes it, is no column."""
        import pyarrow.parquet as pq

        names = [n for n in pq.read_schema(path).names if not n.startswith("__index_level_")]
        return cls({n: _At(path, n, folder) for n in names}, pq.read_metadata(path).num_rows)

    @classmethod
    def of_columns(cls, columns: Iterable[tuple[str, pd.Series]]) -> Self:
        """Return the table of named columns of one length, each written as it comes and not held."""
        folder = _Folder()
        places, rows = {}, 0
        for name, values in columns:
            places[name], rows = _written(values, name, folder, len(places)), len(values)
        return cls(places, rows)

    @classmethod
    def of_parts(cls, parts: Iterable[pd.DataFrame]) -> Self:
        """Return the table of parts of text (m × k each, in order), each written as it comes and not held."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder, writer = _Folder(), None
        path = folder.path / "parts.parquet"
        try:
            for part in parts:
                schema = pa.schema([(str(n), pa.large_string()) for n in part.columns])
                writer = writer or pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)
                writer.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))
        finally:
            if writer is not None:
                writer.close()
        return cls.of_file(path, folder)

    def __len__(self) -> int:
        return self._rows

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __getitem__(self, name: str) -> pd.Series:
        from workbench.portfolios import parquet

        at = self._places[name]
        return parquet.one_column(at.file, at.name).rename(name)

    @property
    def columns(self) -> pd.Index:
        """Names of the columns (k)."""
        return pd.Index(self._places, dtype=object)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._rows, len(self._places)

    @property
    def empty(self) -> bool:
        """Whether there are no rows."""
        return not self._rows

    def take(self, positions: Sequence[int] | np.ndarray) -> pd.DataFrame:
        """Return these rows (positions from 0, m) in memory, each under its position."""
        at = np.asarray(positions, int)
        return pd.DataFrame({n: self[n].take(at) for n in self._places}, index=pd.Index(at))

    def whole(self) -> pd.DataFrame:
        """Return the table (n × k) in memory."""
        return pd.DataFrame({n: self[n] for n in self._places})

    def assign(self, **columns: pd.Series) -> Self:
        """Return the table with columns (n each) added or replaced."""
        folder = _Folder()
        new = {n: _written(values, n, folder, i) for i, (n, values) in enumerate(columns.items())}
        return type(self)({**self._places, **new}, self._rows)

    def drop(self, columns: Iterable[str]) -> Self:
        """Return the table without these columns."""
        gone = set(columns)
        return type(self)({n: at for n, at in self._places.items() if n not in gone}, self._rows)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """Return the table of these columns, in this order, under other names."""
        return type(self)({new: self._places[old] for old, new in names.items()}, self._rows)

    def ordered(self, order: Sequence[str], condition: str = "TRUE", **relations: engine.Relation) -> Self:
        """Return the rows for which an SQL condition holds, sorted by the `order` of these columns, by the engine."""
        folder = _Folder()
        path = folder.path / "ordered.parquet"
        text = f"SELECT * FROM large WHERE {condition}"
        engine.write(text, {"large": self.file(folder.path / "large.parquet"), **relations}, path, order)
        return type(self).of_file(path, folder)

    def file(self, path: Path) -> Path:
        """Write the table to one Parquet file, batch by batch, and return its path."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([pq.read_schema(at.file).field(at.name).with_name(n) for n, at in self._places.items()])
        with ExitStack() as opened:
            files = [opened.enter_context(pq.ParquetFile(at.file)) for at in self._places.values()]
            batches = [
                f.iter_batches(BATCH_ROWS, columns=[at.name])
                for f, at in zip(files, self._places.values(), strict=True)
            ]
            target = pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)
            out = opened.enter_context(target)
            for rows in zip(*batches, strict=True):
                out.write_batch(pa.record_batch([batch.column(0) for batch in rows], schema=schema))
        return path


def is_large(rows: int, columns: int) -> bool:
    """Say whether a table of this shape is taken column by column."""
    return rows * columns > CELLS_IN_MEMORY


def in_memory(table: pd.DataFrame | LargeTable) -> pd.DataFrame:
    """Return the table (n × k) in memory."""
    return table.whole() if isinstance(table, LargeTable) else table


def _written(values: pd.Series, name: str, folder: _Folder, number: int) -> _At:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder.path / f"{number}.parquet"
    table = pa.table({name: pa.Array.from_pandas(values)})
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)
    return _At(path, name, folder)
