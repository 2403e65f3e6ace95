"""Draft a contract from a file: key, outcome, as-of date and what is known only afterwards; each guess is marked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.contracts import Column, Contract, as_text
from workbench.contracts.readings import typed
from workbench.contracts.words import in_words
from workbench.params import UserError
from workbench.portfolios import guesses
from workbench.portfolios.files import dialect, read_raw

_KEY = r"(^|_)(id|nr|key)(_|$)|_(no|num|number)$|clientnum|编号|号码"
_OWNER = r"(^|_)id$|^id_|(customer|client|account|asset|loan)_?(no|nr|num|number)$"
_PERIOD = r"^t$|month|period|date|year"
_OUTCOME = (  # asked for in this order: a file may hold both an outcome `y` and a feature `default`
    r"^(is_)?(target|outcome|label|y|bad|bad_flag|good_bad)$|是否违约|违约",
    r"churn|attrition|mis_status|creditability|default|charged_off",
    r"(^|_)status$",
)
_BAD = r"chg|charge|off|bad|default|late|attrit|churn|^y(es)?$"
_FIRST_DATE = r"approv|applic|as_of|decision|originat|open|issue"
_CLEAR = 0.9  # filled for the bad and empty for the good, in so much more of the rows

_HEAD = (
    "# Drafted: confirm each `guessed` line (type, role, personal, known before or after the decision), then remove it."
)


def draft(path: Path) -> Contract:
    """Return a contract drafted from a CSV or Parquet file; what had to be guessed is marked `guessed`.

    Encoding, delimiter and thousand separators are guessed, too. Raises `UserError` where the file
    can't be read or has one column only.
    """
    name = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_") or "table"
    empty = Contract(name=name, title=path.name, columns=(), **dialect(path))
    raw = read_raw(path, empty)
    if raw.shape[1] < 2:
        raise UserError(f"{path.name}: one column only; is the delimiter another one?")
    columns = [_column(raw[c], n, str(c)) for c, n in zip(raw.columns, _names(raw), strict=True)]
    thousands = "," if any(guesses.is_grouped(raw[c.file_name]) for c in columns if c.type != "text") else ""
    contract = empty.model_copy(update={"columns": tuple(columns), "thousands": thousands})
    return _with_dates(_with_outcome(_with_key(contract, raw), raw), raw)


def to_yaml(contract: Contract) -> str:
    """Return the contract as YAML a person can correct: one line per column, only what differs from the defaults."""
    facts = {k: v for k, v in contract.model_dump(mode="json").items() if k != "columns"}
    defaults = Contract(name="draft", title="", columns=()).model_dump(mode="json")
    head = [f"{k}: {_quoted(v)}" for k, v in facts.items() if v and v != defaults[k]]
    return "\n".join([_HEAD, *head, "columns:", *(_line(c, contract) for c in contract.columns)]) + "\n"


def _line(c: Column, contract: Contract) -> str:
    defaults = {n: f.default for n, f in Column.model_fields.items()}
    facts = {k: v for k, v in c.model_dump(mode="json").items() if k in ("name", "type") or v != defaults[k]}
    if facts.get("description") == in_words(c.name):
        del facts["description"]
    shown = ", ".join(f"{k}: {_quoted(v)}" for k, v in facts.items() if v not in ([], {}))
    return f"  - {{{shown}}}" + (f"  # guessed: {_why(c, contract)}" if c.guessed else "")


def _quoted(value: Any) -> str:
    """JSON is YAML, but for control characters, which YAML wants escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def _why(c: Column, contract: Contract) -> str:
    """Return in a few words what a column's guesses rest on."""
    keys = contract.identity()
    reasons = {
        "unique in every row": keys == [c.name],
        "unique in every row together with the other key": c.name in keys and len(keys) > 1,
        "names a row of another file": c.role == "parent",
        "two values and called like an outcome": c.role == "outcome",
        "earliest date, there in every row": c.role == "as_of" and c.name not in keys,
        "personal by its name or its values": bool(c.personal) and c.role != "key",
        "seems to be filled in afterwards": c.known == "after" and c.role != "outcome",
        "a group to compare treatment by": c.fairness,
        "code for missing by its place or name": bool(c.missing),
        "an amount, though a few lie below zero: they become missing": c.minimum == 0 and c.breach == "warning",
        "empty, constant or free text": c.role == "ignore" and not c.personal,
    }
    return "; ".join(r for r, holds in reasons.items() if holds) or "type from the values"


def _names(raw: pd.DataFrame) -> list[str]:
    """Return names in the house's form, each once; what has no Latin letter gets its position."""
    names: list[str] = []
    for i, source in enumerate(raw.columns, 1):
        words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", str(source))
        words = re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()
        name = words if re.match(r"[a-z]", words) else f"column_{i}"
        names.append(name if name not in names else f"{name}_{i}")
    return names


