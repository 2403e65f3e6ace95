"""The pack: the book as it stood at the period's end, rises beyond chance, bad news first, what changed since before."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from workbench import home, rules
from workbench.contracts import Column, Contract
from workbench.evidence import LEFT_BEHIND, Evidence, Verdict, digest_file
from workbench.params import Key, UserError
from workbench.registry import current, inventory, recorded, written
from workbench.registry.current import Record
from workbench.registry.events import Chain, Event
from workbench.registry.recorded import Recorded
from workbench.registry.written import Chapters
from workbench.reporting import breaches, chapters, claimed, headlines, health, pack, packs, portfolio
from workbench.reporting.book import Book
from workbench.reporting.portfolio import Months, Span
from workbench.words import say, speaking, untranslated

ACCOUNT = Contract(
    name="core__account",
    title="t",
    currency="EUR",
    columns=(
        Column(name="entity_id", type="text", role="key"),
        Column(name="product_code", type="category", aspect="offer", values={"p": "personal loan", "m": "mortgage"}),
        Column(name="original_amt", type="number", exposure=True),
    ),
)
RULES = rules.load()


def _months(rows: list[tuple[str, str, float, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["entity_id", "month", "balance_amt", "delay_months"])
    return table.assign(month=pd.to_datetime(table["month"]))


# Four accounts: a pays; b falls late and rolls to default, then leaves the book; c is cured; d is new in March.
ROWS = [
    ("a", "2018-01-01", 100.0, 0),
    ("a", "2018-02-01", 90.0, 0),
    ("a", "2018-03-01", 80.0, 0),
    ("a", "2018-04-01", 70.0, 0),
    ("b", "2018-01-01", 50.1, 2),
    ("b", "2018-02-01", 50.1, 3),
    ("c", "2018-01-01", 20.0, 1),
    ("c", "2018-02-01", 20.0, 1),
    ("c", "2018-03-01", 10.0, 0),
    ("d", "2018-03-01", 40.0, 0),
    ("d", "2018-04-01", 39.0, 1),
]
ACCOUNTS = pd.DataFrame(
    {
        "entity_id": list("abcd"),
        "product_code": ["personal loan", "mortgage"] * 2,
        "original_amt": [120.0, 60.0, 30.0, 40.5],
    }
)


def _source(period: str, rows=ROWS, accounts=ACCOUNTS) -> Months:
    return Months(accounts, ACCOUNT, _months(rows), period)


def _book(period: str, **more) -> Book:
    return Book(_source(period, **more), RULES)


# the book


def test_size_arrears_new_business_and_losses_are_those_that_were_planted():
    book = _book("2018-03")
    assert book.ends("accounts") == (3, 3) and book.ends("balance") == (130.0, 160.1)
    assert [book.late(k) for k in (1, 2, 3)] == [(0.0, 2 / 3), (0.0, 1 / 3), (0.0, 1 / 3)]
    assert book.sums("new", book.rows) == (1, 0) and book.sums("new_amt", book.rows) == (40.5, 0)
    assert book.sums("gone_amt", book.written_off) == (50.1, 0)  # b left the book from default
    e, _ = chapters.losses(_book("2018-02"))
    assert (e.facts["fell"], e.facts["lost"]) == (1, 0)
    e, lines = chapters.losses(book)
    assert e.value == 50.1 and {h.key: str(h.now) for h in lines}["lost"] == "50\u00a0EUR"


def test_a_roll_rate_is_the_share_that_is_later_a_month_on():
    rolled = {b: rest for b, *rest in portfolio.rolled(_source("2018-02").moves(12), Span.of("2018-02"))}
    assert rolled == {0: [1, 0, 1], 1: [1, 0, 0], 2: [1, 1, 0]}  # n, worse, cured: a; c stays; b rolls on
    quarter = {b: rest for b, *rest in portfolio.rolled(_source("2018-Q1", ROWS).moves(12), Span.of("2018-Q1"))}
    assert quarter[1] == [2, 0, 1]  # c stays in February and is cured in March


def test_nothing_later_than_the_periods_end_is_read():
    """Whatever the months to come hold, and whoever comes in them, no figure of the period moves."""
    later = [("a", "2018-04-01", 9e6, 9), ("c", "2018-04-01", 1.0, 5), ("e", "2018-05-01", 7.0, 0)]
    until_march = [row for row in ROWS if row[1] <= "2018-03-01"]
    accounts = pd.concat([ACCOUNTS, pd.DataFrame([("e", "p", 5e6)], columns=ACCOUNTS.columns)])
    plain, with_later = (
        _book("2018-03", rows=until_march),
        _book("2018-03", rows=until_march + later, accounts=accounts),
    )
    pd.testing.assert_frame_equal(plain.rows, with_later.rows)
    pd.testing.assert_frame_equal(plain.moves, with_later.moves)
    pd.testing.assert_frame_equal(plain.source.cut_by("product_code"), with_later.source.cut_by("product_code"))
    answers = [
        {k: e.facts for k, (e, _) in chapters.chapters(b, ["product_code"]).items()} for b in (plain, with_later)
    ]
    assert answers[0] == answers[1]


def test_without_a_period_it_is_the_datas_last_month():
    assert _source("once").now == Span.of("2018-04") and _source("once").before == Span.of("2018-03")


def test_a_period_outside_the_data_is_refused_in_one_line():
    with pytest.raises(UserError) as e:
        assert _source("2019-01").now
    assert str(e.value) == (
        "reporting/pack: period 2019-01 ends outside the months of the data (2018-01 to 2018-04); "
        "run a period within them"
    )


def test_new_accounts_are_not_known_in_the_datas_first_month():
    e, lines = chapters.new_business(_book("2018-01"))
    assert str(e.answer) == "The data begin in 2018-01: what is new is not known." and not lines
    assert not np.isfinite(Book(_source("2018-01"), RULES).ends("accounts")[1])


def test_the_book_is_cut_by_the_columns_named_else_by_its_categories():
    assert _source("2018-03").segments([], 3) == ["product_code"]
    with pytest.raises(UserError, match=r"no column 'produkt'; did you mean 'product_code'"):
        _source("2018-03").segments(["produkt"], 3)
    e, _ = chapters.by_segment(_book("2018-02"), ["product_code"])
    assert set(e.table["segment"]) == {"personal loan", "mortgage"}  # labels, which a page says in its language


# what is not known is not 0


def _without_amounts(period: str, months: pd.DataFrame, contract: Contract | None = None) -> Book:
    plain = Contract(name="core__account", title="t", currency="EUR", columns=ACCOUNT.columns[:2])
    return Book(Months(ACCOUNTS, contract or plain, months, period), RULES)


@pytest.mark.parametrize(
    "months", [_months(ROWS).drop(columns="balance_amt"), _months(ROWS).assign(balance_amt=np.nan)]
)
def test_a_book_without_balances_has_its_counts_and_no_amount_of_0(months):
    book = _without_amounts("2018-03", months)
    answers = {k: str(e.answer) for k, (e, _) in chapters.chapters(book, ["product_code"]).items()}
    assert answers["book"] == "3 accounts at the end of 2018-03."
    assert answers["new_business"] == "1 new account in 2018-03."
    assert answers["losses"] == "0 accounts reached 90 days past due in 2018-03; 1 left the book from there."
    e, lines = chapters.losses(book)
    assert [(h.key, str(h.now)) for h in lines] == [("to_default", "0")] and e.value == 1
    assert list(e.table) == ["month", "newly 90 days past due", "left the book from there"]
    e, lines = chapters.new_business(book)
    assert [str(h.now) for h in lines] == ["1"] and list(e.table) == ["month", "new accounts"]
    assert str(chapters.new_business(_without_amounts("2018-02", months))[0].answer) == "0 new accounts in 2018-02."
    with_exposure, _ = chapters.new_business(_without_amounts("2018-03", months, ACCOUNT))
    assert str(with_exposure.answer) == "1 new account in 2018-03 over 40 EUR."


def test_a_balance_that_is_not_known_at_the_end_is_not_said_to_be_0():
    months = _months(ROWS)
    months.loc[months["month"] == "2018-03-01", "balance_amt"] = np.nan
    e, lines = chapters.size(_without_amounts("2018-03", months))
    assert str(e.answer) == "3 accounts at the end of 2018-03." and [h.key for h in lines] == ["accounts"]
    assert np.isnan(e.table["balance"][0]) and e.table["balance"][1] == 160.1


def test_nothing_lost_is_0_and_a_lost_balance_that_is_not_known_is_not():
    assert chapters.losses(_book("2018-04"))[0].value == 0
    months = _months(ROWS)
    months.loc[months["entity_id"] == "b", "balance_amt"] = np.nan
    e, lines = chapters.losses(_without_amounts("2018-03", months))
    assert str(e.answer) == "0 accounts reached 90 days past due in 2018-03; 1 left the book from there."
    assert {h.key: str(h.now) for h in lines}["lost"] == "" and np.isnan(e.table["gross loss"][0])


def test_a_roll_rate_is_of_the_accounts_whose_next_month_is_known():
    """Of four a month past due one gets later, one doesn't, one leaves the book, and of one the delay is not known."""
    rows = [(e, "2018-01-01", 10.0, 1) for e in "abcd"]
    rows += [("a", "2018-02-01", 10.0, 2), ("b", "2018-02-01", 10.0, 1), ("d", "2018-02-01", 10.0, np.nan)]
    rolled = {b: rest for b, *rest in portfolio.rolled(_source("2018-02", rows).moves(12), Span.of("2018-02"))}
    assert rolled == {1: [3, 1, 0]}


