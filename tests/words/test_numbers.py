"""Numbers: p-values keep their side of a level, ticks of an axis are told apart."""

import string

import pandas as pd
import pytest

from workbench import rules
from workbench.evidence.hidden import HIDDEN
from workbench.evidence.table import is_share, to_html
from workbench.words import apart, formatted, p_value, plain, say, ticks
from workbench.words.catalogue import catalogue
from workbench.words.numbers import singular


@pytest.mark.parametrize("level", [0.001, 0.005, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("off", [1e-3, 1e-5, 1e-7])
def test_a_p_value_never_crosses_a_level(level, off):
    below, above = p_value(level * (1 - off)), p_value(level * (1 + off))
    assert float(below) < level <= float(above)


def test_p_values_as_people_read_them():
    assert [p_value(p) for p in (0.009951, 0.04996, 0.5, 0.0)] == ["0.00995", "0.04996", "0.500", "< 0.0001"]
    assert formatted(0.009951, "p") == "0.00995" and p_value(float("nan")) == "n/a"


def test_what_is_counted_is_said_of_one_as_of_many():
    rows = "{n:, rows are} of {months: months}"
    assert str(say(rows, n=1, months=1.0)) == "1 row is of 1 month"
    assert str(say(rows, n=1200, months=float("nan"))) == "1,200 rows are of n/a months"
    assert str(say("{late:+d months} from it, {days:,.0f days}", late=1, days=0.7)) == "+1 month from it, 1 day"


def test_no_plural_of_a_template_is_its_own_singular():
    counted = {
        spec.partition(" ")[2] for t in catalogue("zh_CN") for _, _, spec, _ in string.Formatter().parse(t) if spec
    }
    assert len(counted) > 50
    assert not [words for words in counted if words and singular(words) == words]


def test_ticks_are_told_apart():
    assert ticks([0.020, 0.0225, 0.025, 0.0275], percent=True) == ["2.00%", "2.25%", "2.50%", "2.75%"]
    assert ticks([0, 2e7, 4e7]) == ["0", "20,000,000", "40,000,000"]
    assert ticks([0.3]) == ["0.3"]


def test_figures_of_shares_counts_and_codes_are_written_as_people_write_them():
    assert (plain(0.0), plain(1e-9)) == ("0", "0.000000001")
    assert is_share("recall", 0.4631) and is_share("event_rate", 0.1323) and not is_share("gini", 0.5)
    assert not is_share("change", 812.5), "of an amount"
    assert '<td class="n">833</td>' in to_html(pd.DataFrame({"n": [833.1, 110.3]}))
    doubled = to_html(pd.DataFrame({"relative change": [-0.04979, 1.523]}))
    assert "-4.98%" in doubled and "152.3%" in doubled
    few = pd.DataFrame({"code": [1.0, 3.0, 4.0], "n": [float("nan"), float("nan"), 20], HIDDEN: [True, True, False]})
    assert "1, 3." in to_html(few)


@pytest.mark.parametrize("limit", [0.25, 0.4, 0.85, 1.15])
@pytest.mark.parametrize("off", [1e-2, 4e-3, 1e-5, 1e-8])
def test_a_value_beside_its_limit_is_not_rounded_onto_it(limit, off):
    assert float(apart(limit - off, limit)) < limit < float(apart(limit + off, limit))
    assert len(apart(limit - 0.05, limit)) == 4 and float(apart(limit, limit, 3)) == limit
    assert apart(float("nan"), limit) == "n/a"


def test_a_threshold_is_written_without_powers_of_ten():
    levels = rules.load().thresholds["parity"].text
    assert "amber from 0.000000001, red from 0.000001" in levels and "e-" not in levels
