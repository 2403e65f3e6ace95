"""Read a raw file as it came: CSV as text, Parquet as it is; whatever is wrong with the file is one clear line."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pandas as pd

from workbench.contracts import Contract
from workbench.params import UserError, nearest
from workbench.portfolios import delimited, encodings, limits, parquet, signatures
from workbench.portfolios.large import BATCH_ROWS, LargeTable, in_memory, is_large

TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
_READ = f"{', '.join((*TEXT, *PARQUET)[:-1])} or {PARQUET[-1]}"
_SHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".et")
_CHUNK = 2**20
_SAMPLE = 2**22  # bytes looked at to tell an encoding
_WIDE = ("utf-16", "utf-32")  # ASCII isn't part of them


def read_raw(path: Path, contract: Contract | None = None) -> pd.DataFrame:
    """Return the table in a CSV, TSV (both may be gzipped) or Parquet file (n × k, n ≥ 1), in memory; see `opened`."""
    return in_memory(opened(path, contract))


def opened(path: Path, contract: Contract | None = None) -> pd.DataFrame | LargeTable:
    """Return the table in a file (n × k, n ≥ 1), column by column from disk where it is too large for memory.

    CSV is read as text, so that identifiers keep every digit; an empty value is missing; types come
    with the contract, and so do encoding and delimiter (without one: UTF-8 and comma, tab for .tsv).
    It is read in pieces, within the limits of `portfolios.limits`. Raises `UserError` with one line for a
    file that is missing, empty, truncated, too large, in another encoding or delimiter, in two encodings,
    ragged, without a header, or of another kind.
    """
    readable(path, contract)
    if path.name.lower().endswith(PARQUET):
        large = is_large(*parquet.shape(path))
        return _with_rows(path, LargeTable.of_file(path) if large else parquet.read(path))
    encoding = contract.encoding if contract else "utf-8-sig"
    _is_in(path, encoding)
    delimiter = contract.delimiter if contract else _usual_delimiter(path)
    rows, columns = delimited.well_formed(
        path.name, _lines(path, encoding), delimiter, [c.file_name for c in contract.columns] if contract else ()
    )
    return _with_rows(path, _parsed(path, encoding, delimiter, is_large(rows, columns)))


def readable(path: Path, contract: Contract | None = None) -> None:
    """Raise `UserError` where a file is missing, empty or of a kind not read here, or its encoding has no such name."""
    _there(path)
    if not path.name.lower().endswith((*PARQUET, *TEXT)):
        to_do = "save it as CSV UTF-8" if path.name.lower().endswith(_SHEETS) else f"give {_READ}"
        raise UserError(f"{path.name}: '{path.suffix}' is not read here; {to_do}")
    if contract and not encodings.is_encoding(contract.encoding):
        raise UserError(f"{path.name}: {contract.encoding!r} is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252")


def header(path: Path, contract: Contract) -> list[str]:
    """Return the names of a `readable` file's columns and look at nothing else: whether it is whole, `opened` says."""
    if path.name.lower().endswith(PARQUET):
        return parquet.names(path)
    try:
        with io.TextIOWrapper(_bytes(path), contract.encoding, errors="replace", newline="") as lines:
            return delimited.first_record(path.name, lines, contract.delimiter)
    except UnicodeError:  # of UTF-16 and UTF-32 without a byte order mark nothing can be replaced
        _refuse(path, contract.encoding)


def dialect(path: Path) -> dict[str, str]:
    """Return the `encoding` and `delimiter` that fit a text file, as a contract names them; {} for Parquet.

    Raises `UserError` where the file isn't there or no encoding fits.
    """
    _there(path)
    if not path.name.lower().endswith(TEXT):
        return {}
    _holds_text(path)
    encoding = encodings.seven_bit(_sample(path)) or ("utf-8-sig" if _is_utf8(path) else "")
    is_cut_off = encodings.decodes(_chunks(path), "utf-8-sig", whole=False) and b"\x00" not in _sample(path)
    encoding = encoding or ("" if is_cut_off else encodings.fitting(_sample(path))) or "utf-8-sig"
    _is_in(path, encoding)
    tried = dict.fromkeys((_usual_delimiter(path), *delimited.DELIMITERS))
    fields = {d: len(delimited.first_record(path.name, _lines(path, encoding), d)) for d in tried}
    return {"encoding": encoding, "delimiter": max(fields, key=lambda d: fields[d])}


def remarks(path: Path, encoding: str = "") -> tuple[str, ...]:
    """Return what a reader should know of a file that can be read all the same.

    Of a Parquet file that its pages have no checksums; of a text that its encoding was guessed, or that letters in it
    were lost before.
    """
    if path.name.lower().endswith(PARQUET):
        return () if parquet.is_checked(path) else (str(parquet.UNCHECKED),)
    return encodings.remarks(_sample(path), encoding) if encoding else ()


def _there(path: Path) -> None:
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a null byte
        exists, is_folder = False, False
    if is_folder:
        raise UserError(f"{path.name}: is a folder; name the file in it")
    if not exists:
        tables = (*TEXT, *PARQUET, *_SHEETS)
        near = [p.name for p in path.parent.glob("*") if p.is_file() and p.name.lower().endswith(tables)]
        where = "the folder holds no table" if path.parent.is_dir() else "the folder is not there"
        raise UserError(f"{path.name}: no such file; {nearest(path.name, near) if near else where}")
    if path.stat().st_size == 0:
        raise UserError(f"{path.name}: the file is empty (0 bytes)")


