"""The desk of a study, opened: its model as MLflow serves it, the texts its step was run with, customers' records."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from workbench import home, pseudonyms
from workbench.actions import approved, service
from workbench.actions.desk import Desk
from workbench.models.intents import QUESTION
from workbench.models.scorer import Scorer
from workbench.params import ONCE, UserError, from_yaml
from workbench.registry import serving

STEP = "actions/service"


def opened(study: str, is_trial: bool, records: Path | None) -> tuple[Desk, str]:
    """Return the desk, and what its page says of it.

    `UserError` where the study has no such step, its model no champion (but for a trial), or a file can't be read.
    """
    p = parameters(study)
    pyfunc = serving.trial(p.key, p.model) if is_trial else serving.champion(f"{study}.{p.model}")
    model: Scorer = pyfunc.unwrap_python_model().model
    pyfunc.predict(
        pd.DataFrame({QUESTION: [service.EXAMPLES[0]]})
    )  # reads the encoder: the first customer doesn't wait
    table = records_of(records or (approved.DATA / "records.csv" if is_trial else None))
    desk = Desk(
        scored=pyfunc.predict,
        answers_from=float(model.facts["answers_from"]),
        texts=approved.load(service.files(p)[2]),
        records=table,
        key=pseudonyms.key(home.mlruns()),
        folder=home.mlruns() / "desk" / study,
    )
    return desk, "Trial: this model is not approved. 试用：该模型尚未批准。" if is_trial else ""


def parameters(study: str) -> service.Params:
    """Return what the step of a study was run with; `UserError` where the study has none."""
    path = home.root() / "params" / f"{study}.yaml"
    if not path.is_file():
        raise UserError(f"desk: no study '{study[:80]}' in params/; `workbench desk service_desk --trial`")
    steps = from_yaml(path.read_text(encoding="utf-8"), path.name).get("steps", {})
    if STEP not in steps:
        raise UserError(f"desk: {path.name} has no step {STEP}; `workbench desk service_desk --trial`")
    return service.Params(**{"study": study, "period": ONCE, **(steps[STEP] or {})})


def records_of(path: Path | None) -> pd.DataFrame:
    """Return customers' own records, one row each; none where there is no file. `UserError` for a file that is none."""
    if path is None:
        return pd.DataFrame({"entity_id": pd.Series(dtype=str)})
    try:
        table = pd.read_csv(path, dtype=str)
    except (OSError, ValueError):
        raise UserError(f"desk: {path.name}: no CSV that can be read; give entity_id and the texts' columns") from None
    if "entity_id" not in table or table["entity_id"].duplicated().any():
        raise UserError(f"desk: {path.name}: one row per customer, by the column entity_id")
    return table
