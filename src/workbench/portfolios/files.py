"""Read a raw file as it came: CSV as text, Parquet as it is; whatever is wrong with the file is one clear line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from workbench.contracts import Contract
from workbench.params import UserError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
_DELIMITERS = (",", ";", "\t", "|")
_CUT = 4  # bytes of the longest character: a fault this near the end is a file cut off


def read_raw(path: Path, contract: Contract | None = None) -> pd.DataFrame:
    """Return the table in a CSV, TSV (both may be gzipped) or Parquet file (n × k, n ≥ 1).

    CSV is read as text, so that identifiers keep every digit; an empty value is missing; types come
    with the contract, and so do encoding and delimiter (without one: UTF-8 and comma, tab for .tsv).
    Raises `UserError` with one line for a file that is missing, empty, truncated, in another encoding
    or delimiter, ragged, or of another kind.
    """
    readable(path, contract)
    if path.name.lower().endswith(PARQUET):
        return _parquet(path)
    encoding = contract.encoding if contract else "utf-8-sig"
    return _text(path, encoding, contract.delimiter if contract else _usual_delimiter(path))


def readable(path: Path, contract: Contract | None = None) -> None:
    """Raise `UserError` where a file is missing, empty or of a kind not read here, or its encoding has no such name."""
    _there(path)
    if not path.name.lower().endswith((*PARQUET, *TEXT)):
        raise UserError(f"{path.name}: '{path.suffix}' is not read here; give a .csv, .tsv or .parquet file")
    try:
        codecs.lookup(contract.encoding if contract else "utf-8")
    except LookupError:
        raise UserError(
            f"{path.name}: '{contract.encoding}' is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252"
        ) from None


def dialect(path: Path) -> dict[str, str]:
    """Return the `encoding` and `delimiter` that fit a text file, as a contract names them; {} for Parquet.

    Raises `UserError` where the file isn't there or no encoding fits.
    """
    _there(path)
    if not path.name.lower().endswith(TEXT):
        return {}
    raw = _bytes(path)
    encoding = "utf-8-sig" if _decodes(raw, "utf-8-sig") else _fitting(raw) or "utf-8-sig"
    first = _decoded(path, raw, encoding).split("\n", 1)[0]
    fields = {d: len(next(csv.reader([first], delimiter=d), [])) for d in (_usual_delimiter(path), *_DELIMITERS)}
    return {"encoding": encoding, "delimiter": max(fields, key=lambda d: fields[d])}


def _there(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{path.name}: is a folder; name the file in it")
    if not path.exists():
        near = [p.name for p in path.parent.glob("*") if p.is_file()] if path.parent.is_dir() else []
        where = "the folder is empty" if path.parent.is_dir() else "the folder is not there"
        raise UserError(f"{path.name}: no such file; {nearest(path.name, near) if near else where}")
    if path.stat().st_size == 0:
        raise UserError(f"{path.name}: the file is empty (0 bytes)")


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        _columns_are_plain(path, schema)
        table = pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError) as e:
        first = " ".join(str(e).split())[:100]
        raise UserError(
            f"{path.name}: not a whole Parquet file (truncated or damaged); fetch it again ({first})"
        ) from None
    named = [n for n in table.index.names if n is not None]
    table = table.reset_index(named) if named else table  # a column that pandas kept as the index is a column
    return _with_rows(path, table.reset_index(drop=True))


def _columns_are_plain(path: Path, schema: pa.Schema) -> None:
    import pyarrow as pa

    _names_stand_once(path, list(schema.names))
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise UserError(f"{path.name}: column '{nested[0]}' holds lists or records; give one value per row")


def _text(path: Path, encoding: str, delimiter: str) -> pd.DataFrame:
    content = _decoded(path, _bytes(path), encoding)
    _rows_are_even(path, content, delimiter)
    try:
        table = pd.read_csv(
            io.StringIO(content), sep=delimiter, dtype=str, keep_default_na=False, na_values=[""], index_col=False
        )
    except ValueError as e:  # pandas' ParserError is one
        raise UserError(f"{path.name}: not a table; {' '.join(str(e).split())[:120]}") from None
    return _with_rows(path, table)


def _with_rows(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        raise UserError(f"{path.name}: a header and no rows")
    return table


def _usual_delimiter(path: Path) -> str:
    return "\t" if path.name.lower().endswith((".tsv", ".tsv.gz")) else ","


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise UserError(f"{path.name}: not a whole gzip file (truncated or damaged); fetch it again") from None
    except OSError as e:
        raise UserError(f"{path.name}: can't be read ({e.strerror}); look at its permissions") from None
    if not raw.strip():
        raise UserError(f"{path.name}: the file is empty (nothing but blank lines)")
    if raw.startswith(b"PK\x03\x04"):
        raise UserError(f"{path.name}: an Excel or zip file under the name of a CSV; save it as CSV (UTF-8)")
    return raw


def _decoded(path: Path, raw: bytes, encoding: str) -> str:
    try:
        content = raw.decode(encoding)
    except UnicodeError as e:
        if isinstance(e, UnicodeDecodeError) and 0 < len(raw) - _CUT < e.start:
            raise UserError(f"{path.name}: cut off in the middle of a character; fetch it again") from None
        fits = _fitting(raw)
        hint = f"set `encoding: {fits}` in the contract" if fits else "name its encoding in the contract"
        raise UserError(f"{path.name}: not {encoding}; {hint}") from None
    if "\x00" in content:
        raise UserError(
            f"{path.name}: holds null bytes; is it UTF-16 or no text at all? name its encoding in the contract"
        )
    return content


def _fitting(raw: bytes) -> str:
    """Return the encoding that fits bytes that aren't UTF-8, '' where none does.

    gb18030 (GBK is part of it) reads almost any bytes; Western letters come out as rare characters,
    Chinese text as those of GB 2312.
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16" if _decodes(raw, "utf-16") else ""
    if b"\x00" in raw:
        return ""
    if _decodes(raw, "gb18030"):
        foreign = [c for c in raw.decode("gb18030") if not c.isascii()]
        if sum(_encodes(c, "gb2312") for c in foreign) >= len(foreign) / 2:
            return "gb18030"
    return "cp1252" if _decodes(raw, "cp1252") else ""


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeError:
        return False
    return True


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeError:
        return False
    return True


