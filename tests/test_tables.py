"""The door to data at rest: written once, digest of all bytes, changes seen."""

import hashlib
import subprocess
import sys

import pandas as pd
import pytest

from workbench import home, tables
from workbench.params import Key, UserError

S = Key("s")
MARCH = Key("s", "2018-03")


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))


@pytest.fixture
def at_rest(tmp_path, monkeypatch):
    """Write a table as a step does and take it into the store as its runner does; return the digest."""

    def write(key: Key, name: str, table: pd.DataFrame) -> str:
        with monkeypatch.context() as step:
            step.setenv("WORKBENCH_STEP_DIR", str(tmp_path / "step"))
            digest = tables.write(key, name, table)
        tables.pin(key, name, tables.keep(key, name, tmp_path / "step" / "tables"))
        return digest

    return write


def _file(key: Key, name: str, digest: str):
    return home.mlruns() / "tables" / key.place / name / f"{digest[:16]}.parquet"


def test_same_content_same_digest_and_one_file(at_rest):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    first, second = at_rest(S, "t", table), at_rest(S, "t", table.copy())
    assert first == second
    assert len(list((home.mlruns() / "tables" / "s" / "once" / "t").glob("*.parquet"))) == 1
    pd.testing.assert_frame_equal(tables.read(S, "t"), table)
    assert list(tables.read(S, "t", columns=["b"])) == ["b"]


def test_a_change_in_row_15000_changes_the_digest_and_keeps_the_old_file(at_rest):
    table = pd.DataFrame({"a": range(20_000)})
    first = at_rest(S, "t", table)
    table.loc[15_000, "a"] = -1
    assert at_rest(S, "t", table) != first
    assert tables.stands(S, "t", first)


def test_a_changed_file_is_refused_and_mended_by_writing_the_same_content(at_rest):
    table = pd.DataFrame({"a": [1]})
    digest = at_rest(S, "t", table)
    path = _file(S, "t", digest)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError) as e:
        tables.read(S, "t")
    assert str(e.value) == (
        f"table 't' of study 's': {path.name} was changed or lost; `workbench run params/s.yaml` mends it"
    )
    assert at_rest(S, "t", table) == digest and tables.read(S, "t")["a"].tolist() == [1]


def test_in_a_step_nothing_at_rest_moves(at_rest, tmp_path, monkeypatch):
    digest = at_rest(S, "t", pd.DataFrame({"a": [1]}))
    before = {p: p.read_bytes() for p in (home.mlruns() / "tables").rglob("*") if p.is_file()}
    monkeypatch.setenv("WORKBENCH_STEP_DIR", str(tmp_path / "next"))
    assert tables.write(S, "t", pd.DataFrame({"a": [2]})) != digest
    assert tables.read(S, "t")["a"].tolist() == [2]  # the step itself sees what it has written
    assert {p: p.read_bytes() for p in (home.mlruns() / "tables").rglob("*") if p.is_file()} == before
    monkeypatch.delenv("WORKBENCH_STEP_DIR")
    assert tables.read(S, "t")["a"].tolist() == [1]


def test_by_hand_tables_are_read_back_by_the_same_process_alone(at_rest):
    at_rest(S, "t", pd.DataFrame({"a": [1]}))
    tables.write(S, "t", pd.DataFrame({"a": [2]}))
    tables.write(S, "new", pd.DataFrame({"a": [3]}))
    assert tables.read(S, "t")["a"].tolist() == [2] and tables.names(S) == ["new", "t"]
    code = (
        "from workbench import tables; from workbench.params import Key;"
        "print(tables.read(Key('s'), 't')['a'].tolist(), tables.names(Key('s')))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == "[1] ['t']\n"


def test_a_period_is_looked_up_before_the_study_and_overwrites_no_other(at_rest):
    once, march = (at_rest(k, "t", pd.DataFrame({"a": [n]})) for k, n in ((S, 0), (MARCH, 3)))
    at_rest(S, "book", pd.DataFrame({"a": [9]}))
    at_rest(Key("s", "2018-04"), "t", pd.DataFrame({"a": [4]}))
    at_rest(Key("s", "2018-04"), "t", pd.DataFrame({"a": [5]}))
    assert [tables.read(k, "t")["a"][0] for k in (S, MARCH, Key("s", "2018-04"))] == [0, 3, 5]
    assert tables.read(MARCH, "book")["a"][0] == 9 and tables.names(MARCH) == ["book", "t"]
    assert tables.pinned(S, "t")["digest"] == once != march == tables.pinned(MARCH, "t")["digest"]


def test_a_parquet_file_written_elsewhere_is_staged_by_the_digest_of_all_its_bytes(tmp_path):
    file = tmp_path / "big.parquet"
    pd.DataFrame({"a": range(10)}).to_parquet(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert tables.stage(S, "big", file, rows=10) == digest and not file.exists()
    assert tables.read(S, "big")["a"].sum() == 45


def test_an_unknown_table_is_named_with_the_nearest():
    tables.write(S, "mart__panel", pd.DataFrame({"a": [1]}))
    with pytest.raises(UserError) as e:
        tables.read(S, "mart__pannel")
    assert str(e.value) == (
        "table 'mart__pannel' of study 's' is not there (did you mean 'mart__panel'?): `workbench run params/s.yaml`"
    )
    with pytest.raises(UserError) as e:
        tables.read(MARCH, "mart__alarms")
    assert str(e.value).endswith(
        "of study 's', 2018-03 is not there (nothing was written yet): `workbench run params/s.yaml --period 2018-03`"
    )
