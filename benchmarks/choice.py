"""Does the choice hang on the seed of the folds? taiwan_cards, ten seeds: `python benchmarks/choice.py [SEEDS]`."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from frames import frames
from sklearn.model_selection import StratifiedKFold

from workbench.models.choice import choose
from workbench.models.development import Candidate, Params, Sample
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Calibration
from workbench.models.trees import BoostedTrees


def main(seeds: int) -> None:
    """Print the choice between scorecard and boosted trees, and what the scorecard loses, for each seed."""
    f = frames(["taiwan_cards"])["taiwan_cards"]
    s = Sample(f.X, f.y.astype(float), np.ones(len(f.y)), np.arange(len(f.y)).astype(str))
    print("| seed | chosen | loss of Gini, scorecard | 95 % interval |\n| --- | --- | --- | --- |")
    for seed in range(1, seeds + 1):
        folds = list(StratifiedKFold(3, shuffle=True, random_state=seed).split(f.X, f.y))
        candidates = []
        for kind, estimator in {"scorecard": Scorecard(f.signs), "boosted": BoostedTrees(f.signs, 3, 300)}.items():
            out = np.zeros(len(s.y))
            for train, test in folds:
                fitted = estimator.fit(f.X.iloc[train], s.y[train])
                out[test] = fitted.predict_proba(f.X.iloc[test])[:, 1]
            candidates.append(Candidate(kind, estimator, Calibration(1.0, 0.0), out, pd.DataFrame()))
        chosen, evidence = choose(candidates, s, Params(seed=seed))
        row = evidence.table.set_index("candidate").loc["scorecard"]
        print(f"| {seed} | {chosen.kind} | {row.loss:.4f} | {row.loss_low:.4f} to {row.loss_high:.4f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
