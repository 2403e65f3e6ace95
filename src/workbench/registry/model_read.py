"""What is said of the model whose scores a step acts on: development, validation and monitoring as one light."""

from __future__ import annotations

from collections.abc import Iterable

from workbench import evidence, tables
from workbench.evidence import Evidence, Verdict
from workbench.evidence.lights import in_words
from workbench.params import Key
from workbench.registry import recorded, state
from workbench.registry.lifecycle import REJECTED, RETIRED
from workbench.registry.recorded import BARRED, JUDGED, Recorded
from workbench.words import Text, say

_BARRED = {
    REJECTED: say("The version was rejected: it may not be used."),
    RETIRED: say("The version was retired from use."),
}


def reads(scores: str) -> str:
    """Return the name by which a step reads what is said of the model that made a table of scores."""
    return f"?{JUDGED}:{scores}"


def judged(key: Key, scores: str, beside: Text | None = None) -> Evidence:
    """Return the worst light of the model behind a table of scores: who acts on them inherits it.

    Amber where nobody has validated this version, red where it was rejected or retired, not evaluated where no run of
    the study has made the scores.
    beside: what the step's list goes by, where that isn't these scores: their light is a fact then.
    """
    runs = recorded.read(key)
    maker = next((r for r in runs.values() if scores in r.record.tables and r.record.models), None)
    if maker is None:
        none = say("No run of this study has made the scores {scores}.", scores=scores)
        return _answered(Verdict.not_evaluated, none)
    name, entry = next(iter(maker.record.models.items()))
    reading = [r for r in runs.values() if name in {n.lstrip("?") for n in r.record.reads}]
    validations = [r for r in reading if r.room == "validation" and _is_of(r, name, str(entry["version"]))]
    monitoring = [r for r in reading if r.room == "monitoring"]
    validation = _worst(validations)
    answer = say(
        "The scores {read} are those of model {model:s}, version {version}: development {development}, "
        "validation {validation}, monitoring {monitoring}.",
        read=say("acted on") if beside is None else say("beside the list"),
        model=name.removeprefix(tables.MODEL),
        version=str(entry["version"]),
        development=in_words(maker.record.verdict),
        validation=in_words(validation) if validation else say("not done"),
        monitoring=in_words(_worst(monitoring)) if monitoring else say("not done"),
    )
    evidence.touch("read", BARRED, recorded.digest(key, BARRED))
    barred = state.barred().get((str(entry["name"]), str(entry["version"])))
    if barred:
        answer += _BARRED[barred.state]
    if beside is not None:
        without = say("no light: the list doesn't go by these scores")
        return _answered(Verdict.info, answer + say("The list goes by {beside}.", beside=beside), without)
    lights = [Verdict(maker.record.verdict), Verdict(validation or Verdict.amber)]
    lights += [Verdict(r.record.verdict) for r in monitoring]
    lights += [Verdict.red] if barred else []
    worst = min(lights, key=lambda v: v.rank)
    return _answered(Verdict.green if worst is Verdict.info else worst, answer)


def _answered(verdict: Verdict, answer: Text, threshold: Text | None = None) -> Evidence:
    usual = say("the worst of the version's lights; amber where nobody has validated it, red where it may not be used")
    return Evidence(
        key=JUDGED,
        question=say("May the model's scores be acted on?"),
        verdict=verdict,
        answer=answer,
        threshold=threshold or usual,
    )


def _is_of(run: Recorded, model: str, version: str) -> bool:
    """Say whether a validation speaks of this very version."""
    return str(run.record.tags.get(model, {}).get("version", "")) == version


def _worst(runs: Iterable[Recorded]) -> str:
    return str(min((Verdict(r.record.verdict) for r in runs), key=lambda v: v.rank, default=""))
