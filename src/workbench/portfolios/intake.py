"""Take a portfolio in: read, check against its contract, replace personal data, keep one snapshot."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from workbench import contracts, home, params, pseudonyms, tables
from workbench.contracts import Contract, Finding
from workbench.evidence import Evidence, Verdict, worst
from workbench.params import UserError
from workbench.portfolios import catalog
from workbench.portfolios.files import read_raw, readable


class Params(params.Params):
    """What the intake is told."""

    portfolio: str = Field("taiwan_cards", description="embedded portfolio, simulated_bank or own_file")
    file: str = Field("", description="own_file: path of the CSV or Parquet file, from the workbench's folder")
    contract: str = Field("", description="own_file: path of its contract (YAML)")
    sample_rows: int = Field(4000, ge=0, description="rows taken at random; 0 takes all")
    simulation: dict[str, Any] = Field({}, description="simulated_bank: parameters of the simulation")
    today: str = Field(
        "", pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="dates after it are impossible; empty is today"
    )
    seed: int = Field(42, ge=0, description="seed of the sample")

    def verify(self) -> None:
        """Raise `UserError` for an unknown portfolio, a contract nothing can be built on, a simulation out of range."""
        catalog.known(self.portfolio)
        if self.portfolio == catalog.SIMULATED:
            from workbench.portfolios import simulated_core

            simulated_core.parameters(self.simulation, self.seed)
        if self.portfolio == catalog.OWN_FILE:
            data, words = files(self)
            contract = contracts.load(words).with_outcome()
            readable(data, contract)


def reads(p: Params) -> list[str]:
    """Tables this step reads: none, it reads a raw file."""
    return []


def writes(p: Params) -> list[str]:
    """Tables this step writes."""
    if p.portfolio == catalog.SIMULATED:
        return ["core__account", "core__month", "core__macro"]
    has_months = p.portfolio == "taiwan_cards"
    return ["core__account", "core__month"] if has_months else ["core__account"]


def files(p: Params) -> list[Path]:
    """Raw files this step reads, checked to be there before a kernel starts."""
    if p.portfolio == catalog.OWN_FILE:
        if not p.file or not p.contract:
            raise UserError("portfolios/intake: portfolio own_file needs both `file` and `contract`")
        return [own_path(p.file), own_path(p.contract)]
    return [] if p.portfolio == catalog.SIMULATED else [catalog.raw_file(p.portfolio)]


def own_path(given: str) -> Path:
    """Return where a user's file lies: as given from the workbench's folder, else by name in `WORKBENCH_DATA`.

    Raises `UserError` where it is in neither.
    """
    places = [home.root() / given]
    if folder := os.environ.get("WORKBENCH_DATA"):
        places.append(Path(folder) / Path(given).name)
    found = next((p for p in places if p.is_file()), None)
    if found is None and any(p.is_dir() for p in places):
        raise UserError(f"portfolios/intake: '{given}' is a folder; name the file in it")
    if found is None:
        where = "the workbench's folder" + (" and WORKBENCH_DATA" if len(places) > 1 else "; or set WORKBENCH_DATA")
        raise UserError(f"portfolios/intake: file '{given}' is not there (looked from {where})")
    return found


def raw_tables(p: Params) -> dict[str, tuple[pd.DataFrame, Contract]]:
    """Return the raw tables with their contracts, as they came (sampled where the parameters say so)."""
    if p.portfolio == catalog.SIMULATED:
        from workbench.portfolios import simulated_core

        return simulated_core.raw_tables(p.simulation, p.seed)
    own = p.portfolio == catalog.OWN_FILE
    data, words = files(p) if own else (catalog.raw_file(p.portfolio), catalog.DATA / f"{p.portfolio}.yaml")
    contract = contracts.load(words)
    raw = read_raw(data, contract)
    if 0 < p.sample_rows < len(raw):
        raw = raw.sample(p.sample_rows, random_state=p.seed).sort_index(ignore_index=True)
    return {contract.name: (raw, contract)}


def check(raw: dict[str, tuple[pd.DataFrame, Contract]], p: Params) -> tuple[dict[str, pd.DataFrame], list[Finding]]:
    """Return every table typed under its contract's names, and all findings."""
    today = pd.Timestamp(p.today or date.today())
    checked, findings = {}, []
    for name, (table, contract) in raw.items():
        checked[name], found = contracts.check(table, contract, today)
        findings += found
    return checked, findings + _orphans(checked, raw)


def _orphans(checked: dict[str, pd.DataFrame], raw: dict[str, tuple[pd.DataFrame, Contract]]) -> list[Finding]:
    """Return rows that name a parent (a loan its customer) who is not in the parent's table."""
    keys = {c.named("key")[0]: name for name, (_, c) in raw.items() if len(c.named("key")) == 1}
    found = []
    for name, (_, contract) in raw.items():
        for parent in [c for c in contract.named("parent") if c in keys]:
            lost = checked[name][~checked[name][parent].isin(checked[keys[parent]][parent])]
            if len(lost):
                example = contracts.mask(lost[parent].iloc[0], contract[parent])
                rule = f"names a {parent} that is not in '{keys[parent]}'; the row is left out"
                found.append(
                    Finding(
                        table=contract.name,
                        column=parent,
                        rule=rule,
                        severity="warning",
                        rows=len(lost),
                        examples=example,
                    )
                )
    return found


