"""The book and one customer in pictures a manager understands."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from workbench.figures import theme


def groups(tables: dict[str, pd.DataFrame], title: str) -> Figure:
    """Draw, side by side, the share of each group (bars) and its default rate with interval (dots)."""
    with theme.house():
        figure, axes = theme.panels(len(tables), width=5.2 * len(tables), height=3.3)
        for ax, (name, g) in zip(axes, tables.items(), strict=True):
            shown = g.nlargest(10, "share").sort_index() if len(g) > 10 else g
            x = range(len(shown))
            ax.bar(x, shown["share"], color=theme.BLUE, alpha=0.35)
            ax.set_xticks(x, [str(v)[:18] for v in shown["group"]], rotation=35, ha="right", fontsize=8)
            ax.yaxis.set_major_formatter("{x:.0%}")
            ax.set_ylabel("share of customers")
            rate = ax.twinx()
            error = [shown["rate"] - shown["low"], shown["high"] - shown["rate"]]
            rate.errorbar(x, shown["rate"], yerr=error, fmt="o", color=theme.ORANGE, capsize=3)
            rate.set_ylim(bottom=0)
            rate.yaxis.set_major_formatter("{x:.0%}")
            rate.set_ylabel("default rate", color=theme.ORANGE)
            rate.grid(False)
            ax.set_title(name)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def status_mix(mix: pd.DataFrame) -> Figure:
    """Draw the share of late accounts by month; rows months, columns kinds of delay."""
    late = mix.drop(columns="none", errors="ignore")
    with theme.house():
        figure, (ax,) = theme.panels(width=10, height=2.8)
        ax.stackplot(late.index, late.to_numpy().T, labels=late.columns, colors=["#f0cf6b", theme.ORANGE, theme.RED])
        ax.yaxis.set_major_formatter("{x:.1%}")
        ax.legend(loc="upper left", fontsize=8)
        ax.set_title("Accounts past due, by month")
        figure.autofmt_xdate()
    return figure


def time_line(months: pd.DataFrame) -> Figure:
    """Draw one account's balance, payments and delay by month."""
    with theme.house():
        figure, (money, late) = theme.panels(2, width=10, height=2.8)
        money.plot(months["month"], months["balance_amt"], "o-", ms=3, label="balance")
        money.bar(months["month"], months["payment_amt"], width=18, color=theme.GREEN, alpha=0.6, label="paid")
        money.yaxis.set_major_formatter("{x:,.0f}")
        money.legend(fontsize=8)
        money.set_title("Balance and payments")
        late.bar(months["month"], months["delay_months"], width=18, color=theme.RED)
        late.set_title("Months past due")
        late.set_ylim(0, max(3, months["delay_months"].max() + 0.5))
        figure.autofmt_xdate()
    return figure


def standing(table: pd.DataFrame, most: int = 18) -> Figure:
    """Draw where one customer stands among all, 0 to 100, red where that is the risky end."""
    shown = table.dropna(subset=["percentile"]).head(most).iloc[::-1]
    risky = [
        (m > 0 and v >= 80) or (m < 0 and v <= 20) for m, v in zip(shown["monotone"], shown["percentile"], strict=True)
    ]
    with theme.house():
        figure, (ax,) = theme.panels(width=9, height=0.9 + 0.26 * len(shown))
        ax.hlines(shown["column"], 0, 100, color=theme.GRID)
        ax.scatter(
            shown["percentile"], shown["column"], color=[theme.RED if r else theme.BLUE for r in risky], zorder=3
        )
        for y, (x, v) in enumerate(zip(shown["percentile"], shown["value"], strict=True)):
            ax.annotate(v, (x, y), xytext=(5, 4), textcoords="offset points", fontsize=7.5)
        ax.set_xlim(-2, 108)
        ax.tick_params(axis="y", labelsize=8)
        ax.set_title("Where this customer stands among all (percentile; red is the risky end)")
    return figure
