"""The site on disk: in every language it is there in, gone with its study, known again when somebody changed it."""

import json

import pytest

from workbench import home
from workbench.registry import current
from workbench.reporting import site


def _run(study: str, **more) -> current.Record:
    about = {
        "status": "FINISHED",
        "headline": "well",
        "seconds": 1.0,
        "run_id": study,
        "step_key": "k",
        "period": "once",
    }
    about |= {"study": study, "step": "a/a", "slug": "a/a", "verdict": "green", "start": 1.0}
    return current.Record(**{**about, **more})


@pytest.fixture
def reports(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    entry = {"name": "one.pd", "version": "1", "kind": "scorecard"}
    current.put(_run("one", models={"model__pd": entry}))
    current.put(_run("two", title="两个 <b>研究</b>"))
    site.write()
    return tmp_path / "reports"


def _pages(reports) -> set[str]:
    return {str(p.relative_to(reports)) for p in reports.rglob("*.html")}


def test_every_study_and_model_has_a_page_and_every_link_leads_somewhere(reports):
    import re

    assert _pages(reports) == {"index.html", "one/index.html", "two/index.html", "one/models/pd.html"}
    for name in _pages(reports):
        text = (reports / name).read_text()
        for way in re.findall(r'href="([^"#]+)"', text):
            assert (reports / name).parent.joinpath(way).resolve().exists(), (name, way)
        assert "<b>研究" not in text


def test_a_study_that_is_gone_takes_its_pages_along(reports):
    (home.mlruns() / "current/one/once/a/a.json").unlink()
    site.write()
    assert _pages(reports) == {"index.html", "two/index.html"} and site.changed() == []


def test_a_language_once_written_is_kept_up_and_both_lead_to_one_another(reports):
    site.write("zh_CN")
    assert {f"zh_CN/{p}" for p in ("index.html", "one/index.html", "two/index.html", "one/models/pd.html")} < _pages(
        reports
    )
    site.write()
    assert 'href="../../zh_CN/one/models/pd.html"' in (reports / "one/models/pd.html").read_text()
    chinese = (reports / "zh_CN/one/models/pd.html").read_text()
    assert 'href="../../../one/models/pd.html"' in chinese and '<html lang="zh-CN">' in chinese
    current.put(_run("three"))
    site.write()
    assert "three/index.html" in (reports / "zh_CN/index.html").read_text()


def test_a_studys_own_pages_are_in_its_language_and_the_page_of_all_studies_in_english(reports):
    entry = {"name": "three.pd", "version": "1", "kind": "scorecard"}
    of_study = {"models": {"model__pd": entry}, "language": "zh_CN", "headline": "Nobody has given it a tier."}
    current.put(_run("three", **of_study))
    site.write()
    study, model = ((reports / "three" / name).read_text() for name in ("index.html", "models/pd.html"))
    assert all('<html lang="zh-CN">' in text and "全部研究</a>" in text for text in (study, model))
    assert ">尚未有人为它定级。</td>" in study and ">评分卡 · 负责人" in model
    overall = (reports / "index.html").read_text()
    assert '<html lang="en">' in overall and ">Nobody has given it a tier.</td>" in overall
    assert '<html lang="en">' in (reports / "one/index.html").read_text() and site.changed() == []
    site.write("en")
    site.write()
    assert 'href="../en/three/index.html" lang="en">English</a>' in (reports / "three/index.html").read_text()
    english = (reports / "en/three/models/pd.html").read_text()
    assert '<html lang="en">' in english and 'href="../../../three/models/pd.html" lang="zh-CN">简体中文</a>' in english
    assert site.linked("three/index.html", "http://localhost").startswith('<!doctype html>\n<html lang="zh-CN">')


def test_a_study_that_ran_before_its_language_was_noted_speaks_that_of_its_pages(reports):
    home.put(reports / "one/once/a/a.html", b'<!doctype html>\n<html lang="zh-CN">')
    site.write()
    assert '<html lang="zh-CN">' in (reports / "one/index.html").read_text()


def test_a_models_page_leads_to_the_documents_that_were_written_in_its_language(reports):
    home.put(reports / "one/models/pd/1/model_card.html", b"x")
    home.put(reports / "one/models/pd/1/ecb_template.xlsx", b"x")
    site.write("zh_CN")
    english, chinese = ((reports / n / "one/models/pd.html").read_text() for n in ("", "zh_CN"))
    assert '<a href="../../one/models/pd/1/model_card.html">Model card</a>' in english
    assert '<a href="../../one/models/pd/1/ecb_template.xlsx">ECB template</a>' in english
    assert "model_card" not in chinese and "<code>workbench documents</code>" in chinese


def test_in_another_language_a_page_that_was_not_rendered_leads_to_the_run_s_own(reports):
    home.put(reports / "one/once/a/a.html", b"x")
    site.write("zh_CN")
    assert 'href="../one/once/a/a.html"' in (reports / "zh_CN/index.html").read_text()
    assert 'href="../../one/once/a/a.html"' in (reports / "zh_CN/one/index.html").read_text()
    home.put(reports / "zh_CN/one/once/a/a.html", b"x")
    site.write()
    assert 'href="one/once/a/a.html"' in (reports / "zh_CN/index.html").read_text()


@pytest.mark.parametrize("name", ["index.html", "one/models/pd.html"])
def test_what_was_changed_by_hand_is_named_and_put_right(reports, name):
    whole = (reports / name).read_text()
    assert site.changed() == []
    (reports / name).write_text(whole.replace("green", "amber") + " ")
    assert site.changed() == [name]
    site.write()
    assert site.changed() == [] and (reports / name).read_text().split("·")[0] == whole.split("·")[0]


def test_a_crash_between_two_pages_accuses_nobody(reports, monkeypatch):
    put, written = home.put, []

    def dies(path, content):
        if path.suffix == ".html" and (written.append(path.name) or len(written) > 1):
            raise KeyboardInterrupt
        put(path, content)

    current.put(_run("one", verdict="red", models={"model__pd": {"name": "one.pd", "version": "2", "kind": "tree"}}))
    monkeypatch.setattr(home, "put", dies)
    with pytest.raises(KeyboardInterrupt):
        site.write()
    monkeypatch.setattr(home, "put", put)
    assert len(written) == 2 and site.changed() == []
    site.write()
    digests = json.loads((home.mlruns() / "current/site.json").read_text())
    assert all(len(each) == 1 for each in digests.values())


def test_the_index_of_studies_that_are_all_chinese_is_chinese(reports):
    assert '<html lang="en">' in (reports / "index.html").read_text()
    for study in ("one", "two"):
        current.put(_run(study, language="zh_CN"))
    site.write()
    assert '<html lang="zh-CN">' in (reports / "index.html").read_text()
    current.put(_run("three", language="en"))
    site.write()
    assert '<html lang="en">' in (reports / "index.html").read_text()


def test_a_damaged_memory_of_digests_is_written_anew(reports):
    (home.mlruns() / "current/site.json").write_text("garbage")
    assert site.changed() == []
    site.write()
    assert len(json.loads((home.mlruns() / "current/site.json").read_text())) == 4


@pytest.mark.parametrize(
    ("error", "english", "chinese"),
    [
        (
            "cell 6: panel/build: 'x' is <b>",
            "cell 6: <code>{}</code>",
            "该步骤失败，错误信息原文：第 6 个单元格：<code>{}</code>",
        ),
        ("panel/build: 'x' is <b>", "<code>{}</code>", "该步骤失败，错误信息原文：<code>{}</code>"),
    ],
)
def test_of_a_failed_try_a_page_says_where_and_what_and_no_kind_of_error(reports, error, english, chinese):
    failed = {"status": "FAILED", "verdict": "error", "headline": error}
    current.put(_run("one", **failed), current.FAILED)
    current.put(_run("three", language="zh_CN", **failed), current.FAILED)
    site.write("zh_CN")
    pages = {n: (reports / n).read_text() for n in ("index.html", "one/index.html", "zh_CN/index.html")}
    pages["three/index.html"] = (reports / "three/index.html").read_text()
    escaped = "panel/build: &#39;x&#39; is &lt;b&gt;"
    assert english.format(escaped) in pages["index.html"] and english.format(escaped) in pages["one/index.html"]
    assert chinese.format(escaped) in pages["zh_CN/index.html"] and chinese.format(escaped) in pages["three/index.html"]


def test_a_crash_is_told_in_chinese_and_an_unforeseen_error_with_its_kind(reports):
    about = {"verdict": "error", "status": "CRASHED", "headline": "crashed: its runner is gone"}
    current.put(_run("one", **about), current.FAILED)
    current.put(_run("two", **about | {"status": "FAILED", "headline": "cell 2: KeyError: x"}), current.FAILED)
    site.write("zh_CN")
    chinese = (reports / "zh_CN/index.html").read_text()
    assert "：崩溃：其运行程序已不存在<" in chinese and "第 2 个单元格：<code>KeyError: x</code>" in chinese