def test_a_delay_below_a_month_is_not_yet_30_days_where_moves_are_counted_too():
    rows = [(e, m, 10.0, 0.6) for e in "abc" for m in ("2018-01-01", "2018-02-01")]
    book = _book("2018-02", rows=rows)
    assert book.late(1) == (0.0, 0.0)
    assert list(book.moves["bucket"]) == [0] and list(book.moves["worse"]) == [0]


def test_arrears_are_counted_by_days_where_the_months_have_them():
    """Where the first day late is M1, the months past due would call 20 days late 30 or more."""
    months = _months(ROWS).assign(days_past_due=[0, 0, 0, 0, 60, 90, 20, 20, 0, 0, 29])
    by_month = Months(ACCOUNTS, ACCOUNT, months, "2018-03").by_month(3).set_index("month_no")
    counted = by_month[["late_1", "late_2", "late_3"]].to_numpy().tolist()
    assert counted == [[1, 1, 0], [1, 1, 1], [0, 0, 0]]


def test_over_a_month_that_was_not_delivered_nobody_rolled_on_or_left_the_book():
    months = ("2017-12-01", *(f"2018-0{m}-01" for m in (1, 2, 3, 4, 6)))
    rows = [(e, m, 10.0, 4.0) for e in "abcd" for m in months]
    book = _book("2018-Q2", rows=rows)
    assert list(book.moves["month_no"] % 12) == [1, 2, 3, 4] and book.moves["gone"].sum() == 0
    e, lines = chapters.losses(book)
    assert str(e.answer) == "Not every move into a month of 2018-Q2 is known, nor what was lost."
    assert [str(h.now) for h in lines] == ["", ""] and str(lines[1].before) == "0\u00a0EUR"
    e, lines = chapters.new_business(book)
    assert not lines and str(e.answer) == (
        "A month of 2018-Q2 or the one before it was not delivered: what is new is not known."
    )
    june = _book("2018-06", rows=rows)
    e, lines = chapters.roll_rates(june)
    assert str(e.answer) == "No move into a month of 2018-06 is known." and not lines
    assert str(chapters.new_business(june)[0].answer) == (
        "A month of 2018-06 or the one before it was not delivered: what is new is not known."
    )


