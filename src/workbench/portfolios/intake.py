"""Take a portfolio in: read, check against its contract, replace personal data, keep one snapshot."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import contracts, engine, home, params, pseudonyms, tables
from workbench.contracts import Column, Contract, Finding
from workbench.contracts.checks import FUTURE_MARGIN_DAYS
from workbench.contracts.fields import FILE_ROW
from workbench.evidence import Evidence, Verdict, worst
from workbench.params import UserError, all_or, canonical
from workbench.portfolios import catalog, forgotten, unmarked
from workbench.portfolios.large import LargeTable, in_memory
from workbench.portfolios.source import ASKED, Core, Request, Tables, Words
from workbench.words import Text, names, say

Raw = dict[str, tuple[pd.DataFrame | LargeTable, Contract]]


LEAST_ROWS = 20  # of a sample of the file


class Params(Request):
    """What the intake is told."""

    sample_rows: Annotated[int, all_or(LEAST_ROWS)] = Field(4000, ge=0, description="rows taken at random; 0 takes all")
    purpose: str = Field(
        "",
        pattern=r"^[a-z0-9_]{0,40}$",
        description="what the data are for: pseudonyms of two purposes can't be joined; empty is the home's own",
    )
    today: str = Field(
        "", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="dates after it are impossible; empty is today"
    )

    def verify(self) -> None:
        """Raise `UserError` for an unknown portfolio, and for what its source doesn't take or can't do."""
        source = catalog.source(self.portfolio)
        for name in (n for n in ASKED if getattr(self, n) and n not in source.takes):
            of_own = "" if name == "simulation" else "write `portfolio: own_files` beside it, or "
            raise UserError(f"portfolios/intake: portfolio '{self.portfolio}' takes no `{name}`; {of_own}leave it out")
        source.verify(self)
        self._is_after(source.words(self).values())

    def _is_after(self, words: Iterable[Contract]) -> None:
        """Raise `UserError` where a day that is given for today is before what a contract says it is as of."""
        if not self.today:
            return
        last = f"{date.fromisoformat(self.today) + timedelta(days=FUTURE_MARGIN_DAYS)}"
        for c in words:
            if last < c.as_of <= f"{date.today()}":  # one that is yet to come is the contract's fault
                raise UserError(
                    f"portfolios/intake: today {self.today} is before {c.as_of}, as_of of contract '{c.name}'; "
                    "write a later day, or leave it empty"
                )


def agree(p: Params, others: Mapping[str, params.Params]) -> None:
    """Raise `UserError` where a panel begins after the day whose later dates are impossible here."""
    for name, other in others.items():
        begins = getattr(other, "as_of_from", "")
        if p.today and begins > p.today[: len(begins)]:
            raise UserError(
                f"{name}: as_of_from {begins} is after today, {p.today} (portfolios/intake); no row would be left"
            )


def reads(p: Params) -> list[str]:
    """Tables this step reads: none, it reads raw files."""
    return []


def writes(p: Params) -> list[str]:
    """Tables this step writes."""
    return catalog.source(p.portfolio).writes(p)


def files(p: Params) -> list[Path]:
    """Raw files this step reads, checked to be there before a kernel starts."""
    return [*catalog.source(p.portfolio).files(p), *forgotten.places()]


def raw_files(p: Params) -> set[str]:
    """Return the names of those of `files` that hold the raw tables; none of simulated ones."""
    return catalog.source(p.portfolio).raw_files(p)


def simulated(p: Params) -> dict[str, str]:
    """Return the name of a simulated source with the digest of what its tables follow from; {} of any other."""
    source = catalog.source(p.portfolio)
    parameters = {"simulation": p.simulation, "seed": p.seed}
    return {source.name: hashlib.sha256(canonical(parameters)).hexdigest()} if source.simulated else {}


def raw_tables(p: Params) -> Raw:
    """Return the raw tables as they came (sampled where the parameters say so), with their contracts.

    Columns that hold personal data or free text are marked in these, where the contract's file doesn't say it.
    """
    source = catalog.source(p.portfolio)
    words, raw = source.words(p), source.raw(p)
    names.learn_columns(c for contract in words.values() for c in contract.columns)
    if p.sample_rows:
        raw = sampled(raw, words, p.sample_rows, p.seed)
    return {name: (raw[name], unmarked.marked(raw[name], words[name])) for name in words}


def came_in(raw: Raw) -> list[Text]:
    """Return what came in: each table with its size, source and licence, then its notes."""
    out = []
    for table, c in raw.values():
        origin = {
            "title": c.title,  # facts, so that Markdown in them is shown and doesn't act
            "source": c.source or say("not named"),
            "licence": c.licence or say("not named"),
        }
        size = {"rows": len(table), "columns": table.shape[1]}
        out.append(
            say(
                "**{title}**: {rows:, rows}, {columns:, columns}. Source: {source}. Licence: {licence}.",
                **size,
                **origin,
            )
        )
        out += [say("{note}", note=note) for note in c.notes]
    return out


def sampled(raw: Tables, words: Words, rows: int, seed: int) -> Tables:
    """Return at most `rows` rows of the first table, drawn at random, and of the others what belongs to them.

    A table of months is so cut by its accounts: all months of an account that was drawn, none of the others.
    """
    first, out = next(iter(words)), {}
    for name, contract in words.items():
        table = raw[name]
        if name == first:
            drawn = table.take(_drawn(len(table), rows, seed)) if rows < len(table) else table
        else:
            links = [(c, o) for o in out for c in _links(contract) if words[o].identity() == [c]]
            drawn = table
            for column, other in links if rows < len(raw[first]) else []:
                codes = set(_codes(out[other], words[other], column).dropna())
                drawn = drawn.take(np.flatnonzero(_codes(drawn, contract, column).isin(codes)))
        out[name] = drawn if isinstance(drawn, LargeTable) else drawn.reset_index(drop=True)
    return out


def _drawn(of: int, rows: int, seed: int) -> np.ndarray:
    """Return the positions of the rows that are drawn, in order."""
    return np.sort(pd.Series(range(of)).sample(rows, random_state=seed).to_numpy())


def _codes(table: pd.DataFrame | LargeTable, contract: Contract, column: str) -> pd.Series:
    return _compared(contracts.as_text(table[contract[column].file_name]), contract[column])


def _compared(values: pd.Series, column: Column) -> pd.Series:
    """Return keys as tables are joined by them: what becomes a pseudonym in one writing, whatever case and width."""
    if not column.personal:
        return values
    codes, uniques = pd.factorize(values)
    looked_up = np.array([*(_one_writing(v) for v in uniques), None], dtype=object)[codes]
    return pd.Series(looked_up, index=values.index, name=values.name)


def _one_writing(value: Any) -> str | None:
    return pseudonyms.normalised(pseudonyms.written(value)) or None  # blank is missing, as it is to a pseudonym


def _links(contract: Contract) -> list[str]:
    """Columns that name a row of another table: its parent, and the key of what a month or an event belongs to."""
    keys = contract.named("key")
    return [*contract.named("parent"), *(keys if len(contract.identity()) > 1 else [])]


def check(raw: Raw, p: Params) -> tuple[Tables, list[Finding]]:
    """Return every table typed under its contract's names, and all findings, those between tables included."""
    today, given = pd.Timestamp(p.today or date.today()), catalog.source(p.portfolio).words(p)
    checked, findings = {}, []
    for name, (table, contract) in raw.items():
        made = {"made": LargeTable.of_columns} if isinstance(table, LargeTable) else {}
        checked[name], breaches = contracts.check(table, contract, today, **made)
        breaches = [_of_drawn(f, checked[name], contract, p) for f in breaches]
        if not any(f.severity == "error" for f in breaches):
            checked[name], repeated = _once(checked[name], contract)
            breaches = [*breaches, *repeated]
        checked[name], warnings = unmarked.without(checked[name], contract)
        findings += [*breaches, *unmarked.findings(contract, given[name], len(table)), *warnings]
    broken = {f.table for f in findings if f.severity == "error"}
    words = {n: c for n, (_, c) in raw.items()}
    whole = {n: c for n, c in words.items() if c.name not in broken}
    return checked, [*findings, *_orphans(checked, whole, words), *_without_months(checked, whole, words)]


