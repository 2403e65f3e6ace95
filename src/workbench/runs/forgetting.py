"""A person forgotten: out of tables, evidence and pages that were kept, on record, and proven by a search of all.

Kept files are named by their digests; what each became stands in a signed event, so that the audit can follow. Models
that learnt from the person stay, and are named; of the bank's source files those are touched that are asked for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import home, pseudonyms
from workbench.evidence import digest_file
from workbench.params import Key, UserError
from workbench.personal import erasing
from workbench.portfolios import forgotten
from workbench.registry import audit, current, on_data, registered
from workbench.runs import delivered, people

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
    sources: list[delivered.Rewritten] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)
    searched: int = 0
    hits: int = 0
    head: str = ""


def forget(person: str, reason: str, who: str, private: Path | None = None, files: Sequence[Path] = ()) -> Done:
    """Remove a person everywhere the workbench keeps something, and search everything again.

    person: the identifier as the source has it, or a pseudonym. files: delivered files that are written anew without
    him. Raises `UserError` without a person, the role or a reason, and where nobody is there by that name.
    """
    if not person.strip():  # an empty name stands in every text: everybody would be forgotten
        raise UserError("forget: PERSON is empty; give the identifier as the source has it, or the pseudonym")
    if not reason.strip():
        raise UserError("forget: --reason is empty; say who asked, and when")
    if erasing.pattern([person]).search(reason):
        raise UserError("forget: --reason names the person, and it stays on record; say it without the name")
    on_data.must_be_allowed("forget", who, private)
    with ExitStack() as held:
        asked = people.studies()
        by_study = {study: people.names_of(person, study) for study in asked}
        by_study = {s: _with_children(s, names) for s, names in by_study.items() if _is_there(s, names)}
        raw = _identifiers(person, by_study) if files else set()
        columns = delivered.identifying(asked) if files else set()
        sources = delivered.rewritten(files, raw, columns)
        if not by_study and not any(r.rows for r in sources):
            delivered.drop(sources)
            raise UserError(
                "forget: nobody is there by that name; give the identifier as the source has it, or the pseudonym"
            )
        for study in by_study:
            held.enter_context(current.holding(study))
        names = {n for of_study in by_study.values() for n in of_study}
        names |= {person} if len(person) >= _LEAST else set()
        done = _prepared(names) if names else Done()
        done.studies, done.models, done.sources = sorted(by_study), _learnt(done.anew), sources
        _settle(done, by_study, {"reason": reason}, who, private)
    _prove(done, names)
    for r in done.sources:
        done.searched += 1
        done.hits += bool(delivered.still_named(r.path, raw, columns))
    return done


def _identifiers(person: str, by_study: dict[str, set[str]]) -> set[str]:
    """Return how the source names the person and what belongs to him."""
    given = set() if people.PSEUDONYM.fullmatch(person) else {person}
    return given.union(*(people.identifiers(names, Key(study)).values() for study, names in by_study.items()))


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
    on_record["sources"] = [
        {"file": r.path.name, "rows": r.rows, "before": r.before, "after": r.after} for r in done.sources
    ]
    evidence = {**on_record, "anew": done.anew}
    try:
        event = on_data.record("forget", who, on_record, evidence, private)
    except BaseException:
        for part in parts:
            part.unlink(missing_ok=True)
        delivered.drop(done.sources)
        raise
    done.head = f"{event.seq}:{event.digest}"
    delivered.settle(done.sources)
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
    """Return the versions that learnt from a table in which the person was, with those tables as they were."""
    learnt = [(r.name, {n: d for n, d in audit.learnt_from(r).items() if d in anew}) for r in registered.everything()]
    return sorted(f"{name} ({', '.join(f'{n} {d[:12]}' for n, d in t.items())})" for name, t in learnt if t)


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
