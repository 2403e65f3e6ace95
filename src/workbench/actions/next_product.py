"""Which product a customer will want next: a model a product, against what is popular in his group; who may have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench import engine
from workbench.actions import hazards
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.words import say
from workbench.words.names import words_of

if TYPE_CHECKING:
    from workbench.engine import Relations

MONTHS, SHOWN, LEAST_BUYERS = 3, 3, 20
MAIN = "current_account"  # everybody's: not to be offered


@dataclass(frozen=True)
class Wanted:
    """Customers as of dates: state (inputs), held and eligible and bought (n × products)."""

    rows: pd.DataFrame
    products: tuple[str, ...]
    held: np.ndarray
    eligible: np.ndarray
    bought: np.ndarray

    @property
    def inputs(self) -> np.ndarray:
        """State and holdings (n × k)."""
        return np.hstack([self.rows[list(hazards.STATE)].to_numpy(float), self.held])

    def part(self, at: np.ndarray) -> Wanted:
        """Return some of the rows."""
        return Wanted(
            self.rows[at].reset_index(drop=True), self.products, self.held[at], self.eligible[at], self.bought[at]
        )


def wanted(relations: Relations, dates: list[pd.Timestamp]) -> Wanted:
    """Return who was with the bank on these dates, what they held, might have, and bought in the three months after.

    relations: months, holding, product. Eligible: not held, no delay above the product's, income above its least by the
    salary that comes in; a card or loan is never offered to who is late.
    """
    state = hazards.states(relations["months"], dates)
    product = engine.frame("SELECT * FROM product ORDER BY product_code", {"product": relations["product"]})
    product = product[product["product_code"] != MAIN].reset_index(drop=True)
    sql = f"""
        SELECT s.entity_id, s.anchor, h.product_code,
            max(CASE WHEN {_no("h.opened_month")} <= s.anchor
                AND (h.closed_month IS NULL OR {_no("h.closed_month")} > s.anchor) THEN 1 ELSE 0 END) AS held,
            max(CASE WHEN {_no("h.opened_month")} > s.anchor AND {_no("h.opened_month")} <= s.anchor + {MONTHS}
                THEN 1 ELSE 0 END) AS bought
        FROM state s JOIN holding h ON h.entity_id = s.entity_id GROUP BY s.entity_id, s.anchor, h.product_code"""
    known = engine.frame(sql, {"state": state[["entity_id", "anchor"]], "holding": relations["holding"]})
    index = pd.MultiIndex.from_frame(state[["entity_id", "anchor"]])
    wide = known.pivot(index=["entity_id", "anchor"], columns="product_code", values=["held", "bought"]).reindex(index)
    codes = tuple(product["product_code"])
    held, bought = (wide[w].reindex(columns=list(codes)).fillna(0.0).to_numpy(float) for w in ("held", "bought"))
    income = np.expm1(state["log_inflow"].to_numpy())[:, None]
    poor = (income > 0) & (income < product["minimum_income_amt"].to_numpy(float))
    late = state["delay_months"].to_numpy()[:, None] > product["maximum_delay_months"].to_numpy(float)
    return Wanted(state, codes, held, (held == 0) & ~poor & ~late, bought * (held == 0))


def _no(column: str) -> str:
    return f"(year({column}) * 12 + month({column}))"


def fitted(w: Wanted) -> dict[str, Pipeline]:
    """Learn the chance of each product's purchase among who might have it; too few buyers make no model."""
    models = {}
    for k, code in enumerate(w.products):
        at = w.eligible[:, k]
        if w.bought[at, k].sum() >= LEAST_BUYERS:
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=300))
            models[code] = model.fit(w.inputs[at], w.bought[at, k].astype(int))
    return models


def chances(models: dict[str, Pipeline], learnt: Wanted, w: Wanted) -> np.ndarray:
    """Return the chance of each purchase (n × products), 0 where not eligible; without a model the product's mean."""
    out = np.zeros(w.held.shape)
    for k, code in enumerate(w.products):
        mean = learnt.bought[learnt.eligible[:, k], k].mean() if learnt.eligible[:, k].any() else 0.0
        out[:, k] = models[code].predict_proba(w.inputs)[:, 1] if code in models else mean
    return np.where(w.eligible, out, 0.0)


def popular(learnt: Wanted, groups: np.ndarray, w: Wanted, asked: np.ndarray) -> np.ndarray:
    """Return how popular each product is in each row's group (n × products), 0 where not eligible.

    Popular is what many of those buy who may: of all, a product that most hold already would seem to be wanted by few.
    Where nobody of the group may, it is the share of everybody who may.
    """
    bought = pd.DataFrame(learnt.bought).where(learnt.eligible)
    share = bought.groupby(groups).mean()
    return np.where(w.eligible, share.reindex(asked).fillna(bought.mean()).fillna(0.0).to_numpy(), 0.0)


def average_precision(score: np.ndarray, bought: np.ndarray, shown: int = SHOWN) -> np.ndarray:
    """Return average precision at `shown` of each row (n): of the first so many, how early what was bought stands.

    Source: Manning, Raghavan & Schütze (2008), Introduction to Information Retrieval, ch. 8.

    >>> average_precision(np.array([[0.9, 0.5, 0.1]]), np.array([[0, 1, 0]])).tolist()
    [0.5]
    """
    order = np.argsort(-score, axis=1, kind="stable")[:, :shown]
    hits = np.take_along_axis(bought, order, axis=1) * (np.take_along_axis(score, order, axis=1) > 0)
    precision = np.cumsum(hits, axis=1) / np.arange(1, shown + 1)
    return (precision * hits).sum(axis=1) / np.minimum(bought.sum(axis=1), shown).clip(min=1)


def compared(w: Wanted, score: np.ndarray, popularity: np.ndarray, seed: int) -> Evidence:
    """Return MAP@3 of model and of popularity among who bought something, with the interval of the difference."""
    buyers = (w.bought * w.eligible).sum(axis=1) > 0
    mine, theirs = (average_precision(s[buyers], (w.bought * w.eligible)[buyers]) for s in (score, popularity))
    rng = np.random.default_rng(seed)
    gain = mine - theirs
    draws = [gain[rng.integers(0, len(gain), len(gain))].mean() for _ in range(500)] if len(gain) else [0.0]
    low, high = np.percentile(draws, [2.5, 97.5])
    better = low > 0
    offered = np.bincount(np.argsort(-score, axis=1)[:, 0], minlength=len(w.products)) / max(len(score), 1)
    table = pd.DataFrame(
        {
            "product": [words_of(c) for c in w.products],
            "share offered first": offered,
            "purchases": w.bought.sum(axis=0).astype(int),
        }
    )
    facts = {"n": int(buyers.sum()), "mine": float(mine.mean()), "theirs": float(theirs.mean())}
    return Evidence(
        key="next_product",
        question=say("Does the model know better than popularity what a customer buys next?"),
        verdict=Verdict.green if better else Verdict.amber,
        answer=say(
            "Of {n:,} who bought, the first three products have MAP {mine:.3f} by the model, {theirs:.3f} by what is "
            "popular in the group; difference {low:+.3f} to {high:+.3f}.",
            low=float(low),
            high=float(high),
            **facts,
        ),
        value=facts["mine"] - facts["theirs"],
        threshold=say("amber where the interval of the difference holds 0"),
        source="Manning, Raghavan & Schütze (2008), ch. 8: mean average precision",
        blind_to=say("what customers would buy elsewhere"),
        table=table.sort_values("share offered first", ascending=False, ignore_index=True),
        people=People(("purchases",)),
    )