def test_a_period_whose_last_month_was_not_delivered_is_refused_in_one_line():
    with pytest.raises(UserError) as e:
        assert _source("2018-03", [r for r in ROWS if r[1] != "2018-03-01"]).now
    assert str(e.value) == (
        "reporting/pack: the data have no rows of 2018-03, in which period 2018-03 ends; have that month delivered, "
        "or run another period"
    )


# what is worse


def _segmented(late: dict[str, tuple[int, int] | None], n: int = 100) -> Book:
    """Return a book of n accounts a product, so many of them late in January and in February; None: not there."""
    rows, accounts = [], []
    for product, counts in late.items():
        for i in range(n):
            accounts.append((f"{product}{i}", product, 1.0))
            for month, k in zip(("2018-01-01", "2018-02-01"), counts, strict=True):
                rows += [] if k is None else [(f"{product}{i}", month, 10.0, float(i < k))]
    return _book("2018-02", rows=rows, accounts=pd.DataFrame(accounts, columns=ACCOUNTS.columns))


@pytest.mark.parametrize(
    ("late", "answer", "verdict", "value"),
    [
        (
            {"p": (10, 5), "m": (8, 6)},
            "In none of the segments shown has the share that is 30 or more days past due risen.",
            Verdict.green,
            None,
        ),
        (
            {"p": (10, 12), "m": (None, 90)},
            "Strongest rise: personal loan, 12.00% 30 or more days past due after 10.00%.",
            Verdict.green,
            0.12,
        ),
        (
            {"p": (0, 40), "m": (10, 5)},
            "Strongest rise: personal loan, 40.00% 30 or more days past due after 0.00%.",
            Verdict.red,
            0.4,
        ),
        (
            {"p": (None, 4), "m": (None, 4)},
            "No segment that is shown has a period before to compare with.",
            Verdict.not_evaluated,
            None,
        ),
    ],
)
def test_the_strongest_rise_is_of_a_segment_that_was_there_and_rose(late, answer, verdict, value):
    rows = {"p": (5, 5), "m": (5, 5)} | late
    e, _ = chapters.by_segment(_segmented(rows), ["product_code"])
    assert (str(e.answer), e.verdict, e.value) == (answer, verdict, value)


@pytest.mark.parametrize(
    ("late", "known", "light"),
    [
        ((75, 40), (1000, 1000), Verdict.red),  # nearly twice as many, beyond chance
        ((60, 40), (1000, 1000), Verdict.green),  # half as many again: one month in fifty by chance
        ((6, 4), (100, 100), Verdict.green),  # as steep, of a tenth of the accounts: chance
        ((2300, 2000), (10_000, 10_000), Verdict.amber),
        ((20, 40), (1000, 1000), Verdict.green),
        ((2, 0), (23, 23), Verdict.green),  # of so few, none before says little
        ((5, 0), (1000, 0), Verdict.not_evaluated),
    ],
)
def test_a_rise_has_a_light_where_it_is_beyond_chance_and_the_rule(late, known, light):
    assert headlines.risen(late, known, RULES) == light


def test_a_rise_from_nothing_is_red_where_it_is_beyond_chance():
    assert headlines.risen((40, 0), (1000, 1000), RULES) == Verdict.red


def test_a_fall_is_not_told_as_a_rise_in_chinese():
    with speaking("zh_CN"):
        assert str(chapters._of_late(88, 1376, Verdict.green)).endswith("未见超出偶然波动的上升")