def _rows_are_even(path: Path, content: str, delimiter: str) -> None:
    """Refuse a file whose rows differ in length: pandas shifts or cuts some of them without a word."""
    rows = csv.reader(io.StringIO(content, newline=None), delimiter=delimiter)
    begins, width = 1, 0
    try:
        for row in rows:
            if not width:
                _header_is_well(path, row, delimiter)
                width = len(row)
            if row and len(row) != width:
                raise UserError(
                    f"{path.name}: rows of different length; line {begins:,} has {len(row)} values, "
                    f"the header {width}: quote values that hold the delimiter"
                )
            begins = rows.line_num + 1
    except csv.Error as e:
        raise UserError(f"{path.name}: line {begins:,}: {e}; is a quotation mark never closed?") from None


def _header_is_well(path: Path, header: list[str], delimiter: str) -> None:
    _names_stand_once(path, header)
    others = [d for d in _DELIMITERS if d != delimiter and d in "".join(header)]
    if len(header) == 1 and others:
        raise UserError(f"{path.name}: one column only; set `delimiter: {_yaml(others[0])}` in the contract")


def _names_stand_once(path: Path, header: list[str]) -> None:
    twice = sorted({h for h in header if header.count(h) > 1})
    if twice:
        raise UserError(f"{path.name}: column '{twice[0]}' stands twice in the header; rename one")


def _yaml(delimiter: str) -> str:
    return '"\\t"' if delimiter == "\t" else f"'{delimiter}'"  # '\t' in single quotes is two characters to YAML
