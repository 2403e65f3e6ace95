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
        m = int(actual.sum())
        value, *_, critical, _ = drift.compared(expected, actual, m, rules)
        light = Verdict.green if value <= critical else judged(value, rules["psi"])
        out.append((period, value, names[int(actual.argmax())], actual.max() / m, critical, str(light), period))
    return pd.DataFrame(out, columns=columns)


def _mix(model: Scorer, rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return how often each input is the first reason."""
    parts = model.contributions(rows).reindex(columns=names)
    against = parts - pd.Series(model.facts.get("mean_contributions", {})).reindex(names).fillna(0.0)
    return np.bincount(against.to_numpy(float).argmax(axis=1), minlength=len(names)).astype(float)


def fairness(
    rows: pd.DataFrame, development: pd.DataFrame, contract: Contract, adverse: bool, rules: Rules
) -> pd.DataFrame:
    """Return the share selected of every marked group over the most favoured one's, by period, against development.

    Selected are rows on the favoured side of development's median prediction. A light needs a ratio below the rule
    that is surely lower than it was in development (Holm among the groups of a period): a book that shifts as a whole
    moves every share, and no ratio. p is one-sided, of the difference of the two ratios' logarithms.
    Columns: period, group, rows, selected, ratio, ratio_before, p, light, known_in; empty where no group is marked.
    Source: Katz et al. (1978), Biometrics 34(3), for the error of the logarithm of a ratio of shares.
    """
    names = ["period", "group", "rows", "selected", "ratio", "ratio_before", "p", "light", "known_in"]
    marked = [c.name for c in contract.columns if c.fairness and c.name in rows]
    if not marked or development.empty:
        return pd.DataFrame(columns=names)
    cut = float(development["predicted"].median())
    before = _ratios(development.assign(period=""), marked, cut, adverse, rules).set_index("group")
    table = _ratios(rows, marked, cut, adverse, rules)
    table = table[table["group"].isin(before.index)].reset_index(drop=True)
    table["ratio_before"] = table["group"].map(before["ratio"])
    error = np.sqrt(table["spread"] + table["group"].map(before["spread"]))
    table["p"] = stats.norm.cdf((np.log(table["ratio"]) - np.log(table["ratio_before"])) / error)
    worse = table.groupby("period")["p"].transform(metrics.holm) < 1 - rules.number("psi_level")
    lights = [str(judged(r, rules["fairness"])) for r in table["ratio"]]
    return table.assign(light=np.where(worse, lights, str(Verdict.green)), known_in=table["period"])[names]


def _ratios(rows: pd.DataFrame, marked: list[str], cut: float, adverse: bool, rules: Rules) -> pd.DataFrame:
    """Return period, group, rows, selected, ratio of every group large enough to judge, and what its log varies by."""
    selected = rows["predicted"] <= cut if adverse else rows["predicted"] >= cut
    parts = []
    for name in marked:
        group = grouped(rows[name])
        by = selected.groupby([rows["period"], group]).agg(["size", "mean"]).set_axis(["rows", "selected"], axis=1)
        by = by.rename_axis(["period", "group"]).reset_index()
        by = by[(by["group"] != NO_GROUP) & (by["rows"] >= rules.number("least_group_rows"))]
        by["selected"] = by["selected"].clip(lower=0.5 / by["rows"])  # of a group with none, half a row
        by["variance"] = (1 - by["selected"]) / (by["selected"] * by["rows"])
        most = by.loc[by.groupby("period")["selected"].idxmax()].set_index("period")
        ratio = by["selected"] / by["period"].map(most["selected"])
        spread = by["variance"] + by["period"].map(most["variance"])
        parts.append(by.assign(ratio=ratio, spread=spread, group=name + ": " + by["group"].astype(str)))
    return pd.concat(parts, ignore_index=True)


def overrides(rows: pd.DataFrame, column: str, rules: Rules) -> pd.DataFrame:
    """Return the share of decisions overridden by a person, by period; `column` as `panel.overrides` reads it.

    Columns: period, share, rows, light, known_in; empty where no column is named.
    """
    if not column:
        return pd.DataFrame(columns=["period", "share", "rows", "light", "known_in"])
    by = overridden(rows, column).groupby(rows["period"]).agg(["mean", "count"]).set_axis(["share", "rows"], axis=1)
    table = by.reset_index()
    return table.assign(light=[str(judged(v, rules["overrides"])) for v in table["share"]], known_in=table["period"])


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
