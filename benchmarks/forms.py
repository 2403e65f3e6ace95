"""The two forms of a scorecard's points, and which of them the fit takes: out-of-fold AUC over four seeds of the folds.

Run: `python benchmarks/forms.py FOLDER [SAMPLE ...]` (without a name: german_credit). Each sample is written to FOLDER
with the folds of each seed, as `NAME, seed 43`, for `peers.py FOLDER "NAME, seed 43" ...`.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from discrimination import FOLDS, SEED, out_of_fold, written
from frames import Frame, frames
from sklearn.model_selection import StratifiedKFold

from workbench.models.scorecard import Characteristics, Scorecard

FORMS = {"taken by the fit": None, "merged again": True, "slope · WOE": False}


def card(f: Frame):
    """Return the fit-and-predict of the sample's scorecard."""
    return lambda a, y, b: Scorecard(f.signs).fit(a, y).predict_proba(b)[:, 1]


def main(folder: Path, names: list[str]) -> None:
    """Print one row per sample and form: mean AUC over the seeds, and of each seed."""
    warnings.simplefilter("ignore")
    seeds, by_fit = range(SEED, SEED + 4), Characteristics.pay_again
    print(f"| sample | points | mean AUC | {' | '.join(map(str, seeds))} |\n| --- | --- | --- |{' --- |' * len(seeds)}")
    for sample, f in frames(names).items():
        folds = {s: list(StratifiedKFold(FOLDS, shuffle=True, random_state=s).split(f.X, f.y)) for s in seeds}
        for seed in seeds:
            written(folder, f"{sample}, seed {seed}", f, folds[seed])
        for form, is_again in FORMS.items():
            Characteristics.pay_again = by_fit if is_again is None else is_again
            aucs = [np.mean([auc for auc, _ in out_of_fold(card(f), f.X, f.y, folds[s])]) for s in seeds]
            values = " | ".join(f"{a:.4f}" for a in aucs)
            print(f"| {sample} | {form} | {np.mean(aucs):.4f} | {values} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["german_credit"])
