"""Which events the outcome follows more often than in customers alike, and what they add to a model."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from workbench import engine
from workbench.actions import event_gain, lift
from workbench.actions.events import Params, kind, readable
from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, open_rows
from workbench.words import say
from workbench.words.names import shortened


def lift_evidence(rows: pd.DataFrame, p: Params, months: Contract) -> Evidence:
    """Return which events the outcome follows more often than in matched customers; rows of `lift.lift`.

    months: the contract of the months, whose words name the outcome.
    """
    judged, passed = rows[rows["ratio"].notna()], rows[rows["passes"] & (rows["ratio"] > 1)]
    telling = passed[passed["event_kind"].isin(open_rows(rows, "events")["event_kind"])]
    answer = say(
        "After {n} of {of: kinds} of event {outcome} comes more often than in customers in the same state without it.",
        n=len(passed),
        of=len(judged),
        outcome=_condition(p.outcome, months),
    )
    if len(telling):
        each = [
            say("{kind} (× {ratio:.1f})", kind=kind(r.event_kind), ratio=r.ratio) for r in telling.head(5).itertuples()
        ]
        answer += say("The surest: {each}.", each=each)
        answer += say("It comes {months:.0f months} after in the median.", months=telling["lead_months"].median())
    return Evidence(
        key="event_lift",
        question=say(
            "After which events does {outcome} follow within {months: months}?",
            outcome=_condition(p.outcome, months),
            months=p.outcome_months,
        ),
        verdict=Verdict.info if len(judged) else Verdict.not_evaluated,
        answer=answer,
        value=len(passed),
        threshold=say(
            "false discovery rate {fdr:.0%}, over the kinds after which it came {fewest} times or more, of a ratio "
            "that lies within {material:g} times",
            fdr=p.fdr,
            fewest=p.fewest,
            material=p.sure.material,
        ),
        blind_to=say("what drives both the event and the outcome and isn't matched on"),
        source="Greenland & Robins (1985); McCarthy & Smyth (2009); Benjamini & Hochberg (1995)",
        table=readable(rows),
        people=People(("events",)),
    )


def _condition(sql: str, months: Contract) -> Any:
    """Return a condition on a flag of the month by the flag's name in the contract; any other as it is written."""
    flag = re.fullmatch(r"(\w+) (?:>|>=|=) [01]", sql.strip())
    words = next((c.description for c in months.columns if flag and c.name == flag[1]), "")
    return say(shortened(words)) if words else sql


def gain_of(
    rows: pd.DataFrame, contract: Contract, log: engine.Relation, kinds: list[str], p: Params
) -> dict[str, float]:
    """Return what counts of these kinds in the log add to the panel's features (facts of `event_gain.gain`)."""
    sample = event_gain.drawn(rows, p.max_rows, p.seed)
    counts = lift.counted(log, sample, kinds, p.outcome_months)
    return event_gain.gain(sample, counts, contract, 0.25, p.seed)


def gain_evidence(facts: dict[str, float]) -> Evidence:
    """Return whether events make the model better on dates it hasn't seen; not evaluated where none can tell."""
    question = say("Do events make the model better?")
    if np.isnan(facts["gain"]):
        return Evidence(
            key="event_gain",
            question=question,
            verdict=Verdict.not_evaluated,
            answer=say(
                "{n:, rows} to learn from, {n_test:, later ones}: both need rows with and without the event, and dates "
                "further apart than the window of the outcome.",
                n=facts["n"],
                n_test=facts["n_test"],
            ),
        )
    tells = facts["low"] > 0
    answer = say(
        "AUC {without:.3f} without, {with_events:.3f} with counts of events: {gain:+.3f} ({low:+.3f} to {high:+.3f}) "
        "on {n_test:, later rows}.",
        **{k: facts[k] for k in ("without", "with_events", "gain", "low", "high", "n_test")},
    )
    answer += say("The gain is sure.") if tells else say("No sure gain.")
    return Evidence(
        key="event_gain",
        question=question,
        verdict=Verdict.green if tells else Verdict.info,
        answer=answer,
        value=facts["gain"],
        threshold=say("green where the 95 % interval of the gain lies above 0"),
        table=pd.DataFrame([facts]),
    )


def kinds_of(rows: pd.DataFrame) -> list[str]:
    """Return the kinds whose counts a model is offered: all that were judged, whether they passed or not."""
    return sorted(rows.loc[rows["ratio"].notna(), "event_kind"])
