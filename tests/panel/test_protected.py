"""Groups of people: ages are cut where people speak of them, whatever the column's code name, and read as bins do."""

import pandas as pd

from workbench.panel.protected import grouped

AGES = pd.Series([19, 24, 30, 41, 50, 63, 70, 33, 28, 55, 47, 36], name="column_15")


def test_ages_are_known_by_what_the_column_is_called():
    assert set(grouped(AGES, called="年龄")) == {"below 25", "from 25", "from 35", "from 45", "from 60"}
    assert set(grouped(AGES.rename("age_years"))) == set(grouped(AGES, called="年龄"))


def test_quarters_of_other_numbers_are_written_as_bins_are():
    groups = grouped(AGES.rename("tenure"))
    assert sorted(set(groups)) == ["29.5 to < 38.5", "38.5 to < 51.25", "< 29.5", ">= 51.25"]
    assert groups.value_counts().tolist() == [3, 3, 3, 3]
