"""Which events tell that something follows? Customers with the event against customers in the same state without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench import engine
from workbench.panel.months import number_sql
from workbench.params import Columns

PARTS = 10  # quantile bins of a number that is matched on
PLACE = "actions/events"


@dataclass(frozen=True)
class Matching:
    """What follows within `months`, who can have it, and what must be alike in those compared.

    `outcome`, `eligible`: SQL conditions on a customer's month. `on`: columns of the month (their mean over all months
    before the event's, in tenths: the event itself can't have moved them, and a short memory tells habits only in part)
    or of the customer's own row (as they are). The month is always matched on.
    """

    outcome: str
    eligible: str
    on: tuple[str, ...]
    months: int = 3

    @property
    def columns(self) -> Columns:
        """The columns that customers who are compared have in common."""
        return Columns("match_on", self.on, ("core__month", "core__account"))


def states(months: engine.Relation, account: engine.Relation, m: Matching) -> pd.DataFrame:
    """Return one row a customer-month that is eligible and whose months ahead are over, in the state before it.

    Columns: `entity_id`, `month_no`, `stratum` (month and state in one number), `y` (the outcome came within the months
    after), `after` (in which of them, NaN where it didn't). Raises `UserError` for
    a column or condition that isn't there.
    """
    known, static = list(engine.columns(months)), list(engine.columns(account))
    for text, name in ((m.outcome, "outcome"), (m.eligible, "eligible")):
        engine.condition(text, known, f"{PLACE}: {name}")
    m.columns.within((*known, *static), PLACE)
    moving = [c for c in m.on if c in known]
    over = "OVER (PARTITION BY entity_id ORDER BY month_no RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    means = "".join(f", avg(CAST({engine.column(c)} AS DOUBLE)) {over} AS {c}_before" for c in moving)
    ahead = f"RANGE BETWEEN 1 FOLLOWING AND {m.months} FOLLOWING"
    rows = f"""WITH m AS (SELECT *, {number_sql("month")} AS month_no FROM months),
        w AS (SELECT *, min(CASE WHEN {m.outcome} THEN month_no END) OVER (
            PARTITION BY entity_id ORDER BY month_no {ahead}) AS next_no{means} FROM m)
        SELECT entity_id, month_no, next_no - month_no AS after{"".join(f", {c}_before" for c in moving)}
        FROM w WHERE ({m.eligible}) AND month_no <= (SELECT max(month_no) FROM m) - {m.months}"""
    table = engine.arrow(rows, {"months": months})
    bins = [_binned(table, f"{c}_before") for c in moving]
    unmoved = [f"a.{engine.column(c)}" for c in m.on if c not in known]
    key = ", ".join(["r.month_no", *bins, *unmoved])
    return engine.frame(
        f"""SELECT r.entity_id, r.month_no, dense_rank() OVER (ORDER BY {key}) AS stratum,
        CASE WHEN r.after IS NULL THEN 0 ELSE 1 END AS y, r.after
        FROM rows r JOIN account a ON a.entity_id = r.entity_id ORDER BY r.entity_id, r.month_no""",
        {"rows": table, "account": account},
    )


def _binned(table: engine.Relation, column: str) -> str:
    """Return the SQL of a number's bin between its quantiles; no history is a bin of its own."""
    shares = ", ".join(f"{k / PARTS}" for k in range(1, PARTS))
    cuts = engine.frame(f"SELECT quantile_cont({column}, [{shares}]) AS cuts FROM rows", {"rows": table})["cuts"][0]
    above = " + ".join(f"CASE WHEN r.{column} > {c!r} THEN 1 ELSE 0 END" for c in sorted({float(c) for c in cuts}))
    return f"CASE WHEN r.{column} IS NULL THEN -1 ELSE {above} END"


LIFT = f"""WITH x AS (SELECT DISTINCT entity_id, {number_sql("happened_at")} AS month_no, event_kind FROM events),
    e AS (SELECT x.event_kind, s.entity_id, s.stratum, s.y, s.after FROM x
        JOIN states s ON s.entity_id = x.entity_id AND s.month_no = x.month_no),
    t AS (SELECT stratum, count(*) AS n, sum(y) AS k FROM states GROUP BY stratum),
    c AS (SELECT event_kind, stratum, count(*) AS n1, sum(y) AS k1 FROM e GROUP BY event_kind, stratum),
    w AS (SELECT c.event_kind, c.stratum, t.n, c.n1, t.n - c.n1 AS n0, c.k1, t.k - c.k1 AS k0
        FROM c JOIN t ON t.stratum = c.stratum WHERE t.n > c.n1),
    r AS (SELECT event_kind, CAST(sum(n1) AS BIGINT) AS events, CAST(sum(k1) AS BIGINT) AS followed,
        sum(k1 * n0 / n) AS with_it, sum(k0 * n1 / n) AS without, sum(n1 * n0 / n) AS pairs
        FROM w GROUP BY event_kind)"""
# of the difference R − θS, what each customer's rows with an outcome add to it
INFLUENCE = f"""{LIFT},
    one AS (SELECT e.event_kind, e.entity_id, w.n0 / w.n AS u FROM e
        JOIN w ON w.event_kind = e.event_kind AND w.stratum = e.stratum WHERE e.y = 1),
    two AS (SELECT w.event_kind, s.entity_id, -(r.with_it / r.without) * w.n1 / w.n AS u
        FROM states s JOIN w ON w.stratum = s.stratum JOIN r ON r.event_kind = w.event_kind
        LEFT JOIN x ON x.entity_id = s.entity_id AND x.month_no = s.month_no AND x.event_kind = w.event_kind
        WHERE s.y = 1 AND x.entity_id IS NULL AND r.without > 0),
    u AS (SELECT event_kind, entity_id, sum(u) AS u FROM (SELECT * FROM one UNION ALL SELECT * FROM two) b
        GROUP BY event_kind, entity_id)
    SELECT event_kind, sum(u * u) AS square FROM u GROUP BY event_kind ORDER BY event_kind"""
LEAD = f"""{LIFT} SELECT r.*, l.lead_months FROM r LEFT JOIN (
    SELECT event_kind, quantile_cont(after, 0.5) AS lead_months FROM e WHERE y = 1 GROUP BY event_kind) l
    ON l.event_kind = r.event_kind ORDER BY r.event_kind"""


@dataclass(frozen=True)
class Sure:
    """When a kind passes: `fewest` outcomes after it or more, and surely (`fdr`) `material` times or more from 1."""

    fewest: int
    material: float
    fdr: float = 0.05


def lift(events: engine.Relation, table: pd.DataFrame, sure: Sure) -> pd.DataFrame:
    """Return one row a kind of event, the surest first: how often the outcome follows it, against matched customers.

    table: of `states`. Columns: `event_kind`, `events` (customer-months with it that have a match), `followed` (of
    them), `rate`, `rate_without` (the same months' rate if it were that of the matched), `ratio`, `low`, `high` (95 %),
    `p_value` (of a ratio as far from 1 as this, were the true one `material` or its inverse: sure and material in one
    test), `q_value` (Benjamini–Hochberg over the kinds judged), `passes` (q ≤ fdr), `lead_months` (median from the
    event to the outcome). NaN from `ratio` on where fewer than `fewest` outcomes follow, or none without it.

    The ratio is Mantel & Haenszel's over strata, R/S with R = Σ k₁n₀/n and S = Σ k₀n₁/n; its interval comes from what
    each customer adds to R − (R/S)·S, his months together. Not centred within strata: too wide by 1/(1 − rate), never
    too narrow. Source: Greenland & Robins (1985), Biometrics 41; against a least ratio: McCarthy & Smyth (2009),
    Bioinformatics 25(6); Benjamini & Hochberg (1995), JRSS B 57(1).
    """
    relations = {"events": events, "states": table}
    rows = engine.frame(LEAD, relations).merge(engine.frame(INFLUENCE, relations), on="event_kind", how="left")
    judged = (rows["followed"] >= sure.fewest) & (rows["without"] > 0)
    ratio = (rows["with_it"] / rows["without"]).where(judged)
    error = np.sqrt(rows["square"]) / rows["with_it"].where(judged)
    z = stats.norm.ppf(0.975)
    away, least = np.abs(np.log(ratio)), np.log(sure.material)
    p_value = pd.Series(stats.norm.sf((away - least) / error) + stats.norm.sf((away + least) / error), index=rows.index)
    q_value = p_value.copy()
    if judged.any():
        q_value[judged] = stats.false_discovery_control(p_value[judged], method="bh")
    rows = rows.assign(
        rate=rows["followed"] / rows["events"],
        rate_without=rows["followed"] / rows["events"] / ratio,
        ratio=ratio,
        low=ratio * np.exp(-z * error),
        high=ratio * np.exp(z * error),
        p_value=p_value,
        q_value=q_value,
        passes=q_value <= sure.fdr,
    )
    names = ["event_kind", "events", "followed", "rate", "rate_without", "ratio", "low", "high", "p_value", "q_value"]
    return rows.sort_values(["p_value", "event_kind"], ignore_index=True)[[*names, "passes", "lead_months"]]


def counted(events: engine.Relation, rows: pd.DataFrame, kinds: Sequence[str], months: int) -> pd.DataFrame:
    """Return how many events of each kind a customer had in the months up to a date, as the bank knew it then.

    rows: `entity_id`, `as_of_date` (first day of the last month that counts, as in a panel). Counted is what was
    recorded by that month's end: what came in later was not known. One column `n_KIND` a kind, rows in their order.
    """
    sums = ", ".join(f"CAST(count(e.happened_at) FILTER (e.event_kind = '{k}') AS DOUBLE) AS n_{k}" for k in kinds)
    frame = rows[["entity_id", "as_of_date"]].reset_index(drop=True).rename_axis("place").reset_index()
    out = engine.frame(
        f"""SELECT r.place, {sums} FROM rows r LEFT JOIN events e ON e.entity_id = r.entity_id
        AND {number_sql("e.happened_at")} BETWEEN {number_sql("r.as_of_date")} - {months - 1}
            AND {number_sql("r.as_of_date")}
        AND e.recorded_at < date_trunc('month', r.as_of_date) + INTERVAL 1 MONTH
        GROUP BY r.place ORDER BY r.place""",
        {"rows": frame, "events": events},
    )
    return out.drop(columns="place").set_index(rows.index)
