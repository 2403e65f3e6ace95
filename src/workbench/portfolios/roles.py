"""Guess the roles in a draft: key, parent, outcome, as-of date, what is known only afterwards; and say why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from workbench.contracts import Column, Contract, as_text
from workbench.contracts.readings import typed
from workbench.portfolios import guesses
from workbench.portfolios.grain import ROWS_PER_VALUE
from workbench.portfolios.large import LargeTable
from workbench.portfolios.looks import Look
from workbench.words import say

_OF_WHOM = r"(customer|client|borrower|obligor|debtor|counterparty|account|asset|loan)_?(no|nr|num|number)$"
_OWNER = rf"(^|_)id$|^id_|{_OF_WHOM}|{guesses.CHINESE_NUMBER}"
_NEARLY = 0.95  # of the rows have an identifier of their own: a key in which some rows stand twice
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+\d{2}")
_PERIOD = r"^t$|month|period|date|year|月份|年月|账期|期次|日期"
_OUTCOME = (  # asked for in this order: a file may hold both an outcome `y` and a feature `default`
    r"^(is_)?(target|outcome|label|y|bad|bad_flag|good_bad)$|是否违约|违约|(逾期|坏账|好坏)(标志|标识)|是否(逾期|坏账)",
    r"churn|attrition|mis_status|creditability|default|charged_off|是否(流失|核销|响应|购买)|(流失|响应)(标志|标识)",
    r"(^|_)status$",
)
_BAD = r"chg|charge|off|bad|default|late|attrit|churn|^y(es)?$|^是$|坏|违约|逾期|流失|核销"
_GOOD = (
    r"(cured|(fully )?(re)?paid( (off|up|back|in full))?|(re)?performing|current|good|no|n"
    r"|正常|已?(结清|还清)|否|好)"
)
_FIRST_DATE = r"approv|applic|as_of|decision|originat|open|issue|申请|审批|放款|发放|开户|起息"
_CLEAR = 0.9  # filled for the bad and empty for the good, in so much more of the rows


_AS_KEY: dict[str, Any] = {
    "type": "text", "values": {}, "missing": (), "minimum": None, "breach": "error", "unit": "", "format": "",
    "personal": "identifier",
}  # fmt: skip

Looks = Mapping[str, Look]


def given(contract: Contract, raw: pd.DataFrame | LargeTable, looks: Looks) -> Contract:
    """Return the contract with the roles its columns seem to play in the raw table (n × k); `looks` by column name."""
    return _with_dates(_with_outcome(_with_key(contract, raw, looks), raw, looks), raw)


def why(c: Column, contract: Contract) -> str:
    """Return in a few words what a column's guesses rest on."""
    keys = contract.identity() if c.role == "key" else []
    is_first = c.role == "as_of" and contract.entity != "month"
    doubtful = any(n.startswith(f"Key '{c.name}'") for n in contract.notes)
    reasons = {
        "unique in every row": keys == [c.name] and not doubtful,
        "called like a key, but look at the notes": keys == [c.name] and doubtful,
        "unique in every row together with the other key": len(keys) > 1,
        "an identifier that stands in several rows: who owns them": c.role == "parent",
        "two values and called like an outcome": c.role == "outcome",
        "names a month together with the key": c.role == "as_of" and contract.entity == "month",
        "with its owner unique in every row": is_first and are_dated(contract),
        "earliest date, there in every row": is_first and not are_dated(contract),
        "personal by its name or its values": bool(c.personal) and c.role not in ("key", "parent"),
        "seems to be filled in afterwards": c.known == "after" and c.role != "outcome",
        "a group to compare treatment by": c.fairness,
        "code for missing by its place or name": bool(c.missing),
        "codes apart from all other values: write what each says behind it": bool(c.special),
        "an amount, though a few lie below zero: they become missing": c.minimum == 0 and c.breach == "warning",
        "empty, constant, free text, or more codes than make groups": c.role == "ignore" and not c.personal,
    }
    return "; ".join(r for r, holds in reasons.items() if holds) or "type from the values"


