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
from forms import card
from frames import frames
from sklearn.model_selection import StratifiedKFold

from workbench.models import merging, scorecard, selection, shapes
from workbench.models.fine_bins import Fine
from workbench.models.merging import Shape

Setting = tuple[object, str, object]


def amount_turns(fine: Fine, monotone: int, min_bin_size: float) -> Shape:
    """Return a valley for the credit amount, as OptBinning finds it, elsewhere the shape the fit finds."""
    return "valley" if fine.bins.name == "credit_amt" else shapes.shape_of(fine, monotone, min_bin_size)


CHEAP_BIN: Setting = (merging, "COST", 0.25)
EVERY_ONE: tuple[Setting, ...] = ((selection, "ENTRY", 0.0), (selection, "MATERIAL", 0.0))
VARIANTS: dict[str, tuple[Setting, ...]] = {
    "as it is": (),
    "half the price of a bin": (CHEAP_BIN,),
    "every characteristic with the right sign": EVERY_ONE,
    "both": (CHEAP_BIN, *EVERY_ONE),
    "a turn wherever it gains": ((shapes, "SURE_TURN", 0.0),),
    "credit amount a valley": ((scorecard, "shape_of", amount_turns),),
}


def main(folder: Path, n: int, names: list[str]) -> None:
    """Print one row per sample and variant: mean AUC over the seeds, and of each seed."""
    warnings.simplefilter("ignore")
    seeds = range(SEED + 1, SEED + 1 + n)
    print(f"| sample | variant | mean AUC | {' | '.join(map(str, seeds))} |\n| --- | --- | --- |{' --- |' * n}")
    for sample, f in frames(names).items():
        folds = {s: list(StratifiedKFold(FOLDS, shuffle=True, random_state=s).split(f.X, f.y)) for s in seeds}
        for seed in seeds:
            written(folder, f"{sample}, seed {seed}", f, folds[seed])
        for variant, settings in VARIANTS.items():
            with ExitStack() as stack:
                for module, setting, value in settings:
                    stack.enter_context(patch.object(module, setting, value))
                aucs = [np.mean([auc for auc, _ in out_of_fold(card(f), f.X, f.y, folds[s])]) for s in seeds]
            values = " | ".join(f"{a:.4f}" for a in aucs)
            print(f"| {sample} | {variant} | {np.mean(aucs):.4f} | {values} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or ["german_credit"])