def _of_drawn(finding: Finding, table: pd.DataFrame | LargeTable, contract: Contract, p: Params) -> Finding:
    """Return a finding; where the rows drawn hold one class of the outcome, with that as its cause."""
    is_outcome = finding.column in contract.named("outcome") and finding.rule.startswith(
        "outcome must have two classes"
    )
    if not is_outcome or len(table) != p.sample_rows or table[finding.column].nunique() > 1:
        return finding
    rule = f"outcome must have two classes, and the {len(table)} rows drawn hold one; raise sample_rows"
    return finding.model_copy(update={"rule": rule})


def _once(table: pd.DataFrame | LargeTable, contract: Contract) -> tuple[pd.DataFrame | LargeTable, list[Finding]]:
    """Return a table without rows that differ from another in the writing of their key alone, and what is wrong.

    Keys in upper and lower case are one pseudonym: two rows that say different things of it can't be told apart.
    """
    keys = contract.identity()
    written = {k: table[k].dropna().unique() for k in keys if contract[k].personal}
    if all(len({_one_writing(v) for v in values}) == len(values) for values in written.values()):
        return table, []
    named = pd.DataFrame({k: _compared(table[k], contract[k]).to_numpy() for k in keys})
    at = np.flatnonzero(named.duplicated(keep=False) & named.notna().all(axis=1))
    rows = table.take(at).assign(**{k: named[k].to_numpy()[at] for k in keys})
    again = rows.duplicated().to_numpy()
    twice = rows[~again]
    twice = twice[twice.duplicated(keys, keep=False)]
    findings = []
    if again.any():
        table = _rows(table, np.delete(np.arange(len(table)), at[again]))
        findings.append(
            contracts.finding(contract, "*", "the same row twice, one is kept", "warning", int(again.sum()))
        )
    if len(twice):
        rule = "key is not unique: upper and lower case, full and half width are one key"
        findings.append(_finding(contract, keys[0], rule, twice[keys[0]], "error"))
    return table, findings


