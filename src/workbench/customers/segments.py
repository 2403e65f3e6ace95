"""Decide on customers by risk grade and need: each cell gets its policy, and the policies' effect is reckoned."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import params, rules
from workbench.contracts import Column, Contract, Outcome
from workbench.customers import policies
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.panel import build
from workbench.panel.describe import book
from workbench.panel.outcome import resolved
from workbench.panel.rates import in_words, observed
from workbench.params import Day, OfPanel, UserError, nearest
from workbench.portfolios import catalog, intake
from workbench.words import Text, say

POLICY = ("lane", "interest_rate", "limit_multiple", "collateral")
AT_STAKE = ("feature", "fact")  # roles of columns that may hold an amount at stake


class Params(params.Params):
    """How groups are found and decided, and what each gets."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel of the customers")
    scores: str = Field("mart__scores_pd", pattern=r"^mart__[a-z0-9_]+$", description="scores of the same rows")
    k_from: int = Field(2, ge=2, le=10, description="fewest groups tried")
    k_to: int = Field(7, ge=3, le=12, description="most groups tried")
    resamples: int = Field(10, ge=3, le=100, description="resamples by which stability is judged")
    max_rows: int = Field(5000, ge=500, description="rows the groups are found on")
    risk_bands: list[float] = Field([0.10, 0.20, 0.40], description="PDs at which medium, high and very high begin")
    as_of: Day = Field("2026-06-30", pattern=r"^\d{4}-\d{2}-\d{2}$", description="date at which policies are valid")
    policies: list[dict[str, Any]] = Field(
        list(policies.DEFAULT), description="policies, one row per risk and need; none finds groups only"
    )
    exposure: str = Field("", description="column of the amount at stake; empty is the one the contract marks")
    loss_given_default: float = Field(0.6, ge=0, le=1, description="part of the exposure lost in default")
    present_rate: float = Field(0.14, ge=0, le=0.6, description="interest everybody pays as it is")
    seed: int = Field(42, ge=0, description="seed of resamples and groups")

    def verify(self) -> None:
        """Raise `UserError` for bands that don't rise and for a policy row that can't be read."""
        bands = self.risk_bands
        if len(bands) != 3 or not all(a < b for a, b in pairwise([0, *bands, 1])):
            raise UserError(f"customers/segments: risk_bands {bands}: give three PDs that rise, between 0 and 1")
        if self.k_from > self.k_to:
            raise UserError(f"customers/segments: k_from {self.k_from} is above k_to {self.k_to}")
        if self.policies:
            policies.complete(policies.table(self.policies, self.as_of))


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, p.scores]


def writes(p: Params) -> list[str]:
    """Tables this step writes: one row per customer with group, and risk band, need and policy where decided."""
    return ["mart__segments"]


def of_panel(p: Params) -> list[OfPanel]:
    """The scores, which have to be of the panel's rows."""
    return [OfPanel("scores", p.scores, p.panel)]


def agree(p: Params, others: Mapping[str, params.Params]) -> None:
    """Raise `UserError` where the study's own contracts leave nothing at stake, or no amount of it."""
    intakes = [o for o in others.values() if isinstance(o, intake.Params)]
    panels = [o for o in others.values() if isinstance(o, build.Params) and o.panel == p.panel]
    if not (p.policies and intakes and panels):
        return
    words = list(catalog.source(intakes[0].portfolio).words(intakes[0]).values())
    recorded = next((c for c in words if c.named("outcome")), words[0])
    if not _at_risk(resolved(panels[0].outcome, recorded)):
        return
    columns = [c for w in words for c in w.columns]
    for c in (c for c in columns if c.name == p.exposure):
        _an_amount(c, p)
    if not p.exposure and not any(c.exposure for c in columns):
        raise _nothing_at_stake(p)


def _at_risk(outcome: Outcome) -> bool:
    return outcome.is_binary and outcome.direction == "adverse"


