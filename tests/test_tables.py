"""The door to data at rest: written once, digest of all bytes, changes seen."""

import pandas as pd
import pytest

from workbench import home, tables
from workbench.params import UserError


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))


def test_same_content_same_digest_and_one_file():
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    first, second = tables.write("s", "t", table), tables.write("s", "t", table.copy())
    assert first == second
    assert len(list((home.mlruns() / "tables" / "s" / "t").glob("*.parquet"))) == 1
    pd.testing.assert_frame_equal(tables.read("s", "t"), table)


def test_a_change_in_row_15000_changes_the_digest_and_keeps_the_old_file():
    table = pd.DataFrame({"a": range(20_000)})
    first = tables.write("s", "t", table)
    table.loc[15_000, "a"] = -1
    assert tables.write("s", "t", table) != first
    assert tables.exists("s", "t", first)


def test_a_changed_file_is_refused():
    digest = tables.write("s", "t", pd.DataFrame({"a": [1]}))
    path = home.mlruns() / "tables" / "s" / "t" / f"{digest[:16]}.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"table 't' of study 's': .* was changed or lost"):
        tables.read("s", "t")


def test_an_unknown_table_is_named_with_the_nearest():
    tables.write("s", "mart__panel", pd.DataFrame({"a": [1]}))
    with pytest.raises(UserError) as e:
        tables.read("s", "mart__pannel")
    assert str(e.value) == (
        "table 'mart__pannel' of study 's' is not there (did you mean 'mart__panel'?): `workbench run params/s.yaml`"
    )
