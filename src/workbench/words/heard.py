"""A finished English sentence in the language now spoken: its template is found among those of the catalogue.

For words that were kept as plain text before anybody knew who reads them: descriptions in a pinned contract, cells of a
table, headlines in tags.
"""

from __future__ import annotations

import re
import string
from functools import cache, lru_cache, reduce

from workbench.words.catalogue import LANGUAGES, catalogue, has, language, translated
from workbench.words.numbers import singular

_MISSING = " (or missing)"  # beside a bound, where rows without the value go
_NUMBER = r"-?[\d.,]+(?:e[+-]?\d+)?"
# what a rule asks of an input; `1 to < 5` is a bin
_CUT = rf"(?<! to) (?:<=|>=|<|>) {_NUMBER}"
_BOUND = rf".+?(?:{_CUT}(?:{re.escape(_MISSING)})?| is (?:known|missing)| in \{{[^}}]*\}})"
_CONDITION = re.compile(
    rf"(?:^| and )(.+?)(?:(?<! to) (<=|>=|<|>) ({_NUMBER})({re.escape(_MISSING)})?| is (known|missing)"
    r"| in \{([^}]*)\})(?=$| and )"
)
_MORE = re.compile(r" and (\d+) more$")
_CONDITIONS = re.compile(rf"{_BOUND}(?: and {_BOUND})*")
_IS = {"known": "有值", "missing": "缺失"}
LONG = 24  # letters of its own from which a template fits by itself
# categories in one bin as it joins them, at least one Chinese: no sentence, nothing with a mark of its own
_CATEGORIES = re.compile(r"(?=.*[一-鿿])[^\s,，、。；：;:]{1,12}(?:, [^\s,，、。；：;:]{1,12})+")
_ENGLISH = re.compile(r"[A-Za-z]{2}")
_MARKS = "（）“”，。；：、？！《》〔〕"  # full width, with a margin of their own
LEAST = 3  # letters of its own a template needs to be known again: `{first} to {last}` would fit too much


def heard(words: str) -> str:
    """Return a text in the language now spoken, as it is where no template fits.

    A template fits where its words stand in the text and something stands in every field; the longest one wins.
    Names that a bank writes in its own language stay as they are in the midst of ours: `逾期天数 at the as-of month`;
    categories that share a bin are joined as the language joins a list.
    """
    if language() != "en" and _CATEGORIES.fullmatch(words):
        return "、".join(map(described, words.split(", ")))
    return described(words)


def described(words: str) -> str:
    """Return a column's description likewise; `月收入, 税前` is one, and no list."""
    if language() == "en" or not words or (_is_chinese(words) and not _ENGLISH.search(words)):
        return words
    return _heard(words, language())


def _is_chinese(words: str) -> bool:
    return any("一" <= c <= "鿿" for c in words)


@lru_cache(maxsize=4096)  # a page says the same names many times, and a search looks at a thousand templates
def _heard(words: str, name: str) -> str:
    if has(words):
        return translated(words)
    if re.search(rf"{_CUT}| in \{{", words) and _CONDITIONS.fullmatch(words):
        return _conditions(words)
    parts = words.split(", ")
    if len(parts) > 1 and all(has(part) for part in parts):
        return "、".join(map(translated, parts))
    for needed, pattern, template in _candidates(name, words[:1].lower()):
        fitting = pattern.fullmatch(words) if needed in words else None  # most are out at a glance
        if fitting and _believable(template, fitting.groupdict()):
            return _refilled(template, fitting.groupdict())
    if _CONDITIONS.fullmatch(words):
        return _conditions(words)
    column, colon, value = words.partition(": ")
    if colon and (has(column) or (len(value) >= LONG and has(value))):  # a column and its value, or a note on it
        return f"{heard(column)}：{heard(value)}"
    return _listed(words)


def _conditions(words: str) -> str:
    """Return what a rule asks of its inputs."""
    conditions = (
        f"{heard(column)}{_asked(sign, value, state, group)}{'（或缺失）' if missing else ''}"
        for column, sign, value, missing, state, group in _CONDITION.findall(words)
    )
    return reduce(lambda before, after: beside(f"{before}，且 ", after), conditions)


