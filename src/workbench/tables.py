"""The only door to data at rest: tables read and written by name, contract kept beside, digest of all bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import evidence, home
from workbench.params import UserError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from workbench.contracts import Contract

_NAME = re.compile(r"^[a-z0-9_]+$")


def write(study: str, name: str, table: pd.DataFrame, contract: Contract | None = None) -> str:
    """Write a table once and return its digest (SHA-256 of the Parquet bytes, hex).

    The same content lands in the same file; other content lands beside it and the name points to
    the new one. Nothing is overwritten, and a crash in between leaves the old table in place.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not _NAME.match(name):
        raise ValueError(f"table name '{name}': only a-z, 0-9 and _")
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), buffer, compression="zstd")
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    path = _file(study, name, digest)
    if not path.exists():
        _replace(path, buffer.getvalue())
    pin(
        study,
        name,
        digest,
        {"rows": len(table), "contract": contract.model_dump(mode="json") if contract else None},
    )
    evidence.touch("written", name, digest)
    return digest


def read(study: str, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Return a table of the study, or these columns of it (no others are read from disk).

    `UserError` where it was never written or was changed on disk.
    """
    import pandas as pd

    return pd.read_parquet(scan(study, name), columns=columns)


def scan(key: str, name: str) -> Path:
    """Return the Parquet file of a table, for SQL to read what it needs of it (`engine.frame(sql, {name: path})`).

    All its bytes are held against the digest once per process, streaming. `UserError` as in `read`.
    """
    entry = _entry(key, name)
    path = _file(key, name, entry["digest"])
    if not path.exists() or _digest(path, path.stat().st_mtime_ns, path.stat().st_size) != entry["digest"]:
        raise UserError(f"table '{name}' of study '{key}': {path.name} was changed or lost; run the study with --fresh")
    evidence.touch("read", name, entry["digest"])
    return path


def stage(key: str, name: str, path: Path, contract: Contract | None, rows: int) -> str:
    """Take a Parquet file that was written elsewhere as a table of the study and return its digest; the file moves."""
    if not _NAME.match(name):
        raise ValueError(f"table name '{name}': only a-z, 0-9 and _")
    digest = evidence.digest_file(path)
    target = _file(key, name, digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    pin(key, name, digest, {"rows": rows, "contract": contract.model_dump(mode="json") if contract else None})
    evidence.touch("written", name, digest)
    return digest


@lru_cache(maxsize=256)
def _digest(path: Path, changed_ns: int, size: int) -> str:
    """Return the digest of a file as it stands: asked again where its time of change or size is another."""
    return evidence.digest_file(path)


def contract(study: str, name: str) -> Contract:
    """Return the contract the table was written with."""
    from workbench.contracts import Contract
    from workbench.words import names

    described = Contract.model_validate(_entry(study, name)["contract"])
    names.learn({c.name: c.description for c in described.columns})
    return described


def pin(study: str, name: str, digest: str, facts: dict[str, Any]) -> None:
    """Let a name of the study point to content with this digest; facts are kept beside it."""
    _replace(_pointer(study, name), json.dumps({"digest": digest, **facts}, indent=1).encode())


def pinned(study: str, name: str) -> dict[str, Any] | None:
    """Return what a name points to (`digest` and its facts), None where nothing does."""
    path = _pointer(study, name)
    return json.loads(path.read_text()) if path.exists() else None


def note_read(name: str, digest: str) -> None:
    """Remember that something kept elsewhere (a registered model) was read under this name."""
    evidence.touch("read", name, digest)


def exists(study: str, name: str, digest: str) -> bool:
    """Say whether content with this digest is at rest under the name."""
    return _file(study, name, digest).exists()


def names(study: str) -> list[str]:
    """Return the names known in a study."""
    return sorted(p.stem for p in _folder(study).glob("*.json"))


def _entry(study: str, name: str) -> dict[str, Any]:
    entry = pinned(study, name)
    if entry is None:
        known = names(study)
        hint = nearest(name, known) if known else "nothing was written yet"
        raise UserError(f"table '{name}' of study '{study}' is not there ({hint}): `workbench run params/{study}.yaml`")
    return entry


def _folder(study: str) -> Path:
    return home.mlruns() / "tables" / study


def _pointer(study: str, name: str) -> Path:
    return _folder(study) / f"{name}.json"


def _file(study: str, name: str, digest: str) -> Path:
    return _folder(study) / name / f"{digest[:16]}.parquet"


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    with os.fdopen(handle, "wb") as f:
        f.write(content)
    Path(part).rename(path)
