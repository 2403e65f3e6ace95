"""loan-workbench: research and model governance for loan customers. Parameters in, evidence out."""

import sys

# pandera, MLflow and others load Spark's client wherever it is installed, a second and a warning each: for them it is
# not there. `engine` takes the mark away where a study asks for Spark.
sys.modules.setdefault("pyspark", None)
# jsonschema loads it wherever it is installed (jupyter-events does), and it builds 39 grammars, more than a CPU second,
# for a format that the schema of notebooks doesn't name.
sys.modules.setdefault("rfc3987_syntax", None)
