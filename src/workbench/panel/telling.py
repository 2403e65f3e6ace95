"""Values that tell the outcome by themselves: where the event never comes, or always, though others were expected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench import metrics
from workbench.contracts import Outcome
from workbench.panel.bins import MISSING, Bins, is_category, quantile_bins
from workbench.rules import Rules
from workbench.words import Text, say

PARTS = 20  # of a number: bins of about equal size, and each value that holds more than a 20th of the rows
NONE_SEEN = 2.5  # events: where Jeffreys' 95 % interval ends above none of many, Beta(½, n + ½)
COLUMNS = ["feature", "telling_value", "rows_with_it", "events_with_it", "events_expected"]


def values(X: pd.DataFrame, y: np.ndarray, whose: np.ndarray, limits: Rules) -> pd.DataFrame:
    """Return a row for every value or bin that tells the outcome: of which column, and how many events are among it.

    Those whose events are farthest from what the overall rate has them come first.

    X: n × k, y: n values 1 or 0, whose: n, the parent of each row. `events_expected` is the rows' at the overall rate.
    A value tells it where the upper end of Jeffreys' 95 % interval for the share of the event (or of its absence) lies
    below the rule's part of the overall one, which takes 50 expected for none seen: far out of the reach of chance.
    Rows of one parent are no trials of their own: a value has as many as it has parents. What is missing is a value.
    """
    most, rate = limits.number("leak_value"), float(y.mean())
    rows = [row for name in X.columns for row in _of_column(X[name], y, whose) if _tells(*row[2:], rate, most)]
    table = pd.DataFrame([row[:-1] for row in rows], columns=COLUMNS[:-1])
    table = table.assign(events_expected=table["rows_with_it"].astype(float) * rate)
    far_off = (table["events_expected"] - table["events_with_it"]).abs()
    return table.loc[far_off.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _of_column(column: pd.Series, y: np.ndarray, whose: np.ndarray) -> list[tuple[str, str, int, int, int]]:
    """Return name, value, rows, events and parents of every value of a category, or of every bin of a number."""
    if is_category(column):
        column = column.astype("object").where(column.notna()).map(str, na_action="ignore")
    else:
        column = pd.Series(column.to_numpy(float, na_value=np.nan), name=column.name)
    bins = quantile_bins(column, PARTS)
    codes = bins.codes(column)
    rows, events = np.bincount(codes, minlength=bins.size), np.bincount(codes, y, bins.size)
    parents = np.bincount(pd.DataFrame({"code": codes, "whose": whose}).drop_duplicates()["code"], minlength=bins.size)
    counts = zip(_labels(bins, column, codes), rows, events, parents, strict=True)
    return [(str(column.name), label, int(n), int(e), int(p)) for label, n, e, p in counts if n]


def _labels(bins: Bins, column: pd.Series, codes: np.ndarray) -> list[str]:
    """Return the bins' names; of a number's bin that holds one value alone that value."""
    labels = bins.labels
    if not is_category(column):
        each = column.groupby(codes).agg(["min", "max"])
        for code, value in each.loc[each["min"] == each["max"], "min"].items():
            labels[code] = f"{value:,.6g}"
    return labels


def _tells(rows: int, events: int, parents: int, rate: float, most: float) -> bool:
    share = events / rows
    never, always = (
        metrics.rate_interval(seen * parents, parents)[1] < most * usual
        for seen, usual in ((share, rate), (1 - share, 1 - rate))
    )
    return bool(never or always)


def sure(telltale: pd.DataFrame, n: int, limits: Rules) -> set[str]:
    """Return the columns that give the outcome away beyond doubt: values with it and values without hold most rows.

    n: how many rows there are. Values without the event alone prove nothing, however many rows they hold: who has no
    loan can't default, and the months of who paid off all of them hold half of an honest panel.
    """
    both = telltale.assign(is_event=telltale["events_with_it"] > telltale["events_expected"]).groupby("feature")
    is_sure = (both["is_event"].nunique() == 2) & (both["rows_with_it"].sum() >= limits.number("leak_rows") * n)
    return set(is_sure.index[is_sure])


def in_words(telltale: pd.DataFrame, outcome: Outcome) -> Text:
    """Return `values` in words; nothing where there is none."""
    each = [_one(row, outcome) for row in telltale.to_dict("records")]
    return say("Told by a value alone: {each}.", each=each) if each else Text()


def _one(row: dict[str, Any], outcome: Outcome) -> Text:
    return say(
        "{column}, {rows:, rows} with {value}: {observed:,.0f} {events}, {expected:,.0f} at the overall rate",
        column=row["feature"],
        value=say("no value") if row["telling_value"] == MISSING else row["telling_value"],
        rows=int(row["rows_with_it"]),
        observed=row["events_with_it"],
        events=outcome.events,
        expected=row["events_expected"],
    )


def rule(limits: Rules) -> Text:
    """Return the rule in words."""
    return say(
        "Amber, too: a value or a 20th of a column whose rows (or parents) surely have less than {share:.0%} of the "
        "overall rate of the event, or of its absence (upper end of Jeffreys' 95 % interval; none seen takes "
        "{least:,.0f} expected); refused where such values, with the event and without, hold {rows:.0%} of the rows.",
        share=limits.number("leak_value"),
        least=NONE_SEEN / limits.number("leak_value"),
        rows=limits.number("leak_rows"),
    )
