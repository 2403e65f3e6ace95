"""Every picture is looked at: what its axes say, that labels stay apart and whole, and that Chinese is drawn."""

from __future__ import annotations

import functools
import importlib
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import customer_pictures
from workbench import metrics
from workbench.contracts import Outcome, Words
from workbench.evidence import Picture
from workbench.figures import (
    discrimination,
    monitoring,
    panel,
    portfolio,
    profile,
    quality,
    segments,
    theme,
    validation,
)
from workbench.models import comparison
from workbench.models.measures import measures
from workbench.validation import battery
from workbench.words import names, speaking

RNG = np.random.default_rng(1)
Y = (RNG.random(600) < 0.2).astype(float)
RISK = np.clip(0.1 + 0.2 * Y + 0.1 * RNG.standard_normal(600), 0.001, 0.999)
SUBSCRIBED = Outcome(
    name="subscribed",
    words=Words(event="subscription", events="subscriptions", rate="share subscribed", predicted="chance"),
)
PERIODS = [f"2020-{m:02d}" for m in range(1, 13)]
BINS = [
    "< 12,500",
    "12,500 to < 20,000",
    "20,000 to < 1,250,000",
    ">= 1,250,000",
    "school, university, other education",
    "missing",
]


def _rated(**columns) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    rate = np.linspace(0.02, 0.3, n)
    return pd.DataFrame({**columns, "share": 1 / n, "rate": rate, "low": rate * 0.8, "high": rate * 1.2})


def _open(performance: pd.DataFrame) -> pd.DataFrame:
    """Return performance whose last period is open and estimated."""
    shares = {"estimated_auc": 0.69, "estimated_low": 0.66, "estimated_high": 0.72, "estimated_rate": 0.025}
    last = performance.index == performance.index[-1]
    return performance.assign(**shares, separation=performance["separation"].mask(last))


