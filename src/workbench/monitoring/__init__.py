"""Drift, performance and alarms over time: the only room that speaks Evidently."""
