"""Behaviour without a model: a change of one segment alone is seen there, one of the whole book everywhere."""

import numpy as np
import pandas as pd
import pytest

from workbench import rules
from workbench.monitoring import alarms, behaviour
from workbench.params import UserError
from workbench.reporting import advice

RULES = rules.load()


def _panel(changed: str = "2020-09", n: int = 1500, only: str = "south", seed: int = 1) -> pd.DataFrame:
    rng, parts = np.random.default_rng(seed), []
    for month in pd.period_range("2020-01", "2020-12", freq="M"):
        region = rng.choice(["north", "south", "west"], n, p=[0.5, 0.3, 0.2])
        late = str(month) >= changed
        used = rng.normal(size=n) + np.where((region == only) & late, 0.7, 0)
        parts.append(pd.DataFrame({"region": region, "used": used, "as_of_date": month.end_time.normalize()}))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(entity_id=np.arange(len(rows)), weight=1.0, sample="", outcome=np.nan)


def _lights(panel: pd.DataFrame, **more: str) -> tuple[pd.DataFrame, list]:
    p = behaviour.Params(panel="mart__panel", **more)
    watched = behaviour.watch(*behaviour.cut(panel, p), ["region", "used"], p)
    lights = behaviour.lights(watched, RULES)
    return lights, [behaviour.shifted(watched["drift"], lights, p), *behaviour.segmented(watched, lights, p)]


def test_what_one_segment_does_alone_rings_there_and_not_in_the_whole_book():
    lights, (whole, shares, within) = _lights(_panel(), segment="region", until="2020-12")
    rang = alarms.raised(lights)
    assert set(rang["subject"]) == {"used · south"} and rang["period"].min() in ("2020-09", "2020-10")
    assert [str(e.verdict) for e in (whole, shares, within)] == ["green", "green", "red"]
    assert "Most in region 'south': used in " in within.answer and within.since in ("2020-09", "2020-10")


def test_no_model_is_refitted_where_none_is_watched():
    lights, _ = _lights(_panel(), segment="region", until="2020-12")
    alarm = alarms.to_evidence(lights, RULES, RULES["psi"], "2020-12", of_model=False)
    assert "To do: look into the data (model monitoring)." in alarm.answer
    assert set(alarm.table["action"]) == {"look into the data"} and "re-fit" not in alarm.answer
    todo = str(advice.what_to_do("monitoring/behaviour@cards", "red"))
    assert todo.startswith("Find out today whether the delivery or the customers changed.")


def test_a_book_that_moves_between_segments_is_migration():
    panel = _panel(changed="9999")
    late = panel["as_of_date"] >= "2020-10-01"
    move = late & (panel["region"] == "north") & (np.arange(len(panel)) % 2 == 0)
    lights, (_, shares, within) = _lights(panel.assign(region=panel["region"].mask(move, "west")), segment="region")
    assert str(shares.verdict) == "red" and "The shares of region moved most in 2020-1" in shares.answer
    assert str(within.verdict) == "green" and set(alarms.raised(lights)["kind"]) == {"segments", "drift"}


def test_without_a_segment_the_whole_book_is_watched_and_that_is_said():
    lights, (_, segments) = _lights(_panel(changed="9999"))
    assert alarms.raised(lights).empty
    assert "No column is named whose values are segments (`segment`)." in segments.answer


@pytest.mark.parametrize(
    ("panel", "more", "message"),
    [
        (
            _panel(),
            {"segment": "regoin"},
            "monitoring/behaviour: segment 'regoin' is no column of mart__panel; did you mean 'region'?",
        ),
        (
            _panel(),
            {"segment": "entity_id"},
            "monitoring/behaviour: segment: 'entity_id' has 18,000 values; name one of 12 at most",
        ),
        (
            _panel()[lambda r: r["as_of_date"] < "2020-02-01"],
            {},
            "monitoring/behaviour: panel 'mart__panel' has one period only; give it more as-of dates",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused_in_one_line(panel, more, message):
    with pytest.raises(UserError) as e:
        behaviour.cut(panel, behaviour.Params(panel="mart__panel", **more))
    assert str(e.value).startswith(message)