def _drawn() -> dict[str, Picture]:
    curve = pd.DataFrame({"predicted": [0.01, 0.03, 0.05], "observed": [0.01, 0.03, 0.06]}).assign(low=0.005, high=0.07)
    metrics = pd.DataFrame({"candidate": ["scorecard", "boosted_trees"], "auc": [0.7, 0.75]})
    metrics = metrics.assign(auc_low=metrics["auc"] - 0.02, auc_high=metrics["auc"] + 0.02)
    woe = pd.DataFrame({"bin": BINS, "n": 10, "bad_rate": np.linspace(0.1, 0.3, 6), "woe": np.linspace(1, -1, 6)})
    drift = pd.DataFrame(itertools.product(["limit_amt", "age_years"], PERIODS), columns=["feature", "period"])
    moved = pd.DataFrame({"feature": ["limit_amt", "age_years"], "change": [0.004, -0.001]})
    arrears = pd.DataFrame({"month": PERIODS, "known": 4000, "late_1": 400, "late_2": 240, "late_3": 130})
    rolls = pd.DataFrame(itertools.product(PERIODS, range(3)), columns=["month", "bucket"]).assign(roll_rate=0.4)
    months = pd.date_range("2005-04-01", periods=6, freq="MS")
    performance = pd.DataFrame({"period": PERIODS, "separation": 0.7, "ks": 0.4, "observed": 0.02, "expected": 0.021})
    for name in ("separation", "observed"):
        performance = performance.assign(
            **{f"{name}_low": performance[name] * 0.9, f"{name}_high": performance[name] * 1.1}
        )
    dated = _rated(as_of_date=months, sample=["development"] * 4 + ["monitoring"] * 2).assign(n=100)
    rated = _rated(segment=[f"group {i}" for i in range(1, 5)]).assign(predicted=0.1)
    cells = _rated(risk=["low", "very_high"] * 2, need=["revolver"] * 2 + ["transactor"] * 2)
    return {
        "roc_gains_lift": discrimination.roc_gains_lift(Y, {"scorecard": RISK, "tree": RISK**2}, np.ones(600), SUBSCRIBED),
        "ks": discrimination.ks(Y, 600 - 100 * RISK, np.ones(600), SUBSCRIBED),
        "calibration": discrimination.calibration({"scorecard": curve, "tree": curve}, SUBSCRIBED),
        "intervals": discrimination.intervals(metrics, {"auc": measures(SUBSCRIBED)["auc"].label}),
        "information_value": discrimination.information_value(
            pd.DataFrame({"feature": [f"feature_{i}_rate" for i in range(20)], "iv": np.linspace(0, 1, 20)})
        ),
        "woe": discrimination.woe({"limit_amt": woe, "age_years": woe, "sex_code": woe}, SUBSCRIBED),
        "heat_map": monitoring.heat_map(drift.assign(psi=0.123), 0.1, 0.25),
        "performance": monitoring.performance(performance, 0.72, SUBSCRIBED),
        "mix": monitoring.grades(pd.DataFrame(0.25, index=PERIODS, columns=list("ABCD"))),
        "timeline": monitoring.timeline(
            pd.DataFrame({"kind": "drift", "subject": ["limit_amt", "auc"], "period": PERIODS[:2], "light": ["red", "amber"]}),
            PERIODS,
        ),
        "migration": monitoring.migration(pd.DataFrame({"period": PERIODS, "better": 0.08, "worse": 0.11})),
        "causes": monitoring.causes(moved, moved.assign(change=[-0.05, 0.01]), SUBSCRIBED),
        "estimated": monitoring.performance(_open(performance), 0.72, SUBSCRIBED),
        "size": portfolio.size(pd.DataFrame({"month": PERIODS, "balance": 6e7, "new_amt": 1e6}), "EUR"),
        "arrears": portfolio.arrears(arrears, rolls),
        "health": portfolio.health({"pd": dict.fromkeys(("separation", "observed", "expected"), dict.fromkeys(PERIODS, 0.7))}),
        "windows": panel.windows(pd.DatetimeIndex(months), 3, 2),
        "outcome_rate": panel.outcome_rate(dated, SUBSCRIBED),
        "one_date": panel.outcome_rate(dated.iloc[[0, 4]].assign(as_of_date=months[0]), SUBSCRIBED),
        "book": profile.groups({"limit_amt": _rated(group=BINS), "age_years": _rated(group=BINS)}, "size", SUBSCRIBED),
        "status_mix": profile.status_mix(pd.DataFrame({"none": 0.9, "1 month": 0.06, "3 or more": 0.04}, index=months)),
        "time_line": profile.time_line(
            pd.DataFrame({"month": months, "balance_amt": 52_000.0, "payment_amt": 2_000.0, "delay_months": [0, 0, 1, 2, 0, 0]})
        ),
        "standing": profile.standing(
            pd.DataFrame({"column": [f"column_{i}" for i in range(12)], "percentile": 50.0, "value": "1,234", "monotone": 1})
        ),
        "quality": quality.heat_map(
            pd.DataFrame({"table": "bank", "column": [f"column_{i}" for i in range(9)], "completeness": 0.9, "validity": 1.0}),
            ["completeness", "validity"],
        ),
        "leakage": quality.leakage(
            pd.DataFrame({"column": ["limit_amt", "age_years"], quality.ALONE: [0.7, 0.52], "suspect": [True, False]})
        ),
        "number_of_groups": segments.number_of_groups(
            pd.DataFrame({"k": range(2, 7), "stability": 0.8, "stability_min": 0.7, "silhouette": 0.3}), 4, 0.75
        ),
        "scatter": segments.scatter(RNG.standard_normal((300, 3)), np.repeat([0, 1, 2], 100)),
        "portraits": segments.portraits(rated, SUBSCRIBED),
        "matrix": segments.matrix(cells.assign(lane="automatic", interest_rate=0.1), SUBSCRIBED),
        "policy_effect": segments.policy_effect(
            pd.DataFrame({"what": ["volume", "income after loss"], "as is": [5e7, -2e5], "with policies": [6e7, 3e4], "change": 0.2})
        ),
        "tiles": validation.tiles(
            pd.DataFrame({"family": ["discrimination"] * 6, "name": ["psi_characteristics"] * 6, "light": ["green", "amber"] * 3})
        ),
        "grades": validation.grades(
            pd.DataFrame({"grade": list("ABC"), "predicted": [0.01, 0.02, 0.03], "observed": 0.02, "low": 0.01, "high": 0.04}),
            SUBSCRIBED,
        ),
        "bars": validation.bars(
            pd.DataFrame({"input": ["limit_amt", "age_years"], "grade jumps": [0.1, 0.02]}), "input", "grade jumps", "Customers"
        ),
        "groups": validation.groups(
            pd.DataFrame({"column": "sex_code", "group": ["male", "female"], "ratio": [1, 0.7], "observed": 0.2, "predicted": 0.21}),
            0.8,
            SUBSCRIBED,
        ),
    }  # fmt: skip


