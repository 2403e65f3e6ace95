"""Is the book on which the model is to be used the one that it was developed on?

**Method** the latest rows of the panel, whether their outcome is known or not (the last date and those up to a year before it, later than development and hold-out): PSI of the prediction and of every feature that development froze bins of, input or not, with its critical value; share of rows beyond what development saw of an input (missing in no row of it, or a value never seen).
**Reads as bad** a driver that has moved, above the threshold and above its critical value.
**Blind to** those whom the bank refused before they stood in the panel, and to changes inside a bin.
**Source** Siddiqi (2017), ch. 14; Yurdakul & Naranjo (2020), Journal of Risk Model Validation 14(4), for the critical value.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.evidence import Evidence, Sight, Verdict, judged
from workbench.panel.samples import parent_column
from workbench.validation.psi_score import psi_sight, shift
from workbench.validation.subject import Subject
from workbench.words import Text, say

FAMILY, KINDS = "stability", {"binary", "rate", "amount"}
READS_OUTCOME = False
MONTHS = 12  # a year's business: no season of it alone


def book(s: Subject) -> pd.DataFrame:
    """Return the rows on which the model is to be used, re-scored: those of the panel's last year after the hold-out.

    Columns of the panel, predicted, weight 1 (a case-control weight needs an outcome), parent_id as running number.
    """
    if s.panel.empty or "as_of_date" not in s.panel:
        return s.panel.head(0)
    last = max(rows["as_of_date"].max() for rows in (s.development, s.holdout))
    later = s.panel[s.panel["as_of_date"] > last]
    later = later[later["as_of_date"] > later["as_of_date"].max() - pd.DateOffset(months=MONTHS)]
    if later.empty:
        return later
    parents = pd.factorize(later[parent_column(later)])[0]
    return later.assign(predicted=np.asarray(s.model.predict(later), float), parent_id=parents, weight=1.0).reset_index(
        drop=True
    )


def moved(s: Subject, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per driver, the largest PSI first: psi, critical, least (seen), beyond (share never seen), input, light."""
    drivers = [n for n in s.model.reference if n in rows and (n == "predicted" or n in s.development)]
    table = pd.DataFrame(
        [(n, *shift(s, n, rows, len(drivers)), _beyond(s, n, rows)) for n in drivers],
        columns=["driver", "psi", "critical", "least", "beyond"],
    )
    table["input"] = table["driver"].isin([*s.model.features, "predicted"])
    pairs = zip(table["psi"], table["critical"], table["input"], strict=True)
    rule = s.rules["psi"]
    lights = [Verdict.green if v <= c else judged(v, rule) for v, c, _ in pairs]
    lights = [
        v if used or v is not Verdict.red else Verdict.amber for v, used in zip(lights, table["input"], strict=True)
    ]
    table["light"] = [str(v) for v in lights]
    order = table.assign(rank=[v.rank for v in lights], near=-table["psi"]).sort_values(["rank", "near"], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def _beyond(s: Subject, name: str, rows: pd.DataFrame) -> float:
    """Return the share of rows in bins of a driver that no row of development is in."""
    bins, counts = s.model.reference[name]
    return float((np.asarray(counts, float) == 0)[bins.codes(rows[name])].mean())


def test(s: Subject) -> Evidence:
    """Return how far the latest rows have moved from development; not evaluated where there is none later."""
    rows = book(s)
    if rows.empty:
        return _evidence(
            s,
            Verdict.not_evaluated,
            say("The panel has no row later than development and hold-out: no book to compare."),
        )
    table = moved(s, rows)
    top, lit = table.iloc[0], int((table["light"] != str(Verdict.green)).sum())
    answer = say(
        "Of {drivers: drivers} {lit} have moved on {rows:, rows} from {first} to {last}; {driver} most: PSI {psi:.4f} "
        "(critical value {critical:.4f}).",
        drivers=len(table),
        lit=lit,
        rows=len(rows),
        first=f"{rows['as_of_date'].min():%Y-%m}",
        last=f"{rows['as_of_date'].max():%Y-%m}",
        driver=top["driver"],
        psi=top["psi"],
        critical=top["critical"],
    ) + _never_seen(table)
    stands = psi_sight(s, top["psi"], top["critical"], top["least"], rows)
    return _evidence(s, Verdict(top["light"]), answer, table.drop(columns="least"), stands)


def _never_seen(table: pd.DataFrame) -> Text:
    most = table.loc[table["beyond"].idxmax()]
    if not most["beyond"]:
        return say("No row lies beyond what development saw.")
    return say(
        "{share:.1%} of the rows have a value of {driver} that development never saw.",
        share=most["beyond"],
        driver=most["driver"],
    )


def _evidence(
    s: Subject, verdict: Verdict, answer: Text, table: pd.DataFrame | None = None, stands: Sight | None = None
) -> Evidence:
    return Evidence(
        key="representativeness",
        question=say("Is the book on which the model is to be used the one that it was developed on?"),
        verdict=verdict,
        answer=answer,
        value=stands and stands.statistic,
        threshold=s.rules["psi"].text
        + say("Green up to the critical value; at most amber of a feature that is no input."),
        source="Siddiqi (2017), ch. 14",
        table=table,
        sight=stands and replace(stands, events=None),
    )
