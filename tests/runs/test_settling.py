"""Whatever run is current is what names, pages, tags and alias say: after re-use, tampering, crashes, moves."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from running import runner, workbench
from short import shortened
from workbench.registry import current
from workbench.registry.current import Record
from workbench.runs import settling

BUILD = "panel/build"
SMALL = """
title: Small
owner: risk
defaults: {sample_rows: 1500}
steps:
  portfolios/intake: {portfolio: taiwan_cards}
  panel/build:
"""


def _run(home: Path, *words: str) -> str:
    done = workbench(home, "run", "params/small.yaml", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ran(tmp_path_factory, empty_store) -> Path:
    """A home in which a small study has run once; tests work on copies of it, in another place."""
    home = tmp_path_factory.mktemp("ran")
    shortened(home / "notebooks")
    for name in ("params", "mlruns"):
        (home / name).mkdir()
    shutil.copy(empty_store, home / "mlruns")
    (home / "params" / "small.yaml").write_text(SMALL)
    _run(home)
    return home


@pytest.fixture
def home(ran, tmp_path) -> Path:
    copy = tmp_path / "moved"
    shutil.copytree(ran, copy)
    return copy


def _pin(home: Path, step: str) -> Record:
    return current.from_json((home / f"mlruns/current/small/once/{step}.json").read_text())


def _page(home: Path, step: str) -> bytes:
    return (home / f"reports/small/once/{step}.html").read_bytes()


def _runs(home: Path) -> int:
    import sqlite3

    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        return database.execute("SELECT count(*) FROM runs").fetchone()[0]


@pytest.mark.whole
def test_a_copied_home_is_unchanged_begins_no_run_and_opens_no_mlflow(ran, home):
    runs = _runs(home)
    script = "import sys; from workbench.cli import main; main(sys.argv[1:]); print(sorted({'mlflow', 'pandas', 'papermill'} & set(sys.modules)))"
    env = {**os.environ, "WORKBENCH_HOME": str(home)}
    command = [sys.executable, "-c", script, "run", "params/small.yaml"]
    subprocess.run(command, cwd=home, env=env, check=True, capture_output=True)  # its place is new: checked once more
    done = subprocess.run(command, cwd=home, env=env, check=True, capture_output=True, text=True)
    assert "2 unchanged" in done.stdout and done.stdout.splitlines()[-1] == "[]"
    assert _runs(home) == runs and _pin(home, BUILD) == _pin(ran, BUILD)


@pytest.mark.whole
def test_a_copied_store_writes_nothing_into_the_old_place(ran, home):
    before = {p: p.stat().st_mtime_ns for p in ran.rglob("*") if p.is_file()}
    _run(home, "--fresh", "--step", BUILD)
    assert {p: p.stat().st_mtime_ns for p in ran.rglob("*") if p.is_file()} == before
    import sqlite3

    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        places = [row[0] for row in database.execute("SELECT artifact_uri FROM runs")]
    assert places and all(p.startswith((home / "mlruns").as_uri()) for p in places)


def test_another_seed_and_back_again_brings_back_page_names_and_index(home):
    first, page, index = _pin(home, BUILD), _page(home, BUILD), (home / "reports/index.html").read_text()
    _run(home, "--set", "panel/build.seed=7")
    second = _pin(home, BUILD)
    assert second.run_id != first.run_id and second.tables != first.tables and _page(home, BUILD) != page
    assert second.run_id[:8] in (home / "reports/index.html").read_text()
    assert "2 unchanged" in _run(home)
    assert _pin(home, BUILD) == first and _page(home, BUILD) == page
    pointer = json.loads((home / "mlruns/tables/small/once/mart__panel.json").read_text())
    assert pointer == first.tables["mart__panel"]
    again = (home / "reports/index.html").read_text()
    assert first.run_id[:8] in again and second.run_id[:8] not in again and index.count("<tr>") == again.count("<tr>")


TAMPERINGS = {
    "a page": lambda home, r: home / "reports/small/once/panel/build.html",
    "the page kept with the run": lambda home, r: home / "mlruns" / r.folder / "page.html",
    "evidence": lambda home, r: home / "mlruns" / r.folder / "evidence/evidence.json",
    "a table": lambda home, r: home / f"mlruns/tables/small/once/mart__panel/{r.tables['mart__panel']['digest'][:16]}.parquet",
    "a pointer": lambda home, r: home / "mlruns/tables/small/once/mart__panel.json",
    "the pin": lambda home, r: home / "mlruns/current/small/once/panel/build.json",
}  # fmt: skip


@pytest.mark.parametrize("what", ["a page", "a pointer"])
def test_what_is_published_is_made_to_say_again_what_the_run_says(home, what):
    place = TAMPERINGS[what](home, _pin(home, BUILD))
    before = place.read_bytes()
    place.write_bytes(b'{"digest": "forged"}')
    assert "2 unchanged" in _run(home)
    assert place.read_bytes() == before


@pytest.mark.parametrize("what", ["the page kept with the run", "evidence", "a table"])
def test_a_run_of_which_something_is_no_longer_whole_does_not_count(home, monkeypatch, what):
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    record = _pin(home, BUILD)
    assert settling.stands(record)
    place = TAMPERINGS[what](home, record)
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    assert not settling.stands(record)
    if what == "a table":  # the same content, written again, replaces the file whose bytes are wrong
        assert "1 done, 1 unchanged" in _run(home)
        assert _pin(home, BUILD).tables == record.tables and settling.stands(_pin(home, BUILD))


def test_a_damaged_pin_is_made_anew_from_the_run(home):
    record = _pin(home, BUILD)
    TAMPERINGS["the pin"](home, record).write_text("garbage")
    assert "2 unchanged" in _run(home)
    assert _pin(home, BUILD) == record


@pytest.mark.parametrize("loss", ["missing", "emptied"])
def test_a_lost_store_is_an_error_and_no_new_history(home, loss):
    import sqlite3

    for tail in ("-wal", "-shm"):
        (home / f"mlruns/mlflow.db{tail}").unlink(missing_ok=True)
    store = home / "mlruns/mlflow.db"
    if loss == "missing":
        store.unlink()
    else:
        with sqlite3.connect(store) as database:
            database.execute("PRAGMA foreign_keys = OFF")
            database.execute("DELETE FROM runs")
    before = _page(home, BUILD)
    done = workbench(home, "run", "params/small.yaml", "--fresh")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        "workbench: mlruns/mlflow.db holds none of the 2 runs that mlruns/current/ and reports/ stand on;"
        " bring it back from a copy, or move mlruns/ away to begin anew\n"
    )
    assert _page(home, BUILD) == before and (loss == "emptied" or not store.exists())


def test_a_crash_between_the_end_of_a_run_and_its_publishing_is_repaired_at_the_next_start(home):
    dies = "import os; from workbench.runs import settling; settling.settle = lambda record: os._exit(9)"
    old = _pin(home, BUILD)
    assert runner(home, "run", "params/small.yaml", "--fresh", "--step", BUILD, first=dies).wait() == 9
    assert _pin(home, BUILD) == old and old.run_id.encode() in _page(home, BUILD)
    out = _run(home)
    assert "panel/build: had ended, but its runner died before publishing it; published now" in out
    new = _pin(home, BUILD)
    assert "2 unchanged" in out and new.run_id != old.run_id and new.run_id.encode() in _page(home, BUILD)
    assert not list((home / "mlruns/work").glob("*")) and not list((home / "mlruns/current").rglob("*.settling"))


def test_what_dead_processes_leave_is_swept_and_what_living_ones_have_stays(home):
    from workbench import home as places

    other = psutil.Process().parent()  # whoever started the tests
    dead, alive = (
        f"{places.machine()}:{number}" for number in ("999999999:1", f"{other.pid}:{other.create_time():.0f}")
    )
    for folder in ("work", "scratch"):
        for owner in (dead, alive):
            (home / "mlruns" / folder / owner).mkdir(parents=True)
    (home / "mlruns/.store-x").mkdir()
    part = home / f"reports/small/{places.PART}999999999-index.html"
    part.write_text("half")
    _run(home)
    assert [p.name for folder in ("work", "scratch") for p in (home / "mlruns" / folder).iterdir()] == [alive, alive]
    assert not part.exists() and not (home / "mlruns/.store-x").exists()


def _cell(home: Path, step: str, source: str) -> None:
    """Put a cell before the notebook's last one."""
    path = home / "notebooks" / f"{step}.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells.insert(-1, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, path)


