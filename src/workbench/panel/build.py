"""Build the panel: entities as of a date, features from before it, outcome from after it, samples by date or parent."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from workbench import engine, params, tables
from workbench.contracts import Column, Contract, Outcome
from workbench.contracts.fields import FILE_ROW
from workbench.panel import features, samples
from workbench.panel import outcome as outcomes
from workbench.panel.cohort import Facts, cohort, refuse_repeated
from workbench.panel.months import UNDATED, in_words, number_sql
from workbench.panel.outcome import recorded_outcome
from workbench.params import MONTH, Columns, UserError
from workbench.words import has
from workbench.words import names as column_names

__all__ = [
    "UNDATED",
    "Made",
    "Params",
    "build",
    "make",
    "make_from",
    "panel_sql",
    "reads",
    "recorded_outcome",
    "stage",
    "writes",
]

FRAME = ("entity_id", "parent_id", "as_of_date", "sample", "outcome", "weight")
PART_ROWS = 1_000_000  # of the panel, computed at a time: what is open in memory doesn't grow with the bank
_BEGINS = re.compile(r"^(origination|opened|open|start|booking)_(month|date)$")


class Params(params.Params):
    """Which dates and windows, which outcome, which samples."""

    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="name of the table to write")
    outcome: dict[str, Any] = Field({}, description="fields of the outcome that differ from the contract's")
    as_of_from: str = Field("", pattern=rf"({MONTH})|^$", description="first as-of month; empty is all")
    as_of_to: str = Field("", pattern=rf"({MONTH})|^$", description="last as-of month; empty is all")
    observation_months: int = Field(6, ge=1, le=36, description="length of the observation window")
    development_every_months: int = Field(1, ge=1, le=12, description="as-of months taken into development")
    out_of_time_from: str = Field("", pattern=rf"({MONTH})|^$", description="hold-out is from here on; empty is random")
    monitoring_from: str = Field("", pattern=rf"({MONTH})|^$", description="watched from here on; empty is none")
    holdout_share: float = Field(0.3, gt=0, lt=1, description="share held out where the hold-out is random")
    base_rate: float = Field(
        0.0, ge=0, lt=1, description="true rate of the event where the sample is case-control; 0 keeps it as is"
    )
    seed: int = Field(42, ge=0, description="seed of the random hold-out")

    def verify(self) -> None:
        """Raise `UserError` for months that leave no rows, and for an outcome that can't be computed."""
        begins = {n: getattr(self, n) for n in ("as_of_from", "out_of_time_from", "monitoring_from")}
        for name, month in begins.items():
            if month and self.as_of_to and month > self.as_of_to:
                raise UserError(f"panel/build: {name} {month} is after as_of_to {self.as_of_to}; no row would be left")
            if month and self.as_of_from and month < self.as_of_from:
                raise UserError(f"panel/build: {name} {month} is before as_of_from {self.as_of_from}")
            if name != "as_of_from" and month and month == self.as_of_from:
                raise UserError(f"panel/build: {name} {month} is as_of_from; no row would be left to develop on")
        if self.monitoring_from and self.out_of_time_from >= self.monitoring_from:
            raise UserError(
                f"panel/build: out_of_time_from {self.out_of_time_from} is not before monitoring_from "
                f"{self.monitoring_from}; no row would be held out"
            )
        outcomes.checked(self.outcome)


@dataclass(frozen=True)
class Made:
    """A panel as made: its Parquet file, its contract, and the SQL texts it was made with, in order."""

    path: Path
    contract: Contract
    rows: int
    waterfall: samples.Waterfall
    sql: Mapping[str, str]

    @property
    def sql_file(self) -> Path:
        """The SQL texts, laid out for reading, as a file beside the panel."""
        return self.path.with_suffix(".sql")

    @property
    def lineage(self) -> str:
        """The SQL texts, laid out for reading."""
        return "\n\n".join(f"-- {name}\n{engine.lineage(text)};" for name, text in self.sql.items()) + "\n"


def reads(p: Params) -> list[str]:
    """Tables this step reads."""
    return ["core__account", "?core__month"]


def columns(p: Params) -> list[Columns]:
    """Columns that the outcome's conditions name, held against the contracts before a kernel starts."""
    return outcomes.columns(p.outcome)


