"""Drops with planted defects: every one is found, clean months are let alone; versions, persons and balances hold."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench import engine, home
from workbench.evidence import Verdict
from workbench.params import UserError
from workbench.portfolios import alarms, drops, persons, simulated_defects, simulated_drops, simulated_whole, versions
from workbench.portfolios import store as stores
from workbench.portfolios import store_answers as answers
from workbench.portfolios.simulated_customers import SimulatedCustomers

BANK = SimulatedCustomers(n_customers=600, n_months=24, shock_month="2016-06", topic_month="2016-07")
MONTHS = ("2015-01", "2015-02")


@pytest.fixture(scope="module")
def write():
    """Return what writes the bank's drops with defects or without: half of the time goes to the bank, simulated once."""
    clean = list(simulated_drops.drops(BANK))

    def written(folder, **how):
        again = (replace(d, tables={n: t.copy() for n, t in d.tables.items()}) for d in clean)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(simulated_drops, "drops", lambda p: again)
            return simulated_drops.write_drops(BANK, folder, **how)

    return written


@pytest.fixture(scope="module")
def delivered(tmp_path_factory, write):
    folder = tmp_path_factory.mktemp("drops")
    return folder, write(folder)


def _alarms(folder):
    memory, out = alarms.Memory(), []
    for drop in drops.all_of(folder):
        parts = {name: drop.read(name) for name in drops.TABLES}
        out += [(drop.month, *a) for a in alarms.of_drop(drop, parts, memory, due_day=5)]
    return pd.DataFrame(out, columns=["month", "kind", "table", "column", "rows"])


@pytest.fixture(scope="module")
def held(delivered, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder))
        (folder / "drops").symlink_to(delivered[0])
        p = stores.Params(study="kept", drops="drops")
        yield stores.taken_in(p), p


@pytest.fixture(scope="module")
def raised(held):
    return held[0].alarms


def test_every_kind_is_planted_once_in_two_years_and_twice_in_four():
    for months, times in ((24, 1), (60, 2)):
        kinds = [d.kind for d in simulated_defects.plan(months)]
        assert sorted(kinds) == sorted(list(simulated_defects.KINDS) * times)
        assert len({d.at for d in simulated_defects.plan(months)}) == len(kinds)


def test_every_planted_defect_is_found_where_it_was_planted(delivered, raised):
    planted = delivered[1]
    seen = set(raised[["month", "kind", "table"]].itertuples(index=False, name=None))
    assert set(planted[["month", "kind", "table"]].itertuples(index=False, name=None)) <= seen


def test_an_alarm_counts_the_rows_that_were_planted(delivered, raised):
    both = delivered[1].merge(raised, on=["month", "kind", "table", "column"], suffixes=("", "_raised"))
    exact = both[~both["kind"].isin(["unit times 100", "stale income"])]  # an account's first month has none before
    assert len(exact) >= 8
    assert (exact["rows"] == exact["rows_raised"]).all()


def test_months_without_a_defect_raise_no_alarm(delivered, raised):
    assert set(raised["month"]) <= set(delivered[1]["month"])


@pytest.mark.whole
def test_a_clean_bank_raises_none(tmp_path, write):
    assert write(tmp_path, defects=False).empty
    assert _alarms(tmp_path).empty


def test_late_and_corrected_rows_change_what_is_known_later(held):
    store, p = held
    answer = answers.known_and_corrected(store, p)
    assert answer.facts["late"] > 20
    assert answer.facts["corrected"] > 5
    assert answer.table["known_amt"].sum() < answer.table["corrected_amt"].sum()  # what came late was missing


def test_as_known_then_no_correction_is_visible(held):
    store, _ = held
    at_once = stores.Params(study="kept", drops="drops", as_known_on="2015-02-04")
    answer = answers.known_and_corrected(store, at_once)
    assert list(answer.table["month"]) == ["2015-01"]
    assert (answer.facts["late"], answer.facts["corrected"]) == (0, 0)


