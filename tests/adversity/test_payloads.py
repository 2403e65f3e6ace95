"""HTML in every place a page shows data: in Chromium no script runs, nothing is navigated to, nothing requested."""

import contextlib
import csv
import dataclasses
import html
import json
import random
import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt

from running import process
from workbench import evidence
from workbench.registry import current
from workbench.reporting import index, listing, models, page, studies
from workbench.words import say
from workbench.words.markdown import literal

REPOSITORY = Path(__file__).parents[2]
SEED = 20_261
CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), "")
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium here (apt-get install chromium): nothing to look with"
)

ACTS = "document.title='pwned'"
SERVER = "http://127.0.0.1:PORT"  # the port is put in where it is known
PAYLOADS = (
    f"<script>{ACTS}</script>", f"<script src={SERVER}/1></script>", f"</title><script>{ACTS}</script>",
    f"</td></tr></table><script>{ACTS}</script>", f"--><script>{ACTS}</script>", f"]]><script>{ACTS}</script>",
    f"</style><script>{ACTS}</script>", f"</code></pre><script>{ACTS}</script>", f"\"><script>{ACTS}</script>", f"'><script>{ACTS}</script>",
    f"<img src=x onerror={ACTS}>", f"<img src={SERVER}/2>", f'" onmouseover="{ACTS}" x="', f"<svg onload={ACTS}>",
    f"<svg><script>{ACTS}</script></svg>", f"<svg><animate onbegin={ACTS} attributeName=x dur=1s>", f"<svg><image href={SERVER}/3 />",
    f"<svg><use href={SERVER}/4#x />", f"<math><mtext></form><form><mglyph><style></math><img src onerror={ACTS}>",
    f"<body onload={ACTS}>", f"<details open ontoggle={ACTS}>x</details>", f"<input autofocus onfocus={ACTS}>", f"<video src={SERVER}/5 onerror={ACTS}>",
    f"<video poster={SERVER}/6>", f"<audio src={SERVER}/7>", f"<marquee onstart={ACTS}>x</marquee>", f"<select autofocus onfocus={ACTS}>",
    f"<meta http-equiv=refresh content=0;{SERVER}/8>", f"<meta http-equiv='refresh' content='0;url={SERVER}/9'>", "<meta http-equiv=refresh content=0;//a>",
    f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src *\"><img src={SERVER}/10>", f"<base href={SERVER}/>", f"<base target=_top href={SERVER}/11/>",
    f"<form action={SERVER}/12><button autofocus>go</button></form>", f"<form id=f action={SERVER}/13></form><script>f.submit()</script>",
    f"<button formaction={SERVER}/14>go</button>", f"<iframe src={SERVER}/15></iframe>", f"<iframe srcdoc=\"<script>top.{ACTS}</script>\"></iframe>",
    f"<iframe src=\"javascript:parent.{ACTS}\"></iframe>", f"<object data={SERVER}/16></object>", f"<embed src={SERVER}/17>", f"<frameset><frame src={SERVER}/18></frameset>",
    f"<link rel=stylesheet href={SERVER}/19>", f"<link rel=prefetch href={SERVER}/20>", "<link rel=dns-prefetch href=//evil.invalid>", f"<style>@import '{SERVER}/21';</style>",
    f"<style>body{{background:url({SERVER}/22)}}</style>", f"<div style=\"background:url({SERVER}/23)\">x</div>", f"<table background={SERVER}/24><tr><td>x</td></tr></table>",
    f"<a href=\"javascript:{ACTS}\">x</a>", f"[x](javascript:{ACTS})", f"![x]({SERVER}/25)", f"[x]({SERVER}/26 \"onmouseover={ACTS}\")", f"<javascript:{ACTS}>",
    f"{{{{ ''.__class__ }}}}{{% raw %}}<script>{ACTS}</script>", f"&lt;script&gt;{ACTS}&lt;/script&gt;", f"\\u003cscript\\u003e{ACTS}\\u003c/script\\u003e",
    f"<template><script>{ACTS}</script></template>", f"<noscript><p title=\"</noscript><img src=x onerror={ACTS}>\"></noscript>", f"<a href={SERVER}/27 ping={SERVER}/28>x</a>",
)  # fmt: skip
FORBIDDEN = frozenset(
    [
        "script",
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "select",
        "textarea",
        "base",
        "link",
        "video",
        "audio",
        "source",
    ]
)