def _rows(table: pd.DataFrame | LargeTable, at: np.ndarray) -> pd.DataFrame | LargeTable:
    if isinstance(table, LargeTable):
        return LargeTable.of_columns((str(c), table[c].take(at).reset_index(drop=True)) for c in table.columns)
    return table.take(at).reset_index(drop=True)


def _homes(words: Words) -> dict[str, list[str]]:
    """Return the tables in which a key must stand, by column: the first where it is its key, else all keyed by it."""
    first, homes = next(iter(words)), {}
    for name, contract in words.items():
        if len(contract.identity()) == 1:
            homes.setdefault(contract.identity()[0], []).append(name)
    return {column: [first] if first in names else names for column, names in homes.items()}


def _orphans(checked: Tables, whole: Words, words: Words) -> list[Finding]:
    """Return rows that name a parent (a loan its customer, a month its loan) who is not in the parent's table.

    So does a second table with the key of the first. Rows of the tables in `whole` are looked at, which broke no rule.
    """
    homes, (first, *_) = _homes(words), words
    key, findings = words[first].identity(), []
    for name, contract in whole.items():
        links = [*_links(contract), *(key if name != first and contract.identity() == key else [])]
        for column, other in [(c, o) for c in links for o in homes.get(c, []) if name not in homes[c] and o in whole]:
            if bool(contract[column].personal) != bool(whole[other][column].personal):
                rule = (
                    f"is personal here or in '{other}' alone, and a pseudonym joins no clear key; mark both or neither"
                )
                findings.append(_finding(contract, column, rule, checked[name][column], "error"))
                continue
            named, there = (_compared(checked[t][column], whole[t][column]) for t in (name, other))
            lost = checked[name][column][~named.isin(there.dropna().unique()).to_numpy()]
            if len(lost):
                stays = name != first and column not in key and set(key) <= set(links)  # by its account it has a place
                rule = f"names a {column} that is not in '{other}'" + ("" if stays else "; the row is left out")
                findings.append(_finding(contract, column, rule, lost))
    return findings


