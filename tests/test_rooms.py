"""The rooms: every folder is a package, imports run upward, a new room has its place; each library in its own room."""

import ast
import importlib
import json
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "workbench"
SPOKEN = {
    "mlflow": "registry",
    "evidently": "monitoring",
    "papermill": "runs",
    "duckdb": "engine",
    "pyspark": "engine",
}


NEW = "validation"  # a room that isn't listed lies in this one's layer


def _layers(rooms: set[str]) -> list[set[str]]:
    """Return the listing of rooms, highest first, and in it the rooms that it doesn't name."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [
        {room.strip() for room in layer.split("|")} for c in contracts if c["type"] == "layers" for layer in c["layers"]
    ]
    unlisted = rooms - set().union(*layers)
    return [layer | unlisted if NEW in layer else layer for layer in layers]


def _downward(graph: grimp.ImportGraph, root: str) -> list[str]:
    """Return every import that runs down or sideways in the listing."""
    layers = _layers({m.removeprefix(f"{root}.") for m in graph.find_children(root)})
    present = [{room for room in layer if f"{root}.{room}" in graph.modules} for layer in layers]
    illegal = graph.find_illegal_dependencies_for_layers(
        [grimp.Layer(*layer, independent=True) for layer in present if layer], containers={root}
    )
    return sorted(f"{d.importer} -> {d.imported}" for d in illegal)


def _no_packages(package: Path) -> list[str]:
    folders = {p.parent for p in package.rglob("*.py")}
    return sorted(str(f.relative_to(package)) for f in folders if not (f / "__init__.py").exists())


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def _strangers(package: Path) -> list[str]:
    """Return every file that imports a library whose room is another."""
    out = []
    for file in sorted(package.rglob("*.py")):
        room = file.relative_to(package).parts[0].removesuffix(".py")
        libraries = set(_imported(file.read_text(encoding="utf-8")))
        out += [f"{file.relative_to(package)}: {lib}" for lib in libraries & set(SPOKEN) if SPOKEN[lib] != room]
    return out


def test_every_folder_is_a_package():
    assert _no_packages(PACKAGE) == []


def test_every_module_can_be_imported():
    """Those that a command imports late, and those that no test names, too; a warning is an error."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "workbench."):
        importlib.import_module(module.name)


def test_imports_run_upward():
    graph = grimp.build_graph("workbench", cache_dir=None)
    rooms = {m.removeprefix("workbench.") for m in graph.find_children("workbench")}
    assert rooms == {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or p.is_dir()} - {"__init__", "__pycache__"}
    assert set().union(*_layers(set())) <= rooms
    assert _downward(graph, "workbench") == []


def test_a_library_is_spoken_in_its_room_only():
    assert _strangers(PACKAGE) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*/*.ipynb")), ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_a_notebook_speaks_none_of_them(path):
    cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    assert not {lib for c in cells for lib in _imported("".join(c["source"]))} & set(SPOKEN)


def test_a_new_room_is_fenced_without_an_edit(tmp_path):
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "warning.py").write_text("def f():\n    from mlflow import log_metric\n")
    assert _no_packages(tmp_path) == ["actions"]
    assert _strangers(tmp_path) == ["actions/warning.py: mlflow"]


def test_a_new_room_has_its_place_among_the_steps(tmp_path, monkeypatch):
    """It may import what validation may; validation, monitoring and what lies below may not import it."""
    imports = {
        "house": "",
        "house.cli": "",
        "house.runs": "from house import actions",
        "house.actions": "from house import validation, panel, runs",
        "house.validation": "",
        "house.panel": "from house import actions",
    }
    for module, text in imports.items():
        folder = tmp_path.joinpath(*module.split("."))
        folder.mkdir()
        (folder / "__init__.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert _downward(grimp.build_graph("house", cache_dir=None), "house") == [
        "house.actions -> house.runs",
        "house.actions -> house.validation",
        "house.panel -> house.actions",
    ]