def _changed(contract: Contract, changes: Mapping[str, dict[str, Any]], **facts: Any) -> Contract:
    new = [c.model_copy(update=changes[c.name]) if c.name in changes else c for c in contract.columns]
    return contract.replaced(new, **facts)


def _with_key(contract: Contract, raw: pd.DataFrame | LargeTable, looks: Looks) -> Contract:
    """The first identifier unique in every row is the key; else one that nearly is; else an owner and a period.

    An owner beside the key, in several rows, is their parent.
    """
    called = [c for c in contract.columns if guesses.is_key(c) and c.personal in ("", "identifier")]
    owners = [c for c in called if guesses.is_called(_OWNER, c) and looks[c.name].different > guesses.MANY_CODES]
    key = next((c for c in called if looks[c.name].different == looks[c.name].rows), None)
    key = key or next((c for c in owners if looks[c.name].different >= _NEARLY * looks[c.name].rows), None)
    if key:
        notes = (*contract.notes, *_notes(key, looks[key.name]))
        parents = [c for c in owners if c is not key and 1 < _rows_per_value(looks[c.name]) <= ROWS_PER_VALUE]
        changes = {c.name: {**_AS_KEY, "role": "parent"} for c in parents[:1]}
        return _changed(contract, {**changes, key.name: {**_AS_KEY, "role": "key"}}, notes=notes)
    changes = {c.name: {**_AS_KEY, "role": "parent" if c is owners[0] else "ignore"} for c in owners}
    for c in owners:
        for period in [p for p in contract.columns if guesses.is_called(_PERIOD, p) and p is not c]:
            if not pd.DataFrame({n: raw[n] for n in (c.file_name, period.file_name)}).duplicated().any():
                identifiers = {n: {**change, "role": "ignore"} for n, change in changes.items()}
                if period.type == "date":
                    identifiers[c.name] = {**_AS_KEY, "role": "parent"}
                    identifiers[period.name] = {"role": "as_of", "breach": "error"}
                    return _changed(contract, identifiers, notes=(*contract.notes, in_rows(c, period)))
                dated = {**_AS_KEY, "role": "key", "type": period.type, "format": period.format, "personal": ""}
                return _changed(contract, {**identifiers, c.name: {**_AS_KEY, "role": "key"}, period.name: dated})
    return _changed(contract, changes)


def in_rows(owner: Column, period: Column) -> str:
    """What to know of a file that holds several dates of one owner."""
    return str(
        say(
            "A row is one '{owner}' on one '{period}': rows of one are drawn into one sample. An outcome that repeats "
            "in all of them is one, and a split by date would have it on both sides; better, give the months a file "
            "of their own.",
            owner=owner.file_name,
            period=period.file_name,
        )
    )


def are_dated(contract: Contract) -> bool:
    """Say whether a draft takes its rows for those of one owner on several dates."""
    pairs = zip(contract.named("parent"), contract.named("as_of"), strict=False)
    return any(in_rows(contract[owner], contract[period]) in contract.notes for owner, period in pairs)


def _rows_per_value(seen: Look) -> float:
    return seen.known / max(seen.different, 1)


def _notes(key: Column, seen: Look) -> list[str]:
    notes = []
    if seen.different < seen.rows:
        repeated = say(
            "Key '{key}': {again:,} of {rows:,} rows repeat a value or have none; remove them, or name the columns "
            "that make a row unique.",
            key=key.name,
            again=seen.rows - seen.different,
            rows=seen.rows,
        )
        notes.append(str(repeated))
    if any(_SCIENTIFIC.fullmatch(t) for t in seen.texts):
        lost = say("Key '{key}' is in scientific notation, its digits are lost: export it as text.", key=key.name)
        notes.append(str(lost))
    return notes


