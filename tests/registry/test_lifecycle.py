"""Moves: each made by whom it belongs to, with what it needs, else refused in one line; never two champions, nor none."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import governed
from workbench import cli, home
from workbench.evidence import LEFT_BEHIND
from workbench.params import UserError
from workbench.registry import (
    about,
    audit,
    current,
    events,
    inventory,
    lifecycle,
    moves,
    policy,
    recorded,
    registered,
    ringing,
    runs,
    signatures,
    slots,
    store,
)
from workbench.registry.state import replay
from workbench.reporting import site

ROOT = Path(__file__).parents[2]
MODEL = governed.MODEL
PRELOADED = ["mlflow", "mlflow.store.tracking.sqlalchemy_store", "workbench.registry.lifecycle", "workbench.cli"]


def _state(version: str) -> str:
    return replay(events.read()).of(MODEL, version).state


def _refused(verb: str, person: str, version: str = "2", **more: object) -> str:
    with pytest.raises(UserError) as e:
        governed.move(verb, person, version, **more)
    return str(e.value)


def test_every_move_leads_from_states_to_states_with_needs_that_are_known():
    for m in lifecycle.MOVES.values():
        assert {*m.sources, m.target} <= {*lifecycle.STATES, lifecycle.SAME} and set(m.needs) <= set(lifecycle.NEEDS)
        assert m.roles and set(m.roles) <= set(lifecycle.ROLES)
    reachable = {lifecycle.CANDIDATE, lifecycle.CONDITIONAL, *(m.target for m in lifecycle.MOVES.values())} - {
        lifecycle.SAME
    }
    assert reachable == set(lifecycle.STATES)


def test_the_page_holds_the_table_of_the_code():
    page = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")
    assert lifecycle.table() in page, "python -m workbench.registry.lifecycle prints what docs/governance.md holds"


def test_a_life_from_the_command_line(bank, capsys):
    def printed(*words: str) -> str:
        assert cli.main(list(words)) == 0
        return capsys.readouterr().out

    assert printed("submit", f"{MODEL}/2", "--as", "dev").startswith(
        f"{MODEL} version 2: candidate → submitted, by dev (developer)\n"
    )
    printed("validate", f"models:/{MODEL}/2", "--as", "val")
    printed("approve", f"{MODEL}/2", "--as", "app")
    assert registered.aliases(MODEL) == {"champion": "1", "challenger": "2", "candidate": "2"}
    out = printed("promote", f"{MODEL}/2", "--as", "own")
    assert "version 1 retired with this move\nhead of the chain 9:" in out
    assert registered.aliases(MODEL) == {"champion": "2", "candidate": "2"}
    one, two = json.loads(printed("models", "--json"))
    today = date.today().isoformat()
    assert (one["state"], two["state"], two["champion_since"]) == ("retired", "champion", two["champion_since"])
    assert two["champion_since"] <= today < two["next_review"] and two["tier"] == 2 and two["owner"] == "own"
    assert one["conditions"] == [] and "champion" in printed("models")
    assert printed("history", MODEL).count("\n") == 8
    (row,) = json.loads(printed("as-of", two["champion_since"], "--json"))
    assert row["version"] == "2" and row["minimum"] == {"holdout_auc": 0.6} and row["rules"]["psi"] == [0.1, 0.25]
    assert printed("as-of", "2020-01-01") == "no model had a champion on 2020-01-01\n"
    assert "points" in printed("diff", f"{MODEL}/1", f"{MODEL}/2")
    assert cli.main(["diff", f"{MODEL}/1", f"{MODEL}/1"]) == 2


def test_who_may_not_is_told_who_may(bank, tmp_path):
    assert _refused("submit", "val") == "params/governance.yaml: val is validator; it takes the role developer (dev)"
    signatures.generate("valery", tmp_path / "key.pem")
    with pytest.raises(UserError) as e:
        moves.make(governed.Request("submit", MODEL, "2", "valery"), tmp_path / "key.pem")
    assert str(e.value) == "params/governance.yaml: nobody is called 'valery'; did you mean 'val'?"
    both = governed.policy()
    both["people"]["dev"]["roles"] = ["developer", "validator", "approver"]
    governed.write_policy(both)
    assert _refused("submit", "dev") == (
        'params/governance.yaml: changed since event 1 adopted it (people.dev.roles: ["developer"] → ["developer", "validator", '
        '"approver"]); an approver adopts it: `workbench policy --as ID`'
    ).replace('"', "'")
    moves.adopt("app")
    governed.move("submit", "dev", "2")
    for verb in ("validate", "reject"):
        assert "dev has developed it; somebody else decides" in _refused(verb, "dev", reason="r")


@pytest.mark.parametrize(
    ("verb", "person", "words"),
    [
        (
            "approve",
            "app",
            "bank.pd version 2: approve is refused: it is candidate, and approve begins at in validation",
        ),
        (
            "promote",
            "own",
            "bank.pd version 2: promote is refused: it is candidate, and promote begins at approved or approved with conditions",
        ),
        ("retire", "own", 'bank.pd version 2: retire is refused: a reason (--reason "…")'),
    ],
)
def test_a_move_out_of_place_is_one_line(bank, verb, person, words):
    assert _refused(verb, person) == words


def test_all_that_is_missing_is_named_at_once(bank):
    low = governed.registered(4, {"holdout_auc": 0.55}, "refuse")
    governed.move("submit", "dev", low)
    governed.move("validate", "val", low)
    assert _refused("approve", "app", low) == (
        f"bank.pd version {low}: approve is refused: the validation battery refuses it; reject it, or develop another; "
        "holdout_auc is 0.55, its tier asks 0.6"
    )
    governed.move("reject", "app", low, reason="ranks too little")
    assert _state(low) == "rejected"
    limit = date.today() + timedelta(days=90)
    for until in ("", "soon", (limit + timedelta(days=1)).isoformat()):
        assert _refused("exempt", "app", low, reason="no other", until=until) == (
            f"bank.pd version {low}: exempt is refused: the last day, after today and by {limit} (--until {limit})"
        )
    governed.move("exempt", "app", low, reason="no other", until=limit.isoformat())
    assert inventory.listing()[-1].until == limit.isoformat()


def test_what_a_battery_refers_is_approved_with_conditions_only(bank):
    governed.battery(2, verdict="refer")
    governed.move("submit", "dev", "2")
    governed.move("validate", "val", "2")
    assert _refused("approve", "app", "2").endswith(
        'the validation battery refers it: set a condition (--condition "DAY OWNER: …")'
    )
    governed.move("approve", "app", "2", conditions=("2027-06-30 own: six months only",))
    assert _state("2") == "approved with conditions"


def test_a_version_altered_after_submission_goes_no_further(bank):
    governed.move("submit", "dev", "2")
    file = registered.folder(registered.one(MODEL, "2")) / "served.py"
    file.write_text(file.read_text() + "\n")
    assert _refused("validate", "val") == (
        "bank.pd version 2: validate is refused: served.py was changed; `workbench run` registers it anew; "
        "its files are other than those that were submitted; `workbench audit` names them"
    )


def test_tier_1_takes_two_approvers(bank):
    governed.write_policy(governed.policy("high"))
    moves.adopt("second")
    governed.move("submit", "dev", "2")
    governed.move("validate", "val", "2")
    assert governed.move("approve", "app", "2").details == {"missing_approvals": 1}
    assert _state("2") == "in validation"
    assert (
        _refused("approve", "app")
        == "bank.pd version 2: approve is refused: app has approved it; another approver is needed"
    )
    governed.move("approve", "second", "2")
    assert _state("2") == "approved"


def test_a_champion_under_review_decides_until_it_is_confirmed_or_replaced(bank):
    governed.move("review", "val", reason="three alarms")
    assert registered.aliases(MODEL)["champion"] == "1"
    governed.move("confirm", "app")
    assert _state("1") == "champion"
    governed.move("review", "val", reason="again")
    governed.champion("2")
    assert (_state("1"), _state("2")) == ("retired", "champion")


def test_the_inventory_says_the_worst_of_the_newest_periods_monitoring(bank):
    for start, (step, period, verdict) in enumerate(
        [("through_time", "2019-04", "green"), ("through_time", "2019-05", "red"), ("causes", "2019-05", "amber")], 2
    ):
        _watched(step, period, verdict, start)
    assert _monitoring() == {"1": "red (2019-05)", "2": ""}


def test_the_inventorys_last_monitoring_is_of_the_newest_period_and_the_version_that_was_read(bank):
    _watched("through_time", "2019-05", "red", 2)
    _watched("through_time", "2019-04", "green", 3)  # made again since: it is no later period for that
    _watched("causes", "2019-06", "amber", 4, version="2")
    assert _monitoring() == {"1": "red (2019-05)", "2": "amber (2019-06)"}
    shutil.rmtree(home.mlruns() / "watched")  # what a run has left is lost: it speaks of no version
    assert _monitoring() == {"1": "", "2": ""}


def test_a_servers_last_monitoring_is_of_each_steps_newest_period(monkeypatch):
    def run(name: str, step: str, period: str, verdict: str) -> SimpleNamespace:
        tags = {"step": f"monitoring/{step}", "period": period, "verdict": verdict}
        return SimpleNamespace(info=SimpleNamespace(run_id=name), data=SimpleNamespace(tags=tags))

    newest_first = [
        run("again", "through_time", "2019-04", "green"),
        run("unjudged", "through_time", "2019-07", ""),
        run("last", "through_time", "2019-05", "red"),
        run("causes", "causes", "2019-05", "amber"),
        run("whole", "causes", "once", "green"),
    ]
    monkeypatch.setattr(store, "runs", lambda study, query: newest_first)
    assert [r.info.run_id for r in inventory._newest_by_step("bank")] == ["last", "causes"]
    assert inventory._worst_of_newest([("2019-05", "amber"), ("2019-05", "red"), ("2019-04", "green")]) == (
        "red (2019-05)"
    )


def _watched(step: str, period: str, verdict: str, start: float, version: str = "1") -> None:
    """Lay a run of monitoring that has read a version's file."""
    digest = next(r.tags["sha256"] for r in registered.everything(MODEL) if r.version == version)
    slug, folder = f"monitoring/{step}", f"watched/{step}-{period}"
    content = {"evidence": [], "tables": {"read": {"mart__panel": "p", "model__pd": digest}}}
    home.put(home.mlruns() / folder / "evidence" / LEFT_BEHIND, json.dumps(content).encode())
    about = {"study": "bank", "run_id": "r", "step_key": "k", "status": "FINISHED", "headline": "", "seconds": 1.0}
    about |= {"step": slug, "slug": slug, "verdict": verdict, "period": period, "folder": folder}
    current.put(current.Record(**about, start=float(start), reads=("mart__panel", "model__pd")))


