"""Monthly drops as they are delivered: a folder a month, a Parquet file a table, and the sender's control totals."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from workbench.contracts import by_clock
from workbench.params import MONTH, UserError
from workbench.portfolios import parquet

CONTROL = "control.csv"
TABLES = ("customer", "account", "monthly", "event")
# compared with the last month
AMOUNTS = ("due_amt", "inflow_amt", "outflow_amt", "interest_amt", "fee_amt", "limit_amt")
_BALANCES = ("opening_balance_amt", "disbursed_amt", "principal_paid_amt", "written_off_amt", "balance_amt")
_NUMBERS = {"monthly": (*_BALANCES, *AMOUNTS, "days_past_due")}
_VERSION = ("valid_from", "recorded_at")
_DATES = {
    "customer": ("birth_date", *_VERSION),
    "account": ("opened_month", *_VERSION),
    "monthly": ("month", *_VERSION),
    "event": ("happened_at",),
}
_OTHERS = {
    "customer": ("customer_id", "name", "national_id", "phone_number", "channel_code"),
    "account": ("account_id", "customer_id", "product_code", "channel_code"),
    "monthly": ("account_id", "customer_id"),
    "event": ("event_id", "customer_id", "account_id", "channel_code"),
}
COLUMNS = {name: (*_OTHERS[name], *_NUMBERS.get(name, ()), *_DATES[name]) for name in TABLES}  # what the store looks at
_FIELDS = ("table", "rows", "amount", "total", "delivered_at")
_READ_AS = {"rows": "whole number", "total": "number", "delivered_at": "date (YYYY-MM-DD)"}
_ZONE = re.compile(r"(:\d\d(?:\.\d+)?) ?(?:Z|[+-]\d\d:?\d\d)$")


@dataclass(frozen=True)
class Drop:
    """One month's delivery."""

    folder: Path

    @property
    def month(self) -> str:
        """The month it is for, as YYYY-MM."""
        return self.folder.name

    @cached_property
    def control(self) -> pd.DataFrame:
        """What the sender counted: rows, total of an amount, day of delivery, by table; `UserError` without it."""
        path = self.folder / CONTROL
        if not path.is_file():
            raise self.error(CONTROL, "no such file; the sender's control totals belong there")
        control = self._lines(path)
        if lacks := [c for c in _FIELDS if c not in control]:
            raise self.error(CONTROL, f"column '{lacks[0]}' is missing; it needs {', '.join(_FIELDS)}")
        control = control.dropna(subset=["table"])
        if (twice := control["table"].duplicated()).any():
            first = control["table"][twice].iloc[0]
            raise self.error(CONTROL, f"table '{first}' stands in two lines; ask the sender which one holds")
        return control.set_index("table").assign(**{c: self._counts(control, c) for c in _READ_AS})

    def _lines(self, path: Path) -> pd.DataFrame:
        raw = path.read_bytes()
        try:
            text = _text(raw)
            if not text.strip():
                return pd.DataFrame()
            return pd.read_csv(io.StringIO(text), dtype="str", skipinitialspace=True)
        except UnicodeDecodeError:
            raise self.error(CONTROL, "neither UTF-8 nor GB 18030; save it as UTF-8") from None
        except pd.errors.ParserError:
            raise self.error(CONTROL, "a line is longer than the header; put values with commas in quotes") from None

    def _counts(self, control: pd.DataFrame, column: str) -> list[object]:
        """Return a column of numbers or dates, in its type; a time of day is read as written, in whatever zone."""
        given = control[column].str.strip()
        if column == "delivered_at":
            plain = given.str.replace("/", "-").str.replace(_ZONE, r"\1", regex=True)
            values = pd.to_datetime(plain, format="ISO8601", errors="coerce")
        else:
            values = pd.to_numeric(given, errors="coerce").where(lambda v: (column != "rows") | (v % 1 == 0))
        if (unread := values.isna()).any():
            table, value = control["table"][unread].iloc[0], given[unread].iloc[0]
            what = "is empty" if pd.isna(value) else f"is '{value}', no {_READ_AS[column]}"
            raise self.error(CONTROL, f"'{column}' of table '{table}' {what}; ask the sender")
        return (values.astype(int) if column == "rows" else values).tolist()

    def error(self, name: str, what: str) -> UserError:
        """Return the error that names a file of this drop and says what is wrong with it."""
        return UserError(f"portfolios/store: {self.month}/{name}: {what}")

    def path(self, table: str) -> Path:
        """Return where a table's file lies; `UserError` where there is none."""
        path = self.folder / f"{table}.parquet"
        if not path.is_file():
            raise self.error(path.name, "no such file; ask the sender for it")
        return path

    def read(self, table: str) -> pd.DataFrame:
        """Return a table's rows as they came, with the number of each in its file as `source_row`.

        A day is one in whatever zone it was written, a month its first day. Raises `UserError` for a file that can't
        be read, and where a column that the store looks at is missing or holds something else.
        """
        try:
            rows = parquet.read(self.path(table))
        except UserError as e:
            raise e if str(e).startswith("portfolios/") else UserError(f"portfolios/store: {self.month}/{e}") from None
        if lacks := [c for c in COLUMNS[table] if c not in rows]:
            raise self.error(f"{table}.parquet", f"column '{lacks[0]}' is missing; ask the sender for it")
        rows = rows.assign(**{c: by_clock(rows[c]) for c in rows})
        rows = rows.assign(**{c: self._typed(table, rows[c]) for c in (*_NUMBERS.get(table, ()), *_DATES[table])})
        if "month" in _DATES[table]:  # delivered with its last day as often as with its first
            rows["month"] = rows["month"].dt.to_period("M").dt.to_timestamp().astype("datetime64[us]")
        return rows.assign(source_row=range(len(rows)))

    def _typed(self, table: str, values: pd.Series) -> pd.Series:
        """Return a column's dates or numbers, whether they came as such or as text."""
        kind = "dates" if values.name in _DATES[table] else "numbers"
        try:
            if kind == "numbers":
                return pd.to_numeric(values)
            if pd.api.types.is_numeric_dtype(values) and values.notna().any():
                raise ValueError
            return by_clock(pd.to_datetime(values, format="ISO8601")).astype("datetime64[us]")
        except (ValueError, TypeError):
            raise self.error(
                f"{table}.parquet",
                f"column '{values.name}' holds something else than {kind}; ask the sender for {kind}",
            ) from None

    def digest(self, table: str) -> str:
        """Return the SHA-256 of a table's file."""
        return hashlib.sha256(self.path(table).read_bytes()).hexdigest()


def _text(raw: bytes) -> str:
    """Return what the bytes say in UTF-8 or, as most systems in China write it, in GB 18030."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def all_of(folder: Path, until: str = "") -> list[Drop]:
    """Return the drops of a folder in order, up to a month; `UserError` where there is none, or a folder is no month.

    Passed over are hidden folders alone: of another name it can't be known that it isn't a month misnamed.
    """
    folders = [f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")] if folder.is_dir() else []
    if odd := sorted(f.name for f in folders if not re.fullmatch(MONTH, f.name)):
        raise UserError(
            f"portfolios/store: drops: folder '{odd[0]}' is no month; a drop is a folder named YYYY-MM, move others "
            "elsewhere"
        )
    drops = [Drop(f) for f in sorted(folders) if not until or f.name <= until]
    if not drops:
        raise UserError(f"portfolios/store: no drop up to {until or 'today'}; a drop is a folder named YYYY-MM")
    return drops
