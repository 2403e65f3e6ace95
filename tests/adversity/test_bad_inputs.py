"""A catalogue of bad files: each is refused in one line, or drafted with a note or a finding that names the trouble."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench import contracts
from workbench.cli import main
from workbench.panel import build
from workbench.portfolios import draft, source
from workbench.portfolios.files import read_raw

TODAY = pd.Timestamp("2026-01-01")
N = 60
SHORT = 600  # characters a line said to a user may have
QUICK = 3  # every third case in `make test`, all in `make adversity`


def _cycled(*values: object, n: int = N) -> list[object]:
    return [values[i % len(values)] for i in range(n)]


def _csv(n: int = N, **columns: list[object] | None) -> str:
    """A small good table, some of its columns replaced, added or (None) left out."""
    base: dict[str, list[object] | None] = {
        "loan_id": [f"L{i:03d}" for i in range(n)],
        "amount": [100 + i * 7 for i in range(n)],
        "rate": [f"{0.01 * i:.2f}" for i in range(n)],
        "status": _cycled("good", "bad", "good", n=n),
    }
    there = {k: v for k, v in {**base, **columns}.items() if v is not None}
    return "\n".join([",".join(there), *(",".join(map(str, r)) for r in zip(*there.values(), strict=True))]) + "\n"


def _people(header: str, *rows: str) -> str:
    return header + "\n" + "".join(f"{i},{rows[i % len(rows)]},{i * 10}\n" for i in range(N))


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        file.writestr("a.csv", GOOD)
    return target.getvalue()


def _parquet(table: pa.Table | pd.DataFrame, **more: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), target, **more)
    return target.getvalue()


def _flipped(content: bytes, at: int, bit: int = 4) -> bytes:
    return content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :]


def _one_in(n: int, odd: object, usual: list[object]) -> list[object]:
    return [odd if i % n == 3 else v for i, v in enumerate(usual)]


GOOD = _csv()
HEAD, BODY = GOOD.split("\n", 1)[0] + "\n", GOOD.split("\n", 1)[1]
MANY = {"n": 300, "amount": list(range(300)), "rate": list(range(300))}
COUNT = list(range(N))
CHINESE = _people("编号,姓名,城市,金额", "王芳,上海", "李娜,广州", "欧阳修,重庆")
TAIWAN = _people("編號,姓名,城市,額", "陳怡君,臺北", "林志明,高雄")
JAPAN = _people("番号,氏名,都市,額", "田中さくら,東京", "鈴木はなこ,大阪")
KOREA = _people("번호,이름,도시,금액", "김민수,서울", "이영희,부산", "박지훈,대구", "최수진,인천")
WEST = _people("id,name,town,amt", "Müller,Köln", "José,Besançon")
TOWNS = {"china": _people("id,city,amt", "北京", "大连", "河北"), "korea": _people("id,city,amt", "서울", "부산")}
OTHERS = {
    "cp1251": _people("номер,имя,город,сумма", "Иванов,Москва", "Петрова,Казань"),
    "koi8-r": _people("номер,имя,город,сумма", "Иванов,Москва", "Петрова,Казань"),
    "cp866": _people("номер,имя,город,сумма", "Иванов,Москва", "Петрова,Казань"),
    "cp1250": _people("id,imię,miasto,kwota", "Wałęsa,Łódź", "Żółć,Kraków"),
    "iso8859-2": _people("id,imię,miasto,kwota", "Wałęsa,Łódź", "Żółć,Kraków"),
    "cp852": _people("id,imię,miasto,kwota", "Wałęsa,Łódź", "Żółć,Kraków"),
    "cp1253": _people("id,όνομα,πόλη,ποσό", "Γιώργος,Αθήνα", "Μαρία,Πάτρα"),
    "cp874": _people("id,ชื่อ,เมือง,จำนวน", "สมชาย,กรุงเทพ", "มาลี,เชียงใหม่"),
    "cp1255": _people("id,שם,עיר,סכום", "דוד,חיפה", "שרה,ירושלים"),
    "cp1256": _people("id,اسم,مدينة,مبلغ", "محمد,القاهرة", "فاطمة,بغداد"),
    "cp437": WEST,
}
GUESSED = "names its encoding; {} was guessed"
NO_TABLE = {
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)), "an old Excel file under the name of a CSV"),
    "zip": (_zip(), "an Excel or zip file under the name of a CSV; save it as CSV (UTF-8)"),
    "gzip": (gzip.compress(GOOD.encode()), "a gzip file under the name of a CSV; name it .csv.gz"),
    "bzip2": (bz2.compress(GOOD.encode()), "a bzip2 file under the name of a CSV; unpack it"),
    "xz": (lzma.compress(GOOD.encode()), "an xz file under the name of a CSV; unpack it"),
    "Parquet": (
        _parquet(pd.DataFrame({"a": [1, 2], "b": 3})),
        "a Parquet file under the name of a CSV; name it .parquet",
    ),
    "PDF": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type /Catalog>>\n", "a PDF under the name of a CSV"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a picture under the name of a CSV"),
    "rtf": (b"{\\rtf1\\ansi id,amt\\par 1,2\\par}", "a text document under the name of a CSV"),
    "database": (b"SQLite format 3\x00" + bytes(100), "a SQLite database under the name of a CSV"),
    "web page": (b"<!DOCTYPE html>\n<html><title>Sign in, please</title></html>\n", "a web page or XML under the name"),
    "web table": (
        b"\xef\xbb\xbf<html><table>\n<tr><td>id</td></tr>\n</table></html>",
        "a web page or XML under the name",
    ),
    "XML": (b'<?xml version="1.0"?>\n<rows><row id="1"/></rows>\n', "a web page or XML under the name of a CSV"),
    "a program": (b"\x7fELF\x02\x01\x01" + bytes(100), "a program under the name of a CSV"),
    "JSON": (b'[{"id": 1, "amt": 2},\n {"id": 2, "amt": 3}]\n', "JSON under the name of a CSV"),
    "JSON lines": (b'{"id": 1, "amt": 2}\n{"id": 2, "amt": 3}\n', "JSON under the name of a CSV"),
    "chance": (np.random.default_rng(0).bytes(3000), "not utf-8-sig; name its encoding"),
    "chance above ASCII": (bytes(np.random.default_rng(0).integers(128, 256, 3000).tolist()), "not utf-8-sig"),
    "EBCDIC": (GOOD.encode("cp037"), "not utf-8-sig; name its encoding in the contract"),
}
BOMB = "unpacks to more than 200 times its size"
PACKED = {
    "no gzip": (GOOD.encode(), "not a whole gzip file (truncated or damaged)"),
    "zip for gzip": (_zip(), "not a whole gzip file"),
    "cut": (gzip.compress(GOOD.encode())[:-20], "not a whole gzip file"),
    "its end alone cut": (gzip.compress(GOOD.encode())[:-2], "not a whole gzip file"),
    "wrong checksum": (_flipped(gzip.compress(GOOD.encode()), -6), "not a whole gzip file"),
    "more behind it": (gzip.compress(GOOD.encode()) + b"garbage", "not a whole gzip file"),
    "nothing in it": (gzip.compress(b""), "the file is empty"),
    "its first bytes alone": (b"\x1f\x8b\x08", "not a whole gzip file"),
    "packed twice": (gzip.compress(gzip.compress(GOOD.encode())), "a gzip file within a gzip file; unpack it once"),
    # made where they are thrown: every worker imports this module
    "a bomb": (lambda: gzip.compress(b"a,b\n" + b"0,0\n" * 20_000_000, 1), BOMB),
    "a bomb in one cell": (lambda: gzip.compress(b"a,b\n" + b"0" * 80_000_000, 9), BOMB),
}
MIXED = {
    "UTF-8, then GBK": (
        CHINESE.encode() + "99,王芳,上海,5\n".encode("gbk"),
        "in two encodings, line 1 in UTF-8 and line 62 not",
    ),
    "GBK, then UTF-8": (
        CHINESE.encode("gbk") + "99,王芳,上海,5\n".encode(),
        "in two encodings, line 62 in UTF-8 and line 1 not",
    ),
    "UTF-8 and Big5": (TAIWAN.encode() + "99,陳怡君,臺北,5\n".encode("big5"), "in two encodings"),
    "Big5 and UTF-8": (TAIWAN.encode("big5") + "99,陳怡君,臺北,5\n".encode(), "in two encodings"),
    "UTF-8 and Shift-JIS": (JAPAN.encode() + "99,田中さくら,東京,5\n".encode("cp932"), "in two encodings"),
    "UTF-8 and EUC-KR": (KOREA.encode() + "99,김민수,서울,5\n".encode("euc-kr"), "in two encodings"),
    "UTF-8 and cp1252": (WEST.encode() + "99,Müller,Köln,5\n".encode("cp1252"), "in two encodings"),
    "cp1252 and UTF-8": (WEST.encode("cp1252") + "99,Müller,Köln,5\n".encode(), "in two encodings"),
    "both in a line": (CHINESE.encode() + "99,王芳,".encode("gbk") + "上海,5\n".encode(), "in two encodings"),
    "GBK and Big5": (CHINESE.encode("gbk") + "99,陳怡君,臺北,5\n".encode("big5"), GUESSED.format("gb18030")),
}
ENCODED = {
    "UTF-8 read as GBK": (
        CHINESE.encode().decode("gb18030", "replace").encode(),
        "UTF-8 that was once read as gb18030",
    ),
    "UTF-8 read as Latin": (CHINESE.encode().decode("latin-1").encode(), "UTF-8 that was once read as latin-1"),
    "Latin read twice": (WEST.encode().decode("cp1252").encode(), "UTF-8 that was once read as cp1252"),
    "lost letters": (CHINESE.replace("王", "\ufffd").encode(), "Letters in it were lost before"),
    "GBK": (CHINESE.encode("gbk"), GUESSED.format("gb18030")),
    "Big5": (TAIWAN.encode("big5"), GUESSED.format("cp950")),
    "Shift-JIS": (JAPAN.encode("cp932"), GUESSED.format("cp932")),
    "EUC-JP": (JAPAN.encode("euc-jp"), GUESSED.format("euc_jp")),
    "ISO-2022-JP": (JAPAN.encode("iso2022_jp"), GUESSED.format("iso2022_jp")),
    "HZ": (CHINESE.encode("hz"), GUESSED.format("hz")),
    "EUC-KR": (KOREA.encode("euc-kr"), GUESSED.format("cp949")),
    "cp1252": (WEST.encode("cp1252"), GUESSED.format("cp1252")),
    "few Chinese towns": (TOWNS["china"].encode("gbk"), "cp949 (Korean) fits as well as gb18030 (Chinese)"),
    "few Korean towns": (TOWNS["korea"].encode("euc-kr"), "cp949 (Korean) fits as well as gb18030 (Chinese)"),
    "Turkish": (_people("id,ad,şehir,tutar", "Ayşe,İstanbul").encode("cp1254"), GUESSED.format("cp1252")),
    "Mac": (WEST.encode("mac-roman"), "not utf-8-sig; name its encoding in the contract"),
    "UTF-8 cut": ("id,name\n1,芳".encode()[:-1], "cut off in the middle of a character"),
    "UTF-16 cut": (GOOD.encode("utf-16")[:-1], "cut off in the middle of a character"),
    "UTF-16 without BOM cut": (GOOD.encode("utf-16-le")[:-1], "cut off in the middle of a character"),
    **{e: (text.encode(e), "not utf-8-sig; name its encoding in the contract") for e, text in OTHERS.items()},
}
LINES = {
    "a BOM alone": (b"\xef\xbb\xbf", "the file is empty"),
    "blank lines": ("\n \n\n", "the file is empty (nothing but blank lines)"),
    "nothing": ("", "the file is empty (0 bytes)"),
    "a header alone": (HEAD, "a header and no rows"),
    "commas alone": ("a,b,c\n" + ",,\n" * N, "no column holds a value"),
    "quotes of a letter": ("".join("“" + r.replace(",", "”,“") + "”\n" for r in GOOD.split()), 'values stand in “ ”; replace both by "'),
    "rows for columns": ("\n".join(map(",".join, zip(*(r.split(",") for r in GOOD.split()), strict=True))), "is the table turned?"),
    "one column": ("id\n" + "\n".join(map(str, COUNT)), "one column only"),
    "spaces": (GOOD.replace(",", " "), "one column only"),
    "colons": (GOOD.replace(",", ":"), "one column only"),
    "carets": (GOOD.replace(",", "^"), "one column only"),
    "two bars": (GOOD.replace(",", "||"), "column 2 has no name in the header"),
    "fixed widths": ("\n".join("".join(v.ljust(12) for v in r.split(",")) for r in GOOD.split("\n")), "one column only"),
    "a title": ("Loans of 2020\n" + GOOD, "what stands above line 2, the header, is no part of the table"),
    "a padded title": ("Bank X,,,\nas of,2020-01-31,,\n,,,\n" + GOOD, "what stands above line 4, the header"),
    "a comment": ("# exported 2020\n" + GOOD, "what stands above line 2, the header"),
    "sep=": ("sep=,\n" + GOOD, "what stands above line 2, the header"),
    "a title as wide": ("Report,of,all,loans\n" + GOOD, "line 2 holds names where the lines below hold numbers"),
    "units below the header": (HEAD + "text,EUR,percent,code\n" + BODY, "line 2 holds names where the lines below hold"),
    "a total": (GOOD + "Total,24000,,\n", "line 62 seems to be a total, no row of the table; delete it"),
    "合计": (GOOD + "合计,24000,,\n", "line 62 seems to be a total"),
    "Gesamt": (GOOD + "Gesamt,24000,,\n", "line 62 seems to be a total"),
    "Total général": (GOOD + "Total général,24000,,\n", "line 62 seems to be a total"),
    "Итого": (GOOD + "Итого,24000,,\n", "line 62 seems to be a total"),
    "a total in the second column": (GOOD + ",Total,24000,\n", "line 62 seems to be a total"),
    "a sum without a word": (GOOD + ",24000,,\n", "line 62 holds one value alone"),
    "a subtotal between": (HEAD + BODY[:170].rsplit("\n", 1)[0] + "\nSubtotal,5000,,\n" + BODY, "seems to be a total"),
    "a source below": (GOOD + "Source: core banking\n", "line 62 has 1 values, the header 4: a total or a note at the end?"),
    "a padded source below": (GOOD + "Source: core banking,,,\n", "line 62 holds one value alone: a total or a note"),
    "a count below": (GOOD + "(60 rows affected)\n", "line 62 has 1 values, the header 4"),
    "a blank name": (GOOD.replace("amount", "", 1), "column 2 has no name in the header; name it or delete the column"),
    "a person for a name": (GOOD.replace("amount", "张三 110101199003070134", 1), "column 2 has personal data for a name (张* 1101**********0134); give the file a header line"),
    "an address for a name": (GOOD.replace("amount", "wang@example.com", 1), "column 2 has personal data for a name (w***@e******.c**)"),
    "a name of spaces": (GOOD.replace("amount", "   ", 1), "column 2 has no name in the header"),
    "an index without name": ("".join(f"{i or ''},{r}\n" for i, r in enumerate(GOOD.split())), "column 1 has no name"),
    "a name twice": (GOOD.replace("amount", "rate", 1), "column 'rate' stands twice in the header; rename one"),
    "a name of 20,000": (GOOD.replace("amount", "a" * 20_000, 1), "column 2 has a name of 20,000 characters"),
    "no header": (BODY, "line 1 seems to hold values, not names; give the file a header line"),
    "no header, words": ("a1,north,x\n" + "a2,south,y\na3,north,y\na4,south,x\n" * 9, "line 1 seems to hold values"),
    "no header, names": ("".join(f"Ada{i},Smith{i},x{i}\n" for i in COUNT), "line 1 seems to hold values, not names"),
    "the header twice": (HEAD + GOOD, "line 2 is the header again; delete it"),
    "the header again below": (GOOD + GOOD, "line 62 is the header again"),
    "the header far below": (_csv(**MANY) + _csv(**MANY), "line 302 is the header again, no row of the table; delete it"),
    "two files, a BOM each": ("\ufeff" + GOOD + "\ufeff" + GOOD, "line 62 is the header again"),
    "commas behind": ("\n".join(r + "," for r in GOOD.split()) + "\n", "column 5 has no name in the header"),
    "commas behind rows": (HEAD + "\n".join(r + "," for r in BODY.split()), "line 2 has 5 values, the header 4"),
    "a comma in a value": (GOOD.replace("L010", "L0,10"), "line 12 has 5 values, the header 4: quote values"),
    "another quotation mark": (GOOD.replace("L0", "'L,0"), "line 2 has 5 values, the header 4: quote values"),
    "an open quote": (GOOD.replace("L010", '"L010'), "goes over several lines: is a quotation mark never closed?"),
    "an open quote, far": (GOOD.replace("L010", '"L010') + BODY * 3000, "line 12: field larger than field limit (131072)"),
    "a long cell": (GOOD.replace("L010", "L" * 200_000), "line 12: field larger than field limit (131072)"),
    "a short row": (GOOD + "L99,1,2\n" + BODY, "line 62 has 3 values, the header 4"),
    "a long row": (GOOD + "L99,1,2,3,4\n" + BODY, "line 62 has 5 values, the header 4"),
    "cut": (GOOD[:-8], "line 61 has 3 values, the header 4: a total or a note at the end? delete it; cut off?"),
    "a null byte": (GOOD.replace("L010", "L0\x0010"), "holds null bytes; is it no text at all?"),
    "10,001 columns": (",".join(f"c{i}" for i in range(10_001)) + "\n" + ",".join("1" * 10_001), "10,001 columns, at most 10,000"),
}  # fmt: skip
IDENTIFIERS = {
    "a customer in two rows": (_csv(loan_id=None, customer_id=[f"C{i // 2}" for i in COUNT]), "in 'customer_id' 30 of 60 rows repeat a value"),
    "many of them": (_csv(**MANY, loan_id=None, customer_id=[f"C{i // 2}" for i in range(300)]), "it is taken for whom the rows belong to"),
    "two loans twice": (_csv(loan_id=[f"L{i % 58}" for i in COUNT]), "No column names the rows: in 'loan_id' 2 of 60 rows repeat a value"),
    "two of many twice": (_csv(**MANY, loan_id=[f"L{i % 298}" for i in range(300)]), "Key 'loan_id': 2 of 300 rows repeat a value"),
    "some without one": (_csv(loan_id=_one_in(20, "", [f"L{i}" for i in COUNT])), "in 'loan_id' 3 of 60 rows repeat a value or have none"),
    "NULL": (_csv(loan_id=_one_in(20, "NULL", [f"L{i}" for i in COUNT])), "in 'loan_id' 2 of 60 rows repeat"),
    "all rows twice": (GOOD + BODY, "the same row twice"),
    "a name but for spaces": (_csv(loan_id=[f" L{i % 30} " if i < 30 else f"L{i % 30}" for i in COUNT]), "in 'loan_id' 30 of 60"),
    "decimals": (_csv(loan_id=[f"{1000 + i}.0" for i in COUNT]), "identifier written as a decimal number"),
    "scientific": (_csv(loan_id=[f"1.{i:03d}E+17" for i in COUNT]), "Key 'loan_id' is in scientific notation, its digits are lost"),
    "scientific, small": (_csv(loan_id=[f"1.{i:03d}e+17" for i in COUNT]), "identifier in scientific notation"),
    "scientific, all one": (_csv(loan_id=["1.23E+17"] * N), "loan_id: identifiers in scientific notation"),
    "scientific, some": (_csv(loan_id=_one_in(12, "1.23E+17", [f"L{i}" for i in COUNT])), "loan_id: identifiers in scientific notation"),
    "scientific, the customer's": (_csv(customer_id=[f"1.2{i // 2:02d}E+17" for i in COUNT]), "customer_id: identifiers in scientific"),
    "of full width": (_csv(loan_id=["".join(chr(0xFEE0 + ord(d)) for d in str(100 + i)) for i in COUNT]), "loan_id: digits of full width"),
    "'00012": (_csv(loan_id=[f"'{i:05d}" for i in COUNT]), "loan_id: values begin with a spreadsheet's mark for text"),
    '="00012"': (_csv(loan_id=[f'"=""{i:05d}"""' for i in COUNT]), "loan_id: values begin with a spreadsheet's mark"),
    "########": (_csv(loan_id=["########"] * N), "loan_id: a spreadsheet's errors"),
    "zero width": (GOOD.replace("L010", "L0\u200b10"), "loan_id: invisible characters stand in values"),
    "right to left": (GOOD.replace("L010", "L0\u202e10"), "loan_id: invisible characters"),
    "control characters": (GOOD.replace("L010", "L0\x0110"), "loan_id: invisible characters"),
    "escapes": (GOOD.replace("L010", "L0\x1b[31m10"), "loan_id: invisible characters"),
    "18 digits as floats": (
        _parquet(pd.DataFrame({"loan_id": [110101199003070134.0 + i * 64 for i in COUNT], "amount": COUNT}), write_page_checksum=True),
        "more digits than a decimal number keeps; export it as text",
    ),
}  # fmt: skip
NUMBERS = {
    "Excel dates": (_csv(open_date=[43831 + i for i in COUNT]), "open_date: day numbers of a spreadsheet, read as dates"),
    "Excel dates, no name": (_csv(opened=[43831 + i for i in COUNT]), "opened: may hold day numbers of a spreadsheet"),
    "Excel times": (_csv(open_date=[f"{43831 + i}.5" for i in COUNT]), "open_date: called a date, but its values aren't read"),
    "full width": (_csv(amount=["".join(chr(0xFEE0 + ord(d)) for d in str(100 + i)) for i in COUNT]), "amount: digits of full width"),
    "percent and share": (_csv(rate=[f"{i}%" if i % 2 else f"0.{i:02d}" for i in COUNT]), "rate: some values have a percent sign, some have none"),
    "percent": (_csv(rate=[f"{i}%" for i in COUNT]), 'unit: "%"'),
    "percent, full width": (_csv(rate=[f"{i}％" for i in COUNT]), "rate: digits of full width"),
    "permille": (_csv(rate=[f"{i}‰" for i in COUNT]), "rate: numbers with other signs in them"),
    "decimal commas": (_csv(amount=[f'"{100 + i},5"' for i in COUNT]), "has decimal commas: set `decimal: \",\"` in the contract"),
    "percent, decimal commas": (_csv(rate=[f'"{i},5%"' for i in COUNT]), 'decimal: ","'),
    "1.234,50": (_csv(amount=[f'"1.{100 + i},50"' for i in COUNT]), "has decimal commas: set `decimal: \",\"`"),
    "1.234": (_csv(amount=[f"1.{100 + i}" for i in COUNT]), 'set `thousands: "."`'),
    "1'234": (_csv(amount=[f"1'{100 + i}" for i in COUNT]), "amount: numbers with other signs in them"),
    "1 234": (_csv(amount=[f"1 {100 + i}" for i in COUNT]), "amount: numbers with other signs in them"),
    "1\u00a0234": (_csv(amount=[f"1\u00a0{100 + i}" for i in COUNT]), "amount: numbers with other signs in them"),
    "1,234": (_csv(amount=[f'"1,{100 + i}"' for i in COUNT]), 'thousands: ","'),
    "12,34,567": (_csv(amount=[f'"12,34,{100 + i}"' for i in COUNT]), 'thousands: ","'),
    "万": (_csv(amount=[f"{i}万" for i in COUNT]), "amount: numbers with other signs in them"),
    "$": (_csv(amount=[f"${100 + i}" for i in COUNT]), "amount: numbers with other signs in them"),
    "¥": (_csv(amount=[f"¥{100 + i}" for i in COUNT]), "amount: numbers with other signs in them"),
    "CNY": (_csv(amount=[f"{100 + i} CNY" for i in COUNT]), "amount: numbers with other signs in them"),
    "(123)": (_csv(amount=[f"({100 + i})" if i % 2 else i for i in COUNT]), "amount: numbers with other signs in them"),
    "123-": (_csv(amount=[f"{100 + i}-" if i % 2 else i for i in COUNT]), "amount: numbers with other signs in them"),
    "a minus of print": (_csv(amount=[f"−{100 + i}" if i % 2 else i for i in COUNT]), "amount: numbers with other signs in them"),
    "DR and CR": (_csv(amount=[f"{100 + i}DR" if i % 2 else f"{i}CR" for i in COUNT]), "amount: numbers with other signs in them"),
    "Arabic digits": (_csv(amount=["".join(chr(0x660 + int(d)) for d in str(100 + i)) for i in COUNT]), "not a number"),
    "#N/A": (_csv(amount=_one_in(10, "#N/A", COUNT)), "amount: a spreadsheet's errors"),
    "one #N/A": (_csv(**{**MANY, "amount": _one_in(300, "#N/A", MANY["amount"])}), "write `missing: [\"#N/A\"]` in the contract where it stands for none (1 row, e.g. '#N/A')"),
    "#REF!": (_csv(amount=["#REF!"] * N), "amount: a spreadsheet's errors"),
    "words between": (_csv(amount=_one_in(10, "see file", COUNT)), "amount: mostly numbers, but not all"),
    "inf": (_csv(amount=_one_in(10, "inf", COUNT)), "amount: mostly numbers, but not all"),
    "one inf": (_csv(**{**MANY, "amount": _one_in(300, "inf", MANY["amount"])}), "value is infinite"),
    "1e400": (_csv(**{**MANY, "amount": _one_in(300, "1e400", MANY["amount"])}), "value is infinite"),
    "5,000 digits": (_csv(**{**MANY, "amount": _one_in(300, "9" * 5000, MANY["amount"])}), "not a number"),
}  # fmt: skip
DATES = {
    "9999": (_csv(closed=["9999-12-31" if i % 2 else "2020-01-05" for i in COUNT]), 'missing: ["9999-12-31"]'),
    "99991231": (_csv(closed=["99991231" if i % 2 else "20200105" for i in COUNT]), 'missing: ["99991231"]'),
    "2999": (_csv(closed=["2999-12-31" if i % 2 else "2020-01-05" for i in COUNT]), 'missing: ["2999-12-31"]'),
    "31/12/9999": (_csv(closed=["31/12/9999" if i % 2 else "05/01/2020" for i in COUNT]), "date stands for no day; name it in `missing`"),
    "99999": (_csv(close_date=["99999-12-31" if i % 2 else "2020-01-05" for i in COUNT]), "close_date: called a date, but"),
    "0000-00-00": (_csv(open_date=_one_in(5, "0000-00-00", ["2020-01-05"] * N)), "open_date: called a date, but"),
    "0001-01-01": (_csv(open_date=_one_in(5, "0001-01-01", ["2020-01-05"] * N)), "open_date: called a date, but"),
    "1899": (_csv(open_date=_one_in(5, "1899-12-30", ["2020-01-05"] * N)), "open_date: called a date, but"),
    "30 February": (_csv(open_date=_one_in(5, "2020-02-30", ["2020-01-05", "2020-01-06"] * 30)), "open_date: called a date, but"),
    "month 13": (_csv(open_date=["2020-13-01"] * N), "open_date: called a date, but"),
    "no day between days": (_csv(opened=_one_in(5, "0000-00-00", ["2020-01-05"] * N)), "opened: mostly days, but not all"),
    "30 February between days": (_csv(opened=_one_in(5, "2020-02-30", ["2020-01-05"] * N)), "opened: mostly days, but not all"),
    "Thailand's years": (_csv(opened=[f"2563-01-{i % 28 + 1:02d}" for i in COUNT]), "opened: mostly days, but not all"),
    "the future": (_csv(open_date=[f"2030-01-{i % 28 + 1:02d}" for i in COUNT]), "date is in the future"),
    "day or month": (_csv(open_date=[f"{i % 12 + 1:02d}/{i % 12 + 1:02d}/2020" for i in COUNT]), "day and month can't be told apart"),
    "day and month mixed": (_csv(open_date=["25/01/2020" if i % 2 else "01/25/2020" for i in COUNT]), "open_date: called a date, but"),
    "two-digit years": (_csv(open_date=[f"{i % 28 + 1:02d}/01/20" for i in COUNT]), "open_date: called a date, but"),
    "年月日": (_csv(open_date=[f"2020年1月{i % 28 + 1}日" for i in COUNT]), '"%Y年%m月%d日"'),
    "Taiwan's years": (_csv(open_date=[f"109/01/{i % 28 + 1:02d}" for i in COUNT]), "open_date: called a date, but"),
    "seconds since 1970": (_csv(open_date=[1577836800 + i * 86400 for i in COUNT]), "open_date: called a date, but"),
    "milliseconds": (_csv(open_date=[1577836800000 + i for i in COUNT]), "open_date: called a date, but"),
    "janvier": (_csv(open_date=[f"{i % 28 + 1} janvier 2020" for i in COUNT]), "open_date: called a date, but"),
}  # fmt: skip
OUTCOMES = {
    "one value": (_csv(status=["good"] * N), "no outcome was found"),
    "three values": (_csv(status=_cycled("good", "bad", "ugly")), "no outcome was found"),
    "two ways to write one": (_csv(status=_cycled("good", "bad", "Good")), "no outcome was found"),
    "some without": (
        _csv(status=_cycled("good", "bad", "")),
        "value is missing; fill it in, or leave the row out of the file (20 rows)",
    ),
}


