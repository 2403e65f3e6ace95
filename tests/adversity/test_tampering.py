"""Whatever somebody changes by hand, a plain `workbench run` runs the step again, puts it right, or says so in a line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from workbench.registry import current
from workbench.registry.current import Record

INTAKE, BUILD, DEVELOPMENT = "portfolios/intake", "panel/build", "models/development"
PAGE = "reports/small/once/panel/build.html"


@dataclass
class Case:
    """A home in which the study has run, and what its current runs are."""

    home: Path
    ask: Callable[..., list[tuple]]

    def record(self, step: str) -> Record:
        return current.from_json((self.home / f"mlruns/current/small/once/{step}.json").read_text())

    def artifact(self, step: str, name: str) -> Path:
        return self.home / "mlruns" / self.record(step).folder / name

    def model(self, name: str) -> Path:
        return self.home / "mlruns" / self.record(DEVELOPMENT).models["model__pd"]["folder"] / name

    def run(self, step: str = DEVELOPMENT) -> str:
        return self.record(step).run_id

    def table(self, name: str = "mart__panel") -> Path:
        digest = self.record(BUILD).tables[name]["digest"]
        return self.home / f"mlruns/tables/small/once/{name}/{digest[:16]}.parquet"


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _forge(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"red", b"green").replace(b"0.5", b"0.9") + b"\n")


def _pin(c: Case) -> None:
    path = c.home / "mlruns/tables/small/once/mart__panel.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "digest": "0" * 64, "rows": 9}))


def _verdict(c: Case) -> None:
    path = c.home / f"mlruns/current/small/once/{DEVELOPMENT}.json"
    path.write_text(path.read_text().replace('"verdict": "red"', '"verdict": "green"'))


def _run_tags(c: Case) -> None:
    c.ask("UPDATE tags SET value = 'green' WHERE key = 'verdict' AND run_uuid = ?", c.run())


def _version_tags(c: Case) -> None:
    c.ask("UPDATE model_version_tags SET value = 'forged' WHERE key = 'sha256'")


def _alias(c: Case) -> None:
    c.ask("UPDATE registered_model_aliases SET version = 7 WHERE alias = 'candidate'")


def _hard(c: Case) -> None:
    for table in ("metrics", "latest_metrics", "params", "tags", "runs"):
        c.ask(f"DELETE FROM {table} WHERE run_uuid = ?", c.run())


def _version(c: Case) -> None:
    c.ask("UPDATE model_versions SET current_stage = 'Deleted_Internal', name = name")


def _experiment(c: Case) -> None:
    c.ask("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'small'")
    c.ask(
        "UPDATE runs SET lifecycle_stage = 'deleted' WHERE experiment_id IN (SELECT experiment_id FROM experiments WHERE name = 'small')"
    )


def _empty(c: Case) -> None:
    for table in ("metrics", "latest_metrics", "params", "tags", "inputs", "runs"):
        c.ask(f"DELETE FROM {table}")


def _contract(c: Case) -> None:
    path = c.home / "params/loans.contract.yaml"
    path.write_text(path.read_text().replace("minimum: 0}", "minimum: 1}", 1))


def _rules(c: Case) -> None:
    folder = c.home / "params" / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "house.yaml").write_text(RULES)


RULES = """
psi:
  description: stability
  unit: PSI
  owner: risk
  reference: ours
  values: {2020-01-01: {amber: 0.9, red: 0.99}}