UNDECLARED = "tables.write(p.key, 'mart__more', panel)"


def test_a_write_that_is_not_declared_fails_the_step_and_moves_nothing(ran, home):
    before = {p: p.read_bytes() for p in (home / "mlruns/tables").rglob("*") if p.is_file()}
    _cell(home, BUILD, UNDECLARED)
    done = workbench(home, "run", "params/small.yaml")
    assert done.returncode == 1
    assert "the notebook wrote mart__more, which `writes` of its module doesn't declare" in done.stdout
    assert {p: p.read_bytes() for p in (home / "mlruns/tables").rglob("*") if p.is_file()} == before
    index = (home / "reports/index.html").read_text()
    assert "(last try, failed)" in index and "mart__more" in index
    failed = home / "reports/small/once/panel/build.failed.ipynb"
    assert failed.exists()
    shutil.copy(ran / "notebooks/panel/build.ipynb", home / "notebooks/panel/build.ipynb")
    assert "2 unchanged" in _run(home)
    assert not failed.exists() and "last try" not in (home / "reports/index.html").read_text()


def test_a_read_that_is_not_declared_fails_the_step(home):
    shutil.copytree(home / "mlruns/tables/small", home / "mlruns/tables/other")
    _cell(home, BUILD, "from workbench.params import Key; tables.read(Key('other'), 'core__account')")
    done = workbench(home, "run", "params/small.yaml")
    assert done.returncode == 1
    assert "the notebook read other.core__account, which `reads` of its module doesn't declare" in done.stdout


