"""What a step's result depends on: parameters, inputs, notebook, the modules it imports, versions of packages."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from workbench import home, pseudonyms, rules
from workbench.params import canonical
from workbench.runs import closure
from workbench.runs.study import Step

SECRET = "pseudonym_key"


def facts(step: Step, language: str = "en") -> dict[str, str]:
    """Return what goes into the run's parameters: every digest, and `step_key`, the digest of them all."""
    inputs = {f"input.{name.replace('@', '-')}": d for name, d in step.inputs().items()}  # MLflow knows no @
    known = dict(step.code or code(step))
    if known.get(SECRET):
        known[SECRET] = pseudonyms.mark(home.mlruns())  # another key is another pseudonym for the same person
    described = {"described_digest": digest(step.described())}
    parts = {"params_digest": step.params.digest(), "language": language, **known, **inputs, **described}
    return {**parts, "step_key": digest(parts)}


def code(step: Step) -> dict[str, str]:
    """Return the digests of the step's notebook, of the modules it stands on, and of their packages' versions."""
    modules, packages = closure.closure(step.module, step.notebook)
    return {
        **_of_code(modules, step.notebook),
        "packages_digest": digest({p: closure.version(p) for p in packages}),
        **({SECRET: "used"} if "workbench.pseudonyms" in modules else {}),
        **({"rules_digest": in_force(step)} if "workbench.rules" in modules else {}),
    }


def of(step: str) -> dict[str, str]:
    """Return the digests of a step's notebook and modules as this process has them; `step` as in `models/development`.

    `python -m workbench.runs.fingerprint STEP` prints them as JSON: how another checkout is asked.
    """
    notebook = home.root() / "notebooks" / f"{step}.ipynb"
    modules, _ = closure.closure(f"workbench.{step.replace('/', '.')}", notebook)
    return _of_code(modules, notebook)


def _of_code(modules: frozenset[str], notebook: Path) -> dict[str, str]:
    return {"notebook_digest": digest(closure.cells(notebook)), "code_digest": digest(closure.sources(modules))}


def in_force(step: Step) -> str:
    """Return the digest of the rules in force on the day the step looks them up: a new day may bring a new one."""
    return rules.load(getattr(step.params, "rules_as_of", "")).digest()


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON (hex)."""
    return hashlib.sha256(canonical(value)).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(of(sys.argv[1])))
