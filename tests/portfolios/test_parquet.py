"""A Parquet file is read whole or its fault is one line; a changed bit is seen where pages have checksums."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.params import UserError
from workbench.portfolios.files import read_raw, remarks


def _line(path) -> str:
    with pytest.raises(UserError) as e:
        read_raw(path)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_a_parquet_index_with_a_name_is_a_column(tmp_path):
    pd.DataFrame({"id": ["a", "b"], "amt": [1, 2]}).set_index("id").to_parquet(tmp_path / "a.parquet")
    assert read_raw(tmp_path / "a.parquet")["id"].tolist() == ["a", "b"]


def test_bad_parquet(tmp_path):
    line = "loans.parquet: not a whole Parquet file (truncated or damaged); fetch it again ("
    path = tmp_path / "loans.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    assert _line(path).startswith(line)
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert _line(path).startswith(line)
    pd.DataFrame({"a": [[1, 2], [3]]}).to_parquet(path)
    assert _line(path) == "loans.parquet: column 'a' holds lists or records; give one value per row"
    pd.DataFrame({"a": []}).to_parquet(path)
    assert _line(path) == "loans.parquet: a header and no rows"


def _text_of(raw: bytes) -> pa.Array:
    ends = np.array([0, len(raw) - 1, len(raw)], dtype="i4").tobytes()
    return pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(ends), pa.py_buffer(raw)])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pa.array([b"\x00", b"\xff"]), "column 'a' holds bytes, not text; export it as text or leave it out"),
        (pa.array([b"\x00", b"\xff"]).dictionary_encode(), "column 'a' holds bytes, not text; export it as text or leave it out"),
        (_text_of(b"\xed\xa0\x80a"), "column 'a' holds text that is not UTF-8; export it as UTF-8 or leave it out"),
        (_text_of(b"\xffa"), "column 'a' holds text that is not UTF-8; export it as UTF-8 or leave it out"),
        (pa.array([1, 2], pa.duration("s")), "column 'a' holds duration[s]; give text, numbers or dates"),
        (pa.array([1, 2], pa.time32("s")), "column 'a' holds time32[ms]; give text, numbers or dates"),
    ],
)  # fmt: skip
def test_parquet_columns_that_are_no_values_are_named(tmp_path, values, words):
    pq.write_table(pa.table({"a": values, "b": [1, 2]}), tmp_path / "f.parquet")
    assert _line(tmp_path / "f.parquet") == f"f.parquet: {words}"


def test_parquet_names_are_held_to_the_same_rules(tmp_path):
    pq.write_table(pa.table([[1], [2]], ["a", "a"]), tmp_path / "f.parquet")
    assert _line(tmp_path / "f.parquet") == "f.parquet: column 'a' stands twice in the header; rename one"
    pq.write_table(pa.table([[1], [2]], ["a", " "]), tmp_path / "f.parquet")
    line = "f.parquet: column 2 has no name in the header; name it or delete the column"
    assert _line(tmp_path / "f.parquet") == line


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
        line = "g.parquet: a page does not keep its checksum, the file is damaged; fetch it again"
        assert _line(tmp_path / "g.parquet") == line
