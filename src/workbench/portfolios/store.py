"""Keep a bank's customer data as they come, drop by drop: versions, persons once, alarms, each row's origin."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from workbench import engine, home, params, pseudonyms, tables
from workbench.params import DAY_OR_NONE, MONTH, UserError
from workbench.portfolios import alarms, drops, intake, persons, simulated_drops, simulated_relationships, versions
from workbench.portfolios.drops import TABLES, Drop

PERSONAL = ("name", "national_id", "phone_number", "birth_date")
KEPT = {"customer": "customer_id", "account": "account_id", "monthly": "account_id"}  # tables that have versions
SIMULATED = {"n_customers": 600, "n_months": 24, "start_month": "2017-06"}


class Params(params.Params):
    """Which drops are taken in, up to when, what was known on which day, and what they are held to."""

    drops: str = Field("", description="folder of the monthly drops, from the workbench's folder; empty simulates them")
    simulation: dict[str, Any] = Field(SIMULATED, description="of drops that are simulated")
    until: str = Field("", pattern=rf"({MONTH})|^$", description="last drop taken in; empty is all")
    as_known_on: str = Field("", pattern=DAY_OR_NONE, description="day whose knowledge is shown; empty is the last")
    due_day: int = Field(5, ge=1, le=28, description="day of the next month by which a table must be delivered")
    on_time_share: float = Field(0.95, gt=0, le=1, description="least share of deliveries on time")
    accurate_share: float = Field(0.999, gt=0, le=1, description="least share of rows that no alarm names")
    seed: int = Field(42, ge=0, description="seed of the simulation")

    def verify(self) -> None:
        """Raise `UserError` for a folder that isn't there, and for a wrong parameter of the simulation."""
        if not self.drops:
            simulated_relationships.parameters(self.simulation, self.seed, "portfolios/store")
        elif not (home.root() / self.drops).is_dir():
            raise UserError(f"portfolios/store: drops: '{self.drops}' is no folder; give the one that holds the months")


def reads(p: Params) -> list[str]:
    """Tables this step reads: none, it reads drops."""
    return []


def writes(p: Params) -> list[str]:
    """Tables this step writes: versions of three tables, who is one person, and the alarms."""
    return [*(f"store__{name}" for name in KEPT), "store__person", "store__alarm"]


def files(p: Params) -> list[Path]:
    """Return the files of the drops; of simulated ones what they are made from."""
    if not p.drops:
        return [simulated_relationships.DATA / "macro_us.parquet"]
    return [
        f
        for d in drops.all_of(home.root() / p.drops, p.until)
        for f in (*map(d.path, TABLES), d.folder / drops.CONTROL)
    ]


@dataclass(frozen=True)
class Store:
    """What was taken in: the drops' own counts, alarms, persons, and each kept table's versions as a Parquet file.

    deliveries: month, table, rows, control_rows, unplaced_rows (no version: they lack their key or a day), amount (the
    column of the totals), total, control_total, delivered_at, days, sha256.
    alarms: month, kind, table, column, rows. person: customer_id (pseudonym), person_id.
    """

    folder: Path
    deliveries: pd.DataFrame
    alarms: pd.DataFrame
    person: pd.DataFrame
    same: pd.DataFrame
    due_day: int

    def path(self, table: str) -> Path:
        """Return the file of a table's versions."""
        return self.folder / f"{table}.parquet"

    @cached_property
    def months(self) -> list[str]:
        """The months taken in, in order."""
        return sorted(self.deliveries["month"].unique())

    def known_at_once(self, month: str) -> str:
        """Return the day by which a month's own drop had to be there."""
        return f"{pd.Timestamp(month) + pd.DateOffset(months=1, days=self.due_day - 1):%Y-%m-%d}"


def simulated(p: Params) -> Path:
    """Write the simulated drops, defects and all, into a folder of their own and return it."""
    folder = engine.scratch()
    simulated_drops.write_drops(simulated_relationships.parameters(p.simulation, p.seed, "portfolios/store"), folder)
    return folder


def taken_in(p: Params) -> Store:
    """Take the drops in, in order, and return the store; the caller removes nothing, `stage` hands the files over."""
    source = home.root() / p.drops if p.drops else simulated(p)
    folder, memory = engine.scratch(), alarms.Memory()
    names = _Names(linking_key(p))
    counted, seen, people = [], [], []
    try:
        for drop in drops.all_of(source, p.until):
            parts = {name: drop.read(name) for name in TABLES}
            counted += list(_counted(drop, parts))
            seen += [(drop.month, *alarm) for alarm in alarms.of_drop(drop, parts, memory, p.due_day)]
            people.append(parts["customer"])
            for name in KEPT:
                _put(folder / "delivered" / name, drop.month, names.of(parts[name]))
        seen += _versions(folder)
    finally:
        if not p.drops:
            shutil.rmtree(source, ignore_errors=True)
    person, same = _persons(pd.concat(people), names)
    deliveries = pd.DataFrame(counted)
    raised = pd.DataFrame(seen, columns=["month", "kind", "table", "column", "rows"])
    raised = raised.sort_values("month", kind="stable", ignore_index=True)
    return Store(folder, deliveries, raised, person, same, p.due_day)


