"""Customer groups as a business: profit that adds up, stages and where they lead, value, who gets which offer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import engine, params, tables
from workbench.actions import action_list, hazards, lifetime, next_action, profit
from workbench.actions.action_list import ActionList
from workbench.actions.next_action import Arms
from workbench.actions.next_product import Wanted
from workbench.customers import lists
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.words import Text, say
from workbench.words.names import words_of

if TYPE_CHECKING:
    from workbench.engine import Relation, Relations

LIST = lists.OFFER
TABLES = ("month", "performance", "holding", "product", "event")


class Params(params.Params):
    """Which months are reckoned, which trial tells what offers change, and what there is to spend."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    campaigns: list[str] = Field(["next_1", "next_2"], min_length=1, description="randomised campaigns of offers")
    learner: str = Field("logistic", pattern=r"^(logistic|boosted|both)$", description="base of the S-learner")
    horizon_months: int = Field(12, ge=3, le=36, description="months ahead that value looks")
    discount_rate: float = Field(0.08, ge=0, le=0.5, description="discount per year")
    offer_cost: float = Field(2.0, ge=0, description="cost of one offer, in the bank's currency")
    budget: float = Field(2000.0, ge=0, description="what offers of this cycle may cost together")
    capacity: int = Field(400, ge=1, description="offers of one product in the cycle")
    officer_capacity: int = Field(25, ge=1, description="customers an officer can approach in the cycle")
    max_rows: int = Field(150000, ge=5000, description="customer-months the hazards are learnt from")
    seed: int = Field(42, ge=0, description="seed of folds and of what is drawn")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    core = ["core__account", *(f"core__{name}" for name in TABLES)]
    return [*core, *action_list.asked_of(LIST, core)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: the list of offers."""
    return [LIST]


def relations(p: Params) -> dict[str, Relation]:
    """Return the files of the tables by the names that SQL uses."""
    names = {"month": "months", "event": "events"}
    return {names.get(name, name): tables.scan(p.key, f"core__{name}") for name in TABLES}


def last_year(p: Params) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first day of the last twelve months and the last month."""
    last = tables.read(p.key, "core__month", columns=["month"])["month"].max()
    return last - pd.DateOffset(months=11), last


def value_evidence(predicted: pd.DataFrame, realised: pd.Series, currency: str) -> Evidence:
    """Return value foretold against what came, by tenth; amber where the whole is off by more than 10 %."""
    table, gini = profit.foretold(predicted, realised)
    ratio = float(table["predicted"].sum() / table["observed"].sum())
    top = float(table["observed"].iloc[0] / table["observed"].sum())
    held = int(((table["low"] <= table["predicted"]) & (table["predicted"] <= table["high"])).sum())
    return Evidence(
        key="value",
        question=say("Is a customer worth what was foretold?"),
        verdict=Verdict.green if abs(ratio - 1) <= 0.1 else Verdict.amber,
        answer=say(
            "Foretold is {ratio:.2f} times what came, and within its 95 % interval in {held} of {n: tenths}; the "
            "ranking's Gini is {gini:.2f}, the first tenth brought {top:.0%}.",
            ratio=ratio,
            held=held,
            n=len(table),
            gini=gini,
            top=top,
        ),
        value=gini,
        threshold=say("amber where foretold and observed differ by more than 10 %"),
        blind_to=say("what changes for all customers alike after the date: prices, offers, a crisis"),
        table=table.assign(currency=currency) if currency else table,
    )


def foretold(p: Params, files: Relations) -> tuple[pd.DataFrame, pd.Series]:
    """Return value as of the test date by what was known then, and what each brought in the horizon after it."""
    test_on, _ = lifetime.dates(p.key, p.horizon_months, "actions/groups")
    model = lifetime.learnt(files, test_on, p.horizon_months, p.discount_rate, most_rows=p.max_rows, seed=p.seed)
    state = hazards.states(files["months"], [test_on])
    return model.value(files, state), profit.brought(files, test_on, p.horizon_months, p.discount_rate)


def worth(files: Relations, offers: tuple[str, ...], p: Params) -> np.ndarray:
    """Return what a purchase of each product brings in the horizon (offers): the mean of who holds it.

    Margin and fees, less cost and write-offs.
    """
    sql = """
        SELECT h.product_code, avg(f.balance_amt * p.margin_rate / 12 + f.fee_amt - p.service_cost_amt
            - f.written_off_amt) AS monthly
        FROM performance f JOIN holding h ON h.account_id = f.account_id
            JOIN product p ON p.product_code = h.product_code
        GROUP BY h.product_code"""
    monthly = engine.frame(sql, files).set_index("product_code")["monthly"]
    months = sum((1 + p.discount_rate) ** (-m / 12) for m in range(1, p.horizon_months + 1))
    return monthly.reindex(list(offers)).fillna(0.0).to_numpy() * months


def months_before(drawn: pd.DataFrame) -> list[pd.Timestamp]:
    """Return the month before each campaign."""
    numbers = sorted(set(drawn["month_no"] - 1))
    return [pd.Timestamp((int(n) - 1) // 12, (int(n) - 1) % 12 + 1, 1) for n in numbers]


def offered(now: Wanted, trial: Arms, p: Params, worth_of: np.ndarray) -> tuple[ActionList, Evidence]:
    """Return the list of who gets which offer, within the officers' capacity, and what budget and products allow."""
    barred = action_list.barred(p.key, LIST)
    may = ~now.rows["entity_id"].isin(set(barred)).to_numpy()
    effect = next_action.effects(trial, now, p.learner, p.seed) * may[:, None]
    gain = effect * worth_of - p.offer_cost
    chosen = next_action.assigned(gain, p.offer_cost, p.budget, p.capacity)
    at = np.flatnonzero(chosen >= 0)
    names = np.array(trial.offers)[chosen[at]]
    candidates = pd.DataFrame(
        {
            "entity_id": now.rows["entity_id"].to_numpy()[at],
            "priority": gain[at, chosen[at]].round(2),
            "reason": [
                say(
                    "an offer adds {effect:.1pp} to the chance of {product}",
                    effect=float(effect[i, chosen[i]]),
                    product=say(words_of(c)),
                )
                for i, c in zip(at, names, strict=True)
            ],
            "measure": [say("offer {product}", product=say(words_of(c))) for c in names],
            "product_code": names,
            "expected_gain_amt": gain[at, chosen[at]].round(2),
        }
    )
    listed = action_list.made(p.key, LIST, candidates, capacity=p.officer_capacity)
    aside = action_list.set_aside(now.rows["entity_id"], barred)
    currency = tables.contract(p.key, "core__account").currency
    card = assignment(candidates, listed.rows, len(now.rows), trial.offers, p, currency)
    return listed, replace(card, answer=card.answer + action_list.why_aside(aside))  # type: ignore[operator]


def assignment(
    candidates: pd.DataFrame, listed: pd.DataFrame, everybody: int, offers: tuple[str, ...], p: Params, currency: str
) -> Evidence:
    """Return what budget and products allow at best, and how much of it the officers' capacity leaves.

    candidates: entity_id, product_code, priority (expected gain); listed: those an officer gets, expected_gain_amt.
    """
    counts = candidates["product_code"].value_counts().reindex(list(offers)).fillna(0).astype(int)
    gain = candidates.groupby("product_code")["priority"].sum().reindex(list(offers)).fillna(0.0)
    table = pd.DataFrame(
        {"product": [words_of(c) for c in offers], "offers": counts.to_numpy(), "gain": gain.to_numpy()}
    )
    return Evidence(
        key="assignment",
        question=say("Who gets which offer?"),
        verdict=Verdict.info,
        answer=say(
            "{n:,} of {all:, customers} could get an offer by budget and products: {spent:,.0f} of {budget:,.0f} "
            "{currency} spent, {gain:,.0f} {currency} expected. The officers' capacity leaves {listed:,} of them, "
            "with {reached:,.0f} {currency} expected.",
            n=len(candidates),
            all=everybody,
            spent=len(candidates) * p.offer_cost,
            budget=p.budget,
            gain=float(candidates["priority"].sum()),
            listed=len(listed),
            reached=float(listed["expected_gain_amt"].sum()),
            currency=currency,
        ),
        value=float(candidates["priority"].sum()),
        threshold=say("one offer a customer, within budget and each product's capacity; who is set aside gets none"),
        table=table.assign(currency=currency) if currency else table,
        people=People(("offers",)),
    )


def order(currency: str) -> Text:
    """Return in words who comes first on the list of offers."""
    return say(
        "by expected gain in {currency}: what an offer adds to the chance times what a purchase brings, less its cost",
        currency=currency,
    )


def migration_evidence(moved: pd.DataFrame) -> Evidence:
    """Return where the customers of each stage (rows) stand a year later (columns): shares, small cells hidden.

    moved: of `stages.migration`.
    """
    shown = People(parts=tuple(moved)).published(moved.reset_index()).set_index("stage")
    shares = shown[list(moved)].div(moved.sum(axis=1), axis=0)
    stays = {stage: float(shares.loc[stage, stage]) for stage in shares.index if stage in shares.columns}
    leaving = shares.get("gone", pd.Series(0.0, index=shares.index)).drop("gone", errors="ignore")
    gone = leaving.dropna()
    return Evidence(
        key="stages",
        question=say("Where do customers of each stage stand a year later?"),
        verdict=Verdict.info,
        answer=_loses(gone, everywhere=len(gone) == len(leaving)) + _remains(stays.get("steady", np.nan)),
        value=float(gone.max()) if len(gone) else None,
        table=shown.assign(**shares).reset_index(),
    )


def _remains(stays: float) -> Text:
    """Return how many of the steady stay so; nothing where there are none or it may not be told."""
    if np.isnan(stays):
        return Text()
    return say("Of the {steady} ones {stays:.0%} are still {steady} a year later.", steady=say("steady"), stays=stays)


def _loses(gone: pd.Series, everywhere: bool) -> Text:
    """Return which stage loses most, of the shares that may be told; `everywhere`: those are all there are."""
    if not len(gone):
        return say("Of no stage so many left the bank that it may be told how many.")
    most = {"stage": say(words_of(str(gone.idxmax()))), "gone": float(gone.max())}
    if not everywhere:
        return say(
            "Of the stages that may be told, the one that loses most of its customers is {stage}: {gone:.0%} of them "
            "are no longer with the bank a year later.",
            **most,
        )
    return say(
        "The stage that loses most of its customers is {stage}: {gone:.0%} of them are no longer with the bank a year "
        "later.",
        **most,
    )


def conclusion(made: Evidence, better: Evidence, listed: action_list.ActionList) -> Text:
    """Return what the step comes to."""
    return made.answer + better.answer + say("**{n:, customers are} on the list of offers.**", n=len(listed.rows))  # type: ignore[operator]
