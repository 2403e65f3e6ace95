"""A text that a person writes in a file: in every language of the product, or once for all of them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from workbench.words.catalogue import LANGUAGES, language


class Pair(BaseModel):
    """A text by language; one that is given alone stands for every language.

    >>> str(Pair.model_validate("for new cards")), Pair.model_validate({"en": "for new cards"}).empty_in
    ('for new cards', ('zh_CN',))
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    en: str = ""
    zh_CN: str = ""

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, content: Any) -> Any:
        return dict.fromkeys(LANGUAGES, content) if isinstance(content, str) else content

    def __str__(self) -> str:
        return str(getattr(self, language()))

    @property
    def empty_in(self) -> tuple[str, ...]:
        """The languages in which nothing is written."""
        return tuple(name for name in LANGUAGES if not getattr(self, name))

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that differ, in the order of the languages."""
        return tuple(dict.fromkeys(getattr(self, name) for name in LANGUAGES))
