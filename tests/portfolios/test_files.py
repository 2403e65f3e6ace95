"""Files of every bad kind give one clear line; good ones lose nothing."""

import gzip

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios import limits
from workbench.portfolios.files import dialect, header, read_raw

WORDS = Contract(name="loans", title="t", columns=(Column(name="id", type="text", role="key"),))


def _line(path, contract=None) -> str:
    with pytest.raises(UserError) as e:
        read_raw(path, contract)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_identifiers_keep_every_digit_and_a_bom_is_no_matter(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("﻿id,amt\n110101199003070134,\n110101199003070142,NA\n".encode())
    table = read_raw(path)
    assert list(table.columns) == ["id", "amt"] and table["id"].tolist() == ["110101199003070134", "110101199003070142"]
    assert table["amt"].isna().tolist() == [True, False], (
        "only an empty value is missing; NA is for the contract to say"
    )


def test_quotes_line_ends_gzip_and_tab_are_no_matter(tmp_path):
    text = 'id,note\r\n1,"two\r\nlines, one value"\r\n\r\n2,b\r\n'
    (tmp_path / "a.csv").write_bytes(text.encode())
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "c.tsv").write_bytes(b"id\tnote\r1\ta\r2\tb\r")
    assert read_raw(tmp_path / "a.csv")["id"].tolist() == ["1", "2"]
    pd.testing.assert_frame_equal(read_raw(tmp_path / "a.csv"), read_raw(tmp_path / "b.csv.gz"))
    assert read_raw(tmp_path / "c.tsv")["note"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "a.csv: the file is empty (0 bytes)"),
        ("a.csv", b"\n \n", "a.csv: the file is empty (nothing but blank lines)"),
        ("a.csv", b"id,amt\n", "a.csv: a header and no rows"),
        ("a.csv", b"id;amt\n1;2\n", "a.csv: one column only; set `delimiter: ';'` in the contract"),
        ("a.csv", b"id\tamt\n1\t2\n", 'a.csv: one column only; set `delimiter: "\\t"` in the contract'),
        ("a.csv", b"id,id\n1,2\n", "a.csv: column 'id' stands twice in the header; rename one"),
        ("a.csv", b'"the\nid","the\nid"\n1,2\n', "a.csv: column 'the id' stands twice in the header; rename one"),
        (
            "a.csv",
            b"id,amt\n1,2\n1,2,3\n",
            "a.csv: rows of different length; line 3 has 3 values, the header 2: quote values that hold the delimiter",
        ),
        (
            "a.csv",
            b"id,amt\n1,2\n1\n",
            "a.csv: line 3 has 1 values, the header 2: a total or a note at the end? delete it; cut off? fetch it again",
        ),
        (
            "a.csv",
            b"id,amt\n1,2,3\n1,2,3\n",  # pandas would take the first value for an index, and shift the others
            "a.csv: rows of different length; line 2 has 3 values, the header 2: quote values that hold the delimiter",
        ),
        (
            "a.csv",
            b'id,amt\n1,"2\n' + b"1,2\n" * 50_000,
            "a.csv: line 2: field larger than field limit (131072); is a quotation mark never closed?",
        ),
        (
            "a.csv",
            b"id,amt\n1,\x002\n",
            "a.csv: holds null bytes; is it no text at all?",
        ),
        ("a.csv", "id,name\n1,芳".encode()[:-1], "a.csv: cut off in the middle of a character; fetch it again"),
        ("a.csv", b"PK\x03\x04xxx", "a.csv: an Excel or zip file under the name of a CSV; save it as CSV (UTF-8)"),
        ("a.csv.gz", b"id,amt\n1,2\n", "a.csv.gz: not a whole gzip file (truncated or damaged); fetch it again"),
        (
            "a.csv.gz",
            gzip.compress(b"id,amt\n1,2\n", mtime=0)[:-9],
            "a.csv.gz: not a whole gzip file (truncated or damaged); fetch it again",
        ),
        (
            "a.csv.gz",
            gzip.compress(gzip.compress(b"id,amt\n1,2\n", mtime=0), mtime=0),
            "a.csv.gz: a gzip file within a gzip file; unpack it once",
        ),
        ("a.xlsx", b"x", "a.xlsx: '.xlsx' is not read here; save it as CSV UTF-8"),
        ("a.XLS", b"x", "a.XLS: '.XLS' is not read here; save it as CSV UTF-8"),
        ("a.json", b"x", "a.json: '.json' is not read here; give .csv, .tsv, .txt, .csv.gz, .tsv.gz, .parquet or .pq"),
    ],
)
def test_bad_files(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    assert _line(tmp_path / name) == words


def test_missing_file_and_folder(tmp_path):
    (tmp_path / "README.md").write_text("no table")
    assert _line(tmp_path / "loan.parquet") == "loan.parquet: no such file; the folder holds no table"
    assert _line(tmp_path / "no" / "loan.csv") == "loan.csv: no such file; the folder is not there"
    (tmp_path / "loans.parquet").write_bytes(b"x")
    assert _line(tmp_path / "loan.parquet") == "loan.parquet: no such file; did you mean 'loans.parquet'?"
    assert _line(tmp_path) == f"{tmp_path.name}: is a folder; name the file in it"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("1,Ada,2020-01-31,500\n2,Bob,2020-02-01,700\n", "line 1 seems to hold values, not names; give the file a header line"),
        ("a1,north,gold,yes\na2,north,gold,yes\na3,south,blue,yes\n", "line 1 seems to hold values, not names; give the file a header line"),
        (",id,amt\n0,1,2\n1,2,3\n", "column 1 has no name in the header; name it or delete the column"),
        ("id;amt; \n1;2;\n", "column 3 has no name in the header; name it or delete the column"),
        ("Loans of 2020\n\nid,amt\na,2\nb,3\n", "what stands above line 3, the header, is no part of the table; delete it"),
        ("Bank\nas of 2020,x\nid,amt,n\na,2,1\nb,3,1\n", "what stands above line 3, the header, is no part of the table; delete it"),
        ("id,amt\na,2\nb,3\nTotal,5\n", "line 4 seems to be a total, no row of the table; delete it"),
        ("id,amt\na,2\nb,3\n合计：,5\n", "line 4 seems to be a total, no row of the table; delete it"),
        ("id,amt,n\na,2,1\nb,3,1\nTotal 5\n", "line 4 has 1 values, the header 3: a total or a note at the end? delete it; cut off? fetch it again"),
    ],
)  # fmt: skip
def test_lines_that_are_no_rows_are_named_and_no_value_is_shown(tmp_path, content, complaint):
    (tmp_path / "a.csv").write_text(content)
    words = WORDS.model_copy(update={"delimiter": ";", "columns": ()}) if ";" in content else None
    assert _line(tmp_path / "a.csv", words) == f"a.csv: {complaint}"