def of_contract(p: Params, contract: Contract, has_months: bool) -> list[Columns]:
    """Columns that the contract's conditions name; `UserError` where it can't give the outcome that is asked for."""
    asked = outcomes.resolved(p.outcome, contract)
    if not asked.event and not contract.named("outcome"):
        raise UserError(
            f"panel/build: outcome: no column of contract '{contract.name}' has the role outcome; give it to one, or "
            "write an `event` of the months with its `window_months`"
        )
    if not asked.event:
        contract.replaced(contract.columns, outcome=asked).with_outcome()
    if has_months:
        refuse_repeated(contract, asked, p.as_of_from, p.as_of_to)
    return outcomes.columns({n: v for n, v in asked.model_dump().items() if n not in p.outcome})


def writes(p: Params) -> list[str]:
    """Tables this step writes."""
    return [p.panel]


def make(p: Params) -> Made:
    """Make the panel of the study's core tables, in a folder of its own until `stage` takes it."""
    has_months = "core__month" in tables.names(p.key)
    months = (tables.scan(p.key, "core__month"), tables.contract(p.key, "core__month")) if has_months else ()
    account = (tables.scan(p.key, "core__account"), tables.contract(p.key, "core__account"))
    made = make_from(Facts(*account, *months), p)
    column_names.learn_columns(made.contract.columns)
    return made


def stage(made: Made, p: Params) -> str:
    """Hand the panel over as a table of the study and return its digest; its SQL stays in `made.sql_file`."""
    return tables.stage(p.key, p.panel, made.path, made.contract, made.rows)


def build(
    account: pd.DataFrame,
    contract: Contract,
    months: pd.DataFrame | None,
    p: Params,
    month_contract: Contract | None = None,
) -> tuple[pd.DataFrame, Contract]:
    """Return the panel and its contract: one row an entity and as-of date, for tables that memory holds.

    Columns: entity_id, parent_id (splits, folds and bootstraps go by it), as_of_date, sample, outcome (0, 1 or NaN
    where the window is still open; or the amount or rate), weight (brings a case-control sample back to the base
    rate), features, and the columns by which fairness is judged (facts, never model inputs).
    """
    made = make_from(Facts(account, contract, months, month_contract), p)
    try:
        return pd.read_parquet(made.path, columns=[c.name for c in made.contract.columns]), made.contract
    finally:
        shutil.rmtree(made.path.parent, ignore_errors=True)


def make_from(facts: Facts, p: Params) -> Made:
    """Make the panel of these facts: its rows, their samples, then features for the rows that stand in a sample."""
    resolved, folder = outcomes.resolved(p.outcome, facts.contract), engine.scratch()
    try:
        rows = cohort(facts, resolved, p.as_of_from, p.as_of_to, p.observation_months)
        sources = {**facts.relations, "calendar": rows.calendar}
        engine.write(rows.sql, sources, folder / "cohort.parquet", facts.order, "snappy")
        _once(folder / "cohort.parquet")
        rate = _rate(facts, resolved, folder / "cohort.parquet", p)
        chosen, held = samples.sql(folder / "cohort.parquet", p, samples.weights(p.base_rate, rate), facts.order[0])
        relations = {"cohort": folder / "cohort.parquet", "held": held}
        n = engine.write(chosen, relations, folder / "sampled.parquet", facts.order, "snappy")
        _some(n, resolved)
        _some_to_learn_from(folder / "sampled.parquet", p)
        reached = samples.waterfall(rows.dated_sql, sources, folder)
        text, words = panel_sql(facts, p.observation_months, resolved)
        columns = [*_frame(facts.contract, resolved), *_place(facts), *words]
        parts = tuple(_written(text, facts, folder, n))
        columns = _varying(columns, parts)
        reached = replace(reached, months_unseen=_unseen(facts, resolved, columns, p.observation_months))
        _joined(parts, columns, folder, facts.order)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    whole = facts.contract.replaced(columns, name=p.panel, title=facts.contract.title, outcome=resolved)
    texts = {"cohort": rows.sql, "samples": chosen, "panel": text}
    made = Made(folder / "panel.parquet", whole, n, reached, texts)
    made.sql_file.write_text(made.lineage)
    return made


