"""Entities as of a date: observation window, features, performance window, outcome, splits."""
