"""Build the panel: entities as of a date, features from before it, outcome from after it, samples by date."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.model_selection import train_test_split

from workbench import params
from workbench.contracts import Column, Contract
from workbench.panel import behaviour
from workbench.panel.months import UNDATED, Months, to_months
from workbench.params import MONTH, UserError

SAMPLES = ("development", "holdout", "monitoring")
LAST = "2999-12"  # later than any month: an open end


class Params(params.Params):
    """Which windows, which outcome, which samples."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="name of the table to write")
    outcome: Literal["recorded", "delay"] = Field("recorded", description="outcome column, or derived from delay")
    as_of_from: str = Field("2005-09", pattern=rf"({MONTH})|^$", description="first as-of month; empty is all")
    as_of_to: str = Field("2005-09", pattern=rf"({MONTH})|^$", description="last as-of month; empty is all")
    observation_months: int = Field(6, ge=1, le=36, description="length of the observation window")
    performance_months: int = Field(1, ge=1, le=36, description="length of the performance window")
    default_delay_months: int = Field(2, ge=1, le=12, description="months past due that are a default")
    development_every_months: int = Field(1, ge=1, le=12, description="as-of months taken into development")
    out_of_time_from: str = Field("", pattern=rf"({MONTH})|^$", description="hold-out is from here on; empty is random")
    monitoring_from: str = Field("", pattern=rf"({MONTH})|^$", description="watched from here on; empty is none")
    holdout_share: float = Field(0.3, gt=0, lt=1, description="share held out where the hold-out is random")
    base_rate: float = Field(
        0.0, ge=0, lt=1, description="true bad rate where the sample is case-control; 0 keeps it as is"
    )
    seed: int = Field(42, ge=0, description="seed of the random hold-out")

    def verify(self) -> None:
        """Raise `UserError` for months that leave no rows."""
        begins = {n: getattr(self, n) for n in ("as_of_from", "out_of_time_from", "monitoring_from")}
        for name, month in begins.items():
            if month and self.as_of_to and month > self.as_of_to:
                raise UserError(f"panel/build: {name} {month} is after as_of_to {self.as_of_to}; no row would be left")
            if month and self.as_of_from and month < self.as_of_from:
                raise UserError(f"panel/build: {name} {month} is before as_of_from {self.as_of_from}")


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return ["core__account", "?core__month"]


def writes(p: Params) -> list[str]:
    """Tables this step writes."""
    return [p.panel]


def build(
    account: pd.DataFrame, contract: Contract, months: pd.DataFrame | None, p: Params
) -> tuple[pd.DataFrame, Contract]:
    """Return the panel and its contract: one row per account and as-of month.

    Columns: entity_id, as_of_date, sample, outcome (1, 0 or NaN where the performance window is
    still open), weight (brings a case-control sample back to the base rate), features, and the
    columns by which fairness is judged (facts, never model inputs).
    """
    static = _static(account, contract)
    if months is None:
        panel, words = _applications(static, account, contract, p)
    else:
        panel, words = _behaviour(static, account, months, contract, p)
    drawn = recorded_outcome(account, contract) if p.outcome == "recorded" else panel["outcome"]
    panel["weight"] = sampling_weight(panel["outcome"], p.base_rate, float(drawn.mean()))
    panel["sample"] = split(panel, p)
    panel = panel[panel["sample"].notna()].reset_index(drop=True)
    columns = [*_frame(contract), *words, *[c for c in contract.columns if _is_static(c)]]
    columns = [c for c in columns if c.role != "feature" or panel[c.name].nunique(dropna=True) > 1]
    return panel[[c.name for c in columns]], contract.replaced(columns, name=p.panel, title=contract.title)


def _frame(contract: Contract) -> list[Column]:
    return [
        Column(name="entity_id", type="text", role="key", description="pseudonym or running number"),
        Column(
            name="as_of_date",
            type="date",
            role="as_of",
            description="features end here, the outcome begins here",
        ),
        Column(name="sample", type="category", role="sample", values={s: s for s in SAMPLES}),
        Column(
            name="outcome",
            type="number",
            role="outcome",
            known="after",
            description=_outcome_words(contract),
        ),
        Column(
            name="weight",
            type="number",
            role="weight",
            description="sampling weight, mean 1 in the population",
        ),
    ]


def _outcome_words(contract: Contract) -> str:
    found = contract.named("outcome")
    return contract[found[0]].description if found else "past due by the default delay in the performance window"


def _is_static(c: Column) -> bool:
    return c.known == "before" and not c.personal and (c.role == "feature" or c.fairness)


