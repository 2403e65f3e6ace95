"""Do persons who override the model make its grades better or worse?

**Method** AUC of the grades that stood in the end against the model's own, on the same rows; DeLong's paired difference, by parent, one-sided. Beside it both directions: into a worse grade and into a better one, with what the model said, what the grade given says (development's mean there), and what was observed.
**Reads as bad** grades given by hand rank surely worse, by enough to matter.
**Blind to** whoever was refused by hand and so has no outcome; reasons for an override, good or bad.
**Source** EBA (2023), Supervisory handbook on the validation of rating systems under the IRB approach, paragraph 47; DeLong et al. (1988).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.panel import overrides
from workbench.validation.auc_initial import places
from workbench.validation.sight import Gauge, drop_seen, sight
from workbench.validation.significance import and_chance_text, milder, p_text, shared
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS, BY_CHANCE = "process", {"binary"}, True
ASKS, EVERY_PERIOD = "overrides", True


class Effect(NamedTuple):
    """AUC of the model's grades and of those that stood in the end, and the standard error of the difference."""

    before: float
    after: float
    error: float

    @property
    def lost(self) -> float:
        """The AUC that overrides cost; below 0 where they bring some."""
        return self.before - self.after


def effect(s: Subject) -> Effect:
    """Return what overrides change on the rows tested: ties count half, the error is by parent."""
    rows = s.holdout
    by_model, in_the_end = (places(s, g) for g in (rows["grade_code"], overrides.after(rows, s.override)))
    y, weight = rows["outcome"], rows["weight"]
    influence = metrics.auc_influence(y, in_the_end, weight) - metrics.auc_influence(y, by_model, weight)
    error = metrics.clustered_error(influence, rows["parent_id"])
    return Effect(metrics.auc(y, by_model, weight), metrics.auc(y, in_the_end, weight), error)


def directions(s: Subject) -> pd.DataFrame:
    """Return one row per direction: rows, share, what the model predicted, what the grade given says, observed, low, high."""
    names, rows = list(s.model.grade_names), s.holdout
    given = overrides.after(rows, s.override)
    of_grade = s.grades(s.development).set_index("grade")["predicted"]
    step = np.sign(given.map(names.index) - rows["grade_code"].map(names.index)).to_numpy()
    out = []
    for name, sign in (("worse grade", 1), ("better grade", -1), ("as the model said", 0)):
        part, grades = rows[step == sign], given[step == sign]
        if part.empty:
            continue
        events, n = metrics.effective(part["outcome"], part["weight"], part["parent_id"])
        means = [float(np.average(v, weights=part["weight"])) for v in (part["predicted"], grades.map(of_grade))]
        low, high = metrics.wilson(events, n)
        out.append((name, len(part), len(part) / len(rows), *means, events / n, float(low), float(high)))
    columns = ["grade in the end", "rows", "share", "predicted", "grade given", "observed", "low", "high"]
    return pd.DataFrame(out, columns=columns)


def test(s: Subject) -> Evidence:
    """Return how overrides change the AUC of the grades; not evaluated where no grade by hand is on record."""
    if not s.override:
        return _evidence(s, Verdict.not_evaluated, say("No column of the contract has overrides (`role: override`)."))
    if overrides.is_flag(s.panel[s.override]):
        why = say("Column {column} says whom a person overrode, not what grade he gave instead.", column=s.override)
        return _evidence(s, Verdict.not_evaluated, why)
    changed, least = overrides.overridden(s.holdout, s.override) == 1, s.rules.number("least_events")
    events = int(s.holdout.loc[changed, "outcome"].sum())
    if events < least:
        why = say(
            "On {sample} {rows:, grades were} given by hand, with {events: events}: fewer than {least:.0f} say nothing.",
            sample=s.tested,
            rows=int(changed.sum()),
            events=events,
            least=least,
        )
        return _evidence(s, Verdict.not_evaluated, why)
    return _judged(s, effect(s), directions(s))


def _judged(s: Subject, e: Effect, table: pd.DataFrame) -> Evidence:
    rule, p_rule = s.rules["override_loss"], s.rules["p_value"]
    p = shared(float(stats.norm.sf(e.lost / e.error)) if e.error else 1.0, s.looks)  # no error: no order has changed
    answer = say(
        "On {sample} the model's grades have AUC {before:.4f}, those that stood in the end {after:.4f} ({gain:+.4f}; that "
        "they are worse: {p}).",
        sample=s.tested,
        before=e.before,
        after=e.after,
        gain=e.after - e.before,
        p=p_text(p),
    )
    seen = drop_seen(e.error, s.chance("amber"), rule.amber, say("loss of AUC"))
    gauges = {"convention": Gauge(e.lost, rule), "significance": Gauge(p, p_rule)}
    return _evidence(
        s,
        milder(judged(e.lost, rule), judged(p, p_rule)),
        answer + _each(table),
        table,
        sight(s, e.lost, seen, **gauges),
    )


def _each(table: pd.DataFrame) -> Text:
    """Say of each direction what was predicted before and after, and what came."""
    out = Text()
    for row in table.to_dict("records"):
        facts = {
            "rows": row["rows"],
            "observed": row["observed"],
            "model": row["predicted"],
            "given": row["grade given"],
        }
        if row["grade in the end"] == "worse grade":
            out += say(
                "{rows:,} put into a worse grade: {observed:.2%} observed, {model:.2%} by the model, {given:.2%} by the grade "
                "given.",
                **facts,
            )
        elif row["grade in the end"] == "better grade":
            out += say(
                "{rows:,} put into a better grade: {observed:.2%} observed, {model:.2%} by the model, {given:.2%} by the grade "
                "given.",
                **facts,
            )
    return out


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="override_effect",
        question=say("Do persons who override the model make its grades better or worse?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=and_chance_text(s.rules["override_loss"], s.rules, s.looks),
        source="EBA (2023), Supervisory handbook on validation, paragraph 47",
        table=table,
        sight=stands,
    )
