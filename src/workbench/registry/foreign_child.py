"""The process in which a model that is code runs: it reads MLflow's folder, then answers rows with predictions."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from workbench.archive import unpack
from workbench.models.isolated import receive, send


def main() -> None:
    """Serve the process at the other end of the pipes until it closes them."""
    answers, rows = os.fdopen(os.dup(sys.stdout.fileno()), "wb"), sys.stdin.buffer
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the model prints is no answer
    with TemporaryDirectory() as folder:
        unpack(receive(rows) or b"", Path(folder))
        model: Any = None
        while (content := receive(rows)) is not None:
            try:
                model = model or _read(Path(folder))
                predicted = _predicted(model, pd.read_parquet(io.BytesIO(content)))
                send(answers, b"=" + np.asarray(predicted, dtype="<f8").tobytes())
            except Exception as e:  # noqa: BLE001 - whatever the model's code raises is told
                send(answers, f"!{type(e).__name__}: {' '.join(str(e).split())}".encode())


def _read(folder: Path) -> Any:
    """Return the model: scikit-learn's own where it is one, for its probabilities; else MLflow's function."""
    import mlflow
    import yaml

    flavors = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return mlflow.sklearn.load_model(str(folder)) if "sklearn" in flavors else mlflow.pyfunc.load_model(str(folder))


def _predicted(model: Any, X: pd.DataFrame) -> np.ndarray:
    """Return one number a row: of a classifier the probability of the event, of a table its last column."""
    out = np.asarray(model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X), dtype=float)
    return out if out.ndim == 1 else out[:, -1]


if __name__ == "__main__":
    main()
