"""The command line's verbs of model governance and of the service desk: parse, call, print."""

from __future__ import annotations

import argparse

from workbench.verbs import data, desk, looking, moving, proving


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verbs to the command line."""
    for verbs in (moving, looking, proving, data, desk):
        verbs.add(commands)
