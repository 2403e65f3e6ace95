"""Draft a contract from a file: key, outcome, as-of date and what is known only afterwards; each guess is marked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.contracts import Column, Contract
from workbench.contracts.fields import EXCEL, OF_STEPS, RESERVED
from workbench.contracts.words import NUMBERS, in_words
from workbench.params import UserError
from workbench.personal import masked
from workbench.portfolios import guesses, oddities, roles, unmarked
from workbench.portfolios.files import dialect, opened, remarks
from workbench.portfolios.large import LargeTable
from workbench.portfolios.looks import Look, look

_HEAD = (
    "# Drafted: confirm each `guessed` line (type, role, personal, known before or after the decision), then remove it."
)


def name_of(path: Path) -> str:
    """Return the name of a file's contract: that of the file in a-z, 0-9 and _."""
    return re.sub(r"[^a-z0-9]+", "_", title_of(path).split(".")[0].lower()).strip("_") or "table"


def title_of(path: Path) -> str:
    """Return a file's name as it may be told: personal data in it are masked."""
    return masked(path.name.encode("utf-8", "replace").decode())


def file_name_of(path: Path) -> str:
    """Return how the contract's own file is called, without its ending: as the data's, unless that names a person."""
    return path.name.split(".")[0].lower() if title_of(path) == path.name else name_of(path)


def draft(path: Path, numbered: dict[str, str] | None = None) -> Contract:
    """Return a contract drafted from a CSV or Parquet file; what had to be guessed is marked `guessed`.

    Encoding, delimiter and thousand separators are guessed, too; `notes` say what a person should look at first.
    `numbered`: names of headers without Latin letters, filled in, so that of several files one header has one name.
    Raises `UserError` where the file can't be read or has one column only.
    """
    written = dialect(path)
    notes = remarks(path, **{k: v for k, v in written.items() if k == "encoding"})
    empty = Contract(name=name_of(path), title=title_of(path), columns=(), notes=notes, **written)
    raw = opened(path, empty)
    if raw.shape[1] < 2:
        raise UserError(f"{path.name}: one column only; is the delimiter another one?")
    names = dict(zip(raw.columns, _names(raw, {} if numbered is None else numbered), strict=True))
    if all(raw[c].isna().all() for c in raw.columns):
        raise UserError(f"{path.name}: no column holds a value")
    decimal, looks = _by_decimals({name: look(raw[source]) for source, name in names.items()})
    columns = tuple(_column(looks[name], name, source) for source, name in names.items())
    between = "," if decimal == "." else "."
    numbers = [looks[c.name] for c in columns if c.type in ("number", "integer")]
    thousands = between if any(guesses.is_grouped(n, between) for n in numbers if n.decimal == decimal) else ""
    contract = empty.model_copy(update={"columns": columns, "thousands": thousands, "decimal": decimal})
    drafted = roles.given(contract, raw, looks)
    return drafted.model_copy(update={"notes": (*drafted.notes, *oddities.notes(drafted, looks))})


def to_yaml(contract: Contract) -> str:
    """Return the contract as YAML a person can correct: one line per column, only what differs from the defaults."""
    facts = {k: v for k, v in contract.model_dump(mode="json").items() if k != "columns"}
    defaults = Contract(name="draft", title="", columns=()).model_dump(mode="json")
    head = [f"{k}: {_quoted(v)}" for k, v in facts.items() if v and v != defaults[k]]
    unset = {n: f.default for n, f in Column.model_fields.items()}
    lines = [_line(_parted(c, contract), contract, unset) for c in contract.columns if not c.special_of]
    return "\n".join([_HEAD, *head, "columns:", *lines]) + "\n"


def _parted(c: Column, contract: Contract) -> Column:
    """Return a column with its codes for missing kept apart, where it may: one says that a value lacks, several why."""
    may = c.type in NUMBERS and c.role in ("feature", "fact") and contract.entity != "month"
    numbers = [code for code in c.missing if re.fullmatch(r"-?\d+", code)]
    if len(numbers) < 2 or not may:
        return c
    words = tuple(code for code in c.missing if code not in numbers)
    return c.model_copy(update={"missing": words, "special": {code: code for code in numbers}})