def test_the_version_that_held_is_the_latest_one_told():
    rows = pd.DataFrame(
        {
            "account_id": ["a", "a", "a"],
            "limit_amt": [1.0, 2.0, 3.0],
            "valid_from": pd.to_datetime(["2020-01-01", "2020-06-01", "2020-01-01"]),
            "recorded_at": pd.to_datetime(["2020-01-02", "2020-06-02", "2020-03-01"]),
            "delivery": ["2020-01", "2020-06", "2020-03"],
            "source_row": [0, 0, 0],
        }
    )
    held = engine.frame(versions.bitemporal_sql("account", tuple(rows)), {"delivered": rows})
    assert held["valid_to"].isna().sum() == 1

    def limit(holds, known):
        return engine.frame(versions.as_of_sql("account", holds, known), {"versions": held})["limit_amt"].tolist()

    assert limit("2020-02-01", "2020-02-01") == [1.0]
    assert limit("2020-02-01", "2020-12-31") == [3.0]
    assert limit("2020-07-01", "2020-12-31") == [2.0]
    assert limit("2019-12-31", "2020-12-31") == []


def test_what_is_told_at_ten_is_known_on_that_day():
    rows = pd.DataFrame({"account_id": ["a"], "valid_from": pd.to_datetime(["2020-01-31 08:00"])})
    rows["recorded_at"] = pd.to_datetime(["2020-01-31 10:00"])
    for day, n in {"2020-01-30": 0, "2020-01-31": 1}.items():
        assert len(engine.frame(versions.as_of_sql("account", day, "2020-12-31"), {"versions": rows})) == n
        assert len(engine.frame(versions.as_of_sql("account", "2020-12-31", day), {"versions": rows})) == n


def test_a_row_delivered_twice_stands_once(held, delivered):
    store, _ = held
    n = engine.frame(
        "SELECT count(*) AS n, count(DISTINCT (account_id, month, recorded_at)) AS d FROM v",
        {"v": store.path("monthly")},
    )
    assert n["n"][0] == n["d"][0]


def test_balances_roll_forward_but_for_orphans(held, delivered):
    store, _ = held
    answer = answers.rolls_forward(store)
    assert answer.facts["broken"] == 0
    assert answer.facts["torn"] == 0


def test_what_doesnt_reconcile_has_an_alarm(held):
    answer = answers.reconciled(held[0])
    assert answer.verdict is Verdict.amber
    assert answer.facts["explained"] == answer.facts["off"] == 1


def test_a_late_delivery_is_not_fresh(held):
    answer = answers.fresh(*held)
    assert answer.facts["latest"] > 20
    assert answer.value == pytest.approx(23 / 24)


def test_accuracy_counts_the_rows_an_alarm_names(held, delivered):
    store, p = held
    table = answers.accurate(store, p).table.set_index("table")
    assert table.loc["customer", "accurate_rate"] == 1
    assert table.loc["monthly", "accurate_rate"] < 0.999


def test_a_figure_is_the_sum_of_its_sources(held):
    answer = answers.lineage(held[0])
    assert answer.table["balance"].sum() == pytest.approx(answer.value)
    assert answer.table["rows"].sum() == answer.facts["rows"]
    assert answer.table["sha256"].str.len().eq(16).all()


def test_no_personal_column_is_kept(held):
    for name in stores.KEPT:
        columns = engine.columns(held[0].path(name))
        assert not set(columns) & set(stores.PERSONAL)
        some = engine.frame("SELECT customer_id FROM v LIMIT 5", {"v": held[0].path(name)})["customer_id"]
        assert some.str.startswith("customer_").all()


def test_persons_who_stand_twice_are_found_and_joined():
    (tables, known), *_ = simulated_whole.with_truth(BANK)
    true = {tuple(sorted(pair)) for pair in known["duplicates"].itertuples(index=False, name=None)}
    same = persons.pairs(tables["customer"])
    seen = {tuple(sorted(pair)) for pair in same[["one", "other"]].itertuples(index=False, name=None)}
    assert len(seen & true) >= 0.95 * len(true)
    assert len(seen & true) >= 0.99 * len(seen)
    joined = persons.joined(tables["customer"]["customer_id"], same)
    assert joined["person_id"].nunique() == len(tables["customer"]) - len(seen)


