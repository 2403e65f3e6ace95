"""What a study says of itself (title, description, owner, simulated, its steps): one file beside its current runs.

These words are no reason to run a kernel again, and a run's record is bound to what they were when it ran. So every
`run` writes them here, and whatever shows a current run takes them from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from workbench import home
from workbench.registry import current
from workbench.registry.current import Record
from workbench.words.markdown import literal


@dataclass(frozen=True)
class About:
    """A study in its owner's words, and the names of its steps in their order."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    title: str = ""
    description: str = ""
    owner: str = ""
    simulated: bool = False
    steps: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """The words as MLflow shows them beside the study's experiment and runs: as Markdown."""
        title, description, owner = map(literal, (self.title, self.description, self.owner))
        return f"{title}. {description} Owner: {owner or 'not named'}."


_ABOUT = TypeAdapter(About)


def read(study: str) -> About | None:
    """Return what the study's last `run` found in its file; None where none has since there is this place."""
    try:
        return _ABOUT.validate_json(_place(study).read_bytes())
    except (OSError, ValueError):
        return None


def put(study: str, about: About) -> bool:
    """Let this be what the study says of itself; return whether it said otherwise before. For the runner alone."""
    current.must_hold(study)
    if read(study) == about:
        return False
    home.put(_place(study), json.dumps(asdict(about), indent=1, ensure_ascii=False).encode())
    return True


def of(record: Record) -> About:
    """Return what the study of a run says of itself now; what it did when it ran, where no later word is known."""
    return read(record.study) or About(record.title, record.description, record.owner, record.simulated)


def today(records: Iterable[Record]) -> list[Record]:
    """Return records as they are shown: with today's words of their studies. Their digests are no longer the runs'."""
    records = list(records)
    says = {study: read(study) for study in {r.study for r in records}}
    words = {study: {k: v for k, v in asdict(a).items() if k != "steps"} for study, a in says.items() if a}
    return [replace(r, **words.get(r.study, {})) for r in records]


def _place(study: str) -> Path:
    return home.mlruns() / "current" / study / "about.json"
