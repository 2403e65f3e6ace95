"""Tags and aliases of the registry: a cache of the chain, compared with it and made anew from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.registry import registered, store
from workbench.registry.events import Chain
from workbench.registry.registered import Registered
from workbench.registry.state import Book, Standing, replay

STATE, EVENT, CONDITIONS = "state", "state.event", "state.conditions"
ALIASES = ("champion", "challenger")


@dataclass(frozen=True)
class Difference:
    """One tag or alias that isn't what the chain says; empty text stands for none."""

    model: str
    version: str  # empty for an alias
    name: str
    shown: str
    right: str

    @property
    def words(self) -> str:
        """What differs, in words."""
        what = f"tag {self.name}" if self.version else f"alias {self.name}"
        return f"{what} says {self.shown or 'nothing'}, the chain says {self.right or 'nothing'}"


def tags(s: Standing) -> dict[str, str]:
    """Return the governed tags of a version; empty text where there shall be none."""
    return {STATE: s.state, EVENT: str(s.event or ""), CONDITIONS: "; ".join(s.conditions)[:5000]}


def aliases(book: Book, model: str) -> dict[str, str]:
    """Return the governed aliases of a model: alias → version, empty text where there shall be none."""
    champion, challenger = book.champion(model), book.challenger(model)
    return {
        "champion": champion.version if champion else "",
        "challenger": challenger.version if challenger else "",
    }


def differences(chain: Chain, held: list[Registered]) -> list[Difference]:
    """Return every governed tag and alias of these versions that isn't what the chain says."""
    book, out = replay(chain), []
    for r in held:
        out += _compared(r.model, r.version, r.tags, tags(book.of(r.model, r.version)))
    for model in dict.fromkeys(r.model for r in held):
        right = aliases(book, model)
        there = {r.version for r in held if r.model == model}
        right = {a: v if v in there else "" for a, v in right.items()}
        out += _compared(model, "", registered.aliases(model), right)
    return out


def rebuild(chain: Chain, model: str = "") -> list[Difference]:
    """Make tags and aliases of one model, or of all, say what the chain says; return what had said otherwise."""
    wrong = differences(chain, registered.everything(model))
    for d in wrong:
        _write(d)
    return wrong


def _compared(model: str, version: str, shown: Mapping[str, str], right: Mapping[str, str]) -> list[Difference]:
    return [Difference(model, version, n, shown.get(n, ""), v) for n, v in right.items() if shown.get(n, "") != v]


def _write(d: Difference) -> None:
    c = store.client()
    if d.version and d.right:
        c.set_model_version_tag(d.model, d.version, d.name, d.right)
    elif d.version:
        c.delete_model_version_tag(d.model, d.version, d.name)
    elif d.right:
        c.set_registered_model_alias(d.model, d.name, d.right)
    else:
        c.delete_registered_model_alias(d.model, d.name)
