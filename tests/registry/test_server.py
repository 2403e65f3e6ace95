"""The life cycle on a real server: PostgreSQL, MLflow with its own authentication and the guard, four people, bypasses."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

import governed
import tracking
from workbench import cli
from workbench.params import UserError
from workbench.registry import audit, events, guarded, inventory, moves, registered, serving, signatures, store
from workbench.registry.guard.journal import Journal
from workbench.registry.needs import Request

pytestmark = pytest.mark.skipif(bool(tracking.missing()), reason=tracking.missing())
MODEL = governed.MODEL
REFUSED = "PERMISSION_DENIED: refused: "


@dataclass(frozen=True)
class Bank:
    """A guarded server with version 1 champion and version 2 approved; what is asked of it, as whom."""

    address: str
    folder: Path

    def ask(self, user: str, method: str, route: str, content: object = None, api: str = "api/2.0/mlflow") -> tuple[int, str]:
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


def _move(verb: str, person: str, version: str = "1", **more: object) -> events.Event:
    _as(person)
    return governed.move(verb, person, version, **more)


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Iterator[Bank]:
    folder = tmp_path_factory.mktemp("server")
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(pytest.MonkeyPatch.context())
        address = stack.enter_context(tracking.server(folder, stack.enter_context(tracking.database(folder))))
        home = folder / "client"
        home.mkdir()
        for name, value in {"WORKBENCH_HOME": home, "XDG_CONFIG_HOME": folder / "config"}.items():
            here.setenv(name, str(value))
        for name, value in {"MLFLOW_TRACKING_URI": address, store.USER: "", store.USER_SECRET: ""}.items():
            here.setenv(name, value)
        bank = Bank(address, folder)
        for person in governed.ROLES:
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
                _move(verb, person, version)
        _move("promote", "own")
        yield bank


def test_the_life_cycle_is_run_by_four_people_and_the_audit_is_clean(bank, capsys):
    _as("val")
    assert [(e.verb, e.person) for e in inventory.history(MODEL)][-1] == ("promote", "own")
    assert registered.aliases(MODEL) == {"champion": "1", "challenger": "2", "candidate": "2"}
    assert cli.main(["audit"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("no findings in 2 versions and 8 events; head of the chain 8:")
    assert out.endswith("; level: detect and prevent\n")
    X, _ = governed.frame()
    assert len(serving.champion(MODEL).predict(X)) == len(X)


def test_a_person_without_the_right_is_told_so_word_for_word(bank, capsys):
    _as("dev")  # signed in as the developer, signed by the owner, whose key he has got hold of
    with pytest.raises(UserError) as e:
        governed.move("promote", "own", "2")
    assert str(e.value) == (
        f"MLflow at {bank.address} refuses the move: signed in as dev, and the move is signed by own; sign in as own"
    )
    assert cli.main(["promote", f"{MODEL}/2", "--as", "val"]) == 2
    assert capsys.readouterr().err == (
        "workbench: params/governance.yaml: val is validator; it takes the role owner (own)\n"
    )
    os.environ[store.USER_SECRET] = "another password"
    assert cli.main(["history", MODEL]) == 2
    assert capsys.readouterr().err == (
        f"workbench: MLflow at {bank.address} doesn't know dev: set MLFLOW_TRACKING_USERNAME and"
        " MLFLOW_TRACKING_PASSWORD\n"
    )


def test_a_client_without_our_looks_is_refused_by_the_servers_own(bank):
    chain = events.read()
    last = chain.events[-1]
    forged = governed.replace(last, seq=last.seq + 1, prev=last.digest, version="2", source="approved", at=events.now())
    for event, person, words in (
        (governed.replace(forged, person="dev"), "dev", "its content was altered, or the signature isn't that of dev"),
        (governed.replace(forged, detail="{}"), "own", "version 1 was champion, and it doesn't say so"),
        (governed.replace(forged, seq=last.seq), "own", ""),
    ):
        evidence = events.evidence(last)
        event = governed.replace(event, evidence=events.digest(evidence))
        key = signatures.load("own")
        event = governed.replace(event, signature=signatures.sign(key, event.digest.encode()))
        code, said = bank.ask(person, "POST", "moves", {"event": event.params, "evidence": evidence}, "api/2.0/workbench")
        assert (code, words in said) == ((403 if words else 409), True), said
    assert events.read().head == chain.head


def _experiment(name: str = events.EXPERIMENT) -> str:
    return store.client().get_experiment_by_name(name).experiment_id


def _born() -> str:
    return registered.one(MODEL, "1").run_id


def _logged() -> str:
    return registered.one(MODEL, "1").model_id


def _event() -> str:
    return events.read().events[-1].run_id


def _champion(version: str = "2", **more: str) -> dict[str, str]:
    return {"name": MODEL, "alias": "champion", "version": version, **more}


def _state(value: str, key: str = "state") -> dict[str, str]:
    return {"name": MODEL, "version": "2", "key": key, "value": value}


ALIAS = "refused: alias champion: the chain says 1; only a signed move does (`workbench submit … retire`)"
TAG = "refused: tag state: the chain says approved; only a signed move does (`workbench submit … retire`)"
CHAIN = "refused: experiment governance/events: its runs are the chain of moves; only a signed move does (`workbench submit … retire`)"
STANDS = "a governed version or its evidence stands on it; it stays as it is"
ENDS = "neither delete nor rename it; `workbench retire` ends one"
BYPASSES: dict[str, tuple[str, str, str, Callable[[], object], str]] = {
    "champion by alias": ("dev", "POST", "registered-models/alias", _champion, ALIAS),
    "champion by alias, by the administrator": ("admin", "POST", "registered-models/alias", _champion, ALIAS),
    "champion's alias deleted": ("dev", "DELETE", "registered-models/alias", lambda: {"name": MODEL, "alias": "champion"}, ALIAS),
    "champion by alias in capitals": ("dev", "POST", "registered-models/alias", lambda: _champion(alias="Champion"), ALIAS.replace("champion", "Champion", 1)),
    "approved by tag": ("dev", "POST", "model-versions/set-tag", lambda: _state("champion"), TAG),
    "approved by tag of another spelling": ("dev", "POST", "model-versions/set-tag", lambda: _state("x", "state.note"), "refused: tag state.note: the chain says nothing; only a signed move does (`workbench submit … retire`)"),
    "tag deleted": ("dev", "DELETE", "model-versions/delete-tag", lambda: {"name": MODEL, "version": "02", "key": "state"}, TAG),
    "a run among the moves": ("admin", "POST", "runs/create", lambda: {"experiment_id": _experiment()}, CHAIN),
    "a run among the moves, number spelt otherwise": ("admin", "POST", "runs/create", lambda: {"experimentId": f" 0{_experiment()}"}, CHAIN),
    "the moves deleted": ("admin", "POST", "experiments/delete", lambda: {"experiment_id": _experiment()}, CHAIN),
    "another experiment in their place": ("admin", "POST", "experiments/create", lambda: {"name": "governance/Events"}, "refused: names that begin with governance/ are reserved for the chain of moves"),
    "a move edited": ("admin", "POST", "runs/set-tag", lambda: {"runId": _event(), "key": "mlflow.user", "value": "val"}, "is an event of the chain of moves; nobody changes it"),
    "a move deleted": ("admin", "POST", "runs/delete", lambda: {"run_id": _event()}, "is an event of the chain of moves; nobody changes it"),
    "a metric logged again": ("dev", "POST", "runs/log-metric", lambda: {"run_uuid": _born(), "key": "holdout_auc", "value": 0.95, "timestamp": 1}, STANDS),
    "a metric, sent as text within JSON": ("dev", "POST", "runs/log-batch", lambda: json.dumps({"run_id": _born(), "metrics": [{"key": "holdout_auc", "value": 0.95, "timestamp": 1}]}), STANDS),
    "the run behind a version deleted": ("dev", "POST", "runs/delete", lambda: {"run_id": _born()}, STANDS),
    "its experiment deleted": ("admin", "POST", "experiments/delete", lambda: {"experiment_id": _experiment("bank")}, "refused: experiment bank: governed versions stand on its runs; it stays as it is"),
    "the logged model deleted": ("dev", "DELETE", "logged-models/{logged}", dict, "a governed version stands on it; it stays as it is"),
    "the version deleted": ("dev", "DELETE", "model-versions/delete", lambda: {"name": MODEL, "version": "1"}, "refused: bank.pd version 1: it was moved; neither delete nor stage it; `workbench retire` ends it"),
    "the version staged": ("dev", "POST", "model-versions/transition-stage", lambda: {"name": MODEL, "version": "2", "stage": "Production"}, "refused: bank.pd version 2: it was moved; neither delete nor stage it; `workbench retire` ends it"),
    "the model deleted, to be made anew": ("dev", "DELETE", "registered-models/delete", lambda: {"name": MODEL}, f"refused: model bank.pd: versions of it were moved; {ENDS}"),
    "the model renamed": ("dev", "POST", "registered-models/rename", lambda: {"name": MODEL, "newName": "bank.other"}, f"refused: model bank.pd: versions of it were moved; {ENDS}"),
    "the served file overwritten": ("dev", "PUT", "artifacts/{place}/artifacts/artifacts/model.json", lambda: b"{}", "a governed version or a move stands on them; they stay as they are"),
    "the served file, its path spelt otherwise": ("dev", "PUT", "artifacts/%2531/models/{logged}/artifacts/served.py", lambda: b"", "a governed version or a move stands on them; they stay as they are"),
    "all files of the study deleted": ("admin", "DELETE", "artifacts/1", dict, "a governed version or a move stands on them; they stay as they are"),
    "evidence of a move altered": ("admin", "PUT", "artifacts/{moves}/{event}/artifacts/evidence.json", lambda: b"{}", "a governed version or a move stands on them; they stay as they are"),
    "a place of artifacts of one's own": ("dev", "POST", "experiments/create", lambda: {"name": "mine", "artifactLocation": "s3://mine"}, "refused: artifact_location: the server says where artifacts lie; leave it out"),
    "a version of files elsewhere": ("dev", "POST", "model-versions/create", lambda: {"name": MODEL, "source": "s3://mine/model"}, "refused: source s3://mine/model: a version is made of a logged model (models:/…, runs:/…) of this server"),
    "a governed name taken by another": ("val", "POST", "registered-models/create", lambda: {"name": "bank.lgd"}, "refused: bank.lgd: names of study 'bank' are reserved for its developers (dev)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BYPASSES)
def test_a_bypass_is_refused_by_the_server_and_journalled(bank, name):
    user, method, route, content, words = BYPASSES[name]
    _as("val")
    place = f"{_experiment('bank')}/models/{_logged()}"
    route = route.format(logged=_logged(), place=place, moves=_experiment(), event=_event())
    before, lines = _told(bank), len(bank.journal.entries())
    for version in ("api/2.0", "ajax-api/2.0"):
        api = f"{version}/mlflow-artifacts" if route.startswith("artifacts/") else f"{version}/mlflow"
        code, said = bank.ask(user, method, route, content(), api)
        assert code == 403 and words in said, (code, said)
    assert _told(bank) == before
    news = bank.journal.entries()[lines:]
    assert [(e["user"], words in e["outcome"] or words.removeprefix("refused: ") in e["outcome"]) for e in news] == [(user, True)] * 2


def _told(bank: Bank) -> object:
    """Return what the bypasses are after: labels, the chain, the served files, the metrics of the run behind them."""
    r = registered.one(MODEL, "1")
    figures = store.client().get_metric_history(r.run_id, "holdout_auc")
    versions = [(v.version, v.tags) for v in registered.everything(MODEL)]
    return events.read().head, registered.aliases(MODEL), versions, registered.files(r), [m.value for m in figures]


def test_daily_work_is_let_through(bank):
    for user, method, route, content in (
        ("dev", "POST", "registered-models/alias", _champion("1")),  # what the chain says may be said
        ("dev", "POST", "registered-models/alias", {"name": MODEL, "alias": "candidate", "version": "1"}),
        ("dev", "POST", "model-versions/set-tag", _state("green", "note")),
        ("dev", "POST", "registered-models/create", {"name": "bank.lgd"}),
        ("val", "POST", "experiments/create", {"name": "challengers"}),
    ):
        assert bank.ask(user, method, route, content)[0] == 200, route
    assert bank.ask("val", "POST", "runs/create", {"experiment_id": _experiment("challengers")})[0] == 200


def test_of_two_promotions_at_once_over_the_server_one_wins_and_the_other_is_told(bank, tmp_path):
    """Two processes of their own, as on two machines, decide on the same head of the chain."""
    _as("dev")
    governed.registered(3)
    for verb, person in (("submit", "dev"), ("validate", "val"), ("approve", "app")):
        _move(verb, person, "3")
    _as("own")
    looked = moves._last(events.read(), MODEL)

    def promote(version: str) -> object:
        try:
            request, key = Request("promote", MODEL, version, "own"), signatures.load("own")
            return moves._unless_overtaken(lambda: moves._make(request, looked, key))
        except UserError as e:
            return str(e)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(promote, ("2", "3")))
    winners = [r for r in results if isinstance(r, events.Event)]
    assert len(winners) == 1, results
    winner, loser = winners[0], next(r for r in results if isinstance(r, str))
    other = {"2": "3", "3": "2"}[winner.version]
    assert loser == (
        f"{MODEL} version {other}: promote: overtaken by event {winner.seq}, version {winner.version} became champion;"
        f" look at `workbench history {MODEL}`, then decide anew"
    )
    assert registered.aliases(MODEL)["champion"] == winner.version
    assert [f"{f.place}: {f.what}" for f in audit.run().findings] == []


def test_what_the_server_cannot_prevent_the_audit_names(bank):
    """A hand in the artifact store or in the database itself."""
    _as("val")
    place = bank.folder / "artifacts" / _experiment("bank") / "models" / _logged() / "artifacts" / "served.py"
    before = place.read_bytes()
    place.write_bytes(before + b"\n")
    assert any(f.what.startswith("served files: served.py changed") for f in audit.run().findings)
    with pytest.raises(UserError, match=r"^bank.pd version \d: its files are other than those that event|^$"):
        shutil.copy(place, place.with_name("added.py"))
        champion = registered.aliases(MODEL)["champion"]
        other = registered.one(MODEL, champion).model_id
        (place.parents[2] / other / "artifacts" / "added.py").write_text("")
        serving.champion(MODEL)


def test_the_journal_holds_and_a_changed_line_is_named(bank, tmp_path):
    assert bank.journal.faults() == []
    promoted = [e for e in bank.journal.entries() if e["what"].get("verb") == "promote" and e["outcome"] == "done"]
    assert {e["user"] for e in promoted} == {"own"} and guarded.level() == guarded.PREVENT
    copy = tmp_path / "journal.jsonl"
    lines = (bank.folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join([*lines[:2], lines[2].replace(b'"admin"', b'"val"'), *lines[4:]]))
    assert Journal(copy).faults() == [
        "line 3: its content was altered",
        "line 4: it doesn't follow the line before as that is now",
    ]
