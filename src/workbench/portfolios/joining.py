"""Draft how several files belong together: which column joins them, which one holds months, and a study on them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from workbench import home
from workbench.contracts import Column, Contract, as_text
from workbench.params import UserError
from workbench.portfolios import guesses
from workbench.portfolios.draft import draft, to_yaml
from workbench.portfolios.files import opened
from workbench.portfolios.large import LargeTable
from workbench.portfolios.own_files import ACCOUNT, MONTH
from workbench.portfolios.roles import in_rows
from workbench.words import say

SHARED = 0.5  # of the values of the finer file are there in the coarser one
ASSUMED = "2020-12-01"  # where months are only counted, the date they are counted from has to be assumed
_PERIOD = r"^t$|month|period|date|year|quarter|mob$|月份|年月|账期|期次|日期|季度"
_NOT_LATE = ("C", "X")  # of a status in digits: closed or paid off that month, and no loan
LATE = {"name": "default", "event": "delay_months >= 3", "eligible": "delay_months < 1", "window_months": 12}
_FACTS = {  # names that behaviour features understand
    "balance_amt": r"^bal(ance)?(_amt)?$|outstanding|余额$",
    "payment_amt": r"^(pmt|paid|payment)(_amt)?$|amount_paid|实还|(本期|当期|当月|实际)还款",
    "due_amt": r"^due(_amt)?$|amount_due|scheduled_payment|应还",
    "days_past_due": r"^dpd$|days_(past_due|late|overdue)|逾期天数",
    "delay_months": r"^delay(_months)?$|months_(past_due|late|overdue)",
    "status_code": r"^status$|(loan|account)_status$",
}


@dataclass(frozen=True)
class _File:
    """A file with its drafted contract; `codes` are its columns as text, by their name in the contract."""

    path: Path
    contract: Contract
    raw: pd.DataFrame | LargeTable

    def codes(self, name: str) -> pd.Series:
        return as_text(self.raw[self.contract[name].file_name])

    def is_unique(self, *names: str) -> bool:
        values = pd.DataFrame({n: self.codes(n) for n in names})
        return bool(values.notna().all(axis=None) and not values.duplicated().any())


@dataclass(frozen=True)
class _Link:
    """`finer` names in `column` a row of `coarser`, where the column is unique."""

    finer: str
    coarser: str
    column: str


@dataclass(frozen=True)
class Joined:
    """Drafted contracts by table name (`account` first), the file of each, and the column that joins each to it."""

    contracts: Mapping[str, Contract]
    files: Mapping[str, Path]
    columns: Mapping[str, str]

    def study(self) -> str:
        """Return a study that takes the files in and builds on them, as YAML."""
        root, name = home.root(), self.contracts[ACCOUNT].name
        intake = {
            "portfolio": "own_files",
            "files": {t: os.path.relpath(p, root) for t, p in self.files.items()},
            "contracts": {t: f"params/contracts/{c.name}.yaml" for t, c in self.contracts.items()},
        }
        steps = {"portfolios/intake": intake, "panel/build": self._panel(), "models/development": None}
        steps["validation/battery"] = None
        content = {"title": name, "defaults": {"seed": 42, "sample_rows": 0}, "steps": steps}
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)

    def remarks(self) -> list[str]:
        """Return the notes of the drafts, and where there is no outcome, or a recorded one gives way to the months."""
        notes = [f"{c.title}: {note}" for c in self.contracts.values() for note in c.notes]
        account = self.contracts[ACCOUNT]
        recorded = [account[c].file_name for c in account.named("outcome")]
        if self._delayed() and recorded:
            event = f"outcome: {LATE['event']} within {LATE['window_months']} months, a row each month"
            instead = f"without `outcome` in params/{account.name}.yaml it is '{recorded[0]}', one row on its own date"
            return [*notes, f"{event}; {instead}"]
        if self._delayed() or any(c.named("outcome") for c in self.contracts.values()):
            return notes
        mend = "compute `delay_months` in the months' contract (`sql:`), or name an outcome column"
        return [*notes, f"no outcome was found: {mend}"]

    def _delayed(self) -> bool:
        return MONTH in self.contracts and "delay_months" in _names(self.contracts[MONTH])

    def _panel(self) -> dict[str, Any]:
        """An outcome recorded once would be one row an account; where months tell it, it is asked each month."""
        return {"outcome": LATE} if self._delayed() else {}


def joined(paths: list[Path]) -> Joined:
    """Return drafted contracts of files that belong together; what is guessed is marked.

    Raises `UserError` where a file shares no column with the others that is unique in one of them, two are one table,
    or a file's name gives no name of a table of its own.
    """
    numbered: dict[str, str] = {}
    files = {n: _File(p, c := draft(p, numbered), opened(p, c)) for n, p in _named_apart(paths).items()}
    links = list(_links(files))
    first = _account(files, links)
    out, columns = {}, {}
    for name in sorted(files, key=lambda n: n != first):
        link = next((k for k in links if {k.finer, k.coarser} == {name, first}), None)
        if name != first and link is None:
            raise UserError(
                f"{files[name].path.name}: no column joins it to {files[first].path.name}: none is named alike in both "
                "and unique in one of them; name the column alike"
            )
        table, contract = _placed(name, files, first, links)
        if table in out:
            raise _one_table(table, out[table], (contract, files[name].path))
        if not _stem(files[name].path):  # 贷款台账.csv
            contract = contract.model_copy(update={"name": table})
        out[table] = (contract, files[name].path)
        columns |= {table: link.column} if link else {}
    contracts, places = ({t: pair[i] for t, pair in out.items()} for i in (0, 1))
    return Joined(contracts, places, columns)


def write(drafted: Joined) -> list[Path]:
    """Write the contracts and the study, and return where; `UserError` where one is there already."""
    folder = home.root() / "params"
    texts = {folder / "contracts" / f"{c.name}.yaml": to_yaml(c) for c in drafted.contracts.values()}
    texts[folder / f"{drafted.contracts[ACCOUNT].name}.yaml"] = drafted.study()
    if there := next((p for p in texts if p.exists()), None):
        raise UserError(f"{there} is there already and may hold your corrections; move it away first")
    for path, text in texts.items():
        home.put(path, text.encode())
    return list(texts)


def _named_apart(paths: list[Path]) -> dict[str, Path]:
    """Return files by the names of their tables, numbered where a file has none; `UserError` where two share one."""
    by_name: dict[str, Path] = {}
    for place, path in enumerate(paths, 1):
        name = _stem(path) or f"table_{place}"
        other = by_name.setdefault(name, path)
        if other is path:
            continue
        if os.path.abspath(other) == os.path.abspath(path):  # as written: a name may hold what no path can
            raise UserError(f"{path.name}: the file is given twice; name it once")
        raise UserError(
            f"{other} and {path} would both be the table `{name}`; rename one, a table is called as its file"
        )
    return by_name


def _one_table(table: str, one: tuple[Contract, Path], other: tuple[Contract, Path]) -> UserError:
    """Return what to say of two files that would be one table: both of months by what they hold, or one by its name."""
    line = f"{one[1].name} and {other[1].name} would both be the table `{table}`"
    if one[0].entity == other[0].entity == "month":
        return UserError(f"{line}; put them together in one file")
    called = next(path.name for _, path in (one, other) if _stem(path) == table)
    return UserError(f"{line}; rename {called}")


def _stem(path: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")


def _names(contract: Contract) -> list[str]:
    return [c.name for c in contract.columns]


def _links(files: Mapping[str, _File]) -> Iterator[_Link]:
    """Yield the links, of each pair of files the one whose column has most values in common."""
    for finer, coarser in permutations(files, 2):
        a, b = files[finer], files[coarser]
        shared = {n: _overlap(a, b, n) for n in _names(a.contract) if n in _names(b.contract) and b.is_unique(n)}
        best = max(shared, key=lambda n: shared[n], default="")
        if best and shared[best] >= SHARED:
            yield _Link(finer, coarser, best)


def _overlap(finer: _File, coarser: _File, name: str) -> float:
    values = finer.codes(name).dropna().unique()
    return float(pd.Series(values).isin(set(coarser.codes(name))).mean()) if len(values) > 1 else 0.0


def _account(files: Mapping[str, _File], links: list[_Link]) -> str:
    """The file whose months are there; else the one that names rows of others and has a key; else the first."""
    of_months = [k.coarser for k in links if _period(files[k.finer], k.column)]
    finer = [k.finer for k in links if not files[k.finer].is_unique(k.column) and files[k.finer].contract.named("key")]
    return next(iter([*of_months, *finer, *(k.coarser for k in links), *files]))


def _period(file: _File, key: str) -> str:
    """The column that with the key is unique in every row and is a date, or is called like a month; '' for none."""
    if file.is_unique(key):
        return ""
    dates = [c.name for c in file.contract.columns if c.type == "date"]
    counted = [c.name for c in file.contract.columns if guesses.is_called(_PERIOD, c) and c.name not in dates]
    return next((n for n in [*dates, *counted] if n != key and file.is_unique(key, n)), "")


def _placed(name: str, files: Mapping[str, _File], first: str, links: list[_Link]) -> tuple[str, Contract]:
    """Return a file's table name and its contract with the roles its place gives its columns."""
    file = files[name]
    if name == first:
        keys = [k.column for k in links if k.coarser == first]
        parents = [k.column for k in links if k.finer == first and k.column not in keys]
        identifiers = dict.fromkeys(keys[:1] or file.contract.named("key"), "key")
        return ACCOUNT, _roles(file.contract, {**identifiers, **dict.fromkeys(parents, "parent")})
    link = next(k for k in links if {k.finer, k.coarser} == {name, first})
    period = _period(file, link.column) if link.finer == name else ""
    if period:
        return MONTH, _of_months(file, link.column, period)
    if link.coarser == name or file.is_unique(link.column):
        return name, _roles(file.contract, {link.column: "key"})
    return name, _roles(file.contract, {link.column: "parent", **dict.fromkeys(file.contract.named("key"), "key")})