def test_a_step_that_no_longer_belongs_to_a_period_leaves_nothing_there(home):
    dated = '{panel: mart__dated, as_of_to: "{period_to}"}'
    both = SMALL.replace("panel/build:", f'panel/build@dated: {dated}\n  panel/build: {{as_of_to: "{{period_to}}"}}')
    (home / "params/small.yaml").write_text(both)
    _run(home, "--period", "2005-09")
    of_period = home / "mlruns/tables/small/2005-09"
    assert {p.stem for p in of_period.glob("*.json")} == {"mart__dated", "mart__panel"}
    (home / "params/small.yaml").write_text(
        SMALL.replace("panel/build:", f"panel/build@dated: {dated}\n  panel/build:")
    )
    _run(home, "--period", "2005-09")
    assert {p.stem for p in of_period.glob("*.json")} == {"mart__dated"}
    assert not (home / "reports/small/2005-09/panel/build.html").exists()
    assert not (home / "mlruns/current/small/2005-09/panel/build.json").exists()


def _of(period: str, version: str, verdict: str = "", **more: object) -> Record:
    entry = {"name": "small.pd", "version": version, "digest": version, "kind": "scorecard", "run_id": "r"}
    tags = (
        {"model__pd": {"name": "small.pd", "version": "1", "tags": {"validation.verdict": verdict}}} if verdict else {}
    )
    about = {"verdict": "green", "headline": "", "start": 1.0, "seconds": 1.0, "status": "FINISHED", "step_key": "k"}
    ran = {"study": "small", "period": period, "step": "m/a", "slug": "m/a", "run_id": f"{period} {version}"}
    return Record(**{**ran, **about, "models": {} if verdict else {"model__pd": entry}, "tags": tags, **more})


@pytest.fixture
def moved(monkeypatch) -> list[tuple]:
    """What was done to the registry, of which nothing says what the runs say."""
    done: list[tuple] = []
    for name in ("point", "tag", "link", "unpoint", "unlink"):
        monkeypatch.setattr(settling.standing, name, lambda *given, name=name: done.append((name, *given[1:])))
    monkeypatch.setattr(settling.standing, "holds", lambda entry: entry["version"] == "7")
    monkeypatch.setattr(settling.standing, "says", lambda facts: "run_id" in facts["tags"])
    return done


