"""The words of columns: type, unit, allowed values, personal?, known when?; a table is checked against them."""

from workbench.contracts.checks import check, columns_there, stop_on_errors, to_evidence
from workbench.contracts.classes import classed, inventory
from workbench.contracts.outcome import Outcome, Words
from workbench.contracts.readings import as_text, by_clock, finding
from workbench.contracts.unconfirmed import unconfirmed
from workbench.contracts.words import SPECIAL, Aspect, Column, Contract, Finding, Role, Type, load, mask

__all__ = [
    "SPECIAL",
    "Aspect",
    "Column",
    "Contract",
    "Finding",
    "Outcome",
    "Role",
    "Type",
    "Words",
    "as_text",
    "by_clock",
    "check",
    "classed",
    "columns_there",
    "finding",
    "inventory",
    "load",
    "mask",
    "stop_on_errors",
    "to_evidence",
    "unconfirmed",
]
