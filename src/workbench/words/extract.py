"""Find every template of the product and bring the catalogues up to date: `python -m workbench.words.extract`.

Templates are the first literals of `say("…")` in code and notebooks, the sources of evidence, the paragraphs of
notebooks, `_("…")` in page templates, what contracts, rules and study files say of themselves, the names of validation
tests, and `terms.txt`: headers and cells of tables.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.words import markdown
from workbench.words.catalogue import FOLDER, LANGUAGES
from workbench.words.heard import written

PACKAGE = Path(__file__).parents[1]
SAID = ("title", "description", "label", "unit", "owner", "reason", "reference", "words", "notes")  # keys of YAML files
LABELS = ("values", "undocumented")  # keys whose values are labels of codes
_IN_TEMPLATE = re.compile(r"_\(\s*\"((?:[^\"\\]|\\.)*)\"")


def templates_of(root: Path) -> set[str]:
    """Return every template below a repository's root, and of the package itself."""
    parts = [_in_code(p.read_text(encoding="utf-8")) for p in sorted(PACKAGE.rglob("*.py"))]
    parts.append(_tests())
    parts += [_in_notebook(p) for p in sorted((root / "notebooks").rglob("*.ipynb")) if "checkpoint" not in str(p)]
    parts += [_IN_TEMPLATE.findall(p.read_text(encoding="utf-8")) for p in sorted(PACKAGE.rglob("*.html"))]
    parts += [_in_yaml(p) for p in (*sorted(PACKAGE.rglob("*.yaml")), *_studies(root))]
    return {t for part in parts for t in part if _has_words(t)} | set(terms())


def _studies(root: Path) -> list[Path]:
    """Return the repository's studies and contracts; what a bank has beside them, untracked, keeps its words."""
    asked = ["git", "-C", str(root), "ls-files", "--others", "-z", "params"]
    has_git = shutil.which("git") is not None
    others = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split("\0") if has_git else []
    return [p for p in sorted((root / "params").rglob("*.yaml")) if p.relative_to(root).as_posix() not in others]


def terms() -> list[str]:
    """Return the headers, cells and names that tables and pictures look up."""
    lines = (Path(__file__).parent / "terms.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def update(root: Path, prune: bool = False) -> dict[str, list[str]]:
    """Add new templates to every catalogue, with `prune` drop obsolete ones; return the untranslated, by language."""
    templates, missing = templates_of(root), {}
    for name in LANGUAGES:
        if name != "en":
            entries = _read(name)
            entries_now = {t: entries.get(t, "") for t in templates | (set() if prune else set(entries))}
            _write(name, entries_now)
            missing[name] = sorted(t for t in templates if not entries_now[t])
    return missing


def _has_words(template: str) -> bool:
    """Say whether there is something to translate: words, or more than one fact in an order."""
    return any(c.isalpha() for c in written(template)) or template.count("{") > 1


def _in_code(source: str) -> Iterator[str]:
    if not any(mark in source for mark in ("say", "source=", "SOURCE", "Blind to")):
        return
    tree = ast.parse(source)
    yield from _in_docstring(ast.get_docstring(tree) or "")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "say":
            yield from _literals(node.args[0] if node.args else None)
        elif isinstance(node, ast.keyword | ast.Assign) and _is_source(node):
            yield from _literals(node.value)


def _tests() -> list[str]:
    """Return the validation tests by name, as the battery's table calls them."""
    files = sorted((PACKAGE / "validation").glob("*.py"))
    return [p.stem.replace("_", " ") for p in files if "**Blind to**" in p.read_text(encoding="utf-8")]


def _is_source(node: ast.keyword | ast.Assign) -> bool:
    """Say whether a value is whom evidence names for its method: `source="…"`, or a module's `SOURCE`."""
    return node.arg == "source" if isinstance(node, ast.keyword) else getattr(node.targets[0], "id", "") == "SOURCE"


def _in_docstring(text: str) -> Iterator[str]:
    """Yield what a validation test's card takes from its docstring: its question, and what it is blind to."""
    if blind := re.search(r"\*\*Blind to\*\* (.+?)\n\*\*", text, re.DOTALL):
        yield text.splitlines()[0]
        yield " ".join(blind[1].split())


def _literals(node: ast.AST | None) -> Iterator[str]:
    """Yield a literal; of `a if b else c`, both."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _in_notebook(path: Path) -> Iterator[str]:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        yield from _in_code(source) if cell["cell_type"] == "code" else markdown.templates(source)


def _in_yaml(path: Path) -> Iterator[str]:
    import yaml

    for words in _said(yaml.safe_load(path.read_text(encoding="utf-8"))):
        if not re.fullmatch(r"[A-Z0-9_+-]+", words):  # a code (`B2`, `CHGOFF`, `TWD`) is the same in every language
            yield words


def _said(content: Any, spoken: bool = False) -> Iterator[str]:
    if isinstance(content, str):
        if spoken:
            yield markdown.one_line(content)
    elif isinstance(content, list):
        for part in content:
            yield from _said(part, spoken)
    elif isinstance(content, dict) and not set(LANGUAGES) <= set(content):  # else a text in each language by itself
        for key, part in content.items():
            yield from _said(part, spoken or key in SAID or key in LABELS)


def _read(name: str) -> dict[str, str]:
    from babel.messages.pofile import read_po

    with (FOLDER / f"{name}.po").open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale=name) if m.id}


def _write(name: str, entries: dict[str, str]) -> None:
    """Write a catalogue in alphabetical order, one line a text, so that two branches' changes merge."""
    lines = [f'msgid ""\nmsgstr ""\n"Language: {name}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n']
    lines += [f"msgid {_quoted(t)}\nmsgstr {_quoted(entries[t])}\n" for t in sorted(entries)]
    (FOLDER / f"{name}.po").write_text("\n".join(lines), encoding="utf-8")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def main(argv: list[str] | None = None) -> int:
    """Bring the catalogues up to date and say what is untranslated; 1 where something is."""
    parser = argparse.ArgumentParser(prog="python -m workbench.words.extract", description=main.__doc__)
    parser.add_argument("--prune", action="store_true", help="drop what no longer stands anywhere")
    parser.add_argument("--root", type=Path, default=PACKAGE.parents[1], help="the repository")
    args = parser.parse_args(argv)
    missing = update(args.root, args.prune)
    for name, templates in missing.items():
        sys.stdout.write("".join(f"{name}: {t}\n" for t in templates) + f"{name}: {len(templates)} untranslated\n")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
