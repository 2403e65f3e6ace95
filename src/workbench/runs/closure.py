"""What a step's code stands on: the modules of this package it imports, however far down, and other packages."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distributions
from importlib.metadata import version as installed
from pathlib import Path

import workbench
from workbench import home
from workbench.evidence import digest_file
from workbench.params import UserError

PACKAGE = Path(workbench.__file__).parent
DATA = (".yaml", ".json", ".po", ".parquet")  # what a module may read beside itself
RULES = {"workbench.rules": "params/rules"}  # what a module reads in the workbench's own folder
_FINDERS = {"pkgutil", "importlib", "importlib.import_module"}  # importlib.metadata finds no module
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def closure(module: str, notebook: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Return the modules of this package that a step and its notebook import, however far down, and other packages.

    An import within a function counts, one for type checkers alone doesn't. A module that finds others by name
    (pkgutil, importlib) depends on every module of its folder.
    """
    waiting, seen, packages = [module], set(), set()
    for source in [text for kind, text in cells(notebook) if kind == "code"]:
        imports = _sorted(set(_imported(_parsed(source), "")))
        waiting += imports.modules
        packages |= imports.packages
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        imports = _of(name)
        waiting += imports.modules
        packages |= imports.packages
    return frozenset(seen), frozenset(packages)


@dataclass(frozen=True)
class _Imports:
    modules: frozenset[str]
    packages: frozenset[str]
    digest: str = ""  # of a module's code


@cache
def _of(name: str) -> _Imports:
    """Return what a module of this package imports, its parents and what it finds by name; and its digest."""
    file = _file(name)
    tree = ast.parse(file.read_bytes(), str(file))
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    names = set(_imported(tree, package))
    imports = _sorted(names)
    modules = imports.modules | {name.rpartition(".")[0] or name}
    if _FINDERS & names and package != "workbench":
        modules |= {_name(p) for p in file.parent.rglob("*.py")}
    return _Imports(modules, imports.packages, _code_digest(tree))


def _sorted(names: set[str]) -> _Imports:
    """Return which of the imported names are modules of this package, and which packages the others are of."""
    modules = {m for n in names if n.split(".")[0] == "workbench" for m in _modules(n)}
    others = {n.split(".")[0] for n in names} - {"workbench"} - sys.stdlib_module_names
    return _Imports(frozenset(modules), frozenset(others))


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield every imported name in full; of `from a import b` both `a` and `a.b`."""
    for node in _statements(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{a.name}" for a in node.names)
        else:
            yield from _imported(node, package)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements right below a node: what else it holds has no import and no docstring."""
    for block in ("body", "handlers", "orelse", "finalbody", "cases"):
        yield from getattr(node, block, ())


def _modules(name: str) -> set[str]:
    """Return the name and its parents, as far as they are modules (the last part may be a function)."""
    parts = name.split(".")
    names = {".".join(parts[:i]) for i in range(1, len(parts) + 1)}
    return {n for n in names if _file(n).exists()}


@cache
def _file(name: str) -> Path:
    place = PACKAGE.joinpath(*name.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_name(f"{place.name}.py")


def _name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(modules: frozenset[str]) -> dict[str, str]:
    """Return the digests of the modules' code, of the data beside those that look for their own place, and of rules.

    Comments and docstrings are no code.
    """
    out: dict[str, str] = {}
    for name in modules:
        file = _file(name)
        out[str(file.relative_to(PACKAGE))] = _of(name).digest
        if b"__file__" in file.read_bytes():
            out |= {str(p.relative_to(PACKAGE)): _file_digest(p) for p in _data(file.parent)}
    return out | _rules(modules)


def _code_digest(tree: ast.Module) -> str:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        waiting += _statements(node)
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@cache
def _data(folder: Path) -> tuple[Path, ...]:
    return tuple(p for p in sorted(folder.rglob("*")) if p.suffix in DATA)


def _rules(modules: frozenset[str]) -> dict[str, str]:
    folders = [home.root() / RULES[m] for m in modules if m in RULES]
    return {f"rules/{p.name}": _file_digest(p) for folder in folders for p in sorted(folder.rglob("*.yaml"))}


@cache
def _file_digest(file: Path) -> str:
    return digest_file(file)


@cache
def version(package: str) -> str:
    """Return the version of the distribution that brings a package; empty where none does."""
    try:
        return installed(package)
    except PackageNotFoundError:
        return ", ".join(sorted({f"{d.name} {d.version}" for d in _distributions().get(package, [])}))


@cache
def _distributions() -> dict[str, list[Distribution]]:
    """Return the distributions by package: what importlib's `packages_distributions` does, at a fifth of its time."""
    by_package: dict[str, list[Distribution]] = {}
    for d in distributions():
        paths = (d.read_text("RECORD") or d.read_text("top_level.txt") or "").splitlines()
        for package in {path.partition("/")[0].partition(".")[0].partition(",")[0] for path in paths}:
            by_package.setdefault(package, []).append(d)
    return by_package


def cells(notebook: Path) -> list[tuple[str, str]]:
    """Return the notebook's cells, kind and text, without what a machine leaves beside them."""
    try:
        content = json.loads(notebook.read_bytes())["cells"]
        return [(c["cell_type"], "".join(c["source"])) for c in content]
    except (ValueError, KeyError, TypeError, RecursionError):
        place = notebook.relative_to(home.root()) if notebook.is_relative_to(home.root()) else notebook.name
        raise UserError(f"{place}: is no notebook any more; bring it back from version control") from None


def _parsed(source: str) -> ast.AST:
    """Return a cell's code; one that Python can't read imports nothing, and will fail with its own words."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def folders() -> list[str]:
    """Return the folders in which the installed packages say their versions: other versions, other names."""
    return [str(p) for place in map(Path, sys.path) if place.is_dir() for p in place.glob("*.dist-info")]