def payloads(port: int = 9) -> list[str]:
    return [p.replace("PORT", str(port)) for p in PAYLOADS]


FILTER = re.compile(r"^<(form|input|select) \{.*'id': '(filter|words|verdict|period)'|^<script \{\}>")  # the index's


class Seen(HTMLParser):
    """Notes what a page holds that could act, without a browser: elements, attributes, addresses."""

    def __init__(self, text: str):
        super().__init__()
        self.acting: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag in FORBIDDEN or (tag == "meta" and "refresh" in given.get("http-equiv", "").lower()):
            self.acting.append(f"<{tag} {given}>")
        self.acting += [f"<{tag} {n}={v}>" for n, v in given.items() if n.startswith("on") or _acts(tag, n, v)]


def _acts(tag: str, name: str, value: str) -> bool:
    address = value.strip().lower()
    if name in ("src", "data", "poster", "background", "srcset", "formaction", "ping", "srcdoc"):
        return not address.startswith("data:image/")
    return (name in ("href", "xlink:href") and address.startswith(("javascript:", "data:", "vbscript:"))) or (
        name == "style" and "url(" in address
    )


# ---- a browser, and a server that counts who asks


@pytest.fixture(scope="module")
def server() -> Iterator[SimpleNamespace]:
    hits: list[str] = []

    class Counts(BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Counts)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield SimpleNamespace(port=http.server_port, hits=hits)
    http.shutdown()


