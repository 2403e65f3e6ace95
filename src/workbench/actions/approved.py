"""Texts the desk may give: each with version, owner, who approved it and until when; an expired one is not given."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.params import UserError, from_yaml, mistake

DATA = Path(__file__).parent / "desk_data"
FILE = DATA / "answers.yaml"
LANGUAGES = ("en", "zh")
_PLACE = re.compile(r"\{(\w+)\}")


class Approved(BaseModel):
    """One text in both languages; `{balance_amt}` stands for the asking customer's own record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    version: int = Field(ge=1)
    owner: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    valid_until: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    hand_over: bool = Field(False, description="a person takes over after this text")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the customer's own record that the text names."""
        return tuple(dict.fromkeys(_PLACE.findall(self.en) + _PLACE.findall(self.zh)))

    def is_valid(self, day: str) -> bool:
        """Say whether the text may be given on a day (YYYY-MM-DD)."""
        return day <= self.valid_until

    def said(self, language: str, record: dict[str, Any]) -> str:
        """Return the text with what it names of the record."""
        return _PLACE.sub(lambda m: str(record[m[1]]), self.zh if language == "zh" else self.en)


def load(path: Path = FILE) -> dict[str, Approved]:
    """Return intent → approved text; `UserError` where an entry lacks anything, or the approver is the owner."""
    given = from_yaml(path.read_text(encoding="utf-8"), path.name)
    out = {}
    for intent, entry in given.items():
        try:
            out[str(intent)] = Approved.model_validate(entry)
        except ValidationError as e:
            where, words = mistake(e, Approved)
            raise UserError(f"{path.name}: text of '{intent}': {where}: {words}") from None
        if out[str(intent)].owner == out[str(intent)].approved_by:
            raise UserError(f"{path.name}: text of '{intent}': its owner has approved it; somebody else does")
    return out
