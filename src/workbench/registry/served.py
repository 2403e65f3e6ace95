"""What MLflow serves a registered PD model with: this code reads the model's JSON and runs nothing from it."""

from pathlib import Path

import mlflow
import pandas as pd

from workbench.models import pd_model


class ServedPd(mlflow.pyfunc.PythonModel):
    """Rows in; pd (0-1), score and grade out."""

    def load_context(self, context: mlflow.pyfunc.PythonModelContext) -> None:
        """Read the model."""
        self.model = pd_model.load(Path(context.artifacts["model"]))

    def predict(self, context: mlflow.pyfunc.PythonModelContext, model_input: pd.DataFrame) -> pd.DataFrame:
        """Return one row per input row: pd, score, grade_code."""
        pd_ = self.model.pd(model_input)
        return pd.DataFrame({"pd": pd_, "score": pd_model.to_score(pd_), "grade_code": self.model.grade(pd_)})


mlflow.models.set_model(ServedPd())
