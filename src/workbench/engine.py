"""The engine: one SQL text over named relations, on DuckDB in-process or on Spark Connect, by one setting.

SQL is written once, in DuckDB's dialect. `WORKBENCH_ENGINE=spark://host:port` sends the same text through sqlglot to a
Spark Connect server (package extra `spark`). This room and `tables` are the only ones that speak to an engine.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from workbench import home
from workbench.params import UserError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from sqlglot.expressions import Expression

DUCKDB = "duckdb"
BATCH_ROWS = 200_000
SPARK_PORT, ANSWER_SECONDS = 15002, 10  # Spark Connect's own port; how long its server may take to answer at all
_SAME_EVERYWHERE = "SET GLOBAL TimeZone = 'UTC'"  # else the machine's, and a moment's month with it

_OTHER_EACH_TIME = (  # as sqlglot calls them
    *("CurrentDate", "CurrentTime", "CurrentTimestamp", "Localtime", "Localtimestamp", "Rand", "Randn", "Uuid"),
    *("CurrentUser", "SessionUser", "CurrentDatabase", "CurrentSchema", "CurrentCatalog", "CurrentVersion"),
)
_CALLED_OTHER_EACH_TIME = (  # those it has no name for
    *("now", "ago", "get_current_timestamp", "get_current_time", "current_localtime", "current_localtimestamp"),
    *("transaction_timestamp", "uuidv4", "uuidv7", "setseed", "nextval", "currval", "setval", "txid_current"),
    *("current_setting", "current_query", "current_query_id", "current_connection_id", "current_transaction_id"),
    *("current_schemas", "getvariable", "pg_postmaster_start_time", "pg_conf_load_time", "pg_backend_pid"),
)


@dataclass(frozen=True)
class Part:
    """The rows of a Parquet file whose `column` lies from `low` to `high`, ends included."""

    path: Path
    column: str
    low: str
    high: str

    @property
    def condition(self) -> str:
        """What holds of its rows, in SQL."""
        low, high = (text.replace("'", "''") for text in (self.low, self.high))
        return f"{self.column} BETWEEN '{low}' AND '{high}'"

    @property
    def sql(self) -> str:
        """The part as a SELECT."""
        path = str(self.path).replace("'", "''")
        return f"SELECT * FROM read_parquet('{path}') WHERE {self.condition}"


if TYPE_CHECKING:  # Parquet file or files (their columns joined by name), or a table in memory
    Relation = Path | tuple[Path, ...] | Part | pd.DataFrame | pa.Table
    Relations = Mapping[str, Relation]


def name() -> str:
    """Return the engine's name as set: `duckdb` (the default) or `spark://host:port`; `UserError` for another."""
    given = os.environ.get("WORKBENCH_ENGINE", "") or DUCKDB
    parts = urlsplit(given)
    if given != DUCKDB and (parts.scheme != "spark" or not parts.hostname or not _is_port(parts)):
        raise UserError(f"WORKBENCH_ENGINE '{given}': no such engine; set duckdb or spark://host:port")
    return given


def checked() -> None:
    """Raise `UserError` for a setting of the engine that can't be, before anything runs."""
    name()
    _settings()


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def arrow(sql: str, relations: Relations) -> pa.Table:
    """Return the rows of a SQL text (one SELECT) over the relations it names."""
    if name() != DUCKDB:
        return _spark_frame(sql, relations).toArrow()
    with _session(relations) as session:
        return session.sql(sql).to_arrow_table()


def frame(sql: str, relations: Relations) -> pd.DataFrame:
    """Return the rows in pandas: for what was sampled or aggregated."""
    return arrow(sql, relations).to_pandas()


