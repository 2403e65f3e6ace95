"""A bank's own files by contract: accounts, their months, their customers, later events, joined by keys."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import pandas as pd

from workbench import contracts, home
from workbench.contracts import Column, Contract
from workbench.params import UserError, nearest, shown
from workbench.portfolios.computed import with_computed
from workbench.portfolios.files import header, opened, readable
from workbench.portfolios.large import LargeTable, in_memory
from workbench.portfolios.source import Core, Request, Source, Tables, Words, account, account_columns, lasting, renamed

ACCOUNT, MONTH = "account", "month"


@dataclass(frozen=True)
class OwnFiles(Source):
    """One file and one contract per table.

    `account` has one row per entity; its key links the others. A table with the same key, or with one that `account`
    names as a parent (the loan's customer), adds its columns to the account; `month` (a contract with
    `entity: month`) becomes `core__month`; any other that holds the account's key becomes a core table of its own.
    """

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return "a bank's own CSV or Parquet files, by contract"

    @property
    def takes(self) -> tuple[str, ...]:
        """Files and their contracts."""
        return ("files", "contracts")

    def verify(self, asked: Request) -> None:
        """Raise `UserError` for files that can't be read or lack a column, contracts that don't join, no outcome."""
        self.files(asked)
        words = self.words(asked)
        for name, contract in words.items():
            readable(own_path(asked.files[name]), contract)
        joined = _joined_contract(words)
        if joined.outcome.event and not joined.event_value and MONTH not in words:
            raise UserError(
                f"contract '{joined.name}': outcome.event happens in a later month, and there is no file of months; "
                f"give one under `{MONTH}` in `files` and `contracts`, or leave `event` out and name the `event_value`"
            )
        if joined.named("outcome") or MONTH not in words:
            joined.with_outcome()
        for name, contract in words.items():
            _has_columns(own_path(asked.files[name]), contract)

    def files(self, asked: Request) -> list[Path]:
        """Return the files, then their contracts."""
        _named_alike(asked)
        return [own_path(path) for given in (asked.files, asked.contracts) for path in given.values()]

    def raw_files(self, asked: Request) -> set[str]:
        """Return the names of the files, without those of their contracts."""
        return {Path(path).name for path in asked.files.values()}

    def words(self, asked: Request) -> dict[str, Contract]:
        """Return the contract of each table, the account's first; `UserError` where they don't join."""
        _named_alike(asked)
        names = sorted(asked.files, key=lambda name: (name != ACCOUNT, name != MONTH))
        words = {name: contracts.load(own_path(asked.contracts[name])) for name in names}
        for name in names[1:]:
            _place(name, words)
        if len(words[ACCOUNT].named("key")) > 1 or words[ACCOUNT].entity == "month":
            raise UserError(
                f"contract '{words[ACCOUNT].name}': a row of the table `{ACCOUNT}` is named by one key; a table of "
                f"months goes under `{MONTH}`, with one row per entity beside it under `{ACCOUNT}`"
            )
        return words

    def raw(self, asked: Request) -> Tables:
        """Return each file's table, computed columns beside the file's."""
        words = self.words(asked)
        return {n: with_computed(opened(own_path(asked.files[n]), c), c) for n, c in words.items()}

    def writes(self, asked: Request) -> list[str]:
        """Return accounts, months where there are, and tables that are joined to neither."""
        words = self.words(asked)
        return ["core__account", *(f"core__{n}" for n in words if n != ACCOUNT and not _joins(n, words))]

    def columns(self, words: Words) -> dict[str, list[str]]:
        """Return the columns of the accounts, and of every table that isn't joined to them."""
        of_account = {"core__account": account_columns(_joined_contract(words))}
        apart = [n for n in words if n != ACCOUNT and not _joins(n, words)]
        return of_account | {f"core__{n}": [c.name for c in _apart(n, words)[0].columns] for n in apart}

    def of_accounts(self, words: Words) -> Contract:
        """Return the accounts' contract, with the columns of the tables that join them."""
        return _joined_contract(words)

    def core(self, tables: Tables, words: Words) -> Core:
        """Return the core tables; an account whose parent is in no table, or a row of no account, is left out."""
        added = [n for n in words if n != ACCOUNT and _joins(n, words)]
        table = reduce(lambda t, n: _with(t, in_memory(tables[n]), n, words), added, in_memory(tables[ACCOUNT]))
        core = {"core__account": account(table, _joined_contract(words))}
        accounts = core["core__account"][0]["entity_id"]
        for name in [n for n in words if n != ACCOUNT and n not in added]:
            core[f"core__{name}"] = _months_or_events(name, tables[name], words, accounts)
        return core


