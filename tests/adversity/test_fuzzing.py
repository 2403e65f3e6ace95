"""Contracts, studies and files as hypothesis makes them: each is read or named in one line, none is a traceback."""

from __future__ import annotations

import contextlib
import copy
import csv
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from workbench import contracts
from workbench.params import UserError
from workbench.portfolios import draft
from workbench.portfolios.files import read_raw
from workbench.portfolios.source import DATA, read
from workbench.runs import study

ROOT = Path(__file__).parents[2]
TODAY = pd.Timestamp("2026-01-01")
SEED = 20261127
LONGEST = 2000  # characters of a line that names a mistake
WORDS = (
    "2024-02-30", "9999-12-31", "1.23E+17", "12%", "１２", "上海", "é", "\ud7ff", "", " ", "#N/A", "inf", "nan", "1e400", "'", '"', "\t", "\r",
    "\x85", "\u2028", "\ufeff", "\u200b", "-", "%Y", "%d/%m/%Y", "excel", "gb18030", "rot13", "utf-16", "key", "outcome", "as_of", "date", "number",
    "entity_id", "sample", "mart__panel", "delay_months >= 3", "(", "{period}", "1,200", "(5)", "$7", "2020-01-31", "31/12/2020", "43831", "yes", "no", "0", "1",
)  # fmt: skip
TEXT = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.integers(10**4000, 10**4001))
VALUES = st.recursive(
    SCALARS, lambda v: st.one_of(st.lists(v, max_size=3), st.dictionaries(TEXT, v, max_size=3)), max_leaves=6
)


def _places(content: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested lists and mappings, from the root down."""
    yield place
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        yield from _places(value, (*place, key))


def _with(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(content)
    at = changed
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return changed


@st.composite
def documents(draw: st.DrawFn, good: Any, names: tuple[str, ...]) -> str:
    """A good document with one to three values replaced, or added under a known name; as YAML, sometimes cut."""
    content = good
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(content))))
        if draw(st.booleans()) and place and isinstance(place[-1], str):
            place = (*place[:-1], draw(st.sampled_from(names)))
        with contextlib.suppress(KeyError, IndexError, TypeError):  # a change has taken the place away
            content = _with(content, place, draw(VALUES))
    with contextlib.suppress(ValueError):  # Python writes no number of more than 4,300 digits
        text = yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
        at = draw(st.integers(0, len(text)))
        return draw(st.sampled_from([text, text, text[:at], text[:at] + draw(TEXT) + text[at:]]))
    return f"title: {'9' * 5000}"


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A delimited text of whatever cells, uneven at times, in one encoding or another."""
    width, height = draw(st.integers(1, 5)), draw(st.integers(0, 40))
    kinds = draw(st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=width, max_size=width))
    rows = [draw(st.lists(TEXT, min_size=width, max_size=width))]
    rows += [[kind[(i * (k + 1)) % len(kind)] for k, kind in enumerate(kinds)] for i in range(height)]
    if draw(st.integers(0, 9)) == 0 and height:
        rows[-1] = rows[-1][: draw(st.integers(0, width))]
    if draw(st.booleans()):
        rows = [["id" if i == 0 else f"L{i}", *row] for i, row in enumerate(rows)]
    target = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    csv.writer(target, delimiter=draw(st.sampled_from(",;\t|")), lineterminator=end).writerows(rows)
    encoded = target.getvalue().encode(
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030", "cp932"])), "replace"
    )
    return encoded + draw(st.sampled_from([b"", b"", b"", b"\xff", b"\x00"]))


def _contract(path: Path) -> None:
    words = contracts.load(path)
    contracts.unconfirmed(words)
    words.with_outcome()
    contracts.check(read(DATA / "german_credit.parquet", words).head(100), words, TODAY)


def _study(path: Path) -> None:
    study.load(path, ())


def _file(path: Path) -> None:
    words = draft.draft(path)
    drafted = path.with_suffix(".yaml")
    drafted.write_text(draft.to_yaml(words), encoding="utf-8")
    assert contracts.load(drafted) == words, "a draft is a contract that can be read"
    contracts.check(read_raw(path, words), words, TODAY)


def _loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


FIELDS = (*contracts.Contract.model_fields, *contracts.Column.model_fields)
PARAMS = ("seed", "today", "sample_rows", "files", "contracts", "outcome", "as_of_from", "out_of_time_from", "monitoring_from", "thresholds", "until", "risk_bands", "policies", "panel", "model", "kinds", "features", "period", "study")  # fmt: skip
KINDS: dict[str, tuple[Callable[[], st.SearchStrategy], Callable[[Path], None]]] = {
    "contract": (lambda: documents(_loaded(DATA / "german_credit.yaml"), FIELDS), _contract),
    "study": (lambda: documents(_loaded(ROOT / "params" / "sample.yaml"), PARAMS), _study),
    "csv": (tables, _file),
}


def _tried(path: Path, use: Callable[[Path], None], content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            use(path)
    except UserError as e:
        assert str(e) and "\n" not in str(e) and len(str(e)) < LONGEST, str(e)[:500]


@pytest.mark.parametrize("n", [40, pytest.param(2000, marks=pytest.mark.whole)])
@pytest.mark.parametrize("kind", KINDS)
def test_what_hypothesis_makes_is_read_or_named(kind, n, tmp_path, measured):
    strategy, use = KINDS[kind]

    @seed(SEED)
    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(strategy())
    def every_case(content: str | bytes) -> None:
        _tried(tmp_path / f"case.{kind}", use, content)

    failures = []
    try:
        every_case()
    except Exception as e:  # noqa: BLE001 - what a user would see as a traceback
        failures = [f"{type(e).__name__}: {e}", *getattr(e, "__notes__", [])]
    measured(f"fuzzed {kind}: no traceback", n, failures, SEED)
