"""What MLflow serves a registered model with: this code reads the model's JSON and runs nothing from it."""

from pathlib import Path

import mlflow
import pandas as pd

from workbench.models import scorer
from workbench.registry import serving


class Served(mlflow.pyfunc.PythonModel):
    """Rows in; predicted, score (binary outcomes only) and grade out."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Read the model, and say where it is loaded as a champion that it isn't."""
        file = Path(context.artifacts["model"])
        self.model = scorer.load(file)
        serving.tell_of_wrong_alias(file.parent.parent)

    def predict(self, context: mlflow.pyfunc.PythonModelContext, model_input: pd.DataFrame) -> pd.DataFrame:
        """Return one row per input row: predicted, score, grade_code."""
        return self.model.scored(model_input)


mlflow.models.set_model(Served())
