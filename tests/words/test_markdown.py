"""Markdown: paragraph by paragraph through the catalogue; facts are shown as they were typed."""

from workbench.words import say, speaking
from workbench.words.catalogue import catalogue
from workbench.words.markdown import templates, text_html, to_html


def test_paragraphs_headings_and_items_are_templates():
    assert templates("## A\n\none *two*\nthree\n\n- x\n- y") == ["A", "one *two* three", "x", "y"]


def test_a_notebook_cell_is_said_in_chinese():
    with speaking("zh_CN"):
        assert to_html("# The panel\n\nUnknown words.") == "<h1>面板</h1>\n<p>Unknown words.</p>\n"


def test_html_in_the_source_is_shown_not_run():
    assert "<img" not in to_html("a <img src=x onerror=alert(1)> b")


def test_facts_are_no_markdown():
    text = say("**{n:,} rows** of `{table}` and {column}.", n=1200, table="mart__panel", column="*a* <b>[x](y)</b>")
    assert text_html(text) == (
        "<p><strong>1,200 rows</strong> of <code>mart__panel</code> and *a* &lt;b&gt;[x](y)&lt;/b&gt;.</p>\n"
    )


def test_a_name_to_type_in_a_note_is_code_and_escaped():
    note = "Column 2 is `a<b>`; write *both* `role: key`."
    shown = "Column 2 is <code>a&lt;b&gt;</code>; write *both* <code>role: key</code>."
    assert text_html(say("{note}", note=note)) == f"<p>{shown}</p>\n"
    with speaking("zh_CN"):
        assert text_html(say("{note}", note="写 `role: key`")) == "<p>写 <code>role: key</code></p>\n"


def test_a_text_begins_with_a_capital_as_a_card_does():
    assert text_html(say("{kind}: the best.", kind=say("scorecard"))) == "<p>Scorecard: the best.</p>\n"
    assert text_html(say("{column} says most.", column="mean delay")) == "<p>Mean delay says most.</p>\n"
    assert text_html(say("{model} is candidate.", model="cards.pd")) == "<p>cards.pd is candidate.</p>\n"
    assert text_html(say("`{table}` is new.", table="panel")) == "<p><code>panel</code> is new.</p>\n"


def test_a_text_in_a_notebook_keeps_its_facts():
    bundle = say("{n:,} rows", n=5)._repr_mimebundle_()
    assert bundle["application/vnd.workbench.text+json"] == {"text": [{"msgid": "{n:,} rows", "facts": {"n": 5}}]}
    assert bundle["text/plain"] == "5 rows"


def test_what_is_bold_in_the_catalogue_is_closed():
    marked = {m: words for m, words in catalogue("zh_CN").items() if m.count("**") >= 2}
    assert len(marked) > 30
    assert [m for m, words in marked.items() if "**" in to_html(words) or "<strong>" not in to_html(words)] == []
