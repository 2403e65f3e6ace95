"""The desk's model through its life: developed, validated, approved, promoted; then the desk opens by it and is watched."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from running import sketched, workbench
from workbench.actions import approved, opening, sessions
from workbench.actions.desk import ANSWERED
from workbench.params import UserError

REPOSITORY = Path(__file__).parents[2]
STUDY = """
title: Desk
steps:
  actions/service: {sentences: false, resamples: 100}
  validation/battery: {panel: mart__questions_intents, model: intents}
  monitoring/questions: {fewest: 20}
"""
ROLES = {"d001": "developer", "v001": "validator", "a001": "approver", "o001": "owner"}
LISTED = {
    "owner": "o001",
    "developers": ["d001"],
    "exposure": "low",
    "purpose": "decision",
    "justification": "it answers customers",
}
POLICY = {
    "models": {"desk.intents": LISTED},
    "tiers": {"low": {"decision": 2}},
    "by_tier": {2: {"approvers": 1, "review_months": 12, "minimum": {"holdout_auc": 0.6}, "plan": True}},
}
CHAPTERS = {
    "developer": {n: "Only here." for n in ("intended_use", "restrictions", "limitations", "overrides")},
    "validator": {"opinion": 2, "assessment": "It does what it says."},
}
CONDITION = "2027-03-31 o001: new intents are watched monthly"


@pytest.fixture
def run(tmp_path, empty_store, monkeypatch):
    """A home under version control with one study; a function that runs a command in it and returns what it prints."""
    home = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (home / "params" / "chapters").mkdir(parents=True)
    (home / "notebooks").symlink_to(REPOSITORY / "notebooks")
    (home / "mlruns").mkdir()
    shutil.copy(empty_store, home / "mlruns")

    def command(*words: str) -> str:
        done = workbench(home, *words, **sketched())
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    keys = {person: yaml.safe_load(command("keygen", person).splitlines()[-1])[person]["key"] for person in ROLES}
    people = {person: {"roles": [role], "key": keys[person]} for person, role in ROLES.items()}
    (home / "params" / "governance.yaml").write_text(yaml.safe_dump({"people": people, **POLICY}))
    (home / "params" / "chapters" / "desk.intents.yaml").write_text(yaml.safe_dump(CHAPTERS))
    (home / "params" / "desk.yaml").write_text(STUDY)
    by = ("-c", "user.name=d", "-c", "user.email=d@d")
    for words in (["init", "-q"], ["add", "params", "notebooks"], [*by, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=home, check=True)
    return command


def test_a_desk_is_approved_as_any_model_and_watched_as_any_model(run, tmp_path):
    run("policy", "--as", "a001")
    run("run", "params/desk.yaml", "--step", "actions/service")
    with pytest.raises(UserError) as e:
        opening.opened("desk", False, None)
    assert str(e.value) == "model 'desk.intents' has no champion; `workbench models` shows its versions"
    run("submit", "desk.intents/1", "--as", "d001")
    run("validate", "desk.intents/1", "--as", "v001")
    run("plan", "desk.intents/1", "--as", "v001")
    assert "questions were asked so far" in run("run", "params/desk.yaml")
    run("approve", "desk.intents/1", "--as", "a001", "--condition", CONDITION)
    run("promote", "desk.intents/1", "--as", "o001")
    desk, notice = opening.opened("desk", False, approved.DATA / "records.csv")
    token = sessions.token("made_here_1", desk.key, desk.now())
    replies = [desk.ask("can I repay my loan early", token) for _ in range(30)]
    assert notice == "" and {r.became for r in replies} == {ANSWERED}
    run("run", "params/desk.yaml")
    page = (tmp_path / "home/reports/desk/once/monitoring/questions.html").read_text(encoding="utf-8")
    assert "PSI" in page and "over 30 questions" in page
    run("audit")
