"""Drafted contracts: what is planted in a file is guessed and marked, and the draft holds for its own file."""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench import contracts
from workbench.params import UserError
from workbench.portfolios import catalog, draft, encodings, grain, guesses, oddities
from workbench.portfolios.files import read_raw
from workbench.portfolios.looks import look
from workbench.words import heard, speaking

TODAY = pd.Timestamp("2026-01-01")
N = 400
DATA = Path(os.environ.get("WORKBENCH_DATA", Path(__file__).parents[3] / "shared" / "data" / "try"))  # may be absent


def _resident(i: int) -> str:
    """An invented resident number with a right check character."""
    body = f"110101199003{1 + i // 1_000 % 28:02d}{i % 1_000:03d}"
    return body + "10X98765432"[sum(int(d) * pow(2, 17 - k, 11) for k, d in enumerate(body)) % 11]


@pytest.fixture
def own_file(tmp_path) -> Path:
    days = pd.date_range("2020-01-01", periods=N)
    bad = np.arange(N) % 10 == 0
    table = pd.DataFrame(
        {
            "Loan ID": [f"{110101199003070000 + i}" for i in range(N)],
            "customer_name": [f"Ada {i}" for i in range(N)],
            "Document": [_resident(i) for i in range(N)],
            "reach": [f"ada{i}@example.org" for i in range(N)],
            "mobile": [f"1380000{i:04d}" for i in range(N)],
            "Gender": ["F", "M"] * (N // 2),
            "branch_name": ["North", "South", "East", "West"] * (N // 4),
            "annual_income": [f"{i + 1},{i % 10}00" for i in range(N)],
            "days_employed": [365243 if i % 5 == 0 else i for i in range(N)],
            "job": ["clerk", "Unknown", "nurse", "cook"] * (N // 4),
            "paid_out": [f"{d + pd.Timedelta(days=30):%Y%m%d}" for d in days],
            "approval_date": [f"{d:%Y%m%d}" for d in days],
            "recovered_amount": range(N),
            "visit_cost": np.where(bad, np.arange(N) + 7.5, np.nan),
            "default": ["no", "yes"] * (N // 2),
            "y": np.where(bad, "1", "0"),
        }
    )
    table.to_csv(tmp_path / "Our Loans.csv", index=False)
    return tmp_path / "Our Loans.csv"


def test_what_is_planted_is_guessed_and_marked(own_file):
    drafted = draft.draft(own_file)
    columns = {c.name: c for c in drafted.columns}
    assert drafted.named("key") == ["loan_id"] and columns["loan_id"].type == "text"
    kinds = {"loan_id": "identifier", "customer_name": "name", "document": "identifier"}
    personal = {n: c.personal for n, c in columns.items() if c.personal}
    assert personal == {**kinds, "reach": "contact", "mobile": "contact"}
    assert columns["annual_income"].type == "integer" and drafted.thousands == ","
    assert columns["annual_income"].aspect == "capacity" and columns["branch_name"].type == "category"
    assert columns["days_employed"].missing == ("365243",) and columns["job"].missing == ("Unknown",)
    assert [n for n, c in columns.items() if c.fairness] == ["gender"]
    assert columns["approval_date"].type == "date" and drafted.named("as_of") == ["approval_date"]
    assert drafted.named("outcome") == ["y"] and drafted.event_value == "1", "`default` is a feature beside `y`"
    late = {n for n, c in columns.items() if c.known == "after"}
    assert late == {"paid_out", "recovered_amount", "visit_cost", "y"}
    assert all(c.guessed for c in columns.values())


def test_the_draft_can_be_read_again_and_holds_for_its_own_file(own_file, tmp_path):
    path = tmp_path / "c.yaml"
    text = draft.to_yaml(draft.draft(own_file))
    path.write_text(text)
    again = contracts.load(path)
    assert again == draft.draft(own_file)
    table, findings = contracts.check(read_raw(own_file, again), again, TODAY)
    assert findings == []
    assert table["annual_income"].iloc[1] == 2100 and table["days_employed"].isna().sum() == N / 5
    assert text.startswith("# Drafted: confirm each `guessed` line")
    assert text.count("# guessed: ") == len(again.columns) and "# guessed: unique in every row" in text
    assert not any(v in text for v in ("Ada", "example.org", "13800", "110101")), "no personal value in a contract"


def _with_signs(tmp_path, **columns):
    table = pd.DataFrame({"id": [f"a{i}" for i in range(N)], "y": ["0", "1"] * (N // 2), **columns})
    table.to_csv(tmp_path / "f.csv", index=False, sep=";")
    drafted = draft.draft(tmp_path / "f.csv")
    return drafted, *contracts.check(read_raw(tmp_path / "f.csv", drafted), drafted, TODAY)


def test_decimal_commas_are_drafted_and_read_as_such(tmp_path):
    rate, price = ([f"{i % 9},{i % 99 + 1:0{n}d}" for i in range(N)] for n in (2, 3))
    drafted, table, findings = _with_signs(tmp_path, rate=rate, price=price, amt=[f"{i + 1}.100,50" for i in range(N)])
    assert (drafted.decimal, drafted.thousands, findings) == (",", ".", [])
    assert table.loc[5, ["rate", "price", "amt"]].tolist() == [5.06, 5.006, 6100.5]
    assert {drafted[n].type for n in ("rate", "price", "amt")} == {"number"}
    assert drafted.notes == ("price: commas before three digits are read as decimals (5,906 is 5.906), as others are.",)


def test_commas_that_may_be_either_are_thousands_with_a_note(tmp_path):
    drafted, table, _ = _with_signs(tmp_path, price=[f"{i % 9 + 1},{i + 100}" for i in range(N)])
    assert (drafted.decimal, drafted.thousands, table["price"][1]) == (".", ",", 2101)
    assert drafted.notes == (
        "price: every number has three digits after its comma, read as thousands (5,906 is 5906); "
        'if it stands before decimals, set `decimal: ","` in place of `thousands`.',
    )


def test_decimal_commas_beside_decimal_points_are_refused(tmp_path):
    drafted, _, findings = _with_signs(tmp_path, rate=[f"{i},5" for i in range(N)], share=[f"{i}.5" for i in range(N)])
    assert (drafted.decimal, drafted.thousands, drafted["rate"].type) == (".", "", "number")
    assert findings[0].rule == 'not a number; has decimal commas: set `decimal: ","` in the contract'


def test_a_few_negative_amounts_become_missing_and_many_make_it_no_amount(tmp_path):
    table = pd.DataFrame({"id": [f"a{i}" for i in range(N)], "loan_amt": np.arange(N) + 5, "y": ["0", "1"] * (N // 2)})
    table["balance_amt"] = np.where(np.arange(N) % 3 == 0, -50, 70) + np.arange(N)
    table.loc[7, "loan_amt"] = -300
    table.to_csv(tmp_path / "f.csv", index=False)
    drafted = draft.draft(tmp_path / "f.csv")
    assert drafted["loan_amt"].minimum == 0 and drafted["loan_amt"].breach == "warning"
    assert drafted["balance_amt"].minimum is None
    checked, findings = contracts.check(read_raw(tmp_path / "f.csv", drafted), drafted, TODAY)
    assert [f.line() for f in findings] == ["f.loan_amt: below 0 (1 row, e.g. '-300')"]
    assert checked["loan_amt"].isna().sum() == 1


def test_encoding_delimiter_and_chinese_headers_are_guessed(tmp_path):
    rows = "".join(f"{i};王芳{i};{i % 7};{i % 2}\n" for i in range(100))
    (tmp_path / "a.csv").write_bytes(f"编号;姓名;金额;违约\n{rows}".encode("gbk"))
    drafted = draft.draft(tmp_path / "a.csv")
    assert (drafted.encoding, drafted.delimiter) == ("gb18030", ";")
    assert [c.name for c in drafted.columns] == ["column_1", "column_2", "column_3", "column_4"]
    assert drafted.named("key") == ["column_1"] and drafted.named("outcome") == ["column_4"]
    assert drafted["column_2"].personal == "name" and drafted["column_4"].role == "outcome"
    assert [(c.source, c.description) for c in drafted.columns] == [(h, h) for h in ("编号", "姓名", "金额", "违约")]


def test_an_owner_and_a_month_are_a_key_together(tmp_path):
    pairs = [(f"{i:05d}", m, i * m % 7) for i in range(200) for m in range(1, 4)]
    pd.DataFrame(pairs, columns=["ID", "months_balance", "amt"]).to_csv(tmp_path / "m.csv", index=False)
    drafted = draft.draft(tmp_path / "m.csv")
    assert drafted.named("key") == ["id", "months_balance"] and drafted["id"].personal == "identifier"
    assert "# guessed: unique in every row together with the other key" in draft.to_yaml(drafted)


def test_a_word_for_no_value_among_numbers_leaves_them_numbers(tmp_path):
    enquiries = [*("无记录" if i % 30 == 0 else str(i % 9) for i in range(N))]
    income = [
        *("未填" if i % 50 == 0 else "-999" if i % 31 == 0 else "-998" if i % 37 == 0 else str(i) for i in range(N))
    ]
    table = pd.DataFrame(
        {"id": [f"a{i}" for i in range(N)], "enq": enquiries, "income": income, "black": np.arange(N) % 2}
    )
    drafted = _drafted(tmp_path, table)
    assert drafted["enq"].type == "integer" and drafted["enq"].missing == ("无记录",)
    assert drafted["black"].fairness
    (line,) = [text for text in draft.to_yaml(drafted).splitlines() if 'name: "income"' in text]
    assert (
        'type: "integer"' in line
        and 'missing: ["未填"]' in line
        and 'special: {"-999": "-999", "-998": "-998"}' in line
    )
    checked, findings = contracts.check(read_raw(tmp_path / "f.csv", drafted), drafted, TODAY)
    assert not [f for f in findings if f.severity == "error"] and checked["enq"].isna().sum() == len(range(0, N, 30))


def test_rows_of_one_owner_on_several_dates_are_his_and_the_draft_says_so(tmp_path):
    rows = [(f"L{i:04d}", f"C{i // 2:04d}", f"2024-0{m}-28", i * m % 7, i % 2) for i in range(600) for m in range(1, 4)]
    drafted = _drafted(tmp_path, pd.DataFrame(rows, columns=["loan_no", "customer_no", "data_date", "amt", "bad"]))
    assert (
        drafted.named("key") == []
        and drafted.named("as_of") == ["data_date"]
        and drafted["data_date"].known == "before"
    )
    assert drafted.named("parent") == ["loan_no"] and drafted["customer_no"].role == "ignore"
    assert len(drafted.notes) == 1 and "# guessed: with its owner unique in every row" in draft.to_yaml(drafted)
    checked, _ = contracts.check(read_raw(tmp_path / "f.csv", drafted), drafted, TODAY)
    apart = grain.examine({"account": checked}, {"account": drafted})
    assert str(apart.verdict) == "amber" and "account.customer_no (1,800 rows of 300)" in apart.answer
    customers = drafted.replaced(
        c.model_copy(update={"role": {"loan_no": "ignore", "customer_no": "parent"}.get(c.name, c.role)})
        for c in drafted.columns
    )
    assert str(grain.examine({"account": checked}, {"account": customers}).verdict) == "info"
    assert drafted.notes[0].startswith(
        "A row is one 'loan_no' on one 'data_date': rows of one are drawn into one sample."
    )


def _drafted(tmp_path, table: pd.DataFrame, name: str = "f.csv"):
    """The draft of a table, which must come back from its own YAML as it was."""
    table.to_csv(tmp_path / name, index=False)
    drafted = draft.draft(tmp_path / name)
    (tmp_path / "c.yaml").write_text(draft.to_yaml(drafted), encoding="utf-8")
    assert draft.to_yaml(contracts.load(tmp_path / "c.yaml")) == draft.to_yaml(drafted)
    return drafted


def test_a_key_in_which_rows_stand_twice_stays_the_key_and_the_check_refuses_it(tmp_path):
    table = pd.DataFrame(
        {"loan_id": [f"L{i}" for i in range(N - 4)] + ["L1", "L2", "L3", "L3"], "amt": range(N), "y": [0, 1] * (N // 2)}
    )
    drafted = _drafted(tmp_path, table)
    assert drafted.named("key") == ["loan_id"]
    assert drafted.notes == (
        "Key 'loan_id': 4 of 400 rows repeat a value or have none; remove them, or name the columns that make a row unique.",
    )
    assert "# guessed: called like a key, but look at the notes" in draft.to_yaml(drafted)
    _, findings = contracts.check(read_raw(tmp_path / "f.csv", drafted), drafted, TODAY)
    assert [f.rule for f in findings if f.severity == "error"] == ["key is not unique"]


@pytest.mark.parametrize("owner", ["customer_id", "obligor_no", "borrower_number", "debtor_nr", "counterparty_no"])
def test_an_owner_beside_the_key_is_the_parent_and_a_branch_is_not(tmp_path, owner):
    rows = [f"L{i:05d},C{i // 2:05d},{i % 90:03d},{i}" for i in range(4000)]
    (tmp_path / "loans.csv").write_text("\n".join([f"loan_id,{owner},branch_id,amount", *rows]))
    drafted = draft.draft(tmp_path / "loans.csv")
    assert (drafted.named("key"), drafted.named("parent")) == (["loan_id"], [owner])


def test_an_owner_of_several_rows_is_their_parent(tmp_path):
    table = pd.DataFrame({"customer_id": [f"C{i // 2}" for i in range(N)], "amt": range(N), "y": [0, 1] * (N // 2)})
    drafted = _drafted(tmp_path, table)
    assert drafted.named("key") == [] and drafted.named("parent") == ["customer_id"]


def test_one_code_is_drafted_as_missing_and_several_are_kept_apart(tmp_path):
    values = [*range(60), -9999, -9998, -9999, -9998]
    table = pd.DataFrame({"score": values, "late": [*range(60), *[-1] * 4], "code": ["a", "b"] * 32})
    _drafted(tmp_path, table.assign(y=[0, 1] * 32))
    lines = {c.name: c for c in contracts.load(tmp_path / "c.yaml").columns}
    assert lines["score"].special == {"-9999": "-9999", "-9998": "-9998"} and lines["score"].missing == ()
    assert lines["late"].missing == ("-1",) and lines["late"].special == {}
    written = (tmp_path / "c.yaml").read_text(encoding="utf-8")
    assert "# guessed: codes apart from all other values: write what each says behind it" in written
    assert "score_special" not in written


@pytest.mark.parametrize(
    ("odd", "usual", "missing"),
    [
        ([999999999, -9999], range(10, 70), ("999999999", "-9999")),
        ([999, 9999], range(60), ("9999", "999")),
        ([-9999, -1], range(60), ("-9999", "-1")),
        ([-9999, 99999], range(-30, 30), ("99999", "-9999")),
        ([-9, -1], range(60), ()),
        ([-9, -8, -7], range(60), ("-9", "-8", "-7")),
        ([-9, -8, -7], range(-6, 60), ()),
        ([-8, -7], range(60), ()),
        ([-998], range(60), ("-998",)),
        ([997], range(400), ()),
        ([-998, -999], range(-30, 30), ("-999", "-998")),
        ([99, 98], range(31), ("99", "98")),
        ([99, 98], range(41), ()),
        ([9999, 9998, -1], range(60), ("9999", "9998", "-1")),
        ([-99, 99999], range(-30, 30), ("99999",)),
        ([-999, 999], range(-500, 500, 20), ()),
        ([999999999, 9999], range(5000, 9000, 100), ("999999999",)),
    ],
)
def test_every_code_that_stands_apart_from_all_other_values_is_drafted_as_missing(tmp_path, odd, usual, missing):
    values = [*usual, *odd * 3]
    table = pd.DataFrame({"score": values * 2, "y": [0, 1] * len(values)})
    assert _drafted(tmp_path, table)["score"].missing == missing


def test_what_spreadsheets_and_keyboards_write_is_guessed(tmp_path):
    table = pd.DataFrame(
        {
            "loan_id": [f"1.{i:04d}E+17" for i in range(N)],
            "open_date": [str(43831 + i) for i in range(N)],
            "closed_on": ["9999-12-31" if i % 2 else f"2020-01-{i % 28 + 1:02d}" for i in range(N)],
            "utilisation": [f"{i / 4}%" for i in range(N)],
            "income": ["".join(chr(ord(d) + 0xFEE0) for d in str(1000 + i)) for i in range(N)],
            "sample": ["a", "b"] * (N // 2),
            "weight": range(N),
            "outcome": ["0", "1"] * (N // 2),
        }
    )
    drafted = _drafted(tmp_path, table)
    assert drafted["open_date"].type == "date" and drafted["open_date"].format == "excel"
    assert drafted["closed_on"].type == "date" and drafted["closed_on"].missing == ("9999-12-31",)
    assert drafted["utilisation"].type == "number" and drafted["utilisation"].unit == "%"
    assert drafted["income"].type == "integer" and drafted.named("outcome") == ["outcome_value"]
    assert {"sample_value", "weight_value"} < {c.name for c in drafted.columns}
    assert drafted.notes == (
        "Key 'loan_id' is in scientific notation, its digits are lost: export it as text.",
        "open_date: day numbers of a spreadsheet, read as dates (43831 is 2020-01-01); an old Mac's count from 1904.",
        "income: digits of full width, read as usual ones.",
    )
    read, findings = contracts.check(read_raw(tmp_path / "f.csv", drafted), drafted, TODAY)
    assert [f.rule for f in findings] == [
        "identifier in scientific notation, its digits are lost; export the column as text"
    ]
    assert read["open_date"].min() == pd.Timestamp("2020-01-01") and read["income"].max() == 1000 + N - 1
    assert read["utilisation"].max() == (N - 1) / 4 and read["closed_on"].isna().sum() == N / 2


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("name", ["Ada King", "Peter Hill", "Mary Lee"], "name"),
        ("customer_name", ["X Corp", "Y Corp", "Z Corp"], "name"),
        ("contact", ["王芳", "李娜", "欧阳修"], "name"),
        ("联系人", ["王芳", "李娜", "张伟"], "name"),
        ("officer", ["Ada King", "Peter Hill", "Mary Lee"], "name"),
        ("agent_name", ["Ada King", "Peter Hill", "Mary Lee"], "name"),
        ("region_name", ["North", "South", "East"], ""),
        ("branch_name", ["North", "South", "East"], ""),
        ("town", ["上海", "北京", "广州"], ""),
        ("education", ["高中", "本科", "大专"], ""),
        ("province", ["安徽", "江苏", "河北", "山东", "广东"], ""),
    ],
)
def test_names_of_people_are_personal_however_few_they_are(header, values, kind):
    assert guesses.personal(look(pd.Series(values * 200)), header, header) == kind


NASTY = ["\x85", "\ufeff", "\u2028", "\U000e0001", "😀", "a\tb", "'", '"', "\\", "#", "{x: y}", "- a", "null", "yes", "1e5", "\x7f", "%", "&a", "*a"]  # fmt: skip


def test_every_draft_can_be_read_whatever_stands_in_the_file(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(25):
        headers = list(dict.fromkeys(f"{rng.choice(NASTY)}{rng.choice(NASTY)}{k}" for k in range(6)))
        table = pd.DataFrame({h: rng.choice([f"a{v}b" for v in NASTY], 60) for h in headers})
        drafted = _drafted(tmp_path, table.assign(date=1), f"{rng.choice(['贷款', '2020', '.x', 'A b'])}{i}.csv")
        assert len(drafted.columns) == len(headers) + 1


@pytest.mark.parametrize("name", [p.name for p in sorted(DATA.glob("*.parquet"))])
def test_every_draft_of_another_banks_file_can_be_read(name, tmp_path):
    pd.read_parquet(DATA / name).head(2000).to_parquet(tmp_path / name)
    drafted = draft.draft(tmp_path / name)
    (tmp_path / "c.yaml").write_text(draft.to_yaml(drafted), encoding="utf-8")
    assert contracts.load(tmp_path / "c.yaml") == drafted
    assert drafted.notes == ("The pages of the file hold no checksums: a changed bit in it would not be noticed.",)


@pytest.mark.parametrize(("last", "is_turned"), [("good", True), ("7", False)])
def test_more_columns_than_rows_of_numbers_beside_texts_are_a_turned_table(tmp_path, last, is_turned):
    drafted = _drafted(tmp_path, pd.DataFrame({f"x_{i}": ["12", "5.5", last] for i in range(12)}))
    assert any("is the table turned?" in note for note in drafted.notes) == is_turned


@pytest.mark.whole
def test_many_columns_take_seconds(tmp_path):
    rng, n = np.random.default_rng(0), 300
    kinds = [
        rng.normal(size=n).round(3),
        rng.integers(0, 9, n),
        np.resize(["2020-01-01", "2021-03-04"], n),
        np.resize(["n", "s"], n),
    ]
    table = pd.DataFrame({f"x_{i}": kinds[i % 4] for i in range(500)})
    began = time.process_time()
    assert len(_drafted(tmp_path, table).columns) == 500
    assert time.process_time() - began < 6, "5,000 columns x 2,000 rows take 40 s of one core"


def test_one_column_is_no_portfolio(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n2\n")
    with pytest.raises(UserError, match=r"^a\.csv: one column only; is the delimiter another one\?$"):
        draft.draft(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["007", "010", "123"], "text"),
        (["1", "2", "30"], "integer"),
        (["1.5", "2", "30"], "number"),
        (["1,200", "2", "30,000"], "integer"),
        (["2020-01-31", "2020-02-01", "2020-02-02"], "date"),
        (["31.01.2020", "01.02.2020", "02.02.2020"], "date"),
        (["01/2020", "02/2020", "03/2020"], "date"),
        (["28-Feb-97", "01-Mar-97", "02-Mar-97"], "date"),
        (["10.12", "11.05", "12.30"], "number"),
        ([20200131, 20200201, 20200202], "date"),
        ([20200131, 20209901, 31], "integer"),
        ([110101199003070134, 110101199003070142, 1], "text"),
        ([True, False, True], "category"),
        (["a", "b", "a"], "category"),
        (["ada", "bo", "cy"], "text"),
        ([None, None, None], "text"),
    ],
)
def test_types(values, kind):
    assert guesses.type_of(look(pd.Series(values)), "x") == kind


@pytest.mark.parametrize("name", ["loan_age", "grace_period", "percentage", "message", "embrace"])
def test_words_that_hold_age_or_race_are_no_protected_group(name):
    assert not guesses.is_fairness(name)


LARGE = "lendingclub_2007_2014"
SHIPPED = [pytest.param(n, marks=pytest.mark.whole if n == LARGE else ()) for n in sorted(catalog.shipped())]


@pytest.mark.parametrize("name", SHIPPED)
def test_drafts_of_the_embedded_portfolios_find_the_outcome_of_their_contract(name):
    drafted, known = draft.draft(catalog.shipped()[name].path), catalog.shipped()[name].contract
    outcomes = [[c.file_name for c in k.columns if c.role == "outcome"] for k in (drafted, known)]
    assert outcomes[0] == outcomes[1] and drafted.event_value == known.event_value
    _, findings = contracts.check(read_raw(catalog.shipped()[name].path, drafted), drafted, TODAY)
    assert [f.line() for f in findings if f.severity == "error"] == []


@pytest.mark.parametrize(
    ("name", "key", "outcome"),
    [
        ("card_applications", "id", None),
        ("bank_churners", "clientnum", "attrition_flag"),
        ("sba_loans", "loan_nr_chk_dgt", "mis_status"),
    ],
)
def test_files_of_other_banks(name, key, outcome, tmp_path, bank_file):
    path = bank_file(f"{name}.parquet")
    drafted = draft.draft(path)
    assert drafted.named("key") == [key] and drafted.named("outcome") == ([outcome] if outcome else [])
    (tmp_path / "c.yaml").write_text(draft.to_yaml(drafted))
    again = contracts.load(tmp_path / "c.yaml")
    _, findings = contracts.check(read_raw(path, again), again, pd.Timestamp("2026-01-01"))
    assert [f.line() for f in findings if f.severity == "error"] == []


def test_a_chinese_file_has_its_outcome_its_date_and_its_aspects(tmp_path):
    n = 60
    table = {
        "贷款编号": [f"L{i:03d}" for i in range(n)],
        "放款日期": [f"2021-{i % 12 + 1:02d}-05" for i in range(n)],
        "到期日期": [f"2024-{i % 12 + 1:02d}-05" for i in range(n)],
        "贷款金额": [10_000 + 37 * i for i in range(n)],
        "月收入": [5_000 + 11 * i for i in range(n)],
        "年利率": [f"{4 + i % 7 * 0.5:.2f}" for i in range(n)],
        "征信评分": [600 + i for i in range(n)],
        "催收次数": [i % 4 for i in range(n)],
        "是否逾期": ["是" if i % 7 == 0 else "否" for i in range(n)],
    }
    pd.DataFrame(table).to_csv(tmp_path / "loans.csv", index=False)
    drafted = draft.draft(tmp_path / "loans.csv")
    called = {c.source: c for c in drafted.columns}
    assert drafted.event_value == "是" and called["是否逾期"].role == "outcome"
    assert called["放款日期"].role == "as_of" and called["到期日期"].known == called["催收次数"].known == "after"
    aspects = {n: called[n].aspect for n in ("贷款金额", "月收入", "年利率", "征信评分")}
    assert aspects == {"贷款金额": "size", "月收入": "capacity", "年利率": "offer", "征信评分": "credit_record"}


@pytest.mark.parametrize(("key", "owner"), [("合同号", "客户号"), ("借据编号", "客户编号"), ("流水号", "账号")])
def test_chinese_numbers_of_contracts_and_customers_are_key_and_parent(tmp_path, key, owner):
    rows = "".join(f"HT{i:05d},KH{i // 3:05d},{i % 90}\n" for i in range(600))
    (tmp_path / "a.csv").write_text(f"{key},{owner},金额\n{rows}", encoding="utf-8")
    drafted = draft.draft(tmp_path / "a.csv")
    assert {c.source: c.role for c in drafted.columns} == {key: "key", owner: "parent", "金额": "feature"}


@pytest.mark.parametrize(
    ("opened", "note"),
    [
        (
            "{:%d/%m/%y}",
            "opened: days written otherwise (31/01/20, 2020年1月31日), read as text; if so set `type: date`",
        ),
        ("{:%Y年%m月%d}", "opened: days written otherwise"),
        ("{0.value:d}", ""),  # nanoseconds are nobody's
        ("{0.seconds}", "opened: may hold seconds or milliseconds since 1970; if so write them as 2020-01-31"),
        ("{0.seconds}000", "opened: may hold seconds or milliseconds since 1970; if so write them as 2020-01-31"),
    ],
)
def test_days_that_are_not_read_as_days_are_named(tmp_path, opened, note):
    days = pd.date_range("2020-01-01", periods=60)
    written = [opened.replace("{0.seconds}", str(d.value // 10**9)).format(d) for d in days]
    rows = "".join(f"L{i},{d},{100 + i},{i % 2}\n" for i, d in enumerate(written))
    (tmp_path / "loans.csv").write_text("loan_id,opened,amount,is_bad\n" + rows, encoding="utf-8")
    notes = draft.draft(tmp_path / "loans.csv").notes
    assert any(n.startswith(note) for n in notes) if note else not notes


@pytest.mark.parametrize("written", ["{:%Y年%m月%d日}", "{0.year}年{0.month}月{0.day}日"])
def test_chinese_days_are_read_as_dates(tmp_path, written):
    days = pd.date_range("2020-01-01", periods=60)
    rows = "".join(f"L{i},{written.format(d)},{100 + i},{i % 2}\n" for i, d in enumerate(days))
    (tmp_path / "loans.csv").write_text("loan_id,opened,amount,is_bad\n" + rows, encoding="utf-8")
    drafted = draft.draft(tmp_path / "loans.csv")
    assert (drafted["opened"].type, drafted["opened"].format, drafted.notes) == ("date", "%Y年%m月%d日", ())
    table, _ = contracts.check(read_raw(tmp_path / "loans.csv", drafted), drafted, TODAY)
    assert table["opened"].tolist() == days.tolist()


@pytest.mark.parametrize(
    ("common", "rare", "event"),
    [
        ("loss", "cured", "loss"),
        ("unpaid", "Paid", "unpaid"),
        ("NPL", "performing", "NPL"),
        ("charged off", "paid off", "charged off"),
        ("lost", "fully_repaid", "lost"),
        ("yes", "no", "yes"),
        ("未结清", "结清", "未结清"),
        ("不良", "正常", "不良"),
        ("A", "B", "B"),
        ("current", "good", "good"),
    ],
)
def test_what_is_called_good_is_not_guessed_as_the_event(tmp_path, common, rare, event):
    rows = "".join(f"L{i},{100 + i},{common if i % 4 else rare}\n" for i in range(60))
    (tmp_path / "loans.csv").write_text("loan_id,amount,status\n" + rows, encoding="utf-8")
    assert draft.draft(tmp_path / "loans.csv").event_value == event


@pytest.mark.parametrize(("bad", "number"), [(3, 3), (1, 1)])
def test_what_is_called_an_outcome_and_not_taken_is_named(tmp_path, bad, number):
    rows = "".join(f"L{i},{100 + i},{'AB'[i % 2]},{i % bad}\n" for i in range(60))
    (tmp_path / "loans.csv").write_text("loan_id,amount,status,is_bad\n" + rows)
    drafted = draft.draft(tmp_path / "loans.csv")
    assert drafted.named("outcome") == ["status"]
    assert drafted.notes == (
        f"is_bad: called more like an outcome than 'status', but the number of its values is {number}, not 2; look which "
        "is the outcome, and say `known: after` of the other.",
    )


def test_every_note_of_a_draft_is_said_in_the_language_of_its_page(tmp_path):
    path = tmp_path / "台账.csv"
    rows = [f"{i},2021年{i % 12 + 1}月5号,{i + 0.5}元,{'是' if i % 3 else '否'}" for i in range(200)]
    path.write_text("\n".join(["编号,放款日期,金额,是否违约", *rows]), encoding="gb18030")
    notes = draft.draft(path).notes
    assert len(notes) == 3 and notes[1].startswith("column_2 (放款日期): called a date, but its values")
    columns = [f"amount, term and 2 more: {note}" for _, note in oddities._ODDITIES]
    shift_jis = encodings.remarks("東京,大阪".encode("cp932"), "cp932")
    with speaking("zh_CN"):
        assert heard(notes[1]).startswith("column_2 (放款日期)：名为日期，但其取值不能按日期读取")
        assert [note for note in (*notes, *columns, *shift_jis) if heard(note) == note] == []