def _an_amount(column: Column, p: Params) -> None:
    """Raise `UserError` where the column that is named can't be summed up, or says what came after."""
    if column.type not in ("number", "integer"):
        raise UserError(
            f"customers/segments: exposure '{p.exposure}' is of type {column.type}; name a column of amounts at stake"
        )
    if column.role not in AT_STAKE:
        raise UserError(
            f"customers/segments: exposure '{p.exposure}' has the role {column.role}; name a column of amounts at stake"
        )


def _nothing_at_stake(p: Params) -> UserError:
    return UserError(
        f"customers/segments: no column of '{p.panel}' says what is at stake; mark one in the contract "
        "(exposure: true), name it (exposure: COLUMN), or find groups only (policies: [])"
    )


def population(panel: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are grouped: the book (`panel.describe.book`) with what is predicted of each."""
    return book(panel).merge(
        scores[["entity_id", "as_of_date", "predicted", "grade_code"]],
        on=["entity_id", "as_of_date"],
        validate="one_to_one",
    )


def exposure_column(contract: Contract, p: Params) -> str:
    """Return the column that holds the exposure: the parameter's, else the one the contract marks; "" is none.

    Raises `UserError` where the panel lacks the parameter's column, or where that holds no amounts.
    """
    columns = {c.name: c for c in contract.columns}
    if p.exposure and p.exposure not in columns:
        amounts = [n for n, c in columns.items() if c.type in ("number", "integer") and c.role in AT_STAKE]
        raise UserError(
            f"customers/segments: exposure '{p.exposure}' is no column of '{p.panel}'; {nearest(p.exposure, amounts)}"
        )
    if p.exposure:
        _an_amount(columns[p.exposure], p)
    return p.exposure or next((c.name for c in contract.columns if c.exposure), "")


def undecided(contract: Contract, p: Params) -> Evidence | None:
    """Return why no policies are decided, as evidence; None where they are.

    Policies need a risk of loss: an adverse event and an amount at stake. Raises `UserError` where the study has
    policies and an adverse event but no column says what is at stake.
    """
    outcome = contract.outcome
    if not p.policies:
        why = say("The study names no policies: groups are found, nothing is decided.")
    elif not _at_risk(outcome):
        why = say(
            "Policies by risk of loss don't apply to {rate}: groups are found, nothing is decided.", rate=outcome.rate
        )
    elif not exposure_column(contract, p):
        raise _nothing_at_stake(p)
    else:
        return None
    return Evidence(
        key="policies",
        question=say("What does each group get?"),
        verdict=Verdict.not_evaluated if p.policies else Verdict.info,
        answer=why,
        threshold=say("decided where an adverse event puts an amount at risk"),
    )


def risk_band(predicted: pd.Series, p: Params) -> np.ndarray:
    """Return the risk band of each probability: low, medium, high, very_high."""
    return np.array(policies.BANDS)[np.searchsorted(p.risk_bands, predicted, side="right")]


def need(rows: pd.DataFrame, exposure: str) -> np.ndarray:
    """Return what each customer needs credit for, by behaviour.

    Lines of credit: `stretched` from nine tenths of the limit, `transactor` where bills are paid in
    full or little is used, `revolver` otherwise. Where there is no utilisation: `small` or `large` by the
    median of the exposure.
    """
    if {"limit_amt", "utilisation_rate", "payment_ratio_rate"} <= set(rows):
        used, paid = rows["utilisation_rate"], rows["payment_ratio_rate"].fillna(1)
        return np.select([used >= 0.9, (paid >= 0.95) | (used < 0.1)], ["stretched", "transactor"], "revolver")
    return np.where(rows[exposure] > rows[exposure].median(), "large", "small")


def decided(rows: pd.DataFrame, contract: Contract, p: Params) -> pd.DataFrame:
    """Return the customers with risk band, need and what their cell's policy says."""
    table, exposure = policies.table(p.policies, p.as_of), exposure_column(contract, p)
    out = rows.assign(risk_code=risk_band(rows["predicted"], p), need_code=need(rows, exposure))
    keys = list(zip(out["risk_code"], out["need_code"], strict=True))
    cells = {key: policies.lookup(table, *key) for key in sorted(set(keys))}
    for name in POLICY:
        out[name] = [getattr(cells[key], name) for key in keys]
    return out.assign(exposure_amt=out[exposure].fillna(0).clip(lower=0))


def matrix(rows: pd.DataFrame, outcome: Outcome | None = None) -> pd.DataFrame:
    """Return one row per cell of risk and need: rows, share, rate with interval on the hold-out, prediction, policy.

    The prediction is of the same rows as the rate; of all rows where the hold-out has none.
    """
    held, out = rows[rows["sample"] == "holdout"], []
    for (risk, want), part in rows.groupby(["risk_code", "need_code"]):
        tested = held[(held["risk_code"] == risk) & (held["need_code"] == want)]
        rate, low, high = observed(tested["outcome"], tested["weight"], outcome or Outcome())
        cell = {"risk": risk, "need": want, "rows": len(part), "share": part["weight"].sum() / rows["weight"].sum()}
        cell |= {"rate": rate, "low": low, "high": high}
        judged = tested if len(tested) else part
        cell |= {"predicted": np.average(judged["predicted"], weights=judged["weight"])}
        cell |= {"exposure_amt": (part["exposure_amt"] * part["weight"]).sum()}
        out.append(cell | {name: part.iloc[0][name] for name in POLICY})
    order = {band: i for i, band in enumerate(policies.BANDS)}
    cells = pd.DataFrame(out).astype({"collateral": bool})
    return cells.sort_values("risk", key=lambda s: s.map(order), kind="stable", ignore_index=True)


def published(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells as a page may show them: those of few customers hidden, with what would give them back."""
    return People(("rows",), ("risk", "need"), tells_nothing=POLICY).published(cells)


def cells_evidence(cells: pd.DataFrame, outcome: Outcome | None = None) -> Evidence:
    """Return the cells, amber where a prediction is off the hold-out's rate materially and beyond its interval.

    A cell without an interval (no row of the hold-out, or hidden) is counted as not judged; `not_evaluated` if all are.
    """
    outcome, limit = outcome or Outcome(), rules.load()["rate_off"].red
    shown = published(cells)
    n_judged = int(shown[["low", "high"]].notna().all(axis=1).sum())
    off = shown[(shown["predicted"] < shown["low"]) | (shown["predicted"] > shown["high"])]
    ratio = off["rate"] / off["predicted"]
    off = off[(ratio > limit) | (ratio < 1 / limit)]
    answer = say("{n: cells} of risk and need.", n=len(cells))
    if len(off):
        each = [
            say(
                "{risk} {need} ({predicted:.1%}, observed {rate:.1%})",
                risk=say(r.risk.replace("_", " ")),
                need=say(r.need),
                predicted=r.predicted,
                rate=r.rate,
            )
            for r in off.itertuples()
        ]
        answer += say(
            "In {n} of them the {predicted} is off the hold-out's rate: {each}.",
            n=len(off),
            predicted=outcome.predicted,
            each=each,
        )
    elif n_judged == len(cells):
        answer += say("The {predicted} holds in all of them.", predicted=outcome.predicted)
    elif n_judged:
        answer += say("The {predicted} holds in the {n} that are judged.", predicted=outcome.predicted, n=n_judged)
    if n_judged < len(cells):
        answer += say(
            "{n} of them are not judged: the hold-out has no row of them, or customers are too few to tell of.",
            n=len(cells) - n_judged,
        )
    return Evidence(
        key="cells",
        question=say("What does each cell get, and is its {predicted} right?", predicted=outcome.predicted),
        verdict=_cells_light(len(off), n_judged),
        answer=answer,
        value=len(off),
        threshold=say(
            "amber where predicted and observed rate differ by a factor of {limit:g} and the 95 % interval leaves the "
            "prediction out",
            limit=limit,
        ),
        source="Jeffreys' interval: Brown, Cai & DasGupta (2001)",
        table=in_words(shown, outcome),
    )


def _cells_light(n_off: int, n_judged: int) -> Verdict:
    if not n_judged:
        return Verdict.not_evaluated
    return Verdict.amber if n_off else Verdict.green


def policy_effect(rows: pd.DataFrame, cells: pd.DataFrame, p: Params, currency: str = "") -> Evidence:
    """Return what the policies do to volume, expected loss and income, against everybody at one price.

    Amounts are of the rows as they stand in the file (weighted where it is case-control), in `currency`.
    """
    table = _sums(policies.effect(_exposure_weighted(rows, cells), p.loss_given_default, p.present_rate))
    by = table.set_index("what")
    gain = float(by.at["income after loss", "with policies"] - by.at["income after loss", "as is"])
    changes = {
        n: by.at[w, "relative change"]
        for n, w in (("volume", "volume"), ("loss", "expected loss"), ("income", "income"))
    }
    answer = say("Volume {volume:+.1%}, expected loss {loss:+.1%}, income {income:+.1%}.", **changes)
    answer += _gains(gain, _gain_as_observed(rows, cells, p), currency)
    if rows["weight"].nunique() > 1:
        answer += say("Rows are weighted back to the true base rate.")
    answer += say(
        "Assumed: of an exposure in default {lgd:.0%} is lost, nobody leaves or defaults more because of price or "
        "limit, collateral changes no loss.",
        lgd=p.loss_given_default,
    )
    return Evidence(
        key="policy_effect",
        question=say("What do the policies do to volume, loss and income?"),
        verdict=Verdict.green if gain > 0 else Verdict.amber,
        answer=answer,
        value=gain,
        threshold=say("amber where income after expected loss does not rise"),
        source="expected loss: PD × LGD × exposure",
        table=table,
    )


def _sums(cells: pd.DataFrame) -> pd.DataFrame:
    """Return volume, loss and income as is and with the policies; a change only where it starts above nothing."""
    names = {"volume": "volume", "expected loss": "loss", "income": "income"}
    sums = {what: (float(cells[f"{n}_before"].sum()), float(cells[f"{n}_after"].sum())) for what, n in names.items()}
    pairs = zip(sums["income"], sums["expected loss"], strict=True)
    sums["income after loss"] = tuple(income - loss for income, loss in pairs)
    rows = [(what, a, b, b / a - 1 if a > 0 else np.nan) for what, (a, b) in sums.items()]
    return pd.DataFrame(rows, columns=["what", "as is", "with policies", "relative change"])


def _gains(gain: float, seen: float, currency: str) -> Text:
    facts = {"gain": gain, "seen": seen}
    if currency:
        return say(
            "Income after loss {gain:+,.0f} {currency} a year, {seen:+,.0f} at the rates the hold-out showed.",
            currency=currency,
            **facts,
        )
    return say("Income after loss {gain:+,.0f} a year, {seen:+,.0f} at the rates the hold-out showed.", **facts)


def _gain_as_observed(rows: pd.DataFrame, cells: pd.DataFrame, p: Params) -> float:
    """Return the gain at the rates of the hold-out; at the prediction in a cell that it has no row of."""
    held = _exposure_weighted(rows[rows["sample"] == "holdout"], cells, "outcome")["predicted"]
    seen = _exposure_weighted(rows, cells).assign(predicted=lambda t: held.fillna(t["predicted"]))
    made = policies.effect(seen, p.loss_given_default, p.present_rate)
    after, before = ((made[f"income_{w}"] - made[f"loss_{w}"]).sum() for w in ("after", "before"))
    return float(after - before)


def _exposure_weighted(rows: pd.DataFrame, cells: pd.DataFrame, column: str = "predicted") -> pd.DataFrame:
    """Cells whose `predicted` is that mean (or another column's) weighted by exposure: money, not heads, is lost."""
    weight, by = rows["exposure_amt"] * rows["weight"] + 1e-9, [rows["risk_code"], rows["need_code"]]
    mean = (rows[column] * weight).groupby(by).sum() / weight.groupby(by).sum()
    keys = pd.MultiIndex.from_frame(cells[["risk", "need"]])
    return cells.assign(predicted=mean.reindex(keys).to_numpy())


def assigned(rows: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """Return what is written: entity, as-of date, grade and segment, and where policies are decided what they say."""
    names = ["entity_id", "as_of_date", "grade_code", "risk_code", "need_code", *POLICY]
    return rows[[n for n in names if n in rows]].assign(segment_code=[f"group {g + 1}" for g in group])
