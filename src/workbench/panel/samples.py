"""Development, hold-out and monitoring: cut by date, or drawn by parent, and the weights of a case-control sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold, train_test_split

from workbench import engine
from workbench.contracts.fields import FILE_ROW
from workbench.panel.months import number_sql
from workbench.panel.outcome import UNFOLLOWED
from workbench.params import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from workbench.contracts import Contract
    from workbench.engine import Relation
    from workbench.panel.build import Params

Splits: TypeAlias = "list[tuple[np.ndarray, np.ndarray]]"
SURE = 20  # parents whose outcomes would differ by chance: that none does has a chance of e^-20
SAMPLES = ("development", "holdout", "monitoring")


def both_sides(d: pd.DataFrame, h: pd.DataFrame, column: str = "parent_id") -> set:
    """Return the parents, or the entities, that stand in both samples."""
    return set(d[column]) & set(h[column])


def told_already(d: pd.DataFrame, h: pd.DataFrame) -> set:
    """Return the entities in both samples, or the parents if outcomes of one never differ though by chance they would.

    It is asked where outcomes are recorded: one of them then stands in both. Of two rows of a parent drawn at random
    the outcomes differ with the probability that two of all rows' do.
    """
    if entities := both_sides(d, h, "entity_id"):
        return entities
    parents = both_sides(d, h)
    rows = pd.concat([d, h])[["parent_id", "outcome"]].dropna()
    each = rows[rows["parent_id"].isin(parents)].groupby("parent_id")["outcome"]
    differ = 1 - float((rows["outcome"].value_counts(normalize=True) ** 2).sum())
    is_sure = differ * len(parents) >= SURE and (each.nunique() == 1).all()
    return parents if is_sure else set()


def parent_column(rows: pd.DataFrame) -> str:
    """Return the column whose rows stay together: the parent's, or the entity's own where a panel has no parents."""
    return "parent_id" if "parent_id" in rows else "entity_id"


def whole_folds(y: np.ndarray, parents: np.ndarray, n: int, seed: int, is_binary: bool = True) -> Splits:
    """Return n folds (train, test) of whole parents (n rows), of equal event rate where the outcome y is binary."""
    drawn = {"n_splits": n, "shuffle": True, "random_state": seed}
    if is_binary and not pd.Series(parents).duplicated().any():
        return list(StratifiedKFold(**drawn).split(y, y))  # with groups it takes seconds to place single rows
    split = StratifiedGroupKFold if is_binary else GroupKFold
    return list(split(**drawn).split(y, y, parents))


def parents(rows: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return to whom each of a panel's rows belongs (n): by name, where it is the same in every home, else numbered.

    Folds, bootstraps and sums go by the order of the names; that of pseudonyms is another one under another key.
    """
    column = rows[parent_column(rows)]
    placed = any(c.name == FILE_ROW for c in contract.columns)
    return pd.factorize(column)[0] if placed else column.to_numpy()


def names(rows: pd.DataFrame) -> np.ndarray:
    """Return the parents (m) of a panel's rows, in any order, as they are ordered to be drawn."""
    parent = rows[parent_column(rows)]
    if FILE_ROW in rows:
        return rows[FILE_ROW].groupby(parent).min().sort_values().index.to_numpy()
    return parent.sort_values().unique()


