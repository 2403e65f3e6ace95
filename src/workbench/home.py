"""Where runs leave what they make: `mlruns/` (tables, MLflow store, keys) and `reports/`."""

from __future__ import annotations

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]  # the repository, where the package runs from it


def root() -> Path:
    """Return the workbench's folder: `WORKBENCH_HOME`, else the nearest upward with `params/`, the repository, here."""
    if given := os.environ.get("WORKBENCH_HOME"):
        return Path(given).resolve()
    here = Path.cwd().resolve()
    return next(
        (p for p in (here, *here.parents, _CHECKOUT) if (p / "params").is_dir() and (p / "notebooks").is_dir()), here
    )


def mlruns() -> Path:
    """Return `mlruns/`: the MLflow store, its artifacts and the tables of the studies."""
    return root() / "mlruns"


def reports() -> Path:
    """Return `reports/`: the pages people read."""
    return root() / "reports"