def batches(sql: str, relations: Relations, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Yield the rows in Arrow batches of at most `rows`, one in memory at a time on DuckDB."""
    if name() != DUCKDB:
        yield from arrow(sql, relations).to_batches(max_chunksize=rows)
        return
    with _session(relations) as session, session.sql(sql).to_arrow_reader(batch_size=rows) as reader:
        yield from reader


def apart(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Run a text somebody else wrote on tables in memory, in a database of its own that reaches no file.

    Raises `ValueError` with what DuckDB said of it, in one line.
    """
    import duckdb

    with duckdb.connect(config={"enable_external_access": False}) as connection:
        connection.execute(_SAME_EVERYWHERE)
        connection.execute("SET lock_configuration = true")
        for label, table in tables.items():
            connection.register(label, table)
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as e:
            raise ValueError(" ".join(str(e).split("\n")[0].split())) from None


def column(name: str) -> str:
    """Return a column's name as SQL reads it: one that is a word of SQL (limit, default, select) in quotes.

    >>> column("amount"), column("limit")
    ('amount', '"limit"')
    """
    return f'"{name}"' if name in _words() else name


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    import duckdb

    asked = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    with duckdb.connect() as connection:
        return frozenset(word for (word,) in connection.execute(asked).fetchall())


def columns(relation: Relation) -> dict[str, str]:
    """Return the columns of a relation with the engine's types (`DOUBLE`, `VARCHAR`, ...), in order."""
    with _session({"relation": relation}) as session:
        return {row[0]: row[1] for row in session.execute("DESCRIBE SELECT * FROM relation").fetchall()}


def write(sql: str, relations: Relations, path: Path, order: Sequence[str] = (), codec: str = "zstd") -> int:
    """Write the rows of a SQL text to a Parquet file, streaming and in the `order` of these columns; return how many.

    The same text over the same relations gives the same bytes where `order` is a key and the text holds no sum of
    floating point numbers over rows (threads add them in any order).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if name() == DUCKDB:
        return _copied(sql, relations, path, order, codec)
    folder = scratch()
    try:
        _spark_frame(sql, relations).write.mode("overwrite").parquet(str(folder / "rows"))
        files = tuple(sorted((folder / "rows").glob("*.parquet")))
        return _copied("SELECT * FROM rows_of_spark", {"rows_of_spark": files}, path, order, codec)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(sql: str, relations: Relations, path: Path, order: Sequence[str], codec: str) -> int:
    text = f"SELECT * FROM ({sql}) ORDER BY {', '.join(order)}" if order else sql
    with _session(relations) as session:
        target = str(path).replace("'", "''")
        done = session.execute(f"COPY ({text}) TO '{target}' (FORMAT parquet, COMPRESSION {codec})")
        return int(done.fetchall()[0][0])


def transform(
    sql: str, relations: Relations, function: Callable[[pd.DataFrame], pd.DataFrame], path: Path, rows: int = BATCH_ROWS
) -> int:
    """Put the rows of a SQL text through a function (a model's predict), batch by batch, into a Parquet file.

    One batch is in memory at a time; return how many rows were written. Same batches, same bytes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    writer, written = None, 0
    try:
        for batch in batches(sql, relations, rows):
            table = pa.Table.from_pandas(function(batch.to_pandas()), preserve_index=False)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
            written += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return written


def scratch() -> Path:
    """Return a new folder for what is needed only while a text runs; who asks for it removes it."""
    return home.aside("engine-")


def lineage(sql: str) -> str:
    """Return a SQL text laid out for reading, as it is kept beside what was made with it."""
    import sqlglot

    return "\n".join(sqlglot.transpile(sql, read=DUCKDB, write=DUCKDB, pretty=True))


def for_spark(sql: str) -> str:
    """Return the text in Spark's dialect."""
    import sqlglot

    return sqlglot.transpile(sql, read=DUCKDB, write="spark")[0]


def condition(text: str, known: Collection[str], where: str) -> set[str]:
    """Return the columns that a SQL condition names; `UserError` where it is none, or names one that is not known.

    A condition looks at the columns of one row: no SELECT, no table, no aggregate. Where `known` maps columns to the
    engine's types (`columns`), it must compare what can be compared, and come to true or false.
    """
    names = parsed(text, where)
    for column in sorted(names - set(known)):
        raise UserError(f"{where}: no column '{column}' in `{text}`; {nearest(column, list(known))}")
    if isinstance(known, Mapping):
        _answers(text, {n: known[n] for n in sorted(names)}, where)
    return names


def _answers(text: str, types: Mapping[str, str], where: str) -> None:
    """Ask a condition of no row with columns of these types; `UserError` where it can't be, or says no yes or no."""
    import duckdb

    row = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in types.items()) or "1 AS one"
    try:
        with duckdb.connect() as connection:
            asked = connection.execute(f"DESCRIBE SELECT ({text}) AS answer FROM (SELECT {row}) WHERE FALSE")
            kind = asked.fetchall()[0][1]
            for name, literal in _beside_literals(text):
                read = connection.execute(f"SELECT TRY_CAST(? AS {types[name]}) IS NOT NULL", [literal])
                if not read.fetchone()[0]:
                    raise UserError(f"{where}: `{text}`: {_is_none(literal, name, types[name])}")
    except duckdb.Error as e:
        columns = ", ".join(f"{name} is {kind}" for name, kind in types.items())
        why = _first_line(e).split(" - an explicit cast")[0].rstrip(".")
        raise UserError(f"{where}: `{text}` can't be asked{f', {columns}' if columns else ''}: {why}") from None
    if kind != "BOOLEAN":
        raise UserError(_no_answer(text, where))


def _beside_literals(text: str) -> Iterator[tuple[str, str]]:
    """Yield each column that a condition compares with a text, and the text, which the engine casts only at a row."""
    import sqlglot
    from sqlglot import exp

    compared = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between)
    for node in sqlglot.parse_one(text, read=DUCKDB).find_all(*compared):
        parts = [part.unnest() for part in node.iter_expressions()]
        for name in (part.name for part in parts if isinstance(part, exp.Column)):
            yield from ((name, part.this) for part in parts if isinstance(part, exp.Literal) and part.is_string)


