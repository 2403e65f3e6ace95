"""Every way past the life cycle that the store allows is tried, and the audit names it with its place."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import governed
from workbench import cli, home
from workbench.params import UserError
from workbench.registry import audit, current, events, labels, moves, registered, runs, serving, signatures, store

MODEL = governed.MODEL


def _found(anchor: Path | None = None) -> list[str]:
    return [f"{f.place}: {f.what}" for f in audit.run(anchor).findings]


def _ask(question: str, *values: object) -> None:
    with sqlite3.connect(home.mlruns() / "mlflow.db") as database:
        database.execute(question, values)
    database.close()


def _event(seq: int) -> events.Event:
    return next(e for e in events.read().events if e.seq == seq)


def _edit(seq: int, key: str, value: str) -> None:
    _ask("UPDATE params SET value = ? WHERE run_uuid = ? AND key = ?", value, _event(seq).run_id, key)


def _gone(seq: int) -> None:
    run = _event(seq).run_id
    for table in ("params", "tags", "runs"):
        _ask(f"DELETE FROM {table} WHERE run_uuid = ?", run)


def _file(name: str) -> Path:
    return registered.folder(registered.one(MODEL, "1")) / name


def _swap(tag: bool = False, name: str = "artifacts/model.json") -> None:
    path = _file(name)
    path.write_bytes(path.read_bytes().replace(b"0.0", b"0.9") + b"\n")
    if tag:
        digest = audit.registered.files(registered.one(MODEL, "1"))[name]
        store.client().set_model_version_tag(MODEL, "1", "sha256", digest)


def _born() -> str:
    return registered.one(MODEL, "1").run_id


def _metric_by_api() -> None:
    store.client().log_metric(_born(), "holdout_auc", 0.95)


def _recreated() -> None:
    store.client().delete_registered_model(MODEL)
    governed.registered(3)


def _rewritten() -> None:
    """A DBA without keys tells another story: who approved is changed, and every event bound to it again."""
    chain, previous = events.read(), events.FIRST
    for e in chain.events:
        e = replace(e, prev=previous, person="second" if e.verb == "approve" else e.person)
        for key, value in e.content.items():
            _ask("UPDATE params SET value = ? WHERE run_uuid = ? AND key = ?", value, e.run_id, key)
        previous = e.digest


def _loosened() -> None:
    content = governed.policy()
    content["by_tier"][2]["minimum"] = {}
    governed.write_policy(content)


def _threshold() -> None:
    folder = home.root() / "params" / "rules"
    folder.mkdir(parents=True)
    rule = {
        "description": "d",
        "unit": "u",
        "owner": "o",
        "reference": "r",
        "values": {"2020-01-01": {"amber": 0.8, "red": 0.9}},
    }
    (folder / "house.yaml").write_text(yaml.safe_dump({"psi": rule}))


def _stolen_key() -> None:
    """A developer puts his own public key in the approver's place."""
    content = governed.policy()
    content["people"]["app"]["key"], content["people"]["dev"]["key"] = (
        content["people"][p]["key"] for p in ("dev", "app")
    )
    governed.write_policy(content)


def _forked() -> None:
    e = _event(5)
    run = store.client().create_run(store.experiment(events.EXPERIMENT), tags={"mlflow.user": e.person})
    for key, value in {**e.content, "signature": e.signature}.items():
        store.client().log_param(run.info.run_id, key, value)


def _other_data() -> None:
    for path in (home.mlruns() / "tables/bank/once/mart__panel").glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-1] + b"x")


def _empty_month() -> None:
    """The battery's evidence is made green after the fact."""
    _artifact(_battery()).write_text(json.dumps({"validation.verdict": "pass", "note": "all is green"}))


def _artifact(run_id: str) -> Path:
    folder = home.mlruns() / runs.artifacts(run_id)
    return next(p for p in (folder / "evidence.json", folder / "evidence" / "evidence.json") if p.exists())


def _battery() -> str:
    evidence = events.evidence(_event(4))
    return next(run for run, entry in evidence["runs"].items() if "battery" in entry["step"])


def _logged_model_deleted() -> None:
    """In MLflow's UI; the version goes on loading, its files stay."""
    r = registered.one(MODEL, "1")
    store.client().delete_logged_model(r.model_id)
    assert registered.files(r)


def _alias(name: str, version: str) -> None:
    store.client().set_registered_model_alias(MODEL, name, version)


def _tag(key: str, value: str) -> None:
    store.client().set_model_version_tag(MODEL, "2", key, value)


