"""A validation plan: which tests with which thresholds, signed before the results, and what was done otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.registry import makers, recorded, runs
from workbench.registry.current import Record

BATTERY, DEVELOPMENT = "validation/battery", "models/development"
DIGESTS = ("notebook_digest", "code_digest", "rules_digest")


def looks(model: str) -> dict[str, int]:
    """Return how often the hold-out was opened for a model: finished runs of development, and of the battery."""
    study, _, name = model.partition(".")
    counts = dict.fromkeys((DEVELOPMENT, BATTERY), 0)
    for record in makers.records(study):
        step = record.step.partition("@")[0]
        if step in counts and _values(record).get("model") == name:
            counts[step] += 1
    return counts


def deviations(plan: Mapping[str, Any], battery: Record) -> list[str]:
    """Return in words what a battery's run did otherwise than the plan says; nothing where it kept to it."""
    facts, values = runs.params(battery.run_id), _values(battery)
    out = [f"{n.partition('_')[0]} is another" for n in DIGESTS if facts.get(n) != plan.get(n)]
    planned = plan.get("params", {})
    out += [
        f"{n}: {json.dumps(values.get(n))} instead of {json.dumps(planned.get(n))}"
        for n in sorted({*planned, *values})
        if values.get(n) != planned.get(n)
    ]
    run = {e["key"] for e in recorded.left_behind(battery)["evidence"]}
    return out + [f"test {t} was not run" for t in plan.get("tests", []) if t not in run]


def _values(record: Record) -> dict[str, Any]:
    return json.loads(recorded.artifact(record, "params.json").read_text(encoding="utf-8"))
