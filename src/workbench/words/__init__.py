"""A sentence = English template + named facts; said in any language that has a catalogue."""

from workbench.words.catalogue import LANGUAGES, has, is_term, language, speaking, translated, untranslated
from workbench.words.heard import heard
from workbench.words.numbers import apart, formatted, number, p_value, plain, ticks
from workbench.words.sentence import MIME, Text, begun, joined, say

__all__ = [
    "LANGUAGES",
    "MIME",
    "Text",
    "apart",
    "begun",
    "formatted",
    "has",
    "heard",
    "is_term",
    "joined",
    "language",
    "number",
    "p_value",
    "plain",
    "say",
    "speaking",
    "ticks",
    "translated",
    "untranslated",
]