def test_headlines_come_worst_first_with_an_arrow_and_both_periods():
    lines = [
        headlines.amount("up", say("accounts"), (110.0, 100.0), "", say("x")),
        headlines.rate("late", say("arrears"), (0.06, 0.04), say("x"), Verdict.red),
        headlines.count("lights", say("red lights"), (3.0, 1.0), say("x"), Verdict.red),
        headlines.amount("loss", say("gross loss"), (150.0, 100.0), "EUR", say("x"), worse=1),
        headlines.figure("auc", say("separation"), (0.7, float("nan")), say("x"), Verdict.info, worse=-1),
        headlines.rate("late_90", say("90+"), (0.0371, 0.0366), say("x"), Verdict.green),
        headlines.rate("late_30", say("30+"), (0.064, 0.0718), say("x"), Verdict.green),
    ]
    table = headlines.table(headlines.worst_first(lines))
    assert [str(w) for w in table["figure"]] == [
        "red lights",
        "arrears",
        "gross loss",  # no light, and worse by half: before what is green
        "90+",
        "accounts",
        "separation",
        "30+",
    ]
    assert [str(c) for c in table["change"]] == [
        "↑\u00a0+2",
        "↑\u00a0+2.00\u00a0pp",
        "↑\u00a0+50.0%",
        "↑\u00a0+0.05\u00a0pp",
        "↑\u00a0+10.0%",
        "",
        "↓\u00a0-0.78\u00a0pp",
    ]
    assert (str(table["now"][1]), str(table["last period"][1]), table["light"][1]) == ("6.00%", "4.00%", "red")


# what other steps have left


def _run(step: str, period: str, *answers: Evidence, **more) -> Recorded:
    about = {"status": "FINISHED", "headline": "", "seconds": 1.0, "run_id": "0" * 32, "step_key": "k", "owner": "risk"}
    worst = min((e.verdict for e in answers), key=lambda v: v.rank, default=Verdict.info)
    series = more.pop("series", {})
    record = Record(
        **{
            **about,
            "study": "s",
            "period": period,
            "step": step,
            "slug": step,
            "verdict": str(worst),
            "start": 0.0,
            **more,
        }
    )
    return Recorded(record, {e.key: e for e in answers}, series, {}, {})


def _answer(key: str, verdict: str, value: float = 1.0, **more) -> Evidence:
    return Evidence(key=key, question=f"{key}?", verdict=verdict, answer=f"{key} says", value=value, **more)


def test_a_breach_has_owner_action_and_since_and_bad_news_comes_first():
    runs = {
        "panel/build": _run("panel/build", "once", _answer("rows", "amber")),
        "monitoring/m": _run("monitoring/m", "2018-03", _answer("drift", "red"), _answer("auc", "green")),
        "monitoring/n": _run("monitoring/n", "2018-03", _answer("psi", "red", since="2018-01")),
    }
    broken = breaches.broken(runs, {"monitoring/m: drift": "2017-12"})
    assert [(b.place, b.since) for b in broken] == [
        ("monitoring/m: drift", "2017-12"),  # as the pack before has it
        ("monitoring/n: psi", "2018-01"),  # as the step itself says
        ("panel/build: rows", "once"),  # of no period: the day of its run may lie after the pack's
    ]
    e, (red, amber) = breaches.chapter(broken, broken[1:])
    assert e.verdict == Verdict.red and str(e.answer) == (
        "2 red lights and 1 amber one. New since the period before: monitoring/m: drift."
    )
    assert (str(red.now), str(red.before), str(red.change), red.verdict) == ("2", "1", "↑\u00a0+1", Verdict.red)
    assert (str(amber.change), amber.verdict) == ("→\u00a0+0", Verdict.amber)
    assert {row["owner"] for _, row in e.table.iterrows()} == {"risk"}
    assert str(e.table["action"][0]).startswith("Tell the model's owner today.")


def test_who_does_what_stands_at_the_answer_that_its_alarm_rings_for(monkeypatch):
    """The table of alarms says kinds in words; two of them stand on one answer, and what doesn't ring has no order."""
    rows = [("data quality", "data management"), ("calibration", "model monitoring"), ("discrimination", "risk")]
    alarm = _answer("alarm", "red", repeats=("data", "performance"))
    run = _run("monitoring/m", "2018-03", alarm, *(_answer(k, "red") for k in ("data", "performance", "grades")))
    orders = [{"kind": k, "owner": who, "action": f"{who} acts"} for k, who in rows]
    monkeypatch.setattr(Recorded, "rows", lambda self, key: orders if key == "alarm" else [])
    by_place = {b.place: [o["owner"] for o in b.orders] for b in breaches.broken({"m": run}, {})}
    assert by_place == {
        "monitoring/m: data": ["data management"],
        "monitoring/m: performance": ["model monitoring", "risk"],
        "monitoring/m: grades": [],
    }


def test_a_breach_stands_where_pages_call_its_step_and_is_known_again_by_it():
    runs = {"validation/battery": _run("validation/battery", "2018-03", _answer("roll_rates", "red"))}
    (new,) = breaches.broken(runs, {"Independent validation: roll rates": "2017-11"})
    assert new.since == "2017-11" and new.where.in_language("en") == "Independent validation: roll rates"
    assert new.where.in_language("zh_CN") == "独立验证：滚动率"
    of_contract = breaches.called("portfolios/intake", "contract.own_bank")
    assert of_contract.in_language("zh_CN") == "数据接入：own_bank 的数据契约"


