"""The bill of materials says the whole lock, no licence is outside the policy, an audit that can't ask is no good news."""

import json
import os
import re
import subprocess
import sys

import pytest

from workbench.runs import supply

LOCK = """
ours==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via loan-workbench (pyproject.toml)
theirs==2.0 ; sys_platform == 'no_such_platform' \\
    --hash=sha256:cc
    # via
    #   loan-workbench (pyproject.toml)
    #   ours
"""


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return path


def test_a_bill_names_every_pin_with_its_digests_and_who_asks_for_it(lock):
    bill = supply.bill(lock)
    first, second = bill["components"]
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert first["purl"] == "pkg:pypi/ours@1.0" and [h["content"] for h in first["hashes"]] == ["aa", "bb"]
    assert second["properties"] == [{"name": "marker", "value": 'sys_platform == "no_such_platform"'}]
    edges = {e["ref"]: e["dependsOn"] for e in bill["dependencies"]}
    assert edges == {
        "loan-workbench": ["pkg:pypi/ours@1.0", "pkg:pypi/theirs@2.0"],
        "pkg:pypi/ours@1.0": ["pkg:pypi/theirs@2.0"],
        "pkg:pypi/theirs@2.0": [],
    }
    assert supply.bill(lock) == bill


def test_the_bill_of_the_lock_is_whole_and_names_no_address():
    text = json.dumps(supply.bill())
    bill = json.loads(text)
    pinned = re.findall(r"^([A-Za-z0-9][\w.\-]*)(?:\[.*?\])?==", supply.LOCK.read_text(), re.M)
    assert len(bill["components"]) == len(pinned) > 200
    assert "://" not in text and all(c["hashes"] for c in bill["components"])
    referred = {r for e in bill["dependencies"] for r in e["dependsOn"]}
    assert referred == {c["bom-ref"] for c in bill["components"]}  # nobody is in the lock unasked


def test_every_licence_is_allowed_and_one_that_is_not_is_named(lock, monkeypatch):
    assert supply.refused() == []
    assert supply.refused(lock) == ["ours 1.0: licence not said is not allowed by licences.yaml"]
    policy = supply._policy() | {"named": {"ours": {"licence": "AGPL-3.0-or-later"}}}
    monkeypatch.setattr(supply, "_policy", lambda: policy)
    assert supply.refused(lock) == ["ours 1.0: licence AGPL-3.0-or-later is not allowed by licences.yaml"]


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_an_expression_is_allowed_where_it_can_be_fulfilled(expression, allowed):
    assert supply.is_allowed(expression, ["MIT"]) is allowed


def _answer(code: int, out: str, err: str = "") -> subprocess.CompletedProcess:
    return subprocess.CompletedProcess([], code, out, err)


def test_an_audit_is_closed_where_nobody_could_be_asked():
    unreachable = _answer(1, "", "Traceback\nConnectionError: no route to host\n")
    words = "audit: the source of known vulnerabilities could not be reached; nothing was checked (ConnectionError: no route to host)"
    assert supply.audited(unreachable) == (2, [words])
    assert supply.audited(_answer(0, '{"dependencies": []}'))[0] == 2
    skipped = {"dependencies": [{"name": "a", "skip_reason": "not there"}]}
    assert supply.audited(_answer(0, json.dumps(skipped))) == (
        2,
        ["audit: the source of known vulnerabilities could not be reached for 1 of 1 packages (a: not there)"],
    )
    well = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
    assert supply.audited(_answer(0, json.dumps(well)))[0] == 0
    ill = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}]}
    assert supply.audited(_answer(1, json.dumps(ill))) == (1, ["a 1: PYSEC-1"])


def test_the_tools_of_the_audit_are_pinned_by_their_digests():
    pinned = supply.pins(supply.LOCK.with_name("requirements-audit.lock"))
    assert "pip-audit" in [p.name for p in pinned] and all(p.version and p.hashes for p in pinned)
    recipe = supply.LOCK.with_name("Makefile").read_text().partition("$(AUDIT)/.ready:")[2].partition("\n\n")[0]
    assert "pip install" in recipe and "--require-hashes --no-deps -r requirements-audit.lock" in recipe


def test_an_audit_whose_source_is_out_of_reach_is_exit_2(tmp_path):
    """A tool that ends as pip-audit does where nobody answers: nothing on stdout, the reason last."""
    tool = tmp_path / "pip_audit.py"
    tool.write_text("import sys; sys.exit('ConnectionError: no route to host')")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "workbench.runs.supply", "audit"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    words = "audit: the source of known vulnerabilities could not be reached; nothing was checked (ConnectionError: no route to host)\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", words)


def test_an_audit_without_its_tool_is_one_line_and_exit_2():
    done = subprocess.run([sys.executable, "-m", "workbench.runs.supply", "audit"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
