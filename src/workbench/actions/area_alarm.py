"""Do more customers fall into arrears in one region, or at one employer, than in the rest of the bank?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import engine, metrics
from workbench.actions import early_warning
from workbench.actions.early_warning import Params
from workbench.actions.triggers import NEVER
from workbench.panel.months import number_sql

COLUMNS = ("column", "area", "month_no", "n", "observed", "expected", "variance")
LEAST_MONTHS, LEAST_EXPECTED = 6, 1.0  # of a baseline; events expected in a month, below which an area isn't judged


def watched(months: engine.Relation, account: engine.Relation, rows: pd.DataFrame, p: Params, key: str) -> pd.DataFrame:
    """Return what began and what was expected by area and month (`standardised`), from the first month with a score."""
    early_warning.areas(p).within(engine.columns(account), "actions/early_warning")
    if not p.areas:
        return pd.DataFrame({c: pd.Series([], dtype="str" if c in ("column", "area") else "float") for c in COLUMNS})
    graded = rows[["entity_id", "month_no", "grade_no"]]
    table = counts(months, account, graded, p.start, key, p.areas)
    return standardised(table[table["month_no"] > rows["month_no"].min()])


def counts(
    months: engine.Relation, account: engine.Relation, graded: pd.DataFrame, start: str, key: str, areas: list[str]
) -> pd.DataFrame:
    """Return the begins of arrears by area, month and the grade of the month before.

    Columns: column, area, month_no, grade_no (−1 without a score), n (not in arrears the month before), starts.
    """
    sql = f"""
        WITH m AS (SELECT CAST(entity_id AS VARCHAR) AS entity_id, {number_sql("month")} AS month_no,
            CASE WHEN {start} THEN 1 ELSE 0 END AS late FROM months),
        r AS (SELECT b.entity_id, n.month_no, n.late, coalesce(g.grade_no, -1) AS grade_no
            FROM m b JOIN m n ON n.entity_id = b.entity_id AND n.month_no = b.month_no + 1
            LEFT JOIN graded g ON g.entity_id = b.entity_id AND g.month_no = b.month_no WHERE b.late = 0)
        """
    parts = [
        f"""SELECT '{c}' AS "column", CAST(a.{engine.column(c)} AS VARCHAR) AS area, r.month_no, r.grade_no,
            count(*) AS n, sum(r.late) AS starts FROM r JOIN accounts a ON CAST(a.{key} AS VARCHAR) = r.entity_id
            WHERE a.{engine.column(c)} IS NOT NULL GROUP BY ALL"""
        for c in areas
    ]
    text = f"{sql} {' UNION ALL '.join(parts)} ORDER BY 1, 2, 3, 4"
    out = engine.frame(text, {"months": months, "accounts": account, "graded": graded})
    return out.astype({"n": float, "starts": float})


def standardised(table: pd.DataFrame) -> pd.DataFrame:
    """Return column, area, month_no, n, observed, expected: what the rest of the bank's rates make of its grades.

    `variance` is that of expected, for the rest's rates are estimates. Indirect standardisation by grade, each area
    against all others in the same month, so that neither the bank's own trend nor a riskier mix of customers rings.
    Source: Breslow & Day (1987), Statistical Methods in Cancer Research II.
    """
    cell = ["column", "month_no", "grade_no"]
    whole = table.groupby(cell)[["n", "starts"]].transform("sum")
    rest_n, rest_starts = whole["n"] - table["n"], whole["starts"] - table["starts"]
    month = table.groupby(["column", "month_no"])[["n", "starts"]].transform("sum")
    mean = month["starts"] / month["n"]
    rate = (rest_starts + mean) / (rest_n + 1)
    out = table.assign(expected=table["n"] * rate, variance=table["n"] ** 2 * rate / (rest_n + 1))
    sums = out.rename(columns={"starts": "observed"}).groupby(["column", "area", "month_no"], as_index=False)
    return sums[["n", "observed", "expected", "variance"]].sum()


def alarms(table: pd.DataFrame, months: int, level: float, skipped: tuple[int, int] = NEVER) -> pd.DataFrame:
    """Return the table with ratio, baseline, p_value (Holm's, over all areas of the month) and alarm (True, False).

    An area's own ratio of the `months` before is its baseline, without months in which it rang, so that an alarm
    stands as long as its cause does. NaN where the baseline is short or too little is expected; `skipped`
    months aren't judged.
    """
    wide = table[~table["month_no"].between(*skipped)].copy()
    wide["alarm"], wide["p_value"], wide["baseline"] = False, np.nan, np.nan
    past: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for _, part in wide.groupby("month_no"):
        for i, row in part.iterrows():
            before = past.get((row["column"], row["area"]), [])[-months:]
            seen, stood, variance = (sum(v) for v in zip(*before, strict=True)) if before else (0.0, 0.0, 0.0)
            if len(before) >= LEAST_MONTHS and row["expected"] >= LEAST_EXPECTED:
                wide.at[i, "baseline"] = seen / stood
                unsure = row["variance"] / row["expected"] ** 2 + variance / stood**2
                wide.at[i, "p_value"] = metrics.excess(row["observed"], row["expected"], seen, stood, unsure)
        judged = wide.loc[part.index, "p_value"].dropna()
        adjusted = pd.Series(metrics.holm(judged), index=judged.index)
        wide.loc[adjusted.index, "p_value"] = adjusted
        wide.loc[adjusted.index, "alarm"] = adjusted <= level
        for i, row in part.iterrows():
            if not wide.at[i, "alarm"]:
                past.setdefault((row["column"], row["area"]), []).append(
                    (row["observed"], row["expected"], row["variance"])
                )
    return wide.drop(columns="variance").assign(
        ratio=wide["observed"] / wide["expected"] / wide["baseline"].fillna(1.0).clip(lower=1e-9)
    )
