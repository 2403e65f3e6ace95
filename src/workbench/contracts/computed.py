"""A column computed from its file's others: what its SQL expression names, and what it is because of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench import engine
from workbench.params import nearest, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.expressions import Expression

    from workbench.contracts.words import Column


class Named(NamedTuple):
    """The file's columns in an expression: those whose values count, and those that only part the rows."""

    values: frozenset[str]
    partitions: frozenset[str]


def named(sql: str) -> Named:
    """Return the columns an SQL expression names; `ValueError` where it is no single expression over one row's file.

    >>> sorted(named("a + max(b) OVER (PARTITION BY c ORDER BY d)").values)
    ['a', 'b', 'd']
    """
    from sqlglot import exp

    tree = _tree(sql)
    if tree.find(exp.Query, exp.DDL, exp.DML, exp.Command):
        raise ValueError("write one expression over the file's columns, no SELECT")
    if again := engine.other_each_time(tree):
        raise ValueError(f"{again} is another value at each run; write the value itself")
    if any(not a.find_ancestor(exp.Window) for a in tree.find_all(exp.AggFunc)):
        raise ValueError("an aggregate needs OVER (PARTITION BY ...): there is one value per row")
    parting = [
        c for w in tree.find_all(exp.Window) for p in w.args["partition_by"] or [] for c in p.find_all(exp.Column)
    ]
    others = [c for c in tree.find_all(exp.Column) if not any(c is p for p in parting)]
    return Named(frozenset(c.name for c in others), frozenset(c.name for c in parting))


def _tree(sql: str) -> Expression:
    import sqlglot
    from sqlglot import exp

    try:
        statements = sqlglot.parse(f"SELECT (\n{sql}\n)", read="duckdb")
    except sqlglot.errors.SqlglotError as e:
        raise ValueError(f"not an expression: {_reason(e)}") from None
    except RecursionError:
        raise ValueError("not an expression: nested too deeply") from None
    select = statements[0]
    if len(statements) != 1 or len(select.expressions) != 1 or not isinstance(select.expressions[0], exp.Paren):
        raise ValueError("write one expression over the file's columns, no SELECT")
    return select.expressions[0].this


def _reason(e: Exception) -> str:
    return str(e).split(" Line ")[0].split(" for <class")[0].rstrip(".")


def resolved(column: Column, columns: Sequence[Column]) -> Column:
    """Return a computed column with `made_from`, and known as late as the latest of what it is made from.

    Raises `ValueError` where the expression names a column that is not in the contract, another computed one,
    or a personal one (by whose values the new one would be personal, too). A contract whose columns were
    renamed or left out since keeps the `made_from` it has.
    """
    by_file = {c.file_name.casefold(): c for c in columns if not c.sql and not c.special_of}
    try:
        names = named(column.sql)
    except ValueError as e:
        raise ValueError(f"column '{column.name}': sql: {e}") from None
    unknown = sorted(n for n in names.values | names.partitions if n.casefold() not in by_file)
    if unknown and column.made_from:
        return column
    if unknown:
        hint = nearest(unknown[0], [c.file_name for c in columns if not c.sql])
        raise ValueError(
            f"column '{column.name}': sql: {shown(unknown[0])} is no column of the file in this contract; {hint}"
        )
    read = [by_file[n.casefold()] for n in names.values]
    personal = next((c for c in read if c.personal), None)
    if personal and not column.personal:
        raise ValueError(
            f"column '{column.name}': sql: made from '{personal.name}', which is personal, and so personal itself; "
            f"leave it out or mark it `personal: {personal.personal}`"
        )
    known = "after" if any(c.known == "after" for c in read) else column.known
    sources = sorted({by_file[n.casefold()].name for n in names.values | names.partitions})
    return column.model_copy(update={"made_from": tuple(sources), "known": known})
