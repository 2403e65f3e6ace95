"""What a randomised campaign changed, for whom: arms checked, mean effect, an S-learner, people to let alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench import engine, metrics
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.panel.months import number_sql
from workbench.panel.samples import whole_folds
from workbench.params import UserError
from workbench.words import say

if TYPE_CHECKING:
    from workbench.engine import Relation

CONTROL = "control"
FOLDS = 5
WRONG_ARMS = 0.001  # p-value below which the arms weren't drawn as logged; Fabijan et al. (2019)
SHARE = 0.3  # acted on first: where the trial has to tell the score from chance


@dataclass(frozen=True)
class Trial:
    """Rows of a trial with what was known before it: inputs (n × k), arm, its probability, and what came of it."""

    rows: pd.DataFrame
    inputs: tuple[str, ...]

    @property
    def X(self) -> pd.DataFrame:
        """The inputs as numbers (n × k), missing as the middle."""
        table = numeric(self.rows[list(self.inputs)])
        return table.fillna(table.median()).fillna(0.0)

    @property
    def treated(self) -> np.ndarray:
        """1 where the offer was made (n)."""
        return (self.rows["arm_code"] != CONTROL).to_numpy(int)

    @property
    def probability(self) -> np.ndarray:
        """Chance of the offer (n), whatever was drawn."""
        drawn = self.rows["assignment_probability"].to_numpy(float)
        return np.where(self.treated == 1, drawn, 1 - drawn)

    def effect(self, of: np.ndarray | slice = slice(None)) -> tuple[float, float, float]:
        """Return the offer's mean effect on the benefit (of some rows) with its 95 % interval."""
        return metrics.average_effect(self.benefit[of], self.treated[of], self.probability[of])

    @property
    def benefit(self) -> np.ndarray:
        """1 where the adverse outcome didn't come (n)."""
        return 1 - self.rows["outcome"].to_numpy(float)


