"""The service desk's answer to a question: an approved text, the customer's own record, or a person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.actions import sessions
from workbench.actions.approved import Approved
from workbench.models.intents import HAN, QUESTION
from workbench.personal import ASKED_OF, asks_about_named, masked_prose

MOST = 500  # characters of a question
ANSWERED, HANDED_OVER, REFUSED, LOGIN = "answered", "handed over", "refused", "login"
_LATIN = re.compile(r"[^\W\d_]{2,}")  # a word, of more than a unit's letter
_PSEUDONYM = re.compile(r"\b[a-z]+_[0-9a-f]{16}\b")
_OTHERS = re.compile(
    r"\b(?:(?:husband|wife|brother|sister|mother|father|son|daughter|friend|neighbou?r|boss|colleague|partner)(?:'s)?"
    r"|(?:someone|somebody|anybody) else(?:'s)?|(?:another|other) (?:customer|person|client)\w*(?:'s)?"
    r"|(?:his|her|their) (?:customer|person|client|account|loan"
    r"|balance|debt|instalment|payment)\w*(?:'s)?|(?:customer|client) (?:no\.?|number)? ?\d+)\b"
    r"|他的|她的|他们的|别人的|其他客户|另一个客户|老公|老婆|丈夫|妻子|朋友的|邻居|同事的|爸爸|妈妈|父亲|母亲|太太"
    r"|我的?(?:好|男|女)?(?:朋友|同事|同学|室友|亲戚|家人|家里人|对象|孩子|儿子|女儿|老板|领导|哥|姐|弟|妹)"
    rf"|(?:(?<!其)[他她]们?(?!人)|他人|别人|人家|朋友|同事|同学|室友|亲戚)\s*(?={ASKED_OF}|多少)",
    re.IGNORECASE,
)
SAID: Mapping[str, tuple[str, str]] = {
    "unsure": (
        "I don't know the answer to that. A person reads your question and answers you.",
        "这个问题我不清楚，已转给工作人员为您回复。",
    ),
    "no text": (
        "I have no approved answer to that. A person reads your question and answers you.",
        "这个问题暂无审核过的答复，已转给工作人员为您回复。",
    ),
    "no record": (
        "I can't find that in your record. A person looks it up and answers you.",
        "您的记录中查不到该信息，已转给工作人员为您查询。",
    ),
    "other's data": (
        "I give nobody another person's data. Ask about your own loan only.",
        "我不会向任何人提供他人的信息，请只询问您本人的贷款。",
    ),
    "login": ("Please log in first: this answer stands in your own record.", "请先登录：该信息在您本人的记录中。"),
    "empty": ("Please write your question.", "请输入您的问题。"),
}


@dataclass(frozen=True)
class Reply:
    """What the customer is shown, what became of the question, and why where it was not answered."""

    text: str
    became: str
    reason: str = ""
    intent: str = ""
    confidence: float = 0.0


@dataclass
class Desk:
    """Answers questions and keeps two books below a folder: `log.jsonl` (no words of anybody) and `queue.jsonl`.

    scored: rows with `question` in, `intent_code` and `predicted` out; answers_from: the least confidence answered;
    records: one row per customer, by `entity_id`; key: signs the sessions.
    """

    scored: Callable[[pd.DataFrame], pd.DataFrame]
    answers_from: float
    texts: Mapping[str, Approved]
    records: pd.DataFrame
    key: bytes
    folder: Path
    now: Callable[[], datetime] = field(default=datetime.now)

    def ask(self, question: str, token: str = "", page: str = "") -> Reply:
        """Return the reply to a question, in its language; log it, and queue it for a person where it is handed over.

        page: language of the page it is asked on (`en`, `zh`): that of the reply where the question has no words.
        """
        question = question.strip()[:MOST]
        language = _language(question, page)
        asking = sessions.holder(token, self.key, self.now()) if token else ""
        reply = self._replied(question, asking, language)
        if reply.reason != "empty":
            self._log(reply, language)
        if reply.became == HANDED_OVER:
            self._queue(reply, asking, language, question)
        return reply

    def _replied(self, question: str, asking: str, language: str) -> Reply:
        if not question:
            return _said("empty", REFUSED, language)
        if self._asks_about_another(question, asking):
            return _said("other's data", REFUSED, language)
        row = self.scored(pd.DataFrame({QUESTION: [question]})).iloc[0]
        intent, sure = str(row["intent_code"]), float(row["predicted"])
        if sure < self.answers_from:
            return _said("unsure", HANDED_OVER, language, intent, sure)
        text = self.texts.get(intent)
        if text is None or not text.is_valid(self.now().date().isoformat()):
            return _said("no text", HANDED_OVER, language, intent, sure)
        record: dict[str, Any] = {}
        if text.columns:
            if not asking:
                return _said("login", LOGIN, language, intent, sure)
            record = self._record(asking, text.columns)
            if not record:
                return _said("no record", HANDED_OVER, language, intent, sure)
        became, reason = (HANDED_OVER, "wants a person") if text.hand_over else (ANSWERED, "")
        return Reply(text.said(language, record), became, reason, intent, sure)

    def _record(self, asking: str, columns: tuple[str, ...]) -> dict[str, Any]:
        """Return what the asking customer's own row holds; nothing where a column or the row isn't there."""
        rows = self.records[self.records["entity_id"] == asking]
        if len(rows) != 1 or not set(columns) <= set(rows):
            return {}
        values = rows.iloc[0][list(columns)]
        return {} if values.isna().any() else values.to_dict()

    def _asks_about_another(self, question: str, asking: str) -> bool:
        """Say whether a question names another customer or somebody else, or speaks of somebody else's money."""
        ids = self.records["entity_id"].astype(str)
        named = {*_PSEUDONYM.findall(question), *(i for i in ids if i in question and _stands_alone(i, question))}
        return bool(named - {asking}) or _OTHERS.search(question) is not None or asks_about_named(question)

    def _log(self, reply: Reply, language: str) -> None:
        self._write(
            "log.jsonl",
            {
                "moment": self.now().isoformat(timespec="seconds"),
                "language_code": language,
                "intent_code": reply.intent,
                "predicted": round(reply.confidence, 4),
                "became_code": reply.became,
                "reason": reply.reason,
            },
        )

    def _queue(self, reply: Reply, asking: str, language: str, question: str) -> None:
        """Queue the open question, and no other, for a person: whoever it names is masked."""
        self._write(
            "queue.jsonl",
            {
                "moment": self.now().isoformat(timespec="seconds"),
                "entity_id": asking,
                "language_code": language,
                "intent_code": reply.intent,
                "reason": reply.reason,
                "question": masked_prose(question),
            },
        )

    def _write(self, name: str, entry: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / name).open("a", encoding="utf-8") as book:
            book.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _stands_alone(entity: str, question: str) -> bool:
    """Say whether a question holds an entity_id as a whole: `12` isn't in `12th`, nor in `2012`."""
    return re.search(rf"(?<![0-9A-Za-z_]){re.escape(entity)}(?![0-9A-Za-z_])", question) is not None


def _language(question: str, page: str) -> str:
    """Return the language of a question; that of its page where it has no words."""
    if HAN.search(question):
        return "zh"
    return "zh" if page == "zh" and not _LATIN.search(question) else "en"


def _said(why: str, became: str, language: str, intent: str = "", confidence: float = 0.0) -> Reply:
    english, chinese = SAID[why]
    return Reply(chinese if language == "zh" else english, became, why, intent, confidence)
