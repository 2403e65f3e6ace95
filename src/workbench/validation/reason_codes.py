"""Are the reasons that the model gives a customer those that move his prediction?

**Method** on rows taken evenly from the hold-out: the reasons declared (contributions above development's mean, at most four) against what is measured when an input is taken out, its values replaced by those of other customers; share of rows whose first reason is the same, and mean Jaccard index of the sets. Measured on two backgrounds, values spread over development's and the middle of every input; placebo: the reasons of another customer.
**Reads as bad** too few first reasons that are right, or sets that differ; red, too, where another customer's reasons do as well.
**Blind to** inputs that only together move a prediction, and to whether a customer can do anything about a reason.
**Source** Covert, Lundberg & Lee (2021), Journal of Machine Learning Research 22(209) (explaining by removing); levels by convention.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logit

from workbench.evidence import Evidence, Sight, Verdict
from workbench.panel.bins import is_category
from workbench.validation.sensitivity import evenly
from workbench.validation.sight import Gauge, not_stated, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "robustness", {"binary", "rate", "amount"}
READS_OUTCOME = False
ROWS, OTHERS, TOP = 200, 40, 4  # customers, values that stand in, reasons a letter has
ALIKE = 0.02  # of the effects' spread: two reasons so near are one as good as the other


def stated(s: Subject, rows: pd.DataFrame) -> np.ndarray:
    """Return what the model says each input adds above the average customer of development (n × inputs)."""
    names, average = list(s.model.features), evenly(s.development, 1_000)
    parts, mean = (s.model.contributions(r).reindex(columns=names, fill_value=0.0) for r in (rows, average))
    given = pd.Series(s.model.facts.get("mean_contributions", {}), dtype=float).reindex(names)
    return (parts - given.fillna(mean.mean())).to_numpy(float)


def measured(s: Subject, rows: pd.DataFrame, background: dict[str, pd.Series]) -> np.ndarray:
    """Return how far each input moves each row's prediction above what it is with a background's values (n × inputs)."""
    n, before, out = len(rows), _scale(s, rows), []
    for name, values in background.items():
        repeated = rows.loc[rows.index.repeat(len(values))].reset_index(drop=True)
        asked = repeated.assign(**{name: values.take(np.tile(np.arange(len(values)), n)).array})
        out.append(before - _scale(s, asked).reshape(n, len(values)).mean(axis=1))
    return np.column_stack(out)


def spread(s: Subject) -> dict[str, pd.Series]:
    """Return of every input as many values as `OTHERS`, evenly from development's in their order: all parts of the book."""
    out, places = {}, (np.arange(OTHERS) + 0.5) / OTHERS
    for name in s.model.features:
        values = s.development[name].sort_values(kind="stable")
        out[name] = values.iloc[(places * len(values)).astype(int)].reset_index(drop=True)
    return out


def middle(s: Subject) -> dict[str, pd.Series]:
    """Return of every input development's median, of a category the commonest one."""
    d = s.development
    return {n: d[n].mode().head(1) if is_category(d[n]) else pd.Series([d[n].median()]) for n in s.model.features}


def _scale(s: Subject, rows: pd.DataFrame) -> np.ndarray:
    predicted = np.asarray(s.model.predict(rows), float)
    return logit(np.clip(predicted, 1e-9, 1 - 1e-9)) if s.outcome.is_binary else predicted


def agreement(given: np.ndarray, effects: np.ndarray) -> tuple[float, float]:
    """Return the share of rows whose first reason is the largest effect, and the mean Jaccard index of the reasons.

    given, effects: n × inputs. Rows without a reason don't count; an effect hardly smaller is as large.

    >>> agreement(np.array([[2.0, 1.0, -1.0]]), np.array([[2.0, -1.0, -1.0]]))
    (1.0, 0.5)
    """
    near, first, shared = ALIKE * max(float(effects.std()), 1e-12), [], []
    for stated_row, effect in zip(given, effects, strict=True):
        reasons = [i for i in np.argsort(-stated_row, kind="stable")[:TOP] if stated_row[i] > 1e-9]
        if not reasons:
            continue
        first.append(effect[reasons[0]] >= effect.max() - near)
        largest = np.argsort(-effect, kind="stable")[:TOP]
        real = {int(i) for i in largest if effect[i] > near} | {int(i) for i in reasons if abs(effect[i]) <= near}
        shared.append(len(real & set(map(int, reasons))) / len(real | set(map(int, reasons))))
    return (float(np.mean(first)), float(np.mean(shared))) if first else (float("nan"), float("nan"))


def compared(s: Subject) -> pd.DataFrame:
    """Return one row per comparison: what, first (share), jaccard; two backgrounds, then the placebo."""
    rows = evenly(s.holdout, ROWS).reset_index(drop=True)
    given = stated(s, rows)
    effects = {
        "values of development": measured(s, rows, spread(s)),
        "the middle of every input": measured(s, rows, middle(s)),
    }
    out = [(name, *agreement(given, e)) for name, e in effects.items()]
    strangers = np.roll(given, len(given) // 2, axis=0)
    out.append(("placebo: another customer's reasons", *agreement(strangers, effects["values of development"])))
    return pd.DataFrame(out, columns=["background", "first", "jaccard"])


def test(s: Subject) -> Evidence:
    """Return how far declared reasons are those measured; not evaluated where the model gives none."""
    if not getattr(s.model, "explains", False):
        return _evidence(
            s, Verdict.not_evaluated, say("The model can't say what an input contributed: it gives no reasons.")
        )
    table = compared(s)
    real, placebo = table.iloc[0], table.iloc[2]
    if np.isnan(real["first"]):
        return _evidence(s, Verdict.not_evaluated, say("No customer has a reason."))
    gauges = (Gauge(real["first"], s.rules["first_reason"]), Gauge(real["jaccard"], s.rules["reasons_shared"]))
    worst = min(gauges, key=lambda g: (g.light.rank, g.distance))
    no_better = len(s.model.features) > 1 and real["first"] <= placebo["first"]
    answer = say(
        "The first reason is right for {first:.0%} of {rows: rows}, sets of reasons agree by {jaccard:.2f}; {middle:.0%} "
        "against the middle of every input, {placebo:.0%} with another row's reasons.",
        first=real["first"],
        rows=min(len(s.holdout), ROWS),
        jaccard=real["jaccard"],
        middle=table.iloc[1]["first"],
        placebo=placebo["first"],
    )
    stands = sight(s, real["first"], not_stated(say("a share is held against a level")), convention=worst)
    return _evidence(s, Verdict.red if no_better else worst.light, answer, table, stands)


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="reason_codes",
        question=say("Are the reasons that the model gives a customer those that move his prediction?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=s.rules["first_reason"].text
        + s.rules["reasons_shared"].text
        + say("Red, too, where another customer's reasons do as well."),
        source="Covert, Lundberg & Lee (2021)",
        table=table,
        sight=stands,
    )