def _is_none(literal: str, column: str, kind: str) -> str:
    what, like = ("dates", "'2020-01-31'") if kind == "TIMESTAMP" else ("numbers", "3, without quotes")
    return f"{column} holds {what}, and '{literal[:40]}' is none; write it like {like}"


def _no_answer(text: str, where: str) -> str:
    return f"{where}: `{text}` is neither true nor false; write a comparison, like `delay_months >= 3`"


def parsed(text: str, where: str) -> set[str]:
    """Return the columns that a SQL condition names; `UserError` where it can't be read as one."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(text, read=DUCKDB)
    except sqlglot.errors.SqlglotError as e:
        raise UserError(f"{where}: `{text}` is no SQL condition: {_first_line(e)}") from None
    except RecursionError:
        raise UserError(f"{where}: `{text[:40]}...` is nested too deeply; write it flatter") from None
    if not isinstance(tree, exp.Condition) or tree.find(exp.Query, exp.Table, exp.AggFunc, exp.Window):
        raise UserError(
            f"{where}: `{text}` is no SQL condition on one row; write it like `delay_months >= 3`, "
            "without SELECT or sums"
        )
    if _is_a_number(tree):
        raise UserError(_no_answer(text, where))
    if again := other_each_time(tree):
        raise UserError(f"{where}: `{text}`: {again} is another value at each run; write the value itself")
    return {column.name for column in tree.find_all(exp.Column)}


def _is_a_number(tree: Expression) -> bool:
    """Say whether a part that has to be true or false is a sum, a shift (`a > > 0` is read as `a >> 0`) or a value."""
    from sqlglot import exp

    if isinstance(tree, exp.And | exp.Or | exp.Not | exp.Paren):
        return any(_is_a_number(part) for part in tree.iter_expressions())
    values = (exp.Literal, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow, exp.DPipe)
    bits = (exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift, exp.BitwiseRightShift)
    return isinstance(tree, (*values, *bits))


def other_each_time(tree: Expression) -> str:
    """Return the first call in an expression whose value hangs on the moment, the machine or chance; '' for none."""
    from sqlglot import exp

    for node in tree.walk():
        called = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        to_today = called == "age" and len(node.expressions) == 1
        if type(node).__name__ in _OTHER_EACH_TIME or called in _CALLED_OTHER_EACH_TIME or to_today:
            return str(node.sql(dialect=DUCKDB))
    return ""


def _first_line(e: Exception) -> str:
    return str(e).splitlines()[0].split(". Line")[0].split(" for <class")[0]


@contextmanager
def _session(relations: Relations) -> Iterator[Any]:
    """A cursor in which the relations have their names; DuckDB's mistakes in a text become one line."""
    import duckdb

    cursor = _database(*_settings()).cursor()
    try:
        for label, relation in relations.items():
            _named(cursor, label, relation)
        yield cursor
    except (duckdb.ProgrammingError, duckdb.DataError) as e:
        raise UserError(f"engine: the SQL text can't be run: {str(e).splitlines()[0]}") from e
    except duckdb.OutOfMemoryException as e:
        raise UserError(
            f"engine: memory of {_settings()[1]} is not enough; set WORKBENCH_MEMORY higher (such as 8GB)"
        ) from e
    finally:
        cursor.close()