def depersonalised(
    checked: dict[str, pd.DataFrame], raw: dict[str, tuple[pd.DataFrame, Contract]], p: Params
) -> tuple[dict[str, pd.DataFrame], Evidence]:
    """Return the tables with identifiers as keyed pseudonyms and other personal columns dropped.

    Fingerprints (keyed hashes) of what was replaced are kept, so that a page that shows one of the
    values later can be refused without the values themselves being stored anywhere.
    """
    key, rows, seen, out = pseudonyms.key(home.mlruns()), [], set(), {}
    for name, table in checked.items():
        table = table.copy()
        for column in [c for c in raw[name][1].columns if c.personal]:
            seen |= set(pseudonyms.fingerprints(_recognisable(table[column.name], column.personal), key))
            linked = column.role in ("key", "parent")
            table[column.name] = (
                pseudonyms.pseudonym(table[column.name], key, column.name.removesuffix("_id")) if linked else None
            )
            rows.append((name, column.name, column.personal, "keyed pseudonym" if linked else "not kept"))
        out[name] = table.drop(
            columns=[c.name for c in raw[name][1].columns if c.personal and c.role not in ("key", "parent")]
        )
    if seen:
        pseudonyms.save_fingerprints(home.mlruns(), p.study, seen)
    return out, _personal_evidence(pd.DataFrame(rows, columns=["table", "column", "kind", "treatment"]))


def _recognisable(values: pd.Series, kind: str) -> pd.Series:
    """Values that point to one person; a town alone does not, a street with its number does."""
    if kind != "address":
        return values
    return values[
        values.astype("string").str.contains(r"\d", na=False)
        & values.astype("string").str.contains(r"[^\W\d]", na=False)
    ]


def _personal_evidence(table: pd.DataFrame) -> Evidence:
    answer = (
        f"{len(table)} personal columns; none of them leaves the intake in clear."
        if len(table)
        else "No personal columns."
    )
    return Evidence(
        key="personal_data",
        question="Which personal data came in, and what became of it?",
        verdict=Verdict.info,
        answer=answer,
        value=len(table),
        source="HMAC-SHA256 with a key that stays on this machine (RFC 2104)",
        table=table,
    )


def core(checked: dict[str, pd.DataFrame], contract: Contract, p: Params) -> dict[str, tuple[pd.DataFrame, Contract]]:
    """Return the core tables of the portfolio with their contracts: cleaned, typed, one row per thing."""
    module = catalog.source(p.portfolio if p.portfolio != catalog.SIMULATED else "simulated_core")
    if module is not None:
        return module.core(checked, contract)
    kept = [c for c in contract.columns if c.role != "ignore" and (not c.personal or c.role in ("key", "parent"))]
    table = checked[contract.name][[c.name for c in kept]]
    if not contract.named("key"):
        table = table.assign(entity_id=[f"row_{i:07d}" for i in range(len(table))])
        kept = [
            *kept,
            contracts.Column(name="entity_id", type="text", role="key", description="row number in the file"),
        ]
    return {"core__account": (table, contract.replaced(kept))}


def outcome_table(
    clean: dict[str, pd.DataFrame],
    raw: dict[str, tuple[pd.DataFrame, Contract]],
    account: tuple[pd.DataFrame, Contract],
) -> tuple[pd.DataFrame, Contract]:
    """Return the table in which the outcome stands beside everything else known: the file's own, else the account's."""
    for name, (_, contract) in raw.items():
        if contract.named("outcome") and contract.named("key"):
            return clean[name], contract
    return account


def refused(contract: Contract, screened: Contract) -> Contract:
    """Return the contract with every column that the screen refused marked as known only afterwards."""
    late = {c.name for c in screened.columns if c.known == "after"}
    return contract.replaced(
        [c.model_copy(update={"known": "after"}) if c.name in late else c for c in contract.columns]
    )


def snapshot(core_tables: dict[str, tuple[pd.DataFrame, Contract]], p: Params) -> Evidence:
    """Write every core table once, as Parquet, and return their digests as evidence."""
    rows = []
    for name, (table, contract) in core_tables.items():
        digest = tables.write(p.key, name, table, contract)
        rows.append((name, len(table), table.shape[1], digest))
    kept = pd.DataFrame(rows, columns=["table", "rows", "columns", "sha256"])
    answer = f"{len(kept)} tables, {kept['rows'].sum():,} rows; the digests below name them from here on."
    return Evidence(
        key="snapshot",
        question="What exactly do the later steps stand on?",
        verdict=Verdict.info,
        answer=answer,
        value=len(kept),
        table=kept,
    )


def stop_if_red(evidence: list[Evidence], findings: list[Finding]) -> None:
    """Raise `UserError` where the contract is broken, so that nothing is modelled on it."""
    if worst(evidence) in (Verdict.red, Verdict.error):
        contracts.stop_on_errors(findings)
