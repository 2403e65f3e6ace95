"""Personal data in text: found by the rules of their kind and by context, and masked before a text leaves."""

from workbench.personal.kinds import Candidate, candidates
from workbench.personal.masking import mask, masked, masked_value
from workbench.personal.people import are_names, is_name
from workbench.personal.prose import ASKED_OF, asks_about_named, masked_prose
from workbench.personal.rules import is_card, is_resident

__all__ = [
    "ASKED_OF",
    "Candidate",
    "are_names",
    "asks_about_named",
    "candidates",
    "is_card",
    "is_name",
    "is_resident",
    "mask",
    "masked",
    "masked_prose",
    "masked_value",
]
