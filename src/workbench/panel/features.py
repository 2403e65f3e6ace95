"""Features of an entity as of a date: SQL expressions over the months of its observation window.

The window stands one row an entity and date, a fact's value of k months before as `w.FACT_k` (0 is the as-of month,
NULL where the entity has no row in that month); `a` is the entity's own row, `s` its as-of date. No expression can see
past the date, for later months are not in `w`. Sums run over columns in fixed order, so the same months give the same
bits on any number of threads and on any engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from workbench.contracts import Aspect, Column
from workbench.panel.months import number_sql

STANDARD = ("delay_months", "balance_amt", "payment_amt", "due_amt")
LATEST_LAGS = {"delay_months": range(1, 6), "balance_amt": range(0, 3), "payment_amt": range(1, 6)}
SHORT_WINDOWS = (3, 6, 12)  # months; looked at where the whole window is at least twice as long
MOST_PAID = "2e0"  # times what was billed; more says nothing more


@dataclass(frozen=True)
class Feature:
    """One feature: its SQL, what it means, which way risk goes with it, and the columns it is made from."""

    name: str
    description: str
    sql: str
    made_from: tuple[str, ...]
    monotone: int = 0
    unit: str = ""
    aspect: Aspect = "credit_record"

    def column(self) -> Column:
        """Return the feature's words in a contract."""
        facts = {
            "name": self.name,
            "type": "number",
            "description": self.description,
            "unit": self.unit,
            "aspect": self.aspect,
            "monotone": self.monotone,
        }
        known = {"made_from": self.made_from} if "made_from" in Column.model_fields else {}
        return Column(**facts, **known)


@dataclass(frozen=True)
class Window:
    """What there is to make features from: the facts of a month, how many months, columns of the entity's own row.

    `facts`: name → True where it is a number. `units`, `words`, `aspects` and `directions`: of facts, the last two
    where the contract states them. `limit`: size of the line; `begins`: date it began.
    """

    facts: Mapping[str, bool]
    months: int
    limit: str = ""
    begins: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    directions: Mapping[str, int] = field(default_factory=dict)

    def values(self, fact: str, months: int = 0, since: int = 0) -> list[str]:
        """Return the SQL names of a fact's values, latest first, `months` of them (0: all) from `since` months back."""
        return [f"w.{fact}_{k}" for k in range(since, months or self.months)]

    @property
    def limit_sql(self) -> str:
        """The limit, NULL where it is zero, for nothing is a share of it."""
        return f"nullif(CAST(a.{self.limit} AS DOUBLE), 0e0)"

    def has(self, *names: str) -> bool:
        """Say whether all these facts (or `limit`) are there."""
        return all(n in self.facts or (n == "limit" and bool(self.limit)) for n in names)

    def short(self) -> list[int]:
        """Return the shorter windows that are worth a look of their own."""
        return [n for n in SHORT_WINDOWS if 2 * n <= self.months]


def total(values: Iterable[str]) -> str:
    """Return the sum, missing ones counting as zero."""
    return "(" + " + ".join(f"coalesce({v}, 0e0)" for v in values) + ")"


def count(conditions: Iterable[str]) -> str:
    """Return how many conditions hold; one on a missing value doesn't."""
    return "(" + " + ".join(f"CASE WHEN {c} THEN 1e0 ELSE 0e0 END" for c in conditions) + ")"


def mean(values: list[str]) -> str:
    """Return the mean of the values known, NULL where none is."""
    return f"{total(values)} / nullif({count(f'{v} IS NOT NULL' for v in values)}, 0e0)"


def weighted_mean(values: list[str], weights: list[int]) -> str:
    """Return the mean of the values known, each with its weight; NULL where none is."""
    each = list(zip(values, weights, strict=True))
    known = " + ".join(f"CASE WHEN {v} IS NOT NULL THEN {weight}e0 ELSE 0e0 END" for v, weight in each)
    return f"{total(f'{v} * {weight}e0' for v, weight in each)} / nullif({known}, 0e0)"


def highest(values: list[str]) -> str:
    """Return the greatest value known."""
    return values[0] if len(values) == 1 else f"greatest({', '.join(values)})"


def lowest(values: list[str]) -> str:
    """Return the smallest value known."""
    return values[0] if len(values) == 1 else f"least({', '.join(values)})"


def spread(values: list[str]) -> str:
    """Return the standard deviation (of the population): √(Σ over pairs (x − y)²) / n, which loses no digits."""
    pairs = [f"({x} - {y}) * ({x} - {y})" for x, y in combinations(values, 2)]
    return f"sqrt({total(pairs)}) / nullif({count(f'{v} IS NOT NULL' for v in values)}, 0e0)"


def trend(values: list[str], recent: int = 1) -> str:
    """Return the mean of the `recent` months minus the mean of those before."""
    return f"({mean(values[:recent]) if recent > 1 else values[0]}) - ({mean(values[recent:])})"