def test_an_answer_that_sums_others_up_is_no_breach_of_its_own():
    run = _run("monitoring/m", "2018-03", _answer("alarm", "red", repeats=("drift",)), _answer("drift", "red"))
    assert [e.key for e in packs.single(run.evidence.values())] == ["drift"]
    alone = _run("monitoring/m", "2018-03", _answer("alarm", "red", repeats=("drift",)), _answer("drift", "green"))
    assert [e.key for e in packs.single(alone.evidence.values())] == ["alarm"]


def test_a_red_that_sums_up_what_is_amber_is_a_breach():
    run = _run("monitoring/m", "2018-03", _answer("alarm", "red", repeats=("drift",)), _answer("drift", "amber"))
    assert [e.key for e in packs.single(run.evidence.values())] == ["alarm", "drift"]


def test_what_changed_is_of_answers_of_both_periods():
    now = {"m/m": _run("m/m", "2018-03", _answer("a", "red", 3.0), _answer("b", "green"), _answer("new", "red"))}
    then = {"m/m": _run("m/m", "2018-02", _answer("a", "green", 2.0), _answer("b", "green"))}
    e = breaches.changes(now, then)
    assert str(e.answer) == "Changed answers: 1; changed lights: 1."
    row = e.table.iloc[0]
    assert (str(row["where"]), row["light"], row["light, last period"]) == ("m/m: a", "red", "green")
    assert (str(row["now"]), str(row["last period"])) == ("3", "2")
    assert str(breaches.changes(now, {}).answer) == "Nothing is recorded of the period before."
    assert str(breaches.changes(then, then).answer) == "No answer changed."


def test_every_model_has_its_health_from_what_watches_it(monkeypatch):
    version = {"name": "s.pd", "version": "2", "kind": "scorecard", "figures": {"holdout_auc": 0.8}}
    made = _run("models/development", "once", models={"model__pd": version, "model__lgd": {**version, "name": "s.lgd"}})
    series = {
        "separation": {"2018-02": 0.75, "2018-03": 0.7},
        "observed": {"2018-03": 0.06},
        "expected": {"2018-03": 0.03},
    }
    watch = _run("monitoring/m", "2018-03", _answer("drift", "red"), reads=("mart__panel", "model__pd"), series=series)
    before = _run(
        "monitoring/m",
        "2018-02",
        _answer("drift", "green"),
        reads=("model__pd",),
        series={"separation": {"2018-02": 0.75}},
    )
    keys = [("s.pd", "2"), ("s.lgd", "2")]
    entries = {k: inventory.Entry(*k, "champion", 1, "own", "", "", ("watch it",), "", "", False) for k in keys}
    watched = health.models({"d": made, "m": watch}, {"m": before}, entries)
    e, lines = health.chapter(watched)
    assert str(e.answer) == "Registered models: 2; red: 1. Not watched: lgd/2."
    pd_row = e.table.set_index("model").loc["s.pd/2"]
    assert (pd_row["separation"], pd_row["separation, last period"], pd_row["hold-out"]) == (0.7, 0.75, 0.8)
    assert pd_row["observed / expected"] == 2.0 and (pd_row["owner"], pd_row["state"]) == ("own", "champion")
    shown = {h.key: h for h in lines}
    assert shown["model__pd_light"].verdict == Verdict.red and str(shown["model__pd_light"].before) == "green"
    assert str(shown["model__pd_separation"].change) == "↓\u00a0-0.050" and shown["model__pd_separation"].worse > 0
    conditions, _ = health.conditions(watched)
    assert conditions.verdict is Verdict.info
    late = [dataclasses.replace(w, entry=dataclasses.replace(w.entry, overdue=("watch it",))) for w in watched[:1]]
    overdue, _ = health.conditions(late)
    assert overdue.verdict is Verdict.red and str(overdue.answer).startswith("Overdue: pd/2: watch it.")
    assert str(conditions.answer) == "Open conditions: 2." and list(conditions.table["condition"]) == ["watch it"] * 2