def _some(n: int, outcome: Outcome) -> None:
    """Raise `UserError` where no row stands in a sample."""
    if n:
        return
    window = f"; a window of {outcome.window_months} months may reach beyond the data" if outcome.window_months else ""
    raise UserError(
        f"panel/build: no row has a known outcome{window}; look at outcome.window_months, as_of_from, as_of_to"
    )


def _some_to_learn_from(sampled: Path, p: Params) -> None:
    """Raise `UserError` where every row is held out or watched."""
    learnt = "sum(CASE WHEN \"sample\" = 'development' THEN 1 ELSE 0 END)"
    row = engine.frame(f"SELECT min(as_of_date) AS first, {learnt} AS n FROM sampled", {"sampled": sampled}).iloc[0]
    if not row["n"]:
        name = next((n for n in ("out_of_time_from", "monitoring_from") if getattr(p, n)), "")
        if not name:
            raise UserError(
                "panel/build: the file's column with the role sample leaves no row to develop on; let some be "
                "development"
            )
        raise UserError(
            f"panel/build: {name} {getattr(p, name)} leaves no row to develop on; the first with a known outcome is as "
            f"of {in_words(pd.Timestamp(row['first']))}"
        )


def _once(cohort_file: Path) -> None:
    """Raise `UserError` where an entity stands twice on one date: its months, or its key, do."""
    sql = "SELECT entity_id, as_of_date FROM cohort GROUP BY entity_id, as_of_date HAVING count(*) > 1"
    twice = engine.frame(f"SELECT * FROM ({sql}) twice ORDER BY entity_id, as_of_date LIMIT 1", {"cohort": cohort_file})
    if len(twice):
        raise UserError(
            f"panel/build: an entity stands twice as of {in_words(twice['as_of_date'][0])}; core__account needs one "
            "row an entity and core__month one an entity and month: name the key that tells the rows apart"
        )


def _rate(facts: Facts, resolved: Outcome, cohort_file: Path, p: Params) -> float:
    """Return the share of the event in the whole file, from which a case-control sample is weighted back."""
    if not resolved.is_binary:
        if p.base_rate:
            raise UserError("panel/build: base_rate is of an event; leave it at 0 for an amount or a rate")
        return 0.0
    weighted, of_row = facts.contract.named("weight"), "1e0"
    if resolved.event:
        of_row = "given_weight" if weighted else of_row
        rows, relations = f"SELECT outcome, {of_row} AS weight FROM cohort", {"cohort": cohort_file}
    else:
        of_row = f"CAST(a.{engine.column(weighted[0])} AS DOUBLE)" if weighted else of_row
        recorded = outcomes.recorded_sql(facts.contract, resolved)
        rows, relations = f"SELECT {recorded} AS outcome, {of_row} AS weight FROM accounts a", facts.relations
    sql = f"SELECT sum(outcome * weight) / sum(weight) AS rate FROM ({rows}) r WHERE outcome IS NOT NULL"
    rate = float(engine.frame(sql, relations)["rate"].fillna(0.0)[0])
    if not rate and not resolved.event:
        name, value = facts.contract.one("outcome"), facts.contract.event_value
        raise UserError(f"contract '{facts.contract.name}': event_value '{value}' does not stand in '{name}'")
    return rate


def _frame(contract: Contract, resolved: Outcome) -> list[Column]:
    return [
        Column(name="entity_id", type="text", role="key", description="pseudonym or running number"),
        Column(name="parent_id", type="text", role="parent", description="whose it is; samples are drawn by it"),
        Column(name="as_of_date", type="date", role="as_of", description="features end here, the outcome begins here"),
        Column(name="sample", type="category", role="sample", values={s: s for s in samples.SAMPLES}),
        Column(
            name="outcome",
            type="number",
            role="outcome",
            known="after",
            description=_outcome_words(contract, resolved),
            unit="month" if resolved.kind == "time" else "",
        ),
        Column(name="weight", type="number", role="weight", description="sampling weight, mean 1 in the population"),
        *([_event_after()] if outcomes.is_dated(resolved) else []),
    ]


def _place(facts: Facts) -> list[Column]:
    return [c for c in facts.contract.columns if c.name == FILE_ROW]


def _event_after() -> Column:
    words = "months from the as-of date to the event; empty where it doesn't come in the window"
    return Column(
        name=outcomes.EVENT_AFTER, type="number", role="ignore", known="after", description=words, unit="month"
    )