def sql(cohort: Path, p: Params, weighting: tuple[float, float], order: str) -> tuple[str, pd.DataFrame]:
    """Return the rows that stand in a sample, as SQL over `cohort` and `held`, and `held`: the parents held out.

    Out of time, later dates are held out and a parent may stand on both sides, earlier and later. Otherwise parents
    (not rows) are drawn at random, stratified by whether any row of them has the event, so that none stands on both.
    Where the file says the sample itself (`given_sample`), that holds. Rows between development's as-of dates are in no
    sample and fall out. The file's weights (`given_weight`), of mean 1, multiply those of the event. order: the column
    that orders entities; where it isn't their name, parents are drawn in the order of their first.
    """
    columns = engine.columns(cohort)
    before = f"c.as_of_date < {_month(p.monitoring_from)}" if p.monitoring_from else "TRUE"
    row = engine.frame(f"SELECT min({number_sql('as_of_date')}) AS first FROM cohort", {"cohort": cohort})
    if row["first"].isna()[0]:
        raise UserError(
            "panel/build: no row is eligible at any as-of date; look at outcome.eligible, as_of_from, as_of_to"
        )
    turn = f"({number_sql('c.as_of_date')} - {int(row['first'][0])}) % {p.development_every_months} = 0"
    taken = f"{before} AND c.outcome IS NOT NULL AND {turn}"
    held = pd.DataFrame({"parent_id": pd.Series([], dtype="str")})
    if "given_sample" in columns:
        _as_given(cohort, p)
    elif not p.out_of_time_from:
        held = _drawn(cohort, taken, p, order)
    is_held = f"c.as_of_date >= {_month(p.out_of_time_from)}" if p.out_of_time_from else "h.parent_id IS NOT NULL"
    sample = f"""CASE WHEN NOT ({before}) THEN 'monitoring' WHEN {taken} AND {is_held} THEN 'holdout'
                    WHEN {taken} THEN 'development' END"""
    if "given_sample" in columns:
        sample = f"CASE WHEN c.given_sample = 'monitoring' OR ({taken}) THEN c.given_sample END"
    event, other = (f"{w:.17e}" for w in weighting)
    given = f" * c.given_weight / {_mean_weight(cohort):.17e}" if "given_weight" in columns else ""
    return (
        f"""
        SELECT * FROM (
            SELECT c.*,
                {sample} AS sample,
                (CASE WHEN c.outcome = 1e0 THEN {event} WHEN c.outcome = 0e0 THEN {other} ELSE 1e0 END){given} AS weight
            FROM cohort c LEFT JOIN held h ON h.parent_id = c.parent_id
        ) c WHERE c.sample IS NOT NULL""",
        held,
    )


def _as_given(cohort: Path, p: Params) -> None:
    """Raise `UserError` where the file's samples have other names than ours, or parameters cut them, too."""
    if p.out_of_time_from or p.monitoring_from:
        raise UserError(
            "panel/build: the contract's column with the role sample says who is held out and watched; leave "
            "out_of_time_from and monitoring_from empty"
        )
    listed = engine.frame("SELECT DISTINCT given_sample AS name FROM cohort ORDER BY 1", {"cohort": cohort})["name"]
    if odd := [str(n) for n in listed.dropna() if n not in SAMPLES]:
        raise UserError(
            f"panel/build: a row's sample is '{odd[0]}'; let `values` of the contract's column read it as one of "
            f"{', '.join(SAMPLES)}"
        )


def _mean_weight(cohort: Path) -> float:
    """Return the mean of the file's weights; `UserError` where one is missing or not above 0."""
    sql = "SELECT avg(given_weight) AS mean, count(*) - sum(CASE WHEN given_weight > 0e0 THEN 1 ELSE 0 END) AS n"
    row = engine.frame(f"{sql} FROM cohort", {"cohort": cohort})
    if n := int(row["n"][0]):
        raise UserError(f"panel/build: the weight of {n:,} rows is missing or not above 0; give each row its weight")
    return float(row["mean"][0])


def _month(month: str) -> str:
    return f"TIMESTAMP '{month}-01 00:00:00'"


def _drawn(cohort: Path, taken: str, p: Params, order: str) -> pd.DataFrame:
    by = f"min(c.{order})" if order == FILE_ROW else "c.parent_id"
    worst = engine.frame(
        f"SELECT c.parent_id, max(CASE WHEN c.outcome > 0e0 THEN 1 ELSE 0 END) AS worst FROM cohort c WHERE {taken} "
        f"GROUP BY c.parent_id ORDER BY {by}",
        {"cohort": cohort},
    )
    if len(worst) < 2:
        raise UserError(
            "panel/build: fewer than two entities have a known outcome, nothing can be held out; look at "
            "outcome.window_months, which may reach beyond the data, as_of_from and as_of_to"
        )
    stratify = worst["worst"].to_numpy() if worst["worst"].value_counts().min() > 1 else None
    try:
        _, held = train_test_split(
            worst["parent_id"].to_numpy(), test_size=p.holdout_share, random_state=p.seed, stratify=stratify
        )
    except ValueError:  # one side would have no parent, or none of one kind
        raise UserError(
            f"panel/build: holdout_share {p.holdout_share:g} of {len(worst):,} parents leaves too few on one side; "
            "set it nearer to 0.5"
        ) from None
    return pd.DataFrame({"parent_id": sorted(held)}).astype("str")


