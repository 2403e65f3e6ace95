"""pyproject, lock and environment agree; the tree keeps its promises."""

import ast
import importlib
import json
import os
import re
import subprocess
import symtable
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()


def _pins() -> dict[str, str]:
    """Pins that hold for this interpreter."""
    lines = [Requirement(line.rstrip(" \\")) for line in LOCK.splitlines() if re.match(r"^[\w.\-]+(\[.*\])?==", line)]
    return {
        canonicalize_name(r.name): str(r.specifier).removeprefix("==")
        for r in lines
        if r.marker is None or r.marker.evaluate()
    }


def test_every_requirement_is_pinned_within_its_range():
    wanted = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["dev"]
    pins = _pins()
    for text in wanted:
        requirement = Requirement(text)
        pin = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pin), f"{text}, but the lock has {pin}"


def test_every_pin_has_a_hash_and_no_address():
    blocks = re.split(r"\n(?=[\w])", LOCK)
    assert all("--hash=sha256:" in b for b in blocks if "==" in b)
    assert "index-url" not in LOCK and "://" not in LOCK


def test_environment_installs_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert f"python{PROJECT['project']['requires-python']}" in environment["dependencies"]
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == ["--require-hashes", "--no-deps", "-r requirements.lock"]


def test_installed_versions_are_the_locked_ones():
    from importlib.metadata import version

    pins = _pins()
    for name in ("mlflow", "pandas", "evidently", "papermill", "xgboost", "pandera"):
        assert version(name) == pins[name]


def test_help_is_instant():
    def cpu_seconds() -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "workbench.cli", "--help"], check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(cpu_seconds(), cpu_seconds()) < 0.3, "whatever else the machine does"


def test_no_tracked_file_names_a_machine_or_a_registry():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    bad = re.compile(r"files\.pythonhosted|pypi\.org/simple|registry\.npmjs|/root/|/work/main")
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".yaml", ".yml", ".ipynb", ".lock", ".html", "") and path.is_file():
            if name == "tests/test_repository.py":
                continue
            assert not bad.search(path.read_text(encoding="utf-8", errors="ignore")), name


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda p: p.stem)
def test_a_benchmark_names_what_is_there(path):
    """Every name a benchmark imports from the package exists (peers' libraries live in an environment of their own)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workbench"):
            module = importlib.import_module(node.module)
            for name in (alias.name for alias in node.names):
                assert hasattr(module, name) or importlib.import_module(f"{node.module}.{name}")


VAGUE = {"found", "left", "kept", "own", "said", "told"}
SIDES = {"models/nodes.py"}  # the left and the right child of a node


def _named(source: str) -> set[str]:
    """Return which of the vague names a source gives to variables, parameters and fields."""
    if not any(word in source for word in VAGUE):
        return set()
    tables, names = [symtable.symtable(source, "", "exec")], set()  # a fifth of the time of a walk through all nodes
    for table in tables:
        tables += table.get_children()
        given = [table.lookup(name) for name in VAGUE.intersection(table.get_identifiers())]
        names |= {s.get_name() for s in given if (s.is_assigned() or s.is_parameter()) and not s.is_namespace()}
    return names


def test_a_name_says_what_a_thing_is_and_not_how_one_came_by_it():
    given = (
        "found = 1\ndef f(left):\n    for own, x in []: ...\nclass C:\n    told: int\nprint([kept for kept in said])"
    )
    assert _named(given) == {"found", "left", "own", "told", "kept"}
    package = ROOT / "src" / "workbench"
    sources = {str(p.relative_to(package)): p.read_text(encoding="utf-8") for p in package.rglob("*.py")}
    for path in [ROOT / "conftest.py", *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]:
        sources[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        sources[f"{path.parent.name}/{path.name}"] = "\n".join(code)
    vague = {name: words for name, source in sources.items() if name not in SIDES and (words := _named(source))}
    assert not vague, _refusal(vague)


def _refusal(vague: dict[str, set[str]]) -> str:
    places = "; ".join(f"{name}: {', '.join(sorted(words))}" for name, words in sorted(vague.items()))
    return f"name these by what they hold ({', '.join(sorted(VAGUE))} say nothing of it): {places}"


def test_a_refused_name_is_told_with_its_place_and_stands_among_the_house_rules():
    assert _refusal({"b.py": {"own", "found"}}).endswith("say nothing of it): b.py: found, own")
    rules = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## House rules")[2].partition("\n## ")[0]
    assert all(f"`{word}`" in rules for word in VAGUE)
