"""Decide on customers by risk grade and need: each cell gets its policy, and the policies' effect is reckoned."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import metrics, params
from workbench.contracts import Contract
from workbench.customers import policies
from workbench.evidence import Evidence, Verdict
from workbench.panel.describe import book, effective
from workbench.params import UserError

MATERIAL = 1.25


class Params(params.Params):
    """How groups are found and decided, and what each gets."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel of the customers")
    scores: str = Field("mart__scores_pd", pattern=r"^mart__[a-z0-9_]+$", description="scores of the same rows")
    k_from: int = Field(2, ge=2, le=10, description="fewest groups tried")
    k_to: int = Field(7, ge=3, le=12, description="most groups tried")
    resamples: int = Field(10, ge=3, le=100, description="resamples by which stability is judged")
    max_rows: int = Field(5000, ge=500, description="rows the groups are found on")
    risk_bands: list[float] = Field([0.10, 0.20, 0.40], description="PDs at which medium, high and very high begin")
    as_of: str = Field("2026-06-30", pattern=r"^\d{4}-\d{2}-\d{2}$", description="date at which policies are valid")
    policies: list[dict[str, Any]] = Field(list(policies.DEFAULT), description="policies, one row per risk and need")
    loss_given_default: float = Field(0.6, ge=0, le=1, description="part of the exposure lost in default")
    present_rate: float = Field(0.14, ge=0, le=0.6, description="interest everybody pays as it is")
    seed: int = Field(42, ge=0, description="seed of resamples and groups")

    def verify(self) -> None:
        """Raise `UserError` for bands that don't rise and for a policy row that can't be read."""
        bands = self.risk_bands
        if len(bands) != 3 or any(a >= b for a, b in pairwise([0, *bands, 1])):
            raise UserError(f"customers/segments: risk_bands {bands}: give three PDs that rise, between 0 and 1")
        if self.k_from > self.k_to:
            raise UserError(f"customers/segments: k_from {self.k_from} is above k_to {self.k_to}")
        policies.complete(policies.table(self.policies, self.as_of))


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return [p.panel, p.scores]


def writes(p: Params) -> list[str]:
    """Tables this step writes: one row per customer with group, risk band, need and policy."""
    return ["mart__segments"]