def test_years_and_positions_are_names(tmp_path):
    (tmp_path / "a.csv").write_text("2019,2020,2021\n1,2,3\n")
    (tmp_path / "b.csv").write_text("0,1,2\n1,2,3\n")
    assert len(read_raw(tmp_path / "a.csv")) == len(read_raw(tmp_path / "b.csv")) == 1


def test_line_ends_of_old_are_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id;amt\ra;2\rb;3\r")
    assert dialect(tmp_path / "a.csv") == {"encoding": "utf-8-sig", "delimiter": ";"}
    assert read_raw(tmp_path / "a.csv", WORDS.model_copy(update={"delimiter": ";"}))["amt"].tolist() == ["2", "3"]


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_in_little_memory(tmp_path):
    import resource

    with gzip.open(tmp_path / "a.csv.gz", "wb", compresslevel=1) as file:
        file.write(b"id,amt\n")
        for _ in range(300):
            file.write(b"a,0\n" * 2**18)
    size = (tmp_path / "a.csv.gz").stat().st_size
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = (
        f"a.csv.gz: unpacks to more than 200 times its size ({size:,} bytes); give it unpacked, if it is a table at all"
    )
    assert _line(tmp_path / "a.csv.gz") == line
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"


def test_what_is_too_large_is_named_with_its_limit(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("id,amt,n\na,2,3\nb,3,4\n")
    pd.DataFrame({"a": [1, 2, 3], "b": 1, "c": 2}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(limits, "MOST_COLUMNS", 2)
    line = "3 columns, at most 2 are read; leave out what isn't needed"
    assert _line(tmp_path / "a.csv") == f"a.csv: {line}" and _line(tmp_path / "a.parquet") == f"a.parquet: {line}"
    monkeypatch.setattr(limits, "MOST_COLUMNS", 3)
    monkeypatch.setattr(limits, "MOST_ROWS", 1)
    line = "2 rows of 3 columns, at most 1 rows and 500,000,000 cells are read; give it in parts"
    assert _line(tmp_path / "a.csv") == f"a.csv: {line}"
    monkeypatch.setattr(limits, "MOST_BYTES", 20)
    assert _line(tmp_path / "a.csv") == "a.csv: more than 0 GB of text; give it as Parquet or in parts"


def _garbage(i: int, rng: np.random.Generator, whole: bytes) -> tuple[str, bytes]:
    """Bytes by chance, and (every fourth) a Parquet file with some bytes changed by chance."""
    if i % 4 < 3:
        return f"g{i}.{['csv', 'parquet', 'csv.gz'][i % 4]}", rng.bytes(int(rng.integers(1, 400)))
    broken = bytearray(whole)
    for at in rng.integers(0, len(whole), 5):
        broken[at] = rng.integers(0, 256)
    return f"g{i}.parquet", bytes(broken)


def test_garbage_is_never_a_traceback(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": range(50), "b": list("xyxyx" * 10)}).to_parquet(tmp_path / "whole.parquet")
    whole, refused = (tmp_path / "whole.parquet").read_bytes(), 0
    for i in range(400):
        name, content = _garbage(i, rng, whole)
        (tmp_path / name).write_bytes(content)
        try:
            read_raw(tmp_path / name)
        except UserError as e:
            refused += 1
            assert "\n" not in str(e)
    assert refused > 300


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_header_in_another_encoding_than_the_contract_says_is_one_line_too(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_text("id,amt\n1,2\n2,3\n")
    with pytest.raises(UserError, match=f"a.csv: not {encoding}; set `encoding: utf-8-sig` in the contract"):
        header(path, WORDS.model_copy(update={"encoding": encoding}))
