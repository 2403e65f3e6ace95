"""Numbers as people read them, by Python's format specification, written as the language writes them (Babel)."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any

from workbench.words.catalogue import language

_SPEC = re.compile(r"^(?P<sign>\+?)(?P<group>,?)(?:\.(?P<digits>\d+))?(?P<kind>[fd%]?)$")


def formatted(value: Any, spec: str = "") -> str:
    """Return a value by a format specification: `.2%`, `,`, `+.1f`, `.4f`; without one, as `number` does.

    >>> formatted(0.1234, ".1%"), formatted(12345, ","), formatted(float("nan"), ".2f"), formatted("text")
    ('12.3%', '12,345', 'n/a', 'text')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    if isinstance(value, datetime | date):
        return _dated(value, spec)
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return format(value, "" if isinstance(value, bool) else spec)
    if not spec:
        return number(float(value))
    found = _SPEC.match(spec)
    return format(value, spec) if found is None or not math.isfinite(float(value)) else _localised(value, found)


def number(x: float) -> str:
    """Return a number as people read it: four digits that count, or whole with thousands set apart; no powers of ten.

    >>> number(0.12345), number(346085.2), number(3.0), number(0.0000004)
    ('0.1235', '346,085', '3', '< 0.0001')
    """
    if math.isnan(x):
        return "n/a"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if 0 < abs(x) < 1e-4:
        return "< 0.0001" if x > 0 else "> −0.0001"
    return formatted(x, ",.0f") if abs(x) >= 1000 else f"{x:.4g}"


def _localised(value: Any, found: re.Match[str]) -> str:
    from babel.numbers import format_decimal, format_percent

    digits = int(found["digits"]) if found["digits"] else 0 if found["kind"] in ("d", "%") or _whole(value) else None
    if digits is None:  # `,` on a fraction: as many digits as it has
        return format(value, found.group(0))
    pattern = ("#,##0" if found["group"] else "0") + ("." + "0" * digits if digits else "")
    if found["kind"] == "%":
        said = format_percent(float(value), pattern + "%", locale=language())
    else:
        said = format_decimal(float(value) if digits else round(float(value)), pattern, locale=language())
    return f"+{said}" if found["sign"] and float(value) >= 0 else said


def _whole(value: Any) -> bool:
    return float(value).is_integer()


def _dated(value: date, spec: str) -> str:
    return format(value, spec or "%Y-%m-%d")
