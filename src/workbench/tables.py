"""The only door to data at rest: staged where they are made, kept by the runner, named by the digest of all bytes."""

from __future__ import annotations

import json
import os
import re
import shutil
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import evidence, home
from workbench.evidence import digest_file
from workbench.params import ONCE, Key, UserError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from workbench.contracts import Contract

STAGED = "tables"  # below the step's folder
STUDY = "WORKBENCH_STEP_STUDY"  # set by the runner: whose tables a step reads
MODEL = "model__"  # begins the name of a registered model; it is pinned as a table is
_NAME = re.compile(r"^[a-z0-9_]+$")


def write(key: Key, name: str, table: pd.DataFrame, contract: Contract | None = None) -> str:
    """Stage a table as Parquet and return its digest (SHA-256 of the file's bytes, hex).

    In a step it lies in the step's folder until the runner takes it over; in a notebook run by hand in a scratch
    folder that this process alone reads. No name that others read is moved.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = _staged(key, name, ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow, part, compression="zstd", write_page_checksum=True)
    return stage(key, name, part, contract, len(table))


def stage(key: Key, name: str, path: Path, contract: Contract | None = None, rows: int | None = None) -> str:
    """Stage a Parquet file that is written already (it is moved) and return the digest of all its bytes."""
    digest = digest_file(path)
    target = _staged(key, name, ".parquet")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    facts = {"rows": rows, "contract": contract.model_dump(mode="json") if contract else None}
    home.put(_staged(key, name, ".json"), _json({"digest": digest, **facts}))
    evidence.touch("written", name, digest)
    return digest


def read(key: Key, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Return a table of the period, else of the study, or these columns of it (no others are read from disk).

    `UserError` where it was never written or was changed on disk.
    """
    import pandas as pd

    return pd.read_parquet(scan(key, name), columns=columns)


def scan(key: Key, name: str) -> Path:
    """Return the Parquet file behind a name, for SQL to read what it needs of it (`engine.frame(sql, {name: path})`).

    All its bytes are held against the digest once per process, streaming. `UserError` as in `read`.
    """
    entry, file = _entry(key, name)
    if not file.exists() or _digest(file, file.stat().st_mtime_ns, file.stat().st_size) != entry["digest"]:
        raise UserError(f"table '{name}' of {key}: {file.name} was changed or lost; `{key.command}` mends it")
    evidence.touch("read", _seen_as(key, name), entry["digest"])
    return file


def _seen_as(key: Key, name: str) -> str:
    """Return the name under which a read is noted: a table of another study than the step's own with that study's."""
    return name if key.study == os.environ.get(STUDY, key.study) else f"{key.study}.{name}"


@lru_cache(maxsize=256)
def _digest(file: Path, changed_ns: int, size: int) -> str:
    """Return the digest of a file as it stands: asked again where its time of change or size is another."""
    return digest_file(file)


def contract(key: Key, name: str) -> Contract:
    """Return the contract the table was written with."""
    from workbench.contracts import Contract
    from workbench.words import names as display

    described = Contract.model_validate(_entry(key, name)[0]["contract"])
    display.learn_columns(described.columns)
    return described


def pinned(key: Key, name: str) -> dict[str, Any] | None:
    """Return what a name points to (`digest` and its facts) in the period, else in the study.

    None where nowhere, or where the file that says so is damaged.
    """
    at = _where(key, name)
    return _pointed(_pointer(at, name)) if at else None


def pinned_in(key: Key, name: str) -> dict[str, Any] | None:
    """Return what a name points to in this very period, whatever it is in the study; None where it isn't there."""
    return _pointed(_pointer(key, name)) if _pointer(key, name).exists() else None


def names(key: Key) -> list[str]:
    """Return the names that can be read: those at rest in the period or the study, and those staged here."""
    at_rest = [p.stem for k in {key, Key(key.study)} for p in _folder(k).glob("*.json")]
    return sorted({*at_rest, *(p.stem for p in _staged(key, "x", "").parent.glob("*.json"))})


def of_model(model: str) -> str:
    """Return the name under which a study's model is kept and read.

    >>> of_model("pd")
    'model__pd'
    """
    return f"{MODEL}{model}"


def note_read(name: str, digest: str) -> None:
    """Remember that something kept elsewhere (a registered model) was read under this name."""
    evidence.touch("read", name, digest)


def keep(key: Key, name: str, staged: Path) -> dict[str, Any]:
    """Take a staged table into the store and return what its name shall point to; for the runner alone.

    The same content is the same file; one whose bytes are no longer those of its digest is replaced. Nothing else is
    overwritten, and no name is moved: that is `pin`.
    """
    entry = json.loads((staged / f"{name}.json").read_text())
    if not stands(key, name, entry["digest"]):
        file = _file(key, name, entry["digest"])
        file.parent.mkdir(parents=True, exist_ok=True)
        (staged / f"{name}.parquet").replace(file)
    return entry


def pin(key: Key, name: str, entry: dict[str, Any]) -> None:
    """Let a name of the study and period point to content: `digest`, with facts beside it; for the runner alone."""
    home.put(_pointer(key, name), _json(entry))


def unpin(key: Key, name: str) -> None:
    """Take a name away; the content stays at rest. For the runner alone."""
    _pointer(key, name).unlink(missing_ok=True)


def at_rest(key: Key, name: str, digest: str) -> Path:
    """Return where content with this digest lies, if it does."""
    return _file(key, name, digest)


def stands(key: Key, name: str, digest: str) -> bool:
    """Say whether content with this digest is at rest under the name in this very period, whole."""
    file = _file(key, name, digest)
    return file.exists() and digest_file(file) == digest


def _entry(key: Key, name: str) -> tuple[dict[str, Any], Path]:
    """Return a name's entry and file: staged in this process, else at rest in the period, else in the study."""
    staged = _staged(key, name, ".json")
    if staged.exists():
        return json.loads(staged.read_text()), staged.with_suffix(".parquet")
    at = _where(key, name)
    if at is None:
        known = names(key)
        hint = nearest(name, known) if known else "nothing was written yet"
        raise UserError(f"table '{name}' of {key} is not there ({hint}): `{key.command}`")
    entry = _pointed(_pointer(at, name))
    if entry is None:
        raise UserError(f"table '{name}' of {key}: {_pointer(at, name).name} is damaged; `{key.command}` mends it")
    return entry, _file(at, name, entry["digest"])


def _pointed(pointer: Path) -> dict[str, Any] | None:
    """Return what a name's file says; None where it is damaged."""
    try:
        entry = json.loads(pointer.read_bytes())
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("digest"), str) else None


def _where(key: Key, name: str) -> Key | None:
    return next((k for k in (key, Key(key.study, ONCE)) if _pointer(k, name).exists()), None)


def _staged(key: Key, name: str, suffix: str) -> Path:
    """Return where this process lays a table before the runner takes it over, or where it stays if none does."""
    if not _NAME.match(name):
        raise ValueError(f"table name '{name}': only a-z, 0-9 and _")
    step = os.environ.get("WORKBENCH_STEP_DIR")
    folder = Path(step) / STAGED if step else home.scratch() / key.place
    return folder / f"{name}{suffix}"


def _folder(key: Key) -> Path:
    return home.mlruns() / "tables" / key.place


def _pointer(key: Key, name: str) -> Path:
    return _folder(key) / f"{name}.json"


def _file(key: Key, name: str, digest: str) -> Path:
    return _folder(key) / name / f"{digest[:16]}.parquet"


def _json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, indent=1, ensure_ascii=False).encode()
