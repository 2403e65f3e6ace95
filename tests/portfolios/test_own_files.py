"""A bank's own files: accounts, months, customers and events by contract, joined by keys into core tables."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from workbench import contracts
from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios import grain, intake, large, own_files

REPOSITORY = Path(__file__).parents[2]
CONTRACTS = {
    "account": {
        "name": "loans",
        "entity": "loan",
        "event_value": "1",
        "columns": [
            {"name": "loan_id", "source": "LoanNo", "type": "text", "role": "key", "personal": "identifier"},
            {"name": "customer_id", "type": "text", "role": "parent", "personal": "identifier"},
            {"name": "original_amt", "type": "number", "exposure": True},
            {"name": "bad", "type": "category", "role": "outcome", "known": "after", "values": {"0": "0", "1": "1"}},
        ],
    },
    "month": {
        "name": "loan_months",
        "entity": "month",
        "columns": [
            {"name": "loan_id", "source": "LOAN", "type": "text", "role": "key", "personal": "identifier"},
            {"name": "period", "type": "date", "role": "as_of"},
            {"name": "status_code", "source": "STATUS", "type": "category", "role": "fact"},
            {"name": "delay_months", "type": "number", "sql": "COALESCE(TRY_CAST(STATUS AS INTEGER), 0)"},
            {"name": "note", "type": "text", "role": "ignore"},
        ],
    },
    "customer": {
        "name": "customers",
        "entity": "customer",
        "columns": [
            {"name": "customer_id", "source": "id", "type": "text", "role": "key", "personal": "identifier"},
            {"name": "surname", "type": "text", "role": "ignore", "personal": "name"},
            {"name": "income_amt", "type": "number"},
        ],
    },
    "event": {
        "name": "calls",
        "entity": "event",
        "columns": [
            {"name": "call_id", "type": "text", "role": "key"},
            {"name": "loan_id", "type": "text", "role": "parent", "personal": "identifier"},
            {"name": "call_date", "type": "date", "role": "as_of"},
        ],
    },
}
FILES = {
    "account": "LoanNo,customer_id,original_amt,bad\nL1,c1,100,0\nL2,c1,200,1\nL3,c2,300,0\nL4,c9,400,1\n",
    "month": "LOAN,period,STATUS,note\n"
    "L1,2020-02-29,C,\nL1,2020-01-31,2,\nL2,2020-01-31,X,x\nL4,2020-01-31,1,\nL7,2020-01-31,1,\n",
    "customer": "id,surname,income_amt\nc1,Smithson,10\nc2,Jonesdottir,20\nc3,Nobody,30\n",
    "event": "call_id,loan_id,call_date\nk1,L2,2020-03-05\nk2,L8,2020-03-05\n",
}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return a function that writes the files and contracts (some changed) and returns the intake's parameters."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))

    def ask(*names: str, files: dict | None = None, contracts: dict | None = None, **params) -> intake.Params:
        for name in names:
            (tmp_path / f"{name}.csv").write_text((FILES | (files or {}))[name])
            contract = {"title": "t", **CONTRACTS.get(name, {}), **(contracts or {}).get(name, {})}
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(contract))
        places = {suffix: {n: f"{n}.{suffix}" for n in names} for suffix in ("csv", "yaml")}
        given = {"today": "2030-01-01", "sample_rows": 0, **params}
        return intake.Params(portfolio="own_files", files=places["csv"], contracts=places["yaml"], **given)

    return ask


def _core(p: intake.Params) -> tuple[dict, list[str]]:
    p.verify()
    raw = intake.raw_tables(p)
    checked, findings = intake.check(raw, p)
    clean, _ = intake.depersonalised(checked, raw, p)
    return intake.core(clean, raw, p), [f"{f.severity}: {f.line()}" for f in findings]


def test_four_files_become_accounts_with_their_customers_months_and_events(asked):
    p = asked("account", "month", "customer", "event")
    assert intake.writes(p) == ["core__account", "core__month", "core__event"]
    core, lines = _core(p)
    account, contract = core["core__account"]
    assert list(account.columns) == ["entity_id", "customer_id", "original_amt", "bad", "income_amt", "file_row"]
    columns = own_files.SOURCE.columns(own_files.SOURCE.words(p))
    assert {t: {*c} for t, c in columns.items()} == {t: {*core[t][0].columns} - {"file_row"} for t in core}
    assert account["income_amt"].tolist() == [10, 10, 20] and contract.exposure() == "original_amt"
    assert contract.named("key") == ["entity_id"] and contract.named("parent") == ["customer_id"]
    assert account["customer_id"].nunique() == 2 and contract["entity_id"].source == "LoanNo"
    month, words = core["core__month"]
    assert list(month.columns) == ["entity_id", "month", "status_code", "delay_months"]
    assert month["month"].dt.strftime("%Y-%m-%d").tolist().count("2020-01-01") == 2 and len(month) == 3
    assert month.sort_values("delay_months")["delay_months"].tolist() == [0, 0, 2]
    assert words.identity() == ["entity_id", "month"] and words["delay_months"].role == "fact"
    assert words.derived_from("status_code") == ["delay_months"] and words["delay_months"].sql
    event, _ = core["core__event"]
    assert set(event["entity_id"]) <= set(account["entity_id"]) and len(event) == 1
    left_out = "the row is left out (1 row, e.g."
    assert lines == [
        f"warning: loans.customer_id: names a customer_id that is not in 'customer'; {left_out} 'c*')",
        f"warning: loan_months.loan_id: names a loan_id that is not in 'account'; {left_out} 'L*')",
        f"warning: calls.loan_id: names a loan_id that is not in 'account'; {left_out} 'L*')",
        "warning: loans.loan_id: has no row in 'month' (1 row, e.g. 'L*')",
    ]


RATING = {"name": "ratings", "entity": "loan", "columns": [CONTRACTS["month"]["columns"][0] | {"source": "loan"}]}
RATING["columns"] = [*RATING["columns"], {"name": "rating", "type": "number"}]


def test_months_are_looked_up_in_the_account_beside_a_second_table_of_its_key(asked):
    files = {"rating": "loan,rating\nL1,1\nL2,2\nX1,3\nX2,4\n"}
    core, lines = _core(asked("account", "month", "rating", files=files, contracts={"rating": RATING}))
    assert core["core__account"][0]["rating"].tolist()[:2] == [1, 2] and len(core["core__month"][0]) == 4
    left_out = "names a loan_id that is not in 'account'; the row is left out"
    assert lines == [
        f"warning: loan_months.loan_id: {left_out} (1 row, e.g. 'L*')",
        f"warning: ratings.loan_id: {left_out} (2 rows, e.g. 'X*')",
        "warning: loans.loan_id: has no row in 'month' (1 row, e.g. 'L*')",
    ]


def test_every_table_of_the_parents_is_looked_up(asked):
    column = CONTRACTS["customer"]["columns"][0]
    scores = {"name": "scores", "entity": "customer", "columns": [column, {"name": "score", "type": "number"}]}
    files = {"score": "id,score\nc1,1\nc3,2\nc9,3\n"}
    core, lines = _core(asked("account", "customer", "score", files=files, contracts={"score": scores}))
    assert len(core["core__account"][0]) == 2
    assert lines == [
        "warning: loans.customer_id: names a customer_id that is not in 'customer'; the row is left out (1 row, e.g. 'c*')",
        "warning: loans.customer_id: names a customer_id that is not in 'score'; the row is left out (1 row, e.g. 'c*')",
    ]


def test_an_event_of_an_account_stays_whatever_else_it_names(asked):
    columns = [*CONTRACTS["event"]["columns"], CONTRACTS["account"]["columns"][1]]
    files = {"event": "call_id,loan_id,call_date,customer_id\nk1,L2,2020-03-05,c8\nk2,L1,2020-03-05,c1\n"}
    p = asked("account", "customer", "event", files=files, contracts={"event": {"columns": columns}})
    core, lines = _core(p)
    assert len(core["core__event"][0]) == 2
    assert "warning: calls.customer_id: names a customer_id that is not in 'customer' (1 row, e.g. 'c*')" in lines


def test_keys_that_become_pseudonyms_join_whatever_their_case_and_width(asked):
    files = {
        "month": "LOAN,period,STATUS,note\nl1,2020-01-31,2,\n Ｌ2,2020-01-31,X,\nL3,2020-01-31,0,\nl4,2020-01-31,1,\n"
    }
    core, lines = _core(asked("account", "month", files=files))
    assert len(core["core__month"][0]) == 4 and not lines


def test_a_key_that_is_no_pseudonym_is_the_same_as_written_alone(asked):
    plain = {n: {"columns": [{**c, "personal": ""} for c in CONTRACTS[n]["columns"]]} for n in ("account", "month")}
    files = {"month": "LOAN,period,STATUS,note\nl1,2020-01-31,2,\nL2,2020-01-31,X,\n"}
    core, lines = _core(asked("account", "month", files=files, contracts=plain))
    assert len(core["core__month"][0]) == 1
    assert lines[0] == (
        "warning: loan_months.loan_id: names a loan_id that is not in 'account'; the row is left out (1 row, e.g. 'l1')"
    )


def test_a_key_that_is_personal_in_one_of_two_tables_is_refused(asked):
    plain = {"columns": [{**c, "personal": ""} for c in CONTRACTS["month"]["columns"]]}
    p = asked("account", "month", contracts={"month": plain})
    _, findings = intake.check(intake.raw_tables(p), p)
    with pytest.raises(UserError) as refused:
        contracts.stop_on_errors(findings)
    assert str(refused.value) == (
        "loan_months.loan_id: is personal here or in 'account' alone, and a pseudonym joins no clear key; mark both or "
        "neither (5 rows, e.g. 'L1')"
    )


@pytest.mark.parametrize("large_cells", [None, 2])
def test_rows_that_differ_in_the_writing_of_their_key_alone_are_one(asked, monkeypatch, large_cells):
    if large_cells:
        monkeypatch.setattr(large, "CELLS_IN_MEMORY", large_cells)
    files = {"customer": "id,surname,income_amt\nc1,Smithson,10\nC1,Smithson,10\nc2,Jonesdottir,20\nc9,Nobody,30\n"}
    core, lines = _core(asked("account", "customer", files=files))
    assert core["core__account"][0]["income_amt"].tolist() == [10, 10, 20, 30]
    assert lines == ["warning: customers.*: the same row twice, one is kept (1 row)"]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("customer", "id,surname,income_amt\nc1,Smithson,10\nC1,Jonesdottir,20\n", "customers.customer_id: {} 'c*')"),
        ("account", FILES["account"] + "l4,c2,300,0\n", "loans.loan_id: {} 'l*')"),
        ("month", FILES["month"] + "l1,2020-01-31,1,\n", "loan_months.loan_id: {} 'l*')"),
    ],
)
def test_a_key_in_two_writings_of_two_rows_is_refused(asked, name, text, line):
    _, findings = intake.check(intake.raw_tables(p := asked("account", "month", "customer", files={name: text})), p)
    rule = "key is not unique: upper and lower case, full and half width are one key (2 rows, e.g."
    with pytest.raises(UserError) as refused:
        contracts.stop_on_errors(findings)
    mend = "; remove the rows too many, or name in `role: key` what tells them apart"
    assert str(refused.value) == line.format(rule) + mend


def test_a_sample_has_the_months_of_its_accounts_whatever_their_case(asked):
    rows = "".join(f"L{i},c{i % 7},100,{i % 2}\n" for i in range(200))
    months = "".join(f"l{i},2020-0{m}-01,0,\n" for i in range(200) for m in range(1, 5))
    files = {"account": "LoanNo,customer_id,original_amt,bad\n" + rows, "month": "LOAN,period,STATUS,note\n" + months}
    assert len(intake.raw_tables(asked("account", "month", files=files, sample_rows=50))["month"][0]) == 200


def test_a_sample_is_of_accounts_with_all_their_months(asked):
    rows = "".join(f"L{i},c{i % 7},100,{i % 2}\n" for i in range(200))
    months = "".join(f"L{i},2020-0{m}-01,0,\n" for i in range(200) for m in range(1, 5))
    files = {"account": "LoanNo,customer_id,original_amt,bad\n" + rows, "month": "LOAN,period,STATUS,note\n" + months}
    raw = intake.raw_tables(asked("account", "month", files=files, sample_rows=50))
    assert len(raw["account"][0]) == 50 and len(raw["month"][0]) == 200
    assert set(raw["month"][0]["LOAN"]) == set(raw["account"][0]["LoanNo"])


def test_rows_drawn_of_one_class_are_told_by_the_parameter_that_draws(asked):
    rows = "".join(f"L{i},c{i % 7},{100 + i},{int(i == 0)}\n" for i in range(200))
    p = asked("account", files={"account": "LoanNo,customer_id,original_amt,bad\n" + rows}, sample_rows=20)
    with pytest.raises(UserError) as e:
        contracts.stop_on_errors(intake.check(intake.raw_tables(p), p)[1])
    assert "outcome must have two classes, and the 20 rows drawn hold one; raise sample_rows" in str(e.value)


def test_two_rows_of_one_month_are_an_error_and_the_same_row_twice_is_one(asked):
    month = FILES["month"] + "L2,2020-01-31,3,x\nL1,2020-01-31,2,\n"
    p = asked("account", "month", files={"month": month})
    _, findings = intake.check(intake.raw_tables(p), p)
    lines = [f.line() for f in findings]
    assert "loan_months.loan_id+period: key is not unique (2 rows, e.g. 'L*'+'2020-01-31')" in lines
    assert "loan_months.*: the same row twice, one is kept (1 row)" in lines


def test_the_grain_names_rows_and_parents(asked):
    p = asked("account", "month")
    raw = intake.raw_tables(p)
    checked, _ = intake.check(raw, p)
    evidence = grain.examine(checked, {n: c for n, (_, c) in raw.items()})
    assert str(evidence.verdict) == "info"
    rows = evidence.table.set_index("table")
    assert rows.loc["account", ["key", "parent", "parents", "most_rows_of_one_parent"]].tolist() == [
        "loan_id",
        "customer_id",
        3,
        2,
    ]
    assert rows.loc["month", ["key", "parents"]].tolist() == ["loan_id + period", 4]


def test_an_identifier_that_repeats_unnamed_is_amber(asked):
    columns = [{**c, "role": "ignore"} if c["name"] == "customer_id" else c for c in CONTRACTS["account"]["columns"]]
    p = asked("account", contracts={"account": {"columns": columns}})
    raw = intake.raw_tables(p)
    checked, _ = intake.check(raw, p)
    evidence = grain.examine(checked, {n: c for n, (_, c) in raw.items()})
    assert str(evidence.verdict) == "amber" and evidence.value == 1
    assert "saying so: account.customer_id (4 rows of 3)." in evidence.answer
    nameless = [{**c, "role": "fact", "personal": ""} if c["name"].endswith("_id") else c for c in columns]
    assert (
        "account.customer_id"
        in grain.examine(
            checked,
            {
                "account": raw["account"][1].replaced(
                    [c.model_copy(update=n) for c, n in zip(raw["account"][1].columns, nameless, strict=True)]
                )
            },
        ).answer
    )


def test_a_column_that_is_not_in_the_file_is_named_before_a_kernel_starts(asked):
    columns = [*CONTRACTS["customer"]["columns"], {"name": "income", "type": "number"}]
    with pytest.raises(UserError) as e:
        asked("account", "month", "customer", contracts={"customer": {"columns": columns}}).verify()
    assert (
        str(e.value)
        == "customers.income: column is missing; if 'income_amt' is meant, write `source: income_amt` in the contract (3 rows)"
    )
    uneven = {"customer": "Customers of the bank\n" + FILES["customer"]}
    with pytest.raises(UserError, match="what stands above line 2, the header, is no part of the table; delete it"):
        asked("account", "month", "customer", files=uneven).verify()


def test_no_outcome_is_asked_of_files_with_months_only(asked):
    columns = CONTRACTS["account"]["columns"][:3]
    changed = {"account": {"columns": columns, "event_value": ""}}
    bare = FILES["account"].replace(",bad", "").replace(",0\n", "\n").replace(",1\n", "\n")
    core, _ = _core(asked("account", "month", contracts=changed, files={"account": bare}))
    assert not core["core__account"][1].named("outcome") and len(core["core__month"][0]) == 4
    with pytest.raises(UserError, match="no column has the role outcome"):
        asked("account", contracts=changed).verify()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"month": {"entity": "loan"}},
            "contract 'loan_months': table `month` with `entity: loan`; a table of months is named `month` in the study and says `entity: month`",
        ),
        (
            {
                "month": {
                    "columns": [
                        {**c, "name": "loan_no"} if c["name"] == "loan_id" else c for c in CONTRACTS["month"]["columns"]
                    ]
                }
            },
            "contract 'loan_months': a table of months has the account's key ('loan_id') as its only key and one column with the role as_of, the month",
        ),
        (
            {"event": {"columns": [c for c in CONTRACTS["event"]["columns"] if c["name"] != "loan_id"]}},
            "contract 'calls': nothing joins 'event' to the account: its key 'loan_id' is no key or parent here (did you mean 'call_id'?); name the column alike in both, the file's name goes into `source`",
        ),
        (
            {"customer": {"columns": [*CONTRACTS["customer"]["columns"], {"name": "original_amt", "type": "number"}]}},
            "contract 'customers': column 'original_amt' stands in the account's table, too; rename one",
        ),
        (
            {"account": {"columns": [*CONTRACTS["account"]["columns"], {"name": "t", "type": "date", "role": "key"}]}},
            "contract 'loan_months': a table of months has the account's key ('loan_id') as its only key and one column with the role as_of, the month",
        ),
    ],
)
def test_files_that_do_not_join_are_refused_before_a_kernel_starts(asked, changes, message):
    with pytest.raises(UserError) as e:
        asked("account", "month", "customer", "event", contracts=changes).verify()
    assert str(e.value) == message


@pytest.mark.parametrize(
    ("files", "contracts", "message"),
    [
        ({}, {}, "portfolios/intake: own_files needs `files: {account: PATH}` and `contracts: {account: PATH}`, account being the table with one row per account, loan or customer"),
        ({"account": "a", "month": "m"}, {"account": "a"}, "portfolios/intake: own_files: table 'month' has no path in `contracts`; name one for each"),
        ({"account": "a", "My Months": "m"}, {"account": "a", "My Months": "m"}, "portfolios/intake: own_files: table name 'My Months': write a name of a-z, 0-9 and _"),
        ({"account": "a.csv"}, {"account": "a.yaml"}, "portfolios/intake: file 'a.csv' is not there (looked from the workbench's folder; or set WORKBENCH_DATA)"),
    ],
)  # fmt: skip
def test_paths_are_named_alike_for_files_and_contracts(tmp_path, monkeypatch, files, contracts, message):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    with pytest.raises(UserError) as e:
        intake.Params(portfolio="own_files", files=files, contracts=contracts).verify()
    assert str(e.value) == message


@pytest.fixture(scope="module")
def own_core(bank_file, tmp_path_factory):
    """Return a function that gives the core tables of a study on other banks' files, made once, and its lines."""

    @cache
    def made(study: str) -> tuple[dict, list[str]]:
        home = tmp_path_factory.mktemp(study)
        (home / "params").symlink_to(REPOSITORY / "params")
        params = yaml.safe_load((REPOSITORY / "params" / f"{study}.yaml").read_text())["steps"]["portfolios/intake"]
        with pytest.MonkeyPatch.context() as here:
            here.setenv("WORKBENCH_HOME", str(home))
            for path in params["files"].values():
                here.setenv("WORKBENCH_DATA", str(bank_file(Path(path).name).parent))
            return _core(intake.Params(**params, sample_rows=0, today="2026-01-01"))

    return made


