"""What a study's file, which the developer writes, can do to the validator's rules: only what the page then shows."""

from dataclasses import replace

import pytest

from workbench import rules
from workbench.params import UserError
from workbench.validation import battery


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"gini": [float("nan"), float("nan")]}, "gini: 'nan' is no number of 0 or more"),
        ({"gini": [0.2, 0.4]}, "gini: [0.2, 0.4] is the wrong way round: lower is worse, so amber stands above red"),
        ({"psi": [-1, 0.2]}, "psi: '-1' is no number of 0 or more"),
        ({"p_value": [0, 0]}, "p_value: 0 is no probability between 0 and 1"),
        ({"fairness": [0.8]}, "fairness: write [amber, red]"),
        ({"least_slice_rows": "many"}, "least_slice_rows: 'many' is no number of 0 or more"),
    ],
)
def test_thresholds_of_a_study_are_checked_before_anything_runs(thresholds, message):
    with pytest.raises(UserError) as e:
        battery.Params.of({"study": "s", "thresholds": thresholds}).verify()
    assert str(e.value) == f"validation/battery: thresholds.{message}"


def test_values_of_a_study_are_shown_beside_the_rules_on_the_page(sound, items):
    overridden = replace(sound, rules=rules.load("", {"gini": [0.3, 0.2], "tolerated_ambers": 9}))
    answer = battery.verdict(items, overridden).answer
    assert (
        "The study puts its own values above the rules: gini: 0.3, 0.2 for 0.4, 0.25; tolerated_ambers: 9 for 3."
        in answer
    )
    assert "(the study's; the rule has 0.4 and 0.25)" in battery.tests()["auc"].test(overridden).threshold
    assert "own values" not in battery.verdict(items, sound).answer


def test_a_shorter_list_of_mandatory_tests_is_shown(sound, items):
    named = [n for n in battery.mandatory("binary") if n not in ("fairness", "ks")]
    assert "The study leaves out mandatory tests: fairness, ks." in battery.verdict(items, sound, named).answer
    assert "leaves out" not in battery.verdict(items, sound).answer