BYPASSES: dict[str, tuple[Callable[[], object], str]] = {
    "logged model deleted behind its version": (_logged_model_deleted, "bank.pd version 1: its logged model m-"),
    "self-approval by alias": (lambda: _alias("champion", "2"), "bank.pd: alias champion says 2, the chain says 1; `workbench models --rebuild` puts it right"),
    "self-approval by tag": (lambda: _tag("state", "approved"), "bank.pd version 2: tag state says approved, the chain says candidate; `workbench models --rebuild` puts it right"),
    "challenger put back": (lambda: _alias("challenger", "2"), "bank.pd: alias challenger says 2, the chain says nothing; `workbench models --rebuild` puts it right"),
    "model file overwritten": (_swap, "bank.pd version 1: served files: artifacts/model.json changed; not those that were submitted"),
    "model file overwritten with its hash tag": (lambda: _swap(tag=True), "bank.pd version 1: served files: artifacts/model.json changed; not those that were submitted"),
    "served.py changed": (lambda: _swap(name="served.py"), "bank.pd version 1: served files: served.py changed; not those that were submitted"),
    "a file added to the model": (lambda: _file("sitecustomize.py").write_text("x = 1"), "bank.pd version 1: served files: sitecustomize.py added; not those that were submitted"),
    "metric logged again by the API": (_metric_by_api, "bank.pd version 1: metric holdout_auc of its run was changed"),
    "metric edited in SQLite": (lambda: _ask("UPDATE metrics SET value = 0.95 WHERE key = 'holdout_auc'"), "bank.pd version 1: metric holdout_auc of its run was changed"),
    "parameter of the run edited": (lambda: _ask("UPDATE params SET value = '9' WHERE key = 'seed'"), "bank.pd version 1: a parameter of its run was changed"),
    "user of an event forged": (lambda: store.client().set_tag(_event(3).run_id, "mlflow.user", "own"), "event 3 (validate bank.pd 1): its run says user own, the signed person is val"),
    "run behind a version deleted": (lambda: store.client().delete_run(_born()), "bank.pd version 1: its run was deleted"),
    "version deleted": (lambda: store.client().delete_model_version(MODEL, "1"), "bank.pd version 1: not in the registry: deleted, or its model renamed"),
    "model deleted and made again": (_recreated, "bank.pd version 1: another version of this number was registered after event 2"),
    "model renamed": (lambda: store.client().rename_registered_model(MODEL, "bank.other"), "bank.pd version 1: not in the registry: deleted, or its model renamed"),
    "event's run deleted": (lambda: store.client().delete_run(_event(3).run_id), "event 3 (validate bank.pd 1): its run was deleted in MLflow; restore it"),
    "event deleted for good": (lambda: _gone(3), "event 3: gone from the chain: the run was deleted for good"),
    "event edited": (lambda: _edit(4, "person", "second"), "event 4 (approve bank.pd 1): its content was altered, or the signature isn't that of second"),
    "chain rewritten without keys": (_rewritten, "event 4 (approve bank.pd 1): its content was altered, or the signature isn't that of second"),
    "chain forked": (_forked, "event 5 (promote bank.pd 1): two events have this number: the chain is forked"),
    "other data under the same name": (_other_data, "bank.pd version 1: data: table mart__panel was changed or lost"),
    "what a tier asks loosened": (_loosened, "params/governance.yaml: changed since event 1 adopted it: by_tier.2.minimum.holdout_auc: 0.6 → none"),
    "threshold loosened": (_threshold, "params/governance.yaml: changed since event 1 adopted it: rules.psi: [0.1, 0.25] → [0.8, 0.9]"),
    "public key put in another's place": (_stolen_key, "params/governance.yaml: changed since event 1 adopted it: people.app.key: "),
    "evidence of the battery altered": (_empty_month, "event 4 (approve bank.pd 1): the run of validation/battery@1 it stands on: evidence.json was changed"),
    "evidence of a move altered": (lambda: _artifact(_event(4).run_id).write_text("{}"), "event 4 (approve bank.pd 1): its evidence.json was altered or lost"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYPASSES)
def test_a_bypass_is_named_with_its_place(bank, name):
    store.client()
    tamper, words = BYPASSES[name]
    tamper()
    findings = _found()
    assert any(f.startswith(words) for f in findings), findings


def test_an_untouched_bank_is_clean_and_the_command_says_so(bank, tmp_path, capsys):
    anchor = tmp_path / "anchor.txt"
    assert cli.main(["audit", "--anchor", str(anchor)]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(
        r"no findings in 2 versions and 5 events; head of the chain 5:[0-9a-f]{64}; level: detect\n"
        r".*anchor\.txt: there was no anchor to compare with; it begins with this head\n",
        out,
    )
    assert cli.main(["audit", "--anchor", str(anchor)]) == 0 and "no anchor" not in capsys.readouterr().out
    assert anchor.read_text() == f"{events.read().head}\n"
    _alias("champion", "2")
    assert cli.main(["audit"]) == 1
    assert "1 finding in 2 versions and 5 events" in capsys.readouterr().out


def test_an_anchor_in_a_folder_that_is_not_there_is_refused_and_nothing_is_made(bank, tmp_path, capsys):
    anchor = tmp_path / "nosuch" / "dir" / "a"
    assert cli.main(["audit", "--anchor", str(anchor)]) == 2
    assert capsys.readouterr() == (
        "",
        f"workbench: --anchor {anchor}: the folder is not there; name the file of heads, or make its folder first\n",
    )
    assert not (tmp_path / "nosuch").exists()
    assert cli.main(["audit", "--anchor", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"workbench: --anchor {tmp_path}: is a folder; name the file in it\n"


def test_the_newest_event_removed_is_seen_with_an_anchor_alone(bank, tmp_path):
    anchor = tmp_path / "anchor.txt"
    governed.move("review", "val", reason="alarms")
    assert _found(anchor) == []
    anchored = anchor.read_text()
    _gone(6)
    assert _found() == [
        f"{MODEL} version 1: tag state says under review, the chain says champion; `workbench models --rebuild` puts it right",
        f"{MODEL} version 1: tag state.event says 6, the chain says 5; `workbench models --rebuild` puts it right",
    ]
    labels.rebuild(events.read())
    assert _found() == []
    assert _found(anchor) == [f"{anchor}: event 6 was there with another content, or has been removed since"]
    assert anchor.read_text() == anchored


def test_tags_and_aliases_are_made_anew_from_the_chain(bank, capsys):
    _alias("champion", "2")
    _tag("state", "approved")
    assert cli.main(["models", "--rebuild"]) == 0
    out = capsys.readouterr().out
    assert "bank.pd version 2: tag state says approved, the chain says candidate; put right" in out
    assert "bank.pd: alias champion says 2, the chain says 1; put right" in out
    assert _found() == [] and registered.aliases(MODEL)["champion"] == "1"


def test_the_champion_served_is_the_chains_and_only_with_every_file_as_submitted(bank, tmp_path):
    _alias("champion", "2")
    X, _ = governed.frame()
    first = governed.model_file(tmp_path / "m", 1)
    from workbench.models import scorer

    assert serving.champion(MODEL).predict(X)["predicted"].tolist() == scorer.load(first).predict(X).tolist()
    _swap(name="served.py")
    with pytest.raises(UserError) as e:
        serving.champion(MODEL)
    assert str(e.value) == (
        "bank.pd version 1: its files are other than those that event 5 speaks of; not loaded; `workbench audit` names them"
    )
    with pytest.raises(UserError, match=r"^model 'bank.lgd' has no champion; `workbench models` shows its versions$"):
        serving.champion("bank.lgd")


def test_a_version_loaded_by_an_alias_that_the_chain_does_not_name_says_so(bank, caplog):
    import mlflow

    store.client()
    X, _ = governed.frame()
    mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(X)
    assert caplog.messages == []
    _alias("champion", "2")
    mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").predict(X)
    assert [m for m in caplog.messages if "champion" in m] == [
        "bank.pd version 2 has the alias champion, and the chain of moves names version 1; `workbench audit`,"
        " and load it by workbench.registry.serving.champion"
    ]


def test_a_signature_of_another_key_is_refused_before_it_is_written(bank, tmp_path):
    other = tmp_path / "other.pem"
    signatures.generate("dev", other)
    with pytest.raises(UserError) as e:
        moves.make(governed.Request("submit", MODEL, "2", "dev"), other)
    assert str(e.value) == "params/governance.yaml: the private key given is not the one of dev; name theirs with --key"
    assert len(events.read().events) == 5


def test_an_event_whose_writer_was_killed_is_none_and_a_deleted_version_is_one_line(bank, capsys):
    run = store.client().create_run(store.experiment(events.EXPERIMENT))
    assert _found() == [] and runs.status(run.info.run_id) == "RUNNING"
    store.client().delete_model_version(MODEL, "1")
    assert cli.main(["diff", f"{MODEL}/1", f"{MODEL}/2"]) == 2
    assert capsys.readouterr().err == "workbench: bank.pd version 1 is not in the registry; there are 2\n"
    assert cli.main(["models"]) == 0
    assert "champion, gone from the registry" in capsys.readouterr().out


def test_a_study_loads_no_version_of_which_a_file_was_changed(bank):
    from workbench import tables
    from workbench.registry import versions

    record = current.read(governed.KEY, "models/development")
    with current.holding("bank"):
        tables.pin(governed.KEY, "model__pd", dict(record.models["model__pd"]))
    assert versions.load(governed.KEY).version == "2"
    served = registered.folder(registered.one(MODEL, "2")) / "served.py"
    served.write_text(served.read_text() + "\n")
    with pytest.raises(UserError) as e:
        versions.load(governed.KEY)
    assert str(e.value) == (
        "model bank.pd version 2: served.py is not as it was registered; `workbench run params/bank.yaml` registers it anew"
    )


@pytest.mark.whole
def test_a_hundred_versions_are_audited_within_20_seconds(bank):
    for seed in range(3, 101):
        governed.move("submit", "dev", governed.registered(seed))
    begun = time.perf_counter()
    assert audit.run().looked_at == "100 versions and 103 events"
    assert time.perf_counter() - begun < 20
