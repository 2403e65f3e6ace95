"""What stands behind a light: the least that is seen is seen in 80 of 100 draws, the limit is the one that holds it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench import metrics, rules
from workbench.evidence import Evidence, Sight, Verdict, card
from workbench.validation import auc, battery, hosmer_lemeshow, jeffreys, segments, shown
from workbench.validation.sight import Gauge, factor_seen, level, sight


@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_the_least_rate_is_seen_in_eighty_of_a_hundred_samples(prior):
    rng, n, expected, chance = np.random.default_rng(1), 3000, 0.02, 0.01
    least = metrics.least_rate(expected, n, chance, prior=prior)
    events = rng.binomial(n, least, 20_000)
    p = stats.beta.cdf(expected, events + prior, n - events + (prior or 1))
    assert (p <= chance).mean() == pytest.approx(0.8, abs=0.01)
    below = metrics.least_rate(expected, n, chance, above=False, prior=prior)
    events = rng.binomial(n, below, 20_000)
    p = stats.beta.sf(expected, events + (prior or 1), n - events + prior)
    assert (p <= chance).mean() == pytest.approx(0.8, abs=0.01)


def test_many_rows_see_what_matters_and_few_see_nothing():
    assert metrics.least_rate(0.02, 1_000_000, 0.05, off=1.1) == pytest.approx(0.0221, abs=0.0002)
    assert np.isnan(metrics.least_rate(0.001, 100, 0.01, above=False)), "no events at all is no news"
    assert np.isnan(metrics.least_rate(0.9, 3, 0.01))


def test_the_least_psi_and_shift_are_seen_in_eighty_of_a_hundred_samples():
    rng, n, bins, limit = np.random.default_rng(2), 4000, 10, 0.01
    least, share = metrics.least_psi(n, n, bins, limit), np.full(bins, 1 / bins)
    step = np.sqrt(least) * share * np.resize([1, -1], bins)  # Σ d²/share is the PSI of a small shift
    drawn = [
        metrics.psi(a, b)
        for a, b in zip(rng.multinomial(n, share, 3000), rng.multinomial(n, share + step, 3000), strict=True)
    ]
    assert (np.array(drawn) > limit).mean() == pytest.approx(0.8, abs=0.04)
    z = metrics.least_shift(1.0, 0.05) + rng.normal(size=20_000)
    assert (z >= stats.norm.isf(0.05)).mean() == pytest.approx(0.8, abs=0.01)
    assert metrics.least_noncentrality(1, stats.chi2.isf(0.05, 1)) == pytest.approx(7.849, abs=0.001)  # Cohen (1988)


def test_the_least_factor_is_that_of_the_grades_which_the_statistic_is_made_of():
    """Grades that expect fewer than five events are in neither: with them the factor was one that 91 of 100 saw."""
    n, p = np.array([20_000, 3000, 1000, 400, 100, 8]), np.array([0.0001, 0.01, 0.03, 0.08, 0.2, 0.4])
    grades = hosmer_lemeshow.enough(pd.DataFrame({"n": n, "predicted": p}), 5)
    used, rng = grades.index, np.random.default_rng(1)
    least = hosmer_lemeshow.least_factor(grades, len(used), 0.05)
    events, expected = rng.binomial(n, p * least, (20_000, len(n)))[:, used], (n * p)[used]
    chi2 = ((events - expected) ** 2 / (expected * (1 - p[used]))).sum(axis=1)
    assert len(used) == 4 and (chi2 > stats.chi2.isf(0.05, len(used))).mean() == pytest.approx(0.8, abs=0.02)


def test_the_limit_is_that_of_the_measure_which_holds_the_light(sound):
    book = rules.load()
    far, p = Gauge(1.3, book["rate_off"]), Gauge(0.2, book["p_value"])
    seen = (None, "")
    stands = sight(sound, 1.0, seen, convention=far, significance=p)
    assert (stands.value, stands.limit) == (0.2, 0.05) and stands.distance == pytest.approx(0.15)
    assert (stands.convention, stands.significance, stands.differs) == ("red", "green", True)
    assert "far enough to matter, not shown to be beyond chance" in str(stands.lights)
    sure = sight(sound, 1.0, seen, convention=Gauge(1.06, book["rate_off"]), significance=Gauge(1e-9, book["p_value"]))
    assert sure.distance == pytest.approx(0.04) and "beyond chance, not far enough to matter" in str(sure.lights)
    beyond = sight(sound, 1.0, seen, convention=Gauge(0.22, book["gini"]))
    assert beyond.limit == 0.25 and beyond.distance == pytest.approx(-0.03)
    assert (stands.n, stands.events) == (4000, int(sound.holdout["outcome"].sum()))


def test_every_test_says_what_it_rests_on_and_what_it_could_see(items, loss_items):
    for e in (e for e in (*items, *loss_items) if e.verdict is not Verdict.not_evaluated):
        assert e.sight is not None and str(e.sight.power), e.key
        milder = [Verdict(v) for v in (e.sight.convention, e.sight.significance) if v]
        if e.verdict in (Verdict.red, Verdict.amber) and len(milder) == 2:
            assert max(milder, key=lambda v: v.rank).rank <= e.verdict.rank, e.key
        assert Evidence.from_record(json.loads(json.dumps(e.record()))).sight == e.sight
        assert "Could see" in card.html_card(e)
    table = shown.sights(items).table.set_index("test")
    assert (
        set(table.index) == {e.key for e in items if e.verdict is not Verdict.not_evaluated}
        and table["light"].iloc[0] == min(items, key=_rank).verdict
    )
    assert table.loc["jeffreys", "least that is seen"] > 0 and np.isnan(
        float(table.loc["fairness", "least that is seen"])
    )


def _rank(e):
    return e.verdict.rank


def test_what_jeffreys_and_auc_say_they_see_lights_them(sound):
    rng, h = np.random.default_rng(3), sound.holdout
    shared = replace(sound, looks=10)
    least = jeffreys.test(shared).sight.least
    mean = h["predicted"].mean()
    true = h["predicted"] * least / mean
    lit = [
        str(jeffreys.test(replace(shared, holdout=h.assign(outcome=(rng.random(len(h)) < true) * 1.0))).verdict)
        for _ in range(40)
    ]
    assert np.mean([v != "green" for v in lit]) >= 0.7
    assert level(shared, 5) == pytest.approx(0.05 / 50)
    few, many = (auc.test(replace(sound, holdout=h.head(n))).sight.least for n in (600, 4000))
    assert few < many < 0.4, "few rows see only a model that is far below the limit"


def test_a_missing_number_is_none_and_a_test_of_ones_own_needs_no_sight(sound):
    assert Sight(statistic=float("nan"), least=float("inf")).record()["least"] is None
    plain = Evidence(key="k", question="q", verdict="green", answer="a")
    assert "sight" not in plain.record() and "Could see" not in card.html_card(plain)
    assert len(shown.sights([plain]).table) == 0 and battery.tests()


def test_what_too_few_events_could_show_is_not_stated(sound):
    least, words = factor_seen(float("nan"), sound)
    assert least is None and str(words) == "Not stated: too few events."
    low = pd.Series({"standard_error": 0.6})
    least, words = segments._seen(sound, low, 4)
    assert least is None and "even a segment that isn't ordered any more may look like chance" in str(words)
