"""Executed notebooks as HTML: facts in any language, nothing that acts, tables folded, one heading of the first rank."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from workbench.evidence import Evidence, Picture
from workbench.registry import titles
from workbench.reporting import cells, page
from workbench.words import names, say, speaking

PAYLOADS = [
    "<meta http-equiv=refresh content=0;//a>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<base href=//a>",
    "<form action=//a><input type=submit></form>",
    "<iframe src=//a></iframe>",
    "<object data=//a></object>",
    "<embed src=//a>",
    "<svg onload=alert(1)></svg>",
    "<link rel=stylesheet href=//a>",
    "<style>@import '//a'</style>",
    "<a href=javascript:alert(1)>x</a>",
    "<img src=//a/b.png>",
    "<video src=//a onerror=alert(1)></video>",
    "![x](//a/b.png)",
    "[x](javascript:alert(1))",
    "<details ontoggle=alert(1) open>x</details>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
]
ACTS = re.compile(
    r"<(script|meta|base|form|iframe|object|embed|svg|link|style|input|video)\b|<[^>]* on\w+=|<[^>]* href=.?(javascript|data):|<img[^>]*src=.(?!data:image)",
    re.I,
)


def _code(**data) -> dict:
    return {"cell_type": "code", "source": "", "outputs": [{"output_type": "execute_result", "data": data}]}


def _book(*parts) -> dict:
    book_cells = [p if isinstance(p, dict) else {"cell_type": "markdown", "source": p} for p in parts]
    return {"cells": [{"cell_type": "markdown", "source": "# The panel\n\n**What?** It is."}, *book_cells]}


@pytest.mark.parametrize("evil", PAYLOADS)
def test_nothing_that_a_customer_typed_acts(evil):
    card = Evidence(
        key="a",
        question=say("{q}", q=evil),
        verdict="red",
        answer=say("**{a}**", a=evil),
        value=evil,
        threshold=evil,
        source=evil,
        table=pd.DataFrame({evil: [evil]}),
    )
    book = _book(
        evil,
        _code(**say("{a} `{a}`", a=evil)._repr_mimebundle_()),
        _code(**card._repr_mimebundle_()),
        _code(**{"text/html": evil}),
        _code(**{"text/markdown": evil}),
        _code(**{"text/plain": evil}),
        {"cell_type": "code", "source": "", "outputs": [{"output_type": "error", "ename": evil, "evalue": evil}]},
    )
    assert not ACTS.search(cells.body(book)), cells.body(book)
    assert not ACTS.search(cells.lead({"cells": [{"cell_type": "markdown", "source": f"# t\n\n{evil}"}]}))


def test_text_is_said_in_the_language_of_the_page():
    book = _book("## The features", _code(**say("{n:, more rows}", n=5)._repr_mimebundle_()))
    assert "<h2>The features</h2>" in cells.body(book) and "5 more rows" in cells.body(book)
    with speaking("zh_CN"):
        assert "<h2>特征</h2>" in cells.body(book) and "其余 5 行" in cells.body(book)


def test_cards_are_said_in_the_language_of_the_page():
    table = pd.DataFrame({"feature": ["limit_amt", "x < y"], "rows": [1200, 3], "verdict": ["amber", "green"]})
    card = Evidence(key="a", question=say("What was found?"), verdict="amber", answer=say("In order"), table=table)
    book = json.loads(json.dumps(_book(_code(**card._repr_mimebundle_()))))
    with speaking("zh_CN"), names.knowing({"limit_amt": "amount asked for"}, {"limit_amt": "month"}):
        body = cells.body(book)
    assert all(t in body for t in ("结论是什么？", "黄灯", "正常", "特征", "行数", "1,200", "申请金额", "x &lt; y"))
    assert "申请金额 <small>月</small> <small><code>limit_amt</code></small>" in body


def test_pictures_come_in_the_language_of_the_page():
    from workbench.figures import panel

    shown = panel.windows(pd.DatetimeIndex(["2020-01-01", "2020-06-01"]), 3, 2)
    book = json.loads(json.dumps(_book(_code(**shown._repr_mimebundle_()))))
    with speaking("zh_CN"):
        chinese = cells.body(book)
    assert 'alt="特征取自蓝色月份，结果取自橙色月份"' in chinese and "data:image/svg+xml;base64," in chinese
    assert 'alt="Features come from the blue months' in cells.body(book)


def test_a_bare_table_is_folded_after_its_tenth_row_and_an_empty_one_not_shown():
    many = pd.DataFrame({"feature": range(25)})._repr_html_()
    body = cells.body(_book(_code(**{"text/html": many})))
    before, after = body.split("<details>")
    assert before.count("<tr>") + before.count('<tr style="text-align: right;">') == 11 and after.count("<td>") == 15
    assert "15 more rows" in body
    empty = pd.DataFrame({"feature": []})._repr_html_()
    assert cells.body(_book(_code(**{"text/html": empty}))) == ""


def test_a_section_whose_code_shows_nothing_is_left_out_with_its_text():
    silent = {"cell_type": "code", "source": "card.get('arrears')", "outputs": []}
    book = _book("## The book", _code(**{"text/plain": "7"}), "## Arrears\n\nThey rise.", silent, silent, "## To note")
    body = cells.body(book)
    assert "<h2>The book</h2>" in body and "<h2>To note</h2>" in body and "Arrears" not in body and "rise" not in body
    assert "Arrears" in cells.body(_book("## Arrears", silent, "Read on.", _code(**{"text/plain": "7"})))


def test_the_title_is_the_pages_only_first_heading():
    book = _book("# Another title", _code(**{"text/markdown": "# And one more"}))
    assert "<h1" not in cells.body(book) and titles.of_notebook(book) == "The panel"
    assert cells.lead(book) == "<p><strong>What?</strong> It is.</p>\n"


def test_code_warnings_and_parameters_are_not_shown():
    cell = {
        "cell_type": "code",
        "source": "secret = 1",
        "outputs": [{"output_type": "stream", "name": "stderr", "text": "w"}],
    }
    assert cells.body(_book(cell)) == ""


def test_a_picture_read_from_a_record_is_not_drawn_again():
    with pytest.raises(ValueError, match="can't be drawn again"):
        Picture.from_json({}).figure()


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """Return a function that gives the page of a small notebook."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps(_book("## The features")))

    def made(verdict: str, **facts) -> str:
        items = [Evidence(key="a", question=say("What was found?"), verdict=verdict, answer=say("In order"))]
        evidence = {
            "verdict": verdict,
            "evidence": [e.record() for e in items],
            "tables": {"read": {}, "written": {}},
            "names": {},
        }
        known = {
            "study": "s",
            "title": "A study",
            "step": "panel/build",
            "run_id": "0" * 32,
            "start": 0.0,
            "link": "",
            "params": {},
        }
        return page.render(
            path,
            evidence,
            {**known, "steps": [("panel/build", "s/once/panel/build")], "place": "s/once/panel/build", **facts},
        )

    return made


@pytest.mark.parametrize("verdict", ["green", "amber", "red"])
def test_the_answer_comes_first_on_every_page(whole, verdict):
    html = whole(verdict, owner="risk modelling", period="2018-03", description="What it is about.")
    main = html[html.index("<main") :]
    order = [
        main.index(t)
        for t in ('class="verdict"', "In order", "What to do", "risk modelling", "2018-03", "The features")
    ]
    assert order[:3] == sorted(order[:3]) and max(order[3:5]) < order[5] and "2018-03" in main
    assert html.count("<h1") == 1 and "base-uri 'none'; form-action 'none'" in html


def test_a_chinese_page_says_so(whole):
    html = whole("amber", language="zh_CN", owner="risk modelling")
    assert (
        '<html lang="zh-CN">' in html and "处置建议" in html and "风险建模" in html and "可用，但须先由人工查看" in html
    )


def test_an_interval_in_a_bare_table_is_written_as_the_language_writes_it():
    with speaking("zh_CN"):
        assert cells._named("<td>0.7804 (0.7385 to 0.8279)</td>") == "<td>0.7804（0.7385 至 0.8279）</td>"
