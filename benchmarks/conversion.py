"""What a propensity to subscribe is worth at random and in time order, with and without the call's length, and funnels.

    python benchmarks/conversion.py

The shipped calls of a Portuguese bank (bank_marketing), in the order of their dates. A logistic regression on one-hot
categories and scaled numbers is fitted to seven tenths, drawn at random or the earlier ones, and tried on the others;
with the length of the call, which is known only after it, and without. Beside it the study's own models, where
`workbench run bank_marketing` has been called here. Last: how often Wilson's interval of a step holds the chance that
the simulated bank's applications are made with. Exit code 1 where a figure leaves the range that it is held to.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from workbench import home, metrics, params
from workbench.actions import contacts, conversion, propensity
from workbench.params import UserError
from workbench.portfolios import catalog
from workbench.portfolios.source import Request

SEED, TIMES = 42, 400
STUDY = "bank_marketing"
HELD = {  # a figure, the lowest and the highest it may be
    "random, without": (0.76, 0.81),
    "random, with": (0.90, 0.95),
    "in time order, without": (0.65, 0.72),
    "step in interval": (0.93, 1.0),
}


def calls() -> tuple[pd.DataFrame, np.ndarray]:
    """Return the calls as published (45,211 × 16) in the order of their dates, and who subscribed."""
    table = catalog.source(STUDY).raw(Request())[STUDY]
    return table.drop(columns=["y", "contact_date"]), (table["y"] == "yes").to_numpy(int)


def model(X: pd.DataFrame) -> object:
    """Return the logistic regression on these columns."""
    numbers = list(X.select_dtypes("number").columns)
    rest = [c for c in X.columns if c not in numbers]
    prepared = make_column_transformer(
        (StandardScaler(), numbers), (OneHotEncoder(handle_unknown="ignore", min_frequency=10), rest)
    )
    return make_pipeline(prepared, LogisticRegression(max_iter=2000))


def aucs(X: pd.DataFrame, y: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Return AUC at random (5 folds) and in time order, and the predictions of either."""
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    random = cross_val_predict(model(X), X, y, cv=folds, method="predict_proba")[:, 1]
    cut = int(0.7 * len(X))
    later = model(X).fit(X[:cut], y[:cut]).predict_proba(X[cut:])[:, 1]
    return metrics.auc(y, random), metrics.auc(y[cut:], later), random, later


def top_half(y: np.ndarray, predicted: np.ndarray) -> float:
    """Return the share of subscribers in the half with the highest predictions."""
    order = np.argsort(-predicted, kind="stable")[: len(y) // 2]
    return float(y[order].sum() / y.sum())


def published() -> dict[str, float]:
    """Print the table of the public data and return its figures."""
    X, y = calls()
    figures, cut = {}, int(0.7 * len(X))
    print("| inputs | AUC at random | AUC in time order | top half, random | top half, later |")
    print("| --- | --- | --- | --- | --- |")
    calendar = ["month", "day"]
    kinds = {
        "with": X,
        "without": X.drop(columns="duration"),
        "without, no calendar": X.drop(columns=["duration", *calendar]),
    }
    for name, columns in kinds.items():
        at_random, in_time, random, later = aucs(columns, y)
        figures |= {f"random, {name}": at_random, f"in time order, {name}": in_time}
        halves = top_half(y, random), top_half(y[cut:], later)
        print(f"| {name} | {at_random:.4f} | {in_time:.4f} | {halves[0]:.1%} | {halves[1]:.1%} |")
        if name == "without":
            rates = f"{y[:cut].mean():.1%} to {y[cut:].mean():.1%}; mean prediction {later.mean():.1%}"
    print(f"\nshare subscribed, first seven tenths to the last three: {rates}")
    return figures


def study() -> None:
    """Print what the study's step says, where the study has been run here."""
    text = (home.root() / "params" / f"{STUDY}.yaml").read_text(encoding="utf-8")
    p = conversion.Params(study=STUDY, period=params.ONCE, **yaml.safe_load(text)["steps"]["actions/conversion"])
    try:
        scored, _ = conversion.scored(p, p.panel, p.scores)
        beside, _ = conversion.scored(p, p.random_panel, p.random_scores)
    except UserError as e:
        print(f"\nthe study's own models: not run here ({e})")
        return
    print(f"\n{propensity.ranking(scored, beside).answer}")
    print(propensity.level(scored, propensity.recalibrated(scored)).answer)
    print(f"later rows: {propensity.gains(scored, p.seed).answer}")
    at_random = propensity.Known(beside.rows, beside.outcome)
    print(f"at random: {propensity.gains(at_random, p.seed).answer}")
    print(contacts.back_test(scored, p.means).answer)


def steps() -> float:
    """Return how often Wilson's interval of `first_use` after `paid_out` holds the chance it is simulated with."""
    rng, n = np.random.default_rng(SEED), 200
    events = rng.binomial(n, USED, TIMES)
    low, high = metrics.wilson(events, np.full(TIMES, n))
    return float(((low <= USED) & (high >= USED)).mean())


USED = 0.85  # chance of a first use after the pay-out, `portfolios.simulated_log`


def main() -> int:
    """Print everything; 1 where a figure is out of its range."""
    figures = published()
    study()
    figures["step in interval"] = steps()
    print(f"\nWilson's interval of a step holds its chance {figures['step in interval']:.1%} of {TIMES} times")
    missed = [f"{n}: {figures[n]:.4f}" for n, (low, high) in HELD.items() if not low <= figures[n] <= high]
    print("\n".join(missed), file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
    sys.exit(main())