def _outcome_words(contract: Contract, resolved: Outcome) -> str:
    if resolved.event:
        until = "months until " if resolved.kind == "time" else ""
        return f"{until}{resolved.words.event} within {resolved.window_months} months"
    return contract[contract.one("outcome")].description


def _is_static(c: Column, facts: Facts) -> bool:
    known = c.known == "before" and c.name not in facts.refused and not c.personal
    return c.role == "override" or (known and (c.role == "feature" or c.fairness))


def _unseen(facts: Facts, outcome: Outcome, columns: list[Column], months: int) -> bool:
    """Say whether months are known and none of them before an entity's own date, so that no feature is made of them."""
    if facts.months is None or facts.by_calendar(outcome):
        return False
    return not {f.name for f in features.catalogue(window(facts, months))} & {c.name for c in columns}


def window(facts: Facts, months: int) -> features.Window:
    """Return what there is to make features from: facts of the months, the limit, the date the entity began."""
    columns = facts.contract.columns
    late = {*facts.refused, *(c.name for c in columns if c.dated_by)}
    usable = [c for c in columns if c.known == "before" and c.name not in late and not c.personal]
    names = [c.name for c in usable]
    words = facts.month_contract.columns if facts.month_contract else ()
    return features.Window(
        facts={n: t not in ("VARCHAR", "BLOB") for n, t in facts.month_columns.items()},
        months=months,
        limit=next((n for n in ("limit_amt", "original_amt") if n in names), ""),
        begins=next((c.name for c in usable if c.type == "date" and _BEGINS.match(c.name)), ""),
        units={c.name: c.unit for c in words},
        words={c.name: _named(c.description) for c in words},
        aspects={c.name: c.aspect for c in words if c.aspect != "basics"},
        directions={c.name: c.monotone for c in words if c.monotone},
    )


def _named(description: str) -> str:
    """Return what a fact is called among the features made from it: its description, without what is in brackets."""
    name = description.partition(" (")[0]
    return name if has(name) else description


def panel_sql(facts: Facts, observation_months: int, outcome: Outcome) -> tuple[str, list[Column]]:
    """Return the SQL of the panel over `sampled`, `accounts` and `months`, and the words of its columns."""
    dated, by_calendar = (outcomes.EVENT_AFTER,) if outcomes.is_dated(outcome) else (), facts.by_calendar(outcome)
    w = window(facts, observation_months) if facts.months is not None else None
    made = [] if w is None else features.catalogue(w)
    static = [c for c in facts.contract.columns if _is_static(c, facts) and c.name not in (*FRAME, *dated)]
    _apart([*(f.name for f in made), *(c.name for c in static)])
    chosen = (
        [f"s.{c}" for c in (*FRAME, *dated, *(c.name for c in _place(facts)))]
        + [f"{f.sql} AS {f.name}" for f in made]
        + [_since_known(c, by_calendar) for c in static]
    )
    joined = "LEFT JOIN w ON w.entity_id = s.entity_id AND w.as_of_date = s.as_of_date" if made else ""
    head = f"WITH {', '.join(_window_sql(w, [f.sql for f in made]))}" if made else ""
    key, dated_by = facts.contract.one("key"), facts.contract.named("as_of") if by_calendar else []
    known = f" AND {_is_known(dated_by[0], by_calendar)}" if dated_by else ""
    text = f"""{head}
        SELECT {", ".join(chosen)} FROM sampled s {joined}
            LEFT JOIN accounts a ON CAST(a.{key} AS VARCHAR) = s.entity_id{known}"""
    return text, [*(f.column() for f in made), *(c.model_copy(update={"dated_by": ""}) for c in static)]


def _apart(names: list[str]) -> None:
    """Raise `UserError` where two columns of the panel would have one name."""
    if twice := next((n for n, times in Counter(names).items() if times > 1), ""):
        raise UserError(
            f"panel/build: two columns would be called '{twice}', as a feature made from the months is; give the "
            f"contract's column another name (name: {twice}_given)"
        )


def _since_known(c: Column, by_calendar: bool) -> str:
    """Return a column of the entity's own row as SQL: nothing before the day since which it is known."""
    name = engine.column(c.name)
    if not c.dated_by:
        return f"a.{name}"
    return f"CASE WHEN {_is_known(c.dated_by, by_calendar)} THEN a.{name} END AS {name}"


