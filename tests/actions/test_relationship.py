"""The relationship: who is called and when, scores weighted for non-response, topics that begin, what a change did."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from workbench.actions import action_list, product_change, relationship, satisfaction, topics, working_days
from workbench.params import UserError

MONTHS = pd.date_range("2017-01-01", periods=24, freq="MS")


@pytest.fixture(scope="module")
def bank() -> dict:
    """Customers of whom the engaged are more content, log in more and answer more; all of them have a score."""
    rng, n = np.random.default_rng(3), 600
    who = np.array([f"c{i:04d}" for i in range(n)])
    engagement = rng.normal(size=n)
    account = pd.DataFrame(
        {
            "entity_id": who,
            "since_date": pd.Timestamp("2010-01-01"),
            "officer_code": np.where(np.arange(n) % 2, "O1", "O2"),
        }
    )
    month = pd.DataFrame(
        {
            "entity_id": np.tile(who, len(MONTHS)),
            "month": np.repeat(MONTHS, n),
            "n_logins": rng.poisson(np.exp(0.7 + 0.6 * np.tile(engagement, len(MONTHS)))).astype(float),
            "n_products": 2.0,
            "n_contacts": 0.0,
            "n_complaints": 0.0,
            "delay_months": 0.0,
            "margin_amt": 30.0,
            "service_cost_amt": 5.0,
            "balance_amt": 100.0,
            "left_bank": 0.0,
        }
    )
    asked = np.repeat(np.arange(n), 3)
    score = np.clip(np.round(6.9 + 1.5 * engagement[asked] + rng.normal(0, 1.2, len(asked))), 0, 10)
    answers = rng.random(len(asked)) < 1 / (1 + np.exp(1.2 - 1.2 * engagement[asked]))
    at = pd.Series(MONTHS[rng.integers(6, 24, len(asked))])
    feedback = pd.DataFrame(
        {
            "feedback_id": [f"f{i}" for i in range(len(asked))],
            "entity_id": who[asked],
            "product_code": rng.choice(["card", "loan"], len(asked)),
            "kind_code": "nps",
            "invited_at": at,
            "answered_at": (at + pd.Timedelta(days=2)).where(answers),
            "score": np.where(answers, score, np.nan),
            "text": None,
        }
    )
    event = pd.DataFrame(
        {"entity_id": who[:50], "event_kind": "officer_call", "happened_at": pd.Timestamp("2018-11-05")}
    )
    truth = satisfaction.points(pd.DataFrame({"score": score, "kind_code": "nps"})).mean()
    return {"account": account, "month": month, "feedback": feedback, "event": event, "truth": truth}


@pytest.fixture(scope="module")
def asked(bank):
    return satisfaction.invitations(bank["feedback"], bank["account"], bank["month"])


def test_the_weighted_interval_holds_the_truth_and_the_naive_one_does_not(bank, asked):
    s = satisfaction.score(asked)
    assert s["low"] <= bank["truth"] <= s["high"]
    assert s["naive_low"] > bank["truth"] + 5
    assert s["asked"] == 1800 and s["n"] == asked["answered"].sum() and s["response"] == s["n"] / 1800


def test_a_score_is_never_told_without_its_number_response_interval_and_weighted_value(asked):
    answer = satisfaction.satisfaction(asked, "nps", satisfaction.by_month(asked, "nps", 3), 12)
    assert {"weighted", "low", "high", "n", "asked", "response", "naive"} <= set(answer.facts)
    few = asked[asked["answered"]].head(9)
    assert np.isnan(satisfaction.score(few)["weighted"])


def test_ten_who_agree_are_no_certainty():
    ten = pd.DataFrame(
        {"score": 10.0, "kind_code": "nps", "answered": True, "weight": 1.0, "entity_id": list("abcdefghij")}
    )
    s = satisfaction.score(ten)
    assert s["weighted"] == 100 and 20 < s["low"] < 95 and s["high"] == 100


def test_a_change_is_marked_where_there_is_one_and_nowhere_else(asked):
    assert not satisfaction.by_month(asked, "nps", 3)["marked"].any()
    fallen = asked.assign(score=asked["score"].where(asked["month"] < "2018-07-01", 2.0).where(asked["answered"]))
    months = satisfaction.by_month(fallen, "nps", 3)
    assert list(months["month"][months["marked"]].dt.strftime("%Y-%m")) == ["2018-09"]


def test_logins_go_with_the_score_and_what_never_varies_is_left_out(asked):
    table = satisfaction.drivers(asked).table.set_index(satisfaction.drivers(asked).table["attribute"].map(str))
    assert table.loc["logins", "low"] > 0.5 and "products" not in table.index


def test_a_kind_that_was_never_asked_is_not_evaluated(asked):
    months = satisfaction.by_month(asked, "csat", 3)
    card = satisfaction.satisfaction(asked, "csat", months, 12)
    assert (len(months), card.verdict, str(card.answer)) == (
        0,
        "not_evaluated",
        "0 answers of 0 asked are too few for a score.",
    )
    assert list(months) == list(satisfaction.by_month(asked, "nps", 3))
    for rows in (asked.assign(kind_code="csat"), asked[asked["answered"]].head(9), asked.assign(entity_id="a")):
        card = satisfaction.drivers(rows)
        assert card.verdict == "not_evaluated" and len(card.table) == 0


def test_where_everybody_answers_all_weigh_the_same(bank):
    content = bank["feedback"].assign(score=9.0)
    assert (satisfaction.invitations(content, bank["account"], bank["month"])["weight"] == 1).all()


def test_too_few_answers_are_refused_in_one_line(bank):
    silent = bank["feedback"].assign(score=np.nan)
    with pytest.raises(UserError) as e:
        satisfaction.invitations(silent, bank["account"], bank["month"])
    assert str(e.value) == "satisfaction: 0 answers of 1800 invitations; at least 10 are needed"


def _written(begins: int, n: int = 40) -> pd.DataFrame:
    rng, rows = np.random.default_rng(5), []
    plain = ["the app is quick", "friendly staff", "waiting time was long", "排队时间有点长", "网点人员很热情"]
    for t in range(14):
        for i in range(n):
            new = t >= begins and i % 2 == 0 and i % 4 == 0
            text = "the annual fee was charged twice <b>now</b>" if new else plain[rng.integers(len(plain))]
            rows.append((f"f{t}-{i}", "card" if i % 2 == 0 else "loan", MONTHS[t], text))
    return pd.DataFrame(rows, columns=["feedback_id", "product_code", "month", "text"])


def test_a_topic_is_found_in_its_month_on_its_product_and_once():
    (topic,) = topics.emerging(_written(begins=9))
    assert (topic.product_code, topic.month, topic.before) == ("card", MONTHS[9], 0.0)
    assert len(topic.texts) == 10 and topic.of == 20 and "annual fee" in " ".join(topic.terms)


def test_where_nothing_begins_nothing_is_found():
    assert topics.emerging(_written(begins=99)) == []


def test_words_that_are_drawn_by_chance_begin_no_topic():
    rng, words = np.random.default_rng(1), [f"{a}{b}x" for a in "abcdefghijklmno" for b in "abcdefghijklmnopqrst"]
    rows = [(f"f{t}-{i}", "card", MONTHS[t], " ".join(rng.choice(words, 5))) for t in range(14) for i in range(30)]
    assert topics.emerging(pd.DataFrame(rows, columns=["feedback_id", "product_code", "month", "text"])) == []


def test_verbatims_are_three_at_most_and_escaped_on_the_page():
    written = _written(begins=9)
    page = topics.begun(written, topics.emerging(written))._repr_html_()
    assert "&lt;b&gt;now" in page and "<b>now" not in page
    topic = topics.Topic("card", MONTHS[0], ("a",), ("a", "b", "a", "c", "d"), 9, 0.0, 0.01)
    assert topics.verbatims(topic) == ["a", "b", "c"]


def test_what_a_break_did_is_found_against_the_other_products_and_is_ordered_by_effect_and_holders(asked):
    fallen = asked.assign(
        score=asked["score"] - 3.0 * ((asked["product_code"] == "card") & (asked["month"] >= "2018-03-01"))
    )
    holding = pd.DataFrame({"entity_id": list("abc"), "product_code": ["card", "card", "loan"], "closed_month": pd.NaT})
    begun = [topics.Topic("card", pd.Timestamp("2018-03-01"), ("fee",), ("fee",), 9, 0.0, 0.01)]
    looked_into = product_change.breaks([*begun, *begun], {"loan": "2018-03"})
    table = product_change.differences(fallen, holding, looked_into)
    assert [b.product_code for b in table["break"]] == ["card", "loan"]
    assert table["low"][0] <= -3 <= table["high"][0] and table["p_value"][0] < 0.001 and table["trend_p"][0] > 0.01
    assert table["volume"].tolist() == [2, 1] and table["points"][0] == table["effect"][0] * 2


def test_the_calendar_puts_detractors_first_keeps_to_working_days_and_leaves_out_who_opted_out(bank, asked):
    p = relationship.Params(calls_a_day=3, working_days=4)
    today = relationship.states(bank["month"], bank["account"], bank["event"])
    unhappy = relationship.detractors(asked, 2, today["month"].max())
    due, held_out = relationship.candidates(today, unhappy, p)
    out = dict.fromkeys([*unhappy["entity_id"].head(2), *due["entity_id"].head(5)], action_list.OPTED_OUT)
    listed = action_list.action_list(due, capacity=p.capacity, barred=out)
    rows = relationship.calendar(listed, today["month"].max(), p).rows
    assert not set(rows["entity_id"]) & set(out)
    assert rows.groupby(["officer_code", "due_on"]).size().max() == 3
    assert sorted(rows["due_on"].unique()) == ["2019-01-02", "2019-01-03", "2019-01-04", "2019-01-07"]
    for _, theirs in rows.groupby("officer_code"):
        angry = theirs.sort_values("rank")["entity_id"].isin(set(unhappy["entity_id"])).tolist()
        assert angry == sorted(angry, reverse=True)
    recently = set(bank["event"]["entity_id"]) - set(unhappy["entity_id"])
    assert not set(due["entity_id"]) & recently
    assert 0.05 < held_out / (held_out + len(due) - len(unhappy)) < 0.15


def test_who_is_held_out_stays_so_whoever_else_is_due(bank):
    today = relationship.states(bank["month"], bank["account"], bank["event"])
    nobody = pd.DataFrame(columns=["entity_id", "product_code", "score", "answered_at"]).astype({"score": float})
    due, held_out = relationship.candidates(today, nobody, relationship.Params())
    fewer, _ = relationship.candidates(today.iloc[1:], nobody, relationship.Params())
    assert held_out > 20 and set(fewer["entity_id"]) == set(due["entity_id"]) - {today["entity_id"][0]}
    other, _ = relationship.candidates(today, nobody, relationship.Params(seed=1))
    assert set(other["entity_id"]) != set(due["entity_id"])


def test_the_months_of_a_low_score_are_counted_to_the_last_of_the_data(asked):
    assert len(relationship.detractors(asked, 2, MONTHS[-1])) and not len(
        relationship.detractors(asked, 2, MONTHS[-1] + pd.DateOffset(months=2))
    )


def test_coverage_counts_who_heard_from_an_officer(bank, asked):
    p = relationship.Params()
    today = relationship.states(bank["month"], bank["account"], bank["event"])
    due, held_out = relationship.candidates(today, relationship.detractors(asked, 2, today["month"].max()), p)
    listed = action_list.action_list(due, capacity=10, barred={})
    covered = relationship.coverage(today, listed, held_out, p)
    assert covered.value == 50 / 600 and covered.table["n"].tolist() == [50, 0, 0, 0, 550]


def test_a_calendar_keeps_the_holidays_of_its_country_and_a_sunday_that_is_worked_instead():
    days = working_days.working_days(date(2019, 2, 1), 4, "CN")  # New Year's week is made up for on Saturday and Sunday
    assert [str(d) for d in days] == ["2019-02-01", "2019-02-02", "2019-02-03", "2019-02-11"]
    assert str(working_days.working_days(date(2019, 1, 1), 1, "")[0]) == "2019-01-01"
    with pytest.raises(UserError) as e:
        relationship.Params(calendar="XECC").verify()
    assert str(e.value) == (
        "actions/relationship: calendar 'XECC' is no country or market; write a code such as DE or XECB, or leave it empty"
    )


def test_detractors_are_told_of_in_no_few_and_their_parts_add_up_behind_the_mark(bank):
    today = pd.DataFrame({"entity_id": [f"{i}" for i in range(40)]})
    listed = action_list.ActionList(pd.DataFrame({"entity_id": [f"{i}" for i in range(30)]}), 40, 0)

    def answered(first: int, last: int) -> str:
        names = [f"{i}" for i in range(first, last)]
        unhappy = pd.DataFrame({"entity_id": names, "product_code": "card", "score": 3.0})
        return str(relationship.followed_up(unhappy, listed, today).answer)

    assert answered(0, 5) == "Fewer than 10 detractors answered: they stand first on the calendar."
    assert answered(0, 52) == (
        "30 of 52 detractors are on the calendar, first of all; 12 have left, 10 opted out or are beyond the capacity."
    )
    assert answered(0, 45) == (
        "30 of 45 detractors are on the calendar, first of all; [suppressed] have left, [suppressed] opted out or are "
        "beyond the capacity."
    )


def test_a_change_whose_month_is_none_is_refused():
    with pytest.raises(UserError) as e:
        relationship.Params.checked({"changes": {"card": "soon"}})
    assert str(e.value) == (
        "parameters: 'changes' = {'card': 'soon'}: 'soon' of card is no month; write it like 2018-09"
    )


def test_a_product_is_named_first_only_where_it_lost_points_beyond_chance(asked):
    holding = pd.DataFrame({"entity_id": ["a"], "product_code": ["card"], "closed_month": pd.NaT})
    looked_into = product_change.breaks([], {"card": "2018-03"})
    still = product_change.proposed(product_change.differences(asked, holding, looked_into))
    assert str(still.answer) == "1 break; none lost its product points beyond chance."
    lost = 3.0 * ((asked["product_code"] == "card") & (asked["month"] >= "2018-03-01"))
    fallen = asked.assign(score=asked["score"] - lost)
    first = product_change.proposed(product_change.differences(fallen, holding, looked_into))
    assert str(first.answer).startswith("First: card since 2018-03.") and first.value < -2


def test_of_ten_breaks_that_changed_nothing_none_is_named_first():
    rng, products, named = np.random.default_rng(4), [f"p{i}" for i in range(12)], 0
    looked_into = product_change.breaks([], dict.fromkeys(products[:10], "2018-01"))
    holding = pd.DataFrame({"entity_id": ["a"], "product_code": ["p0"], "closed_month": pd.NaT})
    n = 2400
    given = pd.DataFrame({"entity_id": np.arange(n), "product_code": rng.choice(products, n), "kind_code": "nps"})
    given = given.assign(month=MONTHS[rng.integers(0, 24, n)], answered=True, weight=1.0)
    for _ in range(8):
        table = product_change.differences(given.assign(score=rng.normal(7, 2, n)), holding, looked_into)
        named += str(product_change.proposed(table).answer).startswith("First")
    assert named <= 1


def _answers(few: int, rng: np.random.Generator) -> pd.DataFrame:
    """Answers of so many customers of the card before 2018-01, as many after, and of 200 others, who answer alike."""
    cells = [(k, late, n) for k, n in (("card", few), ("loan", 200)) for late in (0, 1)]
    parts = []
    for product, late, n in cells:
        who = np.repeat(np.arange(n), rng.integers(1, 4, n))
        score = rng.normal(7, 1.5, n)[who] + rng.normal(0, 1.5, len(who))
        month = MONTHS[12 * late + rng.integers(0, 12, len(who))]
        parts.append(pd.DataFrame({"entity_id": who, "product_code": product, "month": month, "score": score}))
        parts[-1]["entity_id"] = [f"{product}{late}-{i}" for i in who]
    return pd.concat(parts, ignore_index=True).assign(kind_code="nps", answered=True, weight=1.0)


HOLDING = pd.DataFrame({"entity_id": ["a"], "product_code": ["card"], "closed_month": pd.NaT})


def test_few_customers_are_no_comparison():
    rng, b = np.random.default_rng(2), product_change.breaks([], {"card": "2018-01"})
    few = product_change.differences(_answers(19, rng), HOLDING, b)
    assert few["effect"].isna().all() and few["n"].gt(0).all()


@pytest.mark.whole
def test_twenty_customers_make_no_false_comparison():
    rng, b = np.random.default_rng(2), product_change.breaks([], {"card": "2018-01"})
    p = pd.concat([product_change.differences(_answers(20, rng), HOLDING, b) for _ in range(60)])
    assert (p["p_value"] < 0.05).sum() <= 6 and (p["trend_p"] < 0.05).sum() <= 6
    assert (p["high"] < 0).sum() + (p["low"] > 0).sum() == (p["p_value"] < 0.05).sum()
