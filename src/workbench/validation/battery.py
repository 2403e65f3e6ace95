"""Run every validation test that fits the outcome on a registered model and give the verdict: pass, refer or refuse."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import yaml
from pydantic import Field

from workbench import params, tables
from workbench.evidence import Evidence, Verdict
from workbench.params import DAY_OR_NONE, OfPanel
from workbench.rules import Ruled
from workbench.validation.periods import periods, worse
from workbench.validation.subject import Subject
from workbench.words import Text, say

POLICY = Path(__file__).with_name("mandatory.yaml")
_NO_RULE = re.compile(r"rules: unknown '(\w+)'")  # as `Rules` says it
EVERY_KIND = {"binary", "rate", "amount", "time", "named"}


class Params(Ruled, params.Params):
    """Which model is validated on which panel, and by which rules."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel the model was developed on")
    model: str = Field("pd", pattern=r"^[a-z0-9_]+$", description="registered model of the study")
    thresholds: dict[str, Any] = Field({}, description="own values of rules by name, each [amber, red] or one number")
    rules_as_of: str = Field("", pattern=DAY_OR_NONE, description="day as of which rules are looked up; empty is today")
    mandatory: list[str] = Field([], description="tests an approval needs; empty means those of mandatory.yaml")
    seed: int = Field(42, ge=0, description="seed of the rows the challenger learns from, where there are too many")

    def verify(self) -> None:
        """Raise `UserError` for an unknown rule, a wrong value of one, or an unknown mandatory test."""
        super().verify()
        mandatory("binary", self.mandatory)


def reads(p: Params) -> list[str]:
    """Tables this step reads: the panel, the registered model, the bank's own tables; nothing else development wrote."""
    return [p.panel, tables.of_model(p.model), "?core__account", "?core__month"]


def writes(p: Params) -> list[str]:
    """Tables this step writes: none; the verdict goes to the model version's tags."""
    return []


def of_panel(p: Params) -> list[OfPanel]:
    """The model, which has to be one learnt from the panel."""
    return [OfPanel("model", tables.of_model(p.model), p.panel)]


def tests(kind: str = "") -> dict[str, ModuleType]:
    """Return every test of the battery by name: each module of this room that has a `test`; of one kind, those that fit."""
    names = sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = {name: _loaded(name) for name in names}
    return {n: m for n, m in modules.items() if hasattr(m, "test") and (not kind or kind in _kinds(m))}


def _kinds(module: ModuleType) -> set[str]:
    return set(getattr(module, "KINDS", EVERY_KIND))


def _loaded(name: str) -> ModuleType:
    """Return the test's module; where it can't be imported, one whose test raises the reason."""
    try:
        return import_module(f"workbench.validation.{name}")
    except Exception as e:  # noqa: BLE001 - a file that doesn't load is a broken test, not the end of the battery
        module, reason = ModuleType(name, f"Does the test '{name}' load?"), e

    def test(_: Subject) -> Evidence:
        raise reason

    module.test, module.FAMILY, module.KINDS = test, "process", EVERY_KIND
    return module


def mandatory(kind: str, named: list[str] | None = None) -> list[str]:
    """Return the tests an approval needs: those of the policy file, or those named. `UserError` for an unknown one."""
    policy = yaml.safe_load(POLICY.read_text())["tests"]
    known = {name for names in policy.values() for name in names} | set(tests())
    for name in named or []:
        if name not in known:
            raise params.UserError(f"validation/battery: mandatory: unknown '{name}'; {params.nearest(name, known)}")
    return list(named or policy.get(kind, []))


def optional(kind: str, named: list[str] | None = None) -> set[str]:
    """Return the tests of a kind that an approval doesn't need: where they have nothing to evaluate it decides nothing."""
    return set(tests(kind)) - set(mandatory(kind, named))


def run(
    subject: Subject, progress: Callable[[str], None] = lambda _: None, names: Collection[str] | None = None
) -> list[Evidence]:
    """Return the evidence of every test that fits the outcome; a test that breaks is an `error`, the battery goes on.

    names: run these only; the chance of a false alarm is shared as in the whole battery.
    """
    out, fitting = [], tests(subject.outcome.scale)
    for name, module in fitting.items():
        if names is not None and name not in names:
            continue
        out.append(_answer(name, module, replace(subject, looks=_looks(module, fitting))))
        progress(name)
    return out


