"""The sample study's pages in Chinese, from its recorded runs: no English sentence, nothing untranslated, no new run."""

from __future__ import annotations

import re
from html import unescape

import pytest

from workbench import cli, home
from workbench.registry import current
from workbench.runs import printing, rendering
from workbench.words import untranslated

SENTENCE = re.compile(r"[A-Za-z][a-z']*(?:[ ,;:]+[a-z']{2,}){3,}")
REFERENCE = re.compile(r"\(\d{4}\)|RFC|CC BY|UCI")  # what names a paper, a standard or a data set stays as it is
NOT_PROSE = re.compile(r"<(style|code|pre)\b.*?</\1>|<dt>来源</dt><dd>.*?</dd>", re.S)


@pytest.fixture(scope="module")
def rendered(sample_home):
    """The pages by place, and the templates that were asked for and not found."""
    asked_before = set(untranslated())
    before = [r.run_id for r in current.everything(study="sample")]
    written = rendering.render("sample", "zh_CN")
    assert [r.run_id for r in current.everything(study="sample")] == before
    missing = set(untranslated()) - asked_before  # other tests of this process ask for words that aren't there
    return {str(p.relative_to(home.reports())): p.read_text(encoding="utf-8") for p in written}, missing


@pytest.fixture(scope="module")
def pages(rendered):
    return rendered[0]


def test_every_page_is_there_in_chinese(pages):
    assert len(pages) >= 9
    for text in pages.values():
        assert '<html lang="zh-CN">' in text and "处置建议" in text


def test_pages_that_are_in_a_language_already_have_no_second_copy_in_it(sample_home, rendered, capsys):
    assert rendering.render("sample", "en") == [] and not (home.reports() / "en").exists()
    assert cli.main(["render", "sample", "--lang", "en"]) == 0
    assert "the pages of 'sample' are in en already: reports/sample" in " ".join(capsys.readouterr().out.split())
    printed = printing.write("sample", "panel/build", language="en")
    assert printed == [home.reports() / "sample/once/panel/build.pdf"] and not (home.reports() / "en").exists()
    printed[0].unlink()


def test_every_page_says_what_the_study_is_about(pages):
    about = "各笔记本自身的默认值，足够小，可在数秒内手工逐本运行。"
    assert [name for name, text in pages.items() if about not in text] == []


def test_the_panels_sentences_call_its_features_as_its_table_does(pages):
    text = next(t for name, t in pages.items() if name.endswith("panel/build-behaviour.html"))
    answers = re.findall(r'<p class="answer">(.*?)</p>', text, re.S)
    assert any("缺失最多的是" in a for a in answers)
    assert [a for a in answers if re.search(r"[a-z]_[a-z]", re.sub(r"<[^>]+>", "", a))] == []


def test_no_english_sentence_is_left(pages):
    english = set()
    for name, text in pages.items():
        shown = re.sub(r'<[^>]+alt="([^"]*)"[^>]*>', r" \1 ", NOT_PROSE.sub(" ", text))
        words = [unescape(re.sub(r"<[^>]+>", "\n", line)) for line in re.split(r"</(?:p|td|th|li|dd|h\d)>", shown)]
        english |= {
            (name, m[0])
            for w in words
            for part in w.split("\n")
            for m in SENTENCE.finditer(part)
            if not REFERENCE.search(part)
        }
    assert english == set()


def test_every_header_and_sentence_was_found_in_the_catalogue(rendered):
    assert rendered[1] == set()


def test_pages_lead_to_one_another(pages):
    for name, text in pages.items():
        folder = (home.reports() / name).parent
        for target in re.findall(r'href="(\.\./[^"]+)"', text):
            assert (folder / target).resolve().exists(), target
