"""What to do now, by step (or its room) and light: the sentence below a page's decision."""

from __future__ import annotations

from workbench.words import Text, say

_STOP, _LOOK, _GO = ("error", "red"), ("amber",), ("green", "info")

_BY_STEP = {
    "portfolios": {
        _STOP: say("Don't build on these data. Have their owner mend what is red, then run the study again."),
        _LOOK: say("The data may be used. Have their owner explain what is amber, or confirm it in the contract."),
        _GO: say("The data may be used as they are."),
    },
    "panel": {
        _STOP: say("Don't develop on this panel. Mend what is red in the study file, then run it again."),
        _LOOK: say("Look at what is amber before a model is developed on this panel."),
        _GO: say("A model may be developed on this panel."),
    },
    "models": {
        _STOP: say("Don't put this model forward. Development looks at what is red first."),
        _LOOK: say("The model may go to independent validation. Its developer explains what is amber."),
        _GO: say("The model may go to independent validation."),
    },
    "validation": {
        _STOP: say("Don't approve this version. Development mends what is red and registers a new version."),
        _LOOK: say("An independent person judges what is amber, and signs or refuses."),
        _GO: say("The version may be approved; an independent person signs."),
    },
    "monitoring": {
        _STOP: say(
            "Tell the model's owner today. Do what the alarms ask, decide whether the model goes on deciding until "
            "then, and record both."
        ),
        _LOOK: say("Have the model's owner explain what is amber before the next period is due."),
        _GO: say("Nothing to do until the next period is due."),
    },
    "monitoring/behaviour": {  # watches customers: no model is needed for it, so none is to be changed
        _STOP: say(
            "Find out today whether the delivery or the customers changed. "
            "Learn and apply no model on these rows before."
        ),
        _LOOK: say("Have what is amber explained before the next period is due."),
        _GO: say("Nothing to do until the next period is due."),
    },
    "reporting": {
        _STOP: say("Ask each red light's owner today what is done about it; the names stand under breaches."),
        _LOOK: say("Have what is amber explained before the next pack is due."),
        _GO: say("Nothing to decide; the next pack comes with the next period."),
    },
    "customers": {
        _STOP: say("Don't act on these figures before what is red is mended."),
        _LOOK: say("Look at what is amber before anybody acts on these figures."),
        _GO: say("The figures may be used for decisions on customers, within the policies."),
    },
}
_ELSEWHERE = {
    _STOP: say("Don't build on this step before what is red is mended."),
    _LOOK: say("Look at what is amber before anything is built on this step."),
    _GO: say("Nothing to do; later steps may build on this one."),
}


_WITH_LIST = {
    _STOP: say("Don't act on the list before what is red is mended."),
    _LOOK: say("A person looks at what is amber before anybody acts on the list."),
    _GO: say("Act on the list: it says whom, why and what to do."),
}
_NOT_EVALUATED = say("Don't rely on what could not be evaluated: give it what it lacks, as it says, and run it again.")


def what_to_do(step: str, verdict: str, *, lists: bool = False) -> Text:
    """Return what a reader should do after a step that ended with this verdict.

    lists: whether the step has made a list that somebody works through.
    """
    if verdict == "not_evaluated":
        return _NOT_EVALUATED
    base = step.partition("@")[0]
    of_step = _BY_STEP.get(base) or _BY_STEP.get(base.partition("/")[0], _ELSEWHERE)
    advice = _WITH_LIST if lists else of_step
    return next(text for lights, text in advice.items() if verdict in lights)


def decision(verdict: str) -> Text:
    """Return what a verdict decides, in few words."""
    return next(text for lights, text in _DECISIONS.items() if verdict in lights)


_DECISIONS = {
    ("error",): say("Not usable: it could not be evaluated"),
    ("red",): say("Not acceptable as it is"),
    ("amber",): say("Usable, but a person must look first"),
    ("not_evaluated",): say("Not evaluated"),
    ("green",): say("In order"),
    ("info",): say("Nothing to judge"),
}
