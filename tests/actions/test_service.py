"""The service desk: intents from either language, sureness that holds, nothing said that nobody has approved."""

import json
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from serving import running
from workbench.actions import approved, desk_app, opening, service, service_answers, service_watch, sessions
from workbench.actions.desk import ANSWERED, HANDED_OVER, LOGIN, REFUSED, Desk
from workbench.metrics.selective import answer_curve, least_confidence, macro_f1
from workbench.models import scorer
from workbench.models.intents import Intents
from workbench.params import UserError

NOW = datetime(2026, 11, 28, 23, 30)
KEY = b"k" * 32


@pytest.fixture(scope="module")
def p() -> service.Params:
    return service.Params(study="service_desk", folds=3, resamples=100)


@pytest.fixture(scope="module")
def asked(p) -> pd.DataFrame:
    return service.questions(p)


@pytest.fixture(scope="module")
def model(p, asked) -> scorer.Scorer:
    learn = service.part(asked, "train")
    return service.developed(learn, service.out_of_fold(learn, p), p)


@pytest.fixture
def desk(model, tmp_path) -> Desk:
    records = pd.read_csv(approved.DATA / "records.csv", dtype=str)
    return Desk(model.scored, float(model.facts["answers_from"]), approved.load(), records, KEY, tmp_path, lambda: NOW)


