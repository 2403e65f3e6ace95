"""Whom to act on, why, and by when: lists that somebody works through."""