def population(panel: pd.DataFrame, scores: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return the customers that are grouped: the book (`panel.describe.book`) with its PDs."""
    return book(panel).merge(
        scores[["entity_id", "as_of_date", "pd", "grade_code"]],
        on=["entity_id", "as_of_date"],
        validate="one_to_one",
    )


def risk_band(pd_: pd.Series, p: Params) -> np.ndarray:
    """Return the risk band of each PD: low, medium, high, very_high."""
    return np.array(policies.BANDS)[np.searchsorted(p.risk_bands, pd_, side="right")]


def need(rows: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return what each customer needs credit for, by behaviour.

    Lines of credit: `stretched` from nine tenths of the limit, `transactor` where bills are paid in
    full or little is used, `revolver` otherwise. Where there is no utilisation: `small` or `large` by the
    median of the amount.
    """
    if {"limit_amt", "utilisation_rate", "payment_ratio_rate"} <= set(rows):
        used, paid = rows["utilisation_rate"], rows["payment_ratio_rate"].fillna(1)
        return np.select([used >= 0.9, (paid >= 0.95) | (used < 0.1)], ["stretched", "transactor"], "revolver")
    amount = rows[exposure_column(rows, contract)]
    return np.where(amount > amount.median(), "large", "small")


def exposure_column(rows: pd.DataFrame, contract: Contract) -> str:
    """Return the column that holds the exposure: the first amount of aspect `size`."""
    sizes = [c.name for c in contract.columns if c.aspect == "size" and c.name.endswith("_amt") and c.name in rows]
    amounts = sizes or [c.name for c in contract.columns if c.name.endswith("_amt") and c.name in rows]
    return amounts[0]


def decided(rows: pd.DataFrame, contract: Contract, p: Params) -> pd.DataFrame:
    """Return the customers with risk band, need and what their cell's policy says."""
    table = policies.table(p.policies, p.as_of)
    out = rows.assign(risk_code=risk_band(rows["pd"], p), need_code=need(rows, contract))
    cells = {c: policies.lookup(table, *c) for c in sorted(set(zip(out["risk_code"], out["need_code"], strict=True)))}
    chosen = [cells[c] for c in zip(out["risk_code"], out["need_code"], strict=True)]
    for name in ("lane", "interest_rate", "limit_multiple", "collateral"):
        out[name] = [getattr(c, name) for c in chosen]
    return out.assign(exposure_amt=out[exposure_column(out, contract)].fillna(0).clip(lower=0))


def matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell of risk and need: rows, share, default rate with interval on the hold-out, PD, policy."""
    held, out = rows[rows["sample"] == "holdout"], []
    for (risk, want), part in rows.groupby(["risk_code", "need_code"]):
        tested = held[(held["risk_code"] == risk) & (held["need_code"] == want)]
        bad, n = effective(tested["outcome"], tested["weight"]) if len(tested) else (np.nan, 0)
        rate = (bad / n, *metrics.rate_interval(bad, n)) if n else (np.nan,) * 3
        weight = part["weight"]
        first = part.iloc[0]
        out.append(
            (
                risk,
                want,
                len(part),
                weight.sum() / rows["weight"].sum(),
                *rate,
                np.average(part["pd"], weights=weight),
                (part["exposure_amt"] * weight).sum(),
                first["lane"],
                first["interest_rate"],
                first["limit_multiple"],
                bool(first["collateral"]),
            )
        )
    names = [
        "risk",
        "need",
        "rows",
        "share",
        "default rate",
        "low",
        "high",
        "pd",
        "exposure_amt",
        "lane",
        "interest_rate",
        "limit_multiple",
        "collateral",
    ]
    found = pd.DataFrame(out, columns=names)
    return found.sort_values(
        "risk", key=lambda s: s.map({b: i for i, b in enumerate(policies.BANDS)}), kind="stable"
    ).reset_index(drop=True)


def cells_evidence(cells: pd.DataFrame) -> Evidence:
    """Return the cells, amber where a cell's PD is off the hold-out's rate by a quarter and beyond its interval."""
    off = cells[(cells["pd"] < cells["low"]) | (cells["pd"] > cells["high"])]
    ratio = off["default rate"] / off["pd"]
    off = off[(ratio > MATERIAL) | (ratio < 1 / MATERIAL)]
    named = ", ".join(f"{r.risk} {r.need} (PD {r.pd:.1%}, observed {r[5]:.1%})" for r in off.itertuples())
    said = f"in {len(off)} the PD is off the hold-out's rate: {named}." if len(off) else "the PD holds in all of them."
    return Evidence(
        key="cells",
        question="What does each cell get, and is its PD right?",
        verdict=Verdict.amber if len(off) else Verdict.green,
        answer=f"{len(cells)} cells of risk and need; {said}",
        value=len(off),
        threshold=f"amber where PD and observed rate differ by {MATERIAL - 1:.0%} and the 95 % "
        "interval leaves the PD out "
        "(convention)",
        source="Jeffreys' interval: Brown, Cai & DasGupta (2001)",
        table=cells,
    )


def policy_effect(rows: pd.DataFrame, cells: pd.DataFrame, p: Params, currency: str = "") -> Evidence:
    """Return what the policies do to volume, expected loss and income, against everybody at one price.

    Amounts are of the rows as they stand in the file (weighted where it is case-control), in `currency`.
    """
    loss = policies.effect(_exposure_weighted(rows, cells), p.loss_given_default, p.present_rate)
    sums = {
        n: (float(loss[f"{n}_before"].sum()), float(loss[f"{n}_after"].sum())) for n in ("volume", "loss", "income")
    }
    sums["income after loss"] = tuple(i - v for i, v in zip(sums["income"], sums["loss"], strict=True))
    table = pd.DataFrame(
        [(n, a, b, b / a - 1 if a else np.nan) for n, (a, b) in sums.items()],
        columns=["what", "as is", "with policies", "change"],
    )
    change = table.set_index("what")["change"]
    gain = sums["income after loss"][1] - sums["income after loss"][0]
    answer = (
        f"Volume {change['volume']:+.1%}, expected loss {change['loss']:+.1%}, income {change['income']:+.1%}; "
        f"income after loss {gain:+,.0f}{f' {currency}' if currency else ''} a year, "
        f"{_gain_as_observed(cells, p):+,.0f} at the rates the hold-out showed. "
        "Assumed: nobody leaves or defaults more because of price or limit, collateral changes no loss."
    )
    return Evidence(
        key="policy_effect",
        question="What do the policies do to volume, loss and income?",
        verdict=Verdict.green if gain > 0 else Verdict.amber,
        answer=answer,
        value=gain,
        threshold="income after expected loss should rise",
        source=f"PD × LGD × exposure, LGD {p.loss_given_default:.0%} (study file)",
        table=table,
    )


def _gain_as_observed(cells: pd.DataFrame, p: Params) -> float:
    rates = cells.assign(pd=cells["default rate"].fillna(cells["pd"]))
    made = policies.effect(rates, p.loss_given_default, p.present_rate)
    after, before = ((made[f"income_{w}"] - made[f"loss_{w}"]).sum() for w in ("after", "before"))
    return float(after - before)


def _exposure_weighted(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with the PD weighted by exposure: money, not heads, is lost."""
    weight, by = rows["exposure_amt"] * rows["weight"] + 1e-9, [rows["risk_code"], rows["need_code"]]
    mean = (rows["pd"] * weight).groupby(by).sum() / weight.groupby(by).sum()
    keys = pd.MultiIndex.from_frame(cells[["risk", "need"]])
    return cells.assign(pd=mean.reindex(keys).to_numpy())


def kept(rows: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """Return what is written: entity_id, as_of_date, segment, risk, need and policy."""
    columns: list[Any] = [
        "entity_id",
        "as_of_date",
        "risk_code",
        "need_code",
        "lane",
        "interest_rate",
        "limit_multiple",
        "collateral",
    ]
    return rows[columns].assign(segment_code=[f"group {g + 1}" for g in group])
