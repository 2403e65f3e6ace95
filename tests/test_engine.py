"""The engine: relations by name, streaming writes with the same bytes, mistakes in one line, and the same on Spark."""

import hashlib
import sys

import numpy as np
import pandas as pd
import pytest

from workbench import engine
from workbench.contracts import Column, Contract
from workbench.panel import build
from workbench.params import UserError

FRAME = pd.DataFrame({"a": [1.5, None, 3.0], "b": ["x", None, "z"], "d": pd.to_datetime(["2020-01-01"] * 3)})


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))


def test_a_text_runs_over_tables_and_files_by_name(tmp_path):
    FRAME.to_parquet(tmp_path / "it's.parquet", index=False)
    sql = "SELECT f.a + coalesce(g.a, 0e0) AS s, f.b FROM f JOIN g ON g.b = f.b ORDER BY f.b"
    rows = engine.frame(sql, {"f": FRAME, "g": tmp_path / "it's.parquet"})
    assert rows["s"].tolist() == [3.0, 6.0] and rows["b"].tolist() == ["x", "z"]
    assert engine.columns(tmp_path / "it's.parquet") == {"a": "DOUBLE", "b": "VARCHAR", "d": "TIMESTAMP"}


def test_batches_come_one_by_one_and_whole():
    numbers = pd.DataFrame({"i": np.arange(10_000)})
    sizes = [b.num_rows for b in engine.batches("SELECT i FROM t", {"t": numbers}, rows=3000)]
    assert sum(sizes) == 10_000 and max(sizes) <= 3000


def test_rows_go_through_a_function_batch_by_batch_into_a_file(tmp_path):
    table = pd.DataFrame({"i": np.arange(10_000), "s": "x"})
    seen: list[int] = []

    def predict(rows: pd.DataFrame) -> pd.DataFrame:
        seen.append(len(rows))
        return rows.assign(predicted=rows["i"] * 2.0)

    n = engine.transform("SELECT i, s FROM t ORDER BY i", {"t": table}, predict, tmp_path / "scores.parquet", rows=3000)
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert n == len(scores) == 10_000 and max(seen) <= 3000 and (scores["predicted"] == 2.0 * np.arange(10_000)).all()


def test_the_same_text_writes_the_same_bytes_on_any_number_of_threads(tmp_path, monkeypatch):
    rng, digests = np.random.default_rng(0), set()
    table = pd.DataFrame({"k": rng.permutation(300_000), "x": rng.normal(size=300_000)})
    for threads in ("1", "2", "2"):
        monkeypatch.setenv("WORKBENCH_THREADS", threads)
        assert engine.write("SELECT k, x * 3e0 AS y FROM t", {"t": table}, tmp_path / "o.parquet", ["k"]) == 300_000
        digests.add(hashlib.sha256((tmp_path / "o.parquet").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_part_of_a_file_holds_its_rows_alone(tmp_path):
    pd.DataFrame({"k": ["a", "b", "c", "d"], "x": range(4)}).to_parquet(tmp_path / "t.parquet", index=False)
    rows = engine.frame("SELECT x FROM t ORDER BY x", {"t": engine.Part(tmp_path / "t.parquet", "k", "b", "c")})
    assert rows["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENGINE", "hive", "WORKBENCH_ENGINE 'hive': no such engine; set duckdb or spark://host:port"),
        (
            "ENGINE",
            "spark://h:99999",
            "WORKBENCH_ENGINE 'spark://h:99999': no such engine; set duckdb or spark://host:port",
        ),
        (
            "ENGINE",
            "spark://127.0.0.1:1",
            "WORKBENCH_ENGINE spark://127.0.0.1:1: no Spark Connect server answers (Connection refused); start one, or "
            "set duckdb",
        ),
        ("THREADS", "many", "WORKBENCH_THREADS 'many': not a number of threads; set 1 or more"),
    ],
)
def test_a_setting_that_cannot_be_is_named(monkeypatch, name, value, message):
    monkeypatch.setenv(f"WORKBENCH_{name}", value)
    with pytest.raises(UserError) as e:
        engine.frame("SELECT 1 AS one", {})
    assert str(e.value) == message


