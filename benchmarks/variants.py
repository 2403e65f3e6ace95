"""Settings of the scorecard that were tried and not taken: out-of-fold AUC over seeds of the folds, from 43 on.

Run: `python benchmarks/variants.py FOLDER SEEDS SAMPLE ...`. Each sample is written to FOLDER with the folds of each
seed, as `NAME, seed 43`, for `peers.py FOLDER "NAME, seed 43" ...`. Seed 42 is kept for the figures reported.
"""

from __future__ import annotations

import sys
from pathlib import Path

from discrimination import SEED
from forms import Setting, compared

from workbench.models import merging, scorecard, selection, shapes
from workbench.models.fine_bins import Fine
from workbench.models.merging import Shape


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
    "no limit by events": ((selection, "EVENTS_EACH", 1),),
    "a turn wherever it gains": ((shapes, "SURE_TURN", 0.0),),
    "credit amount a valley": ((scorecard, "shape_of", amount_turns),),
}


if __name__ == "__main__":
    seeds = range(SEED + 1, SEED + 1 + int(sys.argv[2]))
    compared(Path(sys.argv[1]), sys.argv[3:] or ["german_credit"], "variant", VARIANTS, seeds)
