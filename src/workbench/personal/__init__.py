"""Personal data in text: found by the rules of their kind and by context, and masked before a text leaves."""

from workbench.personal.kinds import Candidate, candidates
from workbench.personal.masking import mask, masked, masked_value
from workbench.personal.people import are_names, is_name
from workbench.personal.prose import masked_prose
from workbench.personal.rules import is_card, is_resident

__all__ = [
    "Candidate",
    "are_names",
    "candidates",
    "is_card",
    "is_name",
    "is_resident",
    "mask",
    "masked",
    "masked_prose",
    "masked_value",
]
