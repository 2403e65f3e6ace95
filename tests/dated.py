"""A subject with a bank's raw months: customers by month, a dated event of three months past due, the panel they make."""

from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.contracts import Outcome
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation.raw import Raw

WINDOW, FIRST, LAST = 6, 2020 * 12 + 1, 2021 * 12 + 6  # months 2020-01 to 2021-06
OUTCOME = Outcome(event="delay_months >= 3", eligible="delay_months < 3", window_months=WINDOW)


def months(entities, events, seed=0) -> pd.DataFrame:
    """Return raw months: the event's month, counted from 2020-01, has a delay of 3, the others 0 to 2."""
    rng = np.random.default_rng(seed)
    n = LAST - FIRST + 1
    frame = pd.DataFrame(
        {
            "entity_id": np.repeat(np.asarray(entities, dtype=str), n),
            "month_no": np.tile(np.arange(FIRST, LAST + 1), len(entities)),
            "delay_months": rng.integers(0, 3, len(entities) * n),
        }
    )
    at = np.repeat(np.asarray(events, float), n)
    frame["delay_months"] = frame["delay_months"].where(frame["month_no"] - FIRST != at, 3)
    is_event = (frame["delay_months"] >= 3).astype(int)
    return frame.assign(is_event=is_event, is_competing=0, is_eligible=1.0 - is_event)


def with_months(s, panel):
    """Return the sound subject as a bank's with months: every event of 2020 in a month of its window, the panel dated so."""
    rng = np.random.default_rng(1)
    month = np.where(panel["outcome"] == 1, rng.integers(1, WINDOW + 1, len(panel)), np.nan)
    raw = Raw(months(panel["entity_id"], month), frozenset(panel["entity_id"]), LAST, ("delay_months",))
    contract = s.contract.model_copy(update={"outcome": OUTCOME})
    return replace(s, panel=panel.assign(**{EVENT_AFTER: month}), raw=raw, contract=contract)