def _is_known(date: str, by_calendar: bool) -> str:
    """Return the SQL condition that a day isn't after the as-of date; a month of a calendar stands for its end."""
    day = f"a.{engine.column(date)}"
    return f"{number_sql(day)} <= s.anchor" if by_calendar else f"{day} <= s.as_of_date"


def _window_sql(w: features.Window, expressions: Iterable[str]) -> list[str]:
    """Return `m`, the months with their number, and `w`, one row an entity and date with every value in its place."""
    used = set(re.findall(r"\bw\.(\w+)_(\d+)\b", " ".join(expressions)))
    pairs = [(f, k) for f in w.facts for k in range(w.months) if (f, str(k)) in used]
    facts = [f for f in w.facts if f in {f for f, _ in pairs}]
    named = {f: engine.column(f) for f in facts}
    typed = [f"CAST({n} AS DOUBLE) AS {n}" if w.facts[f] else n for f, n in named.items()]
    placed = [f"max(CASE WHEN s.anchor - m.month_no = {k} THEN m.{named[f]} END) AS {f}_{k}" for f, k in pairs]
    months = ["CAST(entity_id AS VARCHAR) AS entity_id", f"{number_sql('month')} AS month_no", *typed]
    return [
        f"m AS (SELECT {', '.join(months)} FROM months)",
        f"""w AS (
            SELECT {", ".join(["s.entity_id", "s.as_of_date", *placed])}
            FROM sampled s JOIN m ON m.entity_id = s.entity_id
                AND m.month_no <= s.anchor AND m.month_no > s.anchor - {w.months}
            GROUP BY s.entity_id, s.as_of_date)""",
    ]


def _written(text: str, facts: Facts, folder: Path, rows: int) -> Iterator[Path]:
    """Write the panel in parts of whole entities, in their order, each with the same SQL over its rows and months."""
    sampled = folder / "sampled.parquet"
    for number, (low, high) in enumerate(_ranges(sampled, rows)):
        relations = {**facts.relations, "sampled": sampled}
        if low is not None:
            relations["sampled"] = engine.Part(sampled, "entity_id", low, high)
            if isinstance(facts.months, Path):
                relations["months"] = engine.Part(facts.months, "entity_id", low, high)
        part = folder / f"part_{number:04d}.parquet"
        engine.write(text, relations, part, facts.order, "zstd" if low is None else "snappy")
        yield part


def _ranges(sampled: Path, rows: int) -> list[tuple[str | None, str | None]]:
    n = -(-rows // PART_ROWS)
    if n < 2:
        return [(None, None)]
    sql = f"""SELECT min(entity_id) AS low, max(entity_id) AS high FROM (
        SELECT entity_id, ntile({n}) OVER (ORDER BY entity_id) AS part FROM (SELECT DISTINCT entity_id FROM sampled)
        ) GROUP BY part ORDER BY part"""
    return list(engine.frame(sql, {"sampled": sampled}).itertuples(index=False, name=None))


def _varying(columns: list[Column], parts: tuple[Path, ...]) -> list[Column]:
    """Return the columns without features that hold one value in every row, or none; one in some rows is a flag."""
    names = [c.name for c in columns if c.role == "feature"]
    if not names:
        return columns
    asked = ", ".join(
        f"min({c}) < max({c}) OR count({c}) BETWEEN 1 AND count(*) - 1 AS {c}" for c in map(engine.column, names)
    )
    varies = engine.frame(f"SELECT {asked} FROM parts", {"parts": parts}).iloc[0]
    return [c for c in columns if c.role != "feature" or bool(pd.notna(varies[c.name]) and varies[c.name])]


def _joined(parts: tuple[Path, ...], columns: list[Column], folder: Path, order: tuple[str, ...]) -> None:
    """Leave the parts, which follow one another by name, as one file; a single part is that file as it is.

    It holds columns that never vary, too.
    """
    if len(parts) == 1:
        parts[0].rename(folder / "panel.parquet")
    else:
        names = ", ".join(engine.column(c.name) for c in columns)
        anew = order if FILE_ROW in order else ()
        engine.write(f"SELECT {names} FROM parts", {"parts": parts}, folder / "panel.parquet", anew)
    for path in folder.glob("*.parquet"):
        if path.name != "panel.parquet":
            path.unlink()
