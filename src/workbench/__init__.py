"""loan-workbench: research and model governance for loan customers. Parameters in, evidence out."""

import sys

# pandera, MLflow and others load Spark's client wherever it is installed, a second and a warning each: for them it is
# not there. `engine` takes the mark away where a study asks for Spark.
sys.modules.setdefault("pyspark", None)
