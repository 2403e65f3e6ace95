"""What only a person can say of a model, in `params/chapters/STUDY.MODEL.yaml`: its developer, and its validator.

Its words stand in the documents of every version, set apart from those of the workbench. Without the developer's
section nothing is submitted, without the validator's nothing approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench import home
from workbench.params import UserError, canonical, from_yaml, mistake, nearest
from workbench.registry import events
from workbench.registry.events import Event
from workbench.words.pair import Pair

FOLDER = "params/chapters"
CHAPTERS = (
    "developer.intended_use",
    "developer.restrictions",
    "developer.limitations",
    "developer.overrides",
    "validator.opinion",
    "validator.assessment",
)


SIGNED = {"developer": "submit", "validator": "approve"}  # section → the move that rests on it


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Developer(_Strict):
    """The chapters of who has developed the model."""

    intended_use: Pair = Pair()
    restrictions: Pair = Pair()
    limitations: Pair = Pair()
    overrides: Pair = Pair()


class Validator(_Strict):
    """The chapters of who has validated it; `opinion`: ECB (2019), section 2.4.2: 1 is no deficiency, 4 major ones."""

    opinion: int | None = Field(None, ge=1, le=4)
    assessment: Pair = Pair()


class Chapters(_Strict):
    """The whole file; a chapter that nobody has written is empty."""

    developer: Developer = Developer()
    validator: Validator = Validator()

    @property
    def digest(self) -> str:
        """SHA-256 of all that is written (hex)."""
        return hashlib.sha256(canonical(self.model_dump(mode="json"))).hexdigest()

    def text(self, chapter: str) -> Pair | int | None:
        """Return a chapter by its name: `developer.intended_use`."""
        section, _, name = chapter.partition(".")
        return getattr(getattr(self, section), name)

    def texts(self) -> dict[str, Pair]:
        """Return every chapter that is a text, by name."""
        return {name: text for name in CHAPTERS if isinstance(text := self.text(name), Pair)}

    def missing(self, section: str) -> list[str]:
        """Return what nobody has written in a section (`developer`, `validator`), chapter and language."""
        out = []
        for name in (n for n in CHAPTERS if n.startswith(f"{section}.")):
            text = self.text(name)
            empty = text.empty_in if isinstance(text, Pair) else ()
            if text is None or len(empty) == len(Pair.model_fields):
                out.append(name)
            else:
                out += [f"{name} ({language})" for language in empty]
        return out


def place(model: str) -> str:
    """Return where a model's chapters are written, below the home."""
    return f"{FOLDER}/{model}.yaml"


def load(model: str) -> Chapters:
    """Return what is written of a model, empty where there is no file; `UserError` names the place of a mistake."""
    path, where = home.root() / place(model), place(model)
    if not path.exists():
        return Chapters()
    content = _read(path, where)
    _known(content, Chapters, where)
    try:
        return Chapters.model_validate(content)
    except ValidationError as e:
        name, words = mistake(e, Chapters)
        raise UserError(f"{where}: {name}: {words}") from None


def signed(model: str, moves: Iterable[Event]) -> Chapters:
    """Return each section as it was when a version was submitted and approved (by its events), else as it is now."""
    now, by_verb = load(model), {e.verb: e for e in moves}
    then = {name: of_move(by_verb[verb]) for name, verb in SIGNED.items() if verb in by_verb}
    return now.model_copy(update={name: getattr(c, name) for name, c in then.items() if c is not None})


def of_move(move: Event) -> Chapters | None:
    """Return what was written when a move was made; None where its evidence is lost, altered or holds no chapters."""
    content = (events.evidence(move) or {}).get("chapters")
    try:
        sections = {name: content[name] for name in Chapters.model_fields} if content else None
        return Chapters.model_validate(sections) if sections else None
    except (KeyError, TypeError, ValidationError):
        return None


def differing(then: Chapters, now: Chapters, section: str) -> list[str]:
    """Return the chapters of a section in which the two say other words."""
    return [n for n in CHAPTERS if n.startswith(f"{section}.") and then.text(n) != now.text(n)]


def _read(path: Path, where: str) -> dict[str, Any]:
    try:
        content = from_yaml(path.read_text(encoding="utf-8"), where) or {}
    except UnicodeDecodeError:
        raise UserError(f"{where}: not UTF-8; save it as UTF-8") from None
    if not isinstance(content, dict):
        raise UserError(f"{where}: write sections: `developer: {{...}}`")
    return content


def _known(content: Any, of: type[BaseModel], where: str, at: str = "") -> None:
    """Raise `UserError` for a key that no section has, with the nearest one that there is."""
    for key, part in content.items() if isinstance(content, dict) else ():
        if key not in of.model_fields:
            raise UserError(f"{where}: {at}{key}: unknown; {nearest(str(key), of.model_fields)}")
        kind = of.model_fields[key].annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            _known(part, kind, where, f"{at}{key}.")