def _bytes_column(kind: pa.DataType) -> pa.Table:
    return pa.table({"a": pa.array([b"\x00\xff", b"\xff\xfe"], kind), "b": [1, 2]})


def _no_utf8(raw: bytes) -> pa.Table:
    ends = np.array([0, len(raw) - 1, len(raw)], dtype="i4").tobytes()
    text = pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(ends), pa.py_buffer(raw)])
    return pa.table({"a": text, "b": [1, 2]})


_WHOLE = _parquet(pa.table({"a": list(range(5000)), "s": [f"x{i}" for i in range(5000)]}), write_page_checksum=True)
_PAGE = pq.read_metadata(io.BytesIO(_WHOLE)).row_group(0).column(1).data_page_offset
_DAMAGED = "not a whole Parquet file (truncated or damaged); fetch it again"
PARQUET = {
    "no Parquet": (GOOD.encode(), _DAMAGED),
    "its first bytes": (b"PAR1", _DAMAGED),
    "nothing between": (b"PAR1PAR1", _DAMAGED),
    "cut": (_WHOLE[:-200], _DAMAGED),
    "its end alone": (_WHOLE[-500:], _DAMAGED),
    "a flipped bit": (_flipped(_WHOLE, _PAGE + 60), "a page does not keep its checksum, the file is damaged"),
    "a flipped bit in the footer's length": (_flipped(_WHOLE, len(_WHOLE) - 8), _DAMAGED),
    "no checksums": (_parquet(pa.table({"a": COUNT, "b": COUNT})), "The pages of the file hold no checksums"),
    "bytes": (_parquet(_bytes_column(pa.binary())), "column 'a' holds bytes, not text"),
    "long bytes": (_parquet(_bytes_column(pa.large_binary())), "column 'a' holds bytes, not text"),
    "no UTF-8": (_parquet(_no_utf8(b"\xffa")), "column 'a' holds text that is not UTF-8"),
    "surrogates": (_parquet(_no_utf8(b"\xed\xa0\x80a")), "column 'a' holds text that is not UTF-8"),
    "lists": (_parquet(pd.DataFrame({"a": [[1, 2], [3]], "b": 1})), "column 'a' holds lists or records"),
    "records": (_parquet(pd.DataFrame({"a": [{"x": 1}, {"x": 2}], "b": 1})), "column 'a' holds lists or records"),
    "times": (_parquet(pa.table({"a": pa.array([1, 2], pa.time32("s")), "b": [1, 2]})), "column 'a' holds time32"),
    "durations": (_parquet(pa.table({"a": pa.array([1, 2], pa.duration("s")), "b": [1, 2]})), "column 'a' holds duration[s]"),
    "a name twice": (_parquet(pa.table([[1], [2]], ["a", "a"])), "column 'a' stands twice in the header"),
    "a blank name": (_parquet(pa.table([[1], [2]], ["a", " "])), "column 2 has no name in the header"),
    "a telephone for a name": (_parquet(pa.table([[1], [2]], ["a", "+86 13812345678"])), "column 2 has personal data for a name (+86 *******5678)"),
    "no rows": (_parquet(pa.table({"a": pa.array([], "i8"), "b": pa.array([], "i8")})), "a header and no rows"),
    "no columns": (_parquet(pa.table({})), "a header and no rows"),
    "one column": (_parquet(pa.table({"a": [1, 2]})), "one column only"),
    "nothing but missing": (_parquet(pa.table({"a": pa.nulls(5), "b": pa.nulls(5)})), "no column holds a value"),
}  # fmt: skip

