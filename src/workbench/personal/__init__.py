"""Personal data in text: found by the rules of their kind and by context, and masked before a text leaves."""

from workbench.personal.kinds import Candidate, candidates, is_card, is_resident
from workbench.personal.masking import looks_like_a_name, mask, masked

__all__ = ["Candidate", "candidates", "is_card", "is_resident", "looks_like_a_name", "mask", "masked"]
