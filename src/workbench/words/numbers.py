"""Numbers as people read them, by Python's format specification, written as the language writes them (Babel)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workbench.words.catalogue import language

if TYPE_CHECKING:
    from babel import Locale

# Of the verbs that follow a count in a template, those whose singular isn't the plural with an s.
_SINGULAR = {"are": "is", "were": "was", "have": "has"}
_SPEC = re.compile(r"^(?P<sign>\+?)(?P<group>,?)(?:\.(?P<digits>\d+))?(?P<kind>pp|[fd%]?)$")
UNKNOWN = {"en": "n/a", "zh_CN": "暂无"}
POINTS = {"en": "\u00a0pp", "zh_CN": "\u00a0个百分点"}  # percentage points: of a difference of two shares
LEVELS = (0.001, 0.005, 0.01, 0.05, 0.1)  # at which a p-value is read: a shown one stays on its side of each


def formatted(value: Any, spec: str = "") -> str:
    """Return a value by a format specification: `.2%`, `,`, `+.1f`, `.4f`; else as `number` does.

    `g` writes no power of ten. Beside Python's own there are `+.2pp` of a difference of two shares, `p` of a p-value,
    and `, rows` of a count: what is counted, and a verb (`, rows are`), behind a blank in the plural, which a 1 turns
    into the singular.

    >>> formatted(0.1234, ".1%"), formatted(12345, ","), formatted(float("nan"), ".2f"), formatted("text")
    ('12.3%', '12,345', 'n/a', 'text')
    >>> formatted(0.0453, "+.2pp"), formatted(12345, ", rows are"), formatted(1, " rows are")
    ('+4.53\\xa0pp', '12,345 rows are', '1 row is')
    >>> formatted(-0.00001, ".2%"), formatted(-0.00001, "+.2f")
    ('0.00%', '+0.00')
    >>> formatted(1e-09, "g"), formatted(2_000_000, "g"), formatted(0.05, "g")
    ('0.000000001', '2000000', '0.05')
    """
    if isinstance(value, datetime | date):
        return _dated(value, spec)
    spec, _, counted = spec.partition(" ")
    if counted:
        shown = formatted(value, spec)
        return f"{shown} {singular(counted) if shown.lstrip('+−-') == '1' else counted}"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN[language()]
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        return str(value)
    if spec == "p":
        return p_value(float(value))
    if spec == "g" and math.isfinite(float(value)):
        return _unpowered(f"{float(value):g}")
    if not spec or not math.isfinite(float(value)):
        return number(float(value))
    parts = _SPEC.match(spec)
    return format(value, spec) if parts is None else _localised(value, parts)


def singular(words: str) -> str:
    """Return a plural, with what stands before and behind it, as it is said of one.

    By hand: `inflect`, which knows all of English, takes as long to import as all that a page is made with.

    >>> singular("effective rows are"), singular("entries"), singular("breaches"), singular("tables miss")
    ('effective row is', 'entry', 'breach', 'table misses')
    """
    one, counted = [], False
    for word in words.split():
        if word in _SINGULAR:
            one.append(_SINGULAR[word])
        elif counted:  # a verb
            one.append(f"{word}es" if word.endswith("s") else f"{word}s")
        else:
            counted = word.endswith("s")
            one.append(re.sub(r"ies$", "y", re.sub(r"(?<=ch|ss)es$|(?<!ie)s$", "", word)))
    return " ".join(one)


def number(x: float) -> str:
    """Return a number as people read it: four digits that count, or whole with thousands set apart; no powers of ten.

    >>> number(0.12345), number(346085.2), number(3.0), number(0.0000004)
    ('0.1235', '346,085', '3', '< 0.0001')
    """
    if math.isnan(x):
        return UNKNOWN[language()]
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if 0 < abs(x) < 1e-4:
        return "< 0.0001" if x > 0 else "> −0.0001"
    return formatted(x, ",.0f") if abs(x) >= 1000 else f"{x:.4g}"


def plain(x: float) -> str:
    """Return a number of any size with all its zeros: three digits that count, no powers of ten.

    >>> plain(1e-09), plain(0.0), plain(0.05), plain(2.2204e-16)
    ('0.000000001', '0', '0.05', '0.000000000000000222')
    """
    return _unpowered(f"{x:.3g}")


def _unpowered(text: str) -> str:
    from decimal import Decimal

    return f"{Decimal(text):f}" if "e" in text else text


def p_value(p: float) -> str:
    """Return a p-value with as many digits as keep it on its side of every usual level.

    >>> p_value(0.009951), p_value(0.2346), p_value(0.00002)
    ('0.00995', '0.235', '< 0.0001')
    """
    if not 0 <= p <= 1:
        return UNKNOWN[language()]
    if p < 1e-4:
        return "< 0.0001"
    for digits in range(3, 13):
        rounded = round(p, digits)
        if rounded and all((p < level) == (rounded < level) for level in LEVELS):
            return formatted(rounded, f".{digits}f")
    return formatted(p, ".12f")


def apart(value: float, limit: float, digits: int = 2) -> str:
    """Return a value that stands beside a limit, with as many more digits as keep it on its side of the limit.

    >>> apart(0.3966, 0.4), apart(0.312, 0.4), apart(0.4, 0.4)
    ('0.397', '0.31', '0.40')
    """
    if not math.isfinite(value):
        return formatted(value, f".{digits}f")
    sides = ((d, round(value, d)) for d in range(digits, 13))
    enough = (d for d, shown in sides if (shown < limit) == (value < limit) and (shown > limit) == (value > limit))
    return formatted(value, f".{next(enough, 12)}f")


def ticks(values: Iterable[float], *, percent: bool = False) -> list[str]:
    """Return the numbers of one axis, all with the few digits that show each of them truly.

    >>> ticks([0, 0.025, 0.05], percent=True), ticks([0, 20_000, 40_000]), ticks([0, 0.25, 0.5])
    (['0.0%', '2.5%', '5.0%'], ['0', '20,000', '40,000'], ['0.00', '0.25', '0.50'])
    """
    shown = [100 * v if percent else v for v in map(float, values)]
    apart = sorted({round(v, 12) for v in shown if math.isfinite(v)})
    step = min((b - a for a, b in pairwise(apart)), default=0.0) or max(map(abs, apart), default=1)
    digits = next((d for d in range(7) if all(abs(round(v, d) - v) <= step / 100 for v in apart)), 6)
    return [formatted(v / 100, f".{digits}%") if percent else formatted(v, f",.{digits}f") for v in shown]


def _localised(value: Any, parts: re.Match[str]) -> str:
    from babel.numbers import format_decimal, format_percent

    locale = _locale(language())
    digits = int(parts["digits"]) if parts["digits"] else 0 if parts["kind"] in ("d", "%") or _whole(value) else None
    if digits is None:  # `,` on a fraction: as many digits as it has
        return format(value, parts.group(0))
    pattern = ("#,##0" if parts["group"] else "0") + ("." + "0" * digits if digits else "")
    value = (
        0.0 if round(float(value) * (100 if parts["kind"] in ("pp", "%") else 1), digits) == 0 else value
    )  # no -0.00
    if parts["kind"] == "pp":
        written = format_decimal(100 * float(value), pattern, locale=locale) + POINTS[language()]
    elif parts["kind"] == "%":
        written = format_percent(float(value), pattern + "%", locale=locale)
    else:
        written = format_decimal(float(value) if digits else round(float(value)), pattern, locale=locale)
    return f"+{written}" if parts["sign"] and float(value) >= 0 else written


@cache
def _locale(name: str) -> Locale:
    """Return the language's locale; by its name, Babel looks through all of its thousand at every number."""
    from babel import Locale

    return Locale.parse(name)


def _whole(value: Any) -> bool:
    return float(value).is_integer()


def _dated(value: date, spec: str) -> str:
    return format(value, spec or "%Y-%m-%d")
