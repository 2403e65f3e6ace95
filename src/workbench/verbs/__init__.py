"""The command line's verbs of model governance: parse, call, print."""

from __future__ import annotations

import argparse

from workbench.verbs import data, looking, moving, proving


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verbs to the command line."""
    for verbs in (moving, looking, proving, data):
        verbs.add(commands)
