"""Run every validation test on a registered model and give the verdict: pass, refer or refuse."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import yaml
from pydantic import Field

from workbench import params
from workbench.evidence import Evidence, Verdict
from workbench.validation.subject import Subject, thresholds

TOLERATED_AMBERS = 3
POLICY = Path(__file__).with_name("mandatory.yaml")
_NOT_TESTS = ("battery", "subject")


class Params(params.Params):
    """Which model is validated on which panel, and the study's own thresholds."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel the model was developed on")
    model: str = Field("pd", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    thresholds: dict[str, Any] = Field({}, description="own thresholds by name, each [amber, red]")
    mandatory: list[str] = Field([], description="tests an approval needs; empty means those of mandatory.yaml")
    seed: int = Field(7, ge=0, description="seed of the validator's own draws")

    def verify(self) -> None:
        """Raise `UserError` for an unknown threshold or an unknown mandatory test."""
        thresholds(self.thresholds)
        mandatory(self.mandatory)


def reads(p: Params) -> list[str]:
    """Tables this step reads: the panel and the registered model, nothing else development wrote."""
    return [p.panel, f"model__{p.model}"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none; the verdict goes to the model version's tags."""
    return []


def tests() -> dict[str, ModuleType]:
    """Return every test of the battery by name: each module of this room that has a `test`."""
    names = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name not in _NOT_TESTS]
    found = {name: _loaded(name) for name in sorted(names)}
    return {name: module for name, module in found.items() if hasattr(module, "test")}


def _loaded(name: str) -> ModuleType:
    """Return the test's module; where it can't be imported, one whose test raises the reason."""
    try:
        return import_module(f"workbench.validation.{name}")
    except Exception as e:  # noqa: BLE001 - a file that doesn't load is a broken test, not the end of the battery
        module, reason = ModuleType(name, f"Does the test '{name}' load?"), e

    def test(_: Subject) -> Evidence:
        raise reason

    module.test, module.FAMILY = test, "process"
    return module


def mandatory(named: list[str] | None = None) -> list[str]:
    """Return the tests an approval needs: those of the policy file, or those named. `UserError` for an unknown one."""
    policy = yaml.safe_load(POLICY.read_text())["tests"]
    for name in named or []:
        if name not in {*policy, *tests()}:
            raise params.UserError(
                f"validation/battery: mandatory: unknown '{name}'; {params.nearest(name, {*policy, *tests()})}"
            )
    return list(named or policy)


def run(subject: Subject, progress: Callable[[str], None] = lambda _: None) -> list[Evidence]:
    """Return every test's evidence; a test that breaks is an `error`, and the battery goes on."""
    out = []
    for name, module in tests().items():
        try:
            out.append(module.test(subject))
        except Exception as e:  # noqa: BLE001 - a broken test must not hide what the others found
            said = f"{type(e).__name__}: {' '.join(str(e).split())}"
            out.append(
                Evidence(
                    key=name, question=(module.__doc__ or name).splitlines()[0], verdict=Verdict.error, answer=said
                )
            )
        progress(name)
    return out


def family(name: str) -> str:
    """Return the family a test belongs to."""
    return str(getattr(tests()[name], "FAMILY", "other"))


def by_family(items: list[Evidence]) -> pd.DataFrame:
    """Return families by light: how many tests of each family have which light."""
    frame = pd.DataFrame({"family": [family(e.key) for e in items], "light": [str(e.verdict) for e in items]})
    counts = frame.groupby(["family", "light"]).size().unstack(fill_value=0)
    return counts[[str(v) for v in Verdict if str(v) in counts]].rename_axis(columns=None).reset_index()


def verdict(items: list[Evidence], named: list[str] | None = None) -> Evidence:
    """Return the overall verdict.

    Refuse: a red light, a broken test, or a mandatory test missing (`named`, else those of mandatory.yaml). Refer: more amber lights than tolerated, or a
    test that could not be evaluated. Pass otherwise. What it means is for a person to sign.
    """
    lights = [e.verdict for e in items]
    count = {v: lights.count(v) for v in Verdict}
    missing = sorted(set(mandatory(named)) - {e.key for e in items})
    bad = count[Verdict.red] + count[Verdict.error] + len(missing)
    word = (
        "refuse"
        if bad
        else "refer"
        if count[Verdict.amber] > TOLERATED_AMBERS or count[Verdict.not_evaluated]
        else "pass"
    )
    light = {"refuse": Verdict.red, "refer": Verdict.amber, "pass": Verdict.green}[word]
    worst = [e.key for e in items if e.verdict in (Verdict.red, Verdict.error)]
    answer = (
        f"{word}: {len(items)} tests, {count[Verdict.red]} red, {count[Verdict.error]} broken, {count[Verdict.amber]} amber, "
        f"{count[Verdict.not_evaluated]} not evaluated, {count[Verdict.green]} green."
    )
    answer += f" Red: {', '.join(worst)}." if worst else ""
    answer += f" Missing: {', '.join(missing)}." if missing else ""
    return Evidence(
        key="battery",
        question="Should this version be approved?",
        verdict=light,
        answer=answer,
        value=word,
        threshold=f"refuse on any red, broken or missing mandatory test; refer on more than {TOLERATED_AMBERS} ambers (convention)",
        source="test 54 of the battery: completeness",
        table=by_family(items),
    )


def tags(items: list[Evidence], overall: Evidence) -> dict[str, str]:
    """Return what goes to the model version's tags."""
    reds = ", ".join(e.key for e in items if e.verdict in (Verdict.red, Verdict.error))
    ambers = ", ".join(e.key for e in items if e.verdict is Verdict.amber)
    return {
        "validation.verdict": str(overall.value),
        "validation.red": reds or "none",
        "validation.amber": ambers or "none",
        "validation.tests": str(len(items)),
    }