def _settings() -> tuple[int, str, str]:
    threads = os.environ.get("WORKBENCH_THREADS", "") or str(len(os.sched_getaffinity(0)))
    if not threads.isdigit() or not int(threads):
        raise UserError(f"WORKBENCH_THREADS '{threads}': not a number of threads; set 1 or more")
    memory = os.environ.get("WORKBENCH_MEMORY", "") or "4GB"
    if not re.fullmatch(r"\d+(\.\d+)?\s*([KMGT](i?B)?|%)", memory, re.IGNORECASE):
        raise UserError(f"WORKBENCH_MEMORY '{memory}': not a size; write it like 4GB")
    return int(threads), memory, str(home.mlruns() / "work" / "engine")


@lru_cache(maxsize=1)
def _database(threads: int, memory: str, spill: str) -> Any:
    import duckdb

    Path(spill).parent.mkdir(parents=True, exist_ok=True)
    config = {"threads": threads, "memory_limit": memory, "temp_directory": spill}
    try:
        database = duckdb.connect(config=config)
    except duckdb.Error as e:
        raise UserError(f"WORKBENCH_MEMORY '{memory}': {str(e).splitlines()[0]}; write it like 4GB") from None
    database.execute(_SAME_EVERYWHERE)
    return database


def _named(cursor: Any, label: str, relation: Relation) -> None:
    import pyarrow as pa

    if isinstance(relation, Part):
        cursor.execute(f"CREATE TEMP VIEW {label} AS {relation.sql}")
    elif isinstance(relation, Path | tuple):
        files = ", ".join("'" + str(p).replace("'", "''") + "'" for p in _paths(relation))
        cursor.execute(f"CREATE TEMP VIEW {label} AS SELECT * FROM read_parquet([{files}], union_by_name = true)")
    else:
        table = relation if isinstance(relation, pa.Table) else pa.Table.from_pandas(relation, preserve_index=False)
        cursor.register(label, table)


def _paths(relation: Path | tuple[Path, ...]) -> tuple[Path, ...]:
    return relation if isinstance(relation, tuple) else (relation,)


def _spark_frame(sql: str, relations: Relations) -> Any:
    import pyarrow as pa

    spark = _spark(name())
    for label, relation in relations.items():
        if isinstance(relation, Part):
            rows = spark.read.parquet(str(relation.path)).where(relation.condition)
        elif isinstance(relation, Path | tuple):
            rows = spark.read.option("mergeSchema", "true").parquet(*map(str, _paths(relation)))
        else:
            table = relation if isinstance(relation, pa.Table) else pa.Table.from_pandas(relation, preserve_index=False)
            rows = spark.createDataFrame(table)
        rows.createOrReplaceTempView(label)
    return spark.sql(for_spark(sql))


def _reached(address: str) -> None:
    """Raise `UserError` where nobody listens at the address; the client would ask for minutes."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port or SPARK_PORT), timeout=ANSWER_SECONDS).close()
    except OSError as e:
        raise UserError(
            f"WORKBENCH_ENGINE {address}: no Spark Connect server answers ({e.strerror or e}); start one, or set duckdb"
        ) from None


@lru_cache(maxsize=1)
def _spark(address: str) -> Any:
    try:
        if sys.modules.get("pyspark") is None:  # the mark that keeps other libraries from loading it
            sys.modules.pop("pyspark", None)
        from pyspark.sql import SparkSession
    except ImportError:
        raise UserError(
            f"WORKBENCH_ENGINE {address}: the Spark client is not there; pip install 'loan-workbench[spark]'"
        ) from None
    _reached(address)
    session = SparkSession.builder.remote(address.replace("spark://", "sc://")).getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session