def _roles(contract: Contract, roles: Mapping[str, str]) -> Contract:
    """Give columns their role as an identifier; what was drafted as a key and is none is a fact."""
    linked = {"type": "text", "personal": "identifier", "values": {}, "missing": (), "minimum": None, "breach": "error"}
    columns = []
    for c in contract.columns:
        if c.name in roles:
            c = c.model_copy(update={**linked, "role": roles[c.name], "fairness": False, "guessed": True})
        elif c.role == "key":
            c = c.model_copy(update={"role": "fact"})
        columns.append(c)
    return contract.replaced(columns)


def _of_months(file: _File, key: str, period: str) -> Contract:
    contract = _roles(file.contract, {key: "key"})
    columns = [_fact(c, key, period) for c in contract.columns]
    if contract[period].type != "date":
        columns.append(_counted(contract[period], file))
    there = {c.name: c for c in columns}
    delay = _delay(there)
    notes = _status_notes(there["status_code"]) if any("TRY_CAST" in c.sql for c in delay) else ()
    of_one_file = in_rows(file.contract[key], file.contract[period])
    notes = (*(n for n in contract.notes if n != of_one_file), *notes)
    return contract.replaced([*columns, *delay], entity="month", event_value="", notes=notes)


def _status_notes(status: Column) -> tuple[str, ...]:
    """What the digits of a status don't say is unknown: a write-off is not paid in time."""
    none = [v for v in status.values if v in _NOT_LATE]
    others = [v for v in status.values if not v.isdigit() and v not in _NOT_LATE]
    facts = {"column": status.source or status.name, "unknown": " and ".join([*others, "an empty cell"])}
    if not none:
        note = say(
            "delay_months: of '{column}', {unknown} as unknown; correct its `sql` where a code says otherwise.", **facts
        )
        return (str(note),)
    note = say(
        "delay_months: of '{column}', {none} are read as 0 months late, {unknown} as unknown; correct its `sql` where "
        "a code says otherwise.",
        none=" and ".join(none),
        **facts,
    )
    return (str(note),)


