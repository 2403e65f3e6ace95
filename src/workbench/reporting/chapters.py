"""Chapters of a pack on the book: size, new business, arrears, roll rates, losses, segments; each with headlines."""

from __future__ import annotations

import pandas as pd

from workbench.evidence import Evidence, Verdict
from workbench.evidence.disclosure import People, few
from workbench.figures import portfolio as pictures
from workbench.reporting import headlines, portfolio
from workbench.reporting.book import NAN, Book, share_of
from workbench.reporting.headlines import Headline
from workbench.reporting.portfolio import LATE_BUCKETS
from workbench.words import Text, say

BUCKETS = (say("not late"), say("30 to 59 days"), say("60 to 89 days"), say("90 or more days"))


Chapter = tuple[Evidence, list[Headline]]


def chapters(book: Book, segments: list[str]) -> dict[str, Chapter]:
    """Return every chapter that the book's months allow, by key, with its headlines."""
    out = {"book": size(book), "new_business": new_business(book)}
    if book.has_arrears:
        out |= {"delinquency": delinquency(book), "roll_rates": roll_rates(book), "losses": losses(book)}
    if segments:
        out["segments"] = by_segment(book, segments)
    return out


def size(book: Book) -> Chapter:
    """Return how large the book is: accounts and balance at the period's end."""
    accounts, balance = book.ends("accounts"), book.ends("balance")
    facts = {"period": book.now.name, "accounts": int(accounts[0])}
    answer = say("{accounts:, accounts} at the end of {period}.", **facts)
    lines = [headlines.amount("accounts", say("accounts"), accounts, "", say("accounts in the book at the end"))]
    if balance[0] == balance[0]:
        answer += say("They owe {balance:,.0f} {currency}.", balance=balance[0], currency=book.currency)
        meaning = say("what they owe: {mean:,.0f} {currency} an account", **_mean(balance[0], accounts[0], book))
        lines.append(headlines.amount("balance", say("balance"), balance, book.currency, meaning))
    e = Evidence(
        key="book",
        question=say("How large is the book?"),
        verdict=Verdict.info,
        answer=answer,
        value=int(accounts[0]),
        table=_shown(book, ["accounts", *(["balance"] * book.has_balance)]),
        figure=pictures.size(book.rows, book.currency) if book.has_balance else None,
    )
    return e, lines


def _mean(total: float, n: float, book: Book) -> dict[str, object]:
    return {"mean": total / n if n else NAN, "currency": book.currency}


def new_business(book: Book) -> Chapter:
    """Return what came into the book in the period: accounts in their first month."""
    new, amount = book.sums("new", book.rows), book.sums("new_amt", book.rows)
    if new[0] != new[0]:
        return _of_new(book, _unknown_new(book), None), []
    facts = {"n": int(new[0]), "period": book.now.name}
    meaning = say("{n:, new accounts}; {n_before:,} in the period before", n=int(new[0]), n_before=_count(new[1]))
    if not book.has_opened or amount[0] != amount[0]:
        answer = say("{n:, new accounts} in {period}.", **facts)
        line = headlines.amount("new_business", say("new business"), new, "", meaning)
    else:
        facts |= {"amount": amount[0], "currency": book.currency}
        answer = say("{n:, new accounts} in {period} over {amount:,.0f} {currency}.", **facts)
        line = headlines.amount("new_business", say("new business"), amount, book.currency, meaning)
    return _of_new(book, answer, int(new[0])), [line]


def _unknown_new(book: Book) -> Text:
    if book.is_at_start:
        return say("The data begin in {period}: what is new is not known.", period=book.now.name)
    return say(
        "A month of {period} or the one before it was not delivered: what is new is not known.", period=book.now.name
    )


def _of_new(book: Book, answer: Text, value: int | None) -> Evidence:
    return Evidence(
        key="new_business",
        question=say("How much new business came in?"),
        verdict=Verdict.info,
        answer=answer,
        value=value,
        blind_to=say("who was refused, and accounts that were opened and closed within a month"),
        table=_shown(book, ["new", *(["new_amt"] * book.has_opened)]),
    )


def delinquency(book: Book) -> Chapter:
    """Return how many accounts are 30, 60 and 90 or more days past due, with the light of the rise."""
    shares = [book.late(k) for k in range(1, LATE_BUCKETS + 1)]
    lights = [book.risen(k) for k in range(1, LATE_BUCKETS + 1)]
    names = (say("30+ days past due"), say("60+ days past due"), say("90+ days past due"))
    lines = []
    for k, (what, share, light) in enumerate(zip(names, shares, lights, strict=True), 1):
        n, known = int(book.ends(f"late_{k}")[0]), int(book.ends("known")[0])
        lines.append(headlines.rate(f"late_{k}", what, share, _of_late(n, known, light), light))
    facts = {f"late_{k}": share[0] for k, share in enumerate(shares, 1)}
    e = Evidence(
        key="delinquency",
        question=say("How many are late, and is it more than before?"),
        verdict=min(lights, key=lambda v: v.rank),
        answer=say(
            "At the end of {period} {late_1:.2%} of accounts are 30 or more days past due, {late_2:.2%} 60 or more, "
            "{late_3:.2%} 90 or more.",
            period=book.now.name,
            **facts,
        )
        + _against_before(shares[0], book),
        value=shares[0][0],
        threshold=_threshold(book),
        blind_to=say("accounts that left the book while late: they stand under losses"),
        table=_late_table(book),
        figure=pictures.arrears(book.rows, book.moves),
    )
    return e, lines


