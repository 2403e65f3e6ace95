"""What is said in place of what is hidden: of a group in a sentence, of a table, of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench import rules
from workbench.words import Text, say
from workbench.words.names import words_of

if TYPE_CHECKING:
    from pandas import DataFrame

HIDDEN = "suppressed"  # column of a published table: whether something of the row is hidden
MARK = say("[suppressed]")  # stands in a sentence for a number that the table beside it hides
MOST_NAMED = 12  # hidden groups that are named below a table


def smallest() -> int:
    """Return the least number of people that may be told of as a group."""
    return int(rules.load().number("smallest_group"))


def few(n: float) -> bool:
    """Say whether a group of so many people is too small to be told of."""
    return 0 < n < smallest()


def too_small() -> Text:
    """Return the line that stands for a table or picture of which every group is hidden."""
    return say(
        "All groups are too small to be shown: fewer than {k}, or they would give such a one away.", k=smallest()
    )


def nothing_shown(table: DataFrame) -> bool:
    """Say whether every row of a published table is hidden whole."""
    if HIDDEN not in table or table.empty:
        return False
    return len(whole_rows(list(table.columns), table.itertuples(index=False, name=None))) == len(table)


def whole_rows(header: Sequence[str], body: Iterable[Sequence[Any]]) -> set[int]:
    """Return the numbers of the rows of which nothing but names is shown; the first column's may be a number."""
    if HIDDEN not in header:
        return set()
    mark = header.index(HIDDEN)
    return {
        i for i, row in enumerate(body) if row[mark] and not any(_tells(v) for v in (*row[1:mark], *row[mark + 1 :]))
    }


def _tells(value: Any) -> bool:
    """Say whether a cell holds a number."""
    return hasattr(value, "__float__") and not isinstance(value, str | bool) and value == value


def _called(name: Any) -> Any:
    """Return a hidden group's name as its table writes it: a code kept as 3.0 is a 3."""
    if isinstance(name, Text):
        return name
    return words_of(str(int(name) if isinstance(name, float) and name.is_integer() else name))


def folded(header: list[str], body: list[list[Any]]) -> tuple[list[str], list[list[Any]], Text]:
    """Return a published table without its hidden rows where these are most of it, and what is said of them instead."""
    whole = whole_rows(header, body)
    if 2 * len(whole) <= len(body):
        return header, body, Text()
    if len(whole) == len(body):
        return header, [], too_small()
    first = [body[i][0] for i in sorted(whole)]
    names = list({str(v): _called(v) for v in first}.values())
    named = say("Too small to be shown, {n:,} more: {names}.", n=len(whole), names=names[:MOST_NAMED])
    rest = [row for i, row in enumerate(body) if i not in whole]
    mark = header.index(HIDDEN)
    if not any(row[mark] for row in rest):
        header = [h for i, h in enumerate(header) if i != mark]
        rest = [[v for i, v in enumerate(row) if i != mark] for row in rest]
    return header, rest, named
