"""The life cycle on a real server: MLflow with its own authentication and the guard, four people, bypasses.

The tests follow one another on one server: two promotions at once, who is refused and how, every bypass, the audit.
Its database is one of SQLite, and in `make whole` one of PostgreSQL, too.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
import requests
import sqlalchemy

import governed
import tracking
from workbench import cli
from workbench.params import Key, UserError
from workbench.registry import audit, events, inventory, linked, moves, registered, runs, serving, signatures, store
from workbench.registry.guard.journal import Journal
from workbench.registry.request import Request

POSTGRESQL = [pytest.mark.whole, pytest.mark.skipif(bool(tracking.missing()), reason=tracking.missing())]
MODEL = governed.MODEL
PEOPLE = ("dev", "val", "app", "own")


@dataclass(frozen=True)
class Bank:
    """A guarded server that holds two approved versions; what is asked of it, as whom."""

    address: str
    folder: Path
    database: str

    def ask(
        self, user: str, method: str, route: str, content: object = None, api: str = "api/2.0/mlflow"
    ) -> tuple[int, str]:
        """Return code and message of a request, as any client may send it."""
        more = {"data": content} if isinstance(content, bytes) else {"json": content}
        answer = requests.request(
            method, f"{self.address}/{api}/{route}", auth=(user, tracking.PASSWORD), timeout=30, **more
        )
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return answer.status_code, answer.json()["message"]
        return answer.status_code, answer.text

    @property
    def journal(self) -> Journal:
        """What the server has journalled."""
        return Journal(self.folder / "journal.jsonl")


def _as(person: str) -> None:
    os.environ.update({store.USER: person, store.USER_SECRET: tracking.PASSWORD})


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=POSTGRESQL)])
def bank(request, tmp_path_factory) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("server")
    for asked_once in (_experiment, _champion, _version, _event):
        asked_once.cache_clear()
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(pytest.MonkeyPatch.context())
        database = f"sqlite:///{folder / 'mlflow.db'}"
        if request.param == "postgresql":
            database = stack.enter_context(tracking.database())
        address = stack.enter_context(tracking.server(folder, database))
        (folder / "client").mkdir()
        settings = {"WORKBENCH_HOME": str(folder / "client"), "XDG_CONFIG_HOME": str(folder / "config")}
        for name, value in {**settings, "MLFLOW_TRACKING_URI": address, store.USER: "", store.USER_SECRET: ""}.items():
            here.setenv(name, value)
        bank = Bank(address, folder, database)
        for person in PEOPLE:
            content = {"username": person, "password": tracking.PASSWORD}
            assert bank.ask(tracking.ADMIN, "POST", "users/create", content)[0] == 200
        governed.keys()
        governed.write_policy(governed.policy())
        _as("dev")
        governed.registered(1)
        governed.registered(2)
        _as("app")
        moves.adopt("app")
        for version in ("1", "2"):
            for verb, person in (("submit", "dev"), ("validate", "val"), ("approve", "app")):
                _as(person)
                governed.move(verb, person, version)
        yield bank


def test_what_monitoring_last_said_is_seen_by_every_client(bank, tmp_path, monkeypatch):
    """It ran on another machine: here no file says so."""
    _as("dev")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (one, other) = registered.everything(MODEL)
    entry = {"name": MODEL, "version": one.version}
    for period, step, verdict in (
        ("2019-04", "through_time", "red"),
        ("2019-05", "through_time", "green"),
        ("2019-05", "causes", "amber"),
        ("2019-05", "not_ended", "red"),
    ):
        key = Key("bank", period)
        run_id = runs.start(key, f"monitoring/{step}", {"step_key": f"{step} {period}"}, "0" * 32)
        linked.logged_models(run_id, [entry])
        if step != "not_ended":
            runs.end(run_id, "FINISHED", runs.ended_with(verdict, ""))
    watched = {e.version: e.monitoring for e in inventory.listing()}
    assert watched == {one.version: "amber (2019-05)", other.version: ""}


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(bank):
    """Both decide on the same head of the chain, as on two machines."""
    _as("own")
    looked, key = moves._last(events.read(), MODEL), signatures.load("own")

    def promote(version: str) -> events.Event | str:
        try:
            return moves._unless_overtaken(lambda: moves._make(Request("promote", MODEL, version, "own"), looked, key))
        except UserError as e:
            return str(e)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(promote, ("1", "2")))
    winners = [r for r in results if isinstance(r, events.Event)]
    assert len(winners) == 1, results
    winner, loser = winners[0], next(r for r in results if isinstance(r, str))
    assert loser == (
        f"{MODEL} version {_other(winner.version)}: promote: overtaken by event 8, version {winner.version} became"
        f" champion; look at `workbench history {MODEL}`, then decide anew"
    )
    assert [(e.verb, e.person) for e in inventory.history(MODEL)][-1] == ("promote", "own")
    aliases = {"champion": winner.version, "challenger": _other(winner.version), "candidate": "2"}
    assert registered.aliases(MODEL) == aliases


def _other(version: str) -> str:
    return {"1": "2", "2": "1"}[version]


def test_a_person_without_the_right_is_told_so_word_for_word(bank, capsys):
    other = _other(_champion())
    _as("dev")  # signed in as the developer, signed by the owner, whose key he has got hold of
    with pytest.raises(UserError) as e:
        governed.move("retire", "own", other, reason="a quarrel")
    assert str(e.value) == (
        f"MLflow at {bank.address} refuses the move: signed in as dev, and the move is signed by own; sign in as own"
    )
    assert cli.main(["retire", f"{MODEL}/{other}", "--as", "val", "--reason", "a quarrel"]) == 2
    assert capsys.readouterr().err == (
        "workbench: params/governance.yaml: val is validator; it takes the role owner (own)\n"
    )
    os.environ[store.USER_SECRET] = "another password"
    assert cli.main(["history", MODEL]) == 2
    assert capsys.readouterr().err == (
        f"workbench: MLflow at {bank.address} doesn't know dev: set MLFLOW_TRACKING_USERNAME and"
        " MLFLOW_TRACKING_PASSWORD\n"
    )


def test_a_client_that_has_left_out_our_looks_meets_the_servers_own(bank):
    _as("val")
    chain = events.read()
    last = chain.events[-1]
    evidence = events.evidence(last)
    forged = replace(last, seq=last.seq + 1, prev=last.digest, version=_other(last.version), at=events.now())
    altered, signed_as_is = {"verdict": "pass"}, {"detail": forged.detail}
    for user, changes, sent, code, words in (
        ("dev", {"person": "dev"}, evidence, 403, "its content was altered, or the signature isn't that of dev"),
        ("own", {"detail": "{}"}, evidence, 403, f"version {last.version} was champion, and it doesn't say so"),
        ("own", {"source": "candidate"}, evidence, 403, "it begins at candidate, where the version was approved"),
        ("own", {"at": "2020-01-01T00:00:00Z"}, evidence, 403, "it is dated 2020-01-01T00:00:00Z, and it is"),
        ("own", {"files": "0" * 64}, evidence, 403, "its files on the server are other than those the move speaks of"),
        ("own", signed_as_is, altered, 403, "the evidence sent is not the one that was signed"),
        ("own", {"seq": last.seq}, evidence, 409, "another move was written first"),
        ("own", {"prev": "0" * 64}, evidence, 409, "another move was written first"),
    ):
        event = replace(forged, evidence=events.digest(evidence), **changes)
        event = replace(event, signature=signatures.sign(signatures.load("own"), event.digest.encode()))
        content = {"event": event.params, "evidence": sent}
        status, message = bank.ask(user, "POST", "moves", content, "api/2.0/workbench")
        assert (status, words in message) == (code, True), (status, message, words)
    assert bank.ask("own", "POST", "moves", {}, "api/2.0/workbench") == (
        403,
        "no move: an event with its signature, and its evidence, are expected",
    )
    assert events.read().head == chain.head


@cache
def _experiment(name: str = events.EXPERIMENT) -> str:
    return store.client().get_experiment_by_name(name).experiment_id


@cache
def _champion() -> str:
    return registered.aliases(MODEL)["champion"]


@cache
def _version() -> registered.Registered:
    return registered.one(MODEL, _champion())


@cache
def _event() -> str:
    return events.read().events[-1].run_id


def _alias(version: str = "", **more: str) -> dict[str, str]:
    return {"name": MODEL, "alias": "champion", "version": version or _other(_champion()), **more}


def _state(value: str, key: str = "state") -> dict[str, str]:
    return {"name": MODEL, "version": _other(_champion()), "key": key, "value": value}


MOVES = "only a signed move does (`workbench submit … retire`)"
ALIAS = f"refused: alias champion: the chain says CHAMPION; {MOVES}"
TAG = f"refused: tag state: the chain says approved; {MOVES}"
CHAIN = f"refused: experiment governance/events: its runs are the chain of moves; {MOVES}"
STANDS = "a governed version or its evidence stands on it; it stays as it is"
ENDS = "neither delete nor rename it; `workbench retire` ends one"
FILES = "a governed version or a move stands on them; they stay as they are"
BYPASSES: dict[str, tuple[str, str, str, Callable[[], object], str]] = {
    "champion by alias": ("dev", "POST", "registered-models/alias", _alias, ALIAS),
    "champion by alias, by the administrator": ("admin", "POST", "registered-models/alias", _alias, ALIAS),
    "champion's alias deleted": ("dev", "DELETE", "registered-models/alias", lambda: {"name": MODEL, "alias": "champion"}, ALIAS),
    "champion by alias in capitals": ("dev", "POST", "registered-models/alias", lambda: _alias(alias="Champion"), ALIAS.replace("champion", "Champion", 1)),
    "approved by tag": ("dev", "POST", "model-versions/set-tag", lambda: _state("champion"), TAG),
    "approved by tag of another spelling": ("dev", "POST", "model-versions/set-tag", lambda: _state("x", "state.note"), f"refused: tag state.note: the chain says nothing; {MOVES}"),
    "tag deleted": ("dev", "DELETE", "model-versions/delete-tag", lambda: {"name": MODEL, "version": f"0{_other(_champion())}", "key": "state"}, TAG),
    "a run among the moves": ("admin", "POST", "runs/create", lambda: {"experiment_id": _experiment()}, CHAIN),
    "a run among the moves, number spelt otherwise": ("admin", "POST", "runs/create", lambda: {"experimentId": f" 0{_experiment()}"}, CHAIN),
    "the moves deleted": ("admin", "POST", "experiments/delete", lambda: {"experiment_id": _experiment()}, CHAIN),
    "another experiment in their place": ("admin", "POST", "experiments/create", lambda: {"name": "governance/Events"}, "refused: names that begin with governance/ are reserved for the chain of moves"),
    "a move edited": ("admin", "POST", "runs/set-tag", lambda: {"runId": _event(), "key": "mlflow.user", "value": "val"}, "is an event of the chain of moves; nobody changes it"),
    "a move deleted": ("admin", "POST", "runs/delete", lambda: {"run_id": _event()}, "is an event of the chain of moves; nobody changes it"),
    "a metric logged again": ("dev", "POST", "runs/log-metric", lambda: {"run_uuid": _version().run_id, "key": "holdout_auc", "value": 0.95, "timestamp": 1}, STANDS),
    "the run behind a version deleted": ("dev", "POST", "runs/delete", lambda: {"run_id": _version().run_id}, STANDS),
    "its experiment deleted": ("admin", "POST", "experiments/delete", lambda: {"experiment_id": _experiment("bank")}, "refused: experiment bank: governed versions stand on its runs; it stays as it is"),
    "the logged model deleted": ("dev", "DELETE", "logged-models/{logged}", dict, "a governed version stands on it; it stays as it is"),
    "the version deleted": ("dev", "DELETE", "model-versions/delete", lambda: {"name": MODEL, "version": _champion()}, "refused: bank.pd version CHAMPION: it was moved; neither delete nor stage it; `workbench retire` ends it"),
    "the version staged": ("dev", "POST", "model-versions/transition-stage", lambda: {"name": MODEL, "version": _champion(), "stage": "Production"}, "refused: bank.pd version CHAMPION: it was moved; neither delete nor stage it; `workbench retire` ends it"),
    "the model deleted, to be made anew": ("dev", "DELETE", "registered-models/delete", lambda: {"name": MODEL}, f"refused: model bank.pd: versions of it were moved; {ENDS}"),
    "the model renamed": ("dev", "POST", "registered-models/rename", lambda: {"name": MODEL, "newName": "bank.other"}, f"refused: model bank.pd: versions of it were moved; {ENDS}"),
    "the served file overwritten": ("dev", "PUT", "artifacts/{place}/artifacts/artifacts/model.json", lambda: b"{}", FILES),
    "the served file, its path spelt otherwise": ("dev", "PUT", "artifacts/%2531/models/{logged}/artifacts/served.py", lambda: b"", FILES),
    "all files of the study deleted": ("admin", "DELETE", "artifacts/1", dict, FILES),
    "evidence of a move altered": ("admin", "PUT", "artifacts/{moves}/{event}/artifacts/evidence.json", lambda: b"{}", FILES),
    "a place of artifacts of one's own": ("dev", "POST", "experiments/create", lambda: {"name": "mine", "artifactLocation": "s3://mine"}, "refused: artifact_location: the server says where artifacts lie; leave it out"),
    "a version of files elsewhere": ("dev", "POST", "model-versions/create", lambda: {"name": MODEL, "source": "s3://mine/model"}, "refused: source s3://mine/model: a version is made of a logged model (models:/…, runs:/…) of this server"),
    "a governed name taken by another": ("val", "POST", "registered-models/create", lambda: {"name": "bank.lgd"}, "refused: bank.lgd: names of study 'bank' are reserved for its developers (dev)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYPASSES)
def test_a_bypass_is_refused_by_the_server_and_journalled(bank, name):
    user, method, route, content, words = BYPASSES[name]
    _as("val")
    words = words.replace("CHAMPION", _champion())
    study, logged = _experiment("bank"), _version().model_id
    route = route.format(logged=logged, place=f"{study}/models/{logged}", moves=_experiment(), event=_event())
    lines = len(bank.journal.entries())
    for version in ("api/2.0", "ajax-api/2.0"):
        api = f"{version}/mlflow-artifacts" if route.startswith("artifacts/") else f"{version}/mlflow"
        code, message = bank.ask(user, method, route, content(), api)
        assert code == 403 and words in message, (code, message)
    entries = [(e["user"], words in e["outcome"]) for e in bank.journal.entries()[lines:]]
    assert entries == [(user, True)] * 2


def test_none_of_them_has_changed_a_thing_and_daily_work_is_let_through(bank, tmp_path, capsys):
    for user, method, route, content in (
        ("dev", "POST", "registered-models/alias", _alias(_champion())),  # what the chain says may be said
        ("dev", "POST", "registered-models/alias", _alias("1", alias="of-mine")),
        ("dev", "POST", "model-versions/set-tag", _state("green", "note")),
        ("dev", "POST", "registered-models/create", {"name": "bank.lgd"}),
        ("val", "POST", "experiments/create", {"name": "challengers"}),
    ):
        assert bank.ask(user, method, route, content)[0] == 200, route
    assert bank.ask("val", "POST", "runs/create", {"experiment_id": _experiment("challengers")})[0] == 200
    _as("val")
    anchor = tmp_path / "anchor"
    assert cli.main(["audit", "--anchor", str(anchor)]) == 0
    out = capsys.readouterr().out
    words = r"no findings in 2 versions and 8 events; head of the chain 8:[0-9a-f]{64}; level: detect and prevent\n"
    words += r".*anchor: there was no anchor to compare with; it begins with this head\n"
    assert re.fullmatch(words, out), out
    assert cli.main(["models"]) == 0
    assert capsys.readouterr().out.endswith("; level: detect and prevent\n")
    X, _ = governed.frame()
    assert len(serving.champion(MODEL).predict(X)) == len(X)


def test_what_the_server_cannot_prevent_the_audit_names(bank):
    """A hand in the artifact store, and one in the database."""
    _as("val")
    place = bank.folder / "artifacts" / _experiment("bank")
    served = place / "models" / _version().model_id / "artifacts" / "served.py"
    served.write_bytes(served.read_bytes() + b"\n")
    battery = next(r for r, e in events.evidence(events.read().events[-1])["runs"].items() if "battery" in e["step"])
    (place / battery / "artifacts" / "evidence" / "evidence.json").write_text(
        '{"validation.verdict": "pass", "note": "green"}'
    )
    with _database(bank) as ask:
        ask("UPDATE params SET value = 'dev' WHERE key = 'person' AND run_uuid = :of", _event())
        ask("UPDATE latest_metrics SET value = 0.95 WHERE key = 'holdout_auc' AND run_uuid = :of", _version().run_id)
        ask("UPDATE registered_model_aliases SET version = :of WHERE alias = 'champion'", int(_other(_champion())))
        ask("UPDATE logged_models SET lifecycle_stage = 'deleted' WHERE model_id = :of", _version().model_id)
    findings = [f"{f.place}: {f.what}" for f in audit.run().findings]
    name = f"{MODEL} version {_champion()}"
    for words in (
        f"{name}: served files: served.py changed; not those that were submitted",
        f"event 8 (promote {MODEL} {_champion()}): the run of validation/battery@{_champion()} it stands on: evidence.json was changed",
        f"event 8 (promote {MODEL} {_champion()}): its content was altered, or the signature isn't that of dev",
        f"{name}: metric holdout_auc of its run was changed",
        f"{MODEL}: alias champion says {_other(_champion())}, the chain says {_champion()}; `workbench models --rebuild` puts it right",
        f"{name}: its logged model {_version().model_id} was deleted in MLflow; `mlflow gc` takes its files next",
    ):
        assert words in findings, (words, findings)
    with pytest.raises(
        UserError, match=r"^governance: event 8 .* nothing is moved or served on it; `workbench audit`$"
    ):
        serving.champion(MODEL)


@contextlib.contextmanager
def _database(bank: Bank) -> Iterator[Callable[..., object]]:
    engine = sqlalchemy.create_engine(bank.database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        yield lambda question, of: connection.execute(sqlalchemy.text(question), {"of": of})
    engine.dispose()


def test_the_journal_holds_and_a_changed_line_is_named(bank, tmp_path):
    assert bank.journal.faults() == []
    promoted = [e for e in bank.journal.entries() if e["what"].get("verb") == "promote" and e["outcome"] == "done"]
    assert [(e["user"], e["what"]["to"]) for e in promoted] == [("own", "champion")]
    copy = tmp_path / "journal.jsonl"
    lines = (bank.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"admin"', b'"val"'), *lines[4:]]))
    assert Journal(copy).faults() == [
        "line 3: its content was altered",
        "line 4: it doesn't follow the line before as that is now",
    ]
