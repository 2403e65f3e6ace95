"""The site in Chromium: axe finds nothing serious, nothing scrolls sideways or asks elsewhere, keys reach the filter."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from serving import served
from workbench.registry import current
from workbench.reporting import site
from workbench.runs import rendering

CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium here (apt-get install chromium): nothing to look with"
)

PAGES = {
    "index": "index.html",
    "study": "sample/index.html",
    "model": "sample/models/behaviour.html",
    "battery": "sample/once/validation/battery-behaviour.html",
    "drift": "sample/once/monitoring/through_time.html",
}
LOOKS = {  # each page at each width, in each scheme and language; each two of these together on one page or another
    "index": [(1280, "light", "en"), (390, "dark", "zh_CN")],
    "study": [(1280, "dark", "en"), (390, "light", "zh_CN")],
    "model": [(390, "dark", "en"), (1280, "light", "zh_CN")],
    "battery": [(390, "light", "en"), (1280, "dark", "zh_CN")],
    "drift": [(1280, "light", "en"), (390, "dark", "zh_CN")],
}
OTHER_WIDTH = {1280: 390, 390: 1280}
FLAGS = ["--no-sandbox", "--disable-gpu"]  # containers run as root; there is no screen to draw on
WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
CUT_TABLES = (
    "[...document.querySelectorAll('.cards')].filter(t => t.scrollWidth > t.parentElement.clientWidth + 1).length"
)


@pytest.fixture(scope="module")
def reports(sample_home) -> Path:
    """The folder of the sample's pages in both languages."""
    with (sample_home / ".zh.lock").open("w") as lock:  # xdist's workers share it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(not (sample_home / "reports/zh_CN" / r.pages["page.html"]).exists() for r in current.everything()):
            rendering.render("sample", "zh_CN")
    return sample_home / "reports"


@pytest.fixture(scope="module")
def browser() -> Iterator[SimpleNamespace]:
    """A browser that opens a page at a width, in a scheme, and notes what it asks for and complains of.

    All pages are opened in one window, and one without script: to open a window takes longer than to look at a page.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        complaints: list[str] = []
        windows: dict[bool, Page] = {}
        ours = ""

        def opened(script: bool) -> Page:
            page = chromium.new_context(java_script_enabled=script).new_page()
            page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda e: complaints.append(str(e)))
            page.on("request", lambda r: complaints.append(r.url) if not r.url.startswith((ours, "data:")) else None)
            return page

        def look(address: str, width: int = 1280, scheme: str = "light", script: bool = True) -> Page:
            nonlocal ours
            page = windows.get(script) or windows.setdefault(script, opened(script))
            page.goto("about:blank")  # what the page before is still about to ask is not laid at this one's door
            ours = address
            _resize(page, width)
            page.emulate_media(media="null", color_scheme=scheme)
            page.goto(address)
            return page

        yield SimpleNamespace(look=look, complaints=complaints)
        chromium.close()


def _resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})


def _fits(page: Page) -> bool:
    """Say whether nothing scrolls sideways and no table of cards is cut."""
    scrolled, shown = page.evaluate(WIDTHS)
    return (scrolled, page.evaluate(CUT_TABLES)) == (shown, 0)


def _serious(page: Page) -> list[tuple[str, str]]:
    """Return what axe holds against a page; it needn't list each element that passes."""
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(v["id"], v["nodes"][0]["html"]) for v in violations if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(
    ("name", "width", "scheme", "language"),
    [(name, *look) for name in PAGES for look in LOOKS[name]],
)
def test_everybody_can_read_a_page_and_it_asks_nobody(reports, browser, name, width, scheme, language):
    folder = reports if language == "en" else reports / language
    browser.complaints.clear()
    page = browser.look((folder / PAGES[name]).as_uri(), width, scheme)
    assert _fits(page)
    assert page.locator("html").get_attribute("lang") == language.replace("_", "-")
    serious = _serious(page)
    _resize(page, OTHER_WIDTH[width])
    assert serious == [] and _fits(page) and browser.complaints == []


def _shown(page: Page, selector: str) -> int:
    return page.locator(f"{selector}:visible").count()


