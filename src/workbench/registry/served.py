"""What MLflow serves a registered model with: this code reads the model's JSON and runs nothing from it."""

from pathlib import Path

import mlflow
import pandas as pd

from workbench.models import scorer


class Served(mlflow.pyfunc.PythonModel):
    """Rows in; predicted, score (binary outcomes only) and grade out."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Read the model."""
        self.model = scorer.load(Path(context.artifacts["model"]))

    def predict(self, context: mlflow.pyfunc.PythonModelContext, model_input: pd.DataFrame) -> pd.DataFrame:
        """Return one row per input row: predicted, score, grade_code."""
        return self.model.scored(model_input)


mlflow.models.set_model(Served())