def numeric(table: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as they are and categories as one column a value."""
    names = [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    return pd.get_dummies(table, columns=names, dtype=float).astype(float)


def rows(events: Relation, panel: Relation, campaigns: list[str]) -> pd.DataFrame:
    """Return who drew an arm in these campaigns, with the panel's outcome as of the month before.

    Raises `UserError` where the data know no such campaign, where the panel has no rows of the month before one of
    them, and where one has several offers: of a row with one offer nobody logged the chance of the others.
    """
    named = ", ".join("'" + c.replace("'", "''") + "'" for c in campaigns)
    sql = f"""SELECT t.campaign_code, t.arm_code, CAST(t.assignment_probability AS DOUBLE) AS assignment_probability,
            p.entity_id, p.as_of_date, p.outcome
        FROM (SELECT entity_id, campaign_code, arm_code, assignment_probability, {number_sql("happened_at")} AS month_no
              FROM events WHERE event_kind = 'campaign_touch' AND campaign_code IN ({named})) t
        JOIN panel p ON p.entity_id = t.entity_id AND {number_sql("p.as_of_date")} = t.month_no - 1
        WHERE p.outcome IS NOT NULL AND t.assignment_probability IS NOT NULL ORDER BY p.as_of_date, p.entity_id"""
    made = engine.frame(sql, {"events": events, "panel": panel})
    if missing := [c for c in campaigns if not (made["campaign_code"] == c).any()]:
        raise UserError(
            f"no row of a trial: no customer of the panel was touched by {', '.join(missing)} in the month after an "
            "as-of date; name campaigns of the events, and let the panel's dates reach them"
        )
    offers = made[made["arm_code"] != CONTROL].groupby("campaign_code")["arm_code"].unique()
    for campaign, names in offers.items():
        if len(names) > 1:
            raise UserError(
                f"campaign {campaign}: arms {', '.join(sorted(names))} are several offers, and a trial here is of one "
                f"against '{CONTROL}'; name campaigns of one offer"
            )
    return made


def drawn_as_logged(trial: Trial) -> Evidence:
    """Return whether each campaign's arms have the sizes that their probabilities say; red where not: not to be used.

    p is the smallest of the campaigns', made up for by Holm: pooled, one's surplus would hide another's lack.
    """
    sizes = trial.rows.groupby(["campaign_code", "arm_code"], sort=True).agg(
        n=("entity_id", "size"), outcome=("outcome", "mean")
    )
    p = float(np.min(metrics.holm(_sample_ratios(trial))))
    table = sizes.reset_index().rename(columns={"campaign_code": "campaign", "arm_code": "arm", "outcome": "observed"})
    table["arm"] = table["arm"].replace("offer", "with the offer")
    return Evidence(
        key="sample_ratio",
        question=say("Was the trial drawn as it says?"),
        verdict=Verdict.red if p < WRONG_ARMS else Verdict.green,
        answer=say(
            "{n:, customers} drew an arm, {draws:,} times in all; that a campaign's sizes differ this much from the "
            "probabilities has p = {p:.3f} (Holm over the campaigns).",
            n=trial.rows["entity_id"].nunique(),
            draws=len(trial.rows),
            p=p,
        ),
        value=p,
        threshold=say("red below {red}", red=WRONG_ARMS),
        source="Fabijan et al. (2019), KDD: sample ratio mismatch",
        table=table,
        people=People(("n",), ("campaign", "arm")),
    )


def _sample_ratios(trial: Trial) -> list[float]:
    """Return the p-value of each campaign's sizes with and without the offer."""
    drawn = pd.DataFrame({"offer": trial.treated, "chance": trial.probability})
    sums = drawn.groupby(trial.rows["campaign_code"].to_numpy()).agg(
        n=("offer", "size"), offers=("offer", "sum"), expected=("chance", "sum")
    )
    return [metrics.sample_ratio([s.offers, s.n - s.offers], [s.expected, s.n - s.expected]) for s in sums.itertuples()]


class SLearner:
    """The effect of an action on each customer, as one model's difference with and without it.

    Künzel et al. (2019), PNAS 116(10). Its base is `logistic`, with all interactions with the action, `boosted`,
    or the mean of `both`, which on the simulated trials orders customers better than either.
    """

    def __init__(self, kind: str = "both", seed: int = 42):
        bases: dict[str, ClassifierMixin] = {
            "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500)),
            "boosted": HistGradientBoostingClassifier(max_iter=80, max_depth=3, learning_rate=0.06, random_state=seed),
        }
        self.bases = bases if kind == "both" else {kind: bases[kind]}

    def fit(self, X: pd.DataFrame, treated: np.ndarray, benefit: np.ndarray) -> SLearner:
        """Learn from n rows what came of it, given the inputs and whether the action was taken."""
        self.columns, y = list(X.columns), benefit.astype(int)
        self.models = {name: clone(base).fit(_with(name, X, treated), y) for name, base in self.bases.items()}
        return self

    def chance(self, X: pd.DataFrame, treated: int) -> np.ndarray:
        """Return P(benefit) with the action (1) or without it (0) (n)."""
        X = X.reindex(columns=self.columns, fill_value=0.0)
        arm = np.full(len(X), treated)
        return np.mean([m.predict_proba(_with(name, X, arm))[:, 1] for name, m in self.models.items()], axis=0)

    def effect(self, X: pd.DataFrame) -> np.ndarray:
        """Return P(benefit) with the action less without it (n)."""
        return self.chance(X, 1) - self.chance(X, 0)


def _with(base: str, X: pd.DataFrame, treated: np.ndarray) -> np.ndarray:
    values, t = X.to_numpy(float), np.asarray(treated, float)[:, None]
    return np.hstack([values, t, values * (t - 0.5)]) if base == "logistic" else np.hstack([values, t])


def held_out_effects(trial: Trial, kind: str, seed: int) -> np.ndarray:
    """Return each row's effect by a learner that hasn't seen its customer (n).

    Five folds, arms and outcomes alike in each; whoever was in two trials is in one fold with both.
    """
    X, t, y, out = trial.X, trial.treated, trial.benefit, np.zeros(len(trial.rows))
    for learn, ask in whole_folds(2 * t + y, trial.rows["entity_id"].to_numpy(), FOLDS, seed):
        out[ask] = SLearner(kind, seed).fit(X.iloc[learn], t[learn], y[learn]).effect(X.iloc[ask])
    return out


def curve(trial: Trial, score: np.ndarray) -> pd.DataFrame:
    """Return Qini's curve of a score over the trial's rows."""
    return metrics.qini(trial.benefit, trial.treated, trial.probability, score)


def by_tenth(trial: Trial, score: np.ndarray) -> pd.DataFrame:
    """Return the effect in each tenth of the score, highest first: n, predicted, effect, low, high.

    Rows with the same score are in one tenth, so that a file's order says nothing: some tenths may be missing.
    """
    tenth = metrics.equal_parts(-score, 10)
    out = []
    for part in np.unique(tenth):
        at = tenth == part
        out.append(
            (
                int(part) + 1,
                int(at.sum()),
                float(score[at].mean()),
                *trial.effect(at),
            )
        )
    return pd.DataFrame(out, columns=["tenth", "n", "predicted", "effect", "low", "high"])


def tells(trial: Trial, score: np.ndarray) -> Evidence:
    """Return whether the trial can tell whom the offer helps: its effect on the first 30 % against everybody's.

    Amber, `trial too small`, where the interval of the effect on the first covers the mean effect, or none: then no
    list is surely better than one at random, or than none.
    """
    mean, _, _ = trial.effect()
    first = np.argsort(-score, kind="stable")[: int(SHARE * len(score))]
    effect, effect_low, effect_high = trial.effect(first)
    small = effect_low <= max(mean, 0.0)
    facts = {"share": SHARE, "effect": effect, "low": effect_low, "high": effect_high, "mean": mean}
    answer = (
        say(
            "The trial is too small: on the first {share:.0%} the offer changes the share that stays by {effect:+.1pp} "
            "({low:+.1pp} to {high:+.1pp}), not surely more than no offer does, or than the {mean:+.1pp} on everybody.",
            **facts,
        )
        if small
        else say(
            "On the first {share:.0%} the offer changes the share that stays by {effect:+.1pp} ({low:+.1pp} to "
            "{high:+.1pp}), on everybody by {mean:+.1pp}.",
            **facts,
        )
    )
    return Evidence(
        key="uplift",
        question=say("Does the trial tell whom the offer keeps?"),
        verdict=Verdict.amber if small else Verdict.green,
        answer=answer,
        value=effect,
        threshold=say("amber where the interval of the first covers the mean effect, or none"),
        source="Radcliffe (2007); Künzel et al. (2019)",
        blind_to=say("customers of a kind that were in no trial"),
        table=by_tenth(trial, score),
        people=People(("n",), ("tenth",)),
    )
