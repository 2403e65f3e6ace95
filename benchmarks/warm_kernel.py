"""Seconds per notebook, new interpreter against warm kernel: `python benchmarks/warm_kernel.py [runs]`."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import papermill

from workbench.runs.warm import warm_kernels

CELLS = ("import pandas, mlflow, evidently, xgboost", "print(pandas.DataFrame({'a': [1]}).sum())")


@contextmanager
def cold() -> Iterator[str]:
    """Yield the kernel that pays its imports in each notebook."""
    yield "python3"


def seconds(kernels: object, source: Path, n: int) -> list[float]:
    """Run the notebook n times and return each run's seconds; the first one's include the kernels' start."""
    taken, began = [], time.monotonic()
    with kernels as kernel:
        for _ in range(n):
            papermill.execute_notebook(source, source.with_stem("out"), kernel_name=kernel, progress_bar=False)
            taken.append(time.monotonic() - began)
            began = time.monotonic()
    return taken


def main(n: int) -> None:
    """Measure both and print a table."""
    language = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    nb = nbformat.v4.new_notebook(metadata=language, cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "imports.ipynb"
        nbformat.write(nb, source)
        rows = {
            "new interpreter": seconds(cold(), source, n),
            "warm kernel": seconds(warm_kernels(), source, n),
        }
    print("| kernel | first (preload included) | each of the others | total |\n|---|---|---|---|")
    for name, (first, *rest) in rows.items():
        each = ", ".join(f"{s:.1f}" for s in rest)
        print(f"| {name} | {first:.1f} s | {each} s | {first + sum(rest):.1f} s |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