def test_a_later_periods_model_and_verdict_stand_when_an_earlier_period_runs_again(moved, monkeypatch):
    later = [_of("2005-10", "2"), _of("2005-10", "2", "pass")]
    monkeypatch.setattr(current, "everything", lambda *_, **__: later)
    for record in (_of("2005-09", "1"), _of("2005-09", "1", "refuse")):
        assert settling._models(record, record) == [] and moved == []
    assert settling._models(_of("2005-11", "3"), None) == ["alias of small.pd"]
    assert settling._models(_of("2005-11", "3", "refer"), None) == ["tags of small.pd"]


def test_a_model_that_no_step_makes_any_more_has_no_alias(moved, monkeypatch):
    others = []
    monkeypatch.setattr(current, "everything", lambda *_, **__: others)
    settling._unpoint(_of("once", "1"))
    assert moved == [], "the alias is another's"
    settling._unpoint(_of("once", "7"))
    assert [name for name, *_ in moved] == ["unpoint"]
    others.append(_of("2005-09", "8"))
    settling._unpoint(_of("once", "7"))
    assert len(moved) == 1, "another run makes it, too"


def test_tags_for_what_the_step_has_not_read_fail_it(home):
    path = home / "notebooks/panel/build.ipynb"
    text = path.read_text().replace(
        'figures={\\"rows\\"', 'tags={\\"model__pd\\": {\\"validation.verdict\\": \\"pass\\"}}, figures={\\"rows\\"'
    )
    path.write_text(text)
    done = workbench(home, "run", "params/small.yaml")
    assert done.returncode == 1
    assert "the notebook proposes tags for model__pd, which it neither reads nor writes" in done.stdout


def test_a_name_that_a_step_no_longer_writes_goes(home):
    assert (home / "mlruns/tables/small/once/core__month.json").exists()
    other = SMALL.replace("portfolio: taiwan_cards", "portfolio: german_credit").replace("  panel/build:\n", "")
    (home / "params/small.yaml").write_text(other)
    assert "1 done" in _run(home)
    assert not (home / "mlruns/tables/small/once/core__month.json").exists()
    assert (home / "mlruns/tables/small/once/core__account.json").exists()
    # the study has lost a step, too: what it said goes, its runs stay and come back with it
    assert not (home / "reports/small/once/panel/build.html").exists()
    assert not (home / "mlruns/tables/small/once/mart__panel.json").exists()
    assert "panel/build" not in (home / "reports/index.html").read_text()
    (home / "params/small.yaml").write_text(SMALL)
    assert "2 unchanged" in _run(home)
    assert (home / "reports/small/once/panel/build.html").exists()


def test_a_period_of_its_own_overwrites_no_other(home):
    dated = SMALL.replace("panel/build:", 'panel/build: {as_of_from: "{period_from}", as_of_to: "{period_to}"}')
    (home / "params/small.yaml").write_text(dated)
    whole = _pin(home, BUILD)
    out = _run(home, "--period", "2005-09")
    assert "= small portfolios/intake" in out and "1 done, 1 unchanged" in out
    place = home / "mlruns/current/small/2005-09/panel/build.json"
    month = current.from_json(place.read_text())
    assert _pin(home, BUILD) == whole and month.period == "2005-09"
    assert (home / "reports/small/2005-09/panel/build.html").exists()
    assert "2 unchanged" in _run(home, "--period", "2005-09")
    _leads(home)
    import sqlite3

    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        query = "SELECT value FROM tags WHERE key = 'period' AND run_uuid = ?"
        assert database.execute(query, (month.run_id,)).fetchall() == [("2005-09",)]


def _leads(home: Path) -> None:
    """Look that the pages of two periods lead to one another, and that whatever is put in between is put right."""
    current_ = home / "mlruns/current/small"
    (current_ / "2005-07/panel").mkdir(parents=True)
    record = (current_ / "2005-09/panel/build.json").read_text().replace("2005-09", "2005-07")
    (current_ / "2005-07/panel/build.json").write_text(record)
    _run(home, "--period", "2005-09")
    early, late = (home / f"reports/small/{period}/panel/build.html" for period in ("2005-07", "2005-09"))
    to_late = '<a rel="next" href="../../2005-09/panel/build.html">2005-09 ›</a>'
    assert to_late in early.read_text() and 'rel="prev"' not in early.read_text()
    assert '<a rel="prev" href="../../2005-07/panel/build.html">‹ 2005-07</a>' in late.read_text()
    assert "<!--periods" not in (home / "reports/small/once/panel/build.html").read_text()
    study = (home / "reports/small/index.html").read_text()
    for place in ("2005-07/panel/build.html", "2005-09/panel/build.html", "once/portfolios/intake.html"):
        assert f'href="../small/{place}"' in study
    whole = late.read_text()
    late.write_text(whole.replace("<!--/periods-->", "All is well.<!--/periods-->"))
    index = home / "reports/small/index.html"
    index.unlink()
    out = " ".join(_run(home, "--period", "2005-09").split())
    assert "changed by hand, put right: page small/2005-09/panel/build.html" in out
    assert "reports/small/index.html was changed by hand, put right" in out
    assert late.read_text() == whole and index.exists()
    assert "by hand" not in _run(home, "--period", "2005-09")


