"""Would a plain model on words name the intents clearly better?

**Method** the validator's own multinomial naive Bayes on TF-IDF of words, pairs of them and Chinese characters, learnt on development; its lead in questions of the hold-out named rightly, interval of the paired difference.
**Reads as bad** a lead whose lower end is above the threshold: the complexity isn't worth it.
**Blind to** models nobody built.
**Source** McCallum & Nigam (1998), A comparison of event models for naive Bayes text classification, AAAI workshop.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

from workbench import metrics
from workbench.evidence import Evidence, Verdict, judged
from workbench.models.intents import QUESTION, chinese_grams
from workbench.models.naming import INTENT
from workbench.models.scorer import Scorer
from workbench.validation.sight import Gauge, above_seen, sight
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "naming", {"named"}
SMOOTHING = 0.05  # of a word that an intent never had: few questions each have few words
_WORD = re.compile(r"[a-z0-9']+")


def words(question: str) -> list[str]:
    """Return the words of a question, each pair of neighbours, and its Chinese characters, one to three together."""
    single = _WORD.findall(question.lower())
    return [*single, *map(" ".join, pairwise(single)), *chinese_grams(question)]


def names(s: Subject) -> np.ndarray:
    """Return what naive Bayes, learnt on development, names the hold-out's questions (n)."""
    reader, d = TfidfVectorizer(analyzer=words, sublinear_tf=True), s.development
    model = MultinomialNB(alpha=SMOOTHING).fit(reader.fit_transform(d[QUESTION]), d[INTENT])
    return model.predict(reader.transform(s.holdout[QUESTION]))


def lead(s: Subject, others: np.ndarray) -> tuple[float, float]:
    """Return by how much more of the hold-out's questions other names (n) are right, and its standard error by parent."""
    difference = (others == s.holdout[INTENT].to_numpy()).astype(float) - s.holdout["outcome"].to_numpy(float)
    value = float(difference.mean())
    return value, metrics.clustered_error((difference - value) / len(difference), s.holdout["parent_id"])


def test(s: Subject) -> Evidence:
    """Return naive Bayes' lead in questions named rightly, with its interval."""
    rule, (value, error) = s.rules["plain_words"], lead(s, names(s))
    half = float(stats.norm.ppf(0.975)) * error
    return Evidence(
        key="plain_words",
        question=say("Would a plain model on words name more intents rightly?"),
        verdict=judged(value - half, rule),
        answer=say(
            "Naive Bayes on words names {lead:+.1pp} rightly ({low:+.1pp} to {high:+.1pp}).",
            lead=value,
            low=value - half,
            high=value + half,
        ),
        value=value,
        threshold=rule.text,
        source="McCallum & Nigam (1998)",
        sight=sight(
            s,
            value,
            above_seen(rule.amber, error, 0.025, say("lead in the share named rightly")),
            convention=Gauge(value, rule),
            significance=Gauge(value - half, rule),
        ),
    )


def compared(s: Subject, before: tuple[str, Scorer | None], without: Text) -> Evidence:
    """Return naive Bayes and the champion against the model on the same questions; before: as `challengers.champion`."""
    built = [(say("naive Bayes on words"), names(s))]
    if before[1] is not None and hasattr(before[1].estimator, "named"):
        built.append((say("champion, version {version}", version=before[0]), before[1].estimator.named(s.holdout)))
    rows = []
    for name, others in built:
        value, error = lead(s, others)
        half = float(stats.norm.ppf(0.975)) * error
        right = float((others == s.holdout[INTENT].to_numpy()).mean())
        rows.append((name, right, value, value - half, value + half))
    each = [
        say("{name} {lead:+.1pp} ({low:+.1pp} to {high:+.1pp})", name=r[0], lead=r[2], low=r[3], high=r[4])
        for r in rows
    ]
    return Evidence(
        key="challengers",
        question=say("What do models that the validator builds do better, and whom would they decide otherwise?"),
        verdict=Verdict.info,
        answer=say("Lead in the share named rightly on the hold-out: {each}.", each=each) + without,
        value=float(max(r[2] for r in rows)),
        threshold=say("A fact without a light: the test 'plain_words' has it."),
        source="McCallum & Nigam (1998)",
        table=pd.DataFrame(rows, columns=["challenger", "share named rightly", "lead", "lead, low", "lead, high"]),
    )
