"""Files of every bad kind give one clear line; good ones lose nothing."""

import gzip

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios.files import dialect, read_raw

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


def test_a_parquet_index_with_a_name_is_a_column(tmp_path):
    pd.DataFrame({"id": ["a", "b"], "amt": [1, 2]}).set_index("id").to_parquet(tmp_path / "a.parquet")
    assert read_raw(tmp_path / "a.parquet")["id"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "encoding", "header"),
    [
        ("编号,姓名\n1,王芳\n".encode("gbk"), "gb18030", ["编号", "姓名"]),
        ("id,name\n1,Žižek\n".encode("utf-16"), "utf-16", ["id", "name"]),
        ("id,name\n1,Müller\n2,Jürgens\n".encode("cp1252"), "cp1252", ["id", "name"]),
    ],
)
def test_another_encoding_is_named_and_read_when_the_contract_says_so(tmp_path, content, encoding, header):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert _line(path) == f"a.csv: not utf-8-sig; set `encoding: {encoding}` in the contract"
    assert dialect(path) == {"encoding": encoding, "delimiter": ","}
    assert list(read_raw(path, WORDS.model_copy(update={"encoding": encoding})).columns) == header


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "a.csv: the file is empty (0 bytes)"),
        ("a.csv", b"\n \n", "a.csv: the file is empty (nothing but blank lines)"),
        ("a.csv", b"id,amt\n", "a.csv: a header and no rows"),
        ("a.csv", b"id;amt\n1;2\n", "a.csv: one column only; set `delimiter: ';'` in the contract"),
        ("a.csv", b"id\tamt\n1\t2\n", 'a.csv: one column only; set `delimiter: "\\t"` in the contract'),
        ("a.csv", b"id,id\n1,2\n", "a.csv: column 'id' stands twice in the header; rename one"),
        (
            "a.csv",
            b"id,amt\n1,2\n1,2,3\n",
            "a.csv: rows of different length; line 3 has 3 values, the header 2: quote values that hold the delimiter",
        ),
        (
            "a.csv",
            b"id,amt\n1,2\n1\n",
            "a.csv: rows of different length; line 3 has 1 values, the header 2: quote values that hold the delimiter",
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
            "a.csv: holds null bytes; is it UTF-16 or no text at all? name its encoding in the contract",
        ),
        ("a.csv", "id,name\n1,芳".encode()[:-1], "a.csv: cut off in the middle of a character; fetch it again"),
        ("a.csv", b"PK\x03\x04xxx", "a.csv: an Excel or zip file under the name of a CSV; save it as CSV (UTF-8)"),
        ("a.csv.gz", b"id,amt\n1,2\n", "a.csv.gz: not a whole gzip file (truncated or damaged); fetch it again"),
        (
            "a.csv.gz",
            gzip.compress(b"id,amt\n1,2\n", mtime=0)[:-9],
            "a.csv.gz: not a whole gzip file (truncated or damaged); fetch it again",
        ),
        ("a.xlsx", b"x", "a.xlsx: '.xlsx' is not read here; give a .csv, .tsv or .parquet file"),
    ],
)
def test_bad_files(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    assert _line(tmp_path / name) == said


def test_an_unknown_encoding_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("id,amt\n1,2\n")
    said = _line(tmp_path / "a.csv", WORDS.model_copy(update={"encoding": "utf-9"}))
    assert said == "a.csv: 'utf-9' is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252"


def test_missing_file_and_folder(tmp_path):
    assert _line(tmp_path / "loan.parquet") == "loan.parquet: no such file; the folder is empty"
    assert _line(tmp_path / "no" / "loan.csv") == "loan.csv: no such file; the folder is not there"
    (tmp_path / "loans.parquet").write_bytes(b"x")
    assert _line(tmp_path / "loan.parquet") == "loan.parquet: no such file; did you mean 'loans.parquet'?"
    assert _line(tmp_path) == f"{tmp_path.name}: is a folder; name the file in it"


def test_bad_parquet(tmp_path):
    said = "loans.parquet: not a whole Parquet file (truncated or damaged); fetch it again ("
    path = tmp_path / "loans.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    assert _line(path).startswith(said)
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert _line(path).startswith(said)
    pd.DataFrame({"a": [[1, 2], [3]]}).to_parquet(path)
    assert _line(path) == "loans.parquet: column 'a' holds lists or records; give one value per row"
    pd.DataFrame({"a": []}).to_parquet(path)
    assert _line(path) == "loans.parquet: a header and no rows"


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
