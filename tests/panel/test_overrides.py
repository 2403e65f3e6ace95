"""Overrides as a bank records them: flags in any of their spellings, or grades."""

import numpy as np
import pandas as pd
import pytest

from workbench.contracts import Column, Contract
from workbench.panel import overrides

WORDS = Contract(name="p", title="p", columns=(Column(name="by_hand", type="category", role="override"),))


@pytest.mark.parametrize(
    "written",
    [["1", "0", None], ["True", "False", None], ["true", "false", None], [1.0, 0.0, np.nan], [True, False, None]],
)
def test_flags_are_read_in_each_way_a_file_writes_them(written):
    rows = pd.DataFrame({"by_hand": written})
    assert overrides.column_of(rows, WORDS, ["A", "B"]) == "by_hand"
    assert overrides.overridden(rows, "by_hand").fillna(-1).tolist() == [1, 0, -1]