def _monitoring() -> dict[str, str]:
    return {e.version: e.monitoring for e in inventory.listing()}


def test_where_no_policy_names_a_models_owner_the_inventory_shows_its_studys(bank):
    with current.holding("bank"):
        about.put("bank", about.About("Bank", owner="cards and loans"))
    (ruled, _) = inventory.listing()
    entries = [ruled, replace(ruled, owner="")]
    assert ruled.owner and list(inventory.table(entries)["owner"]) == [ruled.owner, "cards and loans"]


def test_a_champion_is_known_as_its_run_wrote_it_down_whatever_run_is_current(bank):
    current.put(replace(current.read(governed.KEY, "models/development"), models={}))
    (champion,) = inventory.champions("bank")
    assert (champion["name"], champion["version"], champion["figures"]) == (MODEL, "1", {"holdout_auc": 0.75})
    assert champion["digest"] and inventory.champions("other") == []


def test_a_champion_that_rings_comes_under_review_by_a_machine_with_the_role(bank):
    """The monitor's key is on this machine; it may ask for a review, and for nothing else."""
    assert ringing.review(MODEL, "1", "drift") == (
        "bank.pd/1 rings and stays champion: no key of a monitor is on this machine; `workbench review bank.pd/1`"
    )
    signatures.generate("mon")
    content = governed.policy()
    content["people"]["mon"] = {"roles": ["monitor"], "key": signatures.public("mon")}
    governed.write_policy(content)
    line = ringing.review(MODEL, "1", "drift")
    assert line.startswith("bank.pd/1 rings and stays champion: no key of a monitor")  # not adopted yet
    moves.adopt("app")
    line = ringing.review(MODEL, "1", "monitoring/through_time of 2018-03 is red: New in 2018-03")
    assert "bank.pd/1 is under review, event " in line and line.endswith("is red: New in 2018-03")
    assert _state("1") == "under review" and ringing.review(MODEL, "1", "again") == ""
    assert ringing.review(MODEL, "2", "a candidate") == ""
    assert "mon is monitor; it takes the role approver" in _refused("confirm", "mon", "1")
    assert audit.run().findings == ()