def _without_months(checked: Tables, whole: Words, words: Words) -> list[Finding]:
    """Return accounts of which no month is there: nothing can be said of how they behave."""
    homes, findings = _homes(words), []
    for month, of_months in whole.items():
        key = of_months.named("key")
        for name in homes.get(key[0], []) if of_months.entity == "month" and key else []:
            if name in whole:
                accounts, there = (_compared(checked[t][key[0]], whole[t][key[0]]) for t in (name, month))
                silent = checked[name][key[0]][~accounts.isin(there.unique()).to_numpy()]
                if len(silent):
                    findings.append(_finding(whole[name], key[0], f"has no row in '{month}'", silent))
    return findings


def _finding(contract: Contract, column: str, rule: str, values: pd.Series, severity: str = "warning") -> Finding:
    example = contracts.mask(values.iloc[0], contract[column])
    return contracts.finding(contract, column, rule, severity, len(values), example)


def depersonalised(checked: Tables, raw: Raw, p: Params) -> tuple[Tables, Evidence]:
    """Return the tables with identifiers as keyed pseudonyms, without other personal columns and forgotten persons.

    Fingerprints (keyed hashes) of what was replaced are kept, so that a page that shows one of the
    values later can be refused without the values themselves being stored anywhere.
    """
    key, rows, seen, out = pseudonyms.key(home.mlruns()), [], set(), {}
    linking = linking_key(p, key)
    for name, table in checked.items():
        personal = [c for c in raw[name][1].columns if c.personal]
        linked = {c.name: c.name.removesuffix("_id") for c in personal if c.role in ("key", "parent")}
        for column in personal:
            seen |= set(pseudonyms.fingerprints(_recognisable(table[column.name], column.personal), key))
            treatment = "keyed pseudonym" if column.name in linked else "not kept"
            rows.append((name, column.name, _KINDS.get(column.personal, column.personal), treatment))
        replaced = {n: pseudonyms.pseudonym(table[n], linking, prefix) for n, prefix in linked.items()}
        stays = table.drop(columns=[c.name for c in personal if c.name not in linked]).assign(**replaced)
        out[name] = forgotten.without(stays, list(linked), key)
    if seen:
        pseudonyms.save_fingerprints(home.mlruns(), p.study, seen)
    return out, _personal_evidence(pd.DataFrame(rows, columns=["table", "column", "kind", "treatment"]))


_KINDS = {"name": "name of a person"}  # of personal data, where a word says something else in another table


def linking_key(p: Params, key: bytes | None = None) -> bytes:
    """Return the key of the pseudonyms: the given or the home's; of simulated people, with nothing to hide, the seed's.

    The hold-out of a simulated study is drawn by pseudonym, and says the same in every home. A purpose has a key of its
    own, made from that one: tables of one purpose join, in whatever study; those of two don't.
    """
    simulated = catalog.source(p.portfolio).simulated
    base = (
        hashlib.sha256(f"{p.portfolio} {p.seed}".encode()).digest()
        if simulated
        else key or pseudonyms.key(home.mlruns())
    )
    return pseudonyms.purpose_key(base, p.purpose)


def _recognisable(values: pd.Series, kind: str) -> pd.Series:
    """Values that point to one person; a town alone does not, a street with its number does."""
    if kind != "address":
        return values
    return values[
        values.astype("string").str.contains(r"\d", na=False)
        & values.astype("string").str.contains(r"[^\W\d]", na=False)
    ]


def _personal_evidence(table: pd.DataFrame) -> Evidence:
    return Evidence(
        key="personal_data",
        question=say("Which personal data came in, and what became of it?"),
        verdict=Verdict.info,
        answer=say("{n: personal columns}; none of them leaves the intake in clear.", n=len(table))
        if len(table)
        else say("No personal columns."),
        value=len(table),
        source="HMAC-SHA256 with a key that stays on this machine (RFC 2104)",
        table=table,
    )


def core(clean: Tables, raw: Raw, p: Params) -> Core:
    """Return the core tables of the portfolio with their contracts: cleaned, typed, one row per thing.

    Where names are pseudonyms of this home, `core__account` says at which place of the raw file each entity stands
    (`file_row`): rows are ordered and samples drawn by it, so that every home holds the same rows out.
    """
    source = catalog.source(p.portfolio)
    made = source.core(clean, {name: contract for name, (_, contract) in raw.items()})
    table, contract = made["core__account"]
    by_home = not source.simulated and any(c.personal for c in contract.columns if c.role in ("key", "parent"))
    return {**made, "core__account": _placed(table, contract)} if by_home else made