def own_path(given: str, step: str = "portfolios/intake") -> Path:
    """Return where a user's file lies: as given from the workbench's folder, else by name in `WORKBENCH_DATA`.

    Raises `UserError` where it is in neither; `step` is the one that asks for it.
    """
    places = [home.root() / given]
    if folder := os.environ.get("WORKBENCH_DATA"):
        places.append(Path(folder) / Path(given).name)
    try:
        there = next((p for p in places if p.is_file()), None)
        is_folder = there is None and any(p.is_dir() for p in places)
    except OSError as e:  # a name too long, a folder that may not be looked into
        raise UserError(f"{step}: file {shown(given)} can't be looked for: {e.strerror}") from None
    if is_folder:
        raise UserError(f"{step}: {shown(given)} is a folder; name the file in it")
    if there is None:
        where = "the workbench's folder" + (" and WORKBENCH_DATA" if len(places) > 1 else "; or set WORKBENCH_DATA")
        raise UserError(f"{step}: file {shown(given)} is not there (looked from {where})")
    return there


def _named_alike(asked: Request) -> None:
    if ACCOUNT not in asked.files:
        raise UserError(
            f"portfolios/intake: own_files needs `files: {{{ACCOUNT}: PATH}}` and `contracts: {{{ACCOUNT}: PATH}}`, "
            f"{ACCOUNT} being the table with one row per account, loan or customer"
        )
    if lone := sorted(asked.files.keys() ^ asked.contracts.keys()):
        lacking = "contracts" if lone[0] in asked.files else "files"
        raise UserError(
            f"portfolios/intake: own_files: table '{lone[0]}' has no path in `{lacking}`; name one for each"
        )
    if odd := [n for n in asked.files if not n.isidentifier() or n != n.lower()]:
        raise UserError(f"portfolios/intake: own_files: table name '{odd[0]}': write a name of a-z, 0-9 and _")


def _has_columns(path: Path, contract: Contract) -> None:
    """Raise `UserError` where a file lacks a column of its contract; what is wrong with the file itself comes first."""
    of_file = contract.replaced([c for c in contract.columns if not c.sql])
    names = pd.DataFrame(columns=header(path, contract))
    if any(f.severity == "error" for f in contracts.columns_there(names, of_file)):
        contracts.stop_on_errors(contracts.columns_there(opened(path, contract), of_file))


def _joins(name: str, words: Words) -> bool:
    """Say whether a table adds its columns to the account: it is keyed as the account is, or as its parent is."""
    keys, first = words[name].identity(), words[ACCOUNT]
    return len(keys) == 1 and keys[0] in (*first.named("key"), *first.named("parent"))


def _place(name: str, words: Words) -> None:
    """Raise `UserError` where a table has no place beside the account's."""
    contract, keys = words[name], words[ACCOUNT].named("key")
    if not keys:
        raise UserError(f"contract '{words[ACCOUNT].name}': no column has the role key, so '{name}' can't be joined")
    if (name == MONTH) != (contract.entity == "month"):
        raise UserError(
            f"contract '{contract.name}': table `{name}` with `entity: {contract.entity}`; a table of months is named "
            f"`{MONTH}` in the study and says `entity: month`"
        )
    if name == MONTH and (contract.named("key") != keys or len(contract.named("as_of")) != 1):
        raise UserError(
            f"contract '{contract.name}': a table of months has the account's key ('{keys[0]}') as its only key and "
            "one column with the role as_of, the month"
        )
    if keys[0] not in _links(contract) and not _joins(name, words):
        hint = nearest(keys[0], [c.name for c in contract.columns])
        raise UserError(
            f"contract '{contract.name}': nothing joins '{name}' to the account: its key '{keys[0]}' is no key or "
            f"parent here ({hint}); name the column alike in both, the file's name goes into `source`"
        )


