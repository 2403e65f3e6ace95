"""A sentence = English template + named facts; said in any language that has a catalogue."""

from workbench.words.catalogue import LANGUAGES, language, speaking, translated
from workbench.words.numbers import formatted, number
from workbench.words.sentence import Text, say

__all__ = ["LANGUAGES", "Text", "formatted", "language", "number", "say", "speaking", "translated"]
