"""Draft a contract from a file: types, roles, personal data and leaks guessed, each guess marked to be confirmed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.contracts import Column, Contract, as_text
from workbench.params import UserError
from workbench.portfolios.files import read_raw

FEW_CODES = 30  # a column with at most so many different values holds codes
_PERSONAL = {
    "name": r"(^|_)name$|姓名",
    "identifier": r"national_?id|ssn|passport|id_?card|tax_?id|身份证",
    "contact": r"phone_?(no|num)|mobile$|telephone_?n|e_?mail_?addr|^email$|^phone$|手机|电话",
    "address": r"address|street|^city$|^zip|postcode|postal|地址",
}
_OUTCOME = r"^(is_)?(default|target|bad|y|outcome|churn|label|mis_status)|attrition|default|creditability|loan_status"
_AFTERWARDS = r"charge?_?off|chg_?off|chargeoff|recover|collect|total_py?mnt|write_?off|loss|closed_date|settle"
_FAIRNESS = r"sex|gender|(^|_)age(_|$)|marital|marriage|family_status|foreign|nationality|ethnic|race|religion"
_ASPECT = {
    "capacity": r"income|salary|payment|pymnt|burden|dti|installment|instalment|open_to_buy",
    "size": r"limit|amount|_amt|balance|loan_amnt|gross|_bal($|_)|appv",
    "credit_record": r"delinq|late|overdue|past_due|default|credit_history|inq",
    "relationship": r"months_on_book|tenure|since|relationship|contacts|inactive",
    "offer": r"rate|term|product|card_category|purpose",
}


def draft(path: Path) -> Contract:
    """Return a contract drafted from a CSV or Parquet file; what had to be guessed is marked `guessed`."""
    raw = read_raw(path)
    if raw.shape[1] < 2:
        raise UserError(f"{path.name}: one column only; is the delimiter another one?")
    columns = [_column(raw[c], str(c)) for c in raw.columns]
    columns = _with_key(columns, raw)
    columns, bad_value = _with_outcome(columns, raw)
    name = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")
    return Contract(name=name or "table", title=path.name, columns=tuple(columns), bad_value=bad_value)


def _snake(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    words = re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()
    return words if re.match(r"[a-z]", words) else f"c_{words or abs(hash(name)) % 1000}"


def _column(values: pd.Series, source: str) -> Column:
    name, kind = _snake(source), _type(values)
    facts: dict[str, Any] = {"guessed": True}
    personal = next(
        (p for p, pattern in _PERSONAL.items() if re.search(pattern, name) or re.search(pattern, source)), ""
    )
    if personal:
        facts |= {"personal": personal, "role": "ignore", "type": "text"}
    elif kind == "text":
        facts |= {"role": "ignore"}
    if re.search(_AFTERWARDS, name):
        facts |= {"known": "after"}
    if re.search(_FAIRNESS, name) and not personal:
        facts |= {"fairness": True}
    if kind == "category" and not personal:
        codes = sorted(str(v) for v in as_text(values).dropna().unique())
        facts |= {"values": {c: c for c in codes}, "breach": "warning"}
    aspect = next((a for a, pattern in _ASPECT.items() if re.search(pattern, name)), "basics")
    return Column(**{"name": name, "source": source if source != name else "", "type": kind, "aspect": aspect, **facts})


def _type(values: pd.Series) -> str:
    known = values.dropna()
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return "category" if known.nunique() <= 2 else "integer" if (known % 1 == 0).all() else "number"
    text = known.astype(str).str.strip()
    numbers = pd.to_numeric(text.str.replace(",", ""), errors="coerce")
    if len(text) and numbers.notna().mean() > 0.99:
        long = text.str.fullmatch(r"\d{11,}").mean() > 0.5
        return (
            "text"
            if long
            else "category"
            if known.nunique() <= 2
            else "integer"
            if (numbers.dropna() % 1 == 0).all()
            else "number"
        )
    dates = pd.to_datetime(text.head(500), errors="coerce", format="mixed")
    if len(text) and dates.notna().mean() > 0.99 and text.head(500).str.contains(r"\d{4}").all():
        return "date"
    return "category" if known.nunique() <= FEW_CODES else "text"


def _with_key(columns: list[Column], raw: pd.DataFrame) -> list[Column]:
    """The first column that is unique in every row and is called like an identifier is the key."""
    unique = [c for c in columns if raw[c.file_name].is_unique and raw[c.file_name].notna().all()]
    named = [c for c in unique if re.search(r"(^|_)(id|no|nr|num|number|key)(_|$)|clientnum", c.name)]
    if not named:
        return columns
    key = named[0]
    changed = key.model_copy(
        update={"role": "key", "type": "text", "personal": "identifier", "values": {}, "breach": "error"}
    )
    return [changed if c is key else c for c in columns]


def _with_outcome(columns: list[Column], raw: pd.DataFrame) -> tuple[list[Column], str]:
    """The first two-valued column called like an outcome is it; its rarer value is taken for bad."""
    for c in columns:
        codes = as_text(raw[c.file_name]).dropna()
        if codes.nunique() == 2 and re.search(_OUTCOME, c.name) and not c.personal and c.role != "key":
            changed = {
                "role": "outcome",
                "type": "category",
                "known": "after",
                "values": {v: v for v in sorted(codes.unique())},
            }
            new = c.model_copy(update={**changed, "breach": "error"})
            return [new if x is c else x for x in columns], _bad(codes)
    return columns, ""


def _bad(codes: pd.Series) -> str:
    """The code called like something bad, else the rarer one."""
    called = [v for v in codes.unique() if re.search(r"chg|off|bad|default|late|attrit|churn", v, re.I)]
    return str(called[0] if len(called) == 1 else codes.value_counts().index[-1])


def to_yaml(contract: Contract) -> str:
    """Return the contract as YAML a person can correct: one line per column, only what differs from the defaults."""
    lines = [
        "# Drafted from the file. Look at every column: type, role, personal, known (before or after the decision),",
        "# values. Remove `guessed` from what you have confirmed. One column is the outcome, bad_value its bad code.",
        f"name: {contract.name}",
        f"title: {json.dumps(contract.title, ensure_ascii=False)}",
        f"bad_value: {json.dumps(contract.bad_value)}",
        "columns:",
    ]
    defaults = {n: f.default for n, f in Column.model_fields.items()}
    for c in contract.columns:
        kept = {k: v for k, v in c.model_dump(mode="json").items() if k in ("name", "type") or v != defaults.get(k)}
        kept = {k: v for k, v in kept.items() if v not in ([], {})}
        shown = ", ".join(f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in kept.items())
        lines.append(f"  - {{{shown}}}")
    return "\n".join(lines) + "\n"