def _queue(desk: Desk) -> list[dict]:
    return [json.loads(line) for line in (desk.folder / "queue.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_model_read_from_its_file_says_the_same(model, asked, tmp_path):
    held = service.part(asked, "test")
    again = scorer.load(model.save(tmp_path))
    one, other = model.scored(held), again.scored(held)
    assert list(one["intent_code"]) == list(other["intent_code"])
    assert np.allclose(one["predicted"], other["predicted"], atol=1e-5)


def test_either_language_is_understood(model, asked, p):
    named = service.asked(model, service.part(asked, "test"))
    chinese = asked.loc[asked["part_code"] == "test", "question"].str.contains("[\u4e00-\u9fff]").to_numpy()
    assert named.loc[chinese, "right"].mean() > 0.7 and named.loc[~chinese, "right"].mean() > 0.7
    assert "question" not in named
    evidence = service_answers.named_rightly(named, p)
    assert evidence.value == pytest.approx(named["right"].mean())


def test_what_is_answered_is_as_right_as_was_asked_on_development(p, asked, model):
    learn = service.part(asked, "train")
    crossed = service.out_of_fold(learn, p)
    sure = model.calibration.apply(crossed["raw"].to_numpy())
    given = crossed["right"][sure >= model.facts["answers_from"]]
    assert len(given) > 50 and given.mean() >= p.accuracy


def test_an_intent_left_out_of_development_is_handed_over(p, asked, model):
    learn, held = service.part(asked, "train"), service.part(asked, "test")
    unseen = service.left_out(learn, held, model.calibration, p)
    assert len(unseen) == len(held)
    evidence = service_answers.refused(unseen, model.scored(service.part(asked, "outside")), model)
    assert evidence.value >= 0.8 and str(evidence.verdict) == "green"


def test_two_intents_are_enough():
    X = pd.DataFrame({"question": ["pay early", "repay early", "my address", "new address"]})
    two = Intents().fit(X, ["early", "early", "address", "address"])
    assert list(two.named(X)) == ["early", "early", "address", "address"]
    assert Intents.from_dict(json.loads(json.dumps(two.to_dict()))).margins(X) == pytest.approx(
        two.margins(X), abs=1e-5
    )


def test_the_curve_and_the_least_confidence():
    curve = answer_curve([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
    assert list(curve["answered"]) == [0.25, 0.75, 1.0]
    assert least_confidence([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0], 0.6) == 0.8
    assert least_confidence([0.9], [0], 0.5) > 1


def test_f1_is_scikit_learns():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(1)
    actual, named = rng.choice(list("abcd"), 200), rng.choice(list("abcd"), 200)
    assert macro_f1(actual, named) == pytest.approx(f1_score(actual, named, average="macro"))


def test_the_own_record_is_told_to_its_owner_alone(desk):
    question, token = "how much do I still owe on my loan", sessions.token("made_here_1", KEY, NOW)
    assert desk.ask(question).became == LOGIN
    reply = desk.ask(question, token)
    assert (reply.text, reply.became) == ("On 2026-11-27 you owe 4,210.55 EUR on your loan.", ANSWERED)
    assert "930.10" in desk.ask(question, sessions.token("made_here_3", KEY, NOW)).text
    late = sessions.token("made_here_1", KEY, NOW - timedelta(hours=1))
    forged = sessions.token("made_here_1", b"x" * 32, NOW)
    assert {desk.ask(question, t).became for t in (late, forged, token[:-4] + "AAAA", "§", "x")} == {LOGIN}


@pytest.mark.parametrize(
    "question",
    [
        "balance of made_here_2",
        "how much does my wife owe",
        "what is another customer's balance",
        "customer_0123456789abcdef how much is left",
        "我老公的贷款余额是多少",
    ],
)
def test_a_question_about_another_is_refused(desk, question):
    reply = desk.ask(question, sessions.token("made_here_1", KEY, NOW))
    assert (reply.became, reply.reason) == (REFUSED, "other's data")
    assert "11,980" not in reply.text


def test_what_it_does_not_know_goes_to_a_person_with_personal_data_masked(desk):
    reply = desk.ask("明天天气怎么样", before=("我的电话13800138000，客户张三",))
    assert (reply.text, reply.became) == ("这个问题我不清楚，已转给工作人员为您回复。", HANDED_OVER)
    (entry,) = _queue(desk)
    assert entry["reason"] == "unsure" and entry["conversation"][-1] == "明天天气怎么样"
    assert "13800138000" not in str(entry) and "张三" not in str(entry)


def test_an_expired_text_is_not_given(desk):
    question = "can I repay my loan early"
    assert desk.ask(question).became == ANSWERED
    desk.now = lambda: datetime(2028, 1, 1)
    assert (desk.ask(question).became, _queue(desk)[-1]["reason"]) == (HANDED_OVER, "no text")


def test_a_text_wants_somebody_elses_approval(tmp_path):
    entry = {"en": "a", "zh": "b", "version": 1, "owner": "x", "approved_by": "x", "valid_until": "2027-01-01"}
    path = tmp_path / "answers.yaml"
    path.write_text(json.dumps({"fees": entry}))
    with pytest.raises(UserError) as e:
        approved.load(path)
    assert str(e.value) == "answers.yaml: text of 'fees': its owner has approved it; somebody else does"


def test_the_log_has_nobodys_words_and_drift_is_seen(desk, model, asked):
    held = service.part(asked, "test")
    for question in held["question"]:
        desk.ask(question)
    log = service_watch.served(desk.folder)
    assert set(log) == set(service_watch.COLUMNS) and not set(held["question"]) & set(log.to_numpy().ravel())
    before = {e.key: e for e in service_watch.watched(log, model)}
    assert str(before["drift_intent_code"].verdict) == "green"
    moved = log.assign(intent_code="fraud")
    after = {e.key: e for e in service_watch.watched(moved, model)}
    assert str(after["drift_intent_code"].verdict) == "red"
    few = {str(e.verdict) for e in service_watch.watched(log.head(20), model)}
    assert few == {"not_evaluated"}


def _told(address: str, content: bytes | None = None, **headers: str) -> tuple[int, str, dict]:
    """Return status, body and headers of a request to a desk: a question where there is content."""
    path = "/" if content is None else "/ask"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(address + path, content, named), timeout=20) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except HTTPError as e:
        return e.code, e.read().decode(), dict(e.headers)


def test_the_page_asks_nobody_else_and_no_other_page_may_ask(desk):
    asked_well = json.dumps({"question": "can I repay my loan early", "language": "zh"}).encode()
    with running(lambda port: desk_app.config(desk, "<b>trial</b>")) as address:
        status, page, headers = _told(address)
        assert status == 200 and "http" not in page and "innerHTML" not in page and "&lt;b&gt;trial" in page
        assert "unsafe" not in headers["content-security-policy"]
        answer = json.loads(_told(address, asked_well, content_type="application/json")[1])
        assert answer["became"] == ANSWERED and answer["text"].startswith("您可以随时")
        assert _told(address, asked_well, content_type="text/plain")[0] == 415
        for wrong in (b'{"question": 1}', b'["x"]', b"{", b'{"question": "x", "before": 3}'):
            assert _told(address, wrong, content_type="application/json")[0] == 400
        assert _told(address, b"x" * 40_000, content_type="application/json")[0] == 413
        assert _told(address, host="evil.example")[0] == 400


def test_questions_that_cannot_be_learnt_from_are_one_line(tmp_path):
    path, words = tmp_path / "q.csv", approved.DATA / "questions.yaml"
    path.write_text("question,intent_code,part_code,language_code\nhow,a,practice,en\n")
    p = service.Params(study="x", questions=str(path), contract=str(words))
    with pytest.raises(UserError) as e:
        service.questions(p)
    assert str(e.value) == "actions/service: q.csv: part 'practice'; write train, test or outside"
    with pytest.raises(UserError) as e:
        service.Params(study="x", questions=str(path)).verify()
    assert str(e.value) == "actions/service: questions and contract: give both, or neither"


def test_banking77_is_read_by_its_contract(bank_file):
    file = bank_file("banking77.parquet")
    table = service.questions(
        service.Params(study="x", questions=str(file), contract="params/contracts/banking77.yaml")
    )
    assert table["intent_code"].nunique() == 77
    assert table["part_code"].value_counts().to_dict() == {"train": 10_003, "test": 3_080}


@pytest.mark.parametrize(
    ("study", "line"),
    [
        ("nosuch", "desk: no study 'nosuch' in params/; `workbench desk service_desk --trial`"),
        ("sample", "desk: sample.yaml has no step actions/service; `workbench desk service_desk --trial`"),
    ],
)
def test_a_desk_of_no_study_is_one_line(study, line):
    with pytest.raises(UserError) as e:
        opening.opened(study, True, None)
    assert str(e.value) == line


def test_records_that_name_a_customer_twice_are_refused(tmp_path):
    path = tmp_path / "records.csv"
    path.write_text("entity_id,balance_amt\na,1\na,2\n")
    with pytest.raises(UserError) as e:
        opening.records_of(path)
    assert str(e.value) == "desk: records.csv: one row per customer, by the column entity_id"
