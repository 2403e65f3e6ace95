"""Every picture of the customer steps, drawn of small tables with the longest words that a page has for them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.customers.stages import STAGES
from workbench.evidence import Picture
from workbench.figures import actions, conversion, customer, early_warning, events, feedback, groups, service, store

MONTHS = pd.date_range("2017-01-01", periods=24, freq="MS")
STEPS = ["application_started", "documents_complete", "credit_check", "approved", "contract_signed", "paid_out"]
KINDS = ["balance_transferred", "statement_downloaded", "newsletter_opened", "rate_page_viewed", "salary_stopped"]
PRODUCTS = ["personal_loan", "home_insurance", "term_deposit", "current_account", "credit_card"]
TENTHS = range(1, 11)


def drawn() -> dict[str, Picture]:
    """Return the pictures by `room.name`."""
    return {**_earned(), **_converted(), **_happened(), **_watched(), **_kept()}


def _share(n: int) -> dict[str, np.ndarray]:
    rate = np.linspace(0.9, 0.1, n)
    return {"rate": rate, "low": rate * 0.9, "high": rate * 1.1}


def _earned() -> dict[str, Picture]:
    cells = pd.MultiIndex.from_product(
        [["borrower", "saver", "borrower_and_saver", "payments_only"], STAGES], names=["need", "stage"]
    )
    profit = cells.to_frame(index=False).assign(profit=np.linspace(-250_000, 900_000, len(cells)))
    moved = pd.DataFrame(0.14, index=STAGES, columns=STAGES[1:]).rename_axis("stage").reset_index()
    tenths = pd.DataFrame(
        {"tenth": TENTHS, "predicted": np.linspace(0.3, -0.1, 10), "effect": np.linspace(0.2, -0.2, 10)}
    )
    tenths = tenths.assign(low=tenths["effect"] - 0.1, high=tenths["effect"] + 0.1)
    policies = pd.DataFrame(
        {"policy": ["best_offer_each", "nobody", *PRODUCTS], "value": 20.0, "low": 10.0, "high": 31.0}
    )
    share = np.linspace(0, 1, 11)
    ways = pd.DataFrame({n: share * 0.1 for n in ("settled_early", "dormant", "default", "staying", "naive")})
    qini = pd.DataFrame({"share": share, "gain": share * 0.1, "low": 0, "high": share * 0.2, "random": share * 0.05})
    ahead = pd.DataFrame(
        {"tenth": TENTHS, "predicted": np.linspace(3000, -1000, 10), "observed": 1e4 * tenths["effect"]}
    )
    ahead = ahead.assign(low=ahead["observed"] - 700, high=ahead["observed"] + 700)
    value = tenths.assign(value_at_risk=np.linspace(2e6, 1e4, 10))
    return {
        "groups.profit": groups.profit(profit, "EUR"),
        "groups.migration": groups.migration(moved),
        "groups.value": groups.value(ahead),
        "groups.policies": groups.policies(policies, "EUR"),
        "actions.incidence": actions.incidence(ways),
        "actions.value_at_risk": actions.value_at_risk(value, "EUR"),
        "actions.uplift": actions.uplift(qini, tenths),
    }


def _converted() -> dict[str, Picture]:
    n, rates = len(STEPS), _share(len(STEPS))
    steps = pd.DataFrame(
        {"step": STEPS, "of_first": rates["rate"], "first_low": rates["low"], "first_high": rates["high"]}
    )
    steps = steps.assign(declined=[0, 0, 134, 0, 0, 0], abandoned=34, silent=12)
    quarters = [f"{y}-Q{q}" for y in (2016, 2017, 2018) for q in (1, 2, 3, 4)]
    cohorts = pd.DataFrame({"cohort": [*quarters, "all"], **_share(13)}).assign(open=[0] * 11 + [9, 9])
    bridge = pd.DataFrame(
        {"segment": ["app", "branch", "telephone", "website"], "mix": 0.01, "rate": [0.04, -0.01, 0.02, 0]}
    )
    ranking = pd.DataFrame({"rows": ["rows held out", *quarters], "auc": 0.6, "low": 0.5, "high": 0.7})
    level = pd.DataFrame({"quarter": quarters, "rows": 200, **_share(12)}).assign(predicted=0.3, recalibrated=0.2)
    curve = pd.DataFrame({"converted": np.linspace(0, 0.5, 60)})
    return {
        "conversion.funnel": conversion.funnel(steps.head(n)),
        "conversion.cohorts": conversion.cohorts(cohorts),
        "conversion.time_to_convert": conversion.time_to_convert({"before the turn": curve, "after the turn": curve}),
        "conversion.bridge": conversion.bridge(bridge),
        "conversion.ranking": conversion.ranking(ranking),
        "conversion.level": conversion.level(level),
    }


def _happened() -> dict[str, Picture]:
    rates = _share(len(STEPS))
    funnel = pd.DataFrame({"step": range(1, 7), "event_kind": STEPS, "is_open": False, "reached": range(600, 0, -100)})
    funnel = funnel.assign(of_first=rates["rate"], first_low=rates["low"], first_high=rates["high"])
    arcs = pd.DataFrame({"from_kind": STEPS[:-1], "to_kind": STEPS[1:], "n": 500, "cases": 500, "median_days": 1.5})
    courses = pd.DataFrame(
        {"variant": ", ".join(s.replace("_", " ") for s in STEPS), "cases": range(90, 40, -5), "share": 0.1}
    )
    forest = pd.DataFrame({"event_kind": KINDS, "ratio": [3, 2, 1.2, 1, 0.7], "passes": [True] * 2 + [False] * 3})
    forest = forest.assign(low=forest["ratio"] * 0.7, high=forest["ratio"] * 1.4)
    grid = pd.MultiIndex.from_product([range(24193, 24217), range(24)], names=["cohort", "age"]).to_frame(index=False)
    return {
        "events.funnel": events.funnel(pd.concat([funnel, funnel.assign(is_open=True)])),
        "events.graph": events.graph(arcs, STEPS),
        "events.variants": events.variants(courses),
        "events.forest": events.forest(forest),
        "events.triangle": events.triangle(grid.assign(share=0.2)),
    }


def _watched() -> dict[str, Picture]:
    leads = pd.DataFrame({"months before": range(13), "events": range(40, 27, -1)})
    shares = np.linspace(0, 1, 20)
    before = pd.DataFrame({"months": [*range(-12, 0), np.nan], "median": 0.05, "low": 0.02, "high": 0.09})
    areas = pd.MultiIndex.from_product(
        [["region_code"], ["R1", "R2"], range(24193, 24217)], names=["column", "area", "month_no"]
    )
    rang = areas.to_frame(index=False).assign(ratio=1.2, p_value=0.5)
    rang["alarm"] = (rang["area"] == "R1") & (rang["month_no"] > 24210)
    curve = pd.DataFrame({"answered": shares, "accuracy": 1 - shares / 10, "threshold": 1 - shares})
    tables = ["customer", "account", "monthly", "feedback"]
    alarms = pd.DataFrame({"table": tables, "kind": "control total", "month": "2017-03", "rows": [1, 20, 300, 4]})
    names = [f"{m:%Y-%m}" for m in MONTHS]
    deliveries = pd.MultiIndex.from_product([tables, names], names=["table", "month"]).to_frame(index=False)
    late = pd.DataFrame({"month": names, "late_rows": 2000, "corrected_rows": 900})
    return {
        "early_warning.lead": early_warning.lead(leads, 3.0),
        "early_warning.gains": early_warning.gains(
            pd.DataFrame({"share": shares, "score": shares, "both": shares}), 0.1, 0.5
        ),
        "early_warning.trajectory": early_warning.trajectory(before),
        "early_warning.areas": early_warning.areas(rang),
        "service.answer_or_hand_over": service.answer_or_hand_over(curve, 0.5, 0.98),
        "service.by_month": service.by_month(dict.fromkeys(names, 0.2), 0.15),
        "store.alarms": store.alarms(alarms, names, tables),
        "store.freshness": store.freshness(deliveries.assign(days=4), 8),
        "store.corrections": store.corrections(late),
    }


def _kept() -> dict[str, Picture]:
    scores = pd.DataFrame(
        {"month": MONTHS, "weighted": 20.0, "naive": 30.0, "low": 10.0, "high": 35.0, "marked": False}
    )
    drivers = pd.DataFrame(
        {"attribute": ["months since a complaint", "number of products held"], "effect": [0.5, -0.2]}
    )
    trends = pd.DataFrame({"months": np.arange(-10.5, 12, 3), "its": 7.0, "others": 8.0})
    days = pd.bdate_range("2019-01-01", periods=20).strftime("%Y-%m-%d")
    blocks = ["basic facts", "credit record", "income", "capacity to repay", "behaviour", "products and value"]
    tags = pd.DataFrame({"block": np.repeat(blocks, 8), "coverage": np.tile(np.linspace(0.1, 1, 8), 6)})
    months = pd.DataFrame({"month": MONTHS, "balance_amt": 14_000.0, "deposit_amt": 900.0, "inflow_amt": 2_400.0})
    happened = pd.DataFrame({"event_kind": KINDS * 4, "happened_at": MONTHS[:20]})
    can = pd.DataFrame({"burden": np.repeat(np.linspace(0.02, 1.1, 12), 20)})
    return {
        "feedback.scores": feedback.scores(scores),
        "feedback.drivers": feedback.drivers(drivers.assign(low=drivers["effect"] - 0.1, high=drivers["effect"] + 0.1)),
        "feedback.trends": feedback.trends(trends, "current_account"),
        "feedback.calendar": feedback.calendar(pd.DataFrame({"due_on": np.repeat(days, 3)})),
        "customer.coverage": customer.coverage(tags),
        "customer.story": customer.story(months.assign(delay_months=1), happened, tuple(KINDS)),
        "customer.capacity": customer.capacity(can.assign(**{"burden under stress": can["burden"] * 1.25}), 0.55),
    }