CUSTOMER = customer_pictures.drawn()
PICTURES = _drawn() | CUSTOMER
CHINESE = 4  # every fourth picture in Chinese, too; all of them by `make whole`
DRAWN_IN = [
    pytest.param(name, spoken, marks=pytest.mark.whole if spoken != "en" and n % CHINESE else ())
    for n, name in enumerate(PICTURES)
    for spoken in ("en", "zh_CN")
]


def test_where_no_alarm_rang_a_sentence_says_so_and_nothing_is_drawn():
    nothing = pd.DataFrame(columns=["kind", "subject", "period", "light"])
    assert str(monitoring.timeline(nothing, PERIODS)) == "The alarm never rang."


def test_measures_are_titled_by_their_labels():
    columns = {m: [0.7] for m in ("auc", "ks", "brier", "slope", "intercept")}
    table = pd.DataFrame({"candidate": ["tree"], **columns})
    table = table.assign(**{f"{m}_{end}": table[m] for m in columns for end in ("low", "high")})
    figure = discrimination.intervals(table, comparison.pictured(SUBSCRIBED)).figure()
    assert [ax.get_title(loc="left") or ax.get_title() for ax in figure.axes] == [
        "AUC", "KS", "Brier score", "slope", "intercept",
    ]  # fmt: skip


@pytest.mark.parametrize("room", sorted({name.partition(".")[0] for name in CUSTOMER}))
def test_every_picture_of_a_customer_step_is_on_its_page(room):
    module = importlib.import_module(f"workbench.figures.{room}")
    drawn = {n for n, f in vars(module).items() if hasattr(f, "__wrapped__") and f.__module__ == module.__name__}
    notebooks = Path(__file__).parents[2] / "notebooks"
    shown = "".join(p.read_text(encoding="utf-8") for p in notebooks.glob("*/*.ipynb"))
    assert drawn and {n for n in drawn if f"pictures.{n}(" not in shown} == set()


def test_every_picture_of_the_house_is_looked_at():
    folder = Path(theme.__file__).parent
    pictures = set()
    for path in folder.glob("*.py"):
        module = importlib.import_module(f"workbench.figures.{path.stem}") if path.stem != "__init__" else None
        pictures |= (
            {
                f"{path.stem}.{n}"
                for n, f in vars(module).items()
                if hasattr(f, "__wrapped__")
                and f.__module__ == module.__name__
                and not hasattr(f, "cache_info")
                and n != "house"
            }
            if module
            else set()
        )
    made = {p._draw.func for p in PICTURES.values()}
    assert len(pictures) == len(made) and pictures


@functools.cache
def _laid_out(name: str, spoken: str) -> Figure:
    """Return a figure laid out, once for all that look at it; a warning on the way is an error, as in every test."""
    with (
        speaking(spoken),
        names.knowing({"limit_amt": "credit granted", "age_years": "age"}),
        theme.house(),
    ):
        figure = PICTURES[name].figure()
        if spoken == "en":
            figure.draw_without_rendering()
        else:  # lines and areas are the same, and drawn already: what differs are texts, and where they make room
            figure.get_layout_engine().execute(figure)
            renderer = FigureCanvasAgg(figure).get_renderer()
            for text in figure.findobj(Text):
                text.get_window_extent(renderer)
    return figure


