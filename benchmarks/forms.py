"""The two forms of a scorecard's points, and which of them the fit takes: out-of-fold AUC over four seeds of the folds.

Run: `python benchmarks/forms.py FOLDER [SAMPLE ...]` (without a name: german_credit). Each sample is written to FOLDER
with the folds of each seed, as `NAME, seed 43`, for `peers.py FOLDER "NAME, seed 43" ...`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
from discrimination import FOLDS, SEED, out_of_fold, written
from frames import Frame, frames
from sklearn.model_selection import StratifiedKFold

from workbench.models.scorecard import Characteristics, Scorecard

Setting = tuple[object, str, object]  # of which module or class what is set to what
FORMS: dict[str, tuple[Setting, ...]] = {
    "taken by the fit": (),
    "merged again": ((Characteristics, "pay_again", True),),
    "slope · WOE": ((Characteristics, "pay_again", False),),
}


def card(f: Frame):
    """Return the fit-and-predict of the sample's scorecard."""
    return lambda a, y, b: Scorecard(f.signs).fit(a, y).predict_proba(b)[:, 1]


def compared(
    folder: Path, names: list[str], what: str, variants: Mapping[str, Iterable[Setting]], seeds: range
) -> None:
    """Print one row per sample and variant of the scorecard: mean AUC over the seeds of the folds, and of each seed."""
    warnings.simplefilter("ignore")
    print(f"| sample | {what} | mean AUC | {' | '.join(map(str, seeds))} |\n| --- | --- | --- |{' --- |' * len(seeds)}")
    for sample, f in frames(names).items():
        folds = {s: list(StratifiedKFold(FOLDS, shuffle=True, random_state=s).split(f.X, f.y)) for s in seeds}
        for seed in seeds:
            written(folder, f"{sample}, seed {seed}", f, folds[seed])
        for variant, settings in variants.items():
            with ExitStack() as stack:
                for place, setting, value in settings:
                    stack.enter_context(patch.object(place, setting, value))
                aucs = [np.mean([auc for auc, _ in out_of_fold(card(f), f.X, f.y, folds[s])]) for s in seeds]
            values = " | ".join(f"{a:.4f}" for a in aucs)
            print(f"| {sample} | {variant} | {np.mean(aucs):.4f} | {values} |", flush=True)


if __name__ == "__main__":
    compared(Path(sys.argv[1]), sys.argv[2:] or ["german_credit"], "points", FORMS, range(SEED, SEED + 4))
