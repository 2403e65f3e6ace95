"""Texts go through JSON whole."""

import json

from workbench.words import Text, say


def test_what_is_no_number_survives_a_kernel_s_messages():
    text = say("{a:.4f}, {b:.2%}, {c:.1f}", a=float("nan"), b=float("inf"), c=1.0)
    recorded = json.dumps(text.to_json(), allow_nan=False)
    assert str(text) == "n/a, ∞, 1.0" == str(Text.from_json(json.loads(recorded)))