def _with_outcome(contract: Contract, raw: pd.DataFrame | LargeTable, looks: Looks) -> Contract:
    """The two-valued column most plainly called an outcome is it; columns filled for the bad only came after it."""
    free = [c for c in contract.columns if not c.personal and c.role not in ("key", "parent")]
    named = [c for pattern in _OUTCOME for c in free if guesses.is_called(pattern, c)]
    c = next((c for c in named if looks[c.name].different == 2), None)
    if c is None:
        return contract
    contract = contract.model_copy(update={"notes": (*contract.notes, *_passed_over(named, c, looks))})
    seen = looks[c.name]
    bad = _bad(seen)
    is_bad = (as_text(raw[c.file_name]) == bad).fillna(False).astype(bool)
    outcome = {"role": "outcome", "type": "category", "known": "after", "breach": "error", "missing": (), "unit": ""}
    changes: dict[str, dict[str, Any]] = {n: {"known": "after"} for n in _filled_for_bad(contract, raw, looks, is_bad)}
    changes[c.name] = {**outcome, "values": {v: v for v in sorted(seen.texts)}, "minimum": None}
    return _changed(contract, changes, event_value=bad)


def _passed_over(named: list[Column], outcome: Column, looks: Looks) -> Iterator[str]:
    """What is called an outcome more plainly than the column taken, but hasn't two values."""
    for c in named[: named.index(outcome)]:
        note = say(
            "{column}: called more like an outcome than '{outcome}', but the number of its values is {values:,}, not "
            "2; look which is the outcome, and say `known: after` of the other.",
            column=c.name,
            outcome=outcome.name,
            values=looks[c.name].different,
        )
        yield str(note)


def _bad(seen: Look) -> str:
    """The code called like something bad, else the one beside what is called good, else the rarer one."""
    good = {v for v in seen.texts if re.fullmatch(_GOOD, re.sub(r"[\W_]+", " ", v).strip(), re.I)}
    others = [v for v in seen.texts if v not in good]
    called = [v for v in others if re.search(_BAD, v, re.I)]
    for choice in (called, others):
        if len(choice) == 1:
            return choice[0]
    return seen.texts[-1]


def _filled_for_bad(contract: Contract, raw: pd.DataFrame | LargeTable, looks: Looks, bad: pd.Series) -> list[str]:
    names = []
    for c in contract.columns:
        seen = looks[c.name]
        zeros = sum(n for t, n in zip(seen.texts, seen.counts, strict=True) if t == "0")
        if seen.rows - seen.known + zeros < _CLEAR * (~bad).sum():  # too few are empty
            continue
        filled = raw[c.file_name].notna() & ~as_text(raw[c.file_name]).isin(["", "0"])
        if filled[bad].mean() - filled[~bad].mean() > _CLEAR:
            names.append(c.name)
    return names


def _with_dates(contract: Contract, raw: pd.DataFrame | LargeTable) -> Contract:
    """The as-of date is there in every row, by its name or before the others; dates mostly later came after it."""
    if not contract.named("outcome") or contract.named("as_of"):
        return contract
    free = {c.name for c in contract.columns if c.role == "fact"}
    dates = {c.name: typed(raw[c.file_name], c, contract)[0] for c in contract.columns if c.type == "date"}
    whole = [n for n, d in dates.items() if n in free and d.notna().all() and d.nunique() > 1]
    if not whole:
        return contract
    named = [n for n in whole if guesses.is_called(_FIRST_DATE, contract[n])]
    first = named[0] if named else min(whole, key=lambda n: dates[n].median())
    later = [n for n, d in dates.items() if n != first and (d > dates[first])[d.notna()].mean() > 0.5]
    changes: dict[str, dict[str, Any]] = {n: {"known": "after"} for n in later}
    return _changed(contract, {**changes, first: {"role": "as_of", "breach": "error"}})