def _fact(column: Column, key: str, period: str) -> Column:
    if column.name == key:
        return column
    if column.name == period:
        role = {"role": "as_of", "breach": "error"} if column.type == "date" else {"role": "ignore"}
        return column.model_copy(update={**role, "personal": "", "guessed": True})
    name = next((n for n, pattern in _FACTS.items() if guesses.is_called(pattern, column)), column.name)
    role = "fact" if column.role in ("feature", "outcome", "as_of") else column.role
    renamed = {"name": name, "source": column.file_name if name != column.name else column.source, "known": "before"}
    return column.model_copy(update={**renamed, "role": role})


def _counted(period: Column, file: _File) -> Column:
    """A month that is only counted, forwards from the first or backwards to the last, is dated from an assumed one."""
    name = "month" if period.name != "month" else "month_date"
    sql = f"DATE '{ASSUMED}' + to_months(CAST(\"{period.file_name}\" AS INTEGER))"
    words = f"month, counted from {ASSUMED[:7]}, which is assumed"
    return Column(name=name, type="date", role="as_of", sql=sql, description=words, guessed=True)


def _delay(columns: Mapping[str, Column]) -> list[Column]:
    """Months past due, where days past due or a status of digits and letters tell them."""
    if "delay_months" in columns:
        return []
    if days := columns.get("days_past_due"):
        sql = f'floor(CAST("{days.file_name}" AS DOUBLE) / 30)'
    elif (status := columns.get("status_code")) and sum(v.isdigit() for v in status.values) > 2:
        codes = ", ".join(f"'{c}'" for c in _NOT_LATE)
        sql = f'CASE WHEN "{status.file_name}" IN ({codes}) THEN 0 ELSE TRY_CAST("{status.file_name}" AS INTEGER) END'
    else:
        return []
    facts = {"role": "fact", "unit": "month", "sql": sql, "guessed": True, "minimum": 0}
    return [Column(name="delay_months", type="number", description="months past due", **facts)]