def test_a_shared_telephone_makes_no_person():
    people = pd.DataFrame(
        {
            "customer_id": ["C1", "C2"],
            "name": ["Ada Adler", "Hugo Adler"],
            "national_id": ["110101198001011234", "110101197505052345"],
            "phone_number": ["13800000000", "13800000000"],
            "birth_date": pd.to_datetime(["1980-01-01", "1975-05-05"]),
        }
    )
    assert persons.pairs(people).empty


def _two(**changes):
    one = {"name": "Ada Adler", "national_id": "110101198001011234", "phone_number": "13800000000", "birth_date": None}
    people = pd.DataFrame([{**one, "customer_id": n} for n in ("C1", "C2")]).assign(**changes)
    return people.assign(birth_date=pd.to_datetime(people["birth_date"]))


def test_a_missing_date_of_birth_is_no_evidence():
    for born in ([None, None], ["1980-01-01", None]):
        assert persons.pairs(_two(birth_date=born))["points"].tolist() == [10]  # number 4, telephone 3, name 3
        assert persons.pairs(_two(birth_date=born, phone_number=["1", "2"]))["points"].tolist() == [7]
    assert persons.pairs(_two(birth_date=["1980-01-01", "1975-05-05"]))["points"].tolist() == [8]


def test_what_is_blank_is_no_evidence():
    blank = {"birth_date": ["1980-01-01"] * 2, "name": ["Ada Adler", "Hugo Berg"]}
    assert persons.pairs(_two(**blank, national_id="", phone_number=" ")).empty
    assert persons.pairs(_two(name="", national_id="", birth_date="1980-01-01")).empty  # telephone 3, date 2
    assert persons.pairs(_two(name=["Ada Adler", ""]))["points"].tolist() == [7]  # no name contradicts none


def test_telephones_may_be_numbers():
    assert persons.pairs(_two(phone_number=13800000000))["points"].tolist() == [10]


def test_a_chain_of_pairs_is_one_person():
    same = pd.DataFrame({"one": ["b", "a"], "other": ["c", "b"]})
    assert persons.joined(pd.Series(["a", "b", "c", "d"]), same)["person_id"].tolist() == ["a", "a", "a", "d"]


def _spoilt(delivered, tmp_path, change):
    month = tmp_path / "2015-01"
    shutil.copytree(delivered[0] / "2015-01", month)
    change(month)
    return drops.all_of(tmp_path)[0]


def test_a_drop_without_control_totals_is_refused(delivered, tmp_path):
    drop = _spoilt(delivered, tmp_path, lambda m: (m / "control.csv").unlink())
    with pytest.raises(UserError) as refused:
        _ = drop.control
    assert str(refused.value) == (
        "portfolios/store: 2015-01/control.csv: no such file; the sender's control totals belong there"
    )


def test_a_control_file_without_a_column_is_refused(delivered, tmp_path):
    drop = _spoilt(delivered, tmp_path, lambda m: (m / "control.csv").write_text("table,rows,amount,delivered_at\n"))
    with pytest.raises(UserError) as refused:
        _ = drop.control
    assert str(refused.value) == (
        "portfolios/store: 2015-01/control.csv: column 'total' is missing; it needs table, rows, amount, total, delivered_at"
    )


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("delivered_at", "soon", "'delivered_at' of table 'customer' is 'soon', no date (YYYY-MM-DD); ask the sender"),
        ("rows", "", "'rows' of table 'customer' is empty; ask the sender"),
        ("rows", "1.5", "'rows' of table 'customer' is '1.5', no whole number; ask the sender"),
        ("total", "n/k", "'total' of table 'customer' is 'n/k', no number; ask the sender"),
        ("table", "monthly", "table 'monthly' stands in two lines; ask the sender which one holds"),
    ],
)
def test_a_control_file_with_a_line_that_counts_nothing_is_refused(delivered, tmp_path, column, value, what):
    def change(month):
        lines = pd.read_csv(month / "control.csv", dtype="str")
        lines.loc[0, column] = value
        lines.to_csv(month / "control.csv", index=False)

    drop = _spoilt(delivered, tmp_path, change)
    with pytest.raises(UserError) as refused:
        _ = drop.control
    assert str(refused.value) == f"portfolios/store: 2015-01/control.csv: {what}"


