"""An outcome on several columns at once: slopes with errors by cluster, and how much columns repeat each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

SAME = 1e-10  # of columns scaled alike: a direction in which they vary less is rounding, they say the same


def slopes(X: ArrayLike, y: ArrayLike, weight: ArrayLike, clusters: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes of y (n) on the columns of X (n × k) by weighted least squares, and their errors (k each).

    Errors are robust, by cluster. Of columns that say the same the smallest of all solutions is taken, columns scaled
    alike; one that is constant has the slope 0 and the error NaN. Source: Liang & Zeger (1986), Biometrika 73(1).

    >>> b, error = slopes([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0], np.ones(4), np.arange(4))
    >>> round(float(b[0]), 6)
    1.0
    """
    X, y, w = (np.asarray(a, float) for a in (X, y, weight))
    X, y = X - np.average(X, axis=0, weights=w), y - np.average(y, weights=w)
    spread = np.sqrt((X**2 * w[:, None]).sum(axis=0))
    scale = np.where(spread > 0, spread, 1.0)
    inner = np.linalg.pinv((X.T @ (X * w[:, None])) / np.outer(scale, scale), rcond=SAME, hermitian=True)
    inner /= np.outer(scale, scale)
    beta = inner @ (X.T @ (w * y))
    scores = X * (w * (y - X @ beta))[:, None]
    code = np.unique(np.asarray(clusters), return_inverse=True)[1]
    sums = np.column_stack([np.bincount(code, column) for column in scores.T])
    g = len(sums)
    variance = np.diag(inner @ (sums.T @ sums) @ inner) * g / max(g - 1, 1)
    return beta, np.where(variance > 0, np.sqrt(np.maximum(variance, 0)), np.nan)


def inflation(X: ArrayLike, weight: ArrayLike) -> np.ndarray:
    """Return each column's variance inflation factor, 1 / (1 − R² on the others) (k); 1 where a column is constant.

    The diagonal of the inverse of the correlation matrix, its eigenvalues held above 10⁻⁶: a column that others give
    exactly has a factor of 10⁵ and more. Source: Marquardt (1970), Technometrics 12(3).

    >>> inflation([[0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [1.0, -1.0]], np.ones(4)).tolist()
    [1.0, 1.0]
    """
    X, w = np.asarray(X, float), np.asarray(weight, float)
    X = (X - np.average(X, axis=0, weights=w)) * np.sqrt(w)[:, None]
    spread = np.sqrt((X**2).sum(axis=0))
    varies, factors = spread > 1e-12, np.ones(X.shape[1])
    X = X[:, varies] / spread[varies]
    values, vectors = np.linalg.eigh(X.T @ X)
    factors[varies] = (vectors**2 / np.maximum(values, 1e-6)).sum(axis=1).round(9)
    return factors