@pytest.mark.parametrize(("name", "spoken"), DRAWN_IN)
def test_labels_stay_apart_and_every_glyph_is_there(name, spoken):
    figure = _laid_out(name, spoken)
    titles = [figure.get_suptitle(), *(ax.get_title(loc="left") or ax.get_title() for ax in figure.axes)]
    assert any(titles), "what is said to those who can't see it"
    with speaking(spoken), theme.house():
        renderer = FigureCanvasAgg(figure).get_renderer()
        for ax in figure.axes:
            for axis in filter(lambda a: a.get_visible(), (ax.xaxis, ax.yaxis)):
                shown = [t for t in axis.get_ticklabels() if t.get_visible() and t.get_text()]
                low, high = sorted(axis.get_view_interval())
                inside = [t for t in shown if low - 1e-9 <= _at(t, axis) <= high + 1e-9]
                upright = [t for t in inside if not t.get_rotation()]
                boxes = [t.get_window_extent(renderer) for t in upright]
                for a, b in itertools.pairwise(boxes):
                    assert not a.padded(-1).overlaps(b.padded(-1)), (name, [t.get_text() for t in upright])


def _at(label, axis) -> float:
    return label.get_position()[0 if axis.axis_name == "x" else 1]


@pytest.mark.parametrize("name", PICTURES)
def test_no_two_ticks_of_an_axis_read_alike(name):
    """`2 % 2 % 2 % 3 %` says less than no axis at all."""
    for ax in _laid_out(name, "en").axes:
        for axis in (ax.xaxis, ax.yaxis):
            shown = [t.get_text() for t in axis.get_ticklabels() if t.get_text()]
            if axis.get_major_formatter().__class__.__name__ == "_Numbers":
                assert len(set(shown)) == len(shown), shown
                assert not any("e+" in t or "k" in t or "M" in t for t in shown)


@pytest.mark.parametrize("spoken", ["en", "zh_CN"])
def test_every_tile_holds_its_name(spoken):
    tests = battery.tests("binary")
    rows = pd.DataFrame({"family": [battery.family(n) for n in tests], "name": list(tests), "light": "green"})
    with speaking(spoken), theme.house():
        figure = validation.tiles(rows).figure()
        figure.draw_without_rendering()
        (ax,) = figure.axes
        for tile, name in zip(ax.patches, ax.texts, strict=True):
            box, held = tile.get_window_extent(), name.get_window_extent()
            assert box.x0 < held.x0 and held.x1 < box.x1 and box.height > held.height, name.get_text()


@pytest.mark.parametrize("most", [0.1, 0.45, 0.9, 2.5])
def test_the_names_of_the_limits_of_information_value_stay_within_and_apart(most):
    with theme.house():
        table = pd.DataFrame({"feature": [f"feature_{i}" for i in range(8)], "iv": np.linspace(0, most, 8)})
        figure = discrimination.information_value(table).figure()
        figure.draw_without_rendering()
        (ax,) = figure.axes
        useless, suspicious = (t.get_window_extent() for t in ax.texts)
    assert suspicious.x1 <= ax.get_window_extent().x1 and useless.x1 < suspicious.x0


def test_the_axis_of_a_score_speaks_of_the_outcome():
    favourable = SUBSCRIBED.model_copy(update={"direction": "favourable"})
    for outcome, english, chinese in (
        (Outcome(), "score (higher: fewer defaults)", "评分（越高，违约越少）"),
        (favourable, "score (higher: more subscriptions)", "评分（越高，认购越多）"),
    ):
        shown = discrimination.ks(Y, 600 - 100 * RISK, np.ones(600), outcome)
        assert shown.figure().axes[0].get_xlabel() == english
        with speaking("zh_CN"):
            assert shown.figure().axes[0].get_xlabel().replace(" ", "") == chinese