def test_an_empty_control_file_and_one_of_uneven_lines_are_refused(delivered, tmp_path):
    for text, what in {
        "": "column 'table' is missing; it needs table, rows, amount, total, delivered_at",
        "table,rows\na,1,2\nb,1,2,3\n": "a line is longer than the header; put values with commas in quotes",
    }.items():
        drop = _spoilt(delivered, tmp_path, lambda m, text=text: (m / "control.csv").write_text(text))
        with pytest.raises(UserError) as refused:
            _ = drop.control
        assert str(refused.value) == f"portfolios/store: 2015-01/control.csv: {what}"
        shutil.rmtree(tmp_path / "2015-01")


def test_a_control_file_is_read_as_it_was_written(delivered, tmp_path):
    def change(month):
        path = month / "control.csv"
        lines = pd.read_csv(path, dtype="str").assign(sender="核心系统", delivered_at="2015/02/02 14:30:00+08:00")
        path.write_bytes(lines.to_csv(index=False).encode("gb18030"))

    drop = _spoilt(delivered, tmp_path, change)
    assert drop.control["sender"].unique().tolist() == ["核心系统"]
    assert drop.control["delivered_at"].unique().tolist() == [pd.Timestamp("2015-02-02 14:30")]


def test_an_amount_that_is_no_number_is_refused(taken):
    with pytest.raises(UserError) as refused:
        taken({"2015-01/control.csv": lambda t: t.assign(amount="customer_id")})
    assert str(refused.value) == (
        "portfolios/store: 2015-01/control.csv: amount 'customer_id' of 'customer' is no column of numbers; name one"
    )


def test_a_folder_that_is_no_month_is_refused_and_a_hidden_one_passed_over(delivered, tmp_path):
    shutil.copytree(delivered[0] / "2015-01", tmp_path / "2015-01")
    (tmp_path / ".snapshot").mkdir()
    assert [d.month for d in drops.all_of(tmp_path)] == ["2015-01"]
    (tmp_path / "archive").mkdir()
    with pytest.raises(UserError) as refused:
        drops.all_of(tmp_path)
    assert str(refused.value) == (
        "portfolios/store: drops: folder 'archive' is no month; a drop is a folder named YYYY-MM, move others elsewhere"
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.drop(columns="valid_from"), "column 'valid_from' is missing; ask the sender for it"),
        (lambda t: t.drop(columns="fee_amt"), "column 'fee_amt' is missing; ask the sender for it"),
        (
            lambda t: t.assign(month="January"),
            "column 'month' holds something else than dates; ask the sender for dates",
        ),
        (lambda t: t.assign(month=201501), "column 'month' holds something else than dates; ask the sender for dates"),
        (
            lambda t: t.assign(fee_amt="none"),
            "column 'fee_amt' holds something else than numbers; ask the sender for numbers",
        ),
    ],
)
def test_a_table_without_what_the_store_looks_at_is_refused(delivered, tmp_path, change, what):
    def spoil(month):
        change(pd.read_parquet(month / "monthly.parquet")).to_parquet(month / "monthly.parquet", index=False)

    drop = _spoilt(delivered, tmp_path, spoil)
    with pytest.raises(UserError) as refused:
        drop.read("monthly")
    assert str(refused.value) == f"portfolios/store: 2015-01/monthly.parquet: {what}"


def test_a_table_cut_off_on_its_way_is_refused(delivered, tmp_path):
    drop = _spoilt(delivered, tmp_path, lambda m: (m / "event.parquet").write_bytes(b"PAR1"))
    with pytest.raises(UserError, match=r"^portfolios/store: 2015-01/event\.parquet: not a whole Parquet file"):
        drop.read("event")


