"""Which offer each customer should get: effect by a trial of several arms, times worth, within budget and capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from workbench import engine, metrics
from workbench.actions.named_codes import must_be_known
from workbench.actions.next_product import Wanted
from workbench.actions.trial import CONTROL, SLearner
from workbench.evidence import Evidence, Verdict
from workbench.panel.samples import Splits, whole_folds
from workbench.params import UserError
from workbench.words import say

if TYPE_CHECKING:
    from workbench.engine import Relation

FOLDS = 5


@dataclass(frozen=True)
class Arms:
    """A trial of several offers: state before it, the arm drawn, with what probability, and what was bought after."""

    wanted: Wanted  # n rows, as of the month before
    arm: np.ndarray  # (n) name of the product offered, or control
    probability: np.ndarray  # (n) of the arm that was drawn

    @property
    def offers(self) -> tuple[str, ...]:
        """The products that were offered."""
        return tuple(a for a in self.wanted.products if (self.arm == a).any())

    @property
    def X(self) -> pd.DataFrame:
        """The inputs (n × k)."""
        return pd.DataFrame(self.wanted.inputs).add_prefix("x")

    def bought(self, offer: str) -> np.ndarray:
        """Return 1 where this product was bought in the months after (n)."""
        return self.wanted.bought[:, self.wanted.products.index(offer)]


def touched(events: Relation, campaigns: list[str]) -> pd.DataFrame:
    """Return entity_id, month_no, arm, probability of who drew an arm; `UserError` where nobody did."""
    must_be_known(campaigns, events, "campaign_code", "actions/groups: campaigns")
    named = ", ".join("'" + c.replace("'", "''") + "'" for c in campaigns)
    rows = engine.frame(
        f"""SELECT entity_id, year(happened_at) * 12 + month(happened_at) AS month_no, arm_code AS arm,
            CAST(assignment_probability AS DOUBLE) AS probability FROM events
        WHERE event_kind = 'campaign_touch' AND campaign_code IN ({named}) AND assignment_probability IS NOT NULL
        ORDER BY month_no, entity_id""",
        {"events": events},
    )
    if not len(rows):
        raise UserError(
            f"actions/groups: no customer drew an arm of {', '.join(campaigns)}; name campaigns of the events"
        )
    return rows


def arms(drawn: pd.DataFrame, before: Wanted) -> Arms:
    """Return the trial's rows with their state of the month before.

    Raises `UserError` where a customer drew more than one arm in a month: what came after is of none of them alone.
    """
    if twice := int(drawn.duplicated(["entity_id", "month_no"]).sum()):
        raise UserError(
            f"actions/groups: campaigns: {twice} customers drew more than one arm in a month; name campaigns that draw "
            "one a month"
        )
    state = before.rows[["entity_id", "anchor"]].reset_index()
    joined = drawn.assign(anchor=drawn["month_no"] - 1).merge(state, on=["entity_id", "anchor"], validate="one_to_one")
    at = joined["index"].to_numpy()
    w = Wanted(
        before.rows.loc[at].reset_index(drop=True),
        before.products,
        before.held[at],
        before.eligible[at],
        before.bought[at],
    )
    return Arms(w, joined["arm"].to_numpy(), joined["probability"].to_numpy(float))


def effects(trial: Arms, ask: Wanted | None, kind: str, seed: int) -> np.ndarray:
    """Return what each offer adds to the chance that it is bought (n × offers), 0 where it may not be made.

    Of the trial's own rows (ask None) each by a learner that hasn't seen its customer.
    """
    columns, learner = [], SLearner(kind, seed)
    if ask is None:
        splits = whole_folds(trial.arm, trial.wanted.rows["entity_id"].to_numpy(), FOLDS, seed, is_binary=False)
    for offer in trial.offers:
        at = np.isin(trial.arm, [offer, CONTROL])
        treated, bought = (trial.arm == offer).astype(int), trial.bought(offer)
        if ask is None:
            columns.append(_held_out(learner, trial.X, splits, at, treated, bought))
        else:
            learner.fit(trial.X[at], treated[at], bought[at])
            columns.append(learner.effect(pd.DataFrame(ask.inputs).add_prefix("x")))
    w = trial.wanted if ask is None else ask
    may = w.eligible[:, [w.products.index(o) for o in trial.offers]]
    return np.where(may, np.column_stack(columns), 0.0)


def _held_out(
    learner: SLearner, X: pd.DataFrame, splits: Splits, at: np.ndarray, treated: np.ndarray, bought: np.ndarray
) -> np.ndarray:
    out = np.zeros(len(X))
    for learn, ask in splits:
        rows = learn[at[learn]]
        out[ask] = learner.fit(X.iloc[rows], treated[rows], bought[rows]).effect(X.iloc[ask])
    return out


def assigned(gain: np.ndarray, cost: float, budget: float, capacity: int) -> np.ndarray:
    """Return which offer each customer gets (n; −1 none): the most gain within budget and each offer's capacity.

    gain: (n × offers) what each offer brings, its cost deducted. At most one offer a customer. Exact: since all offers
    cost the same, the budget is a number of offers, and customers, offers and their total are nested sets, whose
    linear programme has whole numbers at every corner (totally unimodular: Schrijver (1986), ch. 19); the simplex
    method ends at one. Raises `UserError` where it isn't solved.
    """
    n, k = gain.shape
    most = int(min(budget // cost if cost > 0 else n, k * capacity, n))
    i, j = _in_question(gain, most)
    if not len(i):
        return np.full(n, -1)
    at, pair, one = pd.factorize(i)[0], np.arange(len(i)), np.ones(len(i))
    sets = np.concatenate([at, at.max() + 1 + j, np.full(len(i), at.max() + 1 + k)])
    limits = np.concatenate([np.ones(at.max() + 1), np.full(k, float(capacity)), [float(most)]])
    member = sparse.csr_matrix((np.tile(one, 3), (sets, np.tile(pair, 3))), shape=(len(limits), len(i)))
    solved = linprog(-gain[i, j], A_ub=member, b_ub=limits, bounds=(0, 1), method="highs-ds")
    if solved.x is None:
        raise UserError(f"actions/groups: offers could not be assigned: {solved.message}")
    out = np.full(n, -1)
    taken = solved.x > 0.5
    out[i[taken]] = j[taken]
    return out


def _in_question(gain: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return customer and offer of the pairs that can be in the optimum: of each offer's gains the first `most`.

    Whoever stands behind them could be exchanged for one of them who gets nothing, at no loss.
    """
    if not most:
        return np.empty(0, int), np.empty(0, int)
    order = np.argsort(-gain, axis=0, kind="stable")[:most]
    offers = np.broadcast_to(np.arange(gain.shape[1]), order.shape)
    worth = np.take_along_axis(gain, order, axis=0) > 0
    return order[worth], offers[worth]


