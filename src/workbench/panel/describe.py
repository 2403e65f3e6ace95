"""The panel in tables: its samples, its outcome by date, its features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from workbench import engine, metrics, rules
from workbench.contracts import Contract, Outcome
from workbench.contracts.fields import FILE_ROW
from workbench.evidence import Evidence, Verdict
from workbench.panel.months import span_in_words
from workbench.panel.rates import in_words as by_outcome
from workbench.panel.rates import level
from workbench.panel.samples import SAMPLES, Waterfall, both_sides, parent_column, told_already
from workbench.words import Text, say
from workbench.words.names import unit_of


def samples(panel: pd.DataFrame, waterfall: Waterfall, outcome: Outcome) -> Evidence:
    """Return sizes, outcome and dates of the samples, how many entities are in none and why, parents on both sides.

    Red where one to learn from has too few events (of an amount or a rate: rows), or where one recorded outcome stands
    in both; amber where the hold-out's outcome is another one, or where many rows count as without the event whose
    months stop before the window does. `panel` needs the columns of `build.FRAME` only.
    """
    parts = {s: panel[panel["sample"] == s] for s in SAMPLES if (panel["sample"] == s).any()}
    table = pd.DataFrame([_sizes(name, part, outcome) | _stopped(name, waterfall) for name, part in parts.items()])
    least = int(table.loc[table["sample"] != "monitoring", "events" if outcome.is_binary else "outcome known"].min())
    book = rules.load()
    needed, apart = int(book.number("least_sample_events")), _apart(panel, outcome, book["rate_off"].red)
    is_odd = apart or _many_stop(waterfall, book)
    d, h = (panel[panel["sample"] == s] for s in ("development", "holdout"))
    repeated = set() if outcome.event else told_already(d, h)
    answer = _sampled(table, outcome) + _outside(waterfall) + _shared(d, h) + _unfollowed(waterfall, outcome)
    if repeated:
        answer += say(
            "One recorded outcome of {n:, entities} stands in development and in the hold-out, which so holds what was "
            "learnt: hold out at random by parent, or give an `event` of the months as outcome.",
            n=len(repeated),
        )
    if apart:
        answer += say(
            "The hold-out's {rate} is another one: {predicted} learnt on development will be off there.",
            rate=outcome.rate,
            predicted=outcome.predicted,
        )
    if waterfall.months_unseen:
        answer += say(
            "No month of the file of months lies before a row's own date: no feature is made of them. An `event` of "
            "the months as outcome gives a row each month."
        )
    if not outcome.window_months and panel["as_of_date"].nunique() > 1:
        answer += say(
            "No performance window is stated (`outcome.window_months`): nothing holds the end of development's "
            "outcomes against the beginning of the hold-out."
        )
    if h.empty:
        answer += say(
            "No row is in the {sample}: look at as_of_from, out_of_time_from and outcome.window_months.",
            sample=say("holdout"),
        )
    return Evidence(
        key="samples",
        question=say("Which rows is the model built on, tested on and watched on?"),
        verdict=Verdict.red if least < needed or h.empty or repeated else Verdict.amber if is_odd else Verdict.green,
        answer=answer,
        value=least,
        threshold=_threshold(outcome, needed) + (_of_stopped(outcome, book) if waterfall.without_event else Text()),
        table=by_outcome(table, outcome),
    )


def _sizes(name: str, part: pd.DataFrame, outcome: Outcome) -> dict[str, object]:
    known = part[part["outcome"].notna()]
    first, last = span_in_words(part["as_of_date"].min(), part["as_of_date"].max())
    sizes = {
        "sample": name,
        "rows": len(part),
        "entities": part["entity_id"].nunique(),
        "parents": part["parent_id"].nunique(),
        "first as-of": first,
        "last as-of": last,
    }
    if outcome.is_binary:
        sizes["events"] = int(known["outcome"].sum())
    mean = np.average(known["outcome"], weights=known["weight"]) if len(known) else np.nan
    return {**sizes, "rate": mean, "outcome known": len(known), "outcome still open": len(part) - len(known)}


def _sampled(table: pd.DataFrame, outcome: Outcome) -> Text:
    return say("{samples}.", samples=[_one_sample(row, outcome) for row in table.to_dict("records")])


def _one_sample(row: dict[str, object], outcome: Outcome) -> Text:
    facts = {"sample": say(str(row["sample"])), "rows": row["rows"], "rate": outcome.rate, "value": row["rate"]}
    if outcome.scale == "amount":
        return say("{sample}: {rows:, rows}, {rate} {value:,.2f}", **facts)
    return say("{sample}: {rows:, rows}, {rate} {value:.2%}", **facts)


def _outside(w: Waterfall) -> Text:
    why = [
        (w.undated, say("{n:, have} no row on an as-of date", n=w.undated)),
        (w.ineligible, say("{n:, are} not eligible", n=w.ineligible)),
        (w.unknown, say("{n:, have} no known outcome", n=w.unknown)),
        (w.unused, say("{n:, have} dates that no sample takes", n=w.unused)),
    ]
    if not (outside := sum(n for n, _ in why)):
        return Text()
    return say(
        "{n:,} of {entities:, entities are} in no sample: {each}.",
        n=outside,
        entities=w.entities,
        each=[reason for n, reason in why if n],
    )


def _stopped(name: str, w: Waterfall) -> dict[str, object]:
    if name not in w.without_event:
        return {}
    n, stopped = w.without_event[name]
    return {"without the event": n, "not followed to the end": stopped, "share": stopped / n if n else 0.0}


def _unfollowed(w: Waterfall, outcome: Outcome) -> Text:
    """Say how many rows count as without the event though their months stop before the window does."""
    if not sum(stopped for _, stopped in w.without_event.values()):
        return Text()
    each = [
        say("{sample} {stopped:,} of {n:,} ({share:.1%})", sample=say(s), stopped=k, n=n, share=k / n if n else 0.0)
        for s, (n, k) in ((s, w.without_event[s]) for s in SAMPLES if s in w.without_event)
    ]
    return say(
        "Not followed to the end of the performance window, and taken as without the {event}, for their months stop "
        "within it: {each}. That holds where an account has closed; where months stop for another reason, nobody knows "
        "(`outcome.competing` names what ends a window).",
        event=outcome.event_word,
        each=each,
    )


def _many_stop(w: Waterfall, limits: rules.Rules) -> bool:
    return any(stopped > limits.number("not_followed") * n for n, stopped in w.without_event.values())


def _of_stopped(outcome: Outcome, limits: rules.Rules) -> Text:
    return say(
        "Amber, too, where more than {share:.0%} of a sample's rows without the {event} were not followed to the end "
        "of the window (convention).",
        share=limits.number("not_followed"),
        event=outcome.event_word,
    )


def _shared(d: pd.DataFrame, h: pd.DataFrame) -> Text:
    """Say how many parents stand in development and in the hold-out: by time, earlier and later."""
    if not (both := both_sides(d, h)):
        return Text()
    return say(
        "{n:,} of the {held:, parents} (whose rows they are) in the hold-out stand in development "
        "too, at an earlier date.",
        n=len(both),
        held=h["parent_id"].nunique(),
    )


def _threshold(outcome: Outcome, least: int) -> Text:
    if not outcome.is_binary:
        return say(
            "Red below {least: rows} with a known outcome in development or hold-out; amber where their means differ "
            "by a quarter and their 95 % intervals don't meet (convention).",
            least=least,
        )
    return say(
        "Red below {least} {events} in development or hold-out; amber where their rates differ by a quarter and their "
        "95 % intervals don't meet (convention).",
        least=least,
        events=outcome.events,
    )


def _apart(panel: pd.DataFrame, outcome: Outcome, material: float) -> bool:
    """Say whether outcomes of development and hold-out differ by `material` (a ratio) and beyond chance."""
    parts = [panel[(panel["sample"] == s) & panel["outcome"].notna()] for s in ("development", "holdout")]
    if not all(map(len, parts)):
        return False
    (low, _, low_ends), (high, high_begins, _) = sorted(_level(part, outcome) for part in parts)
    return high > material * low and high_begins > low_ends


def _level(rows: pd.DataFrame, outcome: Outcome) -> tuple[float, float, float]:
    """Return the mean of the outcome with its 95 % interval by parent: Jeffreys' of a rate, t of an amount."""
    columns = (rows["outcome"], rows["weight"], rows[parent_column(rows)])
    if outcome.is_binary:
        events, n = metrics.effective(*columns)
        return events / n, *metrics.rate_interval(events, n)
    return metrics.mean_interval(*columns) if len(rows) > 1 else (float(rows["outcome"].mean()), np.nan, np.nan)


