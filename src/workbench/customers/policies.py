"""Policies: what a group of customers gets (price band, approval lane, limit, collateral), as a table with an owner."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.params import UserError, mistake

BANDS = ("low", "medium", "high", "very_high")


class Policy(BaseModel):
    """What one cell of grade × need gets, from a date on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    risk: Literal["low", "medium", "high", "very_high"]
    need: str = Field(description="need the policy is for; * is every need")
    lane: Literal["automatic", "manual", "decline"]
    interest_rate: float = Field(ge=0, le=0.6, description="price band, per year")
    limit_multiple: float = Field(1.0, ge=0, le=5, description="new exposure over present")
    collateral: bool = False
    valid_from: str = Field("2026-01-01", pattern=r"^\d{4}-\d{2}-\d{2}$")
    owner: str = "credit policy"


DEFAULT = (
    {"risk": "low", "need": "*", "lane": "automatic", "interest_rate": 0.10, "limit_multiple": 1.2},
    {"risk": "medium", "need": "*", "lane": "automatic", "interest_rate": 0.14, "limit_multiple": 1.0},
    {"risk": "high", "need": "*", "lane": "manual", "interest_rate": 0.18, "limit_multiple": 0.7},
    {
        "risk": "very_high",
        "need": "*",
        "lane": "decline",
        "interest_rate": 0.18,
        "limit_multiple": 0.0,
        "collateral": True,
    },
)


def table(rows: list[dict[str, Any]], as_of: str) -> list[Policy]:
    """Return the policies of a study that are valid at a date; `UserError` names the row and the mistake."""
    out = []
    for i, row in enumerate(rows, 1):
        try:
            out.append(Policy(**row))
        except ValidationError as e:
            where, words = mistake(e, Policy)
            raise UserError(f"customers/segments: policies row {i}: {where or 'row'}: {words}") from None
    return [p for p in out if p.valid_from <= as_of]


def complete(policies: list[Policy]) -> None:
    """Raise `UserError` where a band of risk has no policy at all."""
    if lost := [band for band in BANDS if band not in {p.risk for p in policies}]:
        raise UserError(f"customers/segments: policies: no row for risk '{lost[0]}'; add one (need: * is every need)")


def lookup(policies: list[Policy], risk: str, need: str) -> Policy:
    """Return the policy of a cell: the one for its need before the one for every need, the latest first.

    Raises `UserError` where the table leaves the cell out.
    """
    fitting = [p for p in policies if p.risk == risk and p.need in (need, "*")]
    if not fitting:
        raise UserError(
            f"customers/segments: policies: no row for risk '{risk}', need '{need}'; add one (need: * is every need)"
        )
    return max(fitting, key=lambda p: (p.need == need, p.valid_from))


def effect(cells: pd.DataFrame, loss_given_default: float, present_rate: float) -> pd.DataFrame:
    """Return volume, expected loss and income of each cell, as is and under its policy.

    cells: exposure_amt, predicted (PD, 0-1), lane, interest_rate, limit_multiple. As is: everyone keeps the present
    exposure at one price. Expected loss = PD · LGD · exposure; income = rate · exposure · (1 − PD), a year.
    Source: Basel Committee (2005), An explanatory note on the Basel II IRB risk weight functions, section 4.
    """
    taken = (cells["lane"] != "decline") * cells["limit_multiple"]
    out = cells.assign(volume_before=cells["exposure_amt"], volume_after=cells["exposure_amt"] * taken)
    for when, rate in (("before", present_rate), ("after", cells["interest_rate"])):
        out[f"loss_{when}"] = cells["predicted"] * loss_given_default * out[f"volume_{when}"]
        out[f"income_{when}"] = rate * out[f"volume_{when}"] * (1 - cells["predicted"])
    return out
