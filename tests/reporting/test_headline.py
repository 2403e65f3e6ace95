"""The sentence that speaks for a step: the worst, in any language, with columns by the names the step knew."""

from workbench.evidence import Evidence
from workbench.reporting.headline import headline
from workbench.words import say, speaking


def test_columns_are_called_as_on_the_page():
    leak = Evidence(
        key="leakage",
        question=say("Does any column give the outcome away?"),
        verdict="amber",
        answer=say("Suspected leak and refused: {columns}.", columns=["n_inquiries_6m"]),
    )
    left_behind = {"evidence": [leak.record()], "names": {"n_inquiries_6m": "credit enquiries"}, "units": {}}
    assert headline(left_behind, "portfolios/intake") == "Suspected leak and refused: credit enquiries."
    with speaking("zh_CN"):
        assert headline(left_behind, "portfolios/intake") == "疑似泄露，已拒绝：征信查询次数。"
    small = Evidence(key="samples", question=say("x"), verdict="green", answer=say("{a} says most.", a="mean delay"))
    assert headline({"evidence": [small.record()]}, "panel/build") == "Mean delay says most."
    assert headline({"evidence": []}, "portfolios/intake") == ""
