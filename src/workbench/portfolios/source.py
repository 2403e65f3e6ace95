"""A source of data: its raw files, their contracts, and how they become core tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from workbench import contracts, params
from workbench.contracts import Column, Contract
from workbench.params import UserError, mistake
from workbench.portfolios import computed
from workbench.portfolios.files import read_raw
from workbench.portfolios.large import LargeTable

DATA = Path(__file__).parent / "data"

Tables = dict[str, pd.DataFrame | LargeTable]
Words = Mapping[str, Contract]
Core = dict[str, tuple[pd.DataFrame, Contract]]
Simulation = TypeVar("Simulation", bound=BaseModel)


class Request(params.Params):
    """What a study asks of a source."""

    portfolio: str = Field("taiwan_cards", description="name of the source: `workbench portfolios` lists them")
    files: dict[str, str] = Field({}, description="own_files: path of each table's file, from the workbench's folder")
    contracts: dict[str, str] = Field({}, description="own_files: path of each table's contract (YAML)")
    simulation: dict[str, Any] = Field({}, description="simulated_bank: parameters of the simulation")
    seed: int = Field(42, ge=0, description="seed of the sample and of the simulation")


ASKED = ("files", "contracts", "simulation")  # what some sources take, and others know nothing of


@dataclass(frozen=True)
class Source:
    """Where data come from.

    A module in `portfolios` that holds one as `SOURCE` is found; there is no list to edit. The tables have names
    (`account`, `month`, ...); the first is the one a sample is drawn from.
    """

    name: str
    simulated: bool = False

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        raise NotImplementedError

    @property
    def takes(self) -> tuple[str, ...]:
        """Which of `files`, `contracts` and `simulation` it reads of a request; the others are refused."""
        return ASKED

    def verify(self, asked: Request) -> None:
        """Raise `UserError` for a request that can't be met; asked before the first kernel starts."""

    def files(self, asked: Request) -> list[Path]:
        """Return the files that are read, contracts included."""
        raise NotImplementedError

    def raw_files(self, asked: Request) -> set[str]:
        """Return the names of those of `files` that hold the raw tables: none where they are made here."""
        return set()

    def words(self, asked: Request) -> dict[str, Contract]:
        """Return the contract of each raw table."""
        raise NotImplementedError

    def raw(self, asked: Request) -> Tables:
        """Return each raw table as it came, computed columns beside the file's."""
        raise NotImplementedError

    def writes(self, asked: Request) -> list[str]:
        """Return the names of the core tables."""
        return ["core__account"]

    def core(self, tables: Tables, words: Words) -> Core:
        """Return the core tables with their contracts, from tables that were checked and freed of personal data."""
        (name,) = words
        return {"core__account": account(tables[name], words[name])}

    def columns(self, words: Words) -> dict[str, list[str]]:
        """Return the columns of core tables that the contracts of the raw ones tell, before anything is read.

        A table that isn't named here is known once it is made.
        """
        return {"core__account": account_columns(*words.values())} if len(words) == 1 else {}

    def of_accounts(self, words: Words) -> Contract | None:
        """Return the contract that says what is recorded of the accounts; None where it is known once they are made."""
        return next(iter(words.values())) if len(words) == 1 else None

    def listing(self) -> dict[str, Any]:
        """Return what `workbench portfolios` shows: name, title, rows, columns, outcome, licence."""
        return {"portfolio": self.name, "title": self.title, "outcome": "by contract", "licence": "its owner's"}


@dataclass(frozen=True)
class Shipped(Source):
    """One Parquet file in the package, with its contract beside it under the same name."""

    @property
    def takes(self) -> tuple[str, ...]:
        """Nothing: its file and contract are shipped."""
        return ()

    @cached_property
    def contract(self) -> Contract:
        """The contract of the file."""
        return contracts.load(DATA / f"{self.name}.yaml")

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return DATA / f"{self.name}.parquet"

    @property
    def title(self) -> str:
        """The contract's title."""
        return self.contract.title

    def files(self, asked: Request) -> list[Path]:
        """Return the file and its contract."""
        return [self.path, DATA / f"{self.name}.yaml"]

    def raw_files(self, asked: Request) -> set[str]:
        """Return the name of the file."""
        return {self.path.name}

    def words(self, asked: Request) -> dict[str, Contract]:
        """Return the contract under the source's name."""
        return {self.name: self.contract}

    def raw(self, asked: Request) -> Tables:
        """Return the file's table."""
        return {self.name: read(self.path, self.contract)}

    def listing(self) -> dict[str, Any]:
        """Return name, title, rows, columns, outcome, licence."""
        import pyarrow.parquet as pq

        meta, outcome = pq.read_metadata(self.path), ", ".join(self.contract.named("outcome"))
        size = {"rows": meta.num_rows, "columns": meta.num_columns}
        return {**super().listing(), **size, "outcome": outcome, "licence": self.contract.licence}


def read(path: Path, contract: Contract) -> pd.DataFrame:
    """Return a file's table, in memory, with the contract's computed columns beside its own."""
    return computed.with_computed(read_raw(path, contract), contract)


def account(table: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, Contract]:
    """Return a checked table as `core__account`: the key as `entity_id`, a running number where there is none.

    Columns that are ignored stay out; so do personal ones but for the pseudonyms of key and parent.
    """
    columns = lasting(contract)
    if not contract.named("key"):
        number = Column(name="entity_id", type="text", role="key", description="row number in the file")
        columns, table = [*columns, number], table.assign(entity_id=[f"row_{i:07d}" for i in range(len(table))])
    names = dict.fromkeys(contract.named("key"), "entity_id")
    table = table[[c.name for c in columns]].rename(columns=names)
    return table, renamed(contract.replaced(columns), names)


def account_columns(contract: Contract) -> list[str]:
    """Return the names of the columns of `core__account` that `account` makes of a table with this contract."""
    return ["entity_id", *(c.name for c in lasting(contract) if c.role != "key")]


def lasting(contract: Contract) -> list[Column]:
    """Return the columns that outlive the intake."""
    return [c for c in contract.columns if c.role != "ignore" and (not c.personal or c.role in ("key", "parent"))]


def renamed(contract: Contract, names: Mapping[str, str]) -> Contract:
    """Return the contract with some columns under other names; what is made from them follows."""
    columns = [
        c.model_copy(
            update={
                "name": names.get(c.name, c.name),
                "source": c.source or (c.name if c.name in names and not c.sql else ""),
                "made_from": tuple(names.get(n, n) for n in c.made_from),
                "special_of": names.get(c.special_of, c.special_of),
            }
        )
        for c in contract.columns
    ]
    return contract.replaced(columns)


def simulation(kind: type[Simulation], given: Mapping[str, Any], seed: int, step: str) -> Simulation:
    """Return the parameters of a simulation, or raise `UserError` with one line that names the step."""
    try:
        return kind(**{"seed": seed, **given})
    except ValidationError as e:
        where, words = mistake(e, kind)
        raise UserError(f"{step}: simulation{'.' if where else ''}{where}: {words}") from None
