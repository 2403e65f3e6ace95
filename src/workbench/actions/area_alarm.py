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
_COUNTED = ("observed", "expected", "variance")
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
    places, counted = list(zip(wide["column"], wide["area"], strict=True)), wide[list(_COUNTED)].to_numpy(float)
    alarm, p_value, baseline = np.zeros(len(wide), bool), np.full(len(wide), np.nan), np.full(len(wide), np.nan)
    past: dict[tuple[str, str], list[np.ndarray]] = {}
    for _, month in sorted(wide.groupby("month_no").indices.items()):
        for i in month:
            observed, expected, variance = counted[i]
            before = past.get(places[i], [])[-months:]
            if len(before) >= LEAST_MONTHS and expected >= LEAST_EXPECTED:
                seen, stood, uncertain = (sum(v) for v in zip(*before, strict=True))
                baseline[i] = seen / stood
                unsure = variance / expected**2 + uncertain / stood**2
                p_value[i] = metrics.excess(observed, expected, seen, stood, unsure)
        judged = month[~np.isnan(p_value[month])]
        p_value[judged] = metrics.holm(p_value[judged])
        alarm[judged] = p_value[judged] <= level
        for i in month[~alarm[month]]:
            past.setdefault(places[i], []).append(counted[i])
    wide = wide.assign(alarm=alarm, p_value=p_value, baseline=baseline)
    return wide.drop(columns="variance").assign(
        ratio=wide["observed"] / wide["expected"] / wide["baseline"].fillna(1.0).clip(lower=1e-9)
    )
