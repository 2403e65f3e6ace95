"""The waterfall: every month of the book has one fate, what was left out turns out as counted, dropped events are red."""

from dataclasses import replace

import pytest

from dated import FIRST, LAST, with_months
from workbench.validation import waterfall


@pytest.fixture(scope="module")
def dated(sound, panel):
    return with_months(sound, panel)


def test_every_row_has_one_fate_and_a_whole_sample_is_green(dated):
    e = waterfall.test(dated)
    table = e.table.set_index("step")
    assert str(e.verdict) == "green" and table["rows"].sum() == 8000 and e.value == 0
    assert table.loc["learnt from", "rows"] == 4000 and table.loc["held out", "rows"] == 4000
    assert table.loc["held out", "events"] == dated.holdout["outcome"].sum()
    assert table.loc["held out", "predicted"] == pytest.approx(dated.holdout["predicted"].mean())
    assert "Left out: none." in e.answer


def test_events_dropped_before_development_are_red_and_counted(dated):
    drop = dated.panel["sample"].eq("development") & dated.panel["outcome"].eq(1)
    less = replace(
        dated,
        panel=dated.panel[~drop].reset_index(drop=True),
        development=dated.development[dated.development["outcome"] == 0],
    )
    e = waterfall.test(less)
    n = int(drop.sum())
    assert str(e.verdict) == "red" and e.value == pytest.approx(n / 8000)
    assert f"no reason told {n:,} ({n:,} defaults of {n:,} known)" in e.answer


def test_reasons_are_told_apart(dated):
    raw = dated.raw.months
    ill = raw["entity_id"].isin(["a0", "a1"])
    months = raw.assign(is_eligible=raw["is_eligible"].where(~ill, 0.0))
    out = dated.panel[~dated.panel["entity_id"].isin(["a0", "a1"])].reset_index(drop=True)
    later = dated.panel.tail(50).assign(as_of_date="2021-02-01").astype({"as_of_date": out["as_of_date"].dtype})
    import pandas as pd

    s = replace(
        dated,
        panel=pd.concat([out, later.assign(sample="monitoring", outcome=float("nan"))]),
        raw=replace(dated.raw, months=months),
    )
    table = waterfall.test(s).table.set_index("step")
    span = 14  # months from 2020-01 to 2021-02
    assert table["rows"].sum() == 8000 * span and table.loc["not eligible", "rows"] >= 2
    assert table.loc["date not taken", "rows"] == 8000 * (span - 2)
    assert table.loc["watched", "rows"] == 50 and table.loc["window not closed", "rows"] > 7000
    assert FIRST + span - 1 + 6 > LAST and table.loc["no reason told", "rows"] == 0


def test_a_condition_on_what_only_the_panel_has_is_not_evaluated(dated):
    """Whoever is not eligible by `as_of_date < …` would count as left out without a reason, and light red."""
    unknown = replace(dated.raw, months=dated.raw.months.assign(is_eligible=float("nan")))
    e = waterfall.test(replace(dated, raw=unknown))
    assert str(e.verdict) == "not_evaluated"
    assert str(e.answer).startswith("Who is eligible can't be told: the condition asks for what")


def test_without_months_it_is_not_evaluated(sound, dated):
    assert str(waterfall.test(sound).verdict) == "not_evaluated"
    assert str(waterfall.test(replace(dated, raw=replace(dated.raw, own_month=True))).verdict) == "not_evaluated"
