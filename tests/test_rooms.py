"""The rooms: every folder is a package and stands in the listing; a library is spoken in its own room only."""

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

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


def _listed() -> set[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    return {room.strip() for layer in layers for room in layer.split("|")}


def _rooms(package: Path) -> set[str]:
    folders = {p.parent.relative_to(package).parts[0] for p in package.rglob("*.py") if p.parent != package}
    return folders | {p.stem for p in package.glob("*.py")} - {"__init__"}


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


def test_every_folder_is_a_package_and_every_room_is_listed():
    assert _no_packages(PACKAGE) == []
    assert _rooms(PACKAGE) <= _listed()


def test_a_library_is_spoken_in_its_room_only():
    assert _strangers(PACKAGE) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*/*.ipynb")), ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_a_notebook_speaks_none_of_them(path):
    cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    assert not {lib for c in cells for lib in _imported("".join(c["source"]))} & set(SPOKEN)


def test_a_new_folder_is_fenced_without_an_edit(tmp_path):
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "warning.py").write_text("def f():\n    from mlflow import log_metric\n")
    assert _no_packages(tmp_path) == ["actions"]
    assert _strangers(tmp_path) == ["actions/warning.py: mlflow"]
    assert "actions" in _rooms(tmp_path) and "actions" not in _listed()
