"""Representativeness: the latest rows count though their outcome is open, features that are no input are at most amber."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.validation import psi_characteristics, representativeness


def _booked(s, panel, **columns):
    """The subject with rows of two years later whose outcome is still open."""
    later = panel.head(3000).assign(
        as_of_date=pd.Timestamp("2022-01-01"), sample="monitoring", outcome=np.nan, **columns
    )
    return replace(s, panel=pd.concat([panel, later], ignore_index=True))


def test_a_book_that_has_moved_is_red_though_no_outcome_of_it_is_known(sound, panel):
    s = _booked(sound, panel, income=panel["income"].head(3000) * 2.5)
    e = representativeness.test(s)
    assert str(e.verdict) == "red" and e.table.iloc[0]["driver"] in ("income", "predicted")
    assert "on 3,000 rows from 2022-01 to 2022-01" in e.answer and e.sight.n == 3000 and e.sight.events is None
    assert str(psi_characteristics.test(s).verdict) == "green", "it reads rows whose outcome is known"
    assert str(representativeness.test(_booked(sound, panel)).verdict) == "green"


def test_a_feature_that_is_no_input_is_at_most_amber_and_a_value_never_seen_is_counted(sound, panel):
    features = {n: v for n, v in sound.model.features.items() if n != "income"}
    s = _booked(sound, panel, income=panel["income"].head(3000) * 9)
    blind = replace(s, model=_Without(s.model, features))
    e = representativeness.test(blind)
    assert str(e.verdict) == "amber" and e.table.iloc[0]["driver"] == "income" and not e.table.iloc[0]["input"]
    gone = representativeness.test(_booked(sound, panel, delay=np.nan))
    assert "100.0% of the rows have a value of delay that development never saw." in gone.answer


class _Without:
    """The model without one input: it predicts as if that had not moved."""

    def __init__(self, model, features):
        self.features, self.reference, self.model = features, model.reference, model

    def predict(self, X):
        return self.model.predict(X.assign(income=X["income"] / 9))


def test_only_the_last_year_counts_and_without_a_later_row_it_is_not_evaluated(sound, panel):
    assert str(representativeness.test(sound).verdict) == "not_evaluated"
    s = _booked(sound, panel)
    old = panel.head(500).assign(as_of_date=pd.Timestamp("2020-12-01"), sample="monitoring", income=1e9)
    e = representativeness.test(replace(s, panel=pd.concat([s.panel, old], ignore_index=True)))
    assert e.sight.n == 3000 and str(e.verdict) == "green"
    assert representativeness.book(s)["weight"].eq(1).all() and e.value == pytest.approx(e.table.iloc[0]["psi"])
