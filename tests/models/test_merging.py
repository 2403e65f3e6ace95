"""Merging is exact: against every possible cut on tiny tables, and on planted shapes."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import xlogy

from workbench.models.merging import Pulls, Terms, merged, merged_effects

SHAPES = ("ascending", "descending", "peak", "valley", "free")


def _keeps(rates: np.ndarray, shape: str) -> bool:
    steps = np.sign(np.diff(rates))
    turns = np.diff(steps)
    allowed = {
        "ascending": (steps > 0).all(),
        "descending": (steps < 0).all(),
        "peak": (turns <= 0).all(),
        "valley": (turns >= 0).all(),
        "free": True,
    }
    return bool((steps != 0).all() and allowed[shape])


def _parts(counts: np.ndarray, cuts: tuple[int, ...]) -> np.ndarray:
    return np.add.reduceat(counts, [0, *cuts])


def _likelihood(good, bad, cuts, terms):
    g, b = _parts(good, cuts), _parts(bad, cuts)
    if (g + b < terms.rows).any():
        return -np.inf, b / (g + b)
    cost = np.where(g + b < terms.few, terms.sparse_cost, terms.cost).sum()
    rate = b / (g + b)
    return (xlogy(b, rate) + xlogy(g, 1 - rate)).sum() - cost, rate


def _every(m: int):
    return (cuts for k in range(m) for cuts in combinations(range(1, m), k))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_other_cut_is_better(shape):
    rng = np.random.default_rng(11)
    for _ in range(25):
        m = int(rng.integers(2, 9))
        n = rng.integers(1, 60, m).astype(float)
        bad = rng.binomial(n.astype(int), rng.random(m)).astype(float)
        terms = Terms(rng.choice([1, 20]), few=rng.choice([0, 50]), cost=rng.choice([0.0, 0.5, 2.0]), sparse_cost=4.0)
        tried = [_likelihood(n - bad, bad, cuts, terms) for cuts in _every(m)]
        best = max((value for value, rates in tried if _keeps(rates, shape)), default=-np.inf)
        cuts = tuple(merged(n - bad, bad, n, shape, terms))
        value, rates = _likelihood(n - bad, bad, cuts, terms)
        assert value == pytest.approx(best) and _keeps(rates, shape)


def test_effects_given_the_others_are_merged_exactly_too():
    rng = np.random.default_rng(4)
    for _ in range(25):
        m = int(rng.integers(2, 8))
        stiff, pull, terms = rng.uniform(1, 20, m), rng.normal(0, 8, m), Terms(cost=0.4, rows=0)

        def gain(cuts, pull=pull, stiff=stiff):
            u, h = _parts(pull, cuts), _parts(stiff, cuts)
            return (0.5 * u**2 / (h + 2.0)).sum() - 0.4 * len(u), u / (h + 2.0)

        best = max(value for value, effects in map(gain, _every(m)) if _keeps(effects, "ascending"))
        (cuts,) = merged_effects([Pulls(pull, stiff, np.ones(m), np.ones(m), terms)], "ascending", 2.0)
        merged_gain = gain(tuple(cuts))
        assert merged_gain[0] == pytest.approx(best) and _keeps(merged_gain[1], "ascending")


def test_no_more_bins_than_a_person_can_sign():
    n = np.full(150, 10_000.0)
    bad = np.round(n * np.linspace(0.01, 0.4, 150))
    assert 6 <= len(merged(n - bad, bad, n, "ascending", Terms(most=12))) <= 11


def test_nothing_is_cut_where_the_floor_allows_none():
    n, bad = np.array([5.0, 5.0]), np.array([0.0, 5.0])
    assert merged(n - bad, bad, n, "free", Terms(rows=6)).size == 0
    assert merged(n - bad, bad, n, "free", Terms(rows=11)).size == 0