class Browser:
    """Chromium without a window, spoken to by its own protocol."""

    def __init__(self, folder: Path):
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
        ]
        flags += ["--disable-background-networking", "--disable-dev-shm-usage", f"--user-data-dir={folder}"]
        self.process = subprocess.Popen(
            [CHROMIUM, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        port = self._port(folder / "DevToolsActivePort")
        import urllib.request

        import websocket

        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10))
        address = next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
        self.line, self.number = websocket.create_connection(address, timeout=60), 0
        self.events: list[dict] = []
        for domain in ("Page", "Network", "Runtime"):
            self.ask(f"{domain}.enable")

    @staticmethod
    def _port(path: Path) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if path.exists() and (lines := path.read_text().splitlines()):
                return lines[0]
            time.sleep(0.1)
        raise TimeoutError("Chromium didn't start")

    def ask(self, method: str, **params):
        self.number += 1
        self.line.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.line.recv())
            if message.get("id") == self.number:
                return message.get("result", {})
            self.events.append(message)

    def listen(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            self.line.settimeout(rest)
            with contextlib.suppress(Exception):
                self.events.append(json.loads(self.line.recv()))
        self.line.settimeout(60)

    def value(self, expression: str):
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True).get("result", {}).get("value")

    def look(self, path: Path, seconds: float = 1.0) -> list[str]:
        """Open a page, unfold and touch what is in it, and return what happened that a page must not do."""
        self.ask("Page.navigate", url="about:blank")
        self.listen(0.1)
        self.events.clear()
        address = path.resolve().as_uri()
        self.ask("Page.navigate", url=address)
        self.listen(seconds)
        self.value("document.querySelectorAll('details').forEach(d => d.open = true)")
        for touch in ("mouseover", "focus", "click"):  # links lead where their page says; none of them is followed
            self.value(f"document.querySelectorAll('*:not(a)').forEach(e => e.dispatchEvent(new Event('{touch}')))")
        self.listen(0.3)
        return self._happened(address)

    def visit(self, address: str, seconds: float) -> tuple[str, list[str]]:
        """Open a page of a server that draws itself; return its text, and what it asked of others or where it went."""
        self.ask("Page.navigate", url="about:blank")
        self.listen(0.1)
        self.events.clear()
        self.ask("Page.navigate", url=address)
        self.listen(seconds)
        for touch in ("mouseover", "focus"):
            self.value(f"document.querySelectorAll('*:not(a)').forEach(e => e.dispatchEvent(new Event('{touch}')))")
        self.listen(0.5)
        ours, at = address.partition("/#")[0], self.value("location.href")
        out = ["a script ran"] if self.value("document.title") == "pwned" else []
        out += [] if at.startswith(ours) else [f"went to {at}"]
        messages = [(e.get("method"), e.get("params", {})) for e in self.events]
        blocked = {
            p["requestId"] for m, p in messages if m == "Network.loadingFailed" and p.get("blockedReason") == "csp"
        }
        asked = [p for m, p in messages if m == "Network.requestWillBeSent" and p["requestId"] not in blocked]
        urls = [p["request"]["url"] for p in asked] + [
            p["url"] for m, p in messages if m == "Page.frameRequestedNavigation"
        ]
        out += [f"asked for {u}" for u in urls if not u.startswith((ours, "data:", f"blob:{ours}"))]
        out += [m for m, _ in messages if m == "Page.javascriptDialogOpening"]
        return self.value("document.body.innerText") or "", out

    def _happened(self, address: str) -> list[str]:
        out = ["a script ran"] if self.value("document.title") == "pwned" else []
        at = self.value("location.href")
        out += [f"went to {at}"] if at != address else []
        for e in self.events:
            params = e.get("params", {})
            if e.get("method") == "Network.requestWillBeSent":
                asked = params["request"]["url"]
                if asked != address and not asked.startswith(("data:", "blob:")):
                    out.append(f"asked for {asked}")
            elif e.get("method") in ("Page.frameAttached", "Page.javascriptDialogOpening"):
                out.append(e["method"])
            elif e.get("method") == "Page.frameRequestedNavigation" and params.get("url") != address:
                out.append(f"wanted to go to {params['url']}")
        return out

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.ask("Browser.close")
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    chromium = Browser(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


# ---- quick: pages rendered from a notebook that shows nothing but payloads


def _notebook(path: Path, evil: list[str]) -> Path:
    """Write an executed notebook whose every kind of output is made of payloads."""
    table = pd.DataFrame({evil[i]: evil for i in (0, 27, 36)})
    card = evidence.Evidence(
        key="intake",
        question=say("Does table '{table}' keep its contract?", table=evil[3]),
        verdict=evidence.Verdict.amber,
        answer=say("Seen: {values}.", values=evil),
        value=evil[10],
        threshold=say("{x}", x=evil[28]),
        source=evil[29],
        blind_to=say("{x}", x=evil[31]),
        table=table,
    )
    out = nbformat.v4.new_output
    shown = [
        card._repr_mimebundle_(),
        say("{x} and {y:,}", x=evil, y=3)._repr_mimebundle_(),
        {"text/html": "".join(evil)},
    ]
    shown += [
        {"text/html": table.to_html(escape=False)},
        {"text/markdown": "\n\n".join(evil)},
        {"text/plain": "\n".join(evil)},
    ]
    outputs = [out("display_data", data) for data in shown] + [out("stream", name="stdout", text="\n".join(evil))]
    outputs += [out("error", ename=e, evalue=e, traceback=[]) for e in evil]
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell(f"# {evil[0]}\n\n{evil[30]}"),
        *map(nbformat.v4.new_markdown_cell, evil),
    ]
    book.cells.append(nbformat.v4.new_code_cell("1", outputs=outputs))
    nbformat.write(book, path)
    return path


def _pages(folder: Path, evil: list[str]) -> list[Path]:
    """Render the page of such a notebook in both languages and an index of failed and good runs, and return them."""
    book, every = _notebook(folder / "a.ipynb", evil), " ".join(evil)
    card = {"key": "k", "question": every, "verdict": "amber", "answer": every, "value": every, "threshold": every}
    evidence = {
        "verdict": "amber",
        "evidence": [{**_record(), **card}],
        "names": dict(zip(evil, reversed(evil), strict=True)),
    }
    evidence |= {"tables": {kind: {e: e for e in evil} for kind in ("read", "written")}}
    facts = {"study": every, "title": every, "owner": every, "description": every, "period": every, "simulated": True}
    facts |= {
        "step": "portfolios/intake",
        "run_id": every,
        "start": 0.0,
        "link": "",
        "place": "s/once/portfolios/intake",
    }
    facts |= {
        "steps": [("portfolios/intake", e) for e in evil],
        "params": {e: e for e in evil},
        "attached": {e: e for e in evil},
    }
    out = []
    for language in ("en", "zh_CN"):
        out.append(folder / f"{language}.html")
        out[-1].write_text(page.render(book, evidence, {**facts, "language": language}), encoding="utf-8")
    about = {
        "period": "once",
        "slug": "a",
        "start": 1.0,
        "seconds": 1.0,
        "run_id": every,
        "step_key": "k",
        "owner": every,
    }
    runs = [
        current.Record(**about, study=e, step=e, status=s, verdict="red", headline=e)
        for e in evil
        for s in ("FINISHED", "FAILED")
    ]
    site = listing.Site(tuple(listing.listed(_with_models(runs[::2]), runs[1::2], folder)))
    contents = {"index": index.render(site)}
    for kind in (studies, models):  # one page holds them all: each study's has one payload only
        contents[kind.__name__.rpartition(".")[2]] = "".join(content for _, content in kind.pages(site))
    for name, content in contents.items():
        out.append(folder / f"{name}.html")
        out[-1].write_text(content, encoding="utf-8")
    return out


