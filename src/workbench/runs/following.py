"""At a run's end: what isn't any run's own is made to follow the current runs and the words of their study.

That is the slots of pages, the other periods' too, the pages in other languages, and what MLflow says of experiment and
models. No kernel is needed.
"""

from __future__ import annotations

from workbench.registry import about, current, marks, placed, runs
from workbench.registry.about import About
from workbench.runs import rendering, settling
from workbench.runs.study import Study


def take_up(study: Study) -> bool:
    """Let the study's words be those of its file; return whether they were others before."""
    return about.put(study.name, words(study))


def words(study: Study) -> About:
    """Return what a study's file says of it."""
    names = tuple(s.name for s in study.steps)
    return About(study.title, study.description, study.owner, study.simulated, names)


def follow(study: str, is_reworded: bool) -> None:
    """Let everything that speaks of a study's current runs say what they and the study say now."""
    pages(study, is_reworded)
    records, says = current.everything(study=study), about.read(study)
    for record in records:
        settling.describe(record)
    if records and says and (is_reworded or not runs.is_described(study, says.note)):
        runs.describe(study, says.note)


def pages(study: str, is_reworded: bool = False) -> None:
    """Let the slots of a study's pages say what is true today, and its pages in other languages be of its runs."""
    records = current.everything(study=study)
    marked = marks.of(records)
    for record in records:
        placed.freshen(record, records, marked, attached=is_reworded)
    rendering.follow(study)