def test_a_memory_that_is_no_size_is_named(monkeypatch):
    monkeypatch.setenv("WORKBENCH_MEMORY", "lots")
    with pytest.raises(UserError, match=r"WORKBENCH_MEMORY 'lots': .*; write it like 4GB"):
        engine.frame("SELECT 1 AS one", {})


def test_a_moment_falls_into_the_same_month_on_every_machine():
    month = "SELECT strftime(CAST('2018-01-01 00:00+08:00' AS TIMESTAMPTZ), '%Y-%m %Z') AS month"
    assert [run(month, {})["month"].to_pylist() for run in (engine.arrow, engine.apart)] == [["2017-12 UTC"]] * 2
    with pytest.raises(ValueError, match="configuration has been locked"):
        engine.apart("SET TimeZone = 'Asia/Shanghai'", {})


def test_a_text_that_cannot_run_is_one_line():
    with pytest.raises(UserError, match=r"engine: the SQL text can't be run: .*nope"):
        engine.frame("SELECT nope FROM f", {"f": FRAME})


def test_a_condition_that_says_another_thing_at_each_run_is_refused():
    for text, call in {"random() < 0.5": "RANDOM()", "day < now()": "NOW()", "age(day) > x": "AGE(day)"}.items():
        with pytest.raises(UserError) as e:
            engine.parsed(text, "here")
        assert str(e.value) == f"here: `{text}`: {call} is another value at each run; write the value itself"
    assert engine.parsed("age(day, opened) > INTERVAL 1 YEAR", "here") == {"day", "opened"}


def test_what_is_no_condition_on_one_row_is_refused():
    assert engine.condition("a > 1 AND b IS NOT NULL", ["a", "b"], "here") == {"a", "b"}
    for text in ("SELECT 1", "a IN (SELECT 1)", "max(a) > 1", "a >", "1; DROP TABLE x"):
        with pytest.raises(UserError, match=r"^here: "):
            engine.condition(text, ["a"], "here")


@pytest.mark.parametrize("text", ["a > > 0", "a + 1", "1", "b = 'x' AND (a > > 0)", "NOT -a", "'x'"])
def test_what_comes_to_no_true_or_false_is_no_condition(text):
    with pytest.raises(UserError) as e:
        engine.parsed(text, "here")
    assert str(e.value) == (f"here: `{text}` is neither true nor false; write a comparison, like `delay_months >= 3`")


