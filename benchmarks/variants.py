"""Settings of the scorecard that were tried and not taken: out-of-fold AUC over seeds of the folds, from 43 on.

Run: `python benchmarks/variants.py FOLDER SEEDS SAMPLE ...`. Each sample is written to FOLDER with the folds of each
seed, as `NAME, seed 43`, for `peers.py FOLDER "NAME, seed 43" ...`. Seed 42 is kept for the figures reported.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
from discrimination import FOLDS, SEED, out_of_fold, written
from frames import Frame, frames
from sklearn.model_selection import StratifiedKFold

from workbench.models import characteristics, merging, selection, shapes
from workbench.models.characteristics import Characteristics
from workbench.models.scorecard import Scorecard

Setting = tuple[object, str, object]  # of which module or class what is set to what


ANY_FOLDS: Setting = (selection, "OPPOSED", FOLDS)
RIGHT_SIGN: tuple[Setting, ...] = ((selection, "ENTRY", 0.0), (selection, "MATERIAL", 0.0), ANY_FOLDS)
VARIANTS: dict[str, tuple[Setting, ...]] = {
    "as it is": (),
    "never conventional": ((Characteristics, "_conventional", None),),
    "conventional where events are few": ((Characteristics, "_conventional", Characteristics._at_no_price),),
    "every right sign": RIGHT_SIGN,
    "right in any folds": (ANY_FOLDS,),
    "a bin at no price": ((merging, "COST", 0.0),),
    "a turn wherever it gains": ((shapes, "TURN", 0.0),),
    "always merged again": ((Characteristics, "pay_again", True),),
    "never merged again": ((Characteristics, "pay_again", False),),
    "no limit by events": ((characteristics, "EVENTS_EACH", 0),),
}


def auc(f: Frame, folds: list) -> float:
    """Return the mean AUC of the sample's scorecard over the folds."""
    each = out_of_fold(lambda a, y, b: Scorecard(f.signs).fit(a, y).predict_proba(b)[:, 1], f.X, f.y, folds)
    return float(np.mean([area for area, _ in each]))


def main(folder: Path, seeds: range, names: list[str]) -> None:
    """Print one row per sample and variant: mean AUC over the seeds of the folds, and of each seed."""
    warnings.simplefilter("ignore")
    print(
        f"| sample | variant | mean AUC | {' | '.join(map(str, seeds))} |\n| --- | --- | --- |{' --- |' * len(seeds)}"
    )
    for sample, f in frames(names).items():
        folds = {s: list(StratifiedKFold(FOLDS, shuffle=True, random_state=s).split(f.X, f.y)) for s in seeds}
        for seed in seeds:
            written(folder, f"{sample}, seed {seed}", f, folds[seed])
        for variant, settings in VARIANTS.items():
            with ExitStack() as stack:
                for place, setting, value in settings:
                    stack.enter_context(patch.object(place, setting, value))
                aucs = [auc(f, folds[s]) for s in seeds]
            print(
                f"| {sample} | {variant} | {np.mean(aucs):.4f} | {' | '.join(f'{a:.4f}' for a in aucs)} |", flush=True
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), range(SEED + 1, SEED + 1 + int(sys.argv[2])), sys.argv[3:] or ["german_credit"])