FILES = {
    **{f"no table: {k}": ("loans.csv", *v) for k, v in NO_TABLE.items()},
    **{f"packed: {k}": ("loans.csv.gz", *v) for k, v in PACKED.items()},
    **{f"two encodings: {k}": ("loans.csv", *v) for k, v in MIXED.items()},
    **{f"encoding: {k}": ("loans.csv", *v) for k, v in ENCODED.items()},
    **{f"lines: {k}": ("loans.csv", *v) for k, v in LINES.items()},
    **{f"identifiers: {k}": ("loans.parquet" if isinstance(v[0], bytes) else "loans.csv", *v) for k, v in IDENTIFIERS.items()},
    **{f"numbers: {k}": ("loans.csv", *v) for k, v in NUMBERS.items()},
    **{f"dates: {k}": ("loans.csv", *v) for k, v in DATES.items()},
    **{f"outcomes: {k}": ("loans.csv", *v) for k, v in OUTCOMES.items()},
    **{f"Parquet: {k}": ("loans.parquet", *v) for k, v in PARQUET.items()},
    "a name: .xlsx": ("loans.xlsx", b"x", "'.xlsx' is not read here; save it as CSV UTF-8"),
    "a name: none": ("loans", GOOD, "'' is not read here"),
    "a name: .json": ("loans.json", GOOD, "'.json' is not read here"),
}  # fmt: skip