@pytest.mark.parametrize(
    "as_written",
    [
        lambda m: m.dt.tz_localize("Asia/Shanghai"),
        lambda m: m.dt.date,
        lambda m: m.dt.strftime("%Y-%m-%d"),
        lambda m: m + pd.offsets.MonthEnd(0),
    ],
    ids=["with a zone", "as a date", "as text", "with its last day"],
)
def test_a_month_is_the_same_however_it_is_written(delivered, tmp_path, as_written):
    true = drops.Drop(delivered[0] / "2015-01").read("monthly")

    def change(month):
        rows = pd.read_parquet(month / "monthly.parquet")
        rows.assign(month=as_written(rows["month"])).to_parquet(month / "monthly.parquet", index=False)

    pd.testing.assert_frame_equal(_spoilt(delivered, tmp_path, change).read("monthly"), true)


def test_a_missing_table_is_refused(delivered, tmp_path):
    drop = _spoilt(delivered, tmp_path, lambda m: (m / "event.parquet").unlink())
    with pytest.raises(UserError) as refused:
        drop.read("event")
    assert str(refused.value) == "portfolios/store: 2015-01/event.parquet: no such file; ask the sender for it"


def test_a_folder_without_months_is_refused(tmp_path):
    with pytest.raises(UserError) as refused:
        drops.all_of(tmp_path)
    assert str(refused.value) == "portfolios/store: no drop up to today; a drop is a folder named YYYY-MM"


def test_a_folder_that_isnt_there_is_refused_before_anything_runs():
    with pytest.raises(UserError) as refused:
        stores.Params(study="kept", drops="nowhere").verify()
    assert str(refused.value) == ("portfolios/store: drops: 'nowhere' is no folder; give the one that holds the months")


def test_the_truth_names_the_planted_defects_and_customers_as_the_core_tables_do(delivered):
    from workbench.portfolios import simulated_truth

    truth = simulated_truth.truth(BANK)
    planted = delivered[1][["month", "kind", "table", "column"]]
    assert truth["defects"] == tuple(planted.itertuples(index=False, name=None))
    assert truth["income"]["entity_id"].str.startswith("customer_").all()
    assert truth["income"]["entity_id"].is_unique


