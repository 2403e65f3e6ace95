"""Files of every bad kind give one clear line; good ones lose nothing."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios import limits
from workbench.portfolios.files import dialect, read_raw, remarks

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


CHINESE = "编号,姓名,城市\n1,王芳,上海\n2,李娜,广州\n3,欧阳修,重庆\n"
TAIWAN = "編號,姓名,城市\n1,陳怡君,臺北\n2,林志明,高雄\n3,張雅婷,臺中\n"
JAPAN = "番号,氏名,都市\n1,田中さくら,東京\n2,鈴木はなこ,大阪\n3,山本たろう,名古屋\n"
WESTERN = "id,name,town\n1,Müller,Zürich\n2,José Peña,São Paulo\n3,O’Brien,Besançon\n"


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        (CHINESE, "gbk", "gb18030"),
        (TAIWAN, "big5", "cp950"),
        (JAPAN, "shift_jis", "cp932"),
        (WESTERN, "cp1252", "cp1252"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (WESTERN, "utf-16-be", "utf-16-be"),
    ],
)
def test_each_encoding_is_told_from_the_others(tmp_path, text, encoding, named):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert dialect(path) == {"encoding": named, "delimiter": ","}
    assert _line(path) == f"a.csv: not utf-8-sig; set `encoding: {named}` in the contract"
    read = read_raw(path, WORDS.model_copy(update={"encoding": named}))
    assert read.iloc[0, 2] == text.splitlines()[1].split(",")[2]


def test_ascii_in_utf_16_without_its_mark_is_told(tmp_path):
    (tmp_path / "a.csv").write_bytes("id,amt\n1,2\n".encode("utf-16-le"))
    said = "a.csv: holds null bytes; it seems to be UTF-16; set `encoding: utf-16-le` in the contract"
    assert _line(tmp_path / "a.csv") == said


def test_two_encodings_in_one_file_are_never_read_as_letters_nobody_wrote(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,town\n1,上海\n".encode() + "2,广州\n".encode("gbk"))
    said = "a.csv: in two encodings, line 2 in UTF-8 and line 3 not; save it in one"
    assert _line(path) == said
    assert _line(path, WORDS.model_copy(update={"encoding": "gb18030"})) == said
    with pytest.raises(UserError, match="in two encodings"):
        dialect(path)
    path.write_bytes("id,town\n1,Zürich\n".encode() + "2,Köln\n".encode("cp1252"))
    assert _line(path) == said
    path.write_bytes("id,town\n1,上海\n".encode())
    assert (
        _line(path, WORDS.model_copy(update={"encoding": "gb18030"}))
        == "a.csv: is UTF-8, not gb18030; set `encoding: utf-8-sig` in the contract"
    )


@pytest.mark.parametrize("name", ["rot13", "zlib", "hex", "utf-8\x00", "idna", "unicode_escape", "", "x" * 5000])
def test_what_is_no_encoding_of_text_is_named(tmp_path, name):
    (tmp_path / "a.csv").write_text("id,amt\n1,2\n")
    said = f"a.csv: {name!r} is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252"
    assert _line(tmp_path / "a.csv", WORDS.model_copy(update={"encoding": name})) == said


@pytest.mark.parametrize(
    ("content", "said"),
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
def test_lines_that_are_no_rows_are_named_and_no_value_is_shown(tmp_path, content, said):
    (tmp_path / "a.csv").write_text(content)
    words = WORDS.model_copy(update={"delimiter": ";", "columns": ()}) if ";" in content else None
    assert _line(tmp_path / "a.csv", words) == f"a.csv: {said}"


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
    said = (
        f"a.csv.gz: unpacks to more than 200 times its size ({size:,} bytes); give it unpacked, if it is a table at all"
    )
    assert _line(tmp_path / "a.csv.gz") == said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"


def test_what_is_too_large_is_named_with_its_limit(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("id,amt,n\na,2,3\nb,3,4\n")
    pd.DataFrame({"a": [1, 2, 3], "b": 1, "c": 2}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(limits, "MOST_COLUMNS", 2)
    said = "3 columns, at most 2 are read; leave out what isn't needed"
    assert _line(tmp_path / "a.csv") == f"a.csv: {said}" and _line(tmp_path / "a.parquet") == f"a.parquet: {said}"
    monkeypatch.setattr(limits, "MOST_COLUMNS", 3)
    monkeypatch.setattr(limits, "MOST_ROWS", 1)
    said = "2 rows of 3 columns, at most 1 rows and 500,000,000 cells are read; give it in parts"
    assert _line(tmp_path / "a.csv") == f"a.csv: {said}"
    monkeypatch.setattr(limits, "MOST_BYTES", 20)
    assert _line(tmp_path / "a.csv") == "a.csv: more than 0 GB of text; give it as Parquet or in parts"


def _text_of(raw: bytes) -> pa.Array:
    ends = np.array([0, len(raw) - 1, len(raw)], dtype="i4").tobytes()
    return pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(ends), pa.py_buffer(raw)])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([b"\x00", b"\xff"]), "column 'a' holds bytes, not text; export it as text or leave it out"),
        (pa.array([b"\x00", b"\xff"]).dictionary_encode(), "column 'a' holds bytes, not text; export it as text or leave it out"),
        (_text_of(b"\xed\xa0\x80a"), "column 'a' holds text that is not UTF-8; export it as UTF-8 or leave it out"),
        (_text_of(b"\xffa"), "column 'a' holds text that is not UTF-8; export it as UTF-8 or leave it out"),
        (pa.array([1, 2], pa.duration("s")), "column 'a' holds duration[s]; give text, numbers or dates"),
        (pa.array([1, 2], pa.time32("s")), "column 'a' holds time32[ms]; give text, numbers or dates"),
    ],
)  # fmt: skip
def test_parquet_columns_that_are_no_values_are_named(tmp_path, values, said):
    pq.write_table(pa.table({"a": values, "b": [1, 2]}), tmp_path / "f.parquet")
    assert _line(tmp_path / "f.parquet") == f"f.parquet: {said}"


def test_parquet_names_are_held_to_the_same_rules(tmp_path):
    pq.write_table(pa.table([[1], [2]], ["a", "a"]), tmp_path / "f.parquet")
    assert _line(tmp_path / "f.parquet") == "f.parquet: column 'a' stands twice in the header; rename one"
    pq.write_table(pa.table([[1], [2]], ["a", " "]), tmp_path / "f.parquet")
    said = "f.parquet: column 2 has no name in the header; name it or delete the column"
    assert _line(tmp_path / "f.parquet") == said


def test_a_flipped_bit_in_a_page_is_seen_where_pages_have_checksums_and_their_lack_is_said(tmp_path):
    table, path = pa.table({"a": list(range(50_000)), "s": [f"x{i}" for i in range(50_000)]}), tmp_path / "f.parquet"
    pq.write_table(table, path)
    assert remarks(path) == ("The pages of the file hold no checksums: a changed bit in it would not be noticed.",)
    pq.write_table(table, path, write_page_checksum=True)
    assert remarks(path) == () and len(read_raw(path)) == 50_000
    column = pq.read_metadata(path).row_group(0).column(0)
    for page in (column.dictionary_page_offset, column.data_page_offset):
        flipped = bytearray(path.read_bytes())
        flipped[page + 60] ^= 4
        (tmp_path / "g.parquet").write_bytes(flipped)
        said = "g.parquet: a page does not keep its checksum, the file is damaged; fetch it again"
        assert _line(tmp_path / "g.parquet") == said


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