def run_length(conditions: list[str], *, holding: bool) -> str:
    """Return how many latest months in a row the condition holds (or doesn't), all of them where it never ends."""
    ends = [f"NOT coalesce({c}, FALSE)" if holding else c for c in conditions]
    cases = " ".join(f"WHEN {end} THEN {k}e0" for k, end in enumerate(ends))
    return f"CASE {cases} ELSE {len(conditions)}e0 END"


def catalogue(w: Window) -> list[Feature]:
    """Return the features this window allows: by the facts it has, its length, and whether a limit is known."""
    parts = [_delay(w), _status(w), _utilisation(w), _balance(w), _payment(w), _lags(w), _others(w), _age(w)]
    return [f for part in parts for f in part]


def _delay(w: Window) -> list[Feature]:
    if not w.has("delay_months"):
        return []
    d, fact, n = w.values("delay_months"), ("delay_months",), w.months

    def feature(name: str, words: str, sql: str, monotone: int = 1) -> Feature:
        return Feature(name, words, sql, fact, monotone, "month")

    late = [f"{v} > 0e0" for v in d]
    made = [
        feature("delay_now_months", "months past due at the as-of month", d[0]),
        feature("n_months_late", "months with any delay in the window", count(late)),
        feature("n_months_late_2", "months with two or more months past due", count(f"{v} >= 2e0" for v in d)),
        feature("n_months_late_3", "months with three or more months past due", count(f"{v} >= 3e0" for v in d)),
        feature(
            "months_since_late",
            "months since the last delay (window length if none)",
            run_length(late, holding=False),
            -1,
        ),
    ]
    if n > 1:
        made += [
            feature("delay_worst_months", "worst delay in the window", highest(d)),
            feature(
                "delay_recent_months",
                "mean delay, recent months weighing more",
                weighted_mean(d, [n - k for k in range(n)]),
            ),
            feature("delay_trend_months", "delay now minus mean delay before", trend(d), 0),
            feature("n_months_late_running", "months late in a row, up to now", run_length(late, holding=True)),
        ]
    for m in w.short():
        made += [
            feature(f"delay_worst_{m}m_months", f"worst delay of the last {m} months", highest(d[:m])),
            feature(f"n_months_late_{m}m", f"months with any delay of the last {m}", count(late[:m])),
        ]
    return made


def _status(w: Window) -> list[Feature]:
    if not w.has("status_code"):
        return []
    statuses = {
        "n_months_paid_duly": ("paid_duly", "months paid in full and in time"),
        "n_months_unused": ("unused", "months without use"),
        "n_months_revolving": ("revolving", "months with the minimum paid, the rest revolving"),
    }
    return [
        Feature(name, words, count(f"{v} = '{status}'" for v in w.values("status_code")), ("status_code",), 0, "month")
        for name, (status, words) in statuses.items()
    ]


def _utilisation(w: Window) -> list[Feature]:
    if not w.has("balance_amt", "limit"):
        return []
    b, limit, needs = w.values("balance_amt"), w.limit_sql, ("balance_amt", w.limit)

    def feature(name: str, words: str, sql: str, monotone: int = 1) -> Feature:
        return Feature(name, words, sql, needs, monotone, "", "capacity")

    unit = w.units.get("balance_amt", "")
    made = [
        feature("utilisation_rate", "balance over limit at the as-of month", f"{b[0]} / {limit}"),
        Feature(
            "headroom_amt",
            "limit not used",
            f"CAST(a.{w.limit} AS DOUBLE) - {b[0]}",
            needs,
            -1,
            unit,
            "capacity",
        ),
    ]
    if w.months > 1:
        made += [
            feature("utilisation_mean_rate", "mean balance over limit", f"({mean(b)}) / {limit}"),
            feature("utilisation_max_rate", "highest balance over limit", f"{highest(b)} / {limit}"),
            feature("utilisation_trend_rate", "utilisation now minus mean before", f"({trend(b)}) / {limit}", 0),
        ]
    if w.months > 2:
        name, words = "utilisation_volatility_rate", "standard deviation of balance over limit"
        made.append(feature(name, words, f"({spread(b[:12])}) / {limit}", 0))
    for m in w.short():
        words = f"mean balance over limit of the last {m} months"
        made.append(feature(f"utilisation_mean_{m}m_rate", words, f"({mean(b[:m])}) / {limit}"))
    return made


def _balance(w: Window) -> list[Feature]:
    """Level and movement of the balance itself, in the shorter windows."""
    if not w.has("balance_amt"):
        return []
    b, made, unit = w.values("balance_amt"), [], w.units.get("balance_amt", "")
    for m in w.short():
        described = {
            "max": (f"highest balance of the last {m} months", highest(b[:m])),
            "min": (f"lowest balance of the last {m} months", lowest(b[:m])),
            "trend": (f"mean balance of the last {m} months minus the mean before", trend(b, m)),
        }
        made += [
            Feature(f"balance_{what}_{m}m_amt", words, sql, ("balance_amt",), 0, unit, "capacity")
            for what, (words, sql) in described.items()
        ]
    return made


