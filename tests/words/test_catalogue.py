"""Catalogues: whole, without ballast, with the same facts in every language and the terms of the glossary."""

from __future__ import annotations

import json
import re
import string
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from workbench import words
from workbench.contracts import Contract
from workbench.contracts.counted import entities
from workbench.evidence.table import from_json, to_html, to_json
from workbench.panel import features
from workbench.registry import titles
from workbench.reporting import regulation_map
from workbench.rules.regulations import Demand
from workbench.validation import battery
from workbench.words import extract, heard, names, say, speaking, translated
from workbench.words.catalogue import FOLDER, catalogue

ROOT = Path(__file__).parents[2]
CHINESE = catalogue("zh_CN")
EVERYDAY = {
    "good",
    "bad",
    "default",
    "pass",
    "loss",
    "accuracy",
    "stability",
    "collection",
    "finding",
    "approval rate",
    "doubtful",
}
GLOSSARY = [
    line.split("\t")
    for line in (Path(words.__file__).parent / "glossary.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
TERMS = [(en, zh) for en, zh in GLOSSARY if en.casefold() not in EVERYDAY]


@cache
def _templates() -> set[str]:
    return extract.templates_of(ROOT)


def test_a_validation_test_is_named_by_its_file_and_stands_in_no_list():
    names = {name.replace("_", " ") for name in battery.tests()}
    assert names <= _templates()
    assert {"weak spot", "hosmer lemeshow", "waterfall"} <= names - set(extract.terms())


def test_every_template_is_translated():
    assert sorted(_templates() - set(CHINESE)) == []


def test_no_translation_is_left_over():
    assert sorted(set(extract._read("zh_CN")) - _templates()) == []


@pytest.mark.parametrize("name", [p.stem for p in FOLDER.glob("*.po")])
def test_facts_are_the_same_in_every_language(name):
    for template, chinese in catalogue(name).items():
        assert sorted(_fields(template)) == sorted(_fields(chinese)), template


def _fields(template: str) -> list[tuple[str | None, str | None]]:
    if not re.search(r"\{\w+[^{}]*\}", template):
        return []
    return [
        (name, (spec or "").partition(" ")[0])
        for _, name, spec, _ in string.Formatter().parse(template)
        if name is not None
    ]


@pytest.mark.parametrize(("english", "chinese"), TERMS, ids=[en for en, _ in TERMS])
def test_terms_are_those_of_the_glossary(english, chinese):
    whole = re.compile(rf"(?<![\w-]){re.escape(english)}(?![\w-])", 0 if english.isupper() else re.I)
    wrong = [
        (template, translation)
        for template, translation in CHINESE.items()
        if whole.search(template) and not any(t in translation for t in chinese.split(" | "))
    ]
    assert wrong == []


def test_no_english_sentence_stands_in_a_translation():
    for template, chinese in CHINESE.items():
        plain = re.sub(r"`[^`]*`|\{[^}]*\}", "", chinese)
        is_reference = re.search(r"\(\d{4}\)|（\d{4}）|Biometrics", chinese)
        assert is_reference or not re.search(r"\b[A-Za-z']{2,}( [A-Za-z']{2,}){3,}", plain), template


def test_a_text_is_said_in_both_languages():
    text = say("AUC {auc:.4f} on {n:,} rows of the {what}.", auc=0.75, n=12_000, what=say("the hold-out"))
    assert str(text) == "AUC 0.7500 on 12,000 rows of the the hold-out."
    assert translated("default rate", "zh_CN") == "违约率"
    with speaking("zh_CN"):
        assert str(say("Red: {tests}.", tests=["a", "b"])) == "红灯：a、b。"


def test_a_finished_sentence_finds_its_template():
    with speaking("zh_CN"):
        assert heard("4 groups found") == "4 groups found"
        assert heard("offer made at the as-of month") == "观察月的发出优惠"
        reasons = "First reasons: 10561 (PD 10.24%; limit not used: 6,466), 12706 (PD 10.24%; limit not used: 22)."
        assert heard(reasons).endswith("12706（违约概率（PD）10.24%；未使用额度：22）。") and "not used" not in heard(
            reasons
        )
        assert heard("as of 2005-04 to 2005-09") == "观察点 2005-04 至 2005-09"
        assert [heard(w) for w in ("0.05 to < 0.3", "0.77 (0.74 to 0.80)")] == ["0.05 至 < 0.3", "0.77（0.74 至 0.80）"]
        assert heard("high credit granted, the customer's and the family's supplementary cards").endswith("高")
        rule = "as of 2005-04 > 12,345.6 (or missing) and missing (WOE) <= -0.1 and missing <= 1.5e-05 (or missing)"
        assert (
            heard(rule) == "截至 2005-04 > 12,345.6（或缺失），且缺失（证据权重） <= -0.1，且缺失 <= 1.5e-05（或缺失）"
        )
        assert heard("as of 2005-04 is missing and missing <= 0.5") == "截至 2005-04 缺失，且缺失 <= 0.5"
        assert heard("as of 2005-04 is known") == "截至 2005-04 有值"
        rule = "urban or rural in {rural, missing} and as of 2005-04 > 3 and US state of the borrower in {AL, CA and 7 more}"
        assert (
            heard(rule) == "城市或农村属于{农村、缺失}，且截至 2005-04 > 3，且借款人所在的美国州属于{AL、CA，另有 7 个}"
        )
    assert heard("as of 2005-04") == "as of 2005-04"


def test_a_bank_s_own_chinese_name_stands_in_a_sentence_of_ours():
    rule = "months late in a row, up to now <= 0.5 (or missing) and 征信评分 > 610.5 and 月收入 <= 7,200 (or missing)"
    with speaking("zh_CN"):
        assert heard("逾期天数 at the as-of month") == "观察月的逾期天数"
        assert heard("征信评分, highest of the last 3 months") == "征信评分近 3 个月最高值"
        assert heard(rule) == "截至当前连续逾期月数 <= 0.5（或缺失），且征信评分 > 610.5，且月收入 <= 7,200（或缺失）"
        assert heard("月收入 (WOE)") == "月收入（证据权重）"
        later = "征信评分 > 610.5 and months past due 1 month before <= 0.5"
        assert heard(later) == "征信评分 > 610.5，且 1 个月前逾期月数 <= 0.5"
        for untouched in ("批发和零售业", "AUC 模型由 behaviour 提供", "征信评分"):
            assert heard(untouched) == untouched


def test_categories_of_a_bin_are_joined_as_chinese_joins_a_list():
    with speaking("zh_CN"):
        assert [heard(w) for w in ("购房, 购车", "A类, 二手车, 3")] == ["购房、购车", "A类、二手车、3"]
        for untouched in ("A1, A2", "12,500", "先收入, 后支出。"):
            assert heard(untouched) == untouched
        with names.knowing({"income_amt": "月收入, 税前", "use": "用途"}):
            assert names.display("income_amt") == "月收入" and names.display("use · 购房, 购车") == "用途 · 购房、购车"
            assert str(say("Red: {tests}.", tests=["购房, 购车"])) == "红灯：购房、购车。"
    assert heard("购房, 购车") == "购房, 购车"


def test_a_count_of_one_finds_its_template():
    with speaking("zh_CN"):
        assert heard("1 feature; none is missing in any row.") == "1 个特征；没有任何一行缺失。"
        assert heard("2 features; none is missing in any row.") == "2 个特征；没有任何一行缺失。"


def test_a_list_of_finished_sentences_is_said_one_by_one():
    reason = "more than 90% of the limit is used, monthly income as declared is high: 7,200"
    with speaking("zh_CN"):
        assert heard(reason) == "额度使用超过 90%、申报月收入偏高：7,200"
        assert heard(reason.replace("used, ", "used; ")) == "额度使用超过 90%；申报月收入偏高：7,200"
        assert heard("region is high, of nobody knows what") == "region is high, of nobody knows what"


@pytest.mark.parametrize(
    ("column", "described", "chinese"),
    [
        ("n_products", "products held at the as-of month", "持有产品数"),
        ("limit_min_3m_amt", "limits, lowest of the last 3 months", "额度近 3 个月最低值"),
    ],
)
def test_a_column_made_of_a_fact_is_called_by_the_facts_words(column, described, chinese):
    w = features.Window(
        {"n_products": True, "limit_amt": True}, 6, words={"n_products": "products held", "limit_amt": "limits"}
    )
    assert {f.name: f.description for f in features.catalogue(w)}[column] == described
    with speaking("zh_CN"):
        assert chinese in heard(described)


def test_headers_and_parts_of_studies_are_said_in_chinese():
    table = pd.DataFrame({"mean P(purchase)": [0.1]})
    with speaking("zh_CN"):
        assert "购买概率均值" in to_html(table) and "P(" not in to_html(table)
        assert str(titles.of_step("panel/build@early_warning")) == "面板 · 风险预警"
    assert str(titles.of_step("panel/build@early_warning")) == "The panel · early warning"


def test_texts_listed_in_a_cell_are_said_like_one_and_names_to_type_in_them_are_code():
    listed = [say("Nothing rang before that doesn't ring now."), say("{note}", note="give it `role: parent`")]
    table = from_json(json.loads(json.dumps(to_json(pd.DataFrame({"reason": [listed], "typed": [["`data`", 2]]})))))
    with speaking("zh_CN"):
        shown = to_html(table)
    assert "<td>此前没有已解除的报警。、give it <code>role: parent</code></td>" in shown
    assert "`data`" in shown and "msgid" not in shown


def test_a_word_of_two_senses_is_two_terms():
    table = pd.DataFrame({"slope": [0.5], "standard_error": [0.1], "silhouette": [0.3], "date": ["2024-05-01"]})
    with speaking("zh_CN"):
        shown = to_html(table)
        assert all(word in shown for word in ("标准误", "分离度", "日期")) and "出错" not in shown
        assert translated("lead time") == "提前期" and translated("lead") == "领先"
        assert translated("name of a person") == "姓名" and translated("median or most frequent") == "中位数或众数"
        assert "验证发现" in str(regulation_map.answered_by(Demand(what="x", at="document:validation_report#findings")))
        assert translated("Conditions") == "附加条件"


def test_a_unit_is_a_unit_even_where_a_column_is_called_like_it():
    table = pd.DataFrame({"feature": ["term", "column_15", "late_days"], "unit": ["month", "years of age", "days"]})
    words, units = (
        {"month": "月份", "column_15": "年龄", "late_days": "逾期天数"},
        {"column_15": "years", "late_days": "days"},
    )
    with names.knowing(words, units), speaking("zh_CN"):
        shown = to_html(table)
        assert "<td>月</td>" in shown and "月份" not in shown
        assert [names.unit(c) for c in ("column_15", "late_days")] == ["岁", "天"]
        assert heard("above 100 years of age") == "高于 100 岁" and heard("below 0 CNY") == "低于 0 元"
    assert names.is_age("age_years") and not names.is_age("average_balance", "mortgage")


@pytest.mark.parametrize(
    "code", ["causes", "moved", "pack", "breaches", "roll_rates", "population", "contract.own_files"]
)
def test_keys_of_answers_and_their_values_are_words(code):
    with speaking("zh_CN"):
        shown = to_html(pd.DataFrame({"key": [code]}))
        assert not re.search(f"{code}|{code.replace('_', ' ')}|own_files", shown), shown
        assert heard("1181a10989, changed: 3 files") == "1181a10989，改动 3 个文件"


def test_chinese_sentences_read_as_chinese_does():
    """Measure words, what leads by how much, a name apart from its value."""
    with speaking("zh_CN"):
        loans = entities(Contract(name="l", title="t", entity="loan", columns=()), 1456)
        assert str(loans) == "1,456 笔贷款"
        each = [
            say("{kind} by {lead:.4f} ({low:.4f} to {high:.4f})", kind=say("tree"), lead=0.0613, low=0.01, high=0.1)
        ]
        lead = say(
            "In {measure}, {best} leads {each}; an interval that holds 0 means the data can't tell.",
            measure="AUC",
            best=say("scorecard"),
            each=each,
        )
        assert "领先" in str(lead) and str(lead).count("领先") == 1
    column = say(
        "{column}: {value} (further out than {share:.0%} of all)", column="late months, last 3", value=3, share=0.95
    )
    assert str(column) == "late months, last 3: 3 (further out than 95% of all)"
    assert not [zh for zh in CHINESE.values() if "个人数据" in zh or "观察时点" in zh], "one word for one thing"


def test_a_fact_in_a_chinese_sentence_is_quoted_as_chinese_does():
    assert [t for t, chinese in catalogue("zh_CN").items() if re.search(r"'\{\w+[^}]*\}'", chinese)] == []