def test_mlflow_names_the_tables_read_by_our_digest_and_says_what_experiment_and_run_are(home):
    import sqlite3

    record = _pin(home, BUILD)
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        ask = lambda q, *v: database.execute(q, v).fetchall()  # noqa: E731
        inputs = ask(
            "SELECT d.name, d.digest FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
            " WHERE i.destination_id = ?",
            record.run_id,
        )
        note = ask("SELECT value FROM tags WHERE key = 'mlflow.note.content' AND run_uuid = ?", record.run_id)
        about = ask("SELECT value FROM experiment_tags WHERE key = 'mlflow.note.content'")
        figures = dict(
            ask(
                "SELECT m.key, m.value FROM latest_metrics m JOIN runs r ON r.run_uuid = m.run_uuid WHERE r.name = 'small'"
            )
        )
    account = json.loads((home / "mlruns/tables/small/once/core__account.json").read_text())["digest"]
    assert ("core__account", account[:32]) in inputs
    assert note == [("Page: reports/small/once/panel/build.html",)]
    assert about == [("Small.  Owner: risk.",)]
    assert figures["steps"] == 2 and figures["done"] == 2


def test_mlflow_names_the_raw_file_of_an_intake_by_the_digest_of_its_bytes_without_a_path(home):
    import hashlib
    import sqlite3

    from workbench.portfolios import catalog, intake

    record = _pin(home, "portfolios/intake")
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        inputs = database.execute(
            "SELECT d.name, d.digest, d.dataset_source FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
            " WHERE i.destination_id = ?",
            (record.run_id,),
        ).fetchall()
    path = catalog.shipped()["taiwan_cards"].path
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert inputs == [(path.name, digest[:32], json.dumps({"file": path.name, "sha256": digest}))]
    made = [intake.simulated(intake.Params(study="s", portfolio="simulated_bank", seed=seed)) for seed in (1, 2)]
    assert [list(m) for m in made] == [["simulated_bank"]] * 2 and made[0] != made[1]
    asked = intake.Params(
        study="s", portfolio="own_files", files={"account": "a/loans.csv"}, contracts={"account": "a/l.yaml"}
    )
    assert intake.raw_files(asked) == {"loans.csv"} and intake.simulated(asked) == {}


def test_other_words_of_a_study_are_taken_up_everywhere_and_no_kernel_runs(home):
    import sqlite3

    first, runs = _pin(home, BUILD), _runs(home)
    reworded = SMALL.replace("title: Small", "title: Larger <b>\ndescription: What it is for.\nsimulated: true")
    (home / "params/small.yaml").write_text(reworded.replace("owner: risk", "owner: audit"))
    out = _run(home)
    assert "2 unchanged" in out and "by hand" not in out and _runs(home) == runs and _pin(home, BUILD) == first
    pages = [home / "reports" / p for p in ("index.html", "small/index.html", f"small/once/{BUILD}.html")]
    for text in (p.read_text() for p in pages):
        assert "Larger &lt;b&gt;" in text and "audit" in text and "simulated, not real" in text and "risk<" not in text
    assert "What it is for." in pages[-1].read_text()
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as database:
        notes = database.execute("SELECT value FROM experiment_tags WHERE key = 'mlflow.note.content'").fetchall()
    assert notes == [("Larger \\<b\\>. What it is for. Owner: audit.",)]
    whole = pages[-1].read_bytes()
    assert "by hand" not in _run(home) and pages[-1].read_bytes() == whole


