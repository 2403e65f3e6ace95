"""How much of the differences between customers does the model explain?

**Method** R² on the hold-out about its own mean, interval from the influence of each parent's rows.
**Reads as bad** an R² below the threshold; on a later period, whose rows may be few, one whose whole interval is below it.
**Blind to** a bias that all predictions share: it lowers R², but is not named by it (see mean_backtest).
**Source** Kvålseth (1985), The American Statistician 39(4).
"""

from __future__ import annotations

from scipy import stats

from workbench.evidence import Evidence, judged
from workbench.validation.overfit import measured
from workbench.validation.sight import Gauge, below_seen, sight
from workbench.validation.significance import interval_text, milder
from workbench.validation.subject import Subject
from workbench.words import say

FAMILY, KINDS = "discrimination", {"rate", "amount"}


def test(s: Subject) -> Evidence:
    """Return R² of the rows tested with its interval."""
    rule = s.rules["r_squared"]
    value, error = measured(s.holdout, binary=False)
    sure = value + float(stats.norm.ppf(1 - s.chance("amber"))) * error
    most = value if s.is_holdout else sure
    half = float(stats.norm.ppf(0.975)) * error
    return Evidence(
        key="r_squared",
        question=say("How much of the differences between customers does the model explain?"),
        verdict=milder(judged(value, rule), judged(most, rule)),
        answer=say(
            "On {sample}: R² {value:.4f} ({low:.4f} to {high:.4f}).",
            sample=s.tested,
            value=value,
            low=value - half,
            high=value + half,
        ),
        value=value,
        threshold=rule.text + interval_text(s.is_holdout),
        source="Kvålseth (1985)",
        sight=sight(
            s,
            value,
            below_seen(rule.amber, error, 0.5 if s.is_holdout else s.chance("amber"), say("R²")),
            convention=Gauge(value, rule),
            significance=Gauge(sure, rule, decides=not s.is_holdout),
        ),
    )
