"""What a run says, as blocks of a document: its answers with table and picture, its figures, what it was told."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from workbench.evidence import Evidence, card, table
from workbench.registry import runs
from workbench.registry.recorded import Recorded
from workbench.reporting import cells
from workbench.reporting.document import Answer, Row, Rows
from workbench.words import Text, say


def source(run: Recorded, key: str) -> str:
    """Return how a place in a run is named beside what was read there: `6683930f · holdout`."""
    return f"{run.record.run_id[:8]} · {key or 'record'}"


def answers(run: Recorded, keys: Collection[str]) -> dict[str, Answer]:
    """Return a run's answers of these keys, each with its table and picture where the run has left them."""
    shown = {content["key"]: content for content in _shown(run)}
    return {key: _answer(run, e, shown.get(key)) for key, e in run.evidence.items() if key in keys}


def _shown(run: Recorded) -> Iterator[dict[str, Any]]:
    for cell in cells.read(run.file("notebook.ipynb"))["cells"]:
        for output in cell.get("outputs", []):
            if card.MIME in output.get("data", {}):
                yield output["data"][card.MIME]


def _answer(run: Recorded, e: Evidence, content: dict[str, Any] | None) -> Answer:
    where = source(run, e.key)
    if content:
        return Answer(Evidence.from_record(content), where, (content.get("table") or {}).get("n", 0))
    return Answer(Evidence.from_record({**e.record(), "table": _table(run, e.key)}), where)


def _table(run: Recorded, key: str) -> dict[str, Any] | None:
    """Return the table of an answer that the notebook didn't show, from the file it was left in."""
    name = f"evidence/{key}.csv"
    return table.to_json(pd.read_csv(run.file(name))) if name in run.record.files else None


def cards(run: Recorded | None, step: str, *keys: str) -> list[Answer | Rows]:
    """Return a run's answers of these keys, in this order, and for each that isn't there why."""
    if run is None:
        return [Rows(tuple(Row("", say(k.replace("_", " ")), absent=no_run(step)) for k in keys))]
    there = answers(run, keys)
    why = say("the step {step} left no such answer", step=run.record.step)
    absent = [k for k in keys if k not in there]
    missing = tuple(Row("", say(k.replace("_", " ")), source(run, ""), absent=why) for k in absent)
    return [*(there[k] for k in keys if k in there), *([Rows(missing)] if missing else [])]


def no_run(step: str) -> Text:
    """Say that no run of a step speaks of the version."""
    return say("no run of {step} speaks of this version", step=step)


def figure(run: Recorded | None, key: str, name: str, what: Text, form: str = "{v:.4f}") -> Row:
    """Return a figure that a run has logged as an item, with its run and key."""
    value = run.record.figures.get(name) if run else None
    return Row(key, what, say(form, v=value) if value is not None else "", source(run, name) if run else "")


def parameters(run: Recorded | None) -> dict[str, Any]:
    """Return what a step was told (`params.json`); nothing where there is no run."""
    return json.loads(run.file("params.json").read_text(encoding="utf-8")) if run else {}


def facts(run: Recorded | None) -> dict[str, str]:
    """Return a run's parameters in MLflow: digests, commit, account."""
    return runs.params(run.record.run_id) if run else {}


def day_of(run: Recorded) -> str:
    """Return the day on which a run began, UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime(run.record.start))