def test_a_model_that_the_validation_refused_is_red_and_the_first_page_says_so(monkeypatch):
    version = {"name": "s.pd", "version": "1", "kind": "scorecard", "figures": {}}

    def validated(word: str, version: str = "1") -> Recorded:
        tags = {"model__pd": {"name": "s.pd", "version": version, "tags": {"validation.verdict": word}}}
        return _run("validation/battery", "once", _answer("challenger", "red"), tags=tags)

    def watched(state: str, validation: Recorded) -> list:
        made = _run("models/development", "once", models={"model__pd": version})
        watch = _run("monitoring/m", "2018-03", _answer("drift", "amber"), reads=("model__pd",))
        entry = inventory.Entry("s.pd", "1", state, 1, "own", "", "", (), "", "", False)
        runs = {"d": made, "v": validation, "m": watch}
        return health.models(runs, {}, {("s.pd", "1"): entry})

    e, lines = health.chapter(watched("candidate", validated("refuse")))
    assert e.verdict is Verdict.red and str(e.answer) == (
        "Registered models: 1; red: 1. s.pd version 1 was refused by the independent validation."
    )
    assert (e.table["light"][0], str(e.table["validation"][0])) == ("red", "refuse")
    assert [(h.key, h.verdict) for h in lines] == [
        ("model__pd_validation", Verdict.red),
        ("model__pd_light", Verdict.amber),
    ]
    front = pack.front(_material("2018-03", rows=None), {"models": (e, lines), "breaches": _broken(6)})
    assert str(front.answer).startswith("2 of 4 headlines are red: ")
    assert "s.pd version 1 was refused by the independent validation" in front.answer
    assert "6 red lights under breaches" in front.answer
    assert health.chapter(watched("candidate", validated("refuse", version="2")))[0].verdict is Verdict.amber
    referred = watched("candidate", validated("refer"))[0], watched("champion", validated("refer"))[0]
    assert [w.validation for w in referred] == [Verdict.amber, Verdict.info]  # a person has judged it


def _broken(n: int):
    run = _run("monitoring/m", "2018-03", *(_answer(f"a{i}", "red") for i in range(n)))
    return breaches.chapter(breaches.broken({"m": run}, {}), None)


def test_the_number_of_breaches_means_what_the_worst_one_says():
    _, (red, _) = _broken(2)
    assert (str(red.what), str(red.meaning)) == ("number of red lights", "the worst: a0 says")


def test_the_worst_light_of_a_model_hides_neither_its_figures_nor_its_broken_claims(monkeypatch):
    """Steps that look for causes or for another model log no series: their light counts, the figures are others'."""
    version = {"name": "s.pd", "version": "1", "kind": "scorecard", "figures": {"holdout_auc": 0.8}}
    made = _run("models/development", "once", models={"model__pd": version})

    def through_time(period: str, auc: float, psi: float) -> Recorded:
        series = {"separation": {period: auc}, "psi": {period: psi}}
        light = _answer("drift", "amber")
        return _run("monitoring/through_time", period, light, reads=("model__pd",), series=series)

    def redeveloped(period: str, light: str) -> Recorded:
        return _run("monitoring/redevelopment", period, _answer("better", light), reads=("model__pd",))

    now = {"d": made, "r": redeveloped("2018-03", "red"), "t": through_time("2018-03", 0.61, 0.3)}
    before = {"r": redeveloped("2018-02", "green"), "t": through_time("2018-02", 0.75, 0.1)}
    entry = inventory.Entry("s.pd", "1", "champion", 1, "own", "", "", (), "", "", False)
    watched = health.models(now, before, {("s.pd", "1"): entry})
    e, lines = health.chapter(watched)
    row = e.table.iloc[0]
    assert (row["light"], row["separation"], row["separation, last period"]) == ("red", 0.61, 0.75)
    assert (row["psi"], row["psi, last period"]) == (0.3, 0.1)
    shown = {h.key: (str(h.now), str(h.before)) for h in lines}
    assert shown["model__pd_light"] == ("red", "green") and shown["model__pd_separation"] == ("0.610", "0.750")
    signed = Chapters.model_validate({"developer": {"limitations": "{{claim: holdout_gini >= 0.45}}"}})
    monkeypatch.setattr(written, "signed", lambda model, moves: signed)
    monkeypatch.setattr(claimed.events, "read", Chain)
    assert str(claimed.chapter(watched)[0].answer) == "Claims that no longer hold: pd/1: holdout_gini >= 0.45."


def test_a_champions_claims_are_held_against_the_newest_known_period(monkeypatch):
    version = {"name": "s.pd", "version": "2", "kind": "scorecard", "figures": {"holdout_auc": 0.8}}
    made = _run("models/development", "once", models={"model__pd": version})
    series = {"separation": {"2018-02": 0.75, "2018-03": 0.7}, "psi": {"2018-03": 0.1, "2018-04": 0.9}}
    watch = _run("monitoring/m", "2018-04", _answer("drift", "green"), reads=("model__pd",), series=series)
    text = "{{claim: holdout_gini >= 0.45}} {{claim: psi <= 0.25}} {{claim: holdout_ks >= 0.3}}"
    signed = Chapters.model_validate({"developer": {"limitations": text}})
    monkeypatch.setattr(written, "signed", lambda model, moves: signed if model == "s.pd" else Chapters())
    monkeypatch.setattr(claimed.events, "read", Chain)

    def answer(state: str) -> Evidence:
        entry = inventory.Entry("s.pd", "2", state, 1, "own", "", "", (), "", "", False)
        return claimed.chapter(health.models({"d": made, "m": watch}, {}, {("s.pd", "2"): entry}))[0]

    e = answer("champion")
    assert e.verdict is Verdict.red and str(e.answer) == "Claims that no longer hold: pd/2: holdout_gini >= 0.45."
    assert list(e.table["claim"]) == ["holdout_gini >= 0.45", "psi <= 0.25"]  # nobody watches the KS
    assert [str(t) for t in e.table["result"]] == ["no: it is 0.4000", "holds: it is 0.1000"]
    assert answer("candidate").verdict is Verdict.info and answer("candidate").table is None


