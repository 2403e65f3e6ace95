"""The chances that the simulated customers have: what drives them out, what doesn't, and how it fades."""

from __future__ import annotations

import numpy as np

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