def policy_evidence(trial: Arms, effect: np.ndarray, worth: np.ndarray, cost: float, currency: str) -> Evidence:
    """Return what the best offer for each would have brought, by the logged probabilities, against simpler policies.

    worth: (offers) what a purchase is worth, in the currency. Amber where its interval isn't above the best single
    offer's value.
    """
    gain = effect * worth - cost
    best = np.where(gain.max(axis=1) > 0, np.array(trial.offers)[gain.argmax(axis=1)], CONTROL)
    paid = {o: w for o, w in zip(trial.offers, worth, strict=True)}
    # every purchase counts, whatever was offered: an offer that only moves purchases forward or aside brings less
    reward = sum(trial.bought(o) * paid[o] for o in trial.offers) - cost * (trial.arm != CONTROL)
    policies = {"best offer each": best, "no offer": np.full(len(best), CONTROL)}
    policies |= {
        o: np.where(trial.wanted.eligible[:, trial.wanted.products.index(o)], o, CONTROL) for o in trial.offers
    }
    rows = [
        (name, *metrics.policy_value(reward, trial.arm, chosen, trial.probability)) for name, chosen in policies.items()
    ]
    table = pd.DataFrame(rows, columns=["policy", "value", "low", "high"])
    nobody = float(table.loc[table["policy"] == "no offer", "value"].iloc[0])
    single = float(table.loc[~table["policy"].isin(["best offer each"]), "value"].max())
    mine = table.iloc[0]
    return Evidence(
        key="policy",
        question=say("What does the best offer for each bring, against simpler policies?"),
        verdict=Verdict.green if mine["low"] > single else Verdict.amber,
        answer=say(
            "By the trial's logged probabilities {mine:.2f} {currency} a customer ({low:.2f} to {high:.2f}); the best "
            "simple policy {single:.2f}, no offer {nobody:.2f}.",
            currency=currency,
            mine=float(mine["value"]),
            low=float(mine["low"]),
            high=float(mine["high"]),
            single=single,
            nobody=nobody,
        ),
        value=float(mine["value"]),
        threshold=say("amber where the interval holds what the best simple policy brings"),
        source="Swaminathan & Joachims (2015), NeurIPS: self-normalised inverse propensity",
        blind_to=say("offers beyond the three months, and customers of a kind that were in no trial"),
        table=table.sort_values("value", ascending=False, ignore_index=True),
    )
