"""Read a raw file as it came: CSV as text, Parquet as it is; whatever is wrong with the file is one clear line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from workbench.contracts import Contract
from workbench.params import UserError, nearest

TEXT, PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")
_OTHER_ENCODINGS = ("utf-16", "gb18030")  # GBK is part of gb18030


def read_raw(path: Path, contract: Contract | None = None) -> pd.DataFrame:
    """Return the table in a CSV or Parquet file (n × k).

    CSV is read as text, so that identifiers keep every digit; types come with the contract. Encoding,
    delimiter and thousand separators are the contract's. Raises `UserError` with one line for a file
    that is missing, empty, truncated, in another encoding, ragged, or of another kind.
    """
    _there(path)
    if path.suffix.lower() in PARQUET:
        return _parquet(path)
    if path.suffix.lower() in TEXT:
        return _text(path, contract)
    raise UserError(f"{path.name}: '{path.suffix}' is not read here; give a .csv, .tsv or .parquet file")


def _there(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"{path.name}: is a folder; name the file in it")
    if not path.exists():
        near = [p.name for p in path.parent.glob("*") if p.is_file()] if path.parent.is_dir() else []
        raise UserError(f"{path.name}: no such file; {nearest(path.name, near) if near else 'the folder is not there'}")
    if path.stat().st_size == 0:
        raise UserError(f"{path.name}: the file is empty (0 bytes)")


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError) as e:
        first = " ".join(str(e).split())[:100]
        raise UserError(
            f"{path.name}: not a whole Parquet file (truncated or damaged); fetch it again ({first})"
        ) from None


def _text(path: Path, contract: Contract | None) -> pd.DataFrame:
    encoding = contract.encoding if contract else "utf-8-sig"
    delimiter = contract.delimiter if contract else ("\t" if path.suffix.lower() == ".tsv" else ",")
    content = _decoded(path, encoding)
    header = next(csv.reader(io.StringIO(content.split("\n", 1)[0]), delimiter=delimiter), [])
    _header_is_well(path, header, content, delimiter)
    try:
        table = pd.read_csv(io.StringIO(content), sep=delimiter, dtype=str, keep_default_na=False, on_bad_lines="error")
    except pd.errors.ParserError as e:
        raise UserError(f"{path.name}: rows of different length; {' '.join(str(e).split())[:120]}") from None
    except ValueError as e:
        raise UserError(f"{path.name}: not a table; {' '.join(str(e).split())[:120]}") from None
    if not len(table):
        raise UserError(f"{path.name}: a header and no rows")
    return table.replace("", None)


def _decoded(path: Path, encoding: str) -> str:
    raw = path.read_bytes()
    try:
        content = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        fits = [e for e in _OTHER_ENCODINGS if _decodes(raw, e)]
        hint = f"set `encoding: {fits[0]}` in the contract" if fits else "name its encoding in the contract"
        raise UserError(f"{path.name}: not {encoding}; {hint}") from None
    if "\x00" in content:
        raise UserError(
            f"{path.name}: holds null bytes; is it UTF-16 or no text at all? name its encoding in the contract"
        )
    return content


def _decodes(raw: bytes, encoding: str) -> bool:
    if encoding == "utf-16" and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return False
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _header_is_well(path: Path, header: list[str], content: str, delimiter: str) -> None:
    twice = sorted({h for h in header if header.count(h) > 1})
    if twice:
        raise UserError(f"{path.name}: column '{twice[0]}' stands twice in the header; rename one")
    others = [d for d in (";", "\t", "|", ",") if d != delimiter and d in content.split("\n", 1)[0]]
    if len(header) == 1 and others:
        raise UserError(f"{path.name}: one column only; set `delimiter: {others[0]!r}` in the contract")
