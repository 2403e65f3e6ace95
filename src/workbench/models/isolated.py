"""A model that is code, in a process of its own: no network, none of our environment; rows in, predictions out.

It can still read what the account may read: isolation is from the network and from our credentials, not from the disk.
"""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import sys
import weakref
from functools import cached_property
from typing import IO

import numpy as np
import pandas as pd

from workbench.params import UserError

CHILD = "workbench.registry.foreign_child"  # by name: it needs MLflow, which no estimator does
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_HEAD = struct.Struct("<Q")


class Isolated:
    """The process of one model; it ends with ours."""

    def __init__(self, payload: bytes):
        self.payload = payload

    @cached_property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, with the model read; `UserError` where this machine can't take the network from it."""
        env = {n: os.environ[n] for n in PASSED_ON if n in os.environ}
        command = [*without_network(), sys.executable, "-m", CHILD]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        weakref.finalize(self, _end, process)
        send(process.stdin, self.payload)
        return process

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return the model's prediction of each row (n); `ValueError` with its own words where it fails."""
        rows = io.BytesIO()
        X.to_parquet(rows)
        send(self.process.stdin, rows.getvalue())
        answer = receive(self.process.stdout)
        if answer is None:
            raise ValueError(f"the model's process ended with code {self.process.wait()}")
        if answer[:1] == b"!":
            raise ValueError(f"the model says: {answer[1:].decode(errors='replace')[:300]}")
        return np.frombuffer(answer[1:], dtype="<f8")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let the process end: it does when nobody writes to it any more."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.wait()


def without_network() -> list[str]:
    """Return the command before a command that takes the network from it; `UserError` where there is none."""
    tool = shutil.which("unshare")
    words = [tool or "", "--user", "--map-root-user", "--net", "--"]
    if not tool or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        raise UserError("a model that is code runs without a network alone, and this machine can't take it (unshare)")
    return words


def send(stream: IO[bytes] | None, content: bytes) -> None:
    """Write one message: its length (8 bytes, little-endian), then its bytes."""
    if stream is not None:
        stream.write(_HEAD.pack(len(content)) + content)
        stream.flush()


def receive(stream: IO[bytes] | None) -> bytes | None:
    """Return the next message, None where the other side is gone."""
    head = stream.read(_HEAD.size) if stream is not None else b""
    if stream is None or len(head) < _HEAD.size:
        return None
    return stream.read(_HEAD.unpack(head)[0])
