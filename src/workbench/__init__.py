"""loan-workbench: research and model governance for loan customers. Parameters in, evidence out."""

import atexit
import gc
import sys

# pandera, MLflow and others load Spark's client wherever it is installed, a second and a warning each: for them it is
# not there. `engine` takes the mark away where a study asks for Spark.
sys.modules.setdefault("pyspark", None)
# jsonschema loads it wherever it is installed (jupyter-events does), and it builds 39 grammars, more than a CPU second,
# for a format that the schema of notebooks doesn't name.
sys.modules.setdefault("rfc3987_syntax", None)


def collect_seldom() -> None:
    """Let the garbage collector come after 50,000 new objects, not 700, and not once more over everything at the end.

    It takes a tenth of a picture's time otherwise, and a second of a command's end. For a process that is ours: a
    command, the parent of the warm kernels and with it each of them.
    """
    gc.set_threshold(50_000, 20, 20)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