def _with_models(runs: list) -> list:
    """Give each run a model whose name, kind and verdict are payloads."""
    out = []
    for r in runs:
        entry = {"name": r.study, "version": "1", "kind": r.study}
        tags = {"model__pd": {**entry, "tags": {"validation.verdict": r.study}}}
        about = {"models": {"model__pd": entry}, "tags": tags, "title": r.study, "figures": {r.study: 1.0}}
        out.append(dataclasses.replace(r, **about))
    return out


def _record() -> dict:
    return evidence.Evidence(key="k", question=say("q"), verdict=evidence.Verdict.info, answer=say("a")).record()


def test_sixty_payloads_in_every_place_of_a_page_are_text(measured, tmp_path):
    pages = _pages(tmp_path, payloads())
    ours = Counter(Seen(index.render(listing.Site(()))).acting)  # the index has a form and a script of its own
    acting = []
    for p in pages:
        acts = Counter(Seen(p.read_text(encoding="utf-8")).acting) - (ours if p.name == "index.html" else Counter())
        acting += [(p.name, what) for what in acts]
    assert len(ours) == 4
    measured("payloads, all places of a page together, by page, by parser", len(PAYLOADS) * len(pages), acting)


def test_payloads_in_notes_of_mlflow_are_text(measured):
    shown = {e: MarkdownIt("commonmark", {"html": True}).render(literal(e)) for e in payloads()}
    acting = [e for e, page_ in shown.items() if Seen(page_).acting or any(t in page_ for t in ("<a", "<img", "<meta"))]
    measured("payloads in MLflow's notes", len(PAYLOADS), acting)


@needs_chromium
@pytest.mark.whole
def test_sixty_payloads_in_every_place_do_nothing_in_chromium(measured, tmp_path, server, browser):
    server.hits.clear()
    happened, evil = [], payloads(server.port)
    pages = _pages(tmp_path, evil)
    for p in pages:
        happened += [(p.name, what) for what in browser.look(p)]
        text = browser.value("document.body.innerText")
        assert sum(e in text for e in evil) > 50, "the payloads aren't there"
    measured(
        "payloads, all places of a page together, by page, in Chromium",
        len(evil) * len(pages),
        [*happened, *server.hits],
    )


@needs_chromium
@pytest.mark.whole
def test_the_browser_sees_what_acts(tmp_path, server, browser):
    """Without escape and policy: what the tests above look for does happen."""
    server.hits.clear()
    seen = []
    for i in (0, 10, 11, 27, 36):
        path = tmp_path / f"{i}.html"
        path.write_text(f"<!doctype html><title>x</title><p>{payloads(server.port)[i]}")
        seen.append(bool(browser.look(path)))
    assert all(seen) and server.hits


@pytest.mark.whole
@needs_chromium
def test_most_payloads_act_where_nothing_stops_them(tmp_path, server, browser):
    """The sample of payloads is worth its name."""
    acted = 0
    for i, evil in enumerate(payloads(server.port)):
        path = tmp_path / f"{i}.html"
        path.write_text(f"<!doctype html><title>x</title><p>{evil}")
        acted += bool(browser.look(path, 0.5))
    assert acted >= 35


# ---- the whole: a study whose file, contract and study file are made of payloads, run by the command line


