"""`workbench serve`: reports and nothing else, to its own address alone, with links into an MLflow UI that runs."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys

import pytest

from serving import served
from workbench import cli, home
from workbench.registry import current, runs
from workbench.reporting import serving, site
from workbench.runs import servers

UI = "http://127.0.0.1:5999"


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """A home with a site of one run, and files beside it that nobody should see."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    record = current.Record(
        study="s", period="once", step="a/a", slug="a/a", run_id="1" * 32, step_key="k", status="FINISHED",
        verdict="green", headline="all is well", start=1.0, seconds=1.0,
    )  # fmt: skip
    current.put(record)
    folder = tmp_path / "reports"
    (folder / "s/once/a").mkdir(parents=True)
    (folder / "s/once/a/a.html").write_text("<!doctype html><title>a</title>")
    (folder / "s/once/a/pack.pdf").write_bytes(b"%PDF-1.7")
    (folder / "s/once/a/a.failed.ipynb").write_text("{}")
    (folder / ".hidden.html").write_text("secret")
    (folder / "s/.git").mkdir()
    (folder / "s/.git/index.html").write_text("secret")
    (tmp_path / "secret.html").write_text("secret")
    (folder / "out.html").symlink_to(tmp_path / "secret.html")
    (folder / "up").symlink_to(tmp_path)
    site.write()
    return folder


def _ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask for a path as it is written, which urllib would tidy first."""
    host = address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content


OUTSIDE = [
    "/.hidden.html", "/s/.git/index.html", "/s/.git/", "/out.html", "/up/secret.html", "/up/", "/../secret.html", "/s/../../secret.html",
    "/%2e%2e/secret.html", "/..%2fsecret.html", "/s/%2e%2e/%2e%2e/secret.html", "//etc/passwd", "/%2fetc/passwd", "/s/once/a/a.failed.ipynb",
    "/s/once/", "/s/once/a", "/%00", "/..%5csecret.html", "/" + "x" * 300 + ".html", "/nothing.html",
]  # fmt: skip


def test_nothing_outside_and_no_listing(reports):
    with served(lambda: "") as address:
        answers = {path: _ask(address, path) for path in OUTSIDE}
        assert {p: a[0] for p, a in answers.items()} == dict.fromkeys(OUTSIDE, 404)
        assert not any(b"secret" in content or b"pack.pdf" in content for _, _, content in answers.values())
        assert [_ask(address, p)[0] for p in ("/", "/index.html", "/s/", "/s/once/a/a.html", "/s/once/a/pack.pdf")] == [
            200
        ] * 5
        status, headers, _ = _ask(address, "/s")
        assert (status, headers["location"]) == (307, f"{address}/s/")
        assert [_ask(address, "/", m)[0] for m in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS")] == [405] * 5
        status, _, content = _ask(address, "/", "HEAD")
        assert (status, content) == (200, b"")


def test_it_answers_to_its_own_name_alone(reports):
    with served(lambda: "") as address:
        port = address.rpartition(":")[2]
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
            assert _ask(address, "/", Host=host)[0] == 200
        for host in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1",
            "127.0.0.1:1",
            f"localhost.evil.example:{port}",
            "",
        ):
            status, _, content = _ask(address, "/", Host=host)
            assert (status, content) == (421, b"this server answers to its own address alone\n"), host


def test_every_answer_says_what_a_page_may_not_do(reports):
    with served(lambda: "") as address:
        for path, sandboxed in (
            ("/", True),
            ("/s/once/a/a.html", True),
            ("/nothing", True),
            ("/s/once/a/pack.pdf", False),
        ):
            _, headers, _ = _ask(address, path)
            assert headers["content-security-policy"] == serving.POLICY + (serving.SANDBOX if sandboxed else "")
            assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers and headers["cross-origin-resource-policy"] == "same-origin"


def test_pages_lead_into_mlflow_while_its_ui_runs(reports, monkeypatch):
    monkeypatch.setattr(runs, "experiments", lambda: {"1" * 32: "7"})
    address_of_ui = [""]
    with served(lambda: address_of_ui[0]) as address:
        plain, address_of_ui[0] = _ask(address, "/s/")[2], UI
        tagged = _ask(address, "/s/", **{"If-None-Match": "*"})
        assert UI.encode() not in plain and plain == (reports / "s/index.html").read_bytes()
        assert tagged[0] == 200 and f'href="{UI}/#/experiments/7/runs/{"1" * 32}"'.encode() in tagged[2]
        assert _ask(address, "/s/once/a/a.html")[2] == (reports / "s/once/a/a.html").read_bytes()


def test_an_ui_is_known_as_long_as_its_process_lives(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    assert servers.running_ui() == ""
    servers.remember_ui(5999)
    assert servers.running_ui() == UI
    noted = tmp_path / "mlruns/ui.json"
    noted.write_text(json.dumps({"port": 5999, "owner": f"{home.machine()}:999999999:1"}))
    assert servers.running_ui() == ""
    for damaged in ("", "[]", "{}", '{"port": "x", "owner": ""}'):
        noted.write_text(damaged)
        assert servers.running_ui() == ""


def test_what_can_go_wrong_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "params").mkdir()
    assert cli.main(["serve"]) == 2
    assert capsys.readouterr().err == (
        "workbench: reports/ has no pages yet; `workbench run params/sample.yaml` makes some\n"
    )
    home.put(tmp_path / "reports/index.html", b"x")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"workbench: port {port}: Address already in use; name another with --port, or 0 for any free one\n"
    )
    with pytest.raises(SystemExit, match="2"):
        cli.main(["serve", "--port", "70000"])
    assert "argument --port: '70000' is no whole number from 0 to 65535" in capsys.readouterr().err


def test_it_says_where_it_is_and_ctrl_c_ends_it_quietly(reports, tmp_path):
    import signal

    command = [sys.executable, "-m", "workbench.cli", "serve", "--port", "0"]
    server = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        assert line.startswith("reports, for reading only: http://127.0.0.1:")
        assert b"all is well" in _ask(line.split()[-1], "/")[2]
        server.send_signal(signal.SIGINT)
        # another test's client may ask in vain for a server of its own that had this port before
        strange = "WARNING:  Invalid HTTP request received."
        assert server.wait(30) == 0 and {*server.stderr.read().splitlines()} <= {strange}
    finally:
        server.kill()
        server.communicate()