def _asked(sign: str, value: str, state: str, group: str) -> str:
    if sign:
        return f" {sign} {value}"
    if state:
        return f" {_IS[state]}"
    more = _MORE.search(group)
    named = "、".join(map(heard, _MORE.sub("", group).split(", ")))
    return f"属于{{{named}{f'，另有 {more[1]} 个' if more else ''}}}"


def _listed(words: str) -> str:
    """Return a list of finished sentences, as a page joins them, in the language now spoken; else the text as it is."""
    for sign, joint in (("; ", "；"), (", ", "、")):
        parts = words.split(sign)
        if len(parts) > 1 and all(heard(part) != part for part in parts):
            return joint.join(map(heard, parts))
    return words


def _believable(template: str, fields: dict[str, str]) -> bool:
    """Say whether a fit is no accident: in a short template each field is a number, a single word or words known."""
    if _letters(template) >= LONG:
        return True
    return all(" " not in text or heard(text) != text or not any(c.isalpha() for c in text) for text in fields.values())


def _refilled(template: str, fields: dict[str, str]) -> str:
    out = ""
    for literal, name, *_ in string.Formatter().parse(translated(template)):
        out = beside(out, literal)
        out = out if name is None else beside(out, heard(fields[name]))
    return out


def beside(before: str, after: str) -> str:
    """Return two parts of a Chinese sentence as one: a space stands beside a number or a Latin word only.

    >>> beside("观察月应还", " 的符号"), beside("共 ", "3"), beside("（PD） ", "94.2%")
    ('观察月应还的符号', '共 3', '（PD）94.2%')
    """
    edge, start = before.rstrip(" "), after.lstrip(" ")
    is_wide = bool(edge and start) and (_is_wide(edge[-1]) and _is_wide(start[0]))
    is_marked = bool(edge and start) and (edge[-1] in _MARKS or start[0] in _MARKS)
    return edge + start if is_wide or is_marked else before + after


def _is_wide(sign: str) -> bool:
    return "一" <= sign <= "鿿" or sign in _MARKS


def patterns() -> int:
    """Make the patterns of every language, which takes part of a second; return how many there are."""
    return sum(len(group) for name in LANGUAGES if name != "en" for group in _patterns(name).values())


@cache
def _candidates(name: str, first: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Return the templates that may fit a text which begins with a letter, those with most words first."""
    grouped = _patterns(name)
    both = (*grouped.get(first, ()), *grouped.get("", ())) if first else grouped.get("", [])
    return sorted(both, key=lambda entry: _letters(entry[2]), reverse=True)


@cache
def _patterns(name: str) -> dict[str, list[tuple[str, re.Pattern[str], str]]]:
    """Return the templates with fields by their first letter, those with most words first, each with words it needs."""
    grouped: dict[str, list[tuple[str, re.Pattern[str], str]]] = {}
    for template in sorted(catalogue(name), key=_letters, reverse=True):
        parts = list(string.Formatter().parse(template)) if "{" in template else []
        if not parts or _letters(template) < LEAST:
            continue
        seen: set[str] = set()
        pattern = "".join(
            re.escape(literal) + _field(field, seen) + _counted(spec) for literal, field, spec, _ in parts
        )
        needed = max((literal for literal, *_ in parts), key=len)
        grouped.setdefault(parts[0][0][:1].lower(), []).append((needed, re.compile(pattern, re.S), template))
    return grouped


def _field(name: str | None, seen: set[str]) -> str:
    if name is None:
        return ""
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>.+?)"


def _counted(spec: str | None) -> str:
    """Return the pattern of what a field counts, `{n:, rows}`, one of them or more; nothing where it counts nothing."""
    words = (spec or "").partition(" ")[2]
    return f" (?:{re.escape(words)}|{re.escape(singular(words))})" if words else ""


def _letters(template: str) -> int:
    return len(re.sub(r"\s", "", written(template)))


def written(template: str) -> str:
    """Return a template's own words: without its fields, but with what they count.

    >>> written("{n:, rows} of {rate:.1%}")
    ' rows of '
    """
    return re.sub(r"\{[^} ]*|\}", "", template)
