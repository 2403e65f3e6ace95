"""Evidently's UI shows what the current runs have left, reads only, and asks nobody else."""

import asyncio
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pandas as pd
import pytest

from workbench.monitoring import drift_report, drift_ui
from workbench.panel.bins import quantile_bins
from workbench.params import UserError
from workbench.registry import current
from workbench.reporting import attached
from workbench.reporting.privacy import scan_files

RECORD = current.Record(
    study="bank",
    period="2020-01",
    step="monitoring/through_time",
    slug="monitoring/through_time",
    run_id="r",
    step_key="k",
    status="FINISHED",
    verdict="red",
    headline="",
    start=1.0,
    seconds=1.0,
    title="A <bank>",
    simulated=True,
    folder="artifacts/r",
)


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """Homes in which monitoring has left a snapshot, made once: of an event (False) and of an amount (True)."""
    made = {}

    def home(amount: bool) -> Path:
        if amount not in made:
            made[amount] = tmp_path_factory.mktemp("home")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("WORKBENCH_HOME", str(made[amount]))
                _left(made[amount], amount)
        return made[amount]

    return home


@pytest.fixture
def left_behind(homes, tmp_path, monkeypatch):
    """Return a function that copies one of these homes into the test's own."""

    def copied(amount: bool = False) -> None:
        shutil.copytree(homes(amount), tmp_path, dirs_exist_ok=True)
        monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))

    return copied


def _left(home: Path, amount: bool) -> None:
    """Leave a snapshot as a run of monitoring does."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"kind": rng.choice(["a", "b"], 600), "predicted": rng.beta(2, 30, 600), "weight": 1.0})
    rows["outcome"] = rows["predicted"] * 2 if amount else (rng.random(600) < rows["predicted"]) * 1.0
    bins = {c: quantile_bins(rows[c]) for c in ("kind", "predicted")}
    model = SimpleNamespace(reference={c: (b, tuple(b.counts(rows[c]))) for c, b in bins.items()})
    page = home / "mlruns" / "artifacts" / "r" / "evidence" / "evidently" / "2020-01.html"
    drift_report.run(model, rows, rows, 0.1, 1, page)
    snapshot = page.with_suffix(drift_report.SNAPSHOT)
    names = [f"evidence/evidently/{f.name}" for f in (page, snapshot)]
    current.put(replace(RECORD, files=dict.fromkeys(names, "d")))


@pytest.mark.parametrize(("amount", "preset"), [(False, "RocAuc"), pytest.param(True, "RMSE", marks=pytest.mark.whole)])
def test_the_workspace_holds_a_project_a_model_and_a_run_a_period(left_behind, amount, preset):
    left_behind(amount)
    folder = drift_ui.build()
    (project,) = folder.iterdir()
    about = json.loads((project / "metadata.json").read_text())
    assert about["name"] == "bank · through_time"
    assert about["description"] == "A &lt;bank&gt; (simulated). Page: reports/bank/2020-01"
    (snapshot,) = (project / "snapshots").iterdir()
    content = json.loads(snapshot.read_text())
    assert content["name"] == "2020-01, in the report of 2020-01" and content["timestamp"].startswith("2020-01-31")
    text = snapshot.read_text()
    assert preset in text and "DriftedColumnsCount" in text and "RowCount" in text
    assert drift_ui.build() == folder and len(list(folder.iterdir())) == 1


def test_amounts_are_compared_as_a_regression():
    sides = [pd.DataFrame({"outcome": [1.0, 2.5], "predicted": [1.0, 2.0]})] * 2
    frames = [pd.DataFrame(index=range(2)), pd.DataFrame(index=range(2))]
    asked, (preset,) = drift_report._performance(frames, sides)
    assert type(preset).__name__ == "RegressionPreset" and asked["numerical_columns"] == ["outcome", "prediction"]
    assert frames[0].to_dict("list") == {"outcome": [1.0, 2.5], "prediction": [1.0, 2.0]}


def test_nothing_left_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    with pytest.raises(UserError) as e:
        drift_ui.build()
    assert str(e.value) == (
        "no run has left Evidently's snapshots yet; `workbench run STUDY` with monitoring/through_time does"
    )


def test_the_server_reads_only_and_its_pages_ask_nobody(left_behind):
    left_behind()
    app = drift_ui.application(drift_ui.build())

    async def asked() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            (project,) = (await client.get("/api/projects")).json()
            assert project["name"] == "bank · through_time"
            page = await client.get("/")
            assert page.status_code == 200 and "default-src 'self'" in page.headers["content-security-policy"]
            assert (await client.delete(f"/api/projects/{project['id']}")).status_code == 403
            assert (await client.post("/api/projects", json={"name": "x"})).status_code == 403
            assert len((await client.get("/api/projects")).json()) == 1

    asyncio.run(asked())


def test_random_numbers_of_a_snapshot_are_nobodys(left_behind, tmp_path):
    left_behind()
    assert list((tmp_path / "mlruns").rglob(f"*{drift_report.SNAPSHOT}"))
    assert scan_files([tmp_path / "mlruns"]) == {}


def test_a_page_of_another_tool_says_whose_it_is_and_leads_back(tmp_path):
    page = tmp_path / "2020-01.html"
    page.write_text('<html><head></head><BODY class="x"><p>report</p></BODY></html>')
    facts = {
        "title": "A <bank>",
        "period": "2020-02",
        "simulated": True,
        "place": "bank/2020-02/monitoring/through_time",
    }
    attached.stamp(page, {**facts, "language": "en"})
    html = page.read_text()
    shown = re.sub(r"<!--.*?-->|</?span.*?>", "", html)
    assert "A &lt;bank&gt; · 2020-02 · 2020-01 simulated, not real customers" in shown
    assert 'href="../through_time.html">Back to the page of this step</a></p><p>report</p>' in html
    page.write_text("<p>no body</p>")
    attached.stamp(page, facts)
    assert page.read_text() == "<p>no body</p>"
