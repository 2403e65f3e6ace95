"""What customers write: topics that begin, by product and month, with the texts that stand for them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.words import say
from workbench.words.names import words_of

EARLIER = 6  # months a month is held against
FDR = 0.05  # of terms that are said to burst and don't
FEWEST_TEXTS = 3  # with a term in the month
NEW = 0.1  # of the earlier texts hold a term at most, where it is one that begins
TOGETHER = 0.5  # of the rarer term's texts hold the other, where two terms are of one topic
VERBATIMS = 3
_LATIN, _HAN = re.compile(r"[a-z']+"), re.compile(r"[一-鿿]+")


@dataclass(frozen=True)
class Topic:
    """Terms that began to be written of one product in one month, and the texts that hold them, most typical first."""

    product_code: str
    month: pd.Timestamp
    terms: tuple[str, ...]
    texts: tuple[str, ...]
    of: int  # texts of the product in the month
    before: float  # share of the product's earlier texts that hold the first term
    q_value: float


def texts(feedback: pd.DataFrame) -> pd.DataFrame:
    """Return what was written (n × 4): feedback_id, product_code, month, text."""
    written = feedback.loc[feedback["text"].notna(), ["feedback_id", "product_code", "invited_at", "text"]]
    month = written["invited_at"].dt.to_period("M").dt.to_timestamp()
    return (
        written.assign(month=month).drop(columns="invited_at").sort_values(["month", "feedback_id"], ignore_index=True)
    )


def terms(text: str) -> list[str]:
    """Return the n-grams of a text: one to three Latin words, two to four Chinese characters.

    >>> terms("annual fee 年费扣")
    ['annual', 'annual fee', 'fee', '年费', '年费扣', '费扣']
    """
    words, out = _LATIN.findall(text.lower()), []
    for i in range(len(words)):
        out += [" ".join(words[i : i + n]) for n in (1, 2, 3) if i + n <= len(words)]
    for run in _HAN.findall(text):
        out += [run[i : i + n] for i in range(len(run)) for n in (2, 3, 4) if i + n <= len(run)]
    return out


@dataclass(frozen=True)
class _Counted:
    """Texts (n) with the terms they hold (n × k): yes or no, and by TF-IDF."""

    written: pd.DataFrame
    names: np.ndarray
    held: sparse.csr_matrix
    typical: sparse.csr_matrix

    @classmethod
    def of(cls, written: pd.DataFrame) -> _Counted:
        counter = CountVectorizer(analyzer=terms, binary=True, min_df=min(FEWEST_TEXTS, len(written)))
        held = counter.fit_transform(written["text"].tolist()).tocsr()
        return cls(written, counter.get_feature_names_out(), held, TfidfTransformer().fit_transform(held).tocsr())

    def parts(self, month: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return, by product, the rows of a month and of the months it is held against."""
        number = (self.written["month"].dt.year * 12 + self.written["month"].dt.month).to_numpy()
        product = self.written["product_code"].to_numpy(str)
        now, before = number == month, (number < month) & (number >= month - EARLIER)
        return {
            code: (np.flatnonzero(now & (product == code)), np.flatnonzero(before & (product == code)))
            for code in sorted(set(product[now]))
        }


def emerging(written: pd.DataFrame) -> list[Topic]:
    """Return the topics that began: each month's terms of a product held against the six months before.

    A term bursts where Fisher's exact test (one-sided: more of the month's texts hold it than of those before) passes
    Benjamini–Hochberg over all terms and products of the month, three of the month's texts hold it or more, and at most
    a tenth of the earlier ones. Terms that stand in the same texts are one topic; a topic some of whose terms have
    burst on the product before isn't new. Texts in two languages make two topics.
    Source: Benjamini & Hochberg (1995), JRSS B 57(1); Fisher (1935).
    """
    if not len(written):
        return []
    counted, out = _Counted.of(written), []
    known: dict[str, set[str]] = {}
    months = written["month"].dt.year * 12 + written["month"].dt.month
    for month in range(months.min() + EARLIER, months.max() + 1):
        parts = counted.parts(month)
        for product, burst in _bursts(counted, parts).groupby("product_code"):
            columns, q = burst["column"].to_numpy(), burst["q_value"].to_numpy()
            for group in _together(counted.held[parts[str(product)][0]][:, columns]):
                names = set(counted.names[columns[group]])
                if not names & known.setdefault(str(product), set()):
                    out.append(_topic(counted, str(product), parts[str(product)], columns[group], q[group]))
                known[str(product)] |= names
    return out