@pytest.mark.parametrize(
    ("study", "rows", "late", "defaulted"),
    [
        pytest.param("card_records", (36_457, 777_715), 11_575, 302, marks=pytest.mark.whole),
        ("auto_loans", (6_408, 200_555), 22_229, 1_055),
    ],
)
def test_other_banks_months_become_core_tables(own_core, study, rows, late, defaulted):
    core, lines = own_core(study)
    account, month = core["core__account"][0], core["core__month"][0]
    assert [line for line in lines if line.startswith("error")] == []
    assert (len(account), len(month)) == rows and set(month["entity_id"]) <= set(account["entity_id"])
    assert (month["delay_months"] >= 1).sum() == late
    assert month.loc[month["delay_months"] >= 3, "entity_id"].nunique() == defaulted


@pytest.mark.whole
def test_applicants_of_the_same_answers_are_one_parent(own_core):
    account, contract = own_core("card_records")[0]["core__account"]
    assert contract.named("parent") == ["applicant_id"] and account["applicant_id"].nunique() == 9_728


def test_two_days_of_one_month_are_no_two_months(asked):
    twice = FILES["month"] + "L2,2020-01-15,C,\n"
    p = asked("account", "month", files={"month": twice})
    with pytest.raises(UserError) as refused:
        _core(p)
    assert str(refused.value) == (
        "portfolios/intake: own_files: month: 1 rows name an account and month that another row does, first in "
        "2020-01; give one row a month, or make them events of their own (`entity: event`, under another name)"
    )