"""

# what is changed → how, and what the next plain run says
AGAIN, RIGHT = "does not count", "changed by hand, put right: "
TAMPERINGS: dict[str, tuple[Callable[[Case], object], str]] = {
    "a byte of a table": (lambda c: _flip(c.table()), f"table mart__panel was changed or lost; the run of .* {AGAIN}"),
    "a table's pin": (_pin, f"{RIGHT}name mart__panel"),
    "evidence.json": (lambda c: _forge(c.artifact(DEVELOPMENT, "evidence/evidence.json")), f"evidence.json was changed; .* {AGAIN}"),
    "an evidence table": (lambda c: _forge(c.artifact(DEVELOPMENT, "evidence/holdout.csv")), f"holdout.csv was changed; .* {AGAIN}"),
    "a page in reports/": (lambda c: _forge(c.home / PAGE), f"{RIGHT}page small/once/panel/build.html"),
    "the index": (lambda c: _forge(c.home / "reports/index.html"), "reports/index.html was changed by hand, put right"),
    "a model's file": (lambda c: _forge(c.model("artifacts/model.json")), f"model.json was changed; .* {AGAIN}"),
    "served.py in a model's folder": (lambda c: _forge(c.model("served.py")), f"served.py was changed; .* {AGAIN}"),
    "a run's verdict tag": (_run_tags, f"{RIGHT}tags of the run"),
    "a version's digest tag": (_version_tags, f"{RIGHT}tags of small.pd"),
    "a run's parameter": (lambda c: c.ask("UPDATE params SET value = '9' WHERE key = 'seed' AND run_uuid = ?", c.run()), f"a parameter of its run was changed; .* {AGAIN}"),
    "a run's metric": (lambda c: c.ask("UPDATE metrics SET value = value + 0.2 WHERE key = 'holdout_auc' AND run_uuid = ?", c.run()), f"metric holdout_auc of its run was changed; .* {AGAIN}"),
    "a run deleted": (lambda c: c.ask("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", c.run()), f"its run was deleted; .* {AGAIN}"),
    "a run deleted for good": (_hard, f"its run is gone from the store; .* {AGAIN}"),
    "a model version deleted": (_version, f"small.pd version 1 was deleted; .* {AGAIN}"),
    "an alias moved": (_alias, f"{RIGHT}alias of small.pd"),
    "an experiment deleted": (_experiment, "study 'small': its experiment was deleted in MLflow, and its runs with it; bring it back"),
    "the store emptied": (_empty, "mlruns/mlflow.db holds none of the 3 runs that mlruns/current/ and reports/ stand on"),
    "a step's pin made garbage": (lambda c: (c.home / f"mlruns/current/small/once/{BUILD}.json").write_text("{"), f"{RIGHT}the step's pin"),
    "a verdict in a step's pin": (_verdict, f"its record was changed; .* {AGAIN}"),
    "an artifact deleted": (lambda c: c.artifact(BUILD, "evidence/features.csv").unlink(), f"features.csv was lost; .* {AGAIN}"),
    "the executed notebook": (lambda c: _forge(c.artifact(BUILD, "notebook.ipynb")), f"notebook.ipynb was changed; .* {AGAIN}"),
    "a contract": (_contract, "small portfolios/intake begins"),
    "the pseudonyms' key": (lambda c: (c.home / "mlruns/pseudonym.key").write_bytes(os.urandom(32)), "small portfolios/intake begins"),
    "the rules in force": (_rules, "begins"),
}  # fmt: skip
QUICK = ("a table's pin", "a page in reports/", "a run's verdict tag", "an alias moved", "an experiment deleted")


@pytest.fixture
def case(bank, ran_short, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(ran_short, home, symlinks=True)
    bank.run(home, "run", "small")  # its place is new: the store learns it
    return Case(home, lambda *words: bank.ask(home, *words))


def _noticed(bank, case: Case, what: str) -> str:
    """Tamper, run, and return what is wrong with how it was taken; empty where it was noticed and mended."""
    import re

    tamper, words = TAMPERINGS[what]
    tamper(case)
    first = bank.run(case.home, "run", "small")
    if not re.search(words, first.text) or "Traceback" in first.text:
        return f"{what}: {first.text}"
    if first.code == 2:
        return "" if first.text.count("\n") == 1 else f"{what}: {first.text}"
    again = bank.run(case.home, "run", "small")
    is_calm = again.code == 0 and "3 unchanged" in again.text and RIGHT not in again.text and AGAIN not in again.text
    return "" if first.code == 0 and is_calm else f"{what}: {first.text}; then {again.text}"


@pytest.mark.whole
@pytest.mark.parametrize("what", QUICK)
def test_what_is_changed_by_hand_is_noticed(bank, case, what):
    assert _noticed(bank, case, what) == ""


@pytest.mark.whole
def test_every_tampering_is_noticed_by_a_plain_run(bank, ran, tmp_path, measured):
    failures = []
    for i, what in enumerate(TAMPERINGS):
        home = tmp_path / str(i)
        shutil.copytree(ran, home, symlinks=True)
        bank.run(home, "run", "small")
        failures += [w] if (w := _noticed(bank, Case(home, lambda *q, h=home: bank.ask(h, *q)), what)) else []
        shutil.rmtree(home)
    measured("tamperings by hand that a plain run notices, mends or refuses in a line", len(TAMPERINGS), failures)
