"""LendingClub's resolved loans: one table, no key, no dates."""

from workbench.portfolios.source import Shipped

SOURCE = Shipped("lendingclub_2007_2014")