def _placed(table: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, Contract]:
    """Return accounts with their places: those of the file's rows, which tell nothing that the file doesn't."""
    words = "place in the raw file; rows are ordered and samples drawn by it"
    column = Column(name=FILE_ROW, type="integer", role="ignore", description=words)
    return table.assign(**{FILE_ROW: range(len(table))}), contract.replaced([*contract.columns, column])


def outcome_table(clean: Tables, raw: Raw, account: tuple[pd.DataFrame, Contract]) -> tuple[pd.DataFrame, Contract]:
    """Return the table in which the outcome stands beside everything else known: the one file's, else the account's."""
    (name, (_, contract)), *others = raw.items()
    alone = contract.named("outcome") and contract.named("key") and not others
    return (in_memory(clean[name]), contract) if alone else account


def unscreened() -> Evidence:
    """Return the leakage evidence of files that record no outcome."""
    return Evidence(
        key="leakage",
        question=say("Does any column give the outcome away?"),
        verdict=Verdict.info,
        answer=say("No outcome is recorded in these files; it is derived from the months when the panel is built."),
        blind_to=say("columns filled in after what the panel will call the outcome"),
    )


def refused(core: Core, screened: Contract) -> Core:
    """Return the core tables with what the screen refused, and all that is made from it, marked as known afterwards."""
    late = {c.name for c in screened.columns if c.known == "after"}
    return {name: (table, _refused(contract, late)) for name, (table, contract) in core.items()}


def _refused(contract: Contract, late: set[str]) -> Contract:
    names = {name for source in late for name in (source, *contract.derived_from(source))}
    columns = [c.model_copy(update={"known": "after"}) if c.name in names else c for c in contract.columns]
    return contract.replaced(columns)


def snapshot(core_tables: Core, p: Params) -> Evidence:
    """Write every core table once, as Parquet, and return their digests as evidence."""
    rows = []
    for name, (table, contract) in core_tables.items():
        digest = _staged(name, table, contract, p)
        rows.append((name, len(table), table.shape[1], digest))
    written = pd.DataFrame(rows, columns=["table", "rows", "columns", "sha256"])
    return Evidence(
        key="snapshot",
        question=say("What exactly do the later steps stand on?"),
        verdict=Verdict.info,
        answer=say(
            "{tables: tables}, {rows:, rows}; the digests below name them from here on.",
            tables=len(written),
            rows=int(written["rows"].sum()),
        ),
        value=len(written),
        table=written,
    )


def _staged(name: str, table: pd.DataFrame | LargeTable, contract: Contract, p: Params) -> str:
    if not isinstance(table, LargeTable):
        return tables.write(p.key, name, table, contract)
    folder = engine.scratch()
    try:
        return tables.stage(p.key, name, table.file(folder / f"{name}.parquet"), contract, len(table))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def conclusion(core_tables: Core, outcome: pd.Series | None) -> Text:
    """Return what was taken in; where an outcome is recorded, its rate or mean over the file."""
    rows = sum(len(table) for table, _ in core_tables.values())
    text = say("**{rows:, rows} in {tables: tables}** are kept.", rows=rows, tables=len(core_tables))
    if outcome is None:
        return text
    what, known = core_tables["core__account"][1].outcome, int(outcome.notna().sum())
    mean = float(outcome.mean())
    if what.scale == "amount":
        return text + say("Recorded mean: **{mean:,.2f}** over {n:, rows}.", mean=mean, n=known)
    return text + say("Recorded {rate}: **{mean:.2%}** over {n:, rows}.", rate=what.rate, mean=mean, n=known)


def stop_if_red(evidence: list[Evidence], findings: list[Finding]) -> None:
    """Raise `UserError` where the contract is broken, so that nothing is modelled on it."""
    if worst(evidence) in (Verdict.red, Verdict.error):
        contracts.stop_on_errors(findings)
