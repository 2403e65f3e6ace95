"""Notebooks that read, write and register what the whole ones do, and show nothing: for tests of what is around them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SHORT = {
    "portfolios/intake": """
from workbench import evidence
from workbench.contracts import to_evidence
from workbench.portfolios import intake

p = intake.Params.of(globals())
raw = intake.raw_tables(p)
checked, findings = intake.check(raw, p)
clean, personal = intake.depersonalised(checked, raw, p)
snapshot = intake.snapshot(intake.core(clean, raw, p), p)
evidence.leave([to_evidence(findings, p.portfolio), personal, snapshot], figures={"findings": len(findings)})
""",
    "panel/build": """
from workbench import evidence, tables
from workbench.panel import build, describe

p = build.Params.of(globals())
made = build.make(p)
build.stage(made, p)
panel = tables.read(p.key, p.panel, columns=list(build.FRAME))
samples = describe.samples(panel, made.waterfall, made.contract.outcome)
evidence.leave([samples], figures={"rows": len(panel)}, files={"panel.sql": made.sql_file})
""",
    "models/development": """
from workbench import evidence, home, tables
from workbench.models import comparison, development, kinds, tuning

p = development.Params.of(globals())
table, contract = tables.read(p.key, p.panel), tables.contract(p.key, p.panel)
tuning.fitting = lambda outcome: {"scorecard": kinds.kinds()["scorecard"]}
learn = development.sample(table, contract, "development", p.max_development_rows, p.seed)
(chosen,) = development.candidates(learn, contract, p)
scorer = development.assemble(chosen, learn, contract, p, comparison.facts(p, table, learn))
path = scorer.save(home.aside())
tables.write(p.key, f"mart__scores_{p.model}", development.scores(table, scorer))
rows = development.learnt_rows(table, learn)
evidence.leave([rows], figures={"rows": len(table)}, files={"model/model.json": path})
""",
}


def shortened(folder: Path) -> None:
    """Copy the notebooks to this folder; those of SHORT keep their parameters, and have two cells: work, and leave."""
    shutil.copytree(NOTEBOOKS, folder)
    for step, code in SHORT.items():
        _shorten(folder / f"{step}.ipynb", code)


def _shorten(path: Path, code: str) -> None:
    content = json.loads(path.read_text())
    first = next(i for i, c in enumerate(content["cells"]) if "parameters" in c["metadata"].get("tags", ()))
    cell, (work, leave) = content["cells"][first], code.strip().split("\nevidence.leave(")
    sources = {"work": work, "leave": f"evidence.leave({leave}"}
    only = [{**cell, "id": name, "metadata": {}, "source": source} for name, source in sources.items()]
    content["cells"] = [*content["cells"][: first + 1], *only]
    path.write_text(json.dumps(content))