def _looks(module: ModuleType, fitting: dict[str, ModuleType]) -> int:
    """Return how many tests ask the module's question by a p-value: those of its family, or of the one it names in ASKS."""
    asked = _asked(module)
    return max(sum(_asked(m) == asked for m in fitting.values()), 1) if asked else 1


def _asked(module: ModuleType) -> str:
    """Return the question a test asks by a p-value, by the name of a family; empty where its light needs no chance."""
    return getattr(module, "ASKS", module.FAMILY) if getattr(module, "BY_CHANCE", False) else ""


def is_repeated(module: ModuleType) -> bool:
    """Say whether a test of outcomes runs on every later period, too: those of discrimination and calibration do."""
    return getattr(module, "EVERY_PERIOD", module.FAMILY in ("discrimination", "calibration"))


def _on_each_sample(module: ModuleType, subject: Subject) -> Evidence:
    later = periods(subject) if is_repeated(module) else []
    shared = replace(subject, looks=subject.looks * (1 + len(later)))  # the worst of all samples decides
    return worse(module.test(shared), [(period.tested, module.test(period)) for period in later])


def _answer(name: str, module: ModuleType, subject: Subject) -> Evidence:
    if not subject.has_variety and getattr(module, "READS_OUTCOME", True):
        return _without(name, module, Verdict.not_evaluated, say("The hold-out has one outcome only."))
    try:
        _whole(subject)
        evidence = _on_each_sample(module, subject)
    except Exception as e:  # noqa: BLE001 - a broken test must not hide what the others found
        return _without(name, module, Verdict.error, _broke(name, e))
    return evidence if evidence.blind_to else replace(evidence, blind_to=blind_to(module))


def _broke(name: str, error: Exception) -> Text:
    """Say that a test broke and what to do; what the error said comes after it."""
    mend = say("Mend `src/workbench/validation/{file:s}.py` or what it reads, and run the step again.", file=name)
    if missing := _NO_RULE.match(str(error)):
        mend = say(
            "Its rule `{rule:s}` is missing: give one in a file of `src/workbench/rules/`, as `docs/extending.md` shows.",
            rule=missing[1],
        )
    technical = say("{kind:s}: {message:s}", kind=type(error).__name__, message=" ".join(str(error).split()))
    return say("The test broke: it says nothing of the model.") + mend + technical


def _whole(s: Subject) -> None:
    """Raise `ValueError` where a prediction is missing: it has no rank and no grade, and must not drop out of a mean."""
    for rows in (s.development, s.holdout, s.later):
        if missing := int(rows["predicted"].isna().sum()):
            raise ValueError(f"{missing} of {len(rows)} predictions missing")


def _without(name: str, module: ModuleType, verdict: Verdict, answer: Text) -> Evidence:
    question = say((module.__doc__ or name).splitlines()[0])
    return Evidence(key=name, question=question, verdict=verdict, answer=answer, blind_to=blind_to(module))


def blind_to(module: ModuleType) -> Text:
    """Return what a test can't see, as its docstring says it."""
    line = re.search(r"\*\*Blind to\*\* (.+?)\n\*\*", module.__doc__ or "", re.DOTALL)
    return say(" ".join(line[1].split())) if line else Text()


def family(name: str) -> str:
    """Return the family a test belongs to."""
    return str(getattr(tests().get(name), "FAMILY", "other"))


def by_family(items: list[Evidence]) -> pd.DataFrame:
    """Return families by light: how many tests of each family have which light."""
    frame = pd.DataFrame({"family": [family(e.key) for e in items], "light": [str(e.verdict) for e in items]})
    counts = frame.groupby(["family", "light"]).size().unstack(fill_value=0)
    return counts[[str(v) for v in Verdict if str(v) in counts]].rename_axis(columns=None).reset_index()