def _heard(path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What `workbench intake` says of a file; of one it drafts, the draft and what its check finds, too."""
    code = main(["intake", str(path), "--out", str(out)])
    printed = capsys.readouterr()
    if code:
        assert printed.err.count("\n") == 1 and len(printed.err) < SHORT, printed.err
        return code, printed.err
    drafted = contracts.load(out)
    _, findings = contracts.check(read_raw(path, drafted), drafted, TODAY)
    return code, printed.out + out.read_text(encoding="utf-8") + "\n".join(f.line() for f in findings)


def _failure(what: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    name, content, says = FILES[what]
    path = folder / name
    content = content() if callable(content) else content
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        code, output = _heard(path, folder / "drafted.yaml", capsys)
    except Exception as e:  # noqa: BLE001 - the traceback a user would see
        return [(what, f"{type(e).__name__}: {e}")]
    finally:
        (folder / "drafted.yaml").unlink(missing_ok=True)
    return [] if code in (0, 2) and says in output else [(what, f"{code}: {output[:300]}")]


@pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=pytest.mark.whole)])
def test_bad_files_are_refused_or_their_trouble_is_named(tmp_path, capsys, measured, every):
    cases = list(FILES)[::every]
    failures = [f for what in cases for f in _failure(what, tmp_path, capsys)]
    measured("bad files: refused in one line, or the trouble named", len(cases), failures)


def test_the_good_file_is_drafted_without_a_word(tmp_path, capsys):
    (tmp_path / "loans.csv").write_text(GOOD)
    code, output = _heard(tmp_path / "loans.csv", tmp_path / "drafted.yaml", capsys)
    assert code == 0 and "note:" not in output and output.rstrip().endswith("two values and called like an outcome")


def test_columns_may_be_called_as_the_panel_once_called_its_own(tmp_path):
    names = {
        n: COUNT
        for n in (
            "account_id",
            "is_default",
            "as_of_month",
            "entity",
            "month",
            "row_number",
            "select",
            "limit",
            "default",
            "order",
        )
    }
    (tmp_path / "loans.csv").write_text(_csv(**names, open_date=[f"2020-01-{i % 28 + 1:02d}" for i in COUNT]))
    words = draft.draft(tmp_path / "loans.csv")
    typed, findings = contracts.check(read_raw(tmp_path / "loans.csv", words), words, TODAY)
    assert findings == [] and {c.name for c in words.columns} >= set(names)
    panel, made = build.build(*source.account(typed, words), None, build.Params(as_of_from="", as_of_to=""))
    assert len(panel) == N and {c.name for c in made.features()} >= set(names) - {"month", "row_number", "entity"}
