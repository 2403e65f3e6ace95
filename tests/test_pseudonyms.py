"""Pseudonyms: the same everywhere under one key, not to be undone; the key and the memory are kept safely."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench import pseudonyms
from workbench.params import UserError

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_key_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pseudonyms.VARIABLE, raising=False)


def test_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = pseudonyms.key(tmp_path / "new")
    path = tmp_path / "new" / "pseudonym.key"
    assert len(first) == 32 and pseudonyms.key(tmp_path / "new") == first == path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_racing_processes_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(pseudonyms.key, [tmp_path] * 64))) == 1


def test_key_of_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pseudonyms.VARIABLE, "ab" * 32)
    assert pseudonyms.key(tmp_path) == bytes.fromhex("ab" * 32)
    monkeypatch.setenv(pseudonyms.VARIABLE, "a sentence as key")
    assert pseudonyms.key(tmp_path) == b"a sentence as key"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", ["", "short"])
def test_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(pseudonyms.VARIABLE, given)
    with pytest.raises(UserError) as caught:
        pseudonyms.key(tmp_path)
    expected = f"WORKBENCH_PSEUDONYM_KEY: {len(given)} characters; give 16 or more, or unset it"
    assert str(caught.value) == expected


def test_damaged_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pseudonym.key").write_bytes(b"half")
    with pytest.raises(UserError, match="4 bytes instead of 32; restore it, or delete it"):
        pseudonyms.key(tmp_path)


def test_pseudonym_keeps_shape_and_missing_and_not_the_value() -> None:
    values = pd.Series(["C-1001", None, "C-1002", "C-1001", "  "], index=[5, 6, 7, 8, 9], name="customer_id")
    before = values.copy()
    made = pseudonyms.pseudonym(values, KEY, "customer")
    pd.testing.assert_series_equal(values, before)
    assert made.index.tolist() == values.index.tolist() and made.name == "customer_id"
    assert made.isna().tolist() == [False, True, False, False, True]
    assert made[5] == made[8] != made[7] and made.dropna().str.fullmatch(r"customer_[0-9a-f]{16}").all()


def test_same_value_is_same_in_every_table() -> None:
    ways = [pd.Series(["7001 "]), pd.Series([7001]), pd.Series([7001.0, np.nan]), pd.Series(["７００１"])]
    ways.append(pd.Series([7001, None], dtype="Int64"))
    ways.append(pd.Series(["7001", "x"], dtype="category"))
    assert len({pseudonyms.pseudonym(way, KEY, "loan").iloc[0] for way in ways}) == 1
    upper, lower = (pseudonyms.pseudonym(pd.Series([v]), KEY, "loan")[0] for v in ("AB7", "ab7"))
    assert upper == lower


def test_other_key_or_prefix_gives_other_characters() -> None:
    one = pd.Series(["7001"])
    made = [pseudonyms.pseudonym(one, k, p)[0][-16:] for k, p in ((KEY, "loan"), (KEY[1:], "loan"), (KEY, "bank"))]
    assert len(set(made)) == 3


def test_empty_series_has_no_pseudonyms() -> None:
    assert pseudonyms.pseudonym(pd.Series([], dtype="str"), KEY, "loan").empty


@pytest.mark.parametrize("value", ["Li", "Smith", "王芳", "123456", "12 34", "A 1", "", "2020 01 01", None, np.nan])
def test_what_is_too_short_is_not_remembered(value: object) -> None:
    assert pseudonyms.fingerprints([value], KEY) == set()


@pytest.mark.parametrize(
    "value", ["Ann Lee", "12 Baker Street", "张三丰", "김철수", "1234567", 1234567, "A座 上海市浦东"]
)
def test_what_is_long_enough_is_remembered_as_digests(value: object) -> None:
    made = pseudonyms.fingerprints(pd.Series([value, value]), KEY)
    assert len(made) in (1, 2) and all(len(line) == 32 and int(line, 16) >= 0 for line in made)
    assert made.isdisjoint(pseudonyms.fingerprints([value], KEY[1:]))


def test_saved_fingerprints_merge_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    assert pseudonyms.load_fingerprints(tmp_path) == frozenset()
    path = pseudonyms.save_fingerprints(tmp_path, "sample", {"b", "a"})
    pseudonyms.save_fingerprints(tmp_path, "sample", {"c"})
    pseudonyms.save_fingerprints(tmp_path, "other", {"d"})
    assert path == tmp_path / "privacy" / "sample.txt" and path.read_text() == "a\nb\nc\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert pseudonyms.load_fingerprints(tmp_path) == {"a", "b", "c", "d"}


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: pseudonyms.save_fingerprints(tmp_path, "sample", {f"{i:02}"}), range(40)))
    assert len(pseudonyms.load_fingerprints(tmp_path)) == 40