def test_words_are_taken_up_by_steps_that_do_not_run_and_stay_when_old_parameters_come_back(home):
    (home / "params/small.yaml").write_text(SMALL.replace("owner: risk", "owner: audit"))
    _run(home, "--step", BUILD, "--set", "panel/build.seed=7")
    assert "<dt>Owner</dt><dd>audit</dd>" in (home / "reports/small/once/portfolios/intake.html").read_text()
    assert "2 unchanged" in _run(home)
    assert _pin(home, BUILD).owner == "risk"  # the record is the run's
    for page in ("index.html", "small/index.html", f"small/once/{BUILD}.html"):
        assert "audit" in (home / "reports" / page).read_text()


def test_a_step_whose_input_has_moved_on_is_marked_on_page_and_index_until_it_runs_again(home):
    mark = "Made from earlier inputs; run the study again."
    pages = [home / "reports" / p for p in (f"small/once/{BUILD}.html", "index.html", "small/index.html")]
    _run(home)
    before = [mark in p.read_text() for p in pages]
    _run(home, "--step", "portfolios/intake", "--set", "portfolios/intake.sample_rows=1000")
    assert (before, [mark in p.read_text() for p in pages]) == ([False] * 3, [True] * 3)
    assert mark not in (home / "reports/small/once/portfolios/intake.html").read_text()
    out = _run(home)
    assert "2 unchanged" in out and "by hand" not in out and not any(mark in p.read_text() for p in pages)


def test_pages_in_another_language_follow_the_current_runs_and_go_with_their_step(home):
    done = workbench(home, "render", "params/small.yaml", "--lang", "zh_CN")
    assert done.returncode == 0, done.stderr
    build, intake = (home / f"reports/zh_CN/small/once/{step}.html" for step in (BUILD, "portfolios/intake"))
    untouched, first = intake.stat().st_mtime_ns, _pin(home, BUILD)
    assert first.run_id in build.read_text()
    _run(home, "--step", BUILD, "--set", "panel/build.seed=7")
    second = _pin(home, BUILD)
    assert second.run_id in build.read_text() and first.run_id not in build.read_text()
    assert intake.stat().st_mtime_ns == untouched  # it is still what it was made from
    intake.write_text(intake.read_text().replace("risk", "nobody"))
    _run(home, "--step", "portfolios/intake", "--set", "portfolios/intake.sample_rows=1000")
    assert "所用输入已不是最新" in build.read_text() and "nobody" not in intake.read_text()
    bars = (re.search(r'<nav class="bar".*?</nav>', page.read_text())[0] for page in (build, intake))
    in_order = [f"{step}.html" for step in ("portfolios/intake", BUILD)]  # of the study; intake ran last
    assert [re.findall(r"small/once/([^\"]+)", bar) for bar in bars] == [in_order] * 2
    (home / "params/small.yaml").write_text(
        SMALL.replace("owner: risk", "owner: audit").replace("  panel/build:\n", "")
    )
    _run(home)
    assert (
        not build.exists()
        and "audit" in intake.read_text()
        and _pin(home, "portfolios/intake").run_id in intake.read_text()
    )


def test_pages_of_steps_that_do_not_run_lead_to_a_new_step_and_no_longer_to_one_that_is_gone(home):
    def ways(step: str) -> list[str]:
        bar = _page(home, step).decode().partition('aria-label="Steps">')[2].partition("</nav>")[0]
        return re.findall(r'href="([^"]+)"', bar)

    study = home / "params" / "small.yaml"
    both = ["../../../small/once/portfolios/intake.html", "../../../small/once/panel/build.html"]
    assert ways("portfolios/intake") == ways("panel/build") == both
    again = SMALL.replace("  panel/build:", "  panel/build@again: {panel: mart__again}\n  panel/build:")
    study.write_text(again)
    assert "2 unchanged" in _run(home)
    more = [both[0], "../../../small/once/panel/build-again.html", both[1]]
    assert ways("portfolios/intake") == ways("panel/build") == ways("panel/build-again") == more
    assert _page(home, "portfolios/intake").count(b'aria-current="page"') == 1
    assert "3 unchanged" in _run(home)
    study.write_text(SMALL)
    _run(home)
    assert ways("portfolios/intake") == ways("panel/build") == both
