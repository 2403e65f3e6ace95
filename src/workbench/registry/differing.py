"""What differs between two versions: inputs, points, parameters, figures, and for whom: grades and approvals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench import tables
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

    Columns: what (input, points, parameter, model, figure, customers), name, first, second. Customers are the rows that
    both versions have scored (`_customers`). `UserError` where the registry doesn't hold one, or its files are gone.
    """
    import pandas as pd

    held = [registered.one(*v) for v in (first, second)]
    sides = [_facts(r) for r in held]
    rows = []
    for what in sides[0]:
        a, b = (side[what] for side in sides)
        rows += [(what, n, _shown(a.get(n)), _shown(b.get(n))) for n in dict.fromkeys([*a, *b]) if a.get(n) != b.get(n)]
    return pd.DataFrame([*rows, *_customers(*held)], columns=list(COLUMNS))


def _customers(first: Registered, second: Registered) -> list[tuple[str, str, str, str]]:
    """Return what the second version would change for the rows both have scored: grades, and who stays below a cut-off.

    Cut-offs are the edges of the first version's grades: of whom a prediction stays at most there.
    """
    scored = [_scores(r) for r in (first, second)]
    if any(s is None for s in scored):
        return []
    both = scored[0].join(scored[1], how="inner", lsuffix="_first", rsuffix="_second")
    if both.empty:
        return []
    a, b = both["grade_code_first"], both["grade_code_second"]
    share = f"of {len(both):,} rows that both have scored"
    rows = [("customers", f"another grade, {share}", "", f"{(a != b).mean():.2%}")]
    rows += [
        ("customers", f"a {w} grade, {share}", "", f"{m.mean():.2%}") for w, m in (("higher", b > a), ("lower", b < a))
    ]
    for edge in _model(first).grades.edges:
        below = [f"{(both[f'predicted_{side}'] <= edge).mean():.2%}" for side in ("first", "second")]
        rows.append(("customers", f"predicted at most {edge:.4g}", *below))
    return rows


def _scores(r: Registered) -> pd.DataFrame | None:
    """Return what the version's run predicted, by entity and day; None where it left no such table, or that is gone."""
    import pandas as pd

    record = r.record
    for name, entry in record.tables.items() if record else ():
        if name.startswith("mart__scores_") and tables.stands(record.key, name, entry["digest"]):
            table = pd.read_parquet(tables.at_rest(record.key, name, entry["digest"]))
            return table.set_index(["entity_id", "as_of_date"])[["predicted", "grade_code"]]
    return None


def _facts(r: Registered) -> dict[str, Mapping[str, Any]]:
    record, model = r.record, _model(r)
    return {
        "input": {n: words.get("description", "") or n for n, words in model.features.items()},
        "points": _points(model),
        "parameter": _parameters(r),
        "model": {"kind": model.kind, "grades": list(model.grades.edges), **vars(model.calibration)},
        "figure": dict(record.figures) if record else {},
    }


def _model(r: Registered) -> Scorer:
    file = registered.model_file(r)
    if not file.exists():
        raise UserError(f"{r.name}: its model file is gone; `workbench audit`")
    entries = r.record.models.values() if r.record else ()
    digest = next((e["digest"] for e in entries if (e["name"], e["version"]) == (r.model, r.version)), "")
    return scorer.load(file, digest)


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