def _column(values: pd.Series, name: str, source: str) -> Column:
    kind, person = guesses.type_of(values, name), guesses.personal(values, name, source)
    facts: dict[str, Any] = {"name": name, "source": source if source != name else "", "type": kind, "guessed": True}
    if person:
        return Column(**{**facts, "type": "text", "role": "ignore", "personal": person})
    facts |= {"aspect": guesses.aspect(name), "fairness": guesses.is_fairness(f"{name}_{source}")}
    facts |= {"known": "after" if guesses.is_afterwards(name) else "before"}
    facts |= {"missing": guesses.missing_codes(values, kind)}
    if kind == "text" or values.nunique() < 2:
        facts |= {"role": "ignore"}
    elif kind == "category":
        facts |= {"values": _codes(values, facts["missing"]), "breach": "warning"}
    elif kind == "date":
        facts |= {"role": "fact", "breach": "warning"}
    else:
        known = values[~as_text(values).isin(facts["missing"])]
        negative = guesses.below_zero(known, name)
        facts |= {} if negative is None else {"minimum": 0} | ({"breach": "warning"} if negative else {})
    return Column(**facts)


def _codes(values: pd.Series, missing: tuple[str, ...]) -> dict[str, str]:
    codes = sorted(c for c in as_text(values).dropna().unique() if c and c not in missing)
    return {c: c for c in codes} if len(codes) <= guesses.FEW_CODES else {}


def _changed(contract: Contract, changes: dict[str, dict[str, Any]], **facts: Any) -> Contract:
    new = [c.model_copy(update=changes.get(c.name, {})) for c in contract.columns]
    return contract.replaced(new, **facts)


def _with_key(contract: Contract, raw: pd.DataFrame) -> Contract:
    """The first column unique in every row and called like an identifier is the key; else an owner and a period."""
    as_key = {"role": "key", "type": "text", "values": {}, "missing": (), "minimum": None, "breach": "error"}
    named = [c for c in contract.columns if re.search(_KEY, c.name) or re.search(_KEY, c.source)]
    for c in named:
        if raw[c.file_name].is_unique and raw[c.file_name].notna().all():
            return _changed(contract, {c.name: {**as_key, "personal": "identifier"}})
    owners = [c for c in named if re.search(_OWNER, c.name) and raw[c.file_name].nunique() > guesses.MANY_CODES]
    hidden = {c.name: {**as_key, "role": "ignore", "personal": "identifier"} for c in owners}
    for c in owners:
        for period in [p for p in contract.columns if re.search(_PERIOD, p.name) and p is not c]:
            if not raw.duplicated([c.file_name, period.file_name]).any():
                both = {c.name: {**as_key, "personal": "identifier"}, period.name: {**as_key, "type": period.type}}
                return _changed(contract, {**hidden, **both})
    return _changed(contract, hidden)


def _with_outcome(contract: Contract, raw: pd.DataFrame) -> Contract:
    """The two-valued column most plainly called an outcome is it; columns filled for the bad only came after it."""
    free = [c for c in contract.columns if not c.personal and c.role != "key"]
    named = [c for pattern in _OUTCOME for c in free if re.search(pattern, c.name) or re.search(pattern, c.source)]
    for c in named:
        codes = as_text(raw[c.file_name])
        if codes.nunique() != 2:
            continue
        bad = _bad(codes.dropna())
        outcome = {"role": "outcome", "type": "category", "known": "after", "breach": "error", "missing": ()}
        changes = {name: {"known": "after"} for name in _filled_for_bad(contract, raw, codes == bad)}
        changes[c.name] = {**outcome, "values": {v: v for v in sorted(codes.dropna().unique())}, "minimum": None}
        return _changed(contract, changes, event_value=bad)
    return contract


def _bad(codes: pd.Series) -> str:
    """The code called like something bad, else the rarer one."""
    called = [v for v in codes.unique() if re.search(_BAD, v, re.I)]
    return str(called[0] if len(called) == 1 else codes.value_counts().index[-1])


def _filled_for_bad(contract: Contract, raw: pd.DataFrame, bad: pd.Series) -> list[str]:
    bad = bad.fillna(False).astype(bool)
    found = []
    for c in contract.columns:
        values = raw[c.file_name]
        filled = values.notna() & ~as_text(values).isin(["", "0"])
        if filled[bad].mean() - filled[~bad].mean() > _CLEAR:
            found.append(c.name)
    return found


def _with_dates(contract: Contract, raw: pd.DataFrame) -> Contract:
    """The as-of date is there in every row, by its name or before the others; dates mostly later came after it."""
    dates = {c.name: typed(raw[c.file_name], c, contract)[0] for c in contract.columns if c.type == "date"}
    whole = [n for n, d in dates.items() if d.notna().all() and d.nunique() > 1 and contract[n].role == "fact"]
    if not whole or not contract.named("outcome"):
        return contract
    named = [n for n in whole if re.search(_FIRST_DATE, n)]
    first = named[0] if named else min(whole, key=lambda n: dates[n].median())
    later = [n for n, d in dates.items() if n != first and (d > dates[first])[d.notna()].mean() > 0.5]
    changes: dict[str, dict[str, Any]] = {n: {"known": "after"} for n in later}
    return _changed(contract, {**changes, first: {"role": "as_of", "breach": "error"}})
