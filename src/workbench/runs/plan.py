"""A study as it was checked last, remembered: while nothing it rests on has changed, no library is imported again."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from workbench import home, params
from workbench.evidence import digest_file
from workbench.runs import closure, fingerprint
from workbench.runs.study import Step, Study, load


class Resolved(params.Params):
    """The checked parameters of a step whose module is not imported: the same values under the same names."""

    model_config = ConfigDict(extra="allow")


def study(path: Path, overrides: tuple[str, ...] = (), period: str = "") -> Study:
    """Return the study in a file as `load` does; from memory where file, overrides, code, data, day are the same."""
    place = home.mlruns() / "plans" / f"{path.stem}.json"
    asked = [str(path.resolve()), *overrides, period, date.today().isoformat(), os.environ.get("WORKBENCH_DATA", "")]
    plan = _read(place)
    if plan.get("asked") == asked and plan["rests_on"] == _digests(plan["rests_on"]) and plan["around"] == _around():
        return _remembered(plan, path)
    loaded = load(path, overrides, period)
    steps = tuple(dataclasses.replace(s, code=fingerprint.code(s), packages=_packages(s)) for s in loaded.steps)
    loaded = dataclasses.replace(loaded, steps=steps)
    home.put(place, json.dumps({"asked": asked, **_plan(loaded)}, ensure_ascii=False).encode())
    return loaded


def _packages(step: Step) -> tuple[str, ...]:
    return tuple(sorted(closure.closure(step.module, step.notebook)[1]))


def _plan(loaded: Study) -> dict[str, Any]:
    """Return the study as JSON can hold it, with the digests of what it rests on."""
    files = {loaded.path.resolve(), *(p for s in loaded.steps for p in (s.notebook, *s.files))}
    steps = [
        {
            "name": s.name,
            "notebook": str(s.notebook),
            "params": s.params.model_dump(mode="json"),
            "reads": s.reads,
            "writes": s.writes,
            "files": [str(p) for p in s.files],
            "code": dict(s.code),
            "packages": s.packages,
        }
        for s in loaded.steps
    ]
    about = ("title", "description", "owner", "simulated", "language", "period")
    return {
        "rests_on": _digests(map(str, files)),
        "around": _around(),
        "study": {name: getattr(loaded, name) for name in about},
        "steps": steps,
        "needs": {name: sorted(needed) for name, needed in loaded.needs.items()},
    }


def _remembered(plan: dict[str, Any], path: Path) -> Study:
    steps = tuple(
        Step(
            name=s["name"],
            notebook=Path(s["notebook"]),
            params=Resolved(**s["params"]),
            reads=tuple(s["reads"]),
            writes=tuple(s["writes"]),
            files=tuple(map(Path, s["files"])),
            code=s["code"],
            packages=tuple(s["packages"]),
        )
        for s in plan["steps"]
    )
    needs = {name: frozenset(needed) for name, needed in plan["needs"].items()}
    return Study(name=path.stem, path=path, steps=steps, needs=needs, **plan["study"])


def _read(place: Path) -> dict[str, Any]:
    try:
        plan = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(plan, dict) and {"asked", "rests_on", "around", "study", "steps", "needs"} <= set(plan)
    return plan if whole else {}


def _digests(paths: Any) -> dict[str, str]:
    return {p: digest_file(Path(p)) if Path(p).is_file() else "" for p in paths}


def _around() -> dict[str, str]:
    """Return digests of what every study rests on: this package's code and data, rules, and the installed versions."""
    kinds = (".py", *closure.DATA)
    files = [p for p in sorted(closure.PACKAGE.rglob("*")) if p.suffix in kinds]
    rules = [p for folder in closure.RULES.values() for p in sorted((home.root() / folder).rglob("*.yaml"))]
    return {
        "code": fingerprint.digest([(str(p), digest_file(p)) for p in (*files, *rules)]),
        "packages": fingerprint.digest(sorted(closure.folders())),
        "notebooks": fingerprint.digest(sorted(map(str, (home.root() / "notebooks").glob("*/*.ipynb")))),
    }
