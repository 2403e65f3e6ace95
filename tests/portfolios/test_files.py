"""Files of every bad kind give one clear line; good ones lose nothing."""

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios.files import read_raw

WORDS = Contract(name="loans", title="t", columns=(Column(name="id", type="text", role="key"),))


def _line(path, contract=None) -> str:
    with pytest.raises(UserError) as e:
        read_raw(path, contract)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_identifiers_keep_every_digit_and_a_bom_is_no_matter(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("﻿id,amt\n110101199003070134,1\n110101199003070142,2\n".encode())
    table = read_raw(path)
    assert list(table.columns) == ["id", "amt"] and table["id"].tolist() == ["110101199003070134", "110101199003070142"]


def test_gbk_is_named_and_read_when_the_contract_says_so(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("编号,姓名\n1,王芳\n".encode("gbk"))
    assert _line(path) == "a.csv: not utf-8-sig; set `encoding: gb18030` in the contract"
    table = read_raw(path, WORDS.model_copy(update={"encoding": "gb18030"}))
    assert list(table.columns) == ["编号", "姓名"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "a.csv: the file is empty (0 bytes)"),
        ("a.csv", b"id,amt\n", "a.csv: a header and no rows"),
        ("a.csv", b"id;amt\n1;2\n", "a.csv: one column only; set `delimiter: ';'` in the contract"),
        ("a.csv", b"id,id\n1,2\n", "a.csv: column 'id' stands twice in the header; rename one"),
        ("a.csv", b"id,amt\n1,2\n1,2,3\n", "a.csv: rows of different length; "),
        ("a.csv", b"id,amt\n1,\x002\n", "a.csv: holds null bytes; "),
        ("a.xlsx", b"x", "a.xlsx: '.xlsx' is not read here; give a .csv, .tsv or .parquet file"),
        (
            "a.parquet",
            b"PAR1 and then nothing",
            "a.parquet: not a whole Parquet file (truncated or damaged); fetch it again",
        ),
    ],
)
def test_bad_files(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    assert _line(tmp_path / name).startswith(said)


def test_missing_file_folder_and_truncated_parquet(tmp_path):
    pd.DataFrame({"a": range(1000)}).to_parquet(tmp_path / "loans.parquet")
    assert _line(tmp_path / "loan.parquet") == "loan.parquet: no such file; did you mean 'loans.parquet'?"
    assert _line(tmp_path).endswith("is a folder; name the file in it")
    whole = (tmp_path / "loans.parquet").read_bytes()
    (tmp_path / "loans.parquet").write_bytes(whole[: len(whole) // 2])
    assert "not a whole Parquet file" in _line(tmp_path / "loans.parquet")


def test_garbage_is_never_a_traceback(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(60):
        path = tmp_path / f"g{i}.{['csv', 'parquet', 'tsv'][i % 3]}"
        path.write_bytes(rng.bytes(int(rng.integers(1, 400))))
        try:
            read_raw(path)
        except UserError as e:
            assert "\n" not in str(e)
