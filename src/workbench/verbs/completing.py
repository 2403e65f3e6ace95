"""Names that a shell completes: studies, steps, models and their versions, read without opening anything heavy."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from workbench.params import UserError, from_yaml
from workbench.runs import there

_PLAIN = re.compile(r"[\w./@-]+", re.ASCII)  # no other name is handed to a shell
_BASH = """
COMP_WORDBREAKS=${{COMP_WORDBREAKS//@/}}  # a step may be called models/development@behaviour
{functions}
"""
_OF_BASH = """_workbench_{kind}() {{
  "${{COMP_WORDS[0]}}" completion bash --names {kind} "$1" "${{COMP_WORDS[*]}}" 2>/dev/null
}}"""
_OF_ZSH = """_workbench_{kind}() {{
  local -a names
  names=(${{(f)"$(workbench completion zsh --names {kind} "" "${{words[*]}}" 2>/dev/null)"}})
  compadd "$@" -a names
}}"""
_KINDS = {"STUDY": "studies", "STEP": "steps", "MODEL": "models", "MODEL/VERSION": "versions"}  # by metavar


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return what a shell evaluates to complete the commands of a parser, and the names they are given."""
    import shtab

    _mark(parser)
    functions = {
        of: "\n".join(one.format(kind=kind) for kind in _KINDS.values())
        for of, one in (("bash", _OF_BASH), ("zsh", _OF_ZSH))
    }
    preamble = {"bash": _BASH.format(functions=functions["bash"]), "zsh": functions["zsh"]}
    return str(shtab.complete(parser, shell, preamble=preamble))


def _mark(parser: argparse.ArgumentParser) -> None:
    """Say on each argument that takes a name who completes it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for of_command in action.choices.values():
                _mark(of_command)
        kind = "steps" if action.dest in ("step", "start") else _KINDS.get(str(action.metavar), "")
        if kind and action.type is not Path:
            action.complete = dict.fromkeys(("bash", "zsh"), f"_workbench_{kind}")  # type: ignore[attr-defined]


def names(kind: str, begun: str = "", line: str = "") -> list[str]:
    """Return the names of a kind (studies, steps, models, versions) that go on as `begun` does; never an error.

    line: the command line so far: steps are those of the studies in it, where it has one.
    """
    try:
        every = dict.fromkeys(_every(kind, line.split()))
        return [n for n in every if n.startswith(begun) and _PLAIN.fullmatch(n)]
    except (UserError, OSError, ValueError):  # at the prompt there is nothing to be said
        return []


def _every(kind: str, words: list[str]) -> Iterable[str]:
    if kind == "studies":
        return [p.stem for p in there.studies()]
    if kind == "steps":
        return list(_steps(words)) or there.steps()
    from workbench.registry import store  # of a server nothing is asked: that would take seconds

    rows = store.ask("SELECT name, version FROM model_versions WHERE current_stage != 'Deleted_Internal' ORDER BY 1, 2")
    return [name if kind == "models" else f"{name}/{version}" for name, version in rows or ()]


def _steps(words: list[str]) -> Iterator[str]:
    """Yield the steps of the studies that are named, by file or by name."""
    by_name = {p.stem: p for p in there.studies()}
    for word in words:
        path = by_name.get(word.rpartition("/")[2].removesuffix(".yaml"), Path(word))
        if path.suffix == ".yaml" and path.is_file():
            try:
                content = from_yaml(path.read_text(encoding="utf-8"), path.name)
            except (UserError, ValueError):  # a study that is being written: whatever step there is
                continue
            given = content.get("steps") if isinstance(content, dict) else None
            yield from map(str, given if isinstance(given, dict) else ())
