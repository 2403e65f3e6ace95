"""Several files drafted together: what joins them, which holds months, which column is the month; the study runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from workbench import cli, contracts, home, pseudonyms
from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios import intake, joining
from workbench.portfolios.computed import with_computed

N = 200
RNG = np.random.default_rng(7)
LOANS = pd.DataFrame(
    {
        "LoanID": [f"A{i:05d}" for i in range(N)],
        "CustID": [f"C{i // 2:04d}" for i in range(N)],
        "amount": RNG.integers(100, 9999, N),
    }
)
CUSTOMERS = pd.DataFrame({"CustID": [f"C{i:04d}" for i in range(N // 2)], "income": RNG.integers(900, 5000, N // 2)})
MONTHS = pd.DataFrame(
    [(f"A{i:05d}", f"2020-{m:02d}", RNG.choice(list("012CX")), 50.5 * m) for i in range(N) for m in range(1, 7)],
    columns=["LoanID", "period", "STATUS", "BAL"],
)


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    tables = {"loans": LOANS, "months": MONTHS, "customers": CUSTOMERS}
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return {name: tmp_path / f"{name}.csv" for name in tables}


def test_loans_their_customers_and_months_are_told_apart_whatever_their_order(paths):
    for order in (["customers", "months", "loans"], ["loans", "months", "customers"]):
        drafted = joining.joined([paths[n] for n in order])
        account, month = drafted.contracts["account"], drafted.contracts["month"]
        assert (
            next(iter(drafted.contracts)) == "account"
            and account.name == "loans"
            and set(drafted.contracts) == {"account", "month", "customers"}
        )
        assert account.named("key") == ["loan_id"] and account.named("parent") == ["cust_id"]
        assert month.entity == "month" and month.identity() == ["loan_id", "period"]
        assert drafted.columns == {"month": "loan_id", "customers": "cust_id"}


def test_headers_without_latin_letters_join_wherever_they_stand(paths, tmp_path):
    headers = {"LoanID": "账户编号", "CustID": "客户编号", "amount": "金额"}
    months = MONTHS.rename(columns={**headers, "period": "月份", "STATUS": "状态", "BAL": "余额"})
    LOANS.rename(columns=headers).to_csv(tmp_path / "loans.csv", index=False)
    months[["月份", "余额", "状态", "账户编号"]].to_csv(tmp_path / "months.csv", index=False)
    for order in (["months", "loans"], ["loans", "months"]):
        drafted = joining.joined([paths[n] for n in order])
        account, month = drafted.contracts["account"], drafted.contracts["month"]
        key = drafted.columns["month"]
        assert account.named("key") == [key] and month.identity()[0] == key
        assert account[key].source == month[key].source == "账户编号"
        shared = {c.name for c in account.columns} & {c.name for c in month.columns}
        assert shared == {key}, "a name that stands in both joins them"


def test_chinese_months_become_the_facts_that_features_understand(paths, tmp_path):
    headers = {"LoanID": "贷款编号", "period": "月份", "BAL": "余额"}
    months = MONTHS.rename(columns=headers).assign(
        逾期天数=[i % 3 * 31 for i in range(len(MONTHS))], 应还金额=[100 + i % 5 for i in range(len(MONTHS))]
    )
    LOANS.rename(columns=headers).to_csv(tmp_path / "loans.csv", index=False)
    months.drop(columns="STATUS").to_csv(tmp_path / "months.csv", index=False)
    month = joining.joined([paths["loans"], paths["months"]]).contracts["month"]
    facts = {c.name: c.source or c.sql for c in month.columns if c.role == "fact"}
    assert facts == {
        "balance_amt": "余额",
        "days_past_due": "逾期天数",
        "due_amt": "应还金额",
        "delay_months": 'floor(CAST("逾期天数" AS DOUBLE) / 30)',
    }
    assert month["days_past_due"].aspect == "credit_record" and month["days_past_due"].description == "逾期天数"


def test_facts_get_the_names_that_features_understand(paths):
    month = joining.joined([paths["loans"], paths["months"]]).contracts["month"]
    assert {c.name: c.file_name for c in month.columns if c.role == "fact"} == {
        "status_code": "STATUS",
        "balance_amt": "BAL",
        "delay_months": "delay_months (computed)",
    }
    assert month["delay_months"].guessed and month["delay_months"].sql == (
        "CASE WHEN \"STATUS\" IN ('C', 'X') THEN 0 ELSE TRY_CAST(\"STATUS\" AS INTEGER) END"
    )


@pytest.mark.parametrize(
    ("codes", "note"),
    [
        ("0123CXW", "C and X are read as 0 months late, W and an empty cell as unknown"),
        ("0123", "an empty cell as unknown"),
    ],
)
def test_a_status_that_does_not_say_how_late_is_unknown_and_not_paid_in_time(paths, tmp_path, codes, note):
    status = [(*codes, "")[i % (len(codes) + 1)] for i in range(len(MONTHS))]
    MONTHS.assign(STATUS=status).to_csv(tmp_path / "months.csv", index=False)
    month = joining.joined([paths["loans"], paths["months"]]).contracts["month"]
    assert month.notes[-1] == f"delay_months: of 'STATUS', {note}; correct its `sql` where a code says otherwise."
    delay = with_computed(MONTHS.assign(STATUS=[s or None for s in status]), month)["delay_months (computed)"]
    read = dict(zip(status, delay, strict=True))
    assert [c for c in read if pd.isna(read[c])] == [c for c in ("W", "") if c in read]
    assert all(read[c] == (int(c) if c.isdigit() else 0) for c in read if c not in ("W", ""))


def test_two_files_of_one_table_are_refused_by_name(paths, tmp_path, capsys):
    for part, name in ((MONTHS[:600], "months_a"), (MONTHS[600:], "months_b")):
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    assert cli.main(["intake", *(str(tmp_path / f"{n}.csv") for n in ("loans", "months_a", "months_b"))]) == 2
    assert capsys.readouterr().err == (
        "workbench: months_a.csv and months_b.csv would both be the table `month`; put them together in one file\n"
    )
    CUSTOMERS.to_csv(tmp_path / "account.csv", index=False)
    assert cli.main(["intake", *(str(tmp_path / f"{n}.csv") for n in ("loans", "months", "account"))]) == 2
    assert capsys.readouterr().err == (
        "workbench: loans.csv and account.csv would both be the table `account`; rename account.csv\n"
    )
    CUSTOMERS.to_csv(tmp_path / "month.csv", index=False)
    for order in (("loans", "months", "month"), ("month", "loans", "months")):
        assert cli.main(["intake", *(str(tmp_path / f"{n}.csv") for n in order)]) == 2
        line = capsys.readouterr().err
        assert line.endswith(".csv would both be the table `month`; rename month.csv\n") and "months.csv" in line
    assert not (tmp_path / "params").exists()


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (
            "table_2.csv 月度.csv",
            "table_2.csv and 月度.csv would both be the table `table_2`; rename one, a table is called as its file",
        ),
        ("loans.csv ./loans.csv", "loans.csv: the file is given twice; name it once"),
        (
            "loans.csv Loans.csv",
            "loans.csv and Loans.csv would both be the table `loans`; rename one, a table is called as its file",
        ),
    ],
)
def test_a_file_whose_name_gives_no_table_of_its_own_is_named(paths, tmp_path, capsys, monkeypatch, names, line):
    monkeypatch.chdir(tmp_path)
    for name, table in (
        ("贷款.csv", LOANS),
        ("月度.csv", MONTHS),
        ("客户.csv", CUSTOMERS),
        ("Loans.csv", LOANS),
        ("table_2.csv", LOANS),
    ):
        table.to_csv(tmp_path / name, index=False)
    assert cli.main(["intake", *names.split()]) == 2
    assert capsys.readouterr().err == f"workbench: {line}\n" and not (tmp_path / "params").exists()


def test_files_without_latin_letters_are_called_by_their_place(paths, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, table in (("贷款台账.csv", LOANS.assign(是否违约=["是", "否"] * (N // 2))), ("还款明细.csv", MONTHS)):
        table.to_csv(tmp_path / name, index=False)
    assert cli.main(["intake", "还款明细.csv", "贷款台账.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "还款明细.csv: table `month`, joined by loan_id" and not any(
        "names the rows" in n for n in lines
    )
    assert [Path(line.partition(":")[0]).relative_to(tmp_path).as_posix() for line in lines[1:4]] == [
        "params/contracts/account.yaml", "params/contracts/month.yaml", "params/account.yaml"
    ]  # fmt: skip
    assert lines[-1] == (
        "outcome: delay_months >= 3 within 12 months, a row each month; without `outcome` in params/account.yaml it is "
        "'是否违约', one row on its own date"
    )
    study = yaml.safe_load((tmp_path / "params" / "account.yaml").read_text())
    assert study["title"] == "account" and study["steps"]["panel/build"]["outcome"] == joining.LATE


def test_what_is_written_can_be_taken_in(paths, tmp_path):
    written = joining.write(joining.joined(list(paths.values())))
    assert [p.relative_to(tmp_path).as_posix() for p in written] == [
        "params/contracts/loans.yaml",
        "params/contracts/months.yaml",
        "params/contracts/customers.yaml",
        "params/loans.yaml",
    ]
    study = yaml.safe_load((tmp_path / "params" / "loans.yaml").read_text())
    assert study["steps"]["panel/build"]["outcome"]["event"] == "delay_months >= 3"
    p = intake.Params(**study["steps"]["portfolios/intake"], **study["defaults"], today="2030-01-01")
    p.verify()
    raw = intake.raw_tables(p)
    checked, findings = intake.check(raw, p)
    assert [f.line() for f in findings if f.severity == "error"] == []
    core = intake.core(intake.depersonalised(checked, raw, p)[0], raw, p)
    assert {n: len(t) for n, (t, _) in core.items()} == {"core__account": N, "core__month": 6 * N}
    expected = (MONTHS["STATUS"].isin(list("12"))).sum()
    assert (core["core__month"][0]["delay_months"] > 0).sum() == expected
    with pytest.raises(
        UserError, match=r"loans\.yaml is there already and may hold your corrections; move it away first"
    ):
        joining.write(joining.joined(list(paths.values())))


def test_a_street_with_its_number_points_to_somebody_and_a_town_alone_to_nobody(paths):
    column = Column(name="lives_at", type="text", role="fact", personal="address")
    key = Column(name="loan_id", type="text", role="key")
    lives_at = pd.DataFrame(
        {"loan_id": ["1", "2"], "lives_at": ["Neue Schönhauser Str. 12, Berlin", "Bad Homburg vor der Höhe"]}
    )
    raw = {"account": (lives_at, Contract(name="l", title="t", columns=(key, column)))}
    p = intake.Params(study="l", portfolio="own_files", files={"account": "a.csv"}, contracts={"account": "a.yaml"})
    clean, evidence = intake.depersonalised({"account": lives_at}, raw, p)
    made = pseudonyms.load_fingerprints(home.mlruns(), "l")
    key = pseudonyms.key(home.mlruns())
    assert list(clean["account"]) == ["loan_id"] and evidence.value == 1
    seen = [bool(made & pseudonyms.fingerprints([place], key)) for place in lives_at["lives_at"]]
    assert seen == [True, False]


def test_months_that_are_only_counted_are_dated_from_an_assumed_one(paths, tmp_path):
    counted = MONTHS.assign(MONTHS_BALANCE=MONTHS["period"].str[-2:].astype(int) - 6).drop(columns="period")
    counted.to_csv(tmp_path / "counted.csv", index=False)
    month = joining.joined([paths["loans"], tmp_path / "counted.csv"]).contracts["month"]
    assert month.named("as_of") == ["month"] and "2020-12" in month["month"].description and month["month"].guessed
    assert contracts.Contract.model_validate(month.model_dump())["month"].made_from == ("months_balance",)


def test_files_that_share_nothing_are_one_line(paths, tmp_path):
    pd.DataFrame({"other": range(9), "x": range(9)}).to_csv(tmp_path / "alien.csv", index=False)
    with pytest.raises(UserError) as e:
        joining.joined([paths["loans"], tmp_path / "alien.csv"])
    assert str(e.value) == (
        "alien.csv: no column joins it to loans.csv: none is named alike in both and unique in one of them; name the column alike"
    )


def test_the_command_says_what_it_joined(paths, capsys):
    assert cli.main(["intake", str(paths["months"]), str(paths["loans"])]) == 0
    printed = capsys.readouterr().out
    assert "months.csv: table `month`, joined by loan_id" in printed and "params/loans.yaml: drafted" in printed
    assert cli.main(["intake", str(paths["months"]), str(paths["loans"]), "--out", "x.yaml"]) == 2
