"""The book and one customer in pictures a manager understands."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbench.figures import labels, theme
from workbench.figures.panel import dated
from workbench.figures.theme import PLAIN, Outcome
from workbench.words import heard, say
from workbench.words.names import display, term, with_unit

MOST_GROUPS = 10


@theme.picture
def groups(tables: dict[str, pd.DataFrame], title: str, outcome: Outcome = PLAIN) -> Figure:
    """Draw, side by side, the share of each group (bars) and its outcome rate with interval (dots)."""
    figure, axes = theme.panels(len(tables), width=5.2 * len(tables), height=3.5)
    for i, (ax, (name, g)) in enumerate(zip(axes, tables.items(), strict=True)):
        shown = g.nlargest(MOST_GROUPS, "share").sort_index() if len(g) > MOST_GROUPS else g
        x = range(len(shown))
        ax.bar(x, shown["share"], color=theme.BLUE, alpha=0.35)
        labels.along(ax, [heard(str(v)) for v in shown["group"]], room=4.0)
        theme.percent(ax.yaxis)
        ax.set_ylabel(say("share of customers") if i == 0 else "")
        rate = ax.twinx()
        error = [shown["rate"] - shown["low"], shown["high"] - shown["rate"]]
        rate.errorbar(x, shown["rate"], yerr=error, fmt="o", color=theme.ORANGE, capsize=3)
        rate.set_ylim(bottom=0)
        theme.level(outcome, rate.yaxis)
        rate.set_ylabel(outcome.rate if i == len(tables) - 1 else "", color=theme.ORANGE)
        rate.grid(False)
        ax.set_title("\n".join(labels.fitted([with_unit(name)], 44)))
    figure.suptitle(term(title), x=0.01, ha="left", fontsize=11)
    return figure


@theme.picture
def status_mix(mix: pd.DataFrame) -> Figure:
    """Draw the share of late accounts by month; rows months, columns kinds of delay."""
    late = mix.drop(columns="none", errors="ignore")
    figure, (ax,) = theme.panels(width=10, height=2.8)
    names = [term(str(c)) for c in late.columns]
    ax.stackplot(late.index, late.to_numpy().T, labels=names, colors=["#f0cf6b", theme.ORANGE, theme.RED])
    theme.percent(ax.yaxis)
    ax.legend(loc="upper left", fontsize=8)
    ax.set_title(say("Accounts past due, by month"))
    dated(ax)
    return figure


@theme.picture
def time_line(months: pd.DataFrame) -> Figure:
    """Draw one account's delay by month, beside balance and payments where they are known."""
    has_money = not {"balance_amt", "payment_amt"}.isdisjoint(months)
    figure, (*money, late) = theme.panels(1 + has_money, width=10, height=2.8)
    for ax in money:
        _money(ax, months)
    late.bar(months["month"], months["delay_months"], width=18, color=theme.RED)
    late.set_title(say("Months past due"))
    late.set_ylim(0, max(3, months["delay_months"].max() + 0.5))
    theme.numbers(late.yaxis)
    dated(late)
    return figure


def _money(ax: Axes, months: pd.DataFrame) -> None:
    if "balance_amt" in months:
        ax.plot(months["month"], months["balance_amt"], "o-", ms=3, label=str(say("balance")))
    if "payment_amt" in months:
        paid = str(say("paid"))
        ax.bar(months["month"], months["payment_amt"], width=18, color=theme.GREEN, alpha=0.6, label=paid)
    theme.numbers(ax.yaxis)
    ax.legend(fontsize=8)
    ax.set_title(say("Balance and payments"))
    dated(ax)


@theme.picture
def standing(table: pd.DataFrame, most: int = 18) -> Figure:
    """Draw where one customer stands among all, 0 to 100, red where that is the risky end."""
    shown = table.dropna(subset=["percentile"]).head(most).iloc[::-1]
    ends = zip(shown["monotone"], shown["percentile"], strict=True)
    colours = [theme.RED if (m > 0 and v >= 80) or (m < 0 and v <= 20) else theme.BLUE for m, v in ends]
    figure, (ax,) = theme.panels(width=9, height=0.9 + 0.3 * len(shown))
    y = range(len(shown))
    ax.hlines(y, 0, 100, color=theme.GRID)
    ax.scatter(shown["percentile"], y, color=colours, zorder=3)
    ax.set_yticks(y, labels.fitted([display(c) for c in shown["column"]], 44))
    for at, (x, v) in enumerate(zip(shown["percentile"], shown["value"], strict=True)):
        ax.annotate(heard(str(v)), (x, at), xytext=(5, 4), textcoords="offset points", fontsize=7.5)
    ax.set_xlim(-2, 108)
    ax.tick_params(axis="y", labelsize=8)
    ax.set_title(say("Where this customer stands among all (percentile; red is the risky end)"))
    return figure