def test_a_champion_that_no_current_run_made_is_in_the_pack_and_said_not_to_be_watched(monkeypatch):
    """Developed again, version 2 is the one that current runs made and watch; version 1 goes on deciding."""
    about = {"name": "s.pd", "kind": "scorecard", "figures": {"holdout_auc": 0.8}}
    first, second = ({**about, "version": n, "digest": f"digest {n}"} for n in ("1", "2"))
    made = _run("models/development", "once", models={"model__pd": second})
    series = {"separation": {"2018-03": 0.7}, "psi": {"2018-03": 0.1}}
    watch = _run("monitoring/m", "2018-03", _answer("drift", "green"), reads=("model__pd",), series=series)
    states = {("s.pd", "1"): "champion", ("s.pd", "2"): "candidate"}
    entries = {k: inventory.Entry(*k, state, 1, "own", "", "", (), "", "", False) for k, state in states.items()}
    signed = Chapters.model_validate({"developer": {"limitations": "{{claim: holdout_gini >= 0.45}}"}})
    monkeypatch.setattr(written, "signed", lambda model, moves: signed)
    monkeypatch.setattr(claimed.events, "read", Chain)

    def chapters_of(digest: str) -> tuple[Evidence, list, Evidence]:
        runs = {"d": made, "m": dataclasses.replace(watch, read={"model__pd": digest})}
        watched = health.models(runs, {}, entries, [first, second])
        return *health.chapter(watched), claimed.chapter(watched)[0]

    e, lines, claims_ = chapters_of("digest 2")
    assert str(e.answer) == "Registered models: 2; red: 0. Not watched: pd/1." and e.verdict is Verdict.amber
    rows = e.table.set_index("model")
    assert (rows["light"]["s.pd/1"], rows["state"]["s.pd/1"], rows["hold-out"]["s.pd/1"]) == ("amber", "champion", 0.8)
    assert rows["light"]["s.pd/2"] == "green" and np.isnan(rows["separation"]["s.pd/1"])
    alone = next(h for h in lines if h.key == "model__pd_unwatched")
    assert (str(alone.what), str(alone.now), alone.verdict) == ("pd/1: monitoring", "not watched", Verdict.amber)
    assert claims_.verdict is Verdict.amber and str(claims_.answer) == (
        "Not watched, so that nothing tells whether its claims hold: pd/1."
    )
    e, _, claims_ = chapters_of("digest 1")  # monitoring has not yet read the new version
    assert str(e.answer) == "Registered models: 2; red: 0. Not watched: pd/2." and e.verdict is Verdict.not_evaluated
    assert str(claims_.answer) == "Claims that no longer hold: pd/1: holdout_gini >= 0.45."


# the whole


def _material(period: str, rows=ROWS, previous=None, runs=None) -> pack.Material:
    p = pack.Params(study="s", period=period)
    return pack.Material(p, runs or {}, previous or {}, None if rows is None else _source(period, rows))


def test_a_bank_without_months_gets_a_pack_without_the_book_and_is_told_so():
    m = _material("2018-03", rows=None)
    assert pack.of_book(m) == {}
    front = pack.front(m, pack.of_models(m))
    assert "The bank delivers no months: the chapters on the book are left out." in str(front.answer)


def test_months_that_do_not_say_who_is_late_leave_arrears_out():
    months = _months(ROWS).drop(columns="delay_months")
    m = dataclasses.replace(_material("2018-03"), months=Months(ACCOUNTS, ACCOUNT, months, "2018-03"))
    assert list(pack.of_book(m)) == ["book", "new_business"]
    assert "arrears, roll rates and losses are left out." in str(pack.front(m, pack.of_book(m)).answer)


def test_a_book_that_was_another_in_the_pack_before_is_said_to_be_restated():
    e, _ = chapters.size(_book("2018-02"))
    same = _run(packs.STEP, "2018-02", e)
    m = _material("2018-03", previous={packs.STEP: same})
    assert "Restated" not in str(pack.front(m, pack.of_book(m)).answer)
    fewer, _ = chapters.size(_book("2018-02", rows=[r for r in ROWS if r[0] != "c"]))
    m = _material("2018-03", previous={packs.STEP: _run(packs.STEP, "2018-02", fewer)})
    assert "Restated: the pack of 2018-02 had 2 accounts, the data now have 3." in str(
        pack.front(m, pack.of_book(m)).answer
    )


def test_a_chapter_that_stays_red_is_no_news():
    m = _material("2018-02", previous={packs.STEP: _run(packs.STEP, "2018-01", _answer("delinquency", "red"))})
    red = _answer("delinquency", "red")
    assert pack._lasting(m, red).since == "2018-01" and pack._lasting(m, _answer("losses", "red")).since == ""


