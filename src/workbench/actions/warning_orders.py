"""How many flags are right and how many events are flagged by score, triggers, and both, by as many flags."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.contracts import Outcome
from workbench.evidence import Evidence, Verdict
from workbench.words import Text, say

ORDERS = ("score", "triggers", "both")
SHARES = (0.01, 0.05, 0.10)  # of the customers, at which the gains are read
_COLUMNS = {"score": "predicted", "both": "priority"}


def compared(watched: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return precision and recall, with 95 % intervals, of as many flags a month as the list has, by three orders.

    `both` is the list itself. Customers are resampled as a whole. Only months whose window is over.
    """
    rows = watched[watched["known"]]
    flags, event, out = _flags(rows), rows["event"].to_numpy(), []
    for name in ORDERS:
        flagged = flags[name].to_numpy(float)
        matters = (flagged > 0) | (event > 0)
        arrays, people = (flagged[matters], event[matters]), rows["entity_id"][matters]
        row = {"order": name, "flags": int(flagged.sum())}
        for measure in (metrics.precision, metrics.recall):
            value, label = measure(*arrays), measure.__name__
            low, high = (np.nan, np.nan)
            if np.isfinite(value):
                low, high = metrics.bootstrap_interval(measure, arrays, people, seed)
            row |= {label: value, f"{label}_low": low, f"{label}_high": high}
        out.append(row)
    return pd.DataFrame(out)


def _flags(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return who is flagged (bool, n) by each of the orders, as many a month as the list has."""
    size = rows.groupby("month_no")["flagged"].transform("sum")
    return {
        "score": _first(rows, ["predicted"]) <= size,
        "triggers": (_first(rows, ["n_triggers", "priority"]) <= size) & (rows["n_triggers"] > 0),
        "both": rows["flagged"] > 0,
    }


def _beyond_score(rows: pd.DataFrame, seed: int) -> Text:
    """Return whether score and triggers together catch more than the score alone, by as many flags a month.

    The difference of the two precisions with its 95 % interval, customers resampled as a whole, in percentage points.
    """
    flags, event = _flags(rows), rows["event"].to_numpy()
    arrays = (flags["both"].to_numpy(float), flags["score"].to_numpy(float), event)
    both, score = (metrics.precision(flagged, event) for flagged in arrays[:2])
    if not np.isfinite([both, score]).all() or not event.sum():
        return Text()
    matters = np.any(arrays, axis=0)
    low, high = metrics.bootstrap_interval(
        lambda b, s, e: metrics.precision(b, e) - metrics.precision(s, e),
        tuple(a[matters] for a in arrays),
        rows["entity_id"][matters],
        seed,
    )
    facts = {"both": both, "score": score, "points": 100 * (both - score), "least": 100 * low, "most": 100 * high}
    if low > 0:
        return say(
            "Score and triggers together catch more than the score alone by as many flags: {both:.2%} of the flags are "
            "right against {score:.2%} ({points:+.2f} percentage points, {least:+.2f} to {most:+.2f}).",
            **facts,
        )
    if high < 0:
        return say(
            "Score and triggers together catch less than the score alone by as many flags: {both:.2%} of the flags are "
            "right against {score:.2%} ({points:+.2f} percentage points, {least:+.2f} to {most:+.2f}).",
            **facts,
        )
    return say(
        "Score and triggers together don't demonstrably catch more or less than the score alone by as many "
        "flags: {both:.2%} of the flags are right against {score:.2%} ({points:+.2f} percentage points, "
        "{least:+.2f} to {most:+.2f}).",
        **facts,
    )


def _first(rows: pd.DataFrame, by: list[str]) -> pd.Series:
    order = rows.sort_values([*by, "entity_id"], ascending=[*(False for _ in by), True], kind="stable")
    return (order.groupby("month_no").cumcount() + 1).reindex(rows.index)


def caught(watched: pd.DataFrame, outcome: Outcome, seed: int) -> Evidence:
    """Return how many of the flagged had the event and how many of the events were flagged, by three orders."""
    table = compared(watched, seed)
    both, rows = table.set_index("order").loc["both"], watched[watched["known"]]
    months, base = rows["month_no"].nunique(), float(rows["event"].mean())
    return Evidence(
        key="caught",
        question=say("How many of the flags are right, and how many {events} are flagged?", events=outcome.events),
        verdict=Verdict.not_evaluated if not rows["event"].sum() else Verdict.info,
        answer=say(
            "{flags:,.0f} flags a month: of the flagged {precision:.1%} ({precision_low:.1%} to {precision_high:.1%}) "
            "have the event within {window: months}, {lift:.1f} times the book's {base:.2%}. Of the "
            "customers' months with the event ahead {recall:.1%} ({recall_low:.1%} to {recall_high:.1%}) were flagged: "
            "each month counts, not only the first flag.",
            flags=both["flags"] / max(months, 1),
            window=outcome.window_months,
            base=base,
            lift=both["precision"] / base if base else np.nan,
            **{n: float(both[n]) for n in table.columns if n.startswith(("precision", "recall"))},
        )
        + _beyond_score(rows, seed),
        value=float(both["recall"]),
        threshold=say("{months: months} whose window is over; customers resampled as a whole", months=months),
        table=table,
    )


def gains(watched: pd.DataFrame) -> pd.DataFrame:
    """Return, for shares of the customers from 0 to 1, the share of events caught by score and by both."""
    rows = watched[watched["known"]]
    shares = np.unique(np.concatenate([np.linspace(0, 0.2, 41), np.linspace(0.2, 1, 33), SHARES]))
    by = {name: metrics.gains(rows[column], rows["event"], shares) for name, column in _COLUMNS.items()}
    return pd.DataFrame({"share": shares, **by})
