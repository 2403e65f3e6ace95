"""Arguments that several commands share: a study, a version, who signs, with which key."""

from __future__ import annotations

import argparse
from pathlib import Path


def study_file(text: str) -> Path:
    """Return a study's file, given by its path, or by its name from whatever folder."""
    from workbench import home

    places = (Path(text), *(home.root() / place for place in (text, f"params/{text}", f"params/{text}.yaml")))
    try:
        return next((place for place in places if place.is_file()), Path(text))
    except OSError as e:  # a name too long
        raise argparse.ArgumentTypeError(f"'{text[:40]}': {e.strerror}") from None


def add_person(parser: argparse.ArgumentParser) -> None:
    """Let a command be told who signs."""
    parser.add_argument("--as", dest="person", required=True, metavar="ID", help="who signs")
    add_key(parser)


def add_key(parser: argparse.ArgumentParser) -> None:
    """Let a command be told where the private key lies."""
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key (default: in the configuration folder)")


def version(text: str) -> tuple[str, str]:
    """Return model and number of `MODEL/VERSION`."""
    model, _, version = text.removeprefix("models:/").rpartition("/")
    if not model or not (version.isascii() and version.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text[:80]}' names no version; write MODEL/VERSION: taiwan_cards.pd/1")
    return model, str(int(version))
