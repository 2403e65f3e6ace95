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

import numpy as np
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from workbench import home, metrics, params
from workbench.actions import applications, contacts, conversion, propensity
from workbench.params import UserError
from workbench.portfolios import catalog
from workbench.portfolios.simulated_customers import SimulatedCustomers
from workbench.portfolios.simulated_log import Log
from workbench.portfolios.source import Request

SEED, GROUPS, PER_GROUP = 42, 200, 100
STEP_CHANCES = {  # given the step before, as `simulated_log` draws them
    "bought": {"first_use": 0.85},
    "lost": {"documents_complete": 0.55 + 0.45 * 2 / 3, "approved": 0.15 / 0.85},
}
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
    print(contacts.back_test(scored, p.means, "EUR").answer)


def steps() -> pd.DataFrame:
    """Return how often Wilson's interval of a step holds the chance that the simulation draws it with.

    Applications are logged by the simulation itself, some that end in a use and some that are lost, in groups of 100.
    """
    p = SimulatedCustomers()
    numbers = np.array([f"C{i:09d}" for i in range(PER_GROUP * GROUPS)])
    rows = []
    for how, chances in STEP_CHANCES.items():
        log = Log(p, numbers, np.random.default_rng(SEED))
        log.application(np.arange(len(numbers)), 0, None, how)
        events = log.table().rename(columns={"customer_id": "entity_id"})
        cases = applications.progress(events, applications.STEPS, 365)
        group = cases["entity_id"].str[1:].astype(int) % GROUPS
        for step, chance in chances.items():
            k = applications.STEPS.index(step) + 1
            before, n = ((cases["reached"] >= at).groupby(group).sum() for at in (k - 1, k))
            low, high = metrics.wilson(n, before)
            inside = float(((low <= chance) & (chance <= high)).mean())
            rows.append((how, step, chance, n.sum() / before.sum(), inside))
    return pd.DataFrame(rows, columns=["applications", "step", "chance", "share", "inside"])


def main() -> int:
    """Print everything; 1 where a figure is out of its range."""
    figures = published()
    study()
    table = steps()
    print("\n| applications | step | chance | share | groups whose interval holds it |")
    print("| --- | --- | --- | --- | --- |")
    for r in table.itertuples():
        print(f"| {r.applications} | {r.step} | {r.chance:.4f} | {r.share:.4f} | {r.inside:.1%} |")
    figures["step in interval"] = float(table["inside"].mean())
    missed = [f"{n}: {figures[n]:.4f}" for n, (low, high) in HELD.items() if not low <= figures[n] <= high]
    print("\n".join(missed), file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
