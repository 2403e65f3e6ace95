"""The chances that the simulated customers have: what drives them out, what doesn't, and how it fades."""

from __future__ import annotations

import numpy as np

from workbench.portfolios.simulated_customers import PRODUCTS, TOGETHER

TRIAL_MONTHS = 3
CAUSAL = {"complaint": 1.0, "rate_page_viewed": 0.9, "salary_stopped": 1.2, "large_outflow": 0.8, "fee_charged": 0.7}
CAUSAL_RATE = {
    "complaint": 0.030,
    "rate_page_viewed": 0.040,
    "salary_stopped": 0.012,
    "large_outflow": 0.030,
    "fee_charged": 0.040,
}
# of a month, and how it goes with engagement: what the bank's engaged customers do more of looks as if it kept them
IRRELEVANT = {
    "address_changed": (0.012, 0.0),
    "password_reset": (0.040, 0.4),
    "statement_downloaded": (0.060, 0.5),
    "branch_visit": (0.050, -0.2),
    "app_updated": (0.060, 0.4),
    "card_replaced": (0.015, 0.0),
    "newsletter_opened": (0.070, 0.5),
    "greeting_sent": (0.080, 0.0),
    "terms_viewed": (0.030, 0.0),
    "atm_abroad": (0.030, 0.0),
}
MEMORY = 0.65  # of what pushes a customer out, from one month to the next
WEARY = 0.5  # of what pushes a customer out, taken from the log odds of a purchase
LEAVE = {"settle": -4.6, "dormant": -4.7}  # log odds in a month


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the chance of log odds."""
    return 1 / (1 + np.exp(-x))


def left(
    push: np.ndarray, engagement: np.ndarray, products: np.ndarray, term: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Return the chance to leave within three months; what pushes fades, and comes anew as it does on average."""
    stays, fresh = np.ones(len(push)), sum(CAUSAL[k] * CAUSAL_RATE[k] for k in CAUSAL)
    for _ in range(TRIAL_MONTHS):
        odds = push - 0.35 * engagement - 0.12 * products + shift
        stays = stays * (1 - sigmoid(LEAVE["settle"] + 0.4 + odds) * term) * (1 - sigmoid(LEAVE["dormant"] + odds))
        push = MEMORY * push + fresh
    return 1 - stays


def purchase_odds(taste: np.ndarray, holds: np.ndarray, push: np.ndarray) -> np.ndarray:
    """Return the log odds of each purchase in a month, by taste, what is held and what pushes out (n × products)."""
    odds = np.array([x.log_odds for x in PRODUCTS]) + taste - WEARY * push[:, None]
    for held, wanted, more in TOGETHER:
        odds[:, wanted] += more * holds[:, held]
    return odds


def barred(income: np.ndarray, holds: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """Return which products who can't buy: held, income too low, credit to who is late (n × products)."""
    poor = income[:, None] < np.array([x.minimum_income for x in PRODUCTS])
    credit = np.array([x.kind in ("loan", "card") for x in PRODUCTS])
    return holds | poor | (credit & (delay > 0)[:, None])


def bought(push: np.ndarray, odds: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return the chance of each purchase within three months (n × products); odds are the first month's."""
    none, now, fresh = np.ones(odds.shape), push, sum(CAUSAL[k] * CAUSAL_RATE[k] for k in CAUSAL)
    for _ in range(TRIAL_MONTHS):
        none = none * (1 - sigmoid(odds + WEARY * (push - now)[:, None] + shift))
        now = MEMORY * now + fresh
    return 1 - none
