"""What simulated customers say when asked: scores, texts, who answers at all, and a topic that begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.portfolios.simulated_customers import CARD, CODES, People, SimulatedCustomers

if TYPE_CHECKING:
    from workbench.portfolios.simulated_conduct import Conduct

ASKED = 0.06  # of the customers in a month
TOPIC_PRODUCT, TOPIC_SHARE = CODES[CARD], 0.45  # of what is said of that product once the topic has begun
TOPIC = (
    "the annual fee was charged twice on my card",
    "annual fee taken two times, please refund the double charge",
    "信用卡年费被重复扣了两次",
    "年费扣了两遍，请退还重复扣款",
)
PLAIN = {
    "good": (
        "friendly staff at the branch",
        "the app is quick and clear",
        "interest is fair and the officer called back",
        "网点人员很热情，办理很快",
        "手机银行好用，界面清楚",
        "利率合理，客户经理回电及时",
    ),
    "fair": (
        "waiting time in the branch could be shorter",
        "the letter about rates was hard to read",
        "排队时间有点长",
        "账单说明不太清楚",
    ),
    "bad": (
        "the approval took far too long",
        "nobody answers the phone",
        "the app crashed again when I paid",
        "审批时间太长了",
        "电话一直没人接",
        "还款时手机银行又闪退",
    ),
}
_PERSONAL = (" call me on 13800138000", " 我的手机号是13912345678")


def feedback(
    p: SimulatedCustomers, who: People, conduct: Conduct, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who was asked and what was answered, and the truth: every customer's score and chance to answer."""
    parts, truths = [], []
    numbers = who.customer["customer_id"].to_numpy()
    for t in range(p.n_months):
        at = np.flatnonzero(conduct.alive[:, t])
        score = np.clip(
            np.round(6.9 + 1.5 * conduct.mood[at, t] + 1.0 * who.engagement[at] + rng.normal(0, 1.2, len(at))), 0, 10
        )
        answers = 1 / (1 + np.exp(-(-1.6 + 1.1 * who.engagement[at])))
        asked = rng.random(len(at)) < ASKED
        truths.append(
            pd.DataFrame({"customer_id": numbers[at], "month": p.months[t], "score": score, "responds": answers})
        )
        parts.append(_asked(p, t, numbers[at[asked]], score[asked], rng.random(asked.sum()) < answers[asked], rng))
    table = pd.concat(parts, ignore_index=True)
    first = str(numbers[0])[1:]
    return table.assign(feedback_id=[f"F{first}{i:07d}" for i in range(len(table))]), pd.concat(
        truths, ignore_index=True
    )


def _asked(
    p: SimulatedCustomers, t: int, asked: np.ndarray, score: np.ndarray, answered: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(asked)
    begin = p.months.to_numpy()[t].astype("datetime64[s]") + rng.integers(0, 20 * 86_400, n).astype("timedelta64[s]")
    product = rng.choice(CODES, n, p=[0.3, 0.1, 0.05, 0.25, 0.1, 0.05, 0.05, 0.02, 0.04, 0.04])
    kind = np.where(rng.random(n) < 0.75, "nps", "csat")
    later = begin + rng.integers(600, 6 * 86_400, n).astype("timedelta64[s]")
    texts = np.array([_text(s, rng) for s in score], dtype=object)
    begun = (t >= p.at(p.topic_month)) & (product == TOPIC_PRODUCT) & (rng.random(n) < TOPIC_SHARE)
    texts = np.where(begun, rng.choice(np.array(TOPIC, dtype=object), n), texts)
    personal = rng.random(n) < 0.01
    texts = np.where(personal, [f"{x}{_PERSONAL[i % 2]}" for i, x in enumerate(texts)], texts)
    written = answered & (rng.random(n) < 0.6)
    shown = np.where(begun, np.minimum(score, 4), score)
    return pd.DataFrame(
        {
            "customer_id": asked,
            "product_code": product,
            "kind_code": kind,
            "invited_at": begin,
            "answered_at": pd.Series(later).where(answered),
            "score": np.where(answered, np.where(kind == "nps", shown, 1 + np.round(shown * 0.4)), np.nan),
            "text": np.where(written, texts, None),
            "recorded_at": later,
        }
    )


def _text(score: float, rng: np.random.Generator) -> str:
    choices = PLAIN["good" if score >= 8 else "fair" if score >= 6 else "bad"]
    return choices[rng.integers(len(choices))]