def test_keys_reach_search_and_filter_and_they_hide_what_does_not_match(reports, browser):
    page = browser.look((reports / "index.html").as_uri())
    models, every = _shown(page, ".cards [data-row]"), page.locator("[data-row]").count()
    focused, stops = "document.activeElement.id", []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(focused))
    assert stops[0] == "" and {"words", "verdict"} <= set(stops)
    assert page.evaluate("document.querySelector('.skip').getAttribute('href')") == "#content"
    page.focus("#words")
    page.keyboard.type("BEHAVIOUR validation")
    texts = page.locator("[data-row]:visible").all_inner_texts()
    assert 0 < len(texts) < models + every and all("behaviour" in t and "validation" in t.lower() for t in texts)
    assert page.locator("#count").inner_text() == f"{len(texts)} of {every} entries shown"
    page.fill("#words", "")
    page.select_option("#verdict", "green")
    verdicts = page.locator("[data-row]:visible").evaluate_all("rows => rows.map(r => r.dataset.verdict)")
    assert verdicts and all("green" in v.split() for v in verdicts)
    assert page.locator("#reports").evaluate("d => d.open")
    page.fill("#words", "nothing is called so")
    assert _shown(page, "[data-row]") == 0 and _shown(page, "section") == 0
    page.fill("#words", "")
    page.select_option("#verdict", "")
    assert _shown(page, ".cards [data-row]") > models  # the list of reports stays open


def test_without_script_everything_is_there_and_no_dead_control(reports, browser):
    page = browser.look((reports / "index.html").as_uri(), script=False)
    assert _shown(page, "#filter") == 0 and _shown(page, "section") >= 4
    page.click("#reports summary")
    assert _shown(page, "#reports [data-row]") == len(current.everything())
    page.click("text=Independent validation · behaviour >> nth=0")
    assert page.locator("h1").inner_text() == "Independent validation · behaviour"
    page.click("nav.crumbs a >> nth=1")
    assert page.url.endswith("sample/index.html")


def test_what_evidently_made_works_in_its_sandbox_and_asks_nobody(reports, browser):
    made = next((reports / "sample").rglob("through_time-evidently/*.html"))
    with served(lambda: "") as address:
        browser.complaints.clear()
        page = browser.look(f"{address}/", script=True)
        page.goto(f"{address}/{made.relative_to(reports)}")
        page.wait_for_selector(".js-plotly-plot, canvas, svg")
        assert page.evaluate("window.origin") == "null"  # it can't open the other pages in their names
        assert browser.complaints == [] and len(page.locator("body").inner_text()) > 200


LONG = "信用卡客户" * 20 + "simulated_bank_monthly_with_a_name_" * 4 + "Großunternehmen & <Söhne>"


def _long_names() -> None:
    """Leave a study of 36 periods, and a model, whose every word is long."""
    about = {
        "study": "s" * 60,
        "title": LONG,
        "owner": LONG,
        "headline": LONG * 2,
        "step_key": "k",
        "status": "FINISHED",
    }
    about |= {
        "step": "monitoring/through_time",
        "slug": "monitoring/through_time",
        "seconds": 1.0,
        "reads": ("model__pd",),
    }
    entry = {"name": f"{'s' * 60}.{'model' * 10}", "version": "1", "kind": "scorecard"}
    for i in range(36):
        period, verdict = f"{2016 + i // 12}-{i % 12 + 1:02d}", ("green", "amber", "red")[i % 3]
        current.put(current.Record(**about, period=period, verdict=verdict, run_id=period, start=float(i)))
    made = {**about, "step": "models/development", "slug": "models/development", "reads": ()}
    current.put(
        current.Record(**made, period="once", verdict="info", run_id="1", start=0.0, models={"model__pd": entry})
    )
    site.write()


def test_long_names_and_many_periods_stay_within_the_page(tmp_path, monkeypatch, browser):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    _long_names()
    for name in ("index.html", f"{'s' * 60}/index.html", f"{'s' * 60}/models/pd.html"):
        page = browser.look((tmp_path / "reports" / name).as_uri(), 390)
        for width in (1280, 390):
            _resize(page, width)
            assert _fits(page), (name, width)
        assert _serious(page) == [], name


def test_the_newest_period_of_a_long_history_is_in_sight(tmp_path, monkeypatch, browser):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    _long_names()
    page = browser.look((tmp_path / f"reports/{'s' * 60}/index.html").as_uri(), 390)
    newest, oldest = (page.locator(f".matrix th a[href='#{p}']").bounding_box()["x"] for p in ("2018-12", "2016-01"))
    assert oldest < 0 < newest < 390
    page.click("text=2018-03 ·")
    assert page.locator("details#\\32 018-03 [data-label]").first.is_visible()


def test_it_prints_on_white_without_what_is_for_the_screen(reports, browser):
    page = browser.look((reports / "index.html").as_uri(), scheme="dark")
    page.emulate_media(media="print")
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('h1')).color]"
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert _shown(page, "#filter") == 0 and _shown(page, ".skip") == 0