@pytest.mark.parametrize(
    ("direction", "sign", "colours"),
    [("adverse", -1, [theme.GREEN, theme.RED]), ("favourable", 1, [theme.RED, theme.GREEN])],
)
def test_the_ks_drawn_is_the_ks_measured_and_red_is_what_nobody_wants(direction, sign, colours):
    outcome, score = SUBSCRIBED.model_copy(update={"direction": direction}), 600 + sign * 100 * RISK
    density, cumulated = discrimination.ks(Y, score, np.ones(600), outcome).figure().axes
    assert [t.get_text() for t in cumulated.texts] == [f"KS {metrics.ks(Y, score):.3f}"]
    assert metrics.ks(Y, score) > 0.5 and [line.get_color() for line in cumulated.lines] == colours
    labels = [h.get_label() for h in density.get_legend_handles_labels()[0]]
    assert labels == [str(outcome.negative), str(outcome.positive)]
    assert [to_hex(h.patches[0].get_facecolor()) for h in density.containers] == [to_hex(c) for c in colours]


def test_bin_labels_are_whole():
    figure = PICTURES["woe"].figure()
    shown = [t.get_text().replace("\n", " ") for t in figure.axes[0].get_xticklabels()]
    assert shown == BINS


def test_pictures_speak_of_the_outcome_asked_for():
    for name in (n for n in PICTURES if n not in CUSTOMER):  # these speak of default itself
        texts = " ".join(str(t.get_text()) for t in _laid_out(name, "en").findobj(theme.plt.Text))
        assert "default" not in texts.casefold() and " PD" not in texts, name
    labels = [ax.get_ylabel() for ax in _laid_out("woe", "en").axes]
    assert "share subscribed" in labels


def test_columns_are_called_by_their_contract():
    with names.knowing({"limit_amt": "credit granted, the customer's"}):
        figure = PICTURES["leakage"].figure()
        assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["age years", "credit granted"]


def test_pictures_of_values_say_the_unit():
    with names.knowing({"limit_amt": "credit granted"}, {"limit_amt": "TWD"}):
        titles = [ax.get_title(loc="left") or ax.get_title() for ax in PICTURES["woe"].figure().axes]
    assert any("credit granted (TWD)" in t.replace("\n", " ") for t in titles), titles


def test_a_gain_from_a_loss_is_an_amount_not_a_percentage():
    titles = [ax.get_title(loc="left") for ax in PICTURES["policy_effect"].figure().axes]
    assert titles == ["volume\n+20.0%", "income after loss\n+230,000"]


def test_a_picture_is_the_same_bytes_every_time_and_light():
    def again():
        return discrimination.ks(Y, 600 - 100 * RISK, np.ones(600)).drawn()

    first = again()
    assert first == again()
    assert (
        first.mime == "image/svg+xml"
        and len(first.data) < 250_000
        and first.alt == "Score distribution; Cumulated shares"
    )
    assert PICTURES["scatter"].drawn().file()[1]


def test_a_model_watched_by_quarter_and_one_by_month_share_an_axis_of_time():
    quarters, months = ("2023-Q1", "2023-Q3"), ("2023-07", "2023-09", "2023-11")
    series = {"pd": {"separation": dict.fromkeys(quarters, 0.7)}, "b": {"separation": dict.fromkeys(months, 0.8)}}
    power = portfolio.health(series).figure().axes[0]
    assert [label.get_text() for label in power.get_xticklabels()] == ["2023-Q1", "2023-07", "2023-09", "2023-11"]
    by_quarter, by_month = (list(line.get_xdata()) for line in power.get_lines())
    assert by_quarter[1] == by_month[1] and [x - by_quarter[0] for x in by_month] == [4, 6, 8]


def test_this_machine_draws_chinese():
    assert theme.cjk_font() == "Noto Sans CJK SC"