def _with_rows(path: Path, table: pd.DataFrame | LargeTable) -> pd.DataFrame | LargeTable:
    if table.empty:
        raise UserError(f"{path.name}: a header and no rows")
    return table


def _usual_delimiter(path: Path) -> str:
    return "\t" if path.name.lower().endswith((".tsv", ".tsv.gz")) else ","


def _parsed(path: Path, encoding: str, delimiter: str, large: bool) -> pd.DataFrame | LargeTable:
    as_it_stands: dict[str, object] = {"dtype": str, "keep_default_na": False, "na_values": [""], "index_col": False}
    try:
        with _opened(path, encoding) as text:
            if large:
                return LargeTable.of_parts(pd.read_csv(text, sep=delimiter, chunksize=BATCH_ROWS, **as_it_stands))
            return pd.read_csv(text, sep=delimiter, **as_it_stands)
    except ValueError as e:  # pandas' ParserError is one
        raise UserError(f"{path.name}: not a table; {' '.join(str(e).split())[:120]}") from None


class _Unpacked(io.RawIOBase):
    """The bytes of a file, unpacked where it is gzipped, up to the limits."""

    def __init__(self, path: Path):
        self.name, self.packed, self.size = path.name, path.stat().st_size, 0
        self.source = gzip.GzipFile(path) if path.suffix.lower() == ".gz" else path.open("rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        try:
            chunk = self.source.read(len(buffer))
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise UserError(f"{self.name}: not a whole gzip file (truncated or damaged); fetch it again") from None
        self.size += len(chunk)
        limits.unpacked(self.name, self.size, self.packed)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self.source.close()
        super().close()


def _bytes(path: Path) -> io.BufferedReader:
    try:
        return io.BufferedReader(_Unpacked(path), _CHUNK)
    except OSError as e:
        raise UserError(f"{path.name}: can't be read ({e.strerror}); look at its permissions") from None


def _opened(path: Path, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_bytes(path), encoding, newline="")


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with _opened(path, encoding) as text:
        yield from text


def _chunks(path: Path) -> Iterator[bytes]:
    with _bytes(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _sample(path: Path) -> bytes:
    with _bytes(path) as file:
        return file.read(_SAMPLE)


def _holds_text(path: Path) -> None:
    if not any(chunk.strip() for chunk in _chunks(path)):
        raise UserError(f"{path.name}: the file is empty (nothing but blank lines)")
    what, to_do = signatures.kind(_sample(path))
    if what:
        if path.name.lower().endswith(".gz"):
            raise UserError(f"{path.name}: {what} within a gzip file; unpack it once")
        raise UserError(f"{path.name}: {what} under the name of a CSV; {to_do}")


def _is_in(path: Path, encoding: str) -> None:
    """Raise `UserError` where the file isn't in this encoding, or not in this one alone."""
    _holds_text(path)
    decoder = codecs.getincrementaldecoder(encoding)()
    holds_null = False
    try:
        for chunk in _chunks(path):
            holds_null |= "\x00" in decoder.decode(chunk)
    except UnicodeError:
        _refuse(path, encoding)
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise UserError(f"{path.name}: cut off in the middle of a character; fetch it again") from None
    if holds_null:
        _refuse_null(path)
    if encoding.lower().replace("_", "-").startswith(("utf", *_WIDE)):
        _is_not(path, encoding, encodings.seven_bit(_sample(path)))
    else:
        _is_in_one(path, encoding)
        _is_not(path, encoding, encodings.better(_sample(path), encoding))


def _is_utf8(path: Path) -> bool:
    return encodings.decodes(_chunks(path), "utf-8-sig") and b"\x00" not in _sample(path)


def _refuse(path: Path, encoding: str) -> NoReturn:
    fits = "utf-8-sig" if _is_utf8(path) else encodings.fitting(_sample(path))
    if not fits.startswith(("utf", *_WIDE)):
        _is_in_one(path, fits or "gb18030")
    other = encodings.as_well(_sample(path), fits)
    hint = f"set `encoding: {fits}`{other and f' or `{other}`'} in the contract" if fits else ""
    also = f" (both read well: {encodings.MEANT[fits]} or {encodings.MEANT[other]}?)" if other else ""
    raise UserError(f"{path.name}: not {encoding}; {hint or 'name its encoding in the contract'}{also}")


def _refuse_null(path: Path) -> None:
    fits = encodings.fitting(_sample(path))
    wide = fits[:6].upper()
    hint = f"it seems to be {wide}; set `encoding: {fits}` in the contract" if fits else "is it no text at all?"
    raise UserError(f"{path.name}: holds null bytes; {hint}")


def _is_not(path: Path, encoding: str, other: str) -> None:
    if other:
        raise UserError(f"{path.name}: is {other}, not {encoding}; set `encoding: {other}` in the contract")


def _is_in_one(path: Path, encoding: str) -> None:
    """Lines of UTF-8 among others read as letters that nobody wrote (上海 as 涓婃捣)."""
    with _bytes(path) as file:
        utf8, other = encodings.foreign_lines(file, encoding)
    if utf8 and other:
        raise UserError(f"{path.name}: in two encodings, line {utf8:,} in UTF-8 and line {other:,} not; save it in one")
    if utf8:
        raise UserError(f"{path.name}: is UTF-8, not {encoding}; set `encoding: utf-8-sig` in the contract")
