"""Lines of the package that tests run, in workers, kernels and commands alike.

`python benchmarks/suite_coverage.py` counts those of `make test`; with pytest's options, those of other tests:
`--ignore=tests/adversity -m "whole or not whole"` adds what `make whole` runs. What a process has run that is killed
isn't counted. It takes twice the suite's time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = """
[run]
source_pkgs = workbench
parallel = true
data_file = {folder}/lines
patch =
    _exit
    fork
    subprocess
disable_warnings = no-data-collected, module-not-imported, module-not-measured, already-imported

[paths]
package =
    src/workbench
    */src/workbench
"""


def main(options: list[str]) -> None:
    """Run the suite under coverage, put together what each process counted, print lines, those missed, the share."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings"
        settings.write_text(SETTINGS.format(folder=folder))
        coverage = [sys.executable, "-m", "coverage"]
        where = f"--rcfile={settings}"
        subprocess.run([*coverage, "run", where, "-m", "pytest", *options], cwd=ROOT, check=False)
        subprocess.run([*coverage, "combine", where, "--quiet"], cwd=ROOT, check=True)
        report = [*coverage, "report", where, "--include=src/workbench/*", "--format=markdown", "--precision=1"]
        table = subprocess.run(report, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        print(*table[:2], *table[-1:], sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
