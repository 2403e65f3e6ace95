"""What the validator builds beside the model in his own run: a plain logistic, free boosted trees, the last champion.

Each is held against the model on the same hold-out rows: lead with DeLong's test and a paired bootstrap, both by parent, and
how many decisions would turn at the model's own cut-offs. The light of a better challenger is the test `challenger`'s; this
is its detail. Source: DeLong et al. (1988); Efron & Tibshirani (1993), ch. 16, for the paired bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench.evidence import Evidence, Verdict
from workbench.models import scorer
from workbench.models.measures import leading
from workbench.models.scorer import Scorer
from workbench.panel.bins import is_category
from workbench.registry import events, registered
from workbench.registry.state import replay
from workbench.validation import challenger, plain_words
from workbench.validation.subject import Subject
from workbench.words import Text, say

RARE = 0.01  # share of the rows below which a category has no column of its own


def champion(model: str, version: str) -> tuple[str, Scorer | None]:
    """Return number and model of the version that decides today; an empty one where there is none, or it is this one.

    None for a champion whose files aren't those that were approved, or that isn't one of the workbench's own kinds.
    """
    standing = replay(events.read()).champion(model)
    if standing is None or standing.version == version:
        return "", None
    held = registered.one(standing.model, standing.version)
    path = registered.model_file(held)
    is_whole = registered.digest(registered.files(held)) == standing.files and path.exists()
    return standing.version, scorer.load(path) if is_whole else None


def plain(s: Subject) -> np.ndarray:
    """Return what a plain logistic (a straight line of an amount or a rate) on the model's own inputs says of the hold-out.

    Numbers standardised, missing ones their mean with a column of its own; categories a column each, rare ones none.
    """
    d, names = s.development[s.development["learnt"]], list(s.model.features)
    learn, held = (_columns(rows, d, names) for rows in (d, s.holdout))
    if s.outcome.is_binary:
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=1e4, max_iter=2000))
        fitted.fit(learn, d["outcome"], logisticregression__sample_weight=d["weight"])
        return fitted.predict_proba(held)[:, 1]
    fitted = make_pipeline(StandardScaler(), LinearRegression())
    return fitted.fit(learn, d["outcome"], linearregression__sample_weight=d["weight"]).predict(held)


def _columns(rows: pd.DataFrame, learn: pd.DataFrame, names: Iterable[str]) -> np.ndarray:
    out = []
    for name in names:
        if is_category(learn[name]):
            share = learn[name].value_counts(normalize=True)
            out += [(rows[name] == value).to_numpy(float) for value in share.index[share >= RARE]]
        else:
            values = rows[name].astype(float)
            out.append(values.fillna(learn[name].astype(float).mean()).to_numpy())
            if learn[name].isna().any():
                out.append(values.isna().to_numpy(float))
    return np.column_stack(out)


def churn(s: Subject, other: np.ndarray) -> pd.Series:
    """Return, per cut-off between the model's grades, the share of the hold-out that other predictions would decide otherwise.

    The other cut-off is the one that leaves as many rows (by weight) on the lower side: what turns is who, not how many.
    """
    predicted, weight = s.holdout["predicted"].to_numpy(float), s.holdout["weight"].to_numpy(float)
    order = np.argsort(other, kind="stable")
    rank = np.empty(len(other))
    rank[order] = np.cumsum(weight[order]) - weight[order] / 2
    out = {}
    for edge, low, high in zip(s.model.grades.edges, s.model.grade_names, s.model.grade_names[1:], strict=False):
        below = predicted < edge
        out[f"{low}-{high}"] = float(np.average(below != (rank < weight[below].sum()), weights=weight))
    return pd.Series(out, dtype=float)


def built(s: Subject, before: tuple[str, Scorer | None] = ("", None)) -> list[tuple[Text, np.ndarray]]:
    """Return the challengers' names and what they say of the hold-out (n); before: the champion, as `champion` returns it."""
    simple = say("plain logistic") if s.outcome.is_binary else say("plain regression")
    out = [(simple, plain(s)), (say("free boosted trees"), challenger.predictions(s))]
    if before[1] is not None:
        out.append(
            (say("champion, version {version}", version=before[0]), np.asarray(before[1].predict(s.holdout), float))
        )
    return out


def compared(s: Subject, before: tuple[str, Scorer | None] = ("", None)) -> Evidence:
    """Return every challenger against the model: figure, lead, DeLong's p, bootstrap interval, decisions that turn."""
    if s.outcome.kind == "named":
        return plain_words.compared(s, before, _without_champion(before))
    measure, h, rows = leading(s.outcome), s.holdout, []
    for name, other in built(s, before):
        lead, error = challenger.lead(s, other)
        arrays = tuple(np.asarray(v, float) for v in (h["outcome"], other, h["predicted"], h["weight"]))
        low, high = measure.interval(arrays[0], arrays[1:3], arrays[3], h["parent_id"], s.seed)
        turned = churn(s, other)
        p = float(2 * stats.norm.sf(abs(lead) / error)) if error > 0 else 1.0
        rows.append((name, measure(arrays[0], other, arrays[3]), lead, p, low, high, turned.max(), turned.mean()))
    figures = ["lead", "p", "lead, low", "lead, high", "decisions turned, at most", "decisions turned, mean"]
    table = pd.DataFrame(rows, columns=["challenger", str(measure.label), *figures])
    each = [
        say("{name} {lead:+.4f} ({low:+.4f} to {high:+.4f})", name=r[0], lead=r[2], low=r[4], high=r[5]) for r in rows
    ]
    return Evidence(
        key="challengers",
        question=say("What do models that the validator builds do better, and whom would they decide otherwise?"),
        verdict=Verdict.info,
        answer=say("Lead in {measure} on the hold-out: {each}.", measure=measure.label, each=each)
        + _turned(table)
        + _without_champion(before),
        value=float(table["lead"].max()),
        threshold=say("A fact without a light: the test 'challenger' has it."),
        source=challenger.source_of(s.outcome),
        table=table,
    )


def _without_champion(before: tuple[str, Scorer | None]) -> Text:
    if before[1] is not None:
        return Text()
    if before[0]:
        return say("Champion version {version} isn't compared: its file is gone or was changed.", version=before[0])
    return say("There is no champion before it.")


def _turned(table: pd.DataFrame) -> Text:
    """Say how many decisions a challenger would turn at most; a model of one grade has no cut-off of its own."""
    known = table.dropna(subset=["decisions turned, at most"])
    if known.empty:
        return say("The model has one grade: there is no cut-off at which a decision would turn.")
    most = known.loc[known["decisions turned, at most"].idxmax()]
    return say(
        "Up to {share:.1%} of decisions would turn at one of the model's own cut-offs ({name}).",
        share=most["decisions turned, at most"],
        name=most["challenger"],
    )
