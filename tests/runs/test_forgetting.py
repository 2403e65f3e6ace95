"""A person forgotten and a list with names: in a small governed bank with a list, tables, evidence and a page."""

from __future__ import annotations

import io
import json
import shutil
import stat

import pandas as pd
import pytest
import yaml

import governed
from workbench import home, pseudonyms, tables
from workbench.actions.action_list import OPTED_OUT, action_list
from workbench.cli import main
from workbench.contracts import Column, Contract
from workbench.evidence import digest_file
from workbench.params import Key
from workbench.portfolios import intake
from workbench.registry import audit, current, moves, signatures
from workbench.runs import people

KEY = Key("loans")
PEOPLE = ["C100001", "C100002", "C100003", "C100004"]


@pytest.fixture
def bank(tmp_path, monkeypatch, empty_store):
    """A home with a study of four customers, one of whom opted out, a list of two, evidence and a page."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    here = tmp_path / "home"
    (here / "params" / "contracts").mkdir(parents=True)
    (here / "notebooks").mkdir()
    (here / "data").mkdir()
    (here / "mlruns").mkdir()
    shutil.copy(empty_store, here / "mlruns")
    raw = pd.DataFrame({"customer_id": PEOPLE, "opted_out": list("0001"), "left": list("0101"), "income": [1, 2, 3, 4]})
    raw.to_csv(here / "data" / "people.csv", index=False)
    columns = [
        {"name": "customer_id", "type": "text", "role": "key", "personal": "identifier"},
        {"name": "opted_out", "type": "category", "role": "fact"},
        {"name": "left", "type": "category", "role": "outcome", "known": "after"},
        {"name": "income", "type": "number"},
    ]
    contract = {"name": "people", "title": "People", "entity": "customer", "event_value": "1", "columns": columns}
    (here / "params/contracts/people.yaml").write_text(yaml.safe_dump(contract))
    section = {"files": {"account": "data/people.csv"}, "contracts": {"account": "params/contracts/people.yaml"}}
    study = {"title": "Loans", "steps": {"portfolios/intake": {"portfolio": "own_files", "sample_rows": 0, **section}}}
    (here / "params/loans.yaml").write_text(yaml.safe_dump(study))
    governed.keys()
    content = governed.policy()
    for person, role in (("rel", "relationship_manager"), ("dpo", "data_protection")):
        content["people"][person] = {"roles": [role], "key": signatures.generate(person)}
    governed.write_policy(content)
    moves.adopt("app")
    _taken_in()
    return here


def _taken_in() -> pd.DataFrame:
    """Take the file in as the notebook does, and let the tables rest as the runner does."""
    (p,) = people.intakes("loans")
    raw = intake.raw_tables(p)
    checked, _ = intake.check(raw, p)
    clean, _ = intake.depersonalised(checked, raw, p)
    account, contract = intake.core(clean, raw, p)["core__account"]
    _rest("core__account", account, contract)
    ids = account["entity_id"]
    asked = pd.DataFrame({"entity_id": ids, "priority": range(len(ids)), "reason": "=1+1", "measure": "call"})
    out = dict.fromkeys(ids[account["opted_out"].astype(str) == "1"], OPTED_OUT)
    rows = action_list(asked, capacity=9, barred=out).rows
    listed = [Column(name="entity_id", type="text", role="key")]
    _rest("mart__list_save", rows, Contract(name="save", title="Save", columns=tuple(listed)))
    return rows


def _rest(name, table, contract):
    tables.write(KEY, name, table, contract)
    staged = home.scratch() / KEY.place
    tables.pin(KEY, name, tables.keep(KEY, name, staged))
    for staged_file in staged.glob(f"{name}.*"):
        staged_file.unlink()


def _pseudonym(person: str) -> str:
    return next(n for n in people.names_of(person, "loans") if n.startswith("customer_"))


def test_a_person_is_forgotten_everywhere_and_the_audit_stays_clean(bank, capsys):
    gone, stays = _pseudonym("C100001"), _pseudonym("C100002")
    page = bank / "reports" / "loans" / "once" / "x.html"
    home.put(page, f"<table><tr><td>{gone}</td></tr>\n<tr><td>{stays}</td></tr></table><p>{gone} called</p>".encode())
    facts = bank / "mlruns" / "1" / "run" / "artifacts" / "e.json"
    home.put(facts, json.dumps({"rows": [[gone, 1], [stays, 2]]}).encode())
    home.put(facts.with_name("e.csv"), f"entity_id,n\n{gone},1\n{stays},2\n".encode())
    assert main(["forget", "C100001", "--reason", "letter of 3 May", "--as", "dpo"]) == 0
    out = capsys.readouterr().out
    assert "forgotten: 2 rows in 5 files of loans made anew\nsearched again: 0 hits in " in out
    assert "models that learnt from the person stay: none did" in out
    assert page.read_text() == f"<table>\n<tr><td>{stays}</td></tr></table><p>[forgotten] called</p>"
    assert json.loads(facts.read_text()) == {"rows": [[stays, 2]]}
    assert facts.with_name("e.csv").read_text() == f"entity_id,n\n{stays},2\n"
    assert set(tables.read(KEY, "core__account")["entity_id"]) == {_pseudonym(p) for p in PEOPLE[1:]}
    result = audit.run()
    assert result.findings == () and result.looked_at.endswith("; tables made anew after 1 request to forget")
    assert gone not in set(_taken_in()["entity_id"]), "the next intake leaves the person out"
    (p,) = people.intakes("loans")
    other = p.model_copy(update={"study": "cards"})
    clean, _ = intake.depersonalised(intake.check(raw := intake.raw_tables(other), other)[0], raw, other)
    assert gone not in set(clean["account"]["customer_id"]), "and that of another study with the same pseudonyms"
    assert main(["accesses"]) == 0
    assert (
        "forget  dpo (data_protection)  files 5; reason letter of 3 May; rows 2; studies ['loans']"
        in capsys.readouterr().out
    )
    assert main(["forget", "C100001", "--reason", "again", "--as", "dpo"]) == 2
    assert capsys.readouterr().err == (
        "workbench: forget: nobody is there by that name; give the identifier as the source has it, or the pseudonym\n"
    )


def test_delivered_files_are_written_anew_without_the_person_and_it_is_on_record(bank, capsys):
    path, other = bank / "data" / "people.csv", bank / "data" / "calls.parquet"
    head = "customer_id,opted_out,left,income,note\r\n"
    stays = 'C100002,0,1,2,"C100001 called"\r\n'
    path.write_text(f'{head}C100001,0,0,1,"a\nb"\r\n{stays}', encoding="utf-8-sig", newline="")
    calls = pd.DataFrame({"customer_id": ["C100001", "c100001 ", "C100003"], "n": [1, 2, 3]})
    calls.to_parquet(other)
    asked = ["forget", "C100001", "--reason", "letter", "--as", "dpo", "--files", str(path), str(other)]
    before, mode = digest_file(path), path.stat().st_mode
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert path.read_bytes() == f"{head}{stays}".encode("utf-8-sig")
    assert pd.read_parquet(other)["n"].tolist() == [3] and path.stat().st_mode == mode
    assert f"people.csv: 1 rows taken out, {before[:12]} became {digest_file(path)[:12]}\n" in out
    assert "calls.parquet: 2 rows taken out" in out and ": 0 hits in" in out
    assert "other source files are the bank's and were not touched" in out
    assert main(["accesses"]) == 0
    assert f"'after': '{digest_file(path)}'" in capsys.readouterr().out
    assert audit.run().findings == () and not list((bank / "data").glob(".part-*"))


def test_a_file_that_names_nobody_by_a_contract_is_refused_and_nothing_changes(bank, capsys):
    path, odd = bank / "data" / "people.csv", bank / "data" / "odd.csv"
    odd.write_text("who,n\nC100001,1\n")
    before = path.read_bytes()
    asked = ["forget", "C100001", "--reason", "letter", "--as", "dpo", "--files"]
    assert main([*asked, str(path), str(odd)]) == 2
    assert capsys.readouterr().err == (
        "workbench: forget: odd.csv has no column by which a contract names people (customer_id); name a file that has\n"
    )
    assert main([*asked, str(bank / "data" / "nowhere.csv")]) == 2
    assert "nowhere.csv is not there; name the delivered file: --files" in capsys.readouterr().err
    odd.write_bytes(b"\x00\x01\x02\xff" * 50)
    assert main([*asked, str(odd)]) == 2
    assert "odd.csv can't be read as CSV or Parquet; take the person out where it comes from" in capsys.readouterr().err
    assert path.read_bytes() == before and not list((bank / "data").glob(".part-*"))
    assert _pseudonym("C100001") in set(tables.read(KEY, "core__account")["entity_id"])


def test_who_may_not_forget_is_refused_and_nothing_changes(bank, capsys):
    before = tables.pinned(KEY, "core__account")
    assert main(["forget", "C100001", "--reason", "letter", "--as", "rel"]) == 2
    assert capsys.readouterr().err == (
        "workbench: params/governance.yaml: rel is relationship_manager; it takes the role data_protection (dpo)\n"
    )
    assert main(["forget", "C100001", "--reason", "C100001 wrote", "--as", "dpo"]) == 2
    assert (
        "forget: --reason names the person, and it stays on record; say it without the name" in capsys.readouterr().err
    )
    assert tables.pinned(KEY, "core__account") == before


@pytest.mark.parametrize(("person", "line"), [("", ""), (" ", ""), ("-", "\n"), ("-", "")])
def test_nobody_is_not_everybody(bank, capsys, monkeypatch, person, line):
    before, head = digest_file(bank / "data" / "people.csv"), audit.run().head
    monkeypatch.setattr("sys.stdin", io.StringIO(line))
    asked = ["forget", person, "--reason", "letter", "--as", "dpo", "--files", str(bank / "data" / "people.csv")]
    assert main(asked) == 2
    assert capsys.readouterr().err == (
        "workbench: forget: PERSON is empty; give the identifier as the source has it, or the pseudonym\n"
    )
    assert audit.run().head == head and digest_file(bank / "data" / "people.csv") == before


def test_a_list_is_joined_to_names_for_the_role_alone_and_logged(bank, tmp_path, capsys):
    out = tmp_path / "save.csv"
    asked = ["identify", "loans", "save", "--purpose", "calls of June", "--out", str(out), "--as"]
    assert main([*asked, "dev"]) == 2
    assert capsys.readouterr().err == (
        "workbench: params/governance.yaml: dev is developer; it takes the role relationship_manager (rel)\n"
    )
    assert not out.exists()
    assert main([*asked, "rel"]) == 0
    rows = pd.read_csv(out)
    assert set(rows["identifier"]) == {"C100001", "C100002", "C100003"}, "who opted out isn't on it"
    assert rows["reason"].tolist() == ["'=1+1"] * 3 and "entity_id" not in rows
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "is red" not in capsys.readouterr().err
    assert main(["accesses"]) == 0
    assert (
        "identify  rel (relationship_manager)  list mart__list_save; period once; purpose calls of June; rows 3; study loans"
        in capsys.readouterr().out
    )
    assert audit.run().findings == ()


def test_a_list_of_a_red_page_is_given_with_a_word_and_the_light_on_record(bank, tmp_path, capsys):
    about = {"step": "actions/retention", "slug": "actions/retention", "run_id": "1", "step_key": "1", "headline": ""}
    made = {"status": "FINISHED", "verdict": "red", "start": 1.0, "seconds": 1.0, "tables": {"mart__list_save": {}}}
    current.put(current.Record(study=KEY.study, period=KEY.period, **about, **made))
    asked = ["identify", "loans", "save", "--purpose", "calls", "--out", str(tmp_path / "save.csv"), "--as", "rel"]
    assert main(asked) == 0
    assert capsys.readouterr().err == (
        "the page that made this list is red: look at what it says before anybody acts on it\n"
    )
    assert main(["accesses"]) == 0 and "light red" in capsys.readouterr().out


def test_a_list_with_names_lies_outside_and_holds_nobody_who_opted_out(bank, tmp_path, capsys):
    asked = ["identify", "loans", "save", "--purpose", "calls", "--as", "rel", "--out"]
    assert main([*asked, str(bank / "reports" / "x.csv")]) == 2
    assert capsys.readouterr().err == (
        "workbench: identify: x.csv would lie in the workbench's folder; name a place outside: --out\n"
    )
    listed = [Column(name="entity_id", type="text", role="key")]
    table = pd.DataFrame({"entity_id": [_pseudonym("C100004")]})
    _rest("mart__list_save", table, Contract(name="save", title="Save", columns=tuple(listed)))
    assert main([*asked, str(tmp_path / "x.csv")]) == 2
    assert "identify: 1 on mart__list_save opted out of being approached; `" in capsys.readouterr().err
    _rest("mart__list_watch", table, Contract(name="watch", title="Watch", columns=tuple(listed)))
    asked[2] = "watch"  # looking at who may fall behind is no approach
    assert main([*asked, str(tmp_path / "x.csv")]) == 0 and "C100004" in (tmp_path / "x.csv").read_text()


def test_identifiers_that_are_no_personal_data_are_written_as_they_stand(bank, tmp_path, capsys):
    place = bank / "params/contracts/people.yaml"
    contract = yaml.safe_load(place.read_text())
    del contract["columns"][0]["personal"]
    place.write_text(yaml.safe_dump(contract))
    _taken_in()
    out = tmp_path / "save.csv"
    asked = ["identify", "loans", "save", "--purpose", "calls", "--as", "rel", "--out", str(out)]
    assert main(asked) == 0
    assert sorted(pd.read_csv(out)["identifier"]) == ["C100001", "C100002", "C100003"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("loan save", "identify: study 'loan' is not there; did you mean 'loans'?"),
        (
            "loans save --period 2018-13",
            "period '2018-13' is none; write a year (2018), a quarter (2018-Q1) or a month (2018-03)",
        ),
        (
            "loans save --period 2018-03",
            "identify: mart__list_save of loans is made once and of no period; leave --period out",
        ),
    ],
)
def test_a_list_of_no_such_study_or_period_is_refused_and_nothing_is_signed(bank, tmp_path, capsys, words, line):
    head, out = audit.run().head, tmp_path / "x.csv"
    assert main(["identify", *words.split(), "--purpose", "calls", "--as", "rel", "--out", str(out)]) == 2
    assert capsys.readouterr().err == f"workbench: {line}\n"
    assert not out.exists() and audit.run().head == head


def test_pseudonyms_of_two_purposes_do_not_join_and_those_of_one_do(bank):
    (p,) = people.intakes("loans")
    made = {}
    for purpose in ("", "retention", "service"):
        key = intake.linking_key(p.model_copy(update={"purpose": purpose}))
        made[purpose] = pseudonyms.pseudonym(pd.Series(PEOPLE), key, "customer")
    assert made[""].equals(pseudonyms.pseudonym(pd.Series(PEOPLE), pseudonyms.key(home.mlruns()), "customer"))
    assert len(set().union(*map(set, made.values()))) == 3 * len(PEOPLE)
    again = intake.linking_key(p.model_copy(update={"purpose": "service", "study": "other"}))
    assert made["service"].equals(pseudonyms.pseudonym(pd.Series(PEOPLE), again, "customer"))