def test_a_key_is_text_and_a_month_is_the_as_of_column(asked):
    number = {"columns": [{"name": "loan_id", "source": "LoanNo", "type": "integer", "role": "key"}]}
    with pytest.raises(UserError) as refused:
        own_files.SOURCE.words(asked("account", contracts={"account": number}))
    assert str(refused.value).endswith("columns.loan_id: a key is text, leading zeros and all; write `type: text`")
    columns = [*CONTRACTS["month"]["columns"], {"name": "month", "source": "note", "type": "text"}]
    p = asked("account", "month", contracts={"month": {"columns": columns[:3] + columns[-1:]}})
    with pytest.raises(UserError) as refused:
        own_files.SOURCE.columns(own_files.SOURCE.words(p))
    assert str(refused.value) == (
        "contract 'loan_months': column 'month' is another than the one with the role as_of, which the table is kept "
        "under as `month`; rename it (the file's name goes into `source`)"
    )


@pytest.mark.parametrize("name", ["is_event", "is_competing", "month_no", "anchor"])
def test_names_of_the_panels_own_sql_are_refused(asked, name):
    columns = [*CONTRACTS["month"]["columns"][:2], {"name": name, "source": "STATUS", "type": "text"}]
    with pytest.raises(UserError) as refused:
        own_files.SOURCE.words(asked("account", "month", contracts={"month": {"columns": columns}}))
    assert f"columns.{name}: the panel keeps this name for itself" in str(refused.value)


