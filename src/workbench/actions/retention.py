"""Who is about to leave, what is lost with them, and whom an offer keeps: a save list by what the offer changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import engine, metrics, params, tables
from workbench.actions import action_list, lifetime, trial
from workbench.actions.lifetime import Lifetime
from workbench.actions.named_codes import must_be_known
from workbench.actions.trial import SLearner, Trial
from workbench.customers import catalogue, lists
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, tellable
from workbench.params import OfPanel
from workbench.registry import model_read
from workbench.words import Text, say
from workbench.words.names import words_of

LIST = lists.SAVE
LEAST_OF_TRIAL = 100  # rows of the trial whose effect is told
# what a customer does and has: tags from which an offer's effect is learnt; nothing of who he is
INPUTS = (
    "n_logins_1",
    "n_logins_6",
    "n_logins_12",
    "logins_change_6",
    "days_since_activity",
    "n_contacts_6",
    "n_complaints_6",
    "n_rate_views_3",
    "n_large_outflows_3",
    "n_fees_3",
    "salary_stopped_6",
    "n_products",
    "n_loans",
    "tenure_months",
)

# of what each customer holds, what earned most in the last month
_MAIN = """
    SELECT f.entity_id, h.product_code FROM performance f
        JOIN holding h ON h.account_id = f.account_id JOIN product p ON p.product_code = h.product_code
    WHERE h.closed_month IS NULL AND f.month = (SELECT max(month) FROM performance)
    QUALIFY row_number() OVER (PARTITION BY f.entity_id
        ORDER BY f.balance_amt * p.margin_rate / 12 + f.fee_amt - p.service_cost_amt DESC, h.account_id) = 1
    ORDER BY f.entity_id"""


class Params(params.Params):
    """Whose leaving is looked at, which trial tells what an offer changes, and what there is to spend."""

    study: str = Field("sample_customers", description="study whose tables are read and written")
    panel: str = Field("mart__churn", pattern=r"^mart__[a-z0-9_]+$", description="panel whose outcome is leaving")
    scores: str = Field("mart__scores_churn", pattern=r"^mart__[a-z0-9_]+$", description="scores of the same rows")
    campaigns: list[str] = Field(
        ["save_1", "save_2"], min_length=1, description="randomised campaigns that tell what an offer changes"
    )
    learner: str = Field("both", pattern=r"^(logistic|boosted|both)$", description="base of the S-learner")
    horizon_months: int = Field(12, ge=3, le=36, description="months ahead that value and hazards look")
    discount_rate: float = Field(0.08, ge=0, le=0.5, description="discount per year")
    offer_cost: float = Field(20.0, ge=0, description="cost of one offer, in the bank's currency")
    capacity: int = Field(25, ge=1, description="customers an officer can call in the cycle")
    max_rows: int = Field(150000, ge=5000, description="customer-months the hazards are learnt from")
    seed: int = Field(42, ge=0, description="seed of folds and of what is drawn")


def reads(p: Params) -> list[str]:
    """Tables this step reads, and what is said of the model behind the scores."""
    core = [f"core__{name}" for name in ("account", "month", "event", "holding", "performance", "product")]
    judged = model_read.reads(p.scores)
    return [p.panel, p.scores, judged, *core, *action_list.asked_of(LIST, core)]


def writes(p: Params) -> list[str]:
    """Tables this step writes: the save list."""
    return [LIST]


def of_panel(p: Params) -> list[OfPanel]:
    """The scores, which have to be of the panel's rows."""
    return [OfPanel("scores", p.scores, p.panel)]


def trial_rows(p: Params) -> Trial:
    """Return the trial: who drew an arm, their tags of the month before, whether they left after."""
    files = files_of(p)
    must_be_known(p.campaigns, files["events"], "campaign_code", "actions/retention: campaigns")
    drawn = trial.rows(files["events"], tables.scan(p.key, p.panel), p.campaigns)
    parts = [catalogue.tagged(files, d).table.assign(as_of_date=d) for d in sorted(drawn["as_of_date"].unique())]
    known = pd.concat(parts, ignore_index=True)[["entity_id", "as_of_date", *INPUTS]]
    return Trial(drawn.merge(known, on=["entity_id", "as_of_date"], validate="many_to_one"), INPUTS)


