"""Features in SQL: equal to numpy on a dense grid, blind to the future, by hand for one account."""

import warnings

import numpy as np
import pandas as pd
import pytest

from workbench import contracts, engine
from workbench.contracts import Column, Contract, Outcome
from workbench.panel import build, features
from workbench.panel.cohort import Facts
from workbench.portfolios import simulated_bank, simulated_core, taiwan_cards
from workbench.portfolios.files import read_raw
from workbench.portfolios.source import DATA, Request

MONTHS = pd.date_range("2020-01-01", periods=12, freq="MS")
ACCOUNT = Contract(
    name="core__account",
    title="t",
    columns=(
        Column(name="entity_id", type="text", role="key"),
        Column(name="limit_amt", type="number", aspect="size"),
    ),
)
DELAY = {"event": "delay_months >= 3", "eligible": "delay_months < 3", "window_months": 3}


def grids(months: pd.DataFrame, accounts: pd.Index, dates: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    """Account-months as arrays: a row per account, a column per month, NaN where there is no row."""
    inside = months[months["month"].isin(dates) & months["entity_id"].isin(accounts)]
    row, column = accounts.get_indexer(inside["entity_id"]), dates.get_indexer(inside["month"])
    facts = {}
    for name in months.columns.difference(["entity_id", "month"], sort=False):
        numeric = pd.api.types.is_numeric_dtype(months[name])
        facts[name] = np.full(
            (len(accounts), len(dates)), np.nan if numeric else None, dtype=float if numeric else object
        )
        facts[name][row, column] = inside[name].to_numpy()
    return facts


def in_numpy(g: dict[str, np.ndarray], limit: np.ndarray) -> dict[str, np.ndarray]:
    """The features as numpy computes them over the window's arrays."""
    d, b, p = g["delay_months"], g["balance_amt"], g["payment_amt"]
    use, late, weights = b / limit[:, None], d > 0, np.arange(1, d.shape[1] + 1)
    billed = g["due_amt"][:, 1:] if "due_amt" in g else b[:, :-1]
    ratio = np.where(billed > 0, np.minimum(p[:, 1:] / np.where(billed > 0, billed, 1), 2.0), np.nan)
    values = {
        "delay_now_months": d[:, -1],
        "delay_worst_months": np.nanmax(d, 1),
        "n_months_late": late.sum(1),
        "n_months_late_2": (d >= 2).sum(1),
        "months_since_late": np.where(late.any(1), late[:, ::-1].argmax(1), d.shape[1]),
        "delay_recent_months": np.nansum(d * weights, 1) / (weights * ~np.isnan(d)).sum(1),
        "delay_trend_months": d[:, -1] - np.nanmean(d[:, :-1], 1),
        "utilisation_rate": use[:, -1],
        "utilisation_mean_rate": np.nanmean(use, 1),
        "utilisation_max_rate": np.nanmax(use, 1),
        "utilisation_trend_rate": use[:, -1] - np.nanmean(use[:, :-1], 1),
        "utilisation_volatility_rate": np.nanstd(use, 1),
        "headroom_amt": limit - b[:, -1],
        "payment_amt": p[:, -1],
        "payment_min_amt": np.nanmin(p, 1),
        "payment_max_amt": np.nanmax(p, 1),
        "payment_mean_amt": np.nanmean(p, 1),
        "n_months_unpaid": (p == 0).sum(1),
        "payment_ratio_rate": ratio[:, -1],
        "payment_ratio_mean_rate": np.nanmean(ratio, 1),
        "payment_to_limit_rate": np.nanmean(p, 1) / limit,
        "delay_worst_3m_months": np.nanmax(d[:, -3:], 1),
        "utilisation_mean_3m_rate": np.nanmean(use[:, -3:], 1),
        "payment_mean_3m_amt": np.nanmean(p[:, -3:], 1),
        "balance_trend_3m_amt": np.nanmean(b[:, -3:], 1) - np.nanmean(b[:, :-3], 1),
        "n_months_late_running": np.where(late.all(1), d.shape[1], (~late[:, ::-1]).argmax(1)),
    }
    for status, name in {"paid_duly": "paid_duly", "unused": "unused", "revolving": "revolving"}.items():
        values[f"n_months_{name}"] = (g["status_code"] == status).sum(1)
    values |= {f"delay_lag{k}_months": d[:, -1 - k] for k in range(1, 6)}
    values |= {f"payment_lag{k}_amt": p[:, -1 - k] for k in range(1, 6)}
    values |= {f"balance_lag{k}_amt": b[:, -1 - k] for k in (1, 2)} | {"balance_amt": b[:, -1]}
    for name in set(g) - {"delay_months", "balance_amt", "payment_amt", "due_amt", "status_code"}:
        values[name] = g[name][:, -1]
        if name.endswith("_amt"):
            values[name.replace("_amt", "_mean_amt")] = np.nanmean(g[name], 1)
    return values


def held_equal(account: pd.DataFrame, contract: Contract, months: pd.DataFrame, limit: str, p: build.Params) -> int:
    """Hold every feature of every as-of date against numpy; return how many features there are."""
    panel, words = build.build(account, contract, months, p)
    named = account.set_index("entity_id")[limit]
    for date, rows in panel.groupby("as_of_date"):
        dates = pd.date_range(end=date, periods=p.observation_months, freq="MS")
        accounts = pd.Index(rows["entity_id"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all missing: NaN
            wanted = in_numpy(grids(months, accounts, dates), named[accounts].to_numpy(float))
        for name, values in wanted.items():
            if name in panel:  # one that never varies is left out
                np.testing.assert_allclose(rows[name], values.astype(float), rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                assert len(np.unique(values[~np.isnan(values.astype(float))])) <= 1, name
    return len(words.features())


def test_taiwan_cards_as_numpy_has_them():
    contract = contracts.load(DATA / "taiwan_cards.yaml")
    raw = read_raw(DATA / "taiwan_cards.parquet", contract).head(2000)
    clean, _ = contracts.check(raw, contract, pd.Timestamp("2026-01-01"))
    core = taiwan_cards.SOURCE.core({"taiwan_cards": clean}, {"taiwan_cards": contract})
    held_equal(*core["core__account"], core["core__month"][0], "limit_amt", build.Params())


def test_simulated_bank_as_numpy_has_them_and_forty_or_more():
    p = simulated_bank.SimulatedBank(
        n_customers=1000, n_months=30, start_month="2015-01", crisis_month="2016-01", drift_month="2016-01", dirt=False
    )
    asked = Request(portfolio="simulated_bank")
    core = simulated_core.SOURCE.core(simulated_bank.simulate(p), simulated_core.SOURCE.words(asked))
    p = build.Params(outcome=DELAY, as_of_from="2016-01", as_of_to="2016-03")
    n = held_equal(*core["core__account"], core["core__month"][0], "original_amt", p)
    assert n >= 40


def test_features_of_one_account_by_hand():
    account = pd.DataFrame({"entity_id": ["a", "b"], "limit_amt": [1000.0, 500.0]})
    long = pd.DataFrame(
        {
            "entity_id": ["a"] * 3 + ["b"] * 3,
            "month": list(MONTHS[:3]) * 2,
            "delay_months": [0.0, 2.0, 1.0, 0, 0, 0],
            "balance_amt": [500.0, 800.0, 900.0, 0, 1, 2],
            "payment_amt": [100.0, 0.0, 400.0, 1, 2, 3],
        }
    )
    row = as_of(account, long, "2020-03", 3).iloc[0]
    assert row["delay_now_months"] == 1 and row["delay_worst_months"] == 2 and row["n_months_late"] == 2
    assert row["delay_recent_months"] == pytest.approx((0 * 1 + 2 * 2 + 1 * 3) / 6)
    assert row["utilisation_rate"] == pytest.approx(0.9) and row["headroom_amt"] == 100
    assert row["payment_ratio_rate"] == pytest.approx(400 / 800)
    assert row["months_since_late"] == 0 and row["n_months_unpaid"] == 1 and row["n_months_late_running"] == 2


def test_what_the_contract_of_the_months_says_of_a_fact_its_features_say():
    account, long = random_months()
    long = long.assign(rate=1.0, fee_amt=2.0)
    columns = (
        Column(name="entity_id", type="text", role="key"),
        Column(name="month", type="date", role="as_of"),
        Column(name="rate", type="number", role="fact", aspect="offer", monotone=1),
        Column(name="fee_amt", type="number", role="fact", monotone=-1),
        Column(name="balance_amt", type="number", role="fact", aspect="size", monotone=1),
        Column(name="delay_months", type="number", role="fact"),
    )
    words = Contract(name="core__month", title="t", entity="month", columns=columns)
    made = {f.name: f for f in features.catalogue(build.window(Facts(account, ACCOUNT, long, words), 6))}
    stated = {
        n: (made[n].monotone, made[n].aspect) for n in ("rate", "fee_mean_amt", "fee_trend_3m_amt", "balance_amt")
    }
    assert stated == {
        "rate": (1, "offer"),
        "fee_mean_amt": (-1, "capacity"),
        "fee_trend_3m_amt": (0, "capacity"),  # a movement isn't a level
        "balance_amt": (1, "size"),
    }
    assert (made["delay_lag1_months"].monotone, made["delay_lag1_months"].aspect) == (1, "credit_record")


def test_a_month_nobody_knows_is_no_month_without_delay():
    """The mean with weights of an account that began a month ago, or has a hole, is that of the months known."""
    account = pd.DataFrame({"entity_id": ["new", "hole"], "limit_amt": [1000.0, 1000.0]})
    months = {"entity_id": ["new", "hole", "hole"], "month": [MONTHS[2], MONTHS[0], MONTHS[2]]}
    rows = as_of(account, pd.DataFrame({**months, "delay_months": [2.0, 1.0, 2.0]}), "2020-03", 3)
    assert rows.set_index("entity_id")["delay_recent_months"].to_dict() == {"new": 2.0, "hole": (1 * 1 + 2 * 3) / 4}


def as_of(account: pd.DataFrame, months: pd.DataFrame, month: str, length: int) -> pd.DataFrame:
    """The features of every entity as of a month, as the panel's SQL gives them."""
    facts = Facts(account, ACCOUNT, months)
    text, _ = build.panel_sql(facts, length, Outcome(kind="time", event="delay_months >= 3", window_months=1))
    sampled = account[["entity_id"]].assign(
        parent_id=account["entity_id"],
        as_of_date=pd.Timestamp(month),
        sample="development",
        outcome=0.0,
        weight=1.0,
    )
    sampled["anchor"] = pd.Timestamp(month).year * 12 + pd.Timestamp(month).month
    rows = engine.frame(text, {**facts.relations, "sampled": sampled})
    return rows.sort_values("entity_id", ignore_index=True)


def random_months(n: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    account = pd.DataFrame({"entity_id": [f"a{i}" for i in range(n)], "limit_amt": rng.integers(1, 9, n) * 1000.0})
    long = account[["entity_id"]].merge(pd.DataFrame({"month": MONTHS}), how="cross")
    long["delay_months"] = rng.choice([0.0, 1.0, 2.0, 3.0], len(long), p=[0.8, 0.1, 0.06, 0.04])
    long["balance_amt"], long["payment_amt"] = rng.integers(0, 5000, (2, len(long))).astype(float)
    return account, long


@pytest.mark.parametrize("length", [1, 3, 5])
def test_no_feature_changes_when_the_future_does(length):
    account, long = random_months()
    changed = long.copy()
    changed.loc[changed["month"] > "2020-05-01", ["delay_months", "balance_amt", "payment_amt"]] = 99.0
    pd.testing.assert_frame_equal(as_of(account, long, "2020-05", length), as_of(account, changed, "2020-05", length))
    changed.loc[changed["month"] == "2020-05-01", "balance_amt"] = 77.0
    assert (as_of(account, changed, "2020-05", length)["balance_amt"] == 77.0).all()  # what is compared does move


def test_a_month_without_a_row_is_missing_and_not_the_month_before():
    account, long = random_months(2)
    gap = long[~((long["entity_id"] == "a0") & (long["month"] == "2020-04-01"))]
    row = as_of(account, gap, "2020-05", 3).set_index("entity_id").loc["a0"]
    assert np.isnan(row["balance_lag1_amt"])
    march = long[(long["entity_id"] == "a0") & (long["month"] == "2020-03-01")]["balance_amt"].item()
    assert row["balance_lag2_amt"] == march


def test_spread_loses_no_digits_on_large_levels():
    values = {"w": pd.DataFrame({"x_0": [1e9 + 1, 5.0], "x_1": [1e9 + 2, np.nan], "x_2": [1e9 + 4, 9.0]})}
    text = features.spread(["w.x_0", "w.x_1", "w.x_2"])
    computed = engine.frame(f"SELECT {text} AS s FROM w", values)["s"]
    assert computed.tolist() == pytest.approx([np.std([1.0, 2.0, 4.0]), 2.0], rel=1e-12)


@pytest.mark.whole
def test_the_same_panel_has_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    account, long = random_months(2000)
    long["balance_amt"] += 0.1 * np.arange(len(long))
    p = build.Params(outcome=DELAY, as_of_from="2020-06", as_of_to="2020-08")
    made = [build.make_from(Facts(account, ACCOUNT, long), p).path.read_bytes() for _ in range(3)]
    monkeypatch.setenv("WORKBENCH_THREADS", "1")
    made.append(build.make_from(Facts(account, ACCOUNT, long), p).path.read_bytes())
    assert len(set(made)) == 1


def test_parts_of_a_large_panel_are_the_panel(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    account, long = random_months(500)
    long.sort_values(["entity_id", "month"]).to_parquet(tmp_path / "months.parquet", index=False)
    p = build.Params(outcome=DELAY, as_of_from="2020-06", as_of_to="2020-08")
    facts = Facts(account, ACCOUNT, tmp_path / "months.parquet")
    made = build.make_from(facts, p)
    whole = pd.read_parquet(made.path, columns=[c.name for c in made.contract.columns])
    monkeypatch.setattr(build, "PART_ROWS", 300)
    pd.testing.assert_frame_equal(pd.read_parquet(build.make_from(facts, p).path), whole)
    assert len(whole) > 900
