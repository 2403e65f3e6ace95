"""Hold-out AUC where a number holds special codes that say something, planted: ours, and OptBinning told of them.

    python benchmarks/special_codes.py FOLDER          # makes the samples, and ours
    .venv-peers/bin/python benchmarks/special_codes.py FOLDER --peers

Each of ten samples: 20,000 rows, three numbers, and one of which 30 % are codes: no record (worse than most values),
not asked (better), not applicable (as the rest). Learnt on one half, AUC on the other; "as numbers" and "missing" are
what becomes of the codes where nobody names them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

SEEDS, ROWS = range(1, 11), 20_000
CODES = {"-9": "no record", "-8": "not asked", "-7": "not applicable"}
EFFECTS = {"": 0.0, "-9": 1.2, "-8": -0.8, "-7": 0.1}


def sample(seed: int) -> pd.DataFrame:
    """Return rows of a, b, c, x (the number with codes), bad and truth (the log odds they were drawn by)."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(ROWS, 4))
    rows = pd.DataFrame(z[:, :3] + 0.7 * rng.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
    x = np.round(np.exp(1 + 0.6 * z[:, 3]), 1)
    code = rng.choice(["", *CODES], ROWS, p=[0.7, 0.12, 0.1, 0.08])
    effect = np.where(code == "", 0.6 * z[:, 3], pd.Series(code).map(EFFECTS))
    truth = -2.5 + 0.5 * z[:, 0] + 0.4 * z[:, 1] + 0.3 * z[:, 2] + effect
    bad = (rng.random(ROWS) < 1 / (1 + np.exp(-truth))).astype(int)
    rows["x"] = np.where(code == "", x, pd.to_numeric(pd.Series(code), errors="coerce"))
    return rows.assign(bad=bad, truth=truth)


def ours(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what the scorecard predicts: codes named as a contract names them, missing, and taken as numbers."""
    from workbench.models.scorecard import Scorecard

    def gaps(X: pd.DataFrame) -> pd.DataFrame:
        return X.assign(x=X["x"].mask(X["x"] < 0))

    def named(X: pd.DataFrame) -> pd.DataFrame:
        return gaps(X).assign(x_special=X["x"].map({float(c): words for c, words in CODES.items()}))

    forms = {
        "workbench scorecard": (named, Scorecard(special={"x": CODES})),
        "workbench scorecard, codes missing": (gaps, Scorecard()),
        "workbench scorecard, codes as numbers": (pd.DataFrame, Scorecard()),
    }
    return {n: card.fit(form(train), y).predict_proba(form(test))[:, 1] for n, (form, card) in forms.items()}


def peers(train: pd.DataFrame, y: np.ndarray, test: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what OptBinning's scorecard predicts, told the codes: as it comes, and with their own WOE asked for."""
    from optbinning import BinningProcess
    from optbinning.scorecard import Scorecard
    from sklearn.linear_model import LogisticRegression

    out = {}
    for name, asked in {"": {}, ", metric_special=empirical": {"metric_special": "empirical"}}.items():
        process = BinningProcess(list(train), special_codes={n: float(c) for c, n in CODES.items()})
        card = Scorecard(binning_process=process, estimator=LogisticRegression(max_iter=2000))
        out[f"OptBinning scorecard{name}"] = card.fit(train, y, **asked).predict_proba(test)[:, 1]
    return out


def main(folder: Path, of_peers: bool) -> None:
    """Print the table; ours is kept in the folder, so that a peer's distance is one of the same samples."""
    rows = []
    for seed in SEEDS:
        path = folder / f"special_{seed}.csv"
        if not of_peers:
            folder.mkdir(parents=True, exist_ok=True)
            sample(seed).to_csv(path, index=False)
        table = pd.read_csv(path)
        X, y, half = table[["a", "b", "c", "x"]], table["bad"].to_numpy(), ROWS // 2
        predicted = (peers if of_peers else ours)(X[:half], y[:half], X[half:])
        if not of_peers:
            predicted["the truth"] = table["truth"].to_numpy()[half:]
        rows.append({name: roc_auc_score(y[half:], p) for name, p in predicted.items()})
    each = pd.DataFrame(rows)
    results = folder / "special_ours.csv"
    if not of_peers:
        each.to_csv(results, index=False)
    reference = pd.read_csv(results)["workbench scorecard"]
    print("| model | AUC, mean of 10 | less than ours | standard error |\n| --- | --- | --- | --- |")
    for name, values in each.items():
        gap = reference - values
        print(f"| {name} | {values.mean():.4f} | {gap.mean():.4f} | {gap.std() / len(gap) ** 0.5:.4f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--peers" in sys.argv)