def _of_late(n: int, known: int, light: Verdict) -> Text:
    count = say("{n:,} of {known:, accounts}", n=n, known=known)
    return say("{count}; {judged}", count=count, judged=_JUDGED.get(light, _NO_RISE))


_NO_RISE = say("no rise beyond chance")
_JUDGED = {
    Verdict.red: say("a rise far beyond chance"),
    Verdict.amber: say("a rise beyond chance"),
    Verdict.not_evaluated: say("nothing to compare with"),
}


def _against_before(shares: tuple[float, float], book: Book) -> Text:
    if shares[1] != shares[1]:
        return Text()
    return say("{previous}: {share:.2%} were 30 or more.", previous=book.source.before.name, share=shares[1])


def _threshold(book: Book) -> Text:
    level = book.rules.number("interval_level")
    chance = say("Green where the rise isn't beyond chance at {level:.0%}, among all of its kind.", level=1 - level)
    return book.rules["arrears_rise"].text + chance


def roll_rates(book: Book) -> Chapter:
    """Return which share of each bucket was later a month on, with the light of the rise."""
    now = {b: rest for b, *rest in portfolio.rolled(book.moves, book.now)}
    before = {b: rest for b, *rest in portfolio.rolled(book.moves, book.source.before)}
    rows, lines, lights = [], [], []
    for bucket, (n, worse, cured) in now.items():
        n_before, worse_before, _ = before.get(bucket, (0, 0, 0))
        share = (share_of(worse, n), share_of(worse_before, n_before))
        lights.append(headlines.risen((worse, worse_before), (n, n_before), book.rules, looks=len(now)))
        rows.append((str(lights[-1]), BUCKETS[bucket], n, worse, *share, share_of(cured, n)))
        if few(n):
            continue
        what = say("roll rate, {bucket}", bucket=BUCKETS[bucket])
        meaning = say("{worse:,} of {n:,} were later a month on", worse=worse, n=n)
        lines.append(headlines.rate(f"roll_{bucket}", what, share, meaning, lights[-1]))
    columns = ["light", "from", "accounts", "rolled on", "roll rate", "last period's roll rate", "cure rate"]
    e = Evidence(
        key="roll_rates",
        question=say("Do late accounts get later?"),
        verdict=min(lights, key=lambda v: v.rank, default=Verdict.not_evaluated),
        answer=_rolled(rows, book.now.name),
        value=rows[0][4] if rows and not few(rows[0][2]) else None,
        threshold=_threshold(book),
        table=pd.DataFrame(rows, columns=columns, dtype=object),
        people=People(("accounts",), ("from",)),
    )
    return e, lines


def _rolled(rows: list[tuple[object, ...]], period: str) -> Text:
    if not rows:
        return say("No move into a month of {period} is known.", period=period)
    each = [say("{bucket} {share:.1%}", bucket=r[1], share=r[4]) for r in rows if not few(r[2])]
    return say("Rolled on within a month in {period}: {each}.", period=period, each=each)


def losses(book: Book) -> Chapter:
    """Return what fell into default (90 or more days past due) in the period, and what left the book from there."""
    gone = book.written_off
    fell, fell_amt = book.sums("to_default", book.moves), book.sums("to_default_amt", book.moves)
    lost, lost_amt = book.sums("gone", gone), book.sums("gone_amt", gone)
    facts = {"fell": _count(fell[0]), "lost": _count(lost[0]), "lost_amt": lost_amt[0], "currency": book.currency}
    e = Evidence(
        key="losses",
        question=say("What was lost?"),
        verdict=Verdict.info,
        answer=_lost(facts, book),
        value=lost_amt[0] if book.has_balance else _count(lost[0]),
        blind_to=say("recoveries: they are not dated in the months, and those yet to come are not known"),
        table=_losses_table(book),
    )
    meaning = say(
        "{fell:, accounts}; {fell_before:,} in the period before", fell=_count(fell[0]), fell_before=_count(fell[1])
    )
    shown, unit = (fell_amt, book.currency) if book.has_balance else (fell, "")
    lines = [headlines.amount("to_default", say("newly 90 days past due"), shown, unit, meaning, worse=1)]
    meaning = say("{lost:, accounts} left the book from 90 or more days past due", lost=_count(lost[0]))
    if book.has_balance:
        lines.append(headlines.amount("lost", say("gross loss"), lost_amt, book.currency, meaning, worse=1))
    return e, lines


