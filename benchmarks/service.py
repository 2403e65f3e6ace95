"""The service desk on BANKING77: intents named rightly, answer or hand over, intents left out of development, speed.

`python benchmarks/service.py [FILE]`; FILE is banking77.parquet, else it is looked for in ../shared/data/try and in
WORKBENCH_DATA. `python benchmarks/service.py variants [FILE [FOLDS]]`: what was tried, by cross-validation on the
published training part alone, on all five folds or the first ones (`service_variants.py`).
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd

from workbench import rules
from workbench.actions import service, service_answers
from workbench.metrics.selective import answer_curve
from workbench.models import naming, naming_answers
from workbench.models.scorer import Scorer

FILE = "../shared/data/try/banking77.parquet"


def parameters(file: str) -> service.Params:
    """Return the parameters of the study `banking77`."""
    return service.Params(study="banking77", questions=file, contract="params/contracts/banking77.yaml")


def main(file: str) -> None:
    """Print the figures of the model that the study develops."""
    p, rule = parameters(file), rules.load()
    asked = service.questions(p)
    learn, held = service.part(asked, service.TRAIN), service.part(asked, service.TEST)
    began = time.perf_counter()
    crossed, unseen = service.out_of_fold(learn, p), service.left_out(asked, p)
    model = service.developed(learn, crossed, unseen, p)
    named, least = naming.asked(model, held), model.facts["answers_from"]
    print(f"questions learnt from {len(learn):,}, held out {len(held):,}, {time.perf_counter() - began:.0f} s")
    print(f"out of fold {crossed['right'].mean():.2%} right")
    print(naming_answers.named_rightly(named, rule["intent_accuracy"], p.resamples, p.seed).answer)
    print(naming_answers.answered(named, least, p.accuracy, rule["desk_answered"]).answer)
    curve = answer_curve(named["predicted"], named["outcome"])
    for share in (0.8, 0.9, 1.0):
        row = curve[curve["answered"] <= share].iloc[-1]
        print(f"answered {row['answered']:.1%}: {row['accuracy']:.2%} right")
    strange = unseen[unseen["part_code"] == service.TEST]
    strange = strange.assign(predicted=model.calibration.apply(strange["raw"].to_numpy()))
    print(naming_answers.refused(strange, held.iloc[:0], least, rule["outside_refused"]).answer)
    print(naming_answers.worst_intents(named, least, rule["intent_recall"]).table.head(5).to_string())
    print(service_answers.confused(named).table.head(5).to_string())
    print(f"one question: {_milliseconds(model):.0f} ms in the middle of 200")


def _milliseconds(model: Scorer) -> float:
    """Return the median time in which the model names one question that it hasn't read before."""
    times = []
    for number in range(200):
        question = pd.DataFrame({"question": [f"my card has not come yet, it is {number} days now"]})
        began = time.perf_counter()
        model.scored(question)
        times.append(time.perf_counter() - began)
    return float(np.median(times) * 1000)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["variants"]:
        import service_variants

        file, *scored = given[1:] or [FILE]
        service_variants.main(parameters(file), *map(int, scored))
    else:
        main(given[0] if given else FILE)
