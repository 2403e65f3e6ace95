"""How the model is used and what it does to people, by period: reasons given, groups selected, overrides, migration."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.contracts import Contract
from workbench.evidence import Verdict, judged
from workbench.models.scorer import Scorer
from workbench.monitoring import drift
from workbench.panel.overrides import overridden
from workbench.panel.protected import NO_GROUP, grouped
from workbench.rules import Rules
from workbench.words.names import WITHIN

ROWS = 2_000  # of a period whose reasons are worked out


def reasons(model: Scorer, rows: pd.DataFrame, development: pd.DataFrame, rules: Rules, seed: int) -> pd.DataFrame:
    """Return how far the mix of first reasons has moved by period: PSI of which input speaks most against a row.

    Columns: period, psi, top (the most frequent reason), share, critical, light, known_in; empty where the model
    doesn't explain. At most `ROWS` rows a period are looked at.
    """
    columns = ["period", "psi", "top", "share", "critical", "light", "known_in"]
    if not model.explains or development.empty:
        return pd.DataFrame(columns=columns)
    names = list(model.features)
    expected = _mix(model, drift.sampled(development, ROWS, seed), names)
    out = []
    for period, part in rows.groupby("period"):
        actual = _mix(model, drift.sampled(part, ROWS, seed), names)
        sizes = [max(int(v.sum() * drift.parents_per_row(r)), 1) for v, r in ((expected, development), (actual, part))]
        value, *_, critical, _ = drift.compared(expected, actual, (sizes[0], sizes[1]), rules)
        light = Verdict.green if value <= critical else judged(value, rules["psi"])
        top, share = names[int(actual.argmax())], actual.max() / actual.sum()
        out.append((period, value, top, share, critical, str(light), period))
    return pd.DataFrame(out, columns=columns)


def _mix(model: Scorer, rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return how often each input is the first reason: what raises an adverse prediction most, lowers another."""
    parts = model.contributions(rows).reindex(columns=names)
    raises = parts - pd.Series(model.facts.get("mean_contributions", {})).reindex(names).fillna(0.0)
    against = raises if model.outcome.direction == "adverse" else -raises
    return np.bincount(against.to_numpy(float).argmax(axis=1), minlength=len(names)).astype(float)


def fairness(
    rows: pd.DataFrame, development: pd.DataFrame, contract: Contract, adverse: bool, rules: Rules
) -> pd.DataFrame:
    """Return the share selected of every marked group over the most favoured one's, by period, against development.

    Selected are rows on the favoured side of development's weighted median prediction; quarters of a marked number are
    development's. The most favoured group holds the rule's least share of a period's rows. A light needs a ratio below
    the rule that is surely lower than it was in development (Holm among the groups of a period): a book that shifts as
    a whole moves every share, and no ratio. p is one-sided, of the difference of the two ratios' logarithms, and takes
    a parent's rows as one draw.
    Columns: period, group, rows, selected, ratio, ratio_before, p, light, known_in; empty where no group is marked.
    Source: Katz et al. (1978), Biometrics 34(3), for the error of the logarithm of a ratio of shares.
    """
    names = ["period", "group", "rows", "selected", "ratio", "ratio_before", "p", "light", "known_in"]
    marked = [c.name for c in contract.columns if c.fairness and c.name in rows]
    if not marked or development.empty:
        return pd.DataFrame(columns=names)
    cut = metrics.weighted_median(development["predicted"], development["weight"])
    groups = [
        pd.DataFrame({n: grouped(r[n], development[n], called=contract[n].description) for n in marked})
        for r in (development, rows)
    ]
    selected = [(r["predicted"] <= cut if adverse else r["predicted"] >= cut) for r in (development, rows)]
    before = _ratios(development.assign(period="", selected=selected[0]), groups[0], rules).set_index("group")
    table = _ratios(rows.assign(selected=selected[1]), groups[1], rules)
    table = table[table["group"].isin(before.index)].reset_index(drop=True)
    table["ratio_before"] = table["group"].map(before["ratio"])
    error = np.sqrt(table["spread"] + table["group"].map(before["spread"]))
    table["p"] = stats.norm.cdf((np.log(table["ratio"]) - np.log(table["ratio_before"])) / error)
    worse = table.groupby("period")["p"].transform(metrics.holm) < 1 - rules.number("psi_level")
    lights = [str(judged(r, rules["fairness"])) for r in table["ratio"]]
    return table.assign(light=np.where(worse, lights, str(Verdict.green)), known_in=table["period"])[names]


