"""How much of a raw file is read, in one place: unpacked bytes, rows, columns, cells; larger is refused by name."""

from __future__ import annotations

from workbench.params import UserError

MOST_BYTES = 4 * 2**30  # of text, unpacked
EXPANSION = 200  # unpacked to packed bytes; tables of text come to 3 to 50
UNPACKED_ANYWAY = 64 * 2**20  # small files may expand as they like
MOST_ROWS = 100_000_000
MOST_COLUMNS = 10_000
MOST_CELLS = 500_000_000  # 4 GB of decimal numbers
LONGEST_CELL = 131_072  # characters
LONGEST_NAME = 500  # characters of a column's name


def unpacked(name: str, size: int, packed: int) -> None:
    """Raise `UserError` where a file of `packed` bytes has come to more than `size` bytes may be."""
    if size > MOST_BYTES:
        raise UserError(f"{name}: more than {MOST_BYTES >> 30} GB of text; give it as Parquet or in parts")
    if size > UNPACKED_ANYWAY and size > EXPANSION * packed:
        raise UserError(
            f"{name}: unpacks to more than {EXPANSION} times its size ({packed:,} bytes); "
            "give it unpacked, if it is a table at all"
        )


def shape(name: str, rows: int, columns: int) -> None:
    """Raise `UserError` where a table has more rows, columns or cells than are read."""
    if columns > MOST_COLUMNS:
        raise UserError(f"{name}: {columns:,} columns, at most {MOST_COLUMNS:,} are read; leave out what isn't needed")
    if rows > MOST_ROWS or rows * columns > MOST_CELLS:
        raise UserError(
            f"{name}: {rows:,} rows of {columns:,} columns, at most {MOST_ROWS:,} rows and {MOST_CELLS:,} cells "
            "are read; give it in parts"
        )
