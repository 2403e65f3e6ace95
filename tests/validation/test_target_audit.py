"""The target audit: derived apart from the panel's SQL, a single flipped flag is red, limits and windows are counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dated import FIRST, LAST, OUTCOME, months, with_months
from workbench.contracts import Column, Contract
from workbench.panel import build
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation import target_audit
from workbench.validation.raw import Raw, derived


@pytest.fixture(scope="module")
def dated(sound, panel):
    return with_months(sound, panel)


def test_every_flag_is_derived_again_and_one_that_was_flipped_is_red(dated):
    e = target_audit.test(dated)
    assert (
        str(e.verdict) == "green" and "8,000 rows of 8,000 entities derived again: 0 recorded otherwise, 0" in e.answer
    )
    flipped = dated.panel.copy()
    flipped.loc[5, "outcome"] = 1 - flipped.loc[5, "outcome"]
    e = target_audit.test(replace(dated, panel=flipped))
    assert str(e.verdict) == "red" and "1 recorded otherwise" in e.answer and e.value == 1
    moved = dated.panel.assign(
        **{
            EVENT_AFTER: dated.panel[EVENT_AFTER].where(
                dated.panel.index != dated.panel[EVENT_AFTER].first_valid_index(), 0
            )
        }
    )
    assert (
        "0 recorded otherwise, 1 with the event in another month."
        in target_audit.test(replace(dated, panel=moved)).answer
    )


def test_a_definition_a_month_too_lax_is_seen_at_the_limit(dated):
    lax = dated.raw.months.assign(is_event=(dated.raw.months["delay_months"] >= 2).astype(int))
    e = target_audit.test(replace(dated, raw=replace(dated.raw, months=lax)))
    assert str(e.verdict) == "red"
    events = int(dated.panel["outcome"].sum())
    sound = target_audit.test(dated)
    assert f"delay_months 3: {events:,} of {events:,}" in sound.answer and "delay_months 2: 0 of" in sound.answer


def test_windows_open_ends_and_competing_events_are_counted_by_hand():
    dates = pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-01", "2021-03-01", "2020-02-01"])
    rows = pd.DataFrame({"entity_id": ["a", "b", "c", "a", "a"], "as_of_date": dates})
    frame = months(["a", "b", "c"], [6, 7, 0])  # a in the window's last month, b after it, c on the date itself
    raw = Raw(frame, frozenset("abc"), LAST, ("delay_months",))
    again = derived(rows, raw, OUTCOME)
    assert again["derived"].tolist()[:3] == [1, 0, 0] and np.isnan(again["derived"][3]) and again["derived"][4] == 1
    assert again[EVENT_AFTER].tolist()[0] == 6 and again[EVENT_AFTER].tolist()[4] == 5
    repaid = frame.assign(is_competing=((frame["entity_id"] == "a") & (frame["month_no"] == FIRST + 2)).astype(int))
    assert derived(rows, replace(raw, months=repaid), OUTCOME)["derived"].tolist()[0] == 0
    day_dated = replace(raw, own_month=True)
    assert derived(rows, day_dated, OUTCOME)[EVENT_AFTER].tolist()[2] == 1, (
        "an application's window begins in its own month"
    )


def test_the_panels_own_sql_agrees_with_the_audit(dated):
    entities = list(dated.panel["entity_id"].head(400))
    frame = dated.raw.months[dated.raw.months["entity_id"].isin(entities)]
    month = pd.to_datetime({"year": (frame["month_no"] - 1) // 12, "month": (frame["month_no"] - 1) % 12 + 1, "day": 1})
    table = frame[["entity_id", "delay_months"]].assign(month=month)
    account = pd.DataFrame({"account_id": entities, "limit_amt": np.arange(400.0)})
    contract = Contract(
        name="core__account",
        title="t",
        outcome=OUTCOME,
        columns=(Column(name="account_id", type="text", role="key"), Column(name="limit_amt", type="number")),
    )
    made, resolved = build.build(
        account,
        contract,
        table,
        build.Params(study="s", as_of_from="2020-03", as_of_to="2021-04", observation_months=2),
    )
    s = replace(dated, panel=made, contract=dated.contract.model_copy(update={"outcome": resolved.outcome}))
    e = target_audit.test(replace(s, raw=replace(dated.raw, months=frame, entities=frozenset(entities))))
    assert str(e.verdict) == "green" and e.sight.n == len(made) > 2000, e.answer


def test_a_recorded_outcome_and_one_without_months_say_why(sound, dated):
    assert "recorded in a column of its own" in target_audit.test(sound).answer
    e = target_audit.test(replace(dated, raw=None))
    assert str(e.verdict) == "not_evaluated" and "The bank's months can't be read" in e.answer
    nobody = replace(dated.raw, entities=frozenset(["zz"]))
    assert "No row of the panel is of an entity" in target_audit.test(replace(dated, raw=nobody)).answer