def _payment(w: Window) -> list[Feature]:
    if not w.has("payment_amt"):
        return []
    p, fact, unit = w.values("payment_amt"), ("payment_amt",), w.units.get("payment_amt", "")

    def amount(name: str, words: str, sql: str) -> Feature:
        return Feature(name, words, sql, fact, -1, unit, "capacity")

    unpaid = count(f"{v} = 0e0" for v in p)
    made = [
        amount("payment_amt", "paid in the as-of month", p[0]),
        Feature("n_months_unpaid", "months without any payment", unpaid, fact, 1, "month", "capacity"),
    ]
    if w.months > 1:
        made += [
            amount("payment_min_amt", "smallest payment of a month", lowest(p)),
            amount("payment_max_amt", "largest payment of a month", highest(p)),
            amount("payment_mean_amt", "mean payment of a month", mean(p)),
        ]
        if w.limit:
            sql = f"({mean(p)}) / {w.limit_sql}"
            name, words = "payment_to_limit_rate", "mean payment over limit"
            made.append(Feature(name, words, sql, (*fact, w.limit), -1, "", "capacity"))
    made += [amount(f"payment_mean_{m}m_amt", f"mean payment of the last {m} months", mean(p[:m])) for m in w.short()]
    return made + _payment_ratio(w)


def _payment_ratio(w: Window) -> list[Feature]:
    """Paid in a month over what was due in it (or billed the month before, where that isn't known), at most 2."""
    billed = next((f for f in ("due_amt", "balance_amt") if f in w.facts), "")
    if not billed or w.months < 2:
        return []
    earlier = 0 if billed == "due_amt" else 1
    ratios = [_share_paid(f"w.payment_amt_{k}", f"w.{billed}_{k + earlier}") for k in range(w.months - 1)]
    needs = ("payment_amt", billed)
    made = [
        Feature("payment_ratio_rate", "paid over what was billed, latest month", ratios[0], needs, -1, "", "capacity")
    ]
    if w.months > 2:
        name, words = "payment_ratio_mean_rate", "paid over what was billed, mean"
        made.append(Feature(name, words, mean([f"({r})" for r in ratios]), needs, -1, "", "capacity"))
    return made


def _share_paid(paid: str, billed: str) -> str:
    known = f"{billed} > 0e0 AND {paid} IS NOT NULL"  # least() would take the 2 where the payment is missing
    return f"CASE WHEN {known} THEN least({paid} / {billed}, {MOST_PAID}) END"


def _lags(w: Window) -> list[Feature]:
    words = {
        "delay_months": ("months past due", 1, "credit_record"),
        "balance_amt": ("balance", 0, "capacity"),
        "payment_amt": ("paid", -1, "capacity"),
    }
    made = []
    for fact, lags in LATEST_LAGS.items():
        text, monotone, aspect = words[fact]
        monotone, aspect = w.directions.get(fact, monotone), w.aspects.get(fact, aspect)
        for k in [k for k in lags if w.has(fact) and k < w.months]:
            name = fact if k == 0 else fact.replace("_amt", f"_lag{k}_amt").replace("_months", f"_lag{k}_months")
            when = "in the as-of month" if k == 0 else f"{k} month{'s'[: k - 1]} before"
            unit = "month" if fact == "delay_months" else w.units.get(fact, "")
            made.append(Feature(name, f"{text} {when}", f"w.{fact}_{k}", (fact,), monotone, unit, aspect))
    return made


def _others(w: Window) -> list[Feature]:
    """Any further number of the months: its latest value and, of an amount, mean, extremes and movement."""
    made = []
    for fact in [f for f, is_number in w.facts.items() if is_number and f not in STANDARD]:
        v, unit, what = w.values(fact), w.units.get(fact, ""), w.words.get(fact) or fact
        level, aspect = w.directions.get(fact, 0), w.aspects.get(fact, "capacity")
        described = {fact: (f"{what} at the as-of month", v[0], level)}
        if fact.endswith("_amt") and w.months > 1:
            stem = fact.removesuffix("_amt")
            described[f"{stem}_mean_amt"] = (f"{what}, mean of the window", mean(v), level)
            for m in w.short():
                described[f"{stem}_max_{m}m_amt"] = (f"{what}, highest of the last {m} months", highest(v[:m]), level)
                described[f"{stem}_min_{m}m_amt"] = (f"{what}, lowest of the last {m} months", lowest(v[:m]), level)
                words = f"{what}, mean of the last {m} months minus the mean before"
                described[f"{stem}_trend_{m}m_amt"] = (words, trend(v, m), 0)  # a movement isn't a level
        made += [Feature(name, words, sql, (fact,), way, unit, aspect) for name, (words, sql, way) in described.items()]
    if w.has("due_amt"):
        unit, level, aspect = w.units.get("due_amt", ""), w.directions.get("due_amt", 0), w.aspects.get("due_amt")
        words = ("due_amt", "due in the as-of month", "w.due_amt_0", ("due_amt",))
        made.append(Feature(*words, level, unit, aspect or "capacity"))
    return made


def _age(w: Window) -> list[Feature]:
    if not w.begins:
        return []
    sql = f"CAST(s.anchor - {number_sql(f'a.{w.begins}')} AS DOUBLE)"
    return [Feature("months_on_book", "months since it began", sql, (w.begins,), 0, "month", "relationship")]
