"""Statlog German credit: one table, no key, no dates."""

from workbench.portfolios.source import Shipped

SOURCE = Shipped("german_credit")
