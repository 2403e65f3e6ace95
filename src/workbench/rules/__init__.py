"""Rules: every threshold once, dated, with unit, owner and reference; looked up as of a date."""

from workbench.rules.book import Rules, described, load
from workbench.rules.rule import Action, Rule, Threshold
from workbench.rules.ruled import Ruled

__all__ = ["Action", "Rule", "Ruled", "Rules", "Threshold", "described", "load"]
