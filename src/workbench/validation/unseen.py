"""Does the model know what it doesn't know: are questions of an intent it has never seen handed over?

**Method** the recorded settings learnt again with each group of intents left out; of the hold-out's questions of those intents, the share whose confidence stays below the least that is answered; beside it the questions that are nothing of the desk's, by the registered version.
**Reads as bad** too few handed over: the customer gets the answer to another question.
**Blind to** intents that lie farther from all others than those left out, and to questions that mix two.
**Source** Larson et al. (2019), An evaluation dataset for intent classification and out-of-scope prediction, EMNLP.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.evidence import Evidence
from workbench.models import naming, naming_answers
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "naming", {"named"}
READS_OUTCOME = False


def test(s: Subject) -> Evidence:
    """Return the share handed over of questions whose intent was left out, and of those outside."""
    facts, rule = s.model.facts, s.rules["outside_refused"]
    raw = naming.left_out(s.development, s.holdout, facts["settings"], int(facts["folds"]), int(facts["seed"]))
    unseen = s.holdout.loc[raw.index].assign(predicted=s.model.calibration.apply(raw.to_numpy()))
    outside = s.panel[s.panel["sample"] == "outside"]
    outside = outside.assign(predicted=s.model.predict(outside)) if len(outside) else outside
    answer = naming_answers.refused(unseen, outside, float(facts["answers_from"]), rule)
    seen = not_stated(say("a share is held against a level"))
    return replace(answer, sight=sight(s, answer.value, seen, convention=Gauge(answer.value, rule), rows=unseen))
