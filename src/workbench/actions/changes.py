"""Conversion by segment and cohort, and a change of it split into mix and rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People
from workbench.words import Text, say


def counted(units: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return n, events, rate with Wilson's interval, and open of each value of `by`, and of all in the last row.

    units: `by`, converted (0 or 1), open. Open ones count in `open` alone.
    """
    closed = units[~units["open"]]
    table = closed.groupby(by)["converted"].agg(n="size", events="sum")
    table = table.join(units.groupby(by)["open"].sum().rename("open"), how="outer").fillna(0).astype(int)
    table = table.rename_axis(by).reset_index()
    whole = {by: str(say("all")), **table[["n", "events", "open"]].sum().to_dict()}
    table = pd.concat([table, pd.DataFrame([whole])], ignore_index=True)
    low, high = metrics.wilson(table["events"], table["n"])
    rate = (table["events"] / table["n"]).where(table["n"] > 0)
    return table.assign(rate=rate, low=low, high=high)


def shown(units: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return what `counted` does as page and picture may show it: small groups are hidden, the last row stays."""
    return People(("n",), (by,), whole=str(say("all"))).published(counted(units, by))


def by_segment(units: pd.DataFrame, words: Text) -> Evidence:
    """Return the rate of each segment; what they add up to is the whole."""
    table = shown(units, "segment")
    parts = table.iloc[:-1].dropna(subset="rate")
    best, worst = parts.loc[parts["rate"].idxmax()], parts.loc[parts["rate"].idxmin()]
    return Evidence(
        key="segments",
        question=say("Where do more convert?"),
        verdict=Verdict.info,
        answer=say(
            "By {words}: {best} {high:.1%}, {worst} {low:.1%}; all {all:.1%} of {n:,}.",
            words=words,
            best=say(str(best["segment"])),
            high=best["rate"],
            worst=say(str(worst["segment"])),
            low=worst["rate"],
            all=table["rate"].iloc[-1],
            n=int(table["n"].iloc[-1]),
        ),
        value=float(table["rate"].iloc[-1]),
        blind_to=say("who comes by which way: a segment's rate is no effect of it"),
        source="Wilson (1927), JASA 22(158)",
        table=table,
    )


def turning(units: pd.DataFrame, turn: str) -> pd.Series:
    """Return which closed units come after the turn (a month), or after the middle of the closed ones' dates."""
    dates = units["date"]
    middle = dates[~units["open"]].quantile(0.5) if not turn else pd.Timestamp(f"{turn}-01")
    return dates >= middle


def change(units: pd.DataFrame, after: pd.Series) -> Evidence:
    """Return what changed between the two periods, by segment: mix (who comes) and rate (how each converts).

    Amber where the whole moves against the rate of every segment that is in both (Simpson (1951), JRSS B 13(2)), one of
    them beyond chance: where others come and no rate changed, all segments often lie on one side by chance.
    """
    closed = ~units["open"]
    groups = [units[closed & ~after], units[closed & after]]
    counts = [g.groupby("segment")["converted"].agg(n="size", events="sum") for g in groups]
    table = metrics.mix_and_rate(*counts)
    people = table.assign(n_before=counts[0]["n"], n_after=counts[1]["n"]).rename_axis("segment").reset_index()
    mix, rate, whole = (float(table[c].sum()) for c in ("mix", "rate", "change"))
    rates = [float(g["converted"].mean()) for g in groups]
    moved = (table["rate_after"] - table["rate_before"]).dropna()
    reversed_ = bool(len(moved) > 1 and (np.sign(moved) == -np.sign(whole)).all() and whole)
    reversed_ = reversed_ and _beyond_chance(*(c.loc[moved.index] for c in counts))
    answer = say(
        "From {before:.1%} to {after:.1%}: {whole:+.2pp}, of which {mix:+.2pp} because others come (mix) and "
        "{rate:+.2pp} because the same convert otherwise (rate).",
        before=rates[0],
        after=rates[1],
        whole=whole,
        mix=mix,
        rate=rate,
    )
    if reversed_:
        answer += say("Simpson's paradox: every segment moves against the whole; the whole says nothing of the offer.")
    return Evidence(
        key="change",
        question=say("Did conversion change, or who comes?"),
        verdict=Verdict.amber if reversed_ else Verdict.info,
        answer=answer,
        value=whole,
        threshold=say(
            "amber where the whole moves one way and every segment the other, one of them beyond chance (two "
            "proportions, p by Holm over the segments below 5 %)"
        ),
        source="Kitagawa (1955), JASA 50(272); Simpson (1951), JRSS B 13(2); Fisher (1935); Holm (1979)",
        table=people,
        people=People(("n_before", "n_after"), ("segment",), unseen=("n_before", "n_after")),
    )


def _beyond_chance(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Return whether a segment's rate (n, events by segment) differs: Fisher's exact test, Holm over the segments."""
    sides = [np.column_stack([t["events"], t["n"] - t["events"]]) for t in (before, after)]
    p = [stats.fisher_exact(two).pvalue for two in np.stack(sides, axis=1)]
    return bool(metrics.holm(p).min() < 0.05)