def test_the_packs_light_is_the_worst_and_its_sentences_are_the_chapters():
    runs = {"m/m": _run("m/m", "2018-03", _answer("a", "red"))}
    m = _material("2018-03", runs=runs)
    parts = {**pack.of_book(m), **pack.of_models(m)}
    front = pack.front(m, parts)
    assert front.verdict == Verdict.red and front.table["light"][0] == "red"
    assert "3 accounts at the end of 2018-03." in str(pack.conclusion(m, parts))
    assert pack.figures(m, parts)["red"] == 1 and pack.figures(m, parts)["accounts"] == 3
    grown = [(*r[:3], 9.0) if r[1] == "2018-03-01" else r for r in ROWS for _ in range(40)]
    late = [(f"{name}{i % 40}", *rest) for i, (name, *rest) in enumerate(grown)]
    accounts = pd.DataFrame({"entity_id": sorted({r[0] for r in late}), "product_code": "p", "original_amt": 1.0})
    m = dataclasses.replace(_material("2018-03", runs=runs), months=_source("2018-03", late, accounts))
    red = [b.place for b in m.broken if b.answer.verdict is Verdict.red]
    assert red == ["m/m: a", "reporting/pack: delinquency", "reporting/pack: roll_rates"]
    assert pack.figures(m, parts)["red"] == len(red)
    with speaking("zh_CN"):
        assert "项要点中" in str(front.answer)


def test_every_card_is_said_in_chinese():
    asked = untranslated()
    runs = {"m/m": _run("m/m", "2018-03", _answer("a", "red"))}
    m = _material("2018-03", runs=runs, previous={"m/m": _run("m/m", "2018-02", _answer("a", "green", 2.0))})
    parts = {**pack.of_book(m), **pack.of_models(m)}
    with speaking("zh_CN"):
        cards = "".join(e._repr_html_() for e in (pack.front(m, parts), *(e for e, _ in parts.values())))
        headers = {re.sub("<[^>]+>", "", h) for h in re.findall(r"<th[^>]*>(.*?)</th>", cards)}
    assert untranslated() - asked == set()
    assert {h for h in headers if re.search("[a-z]{2}", h)} == {"product code product_code"} & headers


def test_the_packs_own_news_is_told_and_what_it_repeats_is_not():
    run = _run(packs.STEP, "2018-03").record
    content = {"evidence": [{"key": k} for k in ("pack", "models", "breaches", "delinquency")]}
    assert [e["key"] for e in packs.news(run, content)] == ["delinquency"]
    other = _run("monitoring/m", "2018-03").record
    assert len(packs.news(other, content)) == 4


# how it is read


def _left(tmp_home, step: str, period: str, *keys: str) -> Record:
    """Lay a run as the runner leaves it; return its record."""
    folder = f"artifacts/{period}/{step}"
    path = tmp_home / "mlruns" / folder / "evidence" / LEFT_BEHIND
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"evidence": [_answer(k, "green").record() for k in keys]}))
    files = {f"evidence/{LEFT_BEHIND}": digest_file(path)}
    record = _run(step, period, folder=folder, files=files).record
    current.put(record)
    return record


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    return tmp_path


def test_a_step_reads_what_it_declares_of_its_period_else_of_the_study_and_of_the_period_before(own_home, monkeypatch):
    _left(own_home, "a/a", "once", "x")
    for period in ("2018-01", "2018-02"):
        _left(own_home, "b/b", period, period)
    _left(own_home, "c/c", "2018-02", "x")
    monkeypatch.setenv(recorded.READS, "evidence:a/a\nevidence:b/b\nprevious:a/a\nprevious:b/b\ncore__account")
    key = Key("s", "2018-02")
    assert {s: list(r.evidence) for s, r in recorded.read(key).items()} == {"a/a": ["x"], "b/b": ["2018-02"]}
    assert {s: list(r.evidence) for s, r in recorded.read(key, recorded.PREVIOUS).items()} == {"b/b": ["2018-01"]}
    assert recorded.digest(key, "evidence:b/b") == current.read(key, "b/b").digest
    assert recorded.digest(Key("s", "2018-01"), "previous:b/b") == ""


def test_evidence_that_was_changed_since_is_refused_in_one_line(own_home):
    record = _left(own_home, "b/b", "2018-02", "x")
    (home.mlruns() / record.folder / "evidence" / LEFT_BEHIND).write_text("{}")
    with pytest.raises(UserError) as e:
        recorded.of(record)
    assert str(e.value) == (
        "b/b of study 's', 2018-02: evidence/evidence.json was changed or lost; "
        "`workbench run params/s.yaml --period 2018-02 --step b/b` makes it again"
    )


def test_a_move_of_a_studys_model_makes_its_pack_anew_and_no_others():
    def moved(seq: int, model: str) -> Event:
        about = {"verb": "submit", "version": "1", "source": "candidate", "target": "submitted", "role": "developer"}
        about |= {"files": "", "person": "dev", "evidence": "", "policy": "", "at": "2026-11-27T06:00:00"}
        return Event(seq=seq, prev="", model=model, **about)

    first = Chain((moved(1, "s.pd"),))
    assert Chain().digest_of("s") == "" == first.digest_of("other")
    elsewhere, again = Chain((*first.events, moved(2, "other.pd"))), Chain((*first.events, moved(2, "s.pd")))
    assert first.digest_of("s") == elsewhere.digest_of("s") != again.digest_of("s")
