"""Pictures of events: each draws what it is given, and an empty table too."""

import pandas as pd

from workbench.figures import events as pictures

ARCS = pd.DataFrame(
    {
        "from_kind": ["a", "b", "b", "a", "c"],
        "to_kind": ["b", "a", "b", "c", "d"],
        "n": [9, 2, 1, 4, 3],
        "median_days": 1.5,
    }
)


def words(figure):
    return " ".join(t.get_text() for ax in figure.axes for t in ax.texts)


def test_the_graph_names_every_arc():
    figure = pictures.graph(ARCS, ["a", "b"]).figure()
    for n in ARCS["n"]:
        assert f"{n} · 1.5 d" in words(figure)
    assert len(figure.axes[0].patches) == len(ARCS)


def test_the_funnel_draws_open_cohorts_beside_the_closed():
    rows = pd.DataFrame(
        {
            "is_open": [False, False, True, True],
            "step": [1, 2, 1, 2],
            "event_kind": list("abab"),
            "reached": [1000, 400, 7, 3],
            "of_first": [1, 0.4, 1, 3 / 7],
            "first_low": [1, 0.3, 1, 0.1],
            "first_high": [1, 0.5, 1, 0.8],
        }
    )
    figure = pictures.funnel(rows).figure()
    assert [t in words(figure) for t in ("1,000", "400", "7", "3")] == [True] * 4
    assert len(figure.axes[0].patches) == 4


def test_the_forest_leaves_out_what_was_not_judged():
    rows = pd.DataFrame(
        {
            "event_kind": ["a", "b"],
            "ratio": [2.0, float("nan")],
            "low": [1.5, float("nan")],
            "high": [2.6, float("nan")],
            "passes": [True, False],
        }
    )
    assert [t.get_text() for t in pictures.forest(rows).figure().axes[0].get_yticklabels()] == ["a"]


def test_of_no_arcs_no_graph_is_drawn():
    assert len(pictures.graph(ARCS.head(0), ["a"]).figure().axes[0].patches) == 0