def weights(base_rate: float, sample_rate: float) -> tuple[float, float]:
    """Return the weights of a row with the event and of one without, which bring the rate back to `base_rate`.

    Both are 1 where `base_rate` is 0; `UserError` where it isn't and one kind has no row to weigh. `sample_rate` is
    that of the whole file, in which both kinds were drawn apart; a part of it, such as one year, then has its own true
    rate.

    Source: King & Zeng (2001), Logistic regression in rare events data, Political Analysis 9(2), eq. 8.
    """
    if not base_rate:
        return 1.0, 1.0
    if not 0 < sample_rate < 1:
        often = "every row has" if sample_rate else "no row has"
        raise UserError(
            f"panel/build: base_rate {base_rate:g} needs rows with the event and rows without, and {often} it; "
            "look at the outcome, or leave base_rate at 0"
        )
    return base_rate / sample_rate, (1 - base_rate) / (1 - sample_rate)


@dataclass(frozen=True)
class Waterfall:
    """How many entities there are, and how many are in no sample, each counted at the first thing it lacks.

    undated: without a row on an as-of date. ineligible: with rows, none of them eligible. unknown: eligible, without a
    known outcome. unused: with a known outcome, on dates that no sample takes. without_event: of rows, by sample, how
    many count as without the event, and how many of these stop within the window; empty where no months tell it.
    months_unseen: there are months, and none before a row's own date.
    """

    entities: int
    undated: int = 0
    ineligible: int = 0
    unknown: int = 0
    unused: int = 0
    without_event: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    months_unseen: bool = False


def waterfall(dated_sql: str, relations: Mapping[str, Relation], folder: Path) -> Waterfall:
    """Count entities in no sample, from the accounts to `cohort.parquet` and `sampled.parquet` in the folder.

    dated_sql: names the entities with a row on an as-of date, over `relations`; empty where each of them is eligible.
    """
    cohort, sampled = folder / "cohort.parquet", folder / "sampled.parquet"
    entities = _counted("SELECT count(*) AS n FROM accounts", {"accounts": relations["accounts"]})
    eligible = _counted("SELECT count(DISTINCT entity_id) AS n FROM cohort", {"cohort": cohort})
    dated = _counted(f"SELECT count(*) AS n FROM ({dated_sql}) d", relations) if dated_sql else eligible
    sql = """
        SELECT count(*) AS n, coalesce(sum(known), 0) AS known FROM (
            SELECT entity_id, max(CASE WHEN outcome IS NULL THEN 0 ELSE 1 END) AS known FROM cohort GROUP BY entity_id
        ) c LEFT JOIN (SELECT DISTINCT entity_id AS taken FROM sampled) s ON s.taken = c.entity_id
        WHERE s.taken IS NULL"""
    row = engine.frame(sql, {"cohort": cohort, "sampled": sampled})
    outside, unused = int(row["n"][0]), int(row["known"][0])
    return Waterfall(entities, entities - dated, dated - eligible, outside - unused, unused, _without_event(sampled))


def _without_event(sampled: Path) -> dict[str, tuple[int, int]]:
    """Count rows without the event by sample, and those of them that were not followed to the end of the window."""
    if UNFOLLOWED not in engine.columns(sampled):
        return {}
    sql = f"""SELECT "sample", count({UNFOLLOWED}) AS n, coalesce(sum({UNFOLLOWED}), 0) AS stopped
        FROM sampled GROUP BY "sample" """
    counts = engine.frame(sql, {"sampled": sampled})
    return {str(row.sample): (int(row.n), int(row.stopped)) for row in counts.itertuples()}


def _counted(sql: str, relations: Mapping[str, Relation]) -> int:
    return int(engine.frame(sql, relations)["n"][0])