def _links(contract: Contract) -> list[str]:
    return [*contract.named("key"), *contract.named("parent")]


def _joined_contract(words: Words) -> Contract:
    """Return the account's contract with the columns of the tables that join it; outcome from where it is recorded."""
    first, columns = words[ACCOUNT], list(words[ACCOUNT].columns)
    holder = first
    for name in [n for n in words if n != ACCOUNT and _joins(n, words)]:
        new = _added(words[name])
        if twice := {c.name for c in columns} & {c.name for c in new}:
            raise UserError(
                f"contract '{words[name].name}': column '{min(twice)}' stands in the account's table, too; rename one"
            )
        columns += new
        holder = words[name] if words[name].named("outcome") else holder
    return first.replaced(columns, event_value=holder.event_value, outcome=holder.outcome)


def _added(contract: Contract) -> list[Column]:
    """Columns that a joined table adds: all but its key, which the account has; its dates of record are facts."""
    dates = contract.named("as_of")
    return [
        c.model_copy(update={"role": "fact"} if c.name in dates else {"dated_by": c.dated_by or "".join(dates)})
        for c in contract.columns
        if c.role != "key"
    ]


def _with(table: pd.DataFrame, other: pd.DataFrame, name: str, words: Words) -> pd.DataFrame:
    (key,) = words[name].named("key")
    parent = key in words[ACCOUNT].named("parent")
    return table.merge(other, on=key, how="inner" if parent else "left", validate="many_to_one")


def _apart(name: str, words: Words) -> tuple[Contract, dict[str, str]]:
    """Return the contract of a table that isn't joined to the account, and which of its columns got another name."""
    (key,) = words[ACCOUNT].named("key")
    contract, names = words[name].replaced(lasting(words[name]), name=f"core__{name}"), {key: "entity_id"}
    if name == MONTH:
        names[contract.one("as_of")] = "month"
        if "month" in [c.name for c in contract.columns if c.role != "as_of"]:
            raise UserError(
                f"contract '{words[name].name}': column 'month' is another than the one with the role as_of, which the "
                "table is kept under as `month`; rename it (the file's name goes into `source`)"
            )
        facts = [c.model_copy(update={"role": "fact"}) if c.role == "feature" else c for c in contract.columns]
        contract = contract.replaced(facts)
    return renamed(contract, names), names


def _months_or_events(
    name: str, table: pd.DataFrame | LargeTable, words: Words, accounts: pd.Series
) -> tuple[pd.DataFrame | LargeTable, Contract]:
    contract, names = _apart(name, words)
    order = list(names.values())
    back = {new: old for old, new in names.items()}
    if name == MONTH:
        as_of = back["month"]
        months = table[as_of].dt.to_period("M").dt.to_timestamp().astype("datetime64[us]")
        if not months.equals(table[as_of]):  # else a row's key has been looked at as it is
            _once_a_month(table[back["entity_id"]], months)
        table = table.assign(**{as_of: months})
    columns, key = [back.get(c.name, c.name) for c in contract.columns], back["entity_id"]
    if isinstance(table, LargeTable):
        table = table.renamed({n: names.get(n, n) for n in columns})
        known = "entity_id IN (SELECT entity_id FROM accounts)"
        return table.ordered(order, known, accounts=accounts.to_frame()), contract
    table = table.loc[table[key].isin(set(accounts)), columns].rename(columns=names)
    return table.sort_values(order, ignore_index=True), contract


def _once_a_month(entity: pd.Series, months: pd.Series) -> None:
    """Raise `UserError` where days of one month (n) are those of one entity (n): a month is one row."""
    rows = pd.DataFrame({"entity": entity, "month": months})
    twice = rows.duplicated() & months.notna()
    if twice.any():
        raise UserError(
            f"portfolios/intake: own_files: {MONTH}: {twice.sum():,} rows name an account and month that another row "
            f"does, first in {months[twice].min():%Y-%m}; give one row a month, or make them events of their own "
            "(`entity: event`, under another name)"
        )


SOURCE = OwnFiles("own_files")
