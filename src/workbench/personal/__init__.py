"""Personal data in text: found by the rules of their kind and by context, and masked before a text leaves."""

from workbench.personal.kinds import Candidate, candidates, is_card, is_resident
from workbench.personal.masking import mask, masked
from workbench.personal.people import are_names

__all__ = ["Candidate", "are_names", "candidates", "is_card", "is_resident", "mask", "masked"]