def files_of(p: Params) -> dict[str, Path]:
    """Return the files of the tables by the names that SQL uses."""
    named = {"customers": "account", "months": "month", "events": "event", "holdings": "holding"}
    named |= {"holding": "holding", "performance": "performance", "product": "product"}
    return {label: tables.scan(p.key, f"core__{name}") for label, name in named.items()}


def dates(p: Params) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the date that is tested and today (see `lifetime.dates`)."""
    return lifetime.dates(p.key, p.horizon_months, "actions/retention")


def learnt(p: Params, until: pd.Timestamp) -> Lifetime:
    """Return hazards and values as learnt from what was known by a date."""
    return lifetime.learnt(files_of(p), until, p.horizon_months, p.discount_rate, most_rows=p.max_rows, seed=p.seed)


def main_products(p: Params) -> pd.DataFrame:
    """Return entity_id and product_code: of the products a customer holds, the one that earned most last month."""
    files = files_of(p)
    return engine.frame(_MAIN, {name: files[name] for name in ("performance", "holding", "product")})


def value_evidence(values: pd.DataFrame, currency: str) -> Evidence:
    """Return how much value may leave, and how few hold half of it."""
    ordered = np.sort(values["at_risk"].to_numpy())[::-1]
    total = float(ordered.sum())
    few = float((np.searchsorted(np.cumsum(ordered), total / 2) + 1) / len(ordered)) if total > 0 else 0.0
    tenth = metrics.equal_parts(-values["at_risk"], 10) + 1  # equal values in one: some tenths may be missing
    table = values.groupby(tenth)[["leaving", "value", "at_risk"]].agg(
        {"leaving": "mean", "value": "sum", "at_risk": "sum"}
    )
    table = (
        table.rename(columns={"value": "customer_value", "at_risk": "value_at_risk"}).rename_axis("tenth").reset_index()
    )
    return Evidence(
        key="value_at_risk",
        question=say("What is lost with those who leave, and where does it sit?"),
        verdict=Verdict.info,
        answer=say(
            "{total:,.0f} {currency} of the months ahead are at risk through leaving; {few:.0%} of the customers "
            "hold half of it.",
            total=total,
            currency=currency,
            few=few,
        ),
        value=total,
        blind_to=say("products the customer doesn't hold yet"),
        table=table,
    )


def candidates(
    known: Trial, score: np.ndarray, uplift: Evidence, now: pd.DataFrame, values: pd.DataFrame, p: Params
) -> tuple[pd.DataFrame, Evidence]:
    """Return who is worth an offer, with reasons, and what became of the others.

    score: the trial's held-out effects (n), uplift: whether they tell whom an offer keeps (`trial.tells`); where they
    don't, everybody has the trial's mean effect, and none where that isn't surely above 0. now: the tags of who is with
    the bank, with `predicted` (chance to leave) where the model scores them, and the product_code that the offer is to
    keep. Worth: effect times what is lost with the customer, less cost, above 0. Whom the learner puts below 0 is never
    one.
    """
    rows = now.merge(values, on="entity_id", how="inner", validate="one_to_one")
    if tells := uplift.verdict is Verdict.green:
        learner = SLearner(p.learner, p.seed).fit(known.X, known.treated, known.benefit)
        rows["effect"] = learner.effect(trial.numeric(rows[list(known.inputs)]).fillna(known.X.median()).fillna(0.0))
    else:
        mean, low, _ = known.effect()
        rows["effect"] = mean if low > 0 else 0.0
    worth = rows["at_risk"] / rows["leaving"].clip(lower=1e-6)  # what is lost if this one leaves
    rows["gain"] = rows["effect"] * worth - p.offer_cost
    chosen = rows[rows["gain"] > 0]
    out = pd.DataFrame(
        {
            "entity_id": chosen["entity_id"],
            "priority": chosen["gain"].round(2),
            "reason": [_reason(r, p.horizon_months, tells) for r in chosen.itertuples()],
            "measure": [_measure(code) for code in chosen["product_code"]],
            "product_code": chosen["product_code"],
            "expected_gain_amt": chosen["gain"].round(2),
            "value_amt": worth[chosen.index].round(2),
        }
    )
    return out, _offered(rows, known, score, tells)


def _reason(row: Any, months: int, tells: bool) -> Text:
    facts = {"months": months, "effect": float(row.effect), "leaving": float(row.leaving)}
    if tells:
        return say(
            "chance to leave within {months: months} {leaving:.0%}; in the trial an offer lowered the chance of "
            "customers like him by {effect:.1pp}",
            **facts,
        )
    return say(
        "chance to leave within {months: months} {leaving:.0%}; in the trial an offer lowered the chance of all "
        "customers by {effect:.1pp} on average",
        **facts,
    )


def _measure(code: object) -> Text:
    if pd.isna(code):  # type: ignore[call-overload]
        return say("call with the retention offer")
    return say("call with the retention offer, first of all for {product}", product=say(words_of(str(code))))


def order(currency: str) -> Text:
    """Return in words who comes first on the save list."""
    return say(
        "by expected gain in {currency}: how much an offer lowers the chance to leave, times what would be lost, less "
        "its cost",
        currency=currency,
    )


def _offered(rows: pd.DataFrame, known: Trial, score: np.ndarray, tells: bool) -> Evidence:
    below, unpaid = rows["effect"] < 0, (rows["effect"] >= 0) & (rows["gain"] <= 0)
    counts = [
        (say("worth an offer"), int((~below & ~unpaid).sum())),
        (say("an offer costs more than it keeps"), int(unpaid.sum())),
        (say("the learner puts its effect below 0"), int(below.sum())),
    ]
    table = pd.DataFrame(counts, columns=["customers", "n"])
    alone = tellable(*table["n"])[-1]
    return Evidence(
        key="sleeping_dogs",
        question=say("Who must be let alone?"),
        verdict=Verdict.info,
        answer=_below(rows, known, score, alone) if tells else _all_alike(known),
        value=alone if isinstance(alone, int) else None,
        source="Ascarza (2018), Journal of Marketing Research 55(1)",
        table=table,
        people=People(("n",), ("customers",)),
    )


def _below(rows: pd.DataFrame, known: Trial, score: np.ndarray, n: int | Text) -> Text:
    """Return how many the learner puts below 0, what the trial itself shows of such customers, and risk's part."""
    answer = say(
        "For {n:,} of {all:, customers} the learner puts an offer's effect below 0; they are not on the save list.",
        n=n,
        all=len(rows),
    )
    if min((score < 0).sum(), (score >= 0).sum()) >= LEAST_OF_TRIAL:
        effect, low, high = known.effect(score < 0)
        answer += say(
            "In the trial an offer changed the share of such customers that stays by {effect:+.1pp} ({low:+.1pp} to "
            "{high:+.1pp}).",
            effect=effect,
            low=low,
            high=high,
        )
    if "predicted" in rows:
        answer += say(
            "Rank correlation of risk and effect: {by_risk:.2f}: those likeliest to leave aren't those whom an offer "
            "keeps.",
            by_risk=float(rows["predicted"].corr(rows["effect"], method="spearman")),
        )
    return answer