def book(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by which customers are described: before monitoring, outcome known, each entity once.

    Where entities stand in the panel at several dates, that is the book of the last of them. Every entity's
    own last row would not do: they leave the book by the event above all, and their last row is the one with it.
    """
    known = panel[(panel["sample"] != "monitoring") & panel["outcome"].notna()]
    if known["entity_id"].duplicated().any():
        known = known[known["as_of_date"] == known["as_of_date"].max()]
    return known.reset_index(drop=True)


def rates(panel: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Return as_of_date (its month's first day), sample, n, rate (mean of the outcome), low, high (95 %).

    Only rows whose outcome is known count.
    """
    known = panel[panel["outcome"].notna()]
    months = known["as_of_date"].dt.to_period("M").dt.to_timestamp()
    rows = [
        (month, name, len(part), *_level(part, outcome)) for (month, name), part in known.groupby([months, "sample"])
    ]
    return pd.DataFrame(rows, columns=["as_of_date", "sample", "n", "rate", "low", "high"])


def base_rate(panel: pd.DataFrame, rate: float, outcome: Outcome) -> Evidence:
    """Return whether the rows are a case-control sample, and what was done about it."""
    known = panel[panel["outcome"].notna()]
    raw, weighted = known["outcome"].mean(), np.average(known["outcome"], weights=known["weight"])
    return Evidence(
        key="base_rate",
        question=say("Does the {rate} of the file stand for the bank's?", rate=outcome.rate),
        verdict=Verdict.amber if rate else Verdict.info,
        answer=_weighted_back(raw, weighted, rate, outcome) if rate else _as_it_is(raw, weighted, outcome),
        value=float(weighted),
        source="King & Zeng (2001), Political Analysis 9(2), eq. 8",
    )


def _weighted_back(raw: float, weighted: float, rate: float, outcome: Outcome) -> Text:
    return say(
        "The file is a case-control sample: {raw:.1%} of these rows are {positive}. Every rate and "
        "{predicted} from here on is weighted back to the true base rate of {base:.1%} of the whole file "
        "({weighted:.1%} in these rows).",
        raw=raw,
        positive=outcome.positive,
        predicted=outcome.predicted,
        base=rate,
        weighted=weighted,
    )


def _as_it_is(raw: float, weighted: float, outcome: Outcome) -> Text:
    facts = {"rate": outcome.rate, "value": raw}
    if not np.isclose(raw, weighted):
        return say(
            "Rows count by the file's own weight: {rate} {weighted}, where each would count once {raw}.",
            rate=outcome.rate,
            weighted=level(weighted, outcome),
            raw=level(raw, outcome),
        )
    if outcome.scale == "amount":
        return say("The rows are taken as they are: {rate} {value:,.2f}, and every row counts once.", **facts)
    return say("The rows are taken as they are: {rate} {value:.1%}, and every row counts once.", **facts)


def drawn(panel: Path, contract: Contract, most: int = 100_000) -> pd.DataFrame:
    """Return development's rows with their features, at most about `most` of them: every k-th in the panel's order."""
    learn = "FROM panel WHERE sample = 'development'"
    n = int(engine.frame(f"SELECT count(*) AS n {learn}", {"panel": panel})["n"][0])
    names = ", ".join(["sample", "weight", *(engine.column(c.name) for c in contract.features())])
    first = FILE_ROW if any(c.name == FILE_ROW for c in contract.columns) else "entity_id"
    numbered = f"SELECT {names}, row_number() OVER (ORDER BY {first}, as_of_date) AS row_no {learn}"
    every = max(-(-n // most), 1)
    text = f"SELECT {names} FROM ({numbered}) numbered WHERE row_no % {every} = 0 ORDER BY row_no"
    return engine.frame(text, {"panel": panel})


def features(panel: pd.DataFrame, contract: Contract) -> Evidence:
    """Return a row a feature: meaning, unit, direction, missing share, median, 5th, 95th percentile in development."""
    learn = panel[panel["sample"] == "development"]
    names = ["feature", "description", "unit", "aspect", "direction", "missing", "p5", "median", "p95"]
    table = pd.DataFrame(list(_feature_rows(learn, contract)), columns=names)
    if table.empty:
        answer = say("No feature: nothing was known before the date.")
    elif not table["missing"].any():
        answer = say("{n: features}; none is missing in any row.", n=len(table))
    else:
        emptiest = table.loc[table["missing"].idxmax()]
        answer = say(
            "{n: features}; {feature} is missing most often ({share:.1%}).",
            n=len(table),
            feature=emptiest["feature"],
            share=emptiest["missing"],
        )
    return Evidence(
        key="features",
        question=say("What does the model get to know?"),
        verdict=Verdict.info if len(table) else Verdict.red,
        answer=answer,
        value=float(len(table)),
        table=table,
    )


def _feature_rows(learn: pd.DataFrame, contract: Contract) -> Iterator[tuple[object, ...]]:
    for c in contract.features():
        values = learn[c.name]
        numbers = pd.to_numeric(values, errors="coerce") if c.type in ("number", "integer") else None
        low, middle, high = numbers.quantile([0.05, 0.5, 0.95]) if numbers is not None else (None,) * 3
        direction = {1: "rises", -1: "falls", 0: "either way"}[c.monotone]
        yield (
            c.name,
            c.description,
            unit_of(c.unit, c.name, c.description),
            c.aspect,
            direction,
            float(np.average(values.isna(), weights=learn["weight"])),
            low,
            middle,
            high,
        )


def conclusion(name: str, panel: pd.DataFrame, contract: Contract, digest: str) -> Text:
    """Say what the panel holds and which bytes it is."""
    return say(
        "`{panel}` holds **{rows:, rows}** of {entities:, entities} with **{features:, features}**. Digest `{digest}`.",
        panel=name,
        rows=len(panel),
        entities=panel["entity_id"].nunique(),
        features=len(contract.features()),
        digest=digest[:16],
    )