def linking_key(p: Params) -> bytes:
    """Return the key of the pseudonyms: those of the intake of the same data."""
    asked = intake.Params(study=p.study, portfolio="simulated_customers", seed=p.seed)
    home_key = pseudonyms.key(home.mlruns())
    return home_key if p.drops else intake.linking_key(asked, home_key)


class _Names:
    """Pseudonyms in place of customers' numbers, each made once."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.known: dict[str, str] = {}

    def pseudonyms(self, numbers: pd.Series) -> pd.Series:
        new = [n for n in numbers.dropna().unique() if n not in self.known]  # text, or numbers as they came
        if new:
            made = pseudonyms.pseudonym(pd.Series(new), self.key, "customer")
            self.known |= dict(zip(new, made, strict=True))
        return numbers.map(self.known)

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with pseudonyms, and without what points to a person."""
        return table.drop(columns=[c for c in PERSONAL if c in table]).assign(
            customer_id=self.pseudonyms(table["customer_id"])
        )


def _put(folder: Path, month: str, table: pd.DataFrame) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table.assign(delivery=month).to_parquet(folder / f"{month}.parquet", index=False)


def _versions(folder: Path) -> list[tuple[str, str, str, str, int]]:
    """Write each table's versions; return an alarm for every delivery that contradicts an earlier one."""
    contradictions = []
    for name in KEPT:
        delivered = tuple(sorted((folder / "delivered" / name).glob("*.parquet")))
        columns = tuple(engine.columns(delivered))  # of all drops: one may come later, or go
        engine.write(versions.bitemporal_sql(name, columns), {"delivered": delivered}, folder / f"{name}.parquet")
        other = engine.frame(versions.contradicted_sql(name, columns), {"delivered": delivered})
        contradictions += [(row.delivery, "contradiction", name, "*", int(row.n)) for row in other.itertuples()]
    shutil.rmtree(folder / "delivered")
    return contradictions


def _counted(drop: Drop, parts: dict[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    """Yield what came and what the sender counted, of each table; `UserError` where he counted nothing."""
    end = pd.Timestamp(drop.month) + pd.DateOffset(months=1)
    for name, table in parts.items():
        if name not in drop.control.index:
            raise drop.error(drops.CONTROL, f"no line for table '{name}'; ask the sender")
        control = drop.control.loc[name]
        nameless = table[list(versions.named_by(name))].isna().any(axis=1) if name in KEPT else pd.Series(dtype=bool)
        yield {
            "month": drop.month,
            "table": name,
            "rows": len(table),
            "control_rows": int(control["rows"]),
            "unplaced_rows": int(nameless.sum()),
            "amount": control["amount"],
            "total": _total(drop, name, table, control["amount"]),
            "control_total": float(control["total"]),
            "delivered_at": control["delivered_at"],
            "days": int((control["delivered_at"] - end).days + 1),
            "sha256": drop.digest(name),
        }


def _total(drop: Drop, name: str, table: pd.DataFrame, amount: str) -> float:
    if amount not in table:
        raise drop.error(drops.CONTROL, f"amount '{amount}' is no column of '{name}'")
    try:
        return round(float(pd.to_numeric(table[amount]).sum()), 2)
    except (ValueError, TypeError):
        raise drop.error(drops.CONTROL, f"amount '{amount}' of '{name}' is no column of numbers; name one") from None


def _persons(people: pd.DataFrame, names: _Names) -> tuple[pd.DataFrame, pd.DataFrame]:
    people = people.dropna(subset=["customer_id"])
    latest = people.sort_values("recorded_at", kind="stable").drop_duplicates("customer_id", keep="last")
    same = persons.pairs(latest)
    person = persons.joined(latest["customer_id"], same)
    person = pd.DataFrame({name: names.pseudonyms(person[name]) for name in person})
    return person.reset_index(drop=True), same.assign(
        one=names.pseudonyms(same["one"]), other=names.pseudonyms(same["other"])
    )


def stage(store: Store, p: Params) -> dict[str, str]:
    """Hand the tables over to the study and return their digests; the store's own files are gone then."""
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in KEPT:
            path = Path(folder) / f"{name}.parquet"
            shutil.copy(store.path(name), path)
            rows = int(engine.frame("SELECT count(*) AS n FROM t", {"t": path})["n"][0])
            out[f"store__{name}"] = tables.stage(p.key, f"store__{name}", path, None, rows)
    out["store__person"] = tables.write(p.key, "store__person", store.person)
    out["store__alarm"] = tables.write(p.key, "store__alarm", store.alarms)
    shutil.rmtree(store.folder, ignore_errors=True)
    return out
