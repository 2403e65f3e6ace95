"""Runs and model versions: the only room that speaks MLflow."""
