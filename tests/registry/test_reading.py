"""The UI shows and changes nothing: every route of MLflow's that writes is refused, every one the UI reads by works."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from workbench.params import Key
from workbench.registry import reading, runs, store
from workbench.runs import servers

READING = {  # what else is asked with POST is refused; a new MLflow's routes land there until somebody looks at them
    "experiments/search", "experiments/search-datasets", "runs/search", "logged-models/search", "traces/search",
    "datasets/search", "issues/search", "prompt-optimization/jobs/search", "registered-models/get-latest-versions",
    "traces/batchGetInfos", "traces/metrics", "traces/calculate-filter-correlation",
}  # fmt: skip


def _routes() -> set[tuple[str, str]]:
    """Return every route of MLflow's server that isn't GET: method, address with its placeholders filled."""
    from mlflow.server import app

    rules = [(m, str(rule)) for rule in app.url_map.iter_rules() for m in rule.methods or ()]
    return {(m, r.replace("<path:artifact_path>", "a/search")) for m, r in rules if m not in ("GET", "HEAD", "OPTIONS")}


def test_of_every_route_of_mlflow_only_the_searches_are_let_through():
    passed = {r for m, r in _routes() if reading.is_reading(m, r)}
    assert {r.partition("/mlflow/")[2] for r in passed - {"/graphql"}} == READING
    assert {r.split("/")[1] for r in passed} == {"api", "ajax-api", "graphql"}
    assert len(_routes()) > 200


@pytest.mark.parametrize("prefix", ["/api/2.0", "/ajax-api/2.0", "/api/3.0", "/ajax-api/3.0"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_whatever_is_not_known_is_refused(prefix, method):
    for place in (
        "mlflow/runs/set-tag",
        "mlflow/new/thing",
        "mlflow-artifacts/artifacts/runs/search",
        "mlflow/runs/search/x",
    ):
        assert not reading.is_reading(method, f"{prefix}/{place}")


def _ask(port: int, method: str, path: str, body: dict | None = None) -> tuple[int, bytes]:
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def _wait(port: int, server: subprocess.Popen) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"the server has not come up, code {server.poll()}")


def test_the_ui_is_the_server_that_only_reads():
    assert servers.ui(15_001, "sqlite:///a.db")[3:] == [
        *("-m", "workbench.registry.reading", "--port", "15001", "--store", "sqlite:///a.db")
    ]


@pytest.mark.whole
def test_the_ui_reads_and_does_not_write(tmp_path, monkeypatch, empty_store):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    run_id = runs.start(Key("seen", "once"), "seen", {"seed": 1})
    runs.end(run_id, "FINISHED", {"verdict": "red"})
    number, port = store.experiment("seen"), servers.free_port(15_000)
    server = subprocess.Popen(servers.ui(port, store.uri()), env=dict(os.environ), stdout=subprocess.DEVNULL)
    try:
        _wait(port, server)
        for version in ("/api/2.0", "/ajax-api/2.0"):
            status, answer = _ask(port, "GET", f"{version}/mlflow/runs/get?run_id={run_id}")
            assert status == 200 and json.loads(answer)["run"]["info"]["run_id"] == run_id
            status, answer = _ask(port, "POST", f"{version}/mlflow/runs/search", {"experiment_ids": [number]})
            assert status == 200 and len(json.loads(answer)["runs"]) == 1
            tag = {"run_id": run_id, "key": "verdict", "value": "green"}
            assert _ask(port, "POST", f"{version}/mlflow/runs/set-tag", tag)[0] == 403
            made = {"name": "x", "artifact_location": "file:///etc"}
            status, answer = _ask(port, "POST", f"{version}/mlflow/experiments/create", made)
            assert status == 403 and json.loads(answer)["error_code"] == "PERMISSION_DENIED"
            assert _ask(port, "PUT", f"{version}/mlflow-artifacts/artifacts/x", {})[0] == 403
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
            assert page.status == 200 and page.headers["Content-Security-Policy"] == reading.POLICY
    finally:
        server.terminate()
        server.wait(30)
    assert store.client().get_run(run_id).data.tags["verdict"] == "red"
    assert store.client().get_experiment_by_name("x") is None
