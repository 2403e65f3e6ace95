"""A Parquet file as a table in memory: plain columns, text that is text, pages that keep their checksums."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from workbench.params import UserError
from workbench.portfolios import limits
from workbench.portfolios.delimited import names_are_well
from workbench.words import say

if TYPE_CHECKING:
    import pyarrow as pa

UNCHECKED = say("The pages of the file hold no checksums: a changed bit in it would not be noticed.")
_INTEGER = 0x15  # a 32-bit integer one field further on, in Thrift's compact protocol
_HEAD = 64  # bytes that hold the first fields of a page's header


def read(path: Path) -> pd.DataFrame:
    """Return the table in a Parquet file (n × k); raise `UserError` with one line for whatever is wrong with it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        shape(path)
        table = pq.read_table(path, page_checksum_verification=True)
        _is_text(path, table)
        return _without_index(table.to_pandas())
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as e:
        raise UserError(f"{path.name}: {_damage(str(e))}") from None


def shape(path: Path) -> tuple[int, int]:
    """Return rows and columns; `UserError` where the columns aren't plain, or the file is damaged or beyond limits."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        _plain(path, pq.read_schema(path))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as e:
        raise UserError(f"{path.name}: {_damage(str(e))}") from None
    limits.shape(path.name, metadata.num_rows, metadata.num_columns)
    return metadata.num_rows, metadata.num_columns


def names(path: Path) -> list[str]:
    """Return the names of the columns; `UserError` as in `shape`."""
    import pyarrow.parquet as pq

    shape(path)
    return [str(n) for n in pq.read_schema(path).names]


def one_column(path: Path, name: str) -> pd.Series:
    """Return one column (n) and read no other; `UserError` as in `read`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=[name], page_checksum_verification=True)
        _is_text(path, table)
        return table.column(0).to_pandas()
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as e:
        raise UserError(f"{path.name}: {_damage(str(e))}") from None


def is_checked(path: Path) -> bool:
    """Say whether the first page of every column holds a checksum (CRC 32), so that damage is seen."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        groups = pq.read_metadata(path)
        chunks = [
            groups.row_group(g).column(c) for g in range(groups.num_row_groups) for c in range(groups.num_columns)
        ]
        with path.open("rb") as file:
            return all(_has_checksum(file, c.dictionary_page_offset or c.data_page_offset) for c in chunks)
    except (pa.ArrowException, OSError, ValueError) as e:
        raise UserError(f"{path.name}: {_damage(str(e))}") from None


def _plain(path: Path, schema: pa.Schema) -> None:
    import pyarrow.types as t

    names_are_well(path.name, [str(n) for n in schema.names])
    for field in schema:
        kind = field.type.value_type if t.is_dictionary(field.type) else field.type
        if t.is_nested(kind):
            raise UserError(f"{path.name}: column '{field.name}' holds lists or records; give one value per row")
        if t.is_binary(kind) or t.is_large_binary(kind) or t.is_fixed_size_binary(kind) or t.is_binary_view(kind):
            raise UserError(
                f"{path.name}: column '{field.name}' holds bytes, not text; export it as text or leave it out"
            )
        read = (t.is_string, t.is_large_string, t.is_string_view, t.is_integer, t.is_floating, t.is_boolean, t.is_null)
        if not any(is_kind(kind) for is_kind in (*read, t.is_date, t.is_timestamp, t.is_decimal)):
            raise UserError(f"{path.name}: column '{field.name}' holds {kind}; give text, numbers or dates")


def _is_text(path: Path, table: pa.Table) -> None:
    import pyarrow as pa

    for name in table.column_names:
        try:
            table.column(name).validate(full=True)
        except pa.ArrowInvalid:
            raise UserError(
                f"{path.name}: column '{name}' holds text that is not UTF-8; export it as UTF-8 or leave it out"
            ) from None


def _without_index(table: pd.DataFrame) -> pd.DataFrame:
    named = [n for n in table.index.names if n is not None]
    table = table.reset_index(named) if named else table  # a column that pandas kept as the index is a column
    return table.reset_index(drop=True).set_axis([str(c) for c in table.columns], axis=1)


def _damage(message: str) -> str:
    if "CRC" in message:
        return "a page does not keep its checksum, the file is damaged; fetch it again"
    first = " ".join(message.encode("ascii", "replace").decode().split())[:100]
    return f"not a whole Parquet file (truncated or damaged); fetch it again ({first})"


def _has_checksum(file: io.BufferedReader, offset: int) -> bool:
    """A page's header begins with type, unpacked and packed size, and, where it has one, the checksum (field 4)."""
    file.seek(offset)
    head = file.read(_HEAD)
    at = 0
    for _ in range(3):
        if head[at] != _INTEGER:
            return False
        at = next(i for i in range(at + 1, len(head)) if head[i] < 0x80) + 1  # a varint ends with a byte below 128
    return head[at] == _INTEGER
