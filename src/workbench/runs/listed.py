"""Nobody who opted out of being approached is on a list: held of every table by the name of a list, whoever made it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from workbench import tables
from workbench.actions.action_list import PREFIX, opted_out
from workbench.params import Key, UserError
from workbench.runs.study import Step


def opted_out_of(entities: Iterable[str], key: Key) -> int:
    """Return how many of these entities opted out, as the study's accounts say; 0 where nobody recorded it."""
    return len(set(entities) & opted_out(key)) if tables.pinned(key, "core__account") else 0


def refuse(step: Step, work: Path) -> None:
    """Raise `UserError` (nothing is kept then) where a list that a step left names somebody who opted out."""
    import pandas as pd

    for path in sorted((work / "evidence" / tables.STAGED).glob(f"{PREFIX}*.parquet")):
        if n := opted_out_of(pd.read_parquet(path, columns=["entity_id"])["entity_id"], step.key):
            shutil.rmtree(work)
            raise UserError(
                f"{step.name}: {n} on {path.stem} opted out of being approached; nothing was kept; "
                "make the list by actions/action_list.py"
            )