def test_a_text_that_mlflow_would_cut_is_refused(bank):
    words = _refused("retire", "own", reason="x" * 6000)
    assert words.startswith("retire: detail is 6,") and words.endswith(
        " characters long, of which MLflow keeps 6,000; shorten it"
    )
    assert len(events.read().events) == 5


def _promote(place: str, config: str, version: str, both: Any, out: Any) -> None:
    os.environ.update(WORKBENCH_HOME=place, XDG_CONFIG_HOME=config)
    writing = events.writing

    @contextmanager
    def after_both_have_looked() -> Iterator[events.Chain]:
        both.wait(60)
        with writing() as chain:
            yield chain

    events.writing = after_both_have_looked
    try:
        out.put(("won", governed.move("promote", "own", version).version))
    except UserError as e:
        out.put(("told", str(e)))


@pytest.fixture(scope="module")
def warm() -> multiprocessing.context.BaseContext:
    """Processes of their own that share one import of MLflow."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@pytest.mark.whole
def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(bank, warm):
    third = governed.registered(3)
    for version in ("2", third):
        governed.approved(version)
    both, out = warm.Barrier(2), warm.Queue()
    started = [
        warm.Process(target=_promote, args=(str(bank), os.environ["XDG_CONFIG_HOME"], v, both, out))
        for v in ("2", third)
    ]
    for p in started:
        p.start()
    ended = dict(out.get(timeout=120) for _ in started)
    for p in started:
        p.join()
    winner = ended["won"]
    loser = "2" if winner == third else third
    assert ended["told"] == (
        f"bank.pd version {loser}: promote: overtaken by event 12, version {winner} became champion;"
        " look at `workbench history bank.pd`, then decide anew"
    )
    book = replay(events.read())
    assert [s.version for s in book.standings.values() if s.is_in_use] == [winner]
    assert registered.aliases(MODEL)["champion"] == winner


def _watch(place: str, has_ended: Any, out: Any) -> None:
    os.environ["WORKBENCH_HOME"] = place
    store.client()
    out.put("ready")
    while not has_ended.is_set():
        out.put((replay(events.read()).champion(MODEL).version, registered.aliases(MODEL)["champion"]))
    out.put(None)


@pytest.mark.whole
def test_between_two_champions_there_is_always_one(bank, warm):
    """While version 2 takes the place of version 1, whoever reads the chain or the alias sees one of the two."""
    governed.approved("2")
    has_ended, out = warm.Event(), warm.Queue()
    watching = warm.Process(target=_watch, args=(str(bank), has_ended, out))
    watching.start()
    assert out.get(timeout=120) == "ready"
    governed.move("promote", "own", "2")
    has_ended.set()
    seen = list(iter(lambda: out.get(timeout=120), None))
    watching.join()
    assert watching.exitcode == 0 and seen and set(seen) <= {(a, b) for a in "12" for b in "12"}
    assert [champion for champion, _ in seen] == sorted(champion for champion, _ in seen)


def test_a_bank_without_a_policy_is_told_so_and_the_inventory_still_shows(bank, capsys):
    (home.root() / policy.FILE).unlink()
    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 2
    assert capsys.readouterr().err == "workbench: params/governance.yaml is not there; docs/governance.md shows one\n"
    assert cli.main(["models"]) == 0


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("bank.pdd/1", "model 'bank.pdd' is not in the registry; did you mean 'bank.pd'?"),
        (f"{MODEL}/77", "bank.pd version 77 is not in the registry; there are 1, 2"),
    ],
)
def test_an_unknown_version_is_told_before_a_key_that_is_missing(bank, capsys, given, line):
    assert cli.main(["submit", given, "--as", "nobody"]) == 2
    assert capsys.readouterr().err == f"workbench: {line}\n"


def test_a_private_key_is_its_owners_alone(bank, tmp_path, capsys):
    place = tmp_path / "key.pem"
    assert cli.main(["keygen", "new", "--key", str(place)]) == 0
    assert f"  new: {{roles: [developer], key: {signatures.public('new', place)}}}" in capsys.readouterr().out
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o640)
    with pytest.raises(UserError) as e:
        signatures.load("new", place)
    assert str(e.value) == f"{place}: others may read this private key; `chmod 600` it, or make a new one"
    assert cli.main(["keygen", "new", "--key", str(place)]) == 2
    assert (
        capsys.readouterr().err
        == f"workbench: {place} is there already and may have signed; name another place with --key\n"
    )
    assert cli.main(["keygen", "new", "--key", str(bank / "key.pem")]) == 2
    assert "a private key doesn't belong into the workbench's folder; name a place outside" in capsys.readouterr().err


@pytest.mark.parametrize("person", ["a b", "张三", "A001", "a", "", "d001\n", "../d001"])
def test_a_key_is_made_for_a_work_id_that_the_policy_takes(bank, tmp_path, capsys, monkeypatch, person):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for words in (["keygen", person], ["keygen", person, "--key", str(tmp_path / "key.pem")]):
        assert cli.main(words) == 2
        assert capsys.readouterr().err == (
            f"workbench: keygen: {person.replace('张三', '张*')!r} is no work id; write 2 to 32 of a-z, 0-9, _ and -, a letter first, "
            "such as d001\n"
        )
    assert (
        not (tmp_path / "key.pem").exists() and not (tmp_path / "config" / "workbench" / "keys" / "A001.pem").exists()
    )


def test_a_signature_holds_for_its_content_alone(tmp_path):
    signatures.generate("xi", tmp_path / "x.pem")
    key, public = signatures.load("xi", tmp_path / "x.pem"), signatures.public("xi", tmp_path / "x.pem")
    signed = signatures.sign(key, b"content")
    assert signatures.is_signed(public, signed, b"content")
    assert not signatures.is_signed(public, signed, b"Content") and not signatures.is_signed(public, "x", b"content")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"peeple": {}}, "peeple: unknown; did you mean 'people'?"),
        ({"people": {"dev": {"roles": ["developer"], "key": "short"}}}, "people.dev.key: no public key; write the line that `workbench keygen` prints"),
        ({"people": {"Wang Wei": {"roles": ["developer"], "key": "x"}}}, "people.Wang Wei: no work id; write 2 to 32 of a-z, 0-9, _ and -, a letter first, such as d001"),
        ({"by_tier": {1: {"approvers": 2, "review_months": 6}}}, "by_tier: tier 2 is missing"),
    ],
)  # fmt: skip
def test_a_policy_that_is_wrong_is_one_line(bank, change, words):
    governed.write_policy({**governed.policy(), **change})
    with pytest.raises(UserError) as e:
        policy.load()
    assert str(e.value) == f"params/governance.yaml: {words}"


def test_a_model_needs_an_owner_who_is_there_and_a_purpose_that_is_tiered(bank):
    content = governed.policy()
    for name, value, words in (
        ("owner", "owner9", "models.bank.pd.owner: nobody is called 'owner9'; did you mean 'own'?"),
        ("owner", "dev", "models.bank.pd.owner: dev has not the role owner"),
        ("purpose", "decisions", "models.bank.pd.purpose: 'decisions': did you mean 'decision'?"),
        ("justification", "why", "models.bank.pd.justification: write 10 characters or more"),
    ):
        listed = {**content["models"][MODEL], name: value}
        governed.write_policy({**content, "models": {MODEL: listed}})
        with pytest.raises(UserError) as e:
            policy.load()
        assert str(e.value) == f"params/governance.yaml: {words}"


def test_a_policy_is_adopted_once_and_by_an_approver_of_the_one_before(bank):
    with pytest.raises(UserError) as e:
        moves.adopt("app")
    assert str(e.value) == "params/governance.yaml: event 1 has adopted it as it stands"
    content = governed.policy()
    content["people"]["dev"]["roles"] = ["developer", "approver"]
    governed.write_policy(content)
    with pytest.raises(UserError, match=r"dev is developer; it takes the role approver \(app, second\)$"):
        moves.adopt("dev")
    assert moves.adopt("second").seq == 6
    listed = content["models"][MODEL]
    content["by_tier"][2]["minimum"] = {"holdout_auc": 60, "holdout_acu": 0.6}
    governed.write_policy({**content, "models": {**content["models"], "bank.pf": {**listed, "developers": ["dev"]}}})
    assert inventory.doubts(policy.load()) == [
        "models.bank.pf: not registered; did you mean 'bank.pd'?",
        "by_tier.2.minimum.holdout_acu: no version has recorded it; did you mean 'holdout_auc'?",
        "by_tier.2.minimum.holdout_auc: no version reaches 60, the most is 0.75",
    ]


def test_days_of_review_are_counted_from_the_policy(bank, monkeypatch):
    from workbench.registry import audit

    later = (date.today() + timedelta(days=500)).isoformat()
    monkeypatch.setattr(events, "now", lambda: f"{later}T00:00:00Z")
    review, condition = [f.what for f in audit.run().findings]
    assert review.endswith(" days overdue (`workbench review`)")
    assert condition == "overdue: 2027-06-30 dev: look at the segments monthly"
    changed = replace(events.read().events[0], person="eve")
    assert changed.digest != events.read().events[0].digest


def test_the_page_of_all_pages_shows_states_and_the_chains_head(bank, capsys):
    from workbench.words import speaking

    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 0
    page = (bank / "reports" / "index.html").read_text(encoding="utf-8")
    assert ">submitted</td>" in page and f"<code>{events.read().head}</code>" in page
    assert cli.main(["retire", f"{MODEL}/2", "--as", "own", "--reason", "another is better"]) == 0
    from workbench.reporting import index, listing, models

    with speaking("zh_CN"):
        site = listing.gather()
        assert ">已下线</td>" in index.render(site)
        ((_, model),) = models.pages(site)
    assert model.count(">已下线</td>") == 2 and "another is better" in model  # its state, and the move that led there


def test_a_move_is_no_run_of_a_study(bank):
    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 0
    latest = runs.latest()
    assert len(latest) and (latest["study"] == "bank").all()


def test_what_was_rejected_is_red_whatever_the_battery_says_and_its_older_documents_say_so(bank):
    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 0
    head = events.read().head
    card = home.reports() / "bank/models/pd/2/model_card.html"
    home.put(card, f"<code>{head}</code>".encode())
    site.write()
    of_model, of_all = (home.reports() / n for n in ("bank/models/pd.html", "index.html"))
    outdated = f"made before the last move; anew by <code>workbench documents {MODEL}/2</code>"
    assert outdated not in of_model.read_text() and '<section class="decision green">' in of_model.read_text()
    assert cli.main(["reject", f"{MODEL}/2", "--as", "app", "--reason", "grade E is off"]) == 0
    assert outdated in of_model.read_text() and '<section class="decision red">' in of_model.read_text()
    rejected = '<span class="light red">rejected</span>'
    assert all(rejected in (home.reports() / n).read_text() for n in ("bank/models/pd.html", "index.html"))
    assert rejected in (home.reports() / "bank/index.html").read_text() and 'data-verdict="red' in of_all.read_text()
    home.put(card, f"<code>{events.read().head}</code>".encode())
    site.write()
    assert outdated not in of_model.read_text()


def test_a_move_marks_the_page_of_a_run_that_reported_the_life_cycle_as_it_was(bank):
    page = home.reports() / "bank/once/reporting/pack.html"
    home.put(page, f"<p>pack</p>{slots.slot(slots.EARLIER)}".encode())
    about = {"study": "bank", "period": "once", "run_id": "r", "step_key": "k", "status": "FINISHED", "headline": ""}
    about |= {"step": "reporting/pack", "slug": "reporting/pack", "verdict": "info", "start": 1.0, "seconds": 1.0}
    as_it_was = {recorded.LIFE_CYCLE: recorded.digest(governed.KEY, recorded.LIFE_CYCLE)}
    pages = {"page.html": "bank/once/reporting/pack.html"}
    current.put(current.Record(**about, reads=(recorded.LIFE_CYCLE,), inputs=as_it_was, pages=pages))
    site.write()
    mark, index = "Made from earlier inputs; run the study again.", home.reports() / "index.html"
    assert mark not in page.read_text() and mark not in index.read_text()
    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 0
    assert mark in page.read_text() and mark in index.read_text()


def test_the_pages_of_what_made_and_read_a_version_say_that_it_was_rejected_until_it_is_submitted_again(bank):
    about = {"study": "bank", "period": "once", "step_key": "k", "status": "FINISHED", "headline": ""}
    about |= {"verdict": "green", "start": 1.0, "seconds": 1.0}
    made = {"models": next(r.models for r in current.everything(study="bank") if r.models)}
    digest_of = made["models"]["model__pd"]["digest"]
    read = {
        step: {"reads": ("model__pd",), "inputs": {"model__pd": digest}}
        for step, digest in (("validation/this", digest_of), ("validation/other", "e"))
    }
    pages = {}
    for step, more in {"models/made": made, **read}.items():
        place = f"bank/once/{step}.html"
        pages[step] = home.reports() / place
        home.put(pages[step], f"<p>{step}</p>{slots.slot(slots.EARLIER)}".encode())
        language = "zh_CN" if step == "models/made" else "en"
        record = {**about, **more, "step": step, "slug": step, "run_id": step, "language": language}
        current.put(current.Record(**record, pages={"page.html": place}))
    marks = {
        "models/made": f"{MODEL} 的版本 2 已被拒绝，不得使用。",
        "validation/this": f"Version 2 of {MODEL} was rejected: it may not be used.",
    }
    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 0
    assert not any("2" in page.read_text() for page in pages.values())
    assert cli.main(["reject", f"{MODEL}/2", "--as", "app", "--reason", "grade E is off"]) == 0
    assert (
        all(marks[step] in pages[step].read_text() for step in marks)
        and "2" not in pages["validation/other"].read_text()
    )
    assert cli.main(["submit", f"{MODEL}/2", "--as", "dev"]) == 0
    assert not any("2" in page.read_text() for page in pages.values())