def verdict(items: list[Evidence], subject: Subject, named: list[str] | None = None) -> Evidence:
    """Return the overall verdict.

    Refuse: a red light, a broken test, or a mandatory test missing (`named`, else those of mandatory.yaml). Refer: more
    amber lights than tolerated, or a mandatory test that could not be evaluated; others answer so where the data have
    nothing for them, such as dates of events. Pass otherwise. What it means is for a person to sign.
    """
    tolerated = int(subject.rules.number("tolerated_ambers"))
    needed = mandatory(subject.outcome.scale, named)
    missing = sorted(set(needed) - {e.key for e in items})
    unknown = [e.key for e in items if e.key in needed and e.verdict is Verdict.not_evaluated]
    word = _word(items, missing, unknown, tolerated)
    return Evidence(
        key="battery",
        question=say("Should this version be approved?"),
        verdict={"refuse": Verdict.red, "refer": Verdict.amber, "pass": Verdict.green}[word],
        answer=_counted(word, items) + _named(items, missing, unknown) + _overrides(subject, named),
        value=word,
        threshold=say(
            "Refuse on any red, broken or missing mandatory test; refer on more than {tolerated: ambers} (a sound model has "
            "some by chance, seldom more), or where a mandatory test could not be evaluated.",
            tolerated=tolerated,
        ),
        blind_to=_unfit(subject),
        source="the battery as a whole: completeness",
        table=by_family(items),
    )


def _word(items: list[Evidence], missing: list[str], unknown: list[str], tolerated: int) -> str:
    lights = [e.verdict for e in items]
    if missing or Verdict.red in lights or Verdict.error in lights:
        return "refuse"
    return "refer" if lights.count(Verdict.amber) > tolerated or unknown else "pass"


def _counted(word: str, items: list[Evidence]) -> Text:
    names = {
        "red": Verdict.red,
        "broken": Verdict.error,
        "amber": Verdict.amber,
        "open": Verdict.not_evaluated,
        "info": Verdict.info,
    }
    counts = {n: sum(e.verdict is v for e in items) for n, v in {**names, "green": Verdict.green}.items()}
    words = {"pass": say("pass"), "refer": say("refer"), "refuse": say("refuse")}
    return say(
        "{word}: {tests: tests}, {red} red, {broken} broken, {amber} amber, {open} not evaluated, {green} green, {info} for information only.",
        word=words[word],
        tests=len(items),
        **counts,
    )


def _named(items: list[Evidence], missing: list[str], unknown: list[str]) -> Text:
    """Name the tests that decide: red or broken, else amber, and those an approval needs that are missing or open."""
    red, broken, amber = ([e.key for e in items if e.verdict is v] for v in (Verdict.red, Verdict.error, Verdict.amber))
    lit = say("Red: {tests}.", tests=_words(red)) if red else Text()
    lit += say("Broken: {tests}.", tests=_words(broken)) if broken else Text()
    if amber and not lit:
        lit = say("Amber: {tests}.", tests=_words(amber))
    absent = say("Missing: {tests}.", tests=_words(missing)) if missing else Text()
    return lit + absent + (say("Mandatory and not evaluated: {tests}.", tests=_words(unknown)) if unknown else Text())


def _words(names: list[str]) -> list[Text]:
    """Return tests as a sentence names them (`calibration line`)."""
    return [say(name.replace("_", " ")) for name in names]


def _unfit(s: Subject) -> Text:
    names = sorted(set(tests()) - set(tests(s.outcome.scale)))
    kinds = {"binary": say("an event"), "rate": say("a rate"), "amount": say("an amount"), "time": say("a time")}
    kinds |= {"named": say("a name that is right")}
    return say(
        "what tests made for other outcomes than {kind} see: {tests}.", kind=kinds[s.outcome.kind], tests=_words(names)
    )


def _overrides(s: Subject, named: list[str] | None) -> Text:
    """Say what the study, which the developer writes, puts above the validator's rules and list of tests."""
    each = [
        say("{rule}: {given} for {ruled}", rule=name, given=_levels(s, name), ruled=[f"{v:g}" for v in ruled])
        for name, ruled in s.rules.overridden.items()
    ]
    overrides = say("The study puts its own values above the rules: {rules}.", rules=each) if each else Text()
    return overrides + _left_out(s, named)


def _levels(s: Subject, name: str) -> list[str]:
    rule = s.rules.thresholds.get(name)
    return [f"{v:g}" for v in ((rule.amber, rule.red) if rule else (s.rules.number(name),))]


def _left_out(s: Subject, named: list[str] | None) -> Text:
    """Name the tests that the policy wants and the study doesn't: a shorter list is the developer's, and must be seen."""
    names = sorted(set(mandatory(s.outcome.scale)) - set(named)) if named else []
    return say("The study leaves out mandatory tests: {tests}.", tests=_words(names)) if names else Text()


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
