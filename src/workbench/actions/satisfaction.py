"""How content customers are: NPS and CSAT weighted for who doesn't answer, their changes, what drives the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from workbench import engine, metrics
from workbench.actions.discontent import DETRACTOR
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.params import UserError
from workbench.words import Text, say
from workbench.words.names import words_of

if TYPE_CHECKING:
    from workbench.engine import Relation

FEWEST = 10  # answers, below which no score is told
PROMOTER = 9  # of 0 to 10: from. Reichheld (2003), Harvard Business Review 81(12)
CONTENT = 4  # of 1 to 5: from
ADDED = {"nps": {100.0: 0.75, 0.0: 1.5, -100.0: 0.75}, "csat": {100.0: 2.0, 0.0: 2.0}}  # answers, to the interval
LEAST_CHANCE = 0.02  # of an answer: nobody speaks for more than fifty
SCORES = ("naive", "naive_low", "naive_high", "weighted", "low", "high", "standard_error")  # in points
BEHAVIOUR = ("logins", "products", "tenure_years", "contacts", "complaints", "delay_months")
QUIETER = ("logins", "contacts", "complaints")  # counts with long tails, as logarithms

_ASKED = """
    WITH asked AS (SELECT *, CAST(date_trunc('month', invited_at) AS DATE) AS month FROM feedback)
    SELECT f.feedback_id, f.entity_id, f.product_code, f.kind_code, f.month, f.answered_at, f.score, f.text,
        coalesce(avg(m.n_logins), 0) AS logins, coalesce(avg(m.n_products), 0) AS products,
        date_diff('month', any_value(a.since_date), f.month) / 12.0 AS tenure_years,
        coalesce(avg(m.n_contacts), 0) AS contacts, coalesce(avg(m.n_complaints), 0) AS complaints,
        coalesce(avg(m.delay_months), 0) AS delay_months
    FROM asked f JOIN account a ON a.entity_id = f.entity_id
        LEFT JOIN month m ON m.entity_id = f.entity_id
    GROUP BY f.feedback_id, f.entity_id, f.product_code, f.kind_code, f.month, f.answered_at, f.score, f.text
    ORDER BY f.month, f.feedback_id"""


def invitations(feedback: Relation, account: Relation, month: Relation) -> pd.DataFrame:
    """Return who was asked, one row an invitation, with his mean behaviour, `answered` and `weight`.

    Behaviour is the mean of all his months on record, later ones too: few months tell badly how active somebody is, and
    what is measured badly is weighted too little. So an old score is weighted anew as more becomes known.
    weight: 1 / P(answers | behaviour), of logistic regression on splines; 0 where there is no answer. Right where what
    decides on an answer is behaviour that is measured; what isn't stays in the score as bias.
    Source: Little & Rubin (2019), Statistical Analysis with Missing Data, ch. 3; Rosenbaum & Rubin (1983).

    Where everybody answered each weight is 1. Raises `UserError` below `FEWEST` answers, as where nobody was asked.
    """
    rows = engine.frame(_ASKED, {"feedback": feedback, "account": account, "month": month})
    rows["month"] = pd.to_datetime(rows["month"])
    answered = rows["score"].notna()
    if answered.sum() < FEWEST:
        raise UserError(
            f"satisfaction: {int(answered.sum())} answers of {len(rows)} invitations; at least {FEWEST} are needed"
        )
    return rows.assign(answered=answered, weight=_weights(rows[list(BEHAVIOUR)].astype(float), answered.to_numpy()))


def _weights(behaviour: pd.DataFrame, answered: np.ndarray) -> np.ndarray:
    if answered.all():
        return np.ones(len(answered))
    X = behaviour.assign(**{c: np.log(behaviour[c] + 0.2) for c in QUIETER})
    model = make_pipeline(
        StandardScaler(), SplineTransformer(n_knots=4, degree=2), LogisticRegression(C=10.0, max_iter=1000)
    )
    chance = model.fit(X, answered).predict_proba(X)[:, 1]
    return np.where(answered, 1 / np.maximum(chance, LEAST_CHANCE), 0.0)


def points(rows: pd.DataFrame) -> np.ndarray:
    """Return what an answer counts (n): NPS +100 promoter, −100 detractor, 0 else; CSAT 100 content, 0 else."""
    score, nps = rows["score"].to_numpy(float), (rows["kind_code"] == "nps").to_numpy()
    as_nps = 100.0 * (score >= PROMOTER) - 100.0 * (score <= DETRACTOR)
    return np.where(np.isnan(score), np.nan, np.where(nps, as_nps, 100.0 * (score >= CONTENT)))


def score(rows: pd.DataFrame) -> dict[str, float]:
    """Return one score of one kind: asked, n, response, naive and weighted with 95 % intervals, in points.

    Intervals by Student's t with customers as clusters, with a few answers added at both ends, so that ten who agree
    don't make a certainty; NaN below ten answers. That the weights are themselves estimated is left out, which makes
    intervals wider, not narrower. Source: Rocks (2016), JMASM 15(1), adjusted Wald; Agresti & Coull (1998), The
    American Statistician 52(2); Lunceford & Davidian (2004), Statistics in Medicine 23.
    """
    given = rows[rows["answered"]]
    out = {"asked": len(rows), "n": len(given), "response": len(given) / len(rows) if len(rows) else np.nan}
    if len(given) < FEWEST:
        return out | dict.fromkeys(SCORES, np.nan)
    weight = given["weight"].to_numpy()
    both = (*_interval(given, np.ones(len(given)))[:3], *_interval(given, weight))
    return out | dict(zip(SCORES, both, strict=True))


def _interval(given: pd.DataFrame, weight: np.ndarray) -> tuple[float, float, float, float]:
    value, added = points(given), ADDED[str(given["kind_code"].iloc[0])]
    values = np.append(value, list(added))
    weights = np.append(weight, np.array(list(added.values())) * weight.mean())
    clusters = np.append(pd.factorize(given["entity_id"])[0], -1 - np.arange(len(added)))
    _, low, high = metrics.mean_interval(values, weights, clusters)
    error = (high - low) / 2 / stats.t.ppf(0.975, len(np.unique(clusters)) - 1)
    return float(np.average(value, weights=weight)), max(low, min(added)), min(high, max(added)), float(error)


def by_month(rows: pd.DataFrame, kind: str, together: int) -> pd.DataFrame:
    """Return the score of each period of so many months, and its change from the one before.

    change: in points; p_value: of no change, by Student's t with the fewer answers less one, Holm's over the periods;
    marked: below 5 %. No period where this kind was never asked.
    """
    asked = rows[rows["kind_code"] == kind]
    if asked.empty:
        columns = ["asked", "n", "response", *SCORES, "change", "p_value"]
        never = pd.DataFrame(columns=columns, dtype=float).assign(marked=pd.Series(dtype=bool))
        never.insert(0, "month", pd.Series(dtype="datetime64[ns]"))
        return never
    number = asked["month"].dt.year * 12 + asked["month"].dt.month - 1
    period = (number - number.max() - 1) // together  # counted back from the last month: it is whole
    table = pd.DataFrame([{"month": part["month"].max(), **score(part)} for _, part in asked.groupby(period)])
    change, fewer = table["weighted"].diff(), np.minimum(table["n"], table["n"].shift())
    errors = np.sqrt(table["standard_error"] ** 2 + table["standard_error"].shift() ** 2)
    p = 2 * stats.t.sf(np.abs(change) / errors, fewer - 1)
    judged = np.isfinite(p)
    held = np.full(len(table), np.nan)
    held[judged] = metrics.holm(p[judged])
    return table.assign(change=change, p_value=held, marked=held < 0.05)


def satisfaction(rows: pd.DataFrame, kind: str, months: pd.DataFrame, last: int) -> Evidence:
    """Return the score of the last so many months: never without n, response, interval and the weighted value."""
    recent = rows[(rows["kind_code"] == kind) & (rows["month"] > rows["month"].max() - pd.DateOffset(months=last))]
    s = score(recent)
    question = say("What is the net promoter score?") if kind == "nps" else say("How many are content (CSAT)?")
    threshold = say(
        "A change is marked where Holm's p over all periods is below 5 %; no score below {n: answers}.", n=FEWEST
    )
    people = People(("n",), ("month",))
    common = {"key": kind, "question": question, "threshold": threshold, "table": _shown(months), "people": people}
    if np.isnan(s["weighted"]):
        answer = say("{n:, answers} of {asked:,} asked are too few for a score.", n=s["n"], asked=s["asked"])
        return Evidence(verdict=Verdict.not_evaluated, answer=answer, **common)
    marked = months[months["marked"]]
    in_words = {name: _score(s[name], kind) for name in SCORES}
    answer = say(
        "{weighted} ({low} to {high}) in the last {months: months}, weighted for who doesn't answer; {n:, answers} of "
        "{asked:,} asked ({response:.1%}). Unweighted it would be {naive} ({naive_low} to {naive_high}).",
        **{**s, **in_words, "weighted": _score(s["weighted"], kind, alone=True)},
        months=last,
    )
    if periods := int(months["change"].notna().sum()):
        answer += say("Significant changes: {marked} of {periods: periods}.", marked=len(marked), periods=periods)
    return Evidence(
        verdict=Verdict.info,
        answer=answer,
        value=s["weighted"],
        source="Reichheld (2003), Harvard Business Review; Little & Rubin (2019), ch. 3",
        blind_to=say("what decides on an answer and isn't in the customer's behaviour"),
        **common,
    )


def _score(value: float, kind: str, *, alone: bool = False) -> Text:
    """Return a score as a sentence says it: NPS in points (named where it stands alone), of the content a share."""
    if kind != "nps":
        return say("{share:.1%}", share=value / 100)
    return say("{points:.1f} points", points=value) if alone else say("{points:.1f}", points=value)


def _shown(months: pd.DataFrame) -> pd.DataFrame:
    columns = ["asked", "n", "response", "naive", "weighted", "low", "high", "change", "p_value"]
    judged = zip(months["marked"], months["p_value"], strict=True)
    marked = ["" if np.isnan(p) else say("yes") if m else say("no") for m, p in judged]
    return months[["month", *columns]].assign(month=months["month"].dt.strftime("%Y-%m"), significant=marked)[::-1]


def _who(given: pd.DataFrame) -> int:
    return int(given["entity_id"].nunique())


def _effects(given: pd.DataFrame) -> pd.DataFrame:
    """Return attribute, effect, low, high, p_value, largest effect first, of NPS answers; none where too few tell."""
    import statsmodels.api as sm

    X = given[list(BEHAVIOUR)].astype(float)
    X = X.assign(**{c: np.log(X[c] + 0.2) for c in QUIETER})
    X = X.loc[:, X.std() > 1e-9]
    if _who(given) < FEWEST or X.shape[1] == 0:
        return pd.DataFrame(columns=["attribute", "effect", "low", "high", "p_value"])
    X = (X - X.mean()) / X.std()
    fit = sm.WLS(
        given["score"].to_numpy(float),
        sm.add_constant(X.to_numpy(), has_constant="add"),
        weights=given["weight"].to_numpy(),
    ).fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(given["entity_id"])[0]})
    low, high = fit.conf_int()[1:].T
    p = metrics.holm(fit.pvalues[1:])
    table = pd.DataFrame({"attribute": X.columns, "effect": fit.params[1:], "low": low, "high": high, "p_value": p})
    return table.sort_values("effect", key=np.abs, ascending=False, ignore_index=True)


def drivers(rows: pd.DataFrame) -> Evidence:
    """Return what goes with a higher NPS answer: points of 0–10 per standard deviation of behaviour.

    Least squares with the weights of non-response, errors by customer; p-values are Holm's over the attributes.
    Not evaluated below `FEWEST` customers who answered, and where none of their behaviour varies.
    """
    given = rows[rows["answered"] & (rows["kind_code"] == "nps")]
    table = _effects(given)
    if not len(table):
        return Evidence(
            key="drivers",
            question=say("What goes with a higher score?"),
            verdict=Verdict.not_evaluated,
            answer=say(
                "{n:, answers} of {who:, customers are} too few, or all behave alike.", n=len(given), who=_who(given)
            ),
            table=table,
        )
    first, sure = table.iloc[0], int((table["p_value"] < 0.05).sum())
    return Evidence(
        key="drivers",
        question=say("What goes with a higher score?"),
        verdict=Verdict.info,
        answer=say(
            "{sure} of {n: attributes} go with the score beyond chance. Most: {attribute}, {effect:+.2f} of ten per "
            "standard deviation ({low:+.2f} to {high:+.2f}). {answers:, answers}.",
            sure=sure,
            n=len(table),
            attribute=say(words_of(str(first["attribute"]))),
            effect=float(first["effect"]),
            low=float(first["low"]),
            high=float(first["high"]),
            answers=len(given),
        ),
        value=float(first["effect"]),
        source="Liang & Zeger (1986), Biometrika 73(1)",
        blind_to=say("causes: who is content may log in more, not the other way round"),
        table=table.assign(attribute=[say(words_of(str(a))) for a in table["attribute"]]),
    )
