"""The service desk on BANKING77: intents named rightly, answer or hand over, intents left out of development.

`python benchmarks/service.py [FILE]`; FILE is banking77.parquet, else it is looked for in ../shared/data/try and in
WORKBENCH_DATA.
"""

from __future__ import annotations

import sys
import time

from workbench.actions import service, service_answers
from workbench.metrics.selective import answer_curve

FILE = "../shared/data/try/banking77.parquet"


def main() -> None:
    """Print the figures."""
    file = sys.argv[1] if len(sys.argv) > 1 else FILE
    p = service.Params(study="banking77", questions=file, contract="params/contracts/banking77.yaml")
    asked = service.questions(p)
    learn, held = service.part(asked, service.TRAIN), service.part(asked, service.TEST)
    began = time.perf_counter()
    crossed = service.out_of_fold(learn, p)
    model = service.developed(learn, crossed, p)
    named = service.asked(model, held)
    print(f"questions learnt from {len(learn):,}, held out {len(held):,}, {time.perf_counter() - began:.0f} s")
    print(service_answers.named_rightly(named, p).answer)
    print(service_answers.answered(named, model, p).answer)
    curve = answer_curve(named["predicted"], named["right"])
    for share in (0.8, 0.9, 1.0):
        row = curve[curve["answered"] <= share].iloc[-1]
        print(f"answered {row['answered']:.1%}: {row['accuracy']:.2%} right")
    unseen = service.left_out(learn, held, model.calibration, p)
    print(service_answers.refused(unseen, held.iloc[:0], model).answer)
    print(service_answers.by_intent(named, model).table.head(5).to_string())
    print(service_answers.confused(named).table.head(5).to_string())


if __name__ == "__main__":
    main()
