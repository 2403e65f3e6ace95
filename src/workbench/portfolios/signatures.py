"""What a file is by its first bytes, where it is no table of text at all."""

from __future__ import annotations

import re

_AS_CSV = "save it as CSV (UTF-8)"
_UNPACK = "unpack it"
_BEGINS = {
    b"PK\x03\x04": ("an Excel or zip file", _AS_CSV),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", _AS_CSV),
    b"\x1f\x8b": ("a gzip file", "name it .csv.gz"),
    b"PAR1": ("a Parquet file", "name it .parquet"),
    b"BZh": ("a bzip2 file", _UNPACK),
    b"\xfd7zXZ": ("an xz file", _UNPACK),
    b"(\xb5/\xfd": ("a zstd file", _UNPACK),
    b"7z\xbc\xaf": ("a 7z file", _UNPACK),
    b"Rar!": ("a rar file", _UNPACK),
    b"ARROW1": ("an Arrow file", "write it as Parquet"),
    b"Obj\x01": ("an Avro file", "write it as Parquet"),
    b"SQLite format 3": ("a SQLite database", "export its table"),
    b"%PDF": ("a PDF", "ask for the table itself"),
    b"\x89PNG": ("a picture", "ask for the table itself"),
    b"\xff\xd8\xff": ("a picture", "ask for the table itself"),
    b"\x7fELF": ("a program", "ask for the table itself"),
    b"{\\rtf": ("a text document", _AS_CSV),
}
_TEXTS = {
    re.compile(rb"<(!doctype|html|head|body|table|\?xml)\b", re.I): ("a web page or XML", "export the table as CSV"),
    re.compile(rb'[\[{]\s*["{\[]'): ("JSON", "write it as CSV or Parquet"),
}


def kind(first: bytes) -> tuple[str, str]:
    """Return what begins with these bytes and what to do with it; ('', '') where it may be a table of text.

    >>> kind(b"%PDF-1.7"), kind(b"id,amount")
    (('a PDF', 'ask for the table itself'), ('', ''))
    """
    of_bytes = next((what for begin, what in _BEGINS.items() if first.startswith(begin)), None)
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    return of_bytes or next((what for pattern, what in _TEXTS.items() if pattern.match(text)), ("", ""))