def _all_alike(known: Trial) -> Text:
    """Return what everybody is given where the trial doesn't tell customers apart."""
    mean, low, high = known.effect()
    answer = say(
        "The trial doesn't tell whom an offer keeps: everybody is given its mean effect, {mean:+.1pp} ({low:+.1pp} to "
        "{high:+.1pp}), and nobody is let alone for another reason than cost.",
        mean=mean,
        low=low,
        high=high,
    )
    return answer if low > 0 else answer + say("That isn't surely above 0: nobody is on the save list.")


def current(p: Params, today: pd.Timestamp) -> pd.DataFrame:
    """Return the tags of who is with the bank today, what the churn model last predicts, and the main product."""
    scores = tables.read(p.key, p.scores, columns=["entity_id", "as_of_date", "predicted"])
    latest = scores.sort_values("as_of_date").drop_duplicates("entity_id", keep="last")[["entity_id", "predicted"]]
    rows = catalogue.tagged(files_of(p), today).table.merge(latest, on="entity_id", how="left", validate="one_to_one")
    return rows.merge(main_products(p), on="entity_id", how="left", validate="one_to_one")


def conclusion(answers: list[Evidence], listed: action_list.ActionList) -> Text:
    """Return what the step comes to: how many leave, what the offer changes, how long the list is."""
    by_key = {e.key: e for e in answers}
    return say(
        "{leaving:.1%} leave within the horizon. **{n:, customers are} on the save list**, by what an offer changes "
        "for them, not by risk; {dogs:,} are let alone.",
        leaving=by_key["hazards"].value,
        n=len(listed.rows),
        dogs=by_key["sleeping_dogs"].facts.get("n", 0),
    )