def _line(c: Column, contract: Contract, defaults: dict[str, Any]) -> str:
    facts = {k: v for k, v in c.model_dump(mode="json").items() if k in ("name", "type") or v != defaults[k]}
    if facts.get("description") == in_words(c.name):
        del facts["description"]
    listed = ", ".join(f"{k}: {_quoted(v)}" for k, v in facts.items() if v not in ([], {}))
    return f"  - {{{listed}}}" + (f"  # guessed: {roles.why(c, contract)}" if c.guessed else "")


def _quoted(value: Any) -> str:
    """JSON is YAML, but for control characters and such, which YAML wants escaped by its own rules."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in text)


def _by_decimals(looks: Mapping[str, Look]) -> tuple[str, dict[str, Look]]:
    """Return the sign before decimals in the file, and its looks read by it.

    One comma that can't stand between thousands makes all commas decimal; where others have points, each goes
    by its own.
    """
    commas = [n for n, seen in looks.items() if guesses.has_decimals(seen, ",")]
    by_file = bool(commas) and not any(guesses.has_decimals(seen, ".") for seen in looks.values())
    read = {n: replace(seen, decimal=",") if by_file or n in commas else seen for n, seen in looks.items()}
    return "," if by_file else ".", read


def _names(raw: pd.DataFrame | LargeTable, numbered: dict[str, str]) -> list[str]:
    """Return names in the house's form, each once; what has no Latin letter gets its position, or the next one free."""
    names: dict[str, None] = {}
    for i, source in enumerate(raw.columns, 1):
        words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", source)
        words = re.sub(r"[^0-9a-zA-Z]+", "_", words).strip("_").lower()
        if re.match(r"[a-z]", words) and _is_latin(source):
            name = f"{words}_value" if words in RESERVED or words in OF_STEPS - {"period"} else words
        else:
            free = next(n for n in (f"column_{k}" for k in count(i)) if n not in numbered.values())
            name = numbered.setdefault(source, free)
        names[name if name not in names else f"{name}_{i}"] = None
    return list(names)


def _is_latin(header: str) -> bool:
    """More letters of a-z than others: of 贷款ID the two alone would be no name."""
    letters = [c for c in header if c.isalpha()]
    return sum(c.isascii() for c in letters) > len(letters) / 2


def _column(seen: Look, name: str, source: str) -> Column:
    kind, person = guesses.type_of(seen, name if _is_latin(source) else source), guesses.personal(seen, name, source)
    facts: dict[str, Any] = {"name": name, "source": source if source != name else "", "type": kind, "guessed": True}
    facts |= {} if source.isascii() else {"description": source}
    if person:
        return Column(**{**facts, "type": "text", "role": "ignore", "personal": person})
    is_group = any(map(guesses.is_fairness, (name, source.lower())))
    facts |= {"aspect": guesses.aspect(f"{name} {source}"), "fairness": is_group}
    facts |= {"known": "after" if guesses.is_afterwards(f"{name}_{source}") else "before"}
    facts |= {"missing": guesses.missing_codes(seen, kind)}
    if kind == "text" or seen.different < 2:
        return Column(**facts, role="ignore")
    return Column(**facts, **_values(seen, kind, name, facts["missing"]))


def _values(seen: Look, kind: str, name: str, missing: tuple[str, ...]) -> dict[str, Any]:
    """Return what may stand in a column, by its type."""
    if kind == "category":
        codes = sorted({t for t in seen.texts if t not in missing} - unmarked.single(seen, name))
        return {"values": {c: c for c in codes} if len(codes) <= guesses.FEW_CODES else {}, "breach": "warning"}
    if kind == "date":
        return {"role": "fact", "breach": "warning", "format": _format(seen)}
    facts: dict[str, Any] = {"unit": "%"} if guesses.is_percent(seen) else {}
    negative = guesses.below_zero(seen, name, missing)
    return facts if negative is None else facts | {"minimum": 0} | ({"breach": "warning"} if negative else {})


def _format(seen: Look) -> str:
    """Return how the dates of a column are written where intake wouldn't read them by itself."""
    if seen.is_date:
        return ""
    if guesses.is_day_number(seen, "date"):
        return EXCEL
    return guesses.CHINESE_FORMAT if guesses.is_chinese_day(seen) else ""
