"""Evidently's view of the same periods: drift of data and prediction, summary, performance, on the frozen bins."""

from __future__ import annotations

import html
import os
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.models.scorer import Scorer
from workbench.monitoring import drift as shifts
from workbench.words import names as column_names

os.environ.setdefault("EVIDENTLY_DISABLE_TELEMETRY", "1")
# JSON. It holds what the page's script does, and like it no text to read for personal data: labels of bins, which stand
# in the evidence, too, and hundreds of random numbers that look like somebody's.
SNAPSHOT = ".snapshot"
ROWS = 5_000  # of either side: Evidently's time grows with rows, its PSI on shares does not

# Evidently's pages are programs: their own scripts draw, but nothing is asked for or sent anywhere.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def policed(page: str) -> str:
    """Return Evidently's page with a policy that forbids every request and form.

    Raises `ValueError` where the page has no head to hold it.
    """
    if "<head>" not in page:
        raise ValueError("Evidently's page has no <head> for the security policy")
    return page.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{_POLICY}">', 1)


def binned(model: Scorer, rows: pd.DataFrame) -> pd.DataFrame:
    """Return every input (and the prediction) as its frozen bin's label, escaped: it may hold what customers typed.

    Evidently's own numeric PSI draws equal-width bins over both samples and is blind where banks look;
    on these labels it is the PSI of the development's bins.
    """
    columns = {html.escape(n): bins.labelled(rows[n]).map(html.escape) for n, (bins, _) in model.reference.items()}
    return pd.DataFrame(columns).reset_index(drop=True)


def _called(code: str) -> str:
    """Return what Evidently's pages call a column, escaped: by its name, with the code name in brackets."""
    words = column_names.display(code)
    same = words.casefold() == code.replace("_", " ").casefold()
    return html.escape(code if same else f"{words} ({code})")


def run(
    model: Scorer, reference: pd.DataFrame, current: pd.DataFrame, threshold: float, seed: int, page: Path | None
) -> pd.DataFrame:
    """Run Evidently for one period and return its PSI per column; write its page where `page` is given.

    reference, current: panel rows with predicted, outcome and weight. `page` is called like the period; its snapshot,
    which Evidently's own UI shows, lies beside it. A summary of the data is part of it, and performance where
    it can be told: of an event where both samples have both outcomes, of an amount or a rate where any are known.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    known = current[current["outcome"].notna()] if page else current
    sides = [shifts.sampled(rows, ROWS, seed) for rows in (reference, known)]
    if not len(sides[1]):
        sides[1] = shifts.sampled(current, ROWS, seed)
    codes = list(model.reference)
    names = [_called(n) for n in codes]
    frames = [binned(model, s).set_axis(names, axis="columns") for s in sides]
    metrics: list = [ValueDrift(column=n, method="psi", threshold=threshold) for n in names]
    if page is not None:  # the same drift of the same columns, as one table with the worst on top
        one = np.floor(1_000 / len(names)) / 1_000  # share: a single column is reason enough, as it is for the alarm
        drift = DataDriftPreset(columns=names, method="psi", threshold=threshold, drift_share=one)
        metrics = [drift, DataSummaryPreset(columns=names)]
    tasks, measures = _performance(frames, sides) if page is not None else ({}, [])
    definition = DataDefinition(categorical_columns=names, **tasks)
    data = [Dataset.from_pandas(f, data_definition=definition) for f in frames]
    when = pd.Period(page.stem.replace("-Q", "Q")).end_time.to_pydatetime() if page is not None else None
    snapshot = Report([*metrics, *measures]).run(data[1], data[0], timestamp=when)
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        snapshot.save_html(str(page))
        page.with_suffix(SNAPSHOT).write_text(snapshot.dumps(), encoding="utf-8")
        page.write_text(policed(page.read_text(encoding="utf-8")), encoding="utf-8")
    measured = {
        m["config"].get("column"): m["value"] for m in snapshot.dict()["metrics"] if "ValueDrift" in m["metric_name"]
    }
    return pd.DataFrame(
        {"feature": [html.escape(n) for n in codes], "evidently_psi": [float(measured[n]) for n in names]}
    )


def _performance(frames: list[pd.DataFrame], sides: list[pd.DataFrame]) -> tuple[dict[str, list], list]:
    """Add outcome and prediction to the frames where performance can be told; return what they are, and the presets."""
    from evidently import BinaryClassification, Regression
    from evidently.presets import ClassificationPreset, RegressionPreset

    if not all(s["outcome"].notna().all() and s["outcome"].nunique() > 1 for s in sides):
        return {}, []
    is_event = all(set(s["outcome"].unique()) == {0, 1} for s in sides)
    for frame, side in zip(frames, sides, strict=True):
        frame["outcome"] = side["outcome"].to_numpy().astype(int if is_event else float)
        frame["prediction"] = side["predicted"].to_numpy(float)
    if not is_event:
        task = Regression(target="outcome", prediction="prediction")
        return {"numerical_columns": ["outcome", "prediction"], "regression": [task]}, [RegressionPreset()]
    task = BinaryClassification(target="outcome", prediction_probas="prediction", pos_label=1)
    measures = ClassificationPreset(probas_threshold=float(np.mean(frames[0]["prediction"])))
    return {"classification": [task]}, [measures]
