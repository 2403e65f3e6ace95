"""The panel in tables: its samples, its outcome rates by date, its features."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.panel.build import SAMPLES
from workbench.panel.months import in_words

LEAST_DEFAULTS, MATERIAL = 30, 1.25


def samples(panel: pd.DataFrame, accounts: int) -> Evidence:
    """Return sizes, outcome rates and dates of the samples, and how many of all `accounts` are in none.

    Red where one to learn from has too few defaults, amber where the hold-out defaults at another rate.
    """
    rows = []
    for name in [s for s in SAMPLES if (panel["sample"] == s).any()]:
        part = panel[panel["sample"] == name]
        known = part[part["outcome"].notna()]
        rows.append(
            {
                "sample": name,
                "rows": len(part),
                "accounts": part["entity_id"].nunique(),
                "first as-of": in_words(part["as_of_date"].min()),
                "last as-of": in_words(part["as_of_date"].max()),
                "defaults": int(known["outcome"].sum()),
                "default rate": np.average(known["outcome"], weights=known["weight"]) if len(known) else np.nan,
                "outcome still open": len(part) - len(known),
            }
        )
    table = pd.DataFrame(rows)
    least = int(table.loc[table["sample"] != "monitoring", "defaults"].min())
    answer = "; ".join(f"{r['sample']}: {r['rows']:,} rows, default rate {r['default rate']:.2%}" for r in rows) + "."
    left_out, apart = accounts - panel["entity_id"].nunique(), _apart(panel)
    if left_out:
        answer += f" {left_out:,} of {accounts:,} accounts are in none: outside the dates, or in default before."
    if apart:
        answer += " The hold-out's default rate is another one: PDs learnt on development will be off there."
    return Evidence(
        key="samples",
        question="Which rows is the model built on, tested on and watched on?",
        verdict=Verdict.red if least < LEAST_DEFAULTS else Verdict.amber if apart else Verdict.green,
        answer=answer,
        value=least,
        threshold=f"red below {LEAST_DEFAULTS} defaults in development or hold-out; amber where "
        "their rates differ by a quarter "
        "and their 95 % intervals don't meet (convention)",
        table=table,
    )


def _apart(panel: pd.DataFrame) -> bool:
    """Say whether development and hold-out default at rates that differ by a quarter and beyond chance."""
    ends = []
    for name in ("development", "holdout"):
        part = panel[(panel["sample"] == name) & panel["outcome"].notna()]
        bad, n = effective(part["outcome"], part["weight"])
        ends.append((bad / n, *metrics.rate_interval(bad, n)))
    (low, _, low_ends), (high, high_begins, _) = sorted(ends)
    return high > MATERIAL * low and high_begins > low_ends


def book(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by which customers are described: before monitoring, outcome known, each account once.

    Where accounts stand in the panel at several dates, that is the book of the last of them. Every account's
    own last row would not do: accounts leave the book by default above all, and their last row is the bad one.
    """
    known = panel[(panel["sample"] != "monitoring") & panel["outcome"].notna()]
    if known["entity_id"].duplicated().any():
        known = known[known["as_of_date"] == known["as_of_date"].max()]
    return known.reset_index(drop=True)


def effective(outcome: pd.Series, weight: pd.Series) -> tuple[float, float]:
    """Return bads and size of the plain sample whose rate would be as certain as this weighted one.

    n = p(1 − p)(Σw)² / Σw²(y − p)²; all rows where weights are equal. Kish's (Σw)²/Σw² is used only where
    all outcomes are alike: it holds for weights that don't depend on the outcome, and case-control weights do.
    Source: Kish (1965), Survey Sampling, ch. 8 (design effect), variance of a ratio as in Cochran (1977), ch. 6.
    """
    y, w = np.asarray(outcome, float), np.asarray(weight, float)
    p = float(np.average(y, weights=w))
    spread = float((w**2 * (y - p) ** 2).sum())
    n = p * (1 - p) * w.sum() ** 2 / spread if spread > 0 else w.sum() ** 2 / (w**2).sum()
    return p * float(n), float(n)


def rates(panel: pd.DataFrame) -> pd.DataFrame:
    """Return as_of_date, sample, n, bad, rate, low, high (95 %, Jeffreys) where the outcome is known."""
    known, rows = panel[panel["outcome"].notna()], []
    for (month, name), part in known.groupby(["as_of_date", "sample"]):
        bad, n = effective(part["outcome"], part["weight"])
        rows.append((month, name, len(part), bad / n * len(part), bad / n, *metrics.rate_interval(bad, n)))
    return pd.DataFrame(rows, columns=["as_of_date", "sample", "n", "bad", "rate", "low", "high"])


def base_rate(panel: pd.DataFrame, rate: float) -> Evidence:
    """Return whether the rows are a case-control sample, and what was done about it."""
    known = panel[panel["outcome"].notna()]
    raw, weighted = known["outcome"].mean(), np.average(known["outcome"], weights=known["weight"])
    if rate:
        answer = (
            f"The file is a case-control sample: {raw:.1%} of these rows are bad. Every rate and PD from here on is "
            f"weighted back to the true base rate of {rate:.1%} of the whole file ({weighted:.1%} in these rows)."
        )
    else:
        answer = f"The rows are taken as they are: {raw:.1%} are bad, and every row counts once."
    return Evidence(
        key="base_rate",
        question="Does the bad rate of the file stand for the bank's?",
        verdict=Verdict.amber if rate else Verdict.info,
        answer=answer,
        value=float(weighted),
        source="King & Zeng (2001), Political Analysis 9(2), eq. 8",
    )


def features(panel: pd.DataFrame, contract: Contract) -> Evidence:
    """Return one row per feature: meaning, direction of risk, missing share, median, 5th and 95th percentile."""
    learn, rows = panel[panel["sample"] == "development"], []
    for c in contract.features():
        values = learn[c.name]
        numbers = pd.to_numeric(values, errors="coerce") if c.type in ("number", "integer") else None
        low, middle, high = numbers.quantile([0.05, 0.5, 0.95]) if numbers is not None else (None,) * 3
        direction = {1: "rises", -1: "falls", 0: "free"}[c.monotone]
        rows.append((c.name, c.description, c.aspect, direction, values.isna().mean(), low, middle, high))
    names = ["feature", "description", "aspect", "risk", "missing", "p5", "median", "p95"]
    table = pd.DataFrame(rows, columns=names)
    emptiest = table.loc[table["missing"].idxmax()]
    answer = f"{len(table)} features; {emptiest.feature} is missing most often ({emptiest.missing:.1%})."
    return Evidence(
        key="features",
        question="What does the model get to know?",
        verdict=Verdict.info,
        answer=answer,
        value=float(len(table)),
        table=table,
    )