def _bursts(counted: _Counted, parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return the terms that burst in a month: product_code, column, q_value.

    Tested are the terms of three texts in all seven months together: chosen by the month's alone, those that stand in
    it by chance would be the only ones tested, and false ones pass.
    """
    tested = []
    for product, (now, before) in parts.items():
        a = np.asarray(counted.held[now].sum(axis=0)).ravel()
        b = np.asarray(counted.held[before].sum(axis=0)).ravel()
        columns = np.flatnonzero(a + b >= FEWEST_TEXTS)
        both = a[columns] + b[columns]
        p = stats.hypergeom.sf(a[columns] - 1, len(now) + len(before), both, len(now))
        new = (a[columns] >= FEWEST_TEXTS) & (b[columns] <= NEW * len(before))
        tested.append(pd.DataFrame({"product_code": product, "column": columns, "p_value": p, "new": new}))
    table = pd.concat(tested, ignore_index=True)
    if not len(table):
        return table.assign(q_value=[])
    table["q_value"] = stats.false_discovery_control(np.clip(table["p_value"], 0, 1), method="bh")
    return table[(table["q_value"] <= FDR) & table["new"]]


def _together(held: sparse.csr_matrix) -> list[np.ndarray]:
    """Return groups of terms (their columns) that stand in the same texts."""
    both = (held.T @ held).toarray().astype(float)
    rarer = np.minimum.outer(np.diag(both), np.diag(both))
    n, group = connected_components(both >= TOGETHER * rarer, directed=False)
    return [np.flatnonzero(group == g) for g in range(n)]


def _topic(
    counted: _Counted, product: str, rows: tuple[np.ndarray, np.ndarray], columns: np.ndarray, q: np.ndarray
) -> Topic:
    now, before = rows
    hits = np.asarray(counted.held[now][:, columns].sum(axis=1)).ravel()
    chosen = now[hits > 0]
    likeness = np.asarray(counted.typical[chosen][:, columns].sum(axis=1)).ravel()
    best = sorted(range(len(columns)), key=lambda i: (q[i], -len(counted.names[columns[i]])))
    earlier = counted.held[before][:, columns[best[0]]]
    return Topic(
        product,
        counted.written["month"].iloc[now[0]],
        tuple(counted.names[columns[best]]),
        tuple(counted.written["text"].iloc[chosen[np.argsort(-likeness, kind="stable")]]),
        len(now),
        float(earlier.mean()) if len(before) else 0.0,
        float(q.min()),
    )


def _apart(words: tuple[str, ...], most: int = 3) -> list[str]:
    """Return the first terms of which none is part of another: what a topic is called."""
    out: list[str] = []
    for word in words:
        if not any(word in o or o in word for o in out):
            out.append(word)
    return out[:most]


def title(topic: Topic) -> str:
    """Return what a topic is called: its surest, longest terms."""
    return " / ".join(_apart(topic.terms))


def verbatims(topic: Topic) -> list[str]:
    """Return up to three different texts, most typical first; they are masked by the intake, a page escapes them."""
    return list(dict.fromkeys(topic.texts))[:VERBATIMS]


def begun(written: pd.DataFrame, topics: list[Topic]) -> Evidence:
    """Return what customers began to write about, with up to three of their texts a topic."""
    months = max(written["month"].nunique() - EARLIER, 0) if len(written) else 0
    table = pd.DataFrame(
        {
            "month": [f"{t.month:%Y-%m}" for t in topics],
            "product_code": [say(words_of(t.product_code)) for t in topics],
            "topic": [title(t) for t in topics],
            "n": [len(t.texts) for t in topics],
            "of": [t.of for t in topics],
            "before": [t.before for t in topics],
            "q_value": [t.q_value for t in topics],
            "verbatims": [" | ".join(verbatims(t)) for t in topics],
        }
    )
    common = {
        "key": "topics",
        "question": say("What have customers begun to write about?"),
        "threshold": say(
            "a month of a product against the {earlier} before; false discoveries held to {fdr:.0%} of terms",
            earlier=EARLIER,
            fdr=FDR,
        ),
    }
    if months < 1:
        answer = say("{n:, texts span} too few months to tell what is new.", n=len(written))
        return Evidence(verdict=Verdict.not_evaluated, answer=answer, **common)
    return Evidence(
        verdict=Verdict.info,
        answer=say(
            "{n: topics} began in {months: months}, in {texts:, texts}.",
            n=len(topics),
            months=months,
            texts=len(written),
        ),
        value=len(topics),
        source="Benjamini & Hochberg (1995), JRSS B 57(1)",
        blind_to=say(
            "what is said in fewer than {n: texts} of a month, and the same thing said in another language",
            n=FEWEST_TEXTS,
        ),
        table=table,
        **common,
        people=People(("n",), ("month", "product_code", "topic")),
    )