def test_a_condition_is_held_against_the_types_of_its_columns():
    types = {"code": "VARCHAR", "a": "BIGINT", "limit": "DOUBLE", "day": "TIMESTAMP"}
    for text in ("a > 1 AND code = '3'", "limit_ IS NULL", "code IN ('1', '2')", "day < DATE '2020-01-01'", "TRUE"):
        assert engine.condition(text, {**types, "limit_": "DOUBLE"}, "here") <= {*types, "limit_"}
    assert engine.condition('"limit" > 0', types, "here") == {"limit"}
    with pytest.raises(UserError) as e:
        engine.condition("code >= 1", types, "here")
    assert str(e.value) == (
        "here: `code >= 1` can't be asked, code is VARCHAR: Binder Error: Cannot compare values of type VARCHAR and type "
        "INTEGER_LITERAL"
    )
    for text in ("code", "length(code)", "coalesce(a, 0)"):
        with pytest.raises(UserError, match=r"^here: `.*` is neither true nor false; write a comparison"):
            engine.condition(text, types, "here")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a > 'much'", "a holds numbers, and 'much' is none; write it like 3, without quotes"),
        ("code = 'x' AND \"limit\" IN ('1', 'high')", "limit holds numbers, and 'high' is none; write it like 3, without quotes"),
        ("day < '2020'", "day holds dates, and '2020' is none; write it like '2020-01-31'"),
        ("day BETWEEN '2020-01-01' AND 'now on'", "day holds dates, and 'now on' is none; write it like '2020-01-31'"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_value_of_the_column_beside_it_is_refused(text, words):
    types = {"code": "VARCHAR", "a": "BIGINT", "limit": "DOUBLE", "day": "TIMESTAMP"}
    with pytest.raises(UserError) as e:
        engine.condition(text, types, "here")
    assert str(e.value) == f"here: `{text}`: {words}"
    for right in ("a = '3'", "day >= '2020-01-31'", "(code) = 'much'", "'2' < a"):
        engine.condition(right, types, "here")


def test_lineage_is_laid_out_and_is_the_same_text():
    text = "SELECT a, b FROM f WHERE a > 1e0"
    assert engine.lineage(text).splitlines()[0] == "SELECT" and "a > 1e0" in engine.lineage(text)


@pytest.fixture(scope="module")
def spark():
    """A Spark Connect server without a JVM."""
    pytest.importorskip("pysail")
    main = sys.modules["__main__"]
    main.__file__ = getattr(main, "__file__", __file__)  # without one Spark takes a worker for a run of doctests
    server = pytest.importorskip("pysail.spark").SparkConnectServer(port=0)
    server.start()
    yield f"spark://127.0.0.1:{server.listening_address[1]}"
    server.stop()


def _bank() -> tuple[pd.DataFrame, Contract, pd.DataFrame]:
    rng, n = np.random.default_rng(0), 200
    account = pd.DataFrame(
        {
            "entity_id": [f"a{i:03d}" for i in range(n)],
            "limit_amt": rng.integers(0, 9, n) * 1000.0,
            "origination_month": pd.Timestamp("2019-03-01"),
            "region_code": rng.choice(["north", "south"], n),
        }
    )
    months = account[["entity_id"]].merge(
        pd.DataFrame({"month": pd.date_range("2020-01-01", periods=14, freq="MS")}), how="cross"
    )
    k = len(months)
    months["delay_months"] = rng.choice([0.0, 1.0, 2.0, 3.0], k, p=[0.8, 0.1, 0.06, 0.04])
    months["balance_amt"], months["payment_amt"] = rng.normal(900, 400, (2, k))
    months["due_amt"] = np.where(rng.random(k) < 0.1, np.nan, 100.0)
    months["status_code"] = rng.choice(["paid_duly", "unused", "gone"], k)
    months["n_inquiries"] = rng.poisson(1.0, k)
    months = months[rng.random(k) < 0.95].reset_index(drop=True)  # gaps
    columns = (
        Column(name="entity_id", type="text", role="key"),
        Column(name="limit_amt", type="number", aspect="size"),
        Column(name="origination_month", type="date", role="fact"),
        Column(name="region_code", type="category"),
    )
    return account, Contract(name="core__account", title="t", columns=columns), months


GONE = "status_code = 'gone' AND delay_months >= 2"


@pytest.mark.parametrize("competing", [[], pytest.param([GONE], marks=pytest.mark.whole)])
def test_the_panel_is_the_same_on_spark_to_every_cell(spark, monkeypatch, competing):
    fields = {"event": "delay_months >= 3", "eligible": "delay_months < 3 AND limit_amt >= 0", "window_months": 3}
    p = build.Params(
        outcome={**fields, "competing": competing},
        as_of_from="2020-06",
        as_of_to="2020-09",
        monitoring_from="2020-08",
        base_rate=0.1,
    )
    here, words = build.build(*_bank(), p)
    monkeypatch.setenv("WORKBENCH_ENGINE", spark)
    there, words_there = build.build(*_bank(), p)
    assert words_there == words and len(words.features()) >= 40 and here["outcome"].nunique() == 2
    assert len(here) > 600
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=1e-9, check_dtype=False)


def test_a_row_an_entity_beside_months_is_the_same_on_spark(spark, monkeypatch):
    account, contract, months = _bank()
    bad = Column(name="bad", type="category", role="outcome", known="after", values={"1": "1", "0": "0"})
    account["bad"] = np.where(np.arange(len(account)) % 4, "0", "1")
    once = contract.replaced([*contract.columns, bad], as_of="2020-06-30", event_value="1")
    here, words = build.build(account, once, months, build.Params())
    monkeypatch.setenv("WORKBENCH_ENGINE", spark)
    there, words_there = build.build(account, once, months, build.Params())
    assert words_there == words and here["entity_id"].is_unique and here["delay_now_months"].notna().mean() > 0.9
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=1e-9, check_dtype=False)
