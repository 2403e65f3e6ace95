"""What a step's result depends on: parameters, inputs, notebook, package code and installed versions, as digests."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import workbench
from workbench.evidence import digest_file
from workbench.params import canonical
from workbench.runs.study import Step


@cache
def code() -> str:
    """Return the digest of the package's own files (sources, contracts, thresholds)."""
    folder = Path(workbench.__file__).parent
    kept = [p for p in sorted(folder.rglob("*")) if p.suffix in (".py", ".yaml", ".json", ".html", ".css")]
    return hashlib.sha256(canonical({str(p.relative_to(folder)): digest_file(p) for p in kept})).hexdigest()


@cache
def environment() -> str:
    """Return the digest of the installed packages and their versions."""
    return hashlib.sha256(canonical(sorted({f"{d.name}=={d.version}" for d in distributions()}))).hexdigest()


def facts(step: Step) -> dict[str, str]:
    """Return what goes into the run's parameters: every digest, and `step_key`, the digest of them all."""
    parts = {
        "params_digest": step.params.digest(),
        "code_digest": code(),
        "environment_digest": environment(),
        "notebook_digest": digest_file(step.notebook),
        **{f"input.{name}": digest for name, digest in step.inputs().items()},
    }
    return {**parts, "step_key": hashlib.sha256(canonical(parts)).hexdigest()}
