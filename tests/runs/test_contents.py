"""Two tables of one raw file are the same under any home's key, and another value, row or owner makes them others."""

import pandas as pd
import pytest

from workbench.runs.contents import AtRest, same

WORDS = {
    "contract": {
        "columns": [
            {"name": "entity_id", "role": "key", "personal": "identifier"},
            {"name": "customer_id", "role": "parent", "personal": "identifier"},
        ]
    }
}
ACCOUNTS = pd.DataFrame(
    {"entity_id": ["x", "y", "z"], "customer_id": ["p", "q", "p"], "amt": [1.0, None, 3.0], "file_row": [0, 1, 2]}
)
MONTHS = pd.DataFrame({"entity_id": ["x", "x", "y"], "month": [1, 2, 1], "delay": [0.0, 1.0, 0.0]})
OTHER = {"x": "c", "y": "b", "z": "a", "p": "m", "q": "n"}  # in another order, too


@pytest.fixture
def at_rest(tmp_path, monkeypatch):
    """Return a function that lays a table down, with the accounts of its home beside it."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))

    def at_rest(table: pd.DataFrame, words: dict = WORDS, accounts: pd.DataFrame | None = None) -> AtRest:
        files = [tmp_path / f"{len(list(tmp_path.glob('*.parquet')))}{i}.parquet" for i in "ab"]
        table.to_parquet(files[0])
        if accounts is not None:
            accounts.to_parquet(files[1])
        return AtRest(files[0], words, files[1] if accounts is not None else None)

    return at_rest


def _under_another_key(table: pd.DataFrame) -> pd.DataFrame:
    return table.replace(OTHER).sort_values("entity_id", ignore_index=True)


def test_accounts_are_the_same_under_another_key(at_rest):
    assert same(at_rest(ACCOUNTS), at_rest(_under_another_key(ACCOUNTS)))


@pytest.mark.parametrize(
    "changed",
    [
        ACCOUNTS.assign(amt=[1.0, 2.0, 3.0]),
        ACCOUNTS.assign(customer_id=["p", "q", "q"]),
        ACCOUNTS.iloc[:2],
        pd.concat([ACCOUNTS, ACCOUNTS.iloc[:1]]),
        ACCOUNTS.assign(more=1),
    ],
    ids=["a value", "a parent", "a row less", "a row twice", "a column"],
)
def test_what_isnt_the_same_is_seen(at_rest, changed):
    assert not same(at_rest(ACCOUNTS), at_rest(_under_another_key(changed)))


def test_months_are_whose_the_accounts_say_they_are(at_rest):
    first = at_rest(MONTHS, accounts=ACCOUNTS)
    assert same(first, at_rest(_under_another_key(MONTHS), accounts=_under_another_key(ACCOUNTS)))
    swapped = MONTHS.assign(entity_id=["x", "y", "x"])
    assert not same(first, at_rest(_under_another_key(swapped), accounts=_under_another_key(ACCOUNTS)))


def test_where_nothing_says_a_place_names_count(at_rest):
    plain = MONTHS.assign(delay=0.0)
    assert same(at_rest(plain, {}), at_rest(plain.iloc[::-1], {}))
    assert not same(at_rest(plain, {}), at_rest(_under_another_key(plain), {}))