@pytest.fixture
def taken(delivered, tmp_path, monkeypatch):
    """Return what takes a few drops in after some files were changed: by `YYYY-MM/file`, a function of its table."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))

    def take(changes, months=MONTHS):
        for month in months:
            shutil.copytree(delivered[0] / month, tmp_path / "drops" / month)
        for place, change in changes.items():
            path = tmp_path / "drops" / place
            if path.suffix == ".parquet":
                change(pd.read_parquet(path)).to_parquet(path, index=False)
            else:
                change(pd.read_csv(path, dtype="str")).to_csv(path, index=False)
        p = stores.Params(study="kept", drops="drops")
        return stores.taken_in(p), p

    return take


def _raised(store):
    return set(store.alarms[["month", "kind", "table", "column"]].itertuples(index=False, name=None))


def test_rows_that_lack_what_names_them_are_counted_and_told(taken):
    lacking = {"valid_from": 10, "account_id": 20, "recorded_at": 30, "month": 40}  # each of other rows

    def change(rows):
        parts = np.split(np.arange(100), np.cumsum([*lacking.values()])[:-1])
        return rows.assign(**{c: rows[c].where(~rows.index.isin(p)) for c, p in zip(lacking, parts, strict=True)})

    store, _ = taken({"2015-02/monthly.parquet": change})
    expected = sorted(["2015-02", "missing key", "monthly", column, n] for column, n in lacking.items())
    assert sorted(store.alarms.values.tolist()) == expected
    answer = answers.reconciled(store)
    assert answer.verdict is Verdict.amber
    assert str(answer.answer).endswith(
        " 100 rows of 1 file lack their key, `valid_from` or `recorded_at` and stand in no version."
    )
    assert answer.table["unplaced_rows"].tolist() == [100]
    n = engine.frame("SELECT count(*) AS n FROM v", {"v": store.path("monthly")})["n"][0]
    assert n == store.deliveries.query("table == 'monthly'")["rows"].sum() - 100


def test_customers_without_a_number_are_told_and_are_nobody(taken):
    store, _ = taken({"2015-02/customer.parquet": lambda t: t.assign(customer_id=t["customer_id"].where(t.index >= 3))})
    assert ["2015-02", "missing key", "customer", "customer_id", 3] in store.alarms.values.tolist()
    assert store.person.notna().all(axis=None)


def test_a_column_that_comes_later_is_kept_and_told(taken):
    store, p = taken({"2015-02/account.parquet": lambda t: t.assign(risk_class="A")})
    assert _raised(store) == {("2015-02", "new column", "account", "risk_class")}
    sql = "SELECT delivery, count(risk_class) AS n, count(*) AS rows FROM v GROUP BY delivery ORDER BY delivery"
    by = engine.frame(sql, {"v": store.path("account")})
    assert by["n"].tolist() == [0, by["rows"][1]]
    assert answers.accurate(store, p).value == 1  # no row is wrong for it


def test_a_column_that_goes_is_kept_and_told(taken):
    store, _ = taken({"2015-02/account.parquet": lambda t: t.drop(columns="interest_rate")})
    assert _raised(store) == {("2015-02", "column gone", "account", "interest_rate")}
    sql = "SELECT delivery, count(interest_rate) AS n FROM v GROUP BY delivery ORDER BY delivery"
    by = engine.frame(sql, {"v": store.path("account")})
    assert by["n"][0] > 0 and by["n"][1] == 0


def test_customers_whose_numbers_are_numbers_have_pseudonyms(taken):
    def numbered(table):
        return table.assign(customer_id=table["customer_id"].str[1:].astype("Int64"))

    store, _ = taken({f"{m}/{name}.parquet": numbered for m in MONTHS for name in drops.TABLES})
    for name in stores.KEPT:
        seen = engine.frame("SELECT customer_id FROM v", {"v": store.path(name)})["customer_id"]
        assert seen.str.startswith("customer_").all()
    assert store.person["customer_id"].str.startswith("customer_").all()


def test_the_balance_at_the_months_end_is_that_of_its_rows(taken):
    """Whichever day a month's rows hold from: a third of the accounts has the first, the last, or the next first."""

    def since(rows):
        third, first = rows["account_id"].str.extract(r"(\d+)$", expand=False).astype(int) % 3, rows["month"]
        last, after = first + pd.offsets.MonthEnd(1), first + pd.offsets.MonthBegin(1)
        assert third.nunique() == 3
        return rows.assign(valid_from=first.where(third == 0, last.where(third == 1, after)))

    store, _ = taken({f"{m}/monthly.parquet": since for m in MONTHS})
    rows = pd.concat([drops.Drop(folder).read("monthly") for folder in _folders()])
    newest = rows[rows["month"] == "2015-02-01"].sort_values("recorded_at").drop_duplicates("account_id", keep="last")
    assert answers.lineage(store).value == pytest.approx(newest["balance_amt"].sum(), abs=0.01)
    assert answers.lineage(store).value > 0


def _folders():
    return [home.root() / "drops" / month for month in MONTHS]


def _again(delivered, *changes):
    """Return what adds 50 rows of January a change to February's drop, as they are told in time for February."""

    def more(rows):
        first = pd.read_parquet(delivered[0] / "2015-01" / "monthly.parquet")
        some = first[(first["month"] == "2015-01-01") & (first["inflow_amt"] > 0)]
        some = [change(some.iloc[50 * i : 50 * (i + 1)]) for i, change in enumerate(changes)]
        assert [len(s) for s in some] == [50] * len(changes)
        return pd.concat([rows, *(s.assign(recorded_at=pd.Timestamp("2015-03-02 10:00")) for s in some)])

    return {"2015-02/monthly.parquet": more}