def _lost(facts: dict[str, object], book: Book) -> Text:
    period, amount = book.now.name, facts["lost_amt"]
    if facts["fell"] is None:
        return say("Not every move into a month of {period} is known, nor what was lost.", period=period)
    if not book.has_balance or amount != amount:
        return say(
            "{fell:, accounts} reached 90 days past due in {period}; {lost:,} left the book from there.",
            period=period,
            fell=facts["fell"],
            lost=facts["lost"],
        )
    return say(
        "{fell:, accounts} reached 90 days past due in {period}; {lost:,} left the book from there, "
        "with a balance of {lost_amt:,.0f} {currency}.",
        period=period,
        **facts,
    )


def _losses_table(book: Book) -> pd.DataFrame:
    names = {"to_default": "newly 90 days past due", "to_default_amt": "their balance"}
    names |= {"gone": "left the book from there", "gone_amt": "gross loss"}
    if not book.has_balance:
        names = {column: name for column, name in names.items() if not column.endswith("_amt")}
    sums = book.written_off.groupby("month")[list(names)].sum(skipna=False)  # what isn't known makes no sum smaller
    return sums.rename(columns=names).iloc[::-1].reset_index().head(book.shown_months)


SEGMENTS = People(("accounts",), ("column", "segment"), within="column")


def by_segment(book: Book, columns: list[str]) -> Chapter:
    """Return the book by each column, the segments whose arrears rose most on top; one that rang is a headline."""
    rows = [row for column in columns for row in _segments(book, column)]
    lights = [headlines.risen(r["late"], r["known"], book.rules, looks=len(rows)) for r in rows]
    table = pd.DataFrame(rows).assign(light=[str(v) for v in lights], rank=[v.rank for v in lights])
    table = table.sort_values(["rank", "worse"], ascending=[True, False], ignore_index=True)
    shown = SEGMENTS.published(table)
    compared = shown[shown["accounts"].notna() & shown["last period's 30+ rate"].notna() & shown["30+ rate"].notna()]
    risen = compared[compared["30+ rate"] > compared["last period's 30+ rate"]]
    names = ["light", "column", "segment", "accounts", "balance", "30+ rate", "last period's 30+ rate"]
    e = Evidence(
        key="segments",
        question=say("Where does the risk sit, and where does it grow?"),
        verdict=Verdict(next(iter(compared["light"]), Verdict.not_evaluated)),
        answer=_risen(risen, compared),
        value=float(risen["30+ rate"].iloc[0]) if len(risen) else None,
        threshold=_threshold(book),
        table=table[names if book.has_balance else [n for n in names if n != "balance"]],
        people=SEGMENTS,
    )
    return e, []


def _risen(risen: pd.DataFrame, compared: pd.DataFrame) -> Text:
    """Say which segment's arrears rose most, if any did: of those shown that were there a period before."""
    if compared.empty:
        return say("No segment that is shown has a period before to compare with.")
    if risen.empty:
        return say("In none of the segments shown has the share that is 30 or more days past due risen.")
    top = risen.iloc[0]
    facts = {"segment": top["segment"], "now": top["30+ rate"], "before": top["last period's 30+ rate"]}
    return say("Strongest rise: {segment}, {now:.2%} 30 or more days past due after {before:.2%}.", **facts)


def _segments(book: Book, column: str) -> list[dict[str, object]]:
    rows, labels = book.source.cut_by(column), book.source.contract[column].values
    out = []
    for value, part in rows.groupby("value", dropna=False):
        ends = [portfolio.at_end(part, span) for span in (book.now, book.source.before)]
        if ends[0] is None:
            continue
        late, known = ([0 if r is None else int(r[c]) for r in ends] for c in ("late_1", "known"))
        share = [share_of(x, n) for x, n in zip(late, known, strict=True)]
        code = say("{code:s}", code=value) if value == value else say("missing")  # data, said in no language
        out.append(
            {
                "late": tuple(late),
                "known": tuple(known),
                "column": column,
                "segment": value if value in labels.values() else labels.get(value, code),
                "accounts": int(ends[0]["accounts"]),
                "balance": float(ends[0]["balance"]),
                "30+ rate": share[0],
                "last period's 30+ rate": share[1],
                "worse": headlines.relative(*share),
            }
        )
    return out


def _late_table(book: Book) -> pd.DataFrame:
    rows, out = book.rows.iloc[::-1], {}
    for k, name in enumerate(("30+ rate", "60+ rate", "90+ rate"), 1):
        out[name] = rows[f"late_{k}"] / rows["known"]
        if book.has_balance:
            out[f"{name.removesuffix(' rate')} balance"] = rows[f"late_{k}_amt"]
    return pd.DataFrame({"month": rows["month"], **out}).head(book.shown_months).reset_index(drop=True)


def _shown(book: Book, columns: list[str]) -> pd.DataFrame:
    """Return columns of the months as a table to be pasted, the latest month on top."""
    names = {"new": "new accounts", "new_amt": "new business"}
    rows = book.rows[["month", *columns]].iloc[::-1].head(book.shown_months)
    return rows.rename(columns=names).reset_index(drop=True)


def _count(value: float) -> int | None:
    return None if value != value else int(value)
