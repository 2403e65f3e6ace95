"""The battery's verdict under twenty seeds, on every model of the home's studies.

    python benchmarks/verdict.py [STUDY ...]

Reads the registered models of studies that have run (`workbench run` first). The whole battery is run under the first
seed; under the others the tests whose code reads the seed.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from dataclasses import replace

from workbench import rules, tables
from workbench.params import Key
from workbench.registry import current, versions
from workbench.validation import battery
from workbench.validation.subject import subject

SEEDS = range(1, 21)


def drawing() -> set[str]:
    """Return the tests whose code reads the seed."""
    return {name for name, module in battery.tests().items() if "seed" in inspect.getsource(module)}


def verdicts(key: Key, panel: str, model: str) -> Counter[str]:
    """Return how often the battery says what, over the seeds."""
    version = versions.load(key, model)
    rows, contract = tables.read(key, panel), tables.contract(key, panel)
    tested = subject(version.model, rows, contract, version.figures, rules.load(), SEEDS[0])
    lights = {e.key: e for e in battery.run(tested)}
    words: Counter[str] = Counter()
    for seed in SEEDS:
        again = replace(tested, seed=seed)
        lights |= {e.key: e for e in battery.run(again, names=drawing())}
        words[battery.verdict(list(lights.values()), again).value] += 1
    return words


def main(studies: list[str]) -> None:
    """Print one row per model."""
    print(f"tests that read the seed: {', '.join(sorted(drawing()))}")
    print(f"| study | model | verdict over {len(SEEDS)} seeds |\n| --- | --- | --- |")
    for r in current.everything():
        if r.step.startswith("validation/battery") and (not studies or r.study in studies):
            model = next(iter(r.tags)).removeprefix("model__")
            panel = next(n for n in r.reads if n.startswith("mart__"))
            counts = verdicts(Key(r.study, r.period), panel, model)
            print(f"| {r.study} | {model} | {', '.join(f'{w} {n}' for w, n in counts.items())} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
