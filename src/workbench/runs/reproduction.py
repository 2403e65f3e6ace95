"""A registered version made again from its record alone: its commit, parameters, data by digest, and its notebook.

Re-performance as validators are asked for it (SR 26-2; EBA handbook on validation): what comes out is held against what
was registered, and where it differs, the first difference and where it arises are named.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from workbench.registry import proof, registered
from workbench.runs import again, differences, notebook, upstream
from workbench.runs import original as originals
from workbench.runs.again import Bench
from workbench.runs.differences import DIFFERENT, IDENTICAL, Difference
from workbench.runs.original import Original
from workbench.runs.upstream import Remade


@dataclass(frozen=True)
class Reproduction:
    """What a re-performance came to: identical, equal (within the class the developer stated) or different.

    `arises`: record, data, code, environment or randomness, empty where nothing differs; of a run behind it also source
    or parameters, and which run; `environment`: packages that differ (`-` then, `+` now); `differences`: what differs,
    first things first; `behind`: the runs it stands on, made again from the raw files.
    """

    model: str
    version: str
    verdict: str
    tolerance: str
    commit: str
    arises: str
    differences: tuple[Difference, ...]
    environment: tuple[str, ...]
    compared: Mapping[str, int]
    figures: Mapping[str, float]
    seconds: float
    behind: tuple[Remade, ...] = ()

    @property
    def is_same(self) -> bool:
        """Say whether it came to the same: identical, or equal within its class."""
        return self.verdict != DIFFERENT

    def to_json(self) -> dict[str, Any]:
        """Return it as evidence holds it."""
        behind, differing = [m.to_json() for m in self.behind], [vars(d) for d in self.differences]
        return {**vars(self), "behind": behind, "differences": differing, "environment": [*self.environment]}

    def lines(self) -> list[str]:
        """Return it in words: the verdict, the first difference and where it arises, what was compared."""
        counts = ", ".join(f"{what} {n:,}" for what, n in self.compared.items())
        words = {
            IDENTICAL: "identical",
            DIFFERENT: f"different; it arises in the {self.arises}",
        }.get(self.verdict, f"{self.verdict} within the class '{self.tolerance}' that was stated at development")
        out = [f"{self.model} version {self.version}: {words}"]
        out += [f"first difference: {d}" for d in self.differences[:1]]
        out += [f"and {len(self.differences) - 1} more"] if len(self.differences) > 1 else []
        if self.environment:
            more = f" and {len(self.environment) - 3} more" if len(self.environment) > 3 else ""
            out.append(
                f"other packages than the run's (--locked installs those): {', '.join(self.environment[:3])}{more}"
            )
        return [*out, *map(str, self.behind), f"compared: {counts}; commit {self.commit[:12]}, {self.seconds:.0f} s"]


def of(
    model: str,
    version: str,
    progress: notebook.Progress | None = None,
    *,
    locked: bool = False,
    from_source: bool = True,
) -> Reproduction:
    """Make a version again and say how what comes out compares; nothing in the store or the folder is changed.

    locked: install the commit's `requirements.lock` into an environment of its own and run there. from_source: make
    intake and panel again, too, where the raw files are here. `UserError` where the record lacks something, or the
    notebook ends in an error: both are said in one line.
    """
    began = time.monotonic()
    original = originals.of(registered.one(model, version))
    if fault := proof.altered(original.record):
        return _result(original, "record", [Difference("record", "", "as it was left", fault)], began)
    with TemporaryDirectory(prefix="workbench-reproduce-") as place:
        bench = Bench(Path(place), locked, progress or (lambda at, of: None))
        behind = upstream.made(original, bench) if from_source else ()
        if behind and behind[-1].arises:
            result = _result(original, behind[-1].arises, [*behind[-1].differences], began)
        elif lost := originals.lost(original, bench.remade):
            result = _result(original, "data", lost, began)
        else:
            result = _made(original, bench, began)
        return replace(result, behind=behind, seconds=time.monotonic() - began)


def _made(o: Original, bench: Bench, began: float) -> Reproduction:
    """Make the version's own run again on the tables it read."""
    if changed := again.code(o, bench):
        return _result(o, "code", changed, began)
    again_first = again.run(o, bench, "first")
    first = differences.between(o.record, again_first)
    packages = again.differing_packages(o, bench)
    verdict = first.within(str(o.values.get("tolerance", "")))
    arises = ""
    if verdict == DIFFERENT:
        arises = "environment" if packages else _beyond_record(o, bench, again_first)
    result = _result(o, arises, list(first.differences), began, packages)
    return replace(result, verdict=verdict, compared=first.compared, figures=first.figures)


def _beyond_record(o: Original, bench: Bench, first: Path) -> str:
    """Run once more: where two runs here differ, it is chance; else something that the record doesn't hold."""
    second = again.run(o, bench, "second")
    return "record, which holds too little" if differences.same(first, second) else "randomness"


def _result(
    o: Original, arises: str, differing: list[Difference], began: float, packages: tuple[str, ...] = ()
) -> Reproduction:
    return Reproduction(
        model=o.registered.model,
        version=o.registered.version,
        verdict=DIFFERENT if arises else IDENTICAL,
        tolerance=str(o.values.get("tolerance", "exact")),
        commit=o.commit,
        arises=arises,
        differences=tuple(differing),
        environment=packages,
        compared={},
        figures={},
        seconds=time.monotonic() - began,
    )