def _static(account: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    return account.set_index(contract.one("key"))[[c.name for c in contract.columns if _is_static(c)]]


def recorded_outcome(account: pd.DataFrame, contract: Contract) -> pd.Series:
    """Return the recorded outcome as 1 (bad), 0 (good) or NaN, indexed by account."""
    outcome = account.set_index(contract.one("key"))[contract.one("outcome")]
    bad = contract[contract.one("outcome")].values.get(contract.event_value, contract.event_value)
    if not (outcome == bad).any():
        raise UserError(
            f"contract '{contract.name}': event_value '{contract.event_value}' does not stand in '{outcome.name}'"
        )
    return (outcome == bad).astype(float).where(outcome.notna())


def _applications(
    static: pd.DataFrame, account: pd.DataFrame, contract: Contract, p: Params
) -> tuple[pd.DataFrame, list[Column]]:
    dated = contract.named("as_of")
    as_of = (
        account[dated[0]].to_numpy()
        if dated
        else np.full(len(account), pd.Timestamp(contract.as_of) if contract.as_of else UNDATED, "datetime64[us]")
    )
    panel = static.assign(
        as_of_date=pd.Series(as_of, index=static.index).dt.to_period("M").dt.to_timestamp(),
        outcome=recorded_outcome(account, contract),
    )
    if dated:
        _overlaps(p, panel["as_of_date"].min(), panel["as_of_date"].max())
    inside = (panel["as_of_date"] >= (p.as_of_from or "1900")) & (panel["as_of_date"] <= (p.as_of_to or LAST))
    return panel[inside if dated else slice(None)].rename_axis("entity_id").reset_index(), []


def _overlaps(p: Params, first: pd.Timestamp, last: pd.Timestamp) -> None:
    begins, ends = f"{first:%Y-%m}", f"{last:%Y-%m}"
    if p.as_of_from > ends or begins > (p.as_of_to or LAST):
        raise UserError(
            f"panel/build: nothing lies from {p.as_of_from or 'the first month'} to {p.as_of_to or 'the last'}; "
            f"the data run from {begins} to {ends}: set as_of_from and as_of_to"
        )


def _behaviour(
    static: pd.DataFrame, account: pd.DataFrame, months: pd.DataFrame, contract: Contract, p: Params
) -> tuple[pd.DataFrame, list[Column]]:
    limit = next((c for c in ("limit_amt", "original_amt") if c in account), None)
    grid = to_months(months, account, limit)
    _overlaps(p, grid.months[0], grid.months[-1])
    if p.as_of_to > f"{grid.months[-1]:%Y-%m}":
        raise UserError(f"panel/build: as_of_to {p.as_of_to} is after the data's last month {grid.months[-1]:%Y-%m}")
    recorded = recorded_outcome(account, contract) if p.outcome == "recorded" else None
    parts, words = [], []
    first, last = p.as_of_from or grid.months[p.observation_months - 1], p.as_of_to or grid.months[-1]
    for as_of in pd.period_range(first, last, freq="M").to_timestamp():
        values, words = behaviour.features(grid, as_of, p.observation_months)
        performing = (
            (grid.window(as_of, 1).facts["delay_months"][:, 0] < p.default_delay_months)
            if recorded is None
            else np.full(len(values), True)
        )
        outcome = recorded if recorded is not None else pd.Series(delay_outcome(grid, as_of, p), index=values.index)
        parts.append(values.assign(as_of_date=as_of, outcome=outcome)[performing])
    panel = pd.concat(parts)
    keep = [c for c in static.columns if c not in panel.columns]
    return panel.join(static[keep]).rename_axis("entity_id").reset_index(), [c for c in words if c.name not in keep]


def delay_outcome(grid: Months, as_of: pd.Timestamp, p: Params) -> np.ndarray:
    """Return 1 where the default delay is reached in the performance window, 0 where not, NaN where it is open."""
    after = grid.after(as_of, p.performance_months)
    if after is None:
        return np.full(len(grid.accounts), np.nan)
    return (after["delay_months"] >= p.default_delay_months).any(axis=1).astype(float)


def sampling_weight(outcome: pd.Series, base_rate: float, sample_rate: float) -> pd.Series:
    """Return the weight that brings the file's bad rate from `sample_rate` to `base_rate` (all 1 where that is 0).

    The rates are those of the whole file, in which bads and goods were drawn apart; a part of it, such
    as one year, then has its own true rate.

    Source: King & Zeng (2001), Logistic regression in rare events data, Political Analysis 9(2), eq. 8.
    """
    if not base_rate:
        return pd.Series(1.0, index=outcome.index)
    bad, good = base_rate / sample_rate, (1 - base_rate) / (1 - sample_rate)
    return outcome.map({1.0: bad, 0.0: good}).fillna(1.0)


def split(panel: pd.DataFrame, p: Params) -> pd.Series:
    """Return each row's sample; rows between development's as-of months are in none (NaN).

    Out of time: later months are held out. Otherwise accounts (not rows) are drawn at random,
    stratified by outcome, so that no account stands on both sides.
    """
    month, sample = panel["as_of_date"], pd.Series(None, index=panel.index, dtype="str")
    before = month < p.monitoring_from if p.monitoring_from else pd.Series(True, index=panel.index)
    known = panel["outcome"].notna()
    step = month.dt.year * 12 + month.dt.month
    taken = before & known & ((step - step.min()) % p.development_every_months == 0)
    held = (
        month >= p.out_of_time_from
        if p.out_of_time_from
        else _random_holdout(panel[taken], p).reindex(panel.index, fill_value=False)
    )
    sample[taken & ~held], sample[taken & held] = "development", "holdout"
    sample[~before] = "monitoring"
    return sample


def _random_holdout(rows: pd.DataFrame, p: Params) -> pd.Series:
    worst = rows.groupby("entity_id", sort=True)["outcome"].max()
    _, held = train_test_split(
        worst.index.to_numpy(), test_size=p.holdout_share, random_state=p.seed, stratify=worst.to_numpy()
    )
    return rows["entity_id"].isin(set(held))
