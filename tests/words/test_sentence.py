"""Texts go through JSON whole."""

import json
import re

from workbench.words import Text, markdown, names, say, sentence, speaking


def test_what_is_no_number_survives_a_kernel_s_messages():
    text = say("{a:.4f}, {b:.2%}, {c:.1f}", a=float("nan"), b=float("inf"), c=1.0)
    recorded = json.dumps(text.to_json(), allow_nan=False)
    assert str(text) == "n/a, ∞, 1.0" == str(Text.from_json(json.loads(recorded)))


def test_what_was_recorded_in_another_language_is_said_after_its_template_has_changed(monkeypatch):
    with speaking("zh_CN"):
        recorded = json.loads(json.dumps(say("{n:,} rows are new.", n=3).to_json()))
    assert "in" not in recorded[0], "nobody has translated it"
    recorded[0]["in"] = {"zh_CN": "新增 {n:,} 行。"}
    text = Text.from_json(recorded)
    assert text.in_language("zh_CN") == "新增 3 行。" and str(text) == "3 rows are new."
    assert say("default rate").to_json()[0]["in"] == {"zh_CN": "违约率"}


def test_a_column_is_said_as_pages_call_it_unless_its_name_is_asked_for():
    with names.knowing({"limit_amt": "credit granted", "delay": "mean delay, recent months weighing more than others"}):
        assert str(say("Most by {feature}.", feature="limit_amt")) == "Most by credit granted."
        assert str(say("Column {feature:s}.", feature="limit_amt")) == "Column limit_amt."
        assert str(say("{each}", each=["delay", "limit_amt"])) == "mean delay, credit granted"
    two = {
        "a": "paid over what was billed, on average of all months",
        "b": "paid over what was billed, in the last month",
    }
    with names.knowing(two):
        assert names.display("a") == two["a"] and names.display("b") == two["b"], "one name would stand for both"


def test_a_space_in_a_chinese_sentence_stands_beside_numbers_and_latin_words_only():
    text = say("Most by {feature}.", feature="观察月应还")
    spaced = Text((("{a} of {b}", {"a": "观察月", "b": "3"}),))
    with speaking("zh_CN"):
        assert sentence.beside("符号在", "观察月应还") + sentence.beside("", " 的") == "符号在观察月应还 的"
        assert (
            sentence.beside("观察月应还", " 的符号") == "观察月应还的符号"
            and sentence.beside("共 ", "3 行") == "共 3 行"
        )
        assert sentence.beside("违约概率（PD）", " 94.20%") == "违约概率（PD）94.20%"
        assert not re.search("[一-鿿] [一-鿿]", str(text) + str(spaced) + markdown.text_html(text))