def _evil_study(home: Path, evil: list[str]) -> None:
    rng = random.Random(SEED)
    headers = [f"{evil[i]}{i}" for i in range(12)]
    columns = [{"name": "loan_id", "type": "text", "role": "key", "description": evil[30]}]
    columns += [
        {"name": f"kind_{i}", "source": headers[i], "type": "category", "description": evil[i + 12], "unit": evil[40]}
        for i in range(10)
    ]
    columns += [
        {
            "name": "labelled",
            "source": headers[10],
            "type": "category",
            "values": dict(zip("abcde", evil[24:29], strict=True)),
        },
        {
            "name": "amount",
            "source": headers[11],
            "type": "number",
            "unit": evil[41],
            "minimum": 0,
            "breach": "warning",
        },
        {"name": "bad", "type": "category", "role": "outcome", "known": "after", "values": {"0": "0", "1": "1"}},
    ]
    given = {
        "name": "evil",
        "title": " ".join(evil[:20]),
        "licence": " ".join(evil[20:40]),
        "source": " ".join(evil[40:]),
    }
    given |= {
        "citation": evil[5],
        "notes": evil,
        "currency": evil[7],
        "as_of": "2020-01-01",
        "event_value": "1",
        "columns": columns,
    }
    (home / "params" / "evil_contract.yaml").write_text(yaml.safe_dump(given, allow_unicode=True))
    name = f"data/{evil[10].replace('/', '')}.csv"
    with (home / name).open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["loan_id", *headers, "bad"])
        for i in range(1500):
            kinds = [rng.choice(evil[6 * k : 6 * k + 6]) for k in range(10)]
            out.writerow(
                [
                    f"L{i}",
                    *kinds,
                    rng.choice("abcde"),
                    "-5" if i % 50 == 0 else rng.randrange(9000),
                    int(rng.random() < 0.3),
                ]
            )
    intake = {
        "portfolio": "own_files",
        "files": {"account": name},
        "contracts": {"account": "params/evil_contract.yaml"},
    }
    steps = {"portfolios/intake": intake, "panel/build": {"as_of_from": "", "as_of_to": ""}, "customers/profile": {}}
    about = {"title": " ".join(evil[:30]), "owner": " ".join(evil[30:]), "description": " ".join(evil)}
    study = {**about, "defaults": {"seed": 42, "sample_rows": 0}, "steps": steps}
    (home / "params" / "evil.yaml").write_text(yaml.safe_dump(study, allow_unicode=True))


@pytest.mark.whole
@needs_chromium
def test_a_study_made_of_payloads(measured, tmp_path, server, browser):
    evil = payloads(server.port)
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    for name in ("params", "data"):
        (tmp_path / name).mkdir()
    _evil_study(tmp_path, evil)
    done = process(tmp_path, "run", "params/evil.yaml", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    spoken = process(tmp_path, "render", "evil", "--lang", "zh_CN")
    assert spoken.returncode == 0, spoken.stdout + spoken.stderr
    failing = tmp_path / "notebooks" / "customers" / "profile.ipynb"
    book = nbformat.read(failing, 4)
    book.cells.insert(3, nbformat.v4.new_code_cell(f"raise ValueError({' '.join(evil)!r})"))
    nbformat.write(book, failing)
    failed = process(tmp_path, "run", "params/evil.yaml", "--jobs", "1")
    assert failed.returncode == 1 and "ValueError" in (tmp_path / "reports" / "index.html").read_text()
    server.hits.clear()
    pages = sorted((tmp_path / "reports").rglob("*.html"))
    assert len(pages) >= 6
    shown = html.unescape((tmp_path / "reports/evil/once/portfolios/intake.html").read_text(encoding="utf-8"))
    assert sum(e in shown for e in evil) > 30, "the payloads aren't there"
    happened = [(str(p.relative_to(tmp_path)), what) for p in pages for what in browser.look(p)]
    acting = [(p.name, what) for p in pages for what in Seen(p.read_text(encoding="utf-8")).acting]
    acting = [(name, what) for name, what in acting if not (name == "index.html" and FILTER.search(what))]
    several = [p for p in pages if p.name == "index.html" and p.read_text(encoding="utf-8").count("<script") > 1]
    acting += [(str(p), "a second script") for p in several]
    measured(
        f"pages of a study made of {len(evil)} payloads, in Chromium",
        len(pages),
        [*happened, *acting, *server.hits],
        SEED,
    )


@pytest.mark.whole
@needs_chromium
def test_evidently_pages(measured, tmp_path, server, browser):
    """Its pages are programs: they draw, and what customers typed stays text in them."""
    from workbench.monitoring import drift_report
    from workbench.panel.bins import quantile_bins

    evil, rng = payloads(server.port), np.random.default_rng(SEED)
    rows = pd.DataFrame({"predicted": rng.beta(2, 30, 1200), "outcome": [0.0, 1.0] * 600, "weight": 1.0})
    for i in range(0, len(evil), 10):
        rows[evil[i]] = rng.choice(evil[i : i + 10], 1200)
    inputs = [c for c in rows.columns if c not in ("outcome", "weight")]
    bins = {c: quantile_bins(rows[c]) for c in inputs}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(rows[c]))) for c, b in bins.items()})
    drift_report.run(model, rows, rows.sample(frac=0.5, random_state=1), 0.1, 1, tmp_path / "2018-03.html")
    server.hits.clear()
    happened = browser.look(tmp_path / "2018-03.html", 12)
    assert browser.value("document.body.innerText.length") > 200, "the page drew nothing"
    assert "form-action 'none'" in (tmp_path / "2018-03.html").read_text()[:2000]
    measured("Evidently's page of payloads, in Chromium", len(evil), [*happened, *server.hits], SEED)


