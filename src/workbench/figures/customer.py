"""One customer in pictures: what he owes and keeps, when he was late, what happened; coverage of tags; capacity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workbench.evidence.disclosure import People
from workbench.figures import theme
from workbench.figures.panel import dated
from workbench.words import say
from workbench.words.names import term


@theme.picture
def coverage(table: pd.DataFrame) -> Figure:
    """Draw the share of tags of each block by how many customers have them, thinnest first."""
    blocks = list(dict.fromkeys(map(str, table["block"])))
    figure, (ax,) = theme.panels(width=8, height=1.0 + 0.45 * len(blocks))
    for i, block in enumerate(blocks):
        part = table.loc[table["block"].map(str) == block, "coverage"].astype(float).to_numpy()
        ax.scatter(part, np.full(len(part), i) + np.linspace(-0.15, 0.15, len(part)), s=18, alpha=0.7)
    ax.set_yticks(range(len(blocks)), blocks)
    ax.invert_yaxis()
    ax.set_xlim(-0.02, 1.02)
    ax.set_title(say("Share of customers who have a tag, one dot a tag"))
    theme.percent(ax.xaxis)
    return figure


@theme.picture
def story(months: pd.DataFrame, events: pd.DataFrame, kinds: tuple[str, ...]) -> Figure:
    """Draw a customer's debt, deposits and salary by month, months late, and when events of these kinds happened."""
    figure, (money, late, happened) = theme.panels(3, width=12, height=3.4)
    for name, words in (("balance_amt", say("owed")), ("deposit_amt", say("deposits")), ("inflow_amt", say("earned"))):
        money.plot(months["month"], months[name], label=words)
    money.set_title(say("Owed, deposits, earned"))
    money.legend(fontsize=8)
    theme.numbers(money.yaxis)
    late.bar(months["month"], months["delay_months"], width=25, color=theme.RED)
    late.set_ylim(0, max(3.0, float(months["delay_months"].max()) + 0.5))
    late.yaxis.get_major_locator().set_params(integer=True)
    late.set_title(say("Months past due"))
    shown = [k for k in kinds if (events["event_kind"] == k).any()]
    for i, kind in enumerate(shown):
        at = events.loc[events["event_kind"] == kind, "happened_at"]
        happened.plot(at, np.full(len(at), i), "o", ms=5)
    happened.set_yticks(range(len(shown)), [str(term(k)) for k in shown])
    happened.set_title(say("What happened"))
    for ax in (money, late, happened):
        ax.set_xlim(months["month"].min() - pd.Timedelta(days=20), months["month"].max() + pd.Timedelta(days=40))
        dated(ax)
        ax.tick_params(axis="x", rotation=30)
    return figure


@theme.picture
def capacity(can: pd.DataFrame, mark: float) -> Figure:
    """Draw how the burden is spread now and with less income, and the mark beyond which nothing more is affordable."""
    figure, (ax,) = theme.panels(width=8, height=3.0)
    edges = np.linspace(0, 1.2, 25)
    for name, colour in (("burden", theme.BLUE), ("burden under stress", theme.ORANGE)):
        values = can[name].to_numpy(float)
        counts = pd.DataFrame({"n": np.histogram(np.clip(values[values > 0], 0, 1.2), edges)[0]}).reset_index()
        counts = People(("n",), ("index",)).published(counts)  # no bar of few
        ax.stairs(counts["n"], edges, lw=1.6, color=colour, label=term(name))
    ax.axvline(mark, color=theme.RED, ls="--")
    ax.set_title(say("What is due over income, of who owes something"))
    ax.legend()
    theme.percent(ax.xaxis)
    theme.numbers(ax.yaxis)
    return figure
