"""Nobody who opted out of being approached is on a list that approaches: held of every such table, whoever made it.

Lists of risk (`customers/lists.py`) hold him, too: looking at who may fall behind is no approach.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from workbench import tables
from workbench.actions.action_list import opted_out
from workbench.customers import lists
from workbench.params import Key, UserError
from workbench.runs.study import Step


def opted_out_of(entities: Iterable[str], key: Key, name: str) -> int:
    """Return how many on the list of this name opted out although it spares them, as the study's accounts say."""
    if not lists.spares(name) or not tables.pinned(key, "core__account"):
        return 0
    return len(set(entities) & opted_out(key))


def refuse(step: Step, work: Path) -> None:
    """Raise `UserError` (nothing is kept then) where a list that a step left names somebody who opted out."""
    import pandas as pd

    for path in sorted((work / "evidence" / tables.STAGED).glob(f"{lists.PREFIX}*.parquet")):
        if n := opted_out_of(pd.read_parquet(path, columns=["entity_id"])["entity_id"], step.key, path.stem):
            shutil.rmtree(work)
            raise UserError(
                f"{step.name}: {n} on {path.stem} opted out of being approached; nothing was kept; "
                "make the list by actions/action_list.py"
            )
