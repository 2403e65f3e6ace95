"""A model made elsewhere becomes part of a study: two steps are added to its file, adoption and validation."""

from __future__ import annotations

import json
from pathlib import Path

from workbench import tables
from workbench.params import UserError
from workbench.registry import adoption, registered
from workbench.runs import study

BATTERY = "validation/battery"
ADOPTION = "registry/adoption"


def add(path: Path, source: str, panel: str, model: str, runs_code: str = "") -> list[str]:
    """Add adoption and validation of a model to a study's file and return the steps' names.

    The file gets lines at its end and is otherwise as it was; `UserError` where it already has such a model, where the
    registry has no such version, or where the study wouldn't stand.
    """
    before = study.load(path)
    values = {"source": source, "panel": panel, "model": model} | ({"runs_code": runs_code} if runs_code else {})
    p = adoption.Params.checked({**values, "study": path.stem}, "adopt")
    registered.one(*adoption.named(p))
    if taken := [s.name for s in before.steps if tables.of_model(model) in s.writes]:
        raise UserError(f"{path.name}: '{taken[0]}' makes model '{model}' already; name another with --model")
    steps = {f"{ADOPTION}@{model}": values, f"{BATTERY}@{model}": {"panel": panel, "model": model}}
    text = path.read_text(encoding="utf-8")
    more = "".join(f"  {name}: {json.dumps(v, ensure_ascii=False)}\n" for name, v in steps.items())
    path.write_text(text.rstrip("\n") + "\n" + more, encoding="utf-8")
    try:
        study.load(path)
    except UserError:
        path.write_text(text, encoding="utf-8")
        raise UserError(f"{path.name}: `steps:` isn't the last thing in it; add these to it by hand: {more}") from None
    return list(steps)