# ---- MLflow's own pages, as `workbench ui` serves them


def _evil_store(folder: Path, evil: list[str]) -> list[str]:
    """Fill the store with payloads wherever MLflow keeps text, descriptions raw; return the pages that show them."""
    from workbench.registry import store

    client, every = store.client(), "\n\n".join(evil)
    note = {"mlflow.note.content": every}
    experiment = client.create_experiment(" ".join(evil[:3]), tags={**dict(_numbered(evil)), **note})
    runs = [client.create_run(experiment, run_name=e, tags=note).info.run_id for e in (evil[0], evil[27])]
    for run in runs:
        for name, e in _numbered(evil):
            client.log_param(run, name, e)
            client.set_tag(run, name, e)
        client.set_terminated(run)
    files = {f"x.{end}": every for end in ("md", "txt", "html", "svg", "csv")}
    (folder / "left").mkdir()
    for name, text in files.items():
        (folder / "left" / name).write_text(text, encoding="utf-8")
    client.log_artifacts(runs[0], str(folder / "left"))
    client.create_registered_model("evil", tags=dict(_numbered(evil)), description=every)
    source = client.get_run(runs[0]).info.artifact_uri
    client.create_model_version("evil", source, runs[0], tags=dict(_numbered(evil)), description=every)
    at, both = f"/#/experiments/{experiment}", json.dumps(runs)
    pages = ["/#/experiments", at, f"{at}/runs", f"{at}/runs/{runs[0]}", "/#/models", "/#/models/evil"]
    pages += [f"{at}/runs/{runs[0]}/artifacts/{name}" for name in files]
    return [*pages, "/#/models/evil/versions/1", f'/#/compare-runs?runs={both}&experiments=["{experiment}"]']


def _numbered(evil: list[str]) -> list[tuple[str, str]]:
    return [(f"n{i}", e) for i, e in enumerate(evil)]


@pytest.mark.whole
@needs_chromium
def test_mlflow_shows_payloads_and_does_nothing(measured, tmp_path, monkeypatch, server, browser):
    """The policy that `workbench ui` sends holds MLflow's pages, which draw pictures of descriptions from elsewhere."""
    import urllib.request

    from workbench.registry import store
    from workbench.runs import servers

    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    evil = payloads(server.port)
    pages = _evil_store(tmp_path, evil)
    port = servers.free_port(5600)
    ui = subprocess.Popen(
        servers.ui(port, store.uri()), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    server.hits.clear()
    try:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            time.sleep(0.2)
        seen, happened = {}, []
        for p in pages:
            text, what = browser.visit(f"http://127.0.0.1:{port}{p}", 10)
            seen[p] = sum(e in text for e in evil)
            happened += [(p, w) for w in what]
    finally:
        ui.terminate()
        ui.wait(60)
    assert sum(n > 50 for n in seen.values()) >= 4, f"the payloads aren't there: {seen}"
    measured(
        "payloads in MLflow's own pages, all places together, by page",
        len(evil) * len(pages),
        [*happened, *server.hits],
    )
