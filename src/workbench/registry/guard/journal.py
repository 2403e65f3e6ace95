"""The journal of a guarded server: who did what, when, and what came of it; one line each, bound to the one before."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from workbench.params import canonical
from workbench.registry.events import FIRST, now


@dataclass(frozen=True)
class Journal:
    """A file of JSON lines, only ever appended to; each names the digest of the line before.

    Who may write the file can cut its end off: let the file system refuse it (`chattr +a`), or send lines elsewhere.
    """

    path: Path

    def append(self, user: str, what: Mapping[str, str], outcome: str) -> str:
        """Add a line and return its digest; whole lines of several processes follow one another."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = _last_line(file)
            previous = _read(last) if last else {"n": 0, "digest": FIRST}
            number = previous["n"] if "n" in previous else len(self.entries())
            entry = {"n": number + 1, "prev": previous.get("digest", ""), "at": now(), "user": user}
            entry |= {"what": dict(what), "outcome": outcome}
            entry["digest"] = _digest(entry)
            file.write(canonical(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return str(entry["digest"])

    def can_be_written(self) -> bool:
        """Say whether a line could be added: what can't be journalled isn't done."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        except OSError:
            return False
        return True

    def entries(self) -> list[dict[str, Any]]:
        """Return every line, oldest first; a line that is none has an empty digest."""
        if not self.path.exists():
            return []
        return [_read(line) for line in self.path.read_bytes().splitlines()]

    def faults(self) -> list[str]:
        """Return in words which lines were altered, or are gone from its middle; nothing where it holds."""
        out, previous = [], {"n": 0, "digest": FIRST}
        for number, entry in enumerate(self.entries(), 1):
            if not entry.get("digest") or entry["digest"] != _digest(entry):
                out.append(f"line {number}: its content was altered")
            elif (entry["n"], entry["prev"]) != (previous["n"] + 1, previous["digest"]):
                out.append(f"line {number}: it doesn't follow the line before as that is now")
            previous = {"n": entry.get("n", number), "digest": entry.get("digest", "")}
        return out


def _last_line(file: BinaryIO) -> bytes:
    """Return the last line, read from the end: the journal grows for years."""
    end = file.seek(0, os.SEEK_END)
    block = 1 << 16
    while end:
        begin = max(0, end - block)
        file.seek(begin)
        lines = file.read(end - begin).rstrip(b"\n").split(b"\n")
        if begin == 0 or len(lines) > 1:
            return lines[-1]
        block *= 2
    return b""


def _digest(entry: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical({k: v for k, v in entry.items() if k != "digest"})).hexdigest()


def _read(line: bytes) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