def test_a_joined_tables_columns_are_known_since_its_own_date(asked):
    columns = [
        *CONTRACTS["customer"]["columns"],
        {"name": "as_of", "source": "surname", "type": "date", "role": "as_of"},
    ]
    p = asked("account", "customer", contracts={"customer": {"columns": [columns[0], *columns[2:]]}})
    words = own_files._joined_contract(own_files.SOURCE.words(p))
    assert words["income_amt"].dated_by == "as_of" and words["as_of"].role == "fact" and not words["bad"].dated_by


@pytest.mark.parametrize(("spread", "light"), [("even", "amber"), ("towns", "info"), ("few", "info")])
def test_an_ignored_column_whose_values_repeat_as_a_parents_do_is_named_whatever_it_is_called(spread, light):
    rng, n = np.random.default_rng(1), 5600
    values = {
        "even": np.arange(n) // 8,
        "towns": np.minimum(rng.zipf(1.6, n), 700),
        "few": np.arange(n) % 40,
    }[spread]
    table = pd.DataFrame({"row_key": np.arange(n).astype(str), "contract_ref": values.astype(str)})
    columns = (
        Column(name="row_key", type="text", role="key"),
        Column(name="contract_ref", type="text", role="ignore"),
    )
    card = grain.examine({"account": table}, {"account": Contract(name="account", title="t", columns=columns)})
    assert card.verdict == light
    assert ("account.contract_ref (5,600 rows of 700)" in card.answer) == (light == "amber")
