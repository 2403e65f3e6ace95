"""The lists that officers work through: what each is for, and which goes first where two want the same customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.words import Text, say

PREFIX = "mart__list_"  # of the tables that hold lists
WATCH, FOLLOW_UP = f"{PREFIX}watch", f"{PREFIX}follow_up"
SAVE, OFFER, CONTACT = f"{PREFIX}save", f"{PREFIX}offer", f"{PREFIX}contact"


@dataclass(frozen=True)
class Kind:
    """What a list is called, and what it is for: who opted out is approached for no marketing and no service."""

    title: Text
    purpose: Literal["risk", "marketing", "service"]


# In the order in which they go: who may fall behind, who may leave, what a trial says that an offer changes, who is
# likely to buy anyway, whose turn it is.
KINDS = {
    WATCH: Kind(say("watch list"), "risk"),
    SAVE: Kind(say("save list"), "marketing"),
    OFFER: Kind(say("list of offers"), "marketing"),
    CONTACT: Kind(say("contact list"), "marketing"),
    FOLLOW_UP: Kind(say("follow-up calendar"), "service"),
}


def spares(name: str) -> bool:
    """Say whether who opted out stays off this list; off one that isn't named here, too.

    >>> spares("mart__list_save"), spares("mart__list_watch"), spares("mart__list_of_a_new_step")
    (True, False, True)
    """
    return name not in KINDS or KINDS[name].purpose != "risk"


def sells(name: str) -> bool:
    """Say whether this list is for marketing; one that isn't named here, too."""
    return name not in KINDS or KINDS[name].purpose == "marketing"


def before(name: str) -> list[str]:
    """Return the lists that go before this one, first one first; all of them for one that isn't named here.

    >>> before("mart__list_watch"), before("mart__list_offer")
    ([], ['mart__list_watch', 'mart__list_save'])
    """
    names = list(KINDS)
    return names[: names.index(name)] if name in names else names
