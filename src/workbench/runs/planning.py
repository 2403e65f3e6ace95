"""The validation plan of a version as its study stands: the battery's tests, thresholds in force, code, parameters."""

from __future__ import annotations

from typing import Any

from workbench import home, rules, tables
from workbench.params import UserError
from workbench.registry import plans
from workbench.runs import fingerprint
from workbench.runs.study import Step, load
from workbench.validation import battery


def plan(model: str) -> dict[str, Any]:
    """Return what the battery would do to a model (`study.model`) if its study ran now, as a plan is signed.

    Holds tests, mandatory ones, thresholds, the step's parameters, digests of its code, and how often the hold-out was
    opened before (`looks`). `UserError` where the study has no battery for the model.
    """
    step = _step(model)
    given = step.params.model_dump(mode="json")
    kind = tables.contract(step.key, given["panel"]).outcome.scale
    in_force = rules.load(given["rules_as_of"])
    digests = {n: d for n, d in fingerprint.code(step).items() if n in plans.DIGESTS}
    return {
        "step": step.name,
        "tests": sorted(battery.tests(kind)),
        "mandatory": battery.mandatory(kind, given["mandatory"]),
        "thresholds": {n: [t.amber, t.red] for n, t in in_force.thresholds.items()} | dict(in_force.numbers),
        "params": given,
        **digests,
        "looks": plans.looks(model),
    }


def _step(model: str) -> Step:
    study, _, name = model.partition(".")
    steps = load(home.root() / "params" / f"{study}.yaml").steps
    ours = [s for s in steps if s.name.partition("@")[0] == plans.BATTERY and getattr(s.params, "model", "") == name]
    if not ours:
        raise UserError(f"params/{study}.yaml: no {plans.BATTERY} validates '{name}'; add one")
    return ours[0]