def _ratios(rows: pd.DataFrame, groups: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return period, group, rows, selected, ratio of every group large enough to judge, and what its log varies by."""
    weighed = rows.assign(selected=rows["selected"] * rows["weight"])
    sizes, parts = rows.groupby("period").size(), []
    for name in groups:
        each = weighed.groupby(["period", groups[name].rename("group")])
        by = each.agg(rows=("weight", "size"), n=("parent_id", "nunique")).reset_index()
        by["selected"] = (each["selected"].sum() / each["weight"].sum()).to_numpy()
        by = by[(by["group"] != NO_GROUP) & (by["rows"] >= rules.number("least_group_rows"))]
        by["selected"] = by["selected"].clip(lower=0.5 / by["n"])  # of a group with none, half a parent
        by["variance"] = (1 - by["selected"]) / (by["selected"] * by["n"])
        large = by[by["rows"] >= rules.number("least_group_share") * by["period"].map(sizes)]
        most = large.loc[large.groupby("period")["selected"].idxmax()].set_index("period")
        by = by[by["period"].isin(most.index)]
        ratio = by["selected"] / by["period"].map(most["selected"])
        spread = by["variance"] + by["period"].map(most["variance"])
        parts.append(by.assign(ratio=ratio, spread=spread, group=name + WITHIN + by["group"].astype(str)))
    return pd.concat(parts, ignore_index=True)


def overrides(rows: pd.DataFrame, column: str, rules: Rules) -> pd.DataFrame:
    """Return the share of decisions overridden by a person, by period; `column` as `panel.overrides` reads it.

    A light needs a share that is surely above the rule's amber: Jeffreys' interval, by decision.
    Columns: period, share, rows, light, known_in; empty where no column is named.
    """
    if not column:
        return pd.DataFrame(columns=["period", "share", "rows", "light", "known_in"])
    by = overridden(rows, column).groupby(rows["period"]).agg(["mean", "count"]).set_axis(["share", "rows"], axis=1)
    table, rule = by[by["rows"] > 0].reset_index(), rules["overrides"]
    level = rules.number("interval_level")
    sure = [metrics.rate_interval(r.share * r.rows, r.rows, level)[0] >= rule.amber for r in table.itertuples()]
    lights = [str(judged(v, rule) if s else Verdict.green) for v, s in zip(table["share"], sure, strict=True)]
    return table.assign(light=lights, known_in=table["period"])


def migration(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how customers moved between grades from one period to the next, as shares of the later one's customers.

    `rows`: period, parent_id, as_of_date, grade_code (A is the best). Columns: period, better, same, worse, new; the
    last row of a customer in a period counts.
    """
    last = rows.sort_values("as_of_date", kind="stable").drop_duplicates(["period", "parent_id"], keep="last")
    grade = pd.Series(pd.factorize(last["grade_code"], sort=True)[0], index=last.index)
    periods, out = sorted(last["period"].unique()), []
    by = {p: pd.Series(grade[part.index].to_numpy(), index=part["parent_id"]) for p, part in last.groupby("period")}
    for before, period in pairwise(periods):
        step = (by[period] - by[before].reindex(by[period].index)).dropna()
        n = len(by[period])
        shares = ((step < 0).sum() / n, (step == 0).sum() / n, (step > 0).sum() / n, 1 - len(step) / n)
        out.append((period, *map(float, shares)))
    return pd.DataFrame(out, columns=["period", "better", "same", "worse", "new"])
