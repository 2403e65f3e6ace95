"""A person forgotten: out of tables, evidence and pages that were kept, on record, and proven by a search of all.

Kept files are named by their digests; what each became stands in a signed event, so that the audit can follow. Models
that learnt from the person stay, and are named; the bank's source files are the bank's.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import home, pseudonyms
from workbench.evidence import digest_file
from workbench.params import UserError
from workbench.personal import erasing
from workbench.portfolios import forgotten
from workbench.registry import audit, current, on_data, registered
from workbench.runs import people

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST = 6  # characters of an identifier that is looked for as it stands; a shorter one stands anywhere by chance
_SKIPPED = (".key", ".lock")
_DATABASE = ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm")


@dataclass
class Done:
    """What became of a request: files made anew, models that learnt from the person, what a last search found."""

    anew: dict[str, str] = field(default_factory=dict)
    files: int = 0
    rows: int = 0
    models: list[str] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)
    searched: int = 0
    hits: int = 0
    head: str = ""


def forget(person: str, reason: str, who: str, private: Path | None = None) -> Done:
    """Remove a person everywhere the workbench keeps something, and search everything again.

    person: the identifier as the source has it, or a pseudonym. Raises `UserError` without the role or a reason, and
    where nobody is there by that name.
    """
    if not reason.strip():
        raise UserError("forget: --reason is empty; say who asked, and when")
    if erasing.pattern([person]).search(reason):
        raise UserError("forget: --reason names the person, and it stays on record; say it without the name")
    on_data.must_be_allowed("forget", who, private)
    with ExitStack() as held:
        by_study = {study: people.names_of(person, study) for study in people.studies()}
        by_study = {s: _with_children(s, names) for s, names in by_study.items() if _is_there(s, names)}
        if not by_study:
            raise UserError(
                "forget: nobody is there by that name; give the identifier as the source has it, or the pseudonym"
            )
        for study in by_study:
            held.enter_context(current.holding(study))
        names = {n for of_study in by_study.values() for n in of_study}
        done = _prepared(names | ({person} if len(person) >= _LEAST else set()))
        done.studies, done.models = sorted(by_study), _learnt(done.anew)
        _settle(done, by_study, {"reason": reason}, who, private)
    _prove(done, names | ({person} if len(person) >= _LEAST else set()))
    return done


def _is_there(study: str, names: set[str]) -> bool:
    return any(_rows(path, names) for path in _tables(study))


def _with_children(study: str, names: set[str]) -> set[str]:
    """Return the names with those of what belongs to the person: the loans of a customer."""
    import pyarrow.parquet as pq

    more = set(names)
    for path in (p for p in _tables(study) if p.parent.name == "core__account"):
        columns = [c for c in ("entity_id", "parent_id") if c in pq.read_schema(path).names]
        parents = [c for c in pq.read_schema(path).names if c.endswith("_id") and c != "entity_id"]
        if "entity_id" in columns and parents:
            rows = pq.read_table(path, columns=["entity_id", *parents]).to_pandas()
            theirs = rows.loc[rows[parents].isin(names).any(axis=1), "entity_id"].astype(str)
            more |= {e for e in theirs if people.PSEUDONYM.fullmatch(e)}
    return more


def _tables(study: str = "*") -> list[Path]:
    return sorted((home.mlruns() / "tables").glob(f"{study}/*/*/*.parquet"))


def _rows(path: Path, names: set[str]) -> int:
    import pyarrow.compute as pc

    mask = _mask(path, names)[1]
    return 0 if mask is None else int(pc.sum(mask).as_py() or 0)


def _mask(path: Path, names: set[str]) -> tuple[pa.Table, pa.ChunkedArray | None]:
    """Return a table and which of its rows hold one of the names in a column of text; None where no column is text."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table, mask = pq.read_table(path), None
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        text = pc.cast(column, pa.string())
        hit = pc.fill_null(pc.match_substring_regex(text, "|".join(map(re.escape, sorted(names)))), False)
        mask = hit if mask is None else pc.or_(mask, hit)
    return table, mask


def _prepared(names: set[str]) -> Done:
    """Write every file that names the person anew beside the old one, and return which became which."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    done = Done()
    for path in _tables():
        table, mask = _mask(path, names)
        if mask is None or not (n := int(pc.sum(mask).as_py() or 0)):
            continue
        part = path.with_name(f"{home.PART}{os.getpid()}-{path.name}")
        pq.write_table(table.filter(pc.invert(mask)), part, compression="zstd", write_page_checksum=True)
        done.anew[digest_file(path)] = digest_file(part)
        done.rows, done.files = done.rows + n, done.files + 1
    pattern = erasing.pattern(names)
    for path in _texts():
        content = path.read_bytes()
        if (rest := erasing.erased(content, path.suffix.lower(), pattern)) != content:
            part = path.with_name(f"{home.PART}{os.getpid()}-{path.name}")
            part.write_bytes(rest)
            done.anew[digest_file(path)] = digest_file(part)
            done.files += 1
    return done


def _texts() -> Iterator[Path]:
    """Yield every file of text that runs have left, in `mlruns/` and `reports/`."""
    for folder in (home.mlruns(), home.reports()):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            odd = path.suffix in (".parquet", *_SKIPPED) or path.name in _DATABASE or path.name.startswith(home.PART)
            if path.is_file() and not odd:
                yield path


def _settle(done: Done, by_study: dict[str, set[str]], detail: dict[str, str], who: str, private: Path | None) -> None:
    """Put it on record, then let the new files take the places of the old ones, and the marks hold from now on."""
    parts = [p for folder in (home.mlruns(), home.reports()) for p in folder.rglob(f"{home.PART}{os.getpid()}-*")]
    secret = pseudonyms.key(home.mlruns())
    on_record = {**detail, "studies": done.studies, "rows": done.rows, "files": done.files, "models": done.models}
    evidence = {**on_record, "anew": done.anew}
    try:
        event = on_data.record("forget", who, on_record, evidence, private)
    except BaseException:
        for part in parts:
            part.unlink(missing_ok=True)
        raise
    done.head = f"{event.seq}:{event.digest}"
    for study, names in by_study.items():
        forgotten.remember(study, [forgotten.mark(n, secret) for n in names])
    for part in parts:
        old = part.with_name(part.name.removeprefix(f"{home.PART}{os.getpid()}-"))
        if old.suffix != ".parquet":
            part.replace(old)
            continue
        part.replace(old.with_name(f"{digest_file(part)[:16]}.parquet"))
        old.unlink(missing_ok=True)
    for pointer in (home.mlruns() / "tables").glob("*/*/*.json"):
        entry = json.loads(pointer.read_bytes())
        if entry.get("digest") in done.anew:
            home.put(pointer, json.dumps({**entry, "digest": done.anew[entry["digest"]]}, indent=1).encode())


def _learnt(anew: dict[str, str]) -> list[str]:
    """Return the versions that learnt from a table in which the person was."""
    return sorted(r.name for r in registered.everything() if set(audit.learnt_from(r).values()) & set(anew))


def _prove(done: Done, names: set[str]) -> None:
    """Count where one of the names still stands: in tables, in text, in the store's database."""
    is_named: Callable[[bytes], bool] = lambda content: bool(  # noqa: E731
        erasing.pattern(names).search(content.decode("utf-8", "surrogateescape"))
    )
    for path in _tables():
        done.searched += 1
        done.hits += bool(_rows(path, names))
    databases = [p for n in _DATABASE if (p := home.mlruns() / n).is_file()]
    for path in (*_texts(), *databases):
        done.searched += 1
        done.hits += is_named(path.read_bytes())
