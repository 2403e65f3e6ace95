"""Take a portfolio in: read, check against its contract, replace personal data, keep one snapshot."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from workbench import contracts, engine, home, pseudonyms, tables
from workbench.contracts import Column, Contract, Finding
from workbench.contracts.fields import FILE_ROW
from workbench.evidence import Evidence, Verdict, worst
from workbench.portfolios import catalog, forgotten, unmarked
from workbench.portfolios.large import LargeTable, in_memory
from workbench.portfolios.source import Core, Request, Tables, Words
from workbench.words import Text, names, say

Raw = dict[str, tuple[pd.DataFrame | LargeTable, Contract]]


class Params(Request):
    """What the intake is told."""

    sample_rows: int = Field(4000, ge=0, description="rows taken at random; 0 takes all")
    purpose: str = Field(
        "",
        pattern=r"^[a-z0-9_]{0,40}$",
        description="what the data are for: pseudonyms of two purposes can't be joined; empty is the home's own",
    )
    today: str = Field(
        "", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="dates after it are impossible; empty is today"
    )

    def verify(self) -> None:
        """Raise `UserError` for an unknown portfolio, and for what its source can't do."""
        catalog.source(self.portfolio).verify(self)


def reads(p: Params) -> list[str]:
    """Tables this step reads: none, it reads raw files."""
    return []


def writes(p: Params) -> list[str]:
    """Tables this step writes."""
    return catalog.source(p.portfolio).writes(p)


def files(p: Params) -> list[Path]:
    """Raw files this step reads, checked to be there before a kernel starts."""
    return [*catalog.source(p.portfolio).files(p), *forgotten.places()]


def raw_tables(p: Params) -> Raw:
    """Return the raw tables as they came (sampled where the parameters say so), with their contracts.

    Columns that hold personal data or free text are marked in these, where the contract's file doesn't say it.
    """
    source = catalog.source(p.portfolio)
    words, raw = source.words(p), source.raw(p)
    columns = [c for contract in words.values() for c in contract.columns]
    names.learn({c.name: c.description for c in columns}, {c.name: c.unit for c in columns})
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
                codes = set(_codes(out[other], words[other], column))
                drawn = drawn.take(np.flatnonzero(_codes(drawn, contract, column).isin(codes)))
        out[name] = drawn if isinstance(drawn, LargeTable) else drawn.reset_index(drop=True)
    return out


def _drawn(of: int, rows: int, seed: int) -> np.ndarray:
    """Return the positions of the rows that are drawn, in order."""
    return np.sort(pd.Series(range(of)).sample(rows, random_state=seed).to_numpy())


def _codes(table: pd.DataFrame | LargeTable, contract: Contract, column: str) -> pd.Series:
    return contracts.as_text(table[contract[column].file_name])


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
        checked[name], warnings = unmarked.without(checked[name], contract)
        findings += [*breaches, *unmarked.findings(contract, given[name], len(table)), *warnings]
    broken = {f.table for f in findings if f.severity == "error"}
    whole = {n: c for n, (_, c) in raw.items() if c.name not in broken}
    return checked, [*findings, *_orphans(checked, whole), *_without_months(checked, whole)]


def _orphans(checked: Tables, words: Words) -> list[Finding]:
    """Return rows that name a parent (a loan its customer, a month its loan) who is not in the parent's table."""
    keys = {c.identity()[0]: name for name, c in words.items() if len(c.identity()) == 1}
    findings = []
    for name, contract in words.items():
        for column in [c for c in _links(contract) if keys.get(c, name) != name]:
            named = checked[name][column]
            lost = named[~named.isin(checked[keys[column]][column].unique())]
            if len(lost):
                rule = f"names a {column} that is not in '{keys[column]}'; the row is left out"
                findings.append(_finding(contract, column, rule, lost))
    return findings


def _without_months(checked: Tables, words: Words) -> list[Finding]:
    """Return accounts of which no month is there: nothing can be said of how they behave."""
    findings = []
    for month, of_months in words.items():
        for name, contract in words.items() if of_months.entity == "month" else ():
            if contract.identity() == (key := of_months.named("key")):
                accounts = checked[name][key[0]]
                silent = accounts[~accounts.isin(checked[month][key[0]].unique())]
                if len(silent):
                    findings.append(_finding(contract, key[0], f"has no row in '{month}'", silent))
    return findings


def _finding(contract: Contract, column: str, rule: str, values: pd.Series) -> Finding:
    example = contracts.mask(values.iloc[0], contract[column])
    return Finding(
        table=contract.name, column=column, rule=rule, severity="warning", rows=len(values), examples=example
    )


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
            rows.append((name, column.name, column.personal, treatment))
        replaced = {n: pseudonyms.pseudonym(table[n], linking, prefix) for n, prefix in linked.items()}
        stays = table.drop(columns=[c.name for c in personal if c.name not in linked]).assign(**replaced)
        out[name] = forgotten.without(stays, list(linked), key)
    if seen:
        pseudonyms.save_fingerprints(home.mlruns(), p.study, seen)
    return out, _personal_evidence(pd.DataFrame(rows, columns=["table", "column", "kind", "treatment"]))


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
