"""What differs between two versions: inputs, points, parameters, grades, recorded figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.models import scorer
from workbench.models.scorer import Scorer
from workbench.params import UserError
from workbench.registry import registered, runs
from workbench.registry.registered import Registered

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("what", "name", "first", "second")


def versions(first: tuple[str, str], second: tuple[str, str]) -> pd.DataFrame:
    """Return a row for everything that differs between two versions, each given as (model, version).

    Columns: what (input, points, parameter, model, figure), name, first, second. `UserError` where the registry doesn't
    hold one, or its files are gone.
    """
    import pandas as pd

    sides = [_facts(registered.one(*v)) for v in (first, second)]
    rows = []
    for what in sides[0]:
        a, b = (side[what] for side in sides)
        rows += [(what, n, _shown(a.get(n)), _shown(b.get(n))) for n in dict.fromkeys([*a, *b]) if a.get(n) != b.get(n)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _facts(r: Registered) -> dict[str, Mapping[str, Any]]:
    file = registered.folder(r) / "artifacts" / scorer.FILE
    if not file.exists():
        raise UserError(f"{r.name}: its model file is gone; `workbench audit`")
    record = r.record
    entries = record.models.values() if record else ()
    digest = next((e["digest"] for e in entries if (e["name"], e["version"]) == (r.model, r.version)), "")
    model = scorer.load(file, digest)
    return {
        "input": {n: words.get("description", "") or n for n, words in model.features.items()},
        "points": _points(model),
        "parameter": _parameters(r),
        "model": {"kind": model.kind, "grades": list(model.grades.edges), **vars(model.calibration)},
        "figure": dict(record.figures) if record else {},
    }


def _points(model: Scorer) -> dict[str, Any]:
    """Return the points of every bin where the model has points, nothing of another kind."""
    if not hasattr(model.estimator, "points_table"):
        return {}
    rows = model.estimator.points_table().to_dict("records")
    return {f"{row['characteristic']}, {row['bin']}": row["points"] for row in rows}


def _parameters(r: Registered) -> dict[str, Any]:
    try:
        return json.loads(runs.fetch(r.run_id, "params.json").read_text(encoding="utf-8"))
    except Exception:  # noqa: BLE001 - whatever the artifact store raises: a run without its parameters has none to show
        return {}


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