def test_whatever_is_put_right_counts_as_corrected(taken, delivered):
    """A balance, days past due, a salary that goes missing, and one that is another: all four, or they were fewer."""
    changes = (
        lambda t: t.assign(balance_amt=t["balance_amt"] + 1000),
        lambda t: t.assign(days_past_due=t["days_past_due"] + 30),
        lambda t: t.assign(inflow_amt=None),
        lambda t: t.assign(inflow_amt=t["inflow_amt"] + 1),
    )
    store, p = taken(_again(delivered, *changes))
    again = answers.known_and_corrected(store, p).facts
    first = answers.known_and_corrected(store, p.model_copy(update={"as_known_on": "2015-03-01"})).facts
    assert again["corrected"] >= 200 and first["corrected"] < 50


def test_an_account_month_told_again_as_it_was_is_no_correction(taken, delivered):
    store, p = taken(_again(delivered, lambda t: t))
    assert answers.known_and_corrected(store, p).facts["corrected"] < 50


def test_a_row_told_otherwise_under_the_same_days_is_named_and_the_first_one_stays(taken, delivered):
    def otherwise(rows):
        first = pd.read_parquet(delivered[0] / "2015-01" / "monthly.parquet")
        some = first[first["month"] == "2015-01-01"].drop_duplicates("account_id").head(40)
        changed = some.head(30).assign(balance_amt=some["balance_amt"] + 1000)
        return pd.concat([rows, changed, some.tail(10)])  # ten as they were: nothing contradicts them

    store, p = taken({"2015-02/monthly.parquet": otherwise})
    assert ["2015-02", "contradiction", "monthly", "*", 30] in store.alarms.values.tolist()
    assert answers.accurate(store, p).value < 1
    first = pd.read_parquet(delivered[0] / "2015-01" / "monthly.parquet")["balance_amt"].sum()
    sql = "SELECT sum(balance_amt) AS total FROM v WHERE delivery = '2015-01'"
    assert engine.frame(sql, {"v": store.path("monthly")})["total"][0] == pytest.approx(first)


def _lost(rows):
    return rows.iloc[: int(len(rows) * 0.7)].assign(
        month=lambda t: t["month"].where(np.arange(len(t)) >= 3, pd.Timestamp("2015-03-01"))
    )


def test_no_other_alarm_explains_rows_that_are_lost(taken):
    store, _ = taken({"2015-02/monthly.parquet": _lost})
    assert ("2015-02", "date in the future", "monthly", "month") in _raised(store)
    answer = answers.reconciled(store)
    assert answer.verdict is Verdict.red
    assert (answer.facts["off"], answer.facts["explained"]) == (1, 0)


@pytest.mark.parametrize(
    ("change", "explained"),
    [
        (lambda t: pd.concat([t, t.head(100)]), 1),
        (lambda t: pd.concat([t, t.head(3), t.head(200).assign(account_id=lambda r: "B" + r["account_id"])]), 1),
        (lambda t: pd.concat([t.iloc[300:], t.iloc[300:310]]), 0),  # ten twice, and three hundred lost
        (lambda t: t.assign(balance_amt=t["balance_amt"].where(np.arange(len(t)) % 3 > 0)), 1),
        (lambda t: t.assign(balance_amt=t["balance_amt"] + 1), 0),
        (lambda t: t.assign(balance_amt=t["balance_amt"] + 1, fee_amt=None), 0),  # alarmed is another column
    ],
    ids=["twice", "of nobody", "twice and lost", "missing", "changed", "changed beside an alarm"],
)
def test_an_alarm_explains_the_difference_it_makes(taken, change, explained):
    store, _ = taken({"2015-02/monthly.parquet": change})
    facts = answers.reconciled(store).facts
    assert (facts["off"], facts["explained"]) == (1, explained)


def test_a_delivery_on_the_day_it_is_due_is_in_time_at_any_hour(taken):
    store, p = taken({"2015-02/control.csv": lambda t: t.assign(delivered_at="2015-03-05 14:30:00")})
    assert store.alarms.empty and answers.fresh(store, p).value == 1


def test_a_delivery_on_the_day_after_is_late(taken):
    store, p = taken({"2015-02/control.csv": lambda t: t.assign(delivered_at="2015-03-06 00:10:00")})
    assert set(store.alarms["kind"]) == {"late file"} and answers.fresh(store, p).value == 0.5
