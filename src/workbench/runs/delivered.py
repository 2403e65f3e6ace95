"""A person taken out of the files the bank delivered: his rows go, what else stands in a CSV stays to the byte."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import home
from workbench.evidence import digest_file
from workbench.params import UserError
from workbench.portfolios import catalog, encodings
from workbench.pseudonyms import normalised, written
from workbench.runs import people

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Rewritten:
    """A file without the person: its place, where the new one waits, digests before and after, rows that go."""

    path: Path
    part: Path
    before: str
    after: str
    rows: int


def identifying(studies: Iterable[str]) -> set[str]:
    """Return the columns, as files call them, in which these studies' contracts say that people are named."""
    sources = [(catalog.source(p.portfolio), p) for study in studies for p in people.intakes(study)]
    columns = [c for source, p in sources for contract in source.words(p).values() for c in contract.columns]
    return {c.file_name for c in columns if c.role in ("key", "parent") and c.type != "date"}


def rewritten(files: Iterable[Path], names: set[str], columns: set[str]) -> list[Rewritten]:
    """Write each file (CSV or Parquet) anew beside itself, without the rows that name the person in one of the columns.

    names: identifiers as the source has them. Raises `UserError` for a file that isn't there, can't be read as one of
    these, or has none of the columns; nothing waits then.
    """
    done: list[Rewritten] = []
    try:
        for path in dict.fromkeys(Path(f).resolve() for f in files):
            done.append(_rewritten(path, {normalised(n) for n in names}, columns))
    except BaseException:
        drop(done)
        raise
    return done


def settle(done: Iterable[Rewritten]) -> None:
    """Let each new file take the place of the old one, at once."""
    for r in done:
        r.part.chmod(r.path.stat().st_mode & 0o777)
        os.replace(r.part, r.path)


def drop(done: Iterable[Rewritten]) -> None:
    """Take the new files away: the old ones stay as they are."""
    for r in done:
        r.part.unlink(missing_ok=True)


def still_named(path: Path, names: set[str], columns: set[str]) -> int:
    """Return in how many rows of a file the person stands."""
    wanted = {normalised(n) for n in names}
    if path.suffix.lower() == ".parquet":
        return sum(_mask(_parquet(path), wanted, columns, path))
    return sum(gone for _, gone in _records(path, _text(path)[0], wanted, columns))


def _rewritten(path: Path, wanted: set[str], columns: set[str]) -> Rewritten:
    if not path.is_file():
        raise UserError(f"forget: {path.name} is not there; name the delivered file: --files")
    if any(path.is_relative_to(place.resolve()) for place in (home.mlruns(), home.reports())):
        raise UserError(f"forget: {path.name} is the workbench's own and is searched anyway; leave it out of --files")
    part = path.with_name(f"{home.PART}{os.getpid()}-{path.name}")
    try:
        if path.suffix.lower() == ".parquet":
            rows = _parquet_without(path, part, wanted, columns)
        else:
            text, encoding = _text(path)
            marked = list(_records(path, text, wanted, columns))
            part.write_bytes("".join(record for record, gone in marked if not gone).encode(encoding))
            rows = sum(gone for _, gone in marked)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Rewritten(path, part, digest_file(path), digest_file(part), rows)


def _text(path: Path) -> tuple[str, str]:
    """Return a file's text and an encoding that gives its bytes back."""
    content = path.read_bytes()
    for encoding in ("utf-8", encodings.fitting(content[:1_000_000])):
        try:
            text = content.decode(encoding) if encoding else ""
        except UnicodeError:
            continue
        if encoding and text.encode(encoding) == content:
            return text, encoding
    raise _unreadable(path)


def _unreadable(path: Path) -> UserError:
    return UserError(f"forget: {path.name} can't be read as CSV or Parquet; take the person out where it comes from")


def _records(path: Path, text: str, wanted: set[str], columns: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield every record as it stands, line ends and all, and whether it names the person."""
    lines = _whole(text.splitlines(keepends=True))
    first = next(lines, "")
    delimiter, at = _columns(path, first, columns)
    yield first, False
    for record in lines:
        row = next(csv.reader([record], delimiter=delimiter), [])
        yield record, any(i < len(row) and normalised(row[i]) in wanted for i in at)


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Yield records of one or more lines: a line break within quotes ends none."""
    begun = ""
    for line in lines:
        begun += line
        if begun.count('"') % 2 == 0:
            yield begun
            begun = ""
    if begun:
        yield begun


def _columns(path: Path, header: str, columns: set[str]) -> tuple[str, list[int]]:
    names = {d: next(csv.reader([header.lstrip("\ufeff")], delimiter=d), []) for d in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda d: len(columns & {n.strip() for n in names[d]}))
    at = [i for i, name in enumerate(names[delimiter]) if name.strip() in columns]
    if not at:
        raise _no_column(path, columns)
    return delimiter, at


def _no_column(path: Path, columns: set[str]) -> UserError:
    known = ", ".join(sorted(columns)) or "none"
    return UserError(
        f"forget: {path.name} has no column by which a contract names people ({known}); name a file that has"
    )


def _parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError):
        raise _unreadable(path) from None


def _mask(table: pa.Table, wanted: set[str], columns: set[str], path: Path) -> list[bool]:
    named = [c for c in table.column_names if c in columns]
    if not named:
        raise _no_column(path, columns)
    values = [table[c].to_pylist() for c in named]
    return [any(v is not None and normalised(written(v)) in wanted for v in row) for row in zip(*values, strict=True)]


def _parquet_without(path: Path, part: Path, wanted: set[str], columns: set[str]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = _parquet(path)
    gone = _mask(table, wanted, columns, path)
    pq.write_table(table.filter(pc.invert(pa.array(gone, pa.bool_()))), part, compression="zstd")
    return sum(gone)
