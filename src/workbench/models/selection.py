"""Choose characteristics step by step, by what each adds out of fold; a wrong sign never enters."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

ENTRY = 0.3  # score statistic; low, for effects are shrunk: one characteristic too many costs less than one too few
MATERIAL = 2e-4  # the same per row (twice the log-likelihood): less isn't worth a characteristic, however sure
REPEATED = 10.0  # variance inflation, by those in the model, of what says what they do: red in the battery
OPPOSED = 1  # folds in which a characteristic may speak the wrong way: noise does in a half of them
SLIGHT = -0.01  # slope on WOE of what stays although it says nothing: a card is never without a characteristic
RIDGE = 1.0  # of the coefficients, as scikit-learn's C = 1
SAMPLED = 50_000  # rows on which characteristics are chosen, evenly spread
STEPS = 25  # Newton steps at most


def chosen(woe: np.ndarray, y: np.ndarray, folds: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return which columns of out-of-fold WOE (n × k) make the model, in order of entry, and its intercept and slopes.

    The column with the highest score statistic (Rao 1948) enters where its coefficient would be negative (more WOE,
    less risk), also by the rows of each of the `folds` (n) alone but `OPPOSED` of them, the statistic above `ENTRY` and
    above `MATERIAL` a row, and its variance inflation (Marquardt 1970) below `REPEATED`; a column whose coefficient
    turns positive leaves, for good.
    """
    columns: list[int] = []
    barred: set[int] = set()
    coefficients = logistic(woe[:, columns], y)
    while True:
        statistic = _score(woe, y, folds, columns, coefficients)
        statistic[[*columns, *barred]] = 0.0
        best = int(statistic.argmax()) if statistic.size else 0
        if not statistic.size or statistic[best] <= max(ENTRY, MATERIAL * len(y)):
            return columns, coefficients
        columns, coefficients = _signed(woe, y, [*columns, best], coefficients, barred)


def slopes(woe: np.ndarray, y: np.ndarray, price: float) -> tuple[list[int], np.ndarray]:
    """Return which columns of WOE (n × k) keep a negative coefficient beside each other, their intercept and slopes.

    The last one stays, with a slope of `SLIGHT` where it says nothing out of fold.
    """
    columns = list(range(woe.shape[1]))
    while True:
        coefficients = logistic(woe[:, columns], y, price=price)
        if coefficients[1:].max() < 0:
            return columns, coefficients
        if len(columns) == 1:
            return columns, np.minimum(coefficients, [np.inf, SLIGHT])
        del columns[int(coefficients[1:].argmax())]


def _signed(
    woe: np.ndarray, y: np.ndarray, columns: list[int], start: np.ndarray, barred: set[int]
) -> tuple[list[int], np.ndarray]:
    coefficients = logistic(woe[:, columns], y, np.append(start, 0.0))
    while len(columns) and coefficients[1:].max() >= 0:
        worst = int(coefficients[1:].argmax())
        barred.add(columns[worst])
        columns = [c for i, c in enumerate(columns) if i != worst]
        coefficients = logistic(woe[:, columns], y, np.delete(coefficients, worst + 1))
    return columns, coefficients


def _score(
    woe: np.ndarray, y: np.ndarray, folds: np.ndarray, columns: list[int], coefficients: np.ndarray
) -> np.ndarray:
    """Return the score statistic of each column for entering the model, 0 where it would be wrong or repeated (k)."""
    inside = np.column_stack([np.ones(len(y)), woe[:, columns]])
    p = expit(inside @ coefficients)
    w = p * (1 - p)
    weighted = woe * w[:, None]
    cross = inside.T @ weighted
    inner = (inside * w[:, None]).T @ inside + 1e-9 * np.eye(len(coefficients))
    known = np.linalg.solve(inner, cross)  # of each column, what the model's columns say already
    surprise = (y - p)[:, None] * (folds[:, None] == np.unique(folds))
    by_fold = woe.T @ surprise - known.T @ (inside.T @ surprise)
    slope, squares = by_fold.sum(axis=1), (weighted * woe).sum(axis=0)
    variance = squares - (cross * known).sum(axis=0)
    new = variance * REPEATED > squares - cross[0] ** 2 / w.sum()
    right = (slope < 0) & ((by_fold >= 0).sum(axis=1) <= OPPOSED)
    return np.where(right & new & (variance > 1e-6), slope**2 / np.maximum(variance, 1e-6), 0.0)


def logistic(X: np.ndarray, y: np.ndarray, start: np.ndarray | None = None, price: float = RIDGE) -> np.ndarray:
    """Return intercept and coefficients of a ridge logistic regression (1 + k) by Newton's steps.

    `price` is the ridge's. A step that would make it worse is halved: from far away a whole one may lead to infinity.
    """
    inside = np.column_stack([np.ones(len(y)), X])
    ridge = np.append(1e-9, np.full(X.shape[1], price))
    b = np.append(logit(np.clip(y.mean(), 1e-6, 1 - 1e-6)), np.zeros(X.shape[1])) if start is None else start
    loss = _loss(inside, y, ridge, b)
    for _ in range(STEPS):
        p = expit(inside @ b)
        weighted = inside * (p * (1 - p))[:, None]
        step = np.linalg.solve(weighted.T @ inside + np.diag(ridge), inside.T @ (y - p) - ridge * b)
        while (after := _loss(inside, y, ridge, b + step)) > loss + 1e-9 * abs(loss) and np.abs(step).max() > 1e-6:
            step = step / 2
        b, loss = b + step, after
        if np.abs(step).max() < 1e-6:
            break
    return b


def _loss(inside: np.ndarray, y: np.ndarray, ridge: np.ndarray, b: np.ndarray) -> float:
    """Return minus the log-likelihood, the ridge's price added."""
    z = inside @ b
    return float(np.logaddexp(0, z).sum() - y @ z + 0.5 * ridge @ b**2)
