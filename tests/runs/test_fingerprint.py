"""A step's key hangs on the code it stands on: what it imports, however far down, and on nothing else."""

import shutil
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

from workbench import tables
from workbench.params import Key
from workbench.runs import closure, fingerprint, plan, study

REPOSITORY = Path(__file__).parents[2]
STUDY = "title: t\nsteps:\n  portfolios/intake:\n  panel/build:\n  models/development:\n  validation/battery:\n"

ITSELF, READ = closure._of.__wrapped__, {}


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Return each step's key with a copy of the package in which a test may change files."""
    package = tmp_path / "src" / "workbench"
    shutil.copytree(REPOSITORY / "src" / "workbench", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("notebooks", "params"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    (tmp_path / "params" / "t.yaml").write_text(STUDY)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(closure, "PACKAGE", package)
    monkeypatch.setattr(closure, "_of", _of)

    def compute() -> dict[str, str]:
        _forget()  # as a new process would, for which the files have never been read
        steps = study.load(tmp_path / "params" / "t.yaml").steps
        return {s.name: fingerprint.facts(s)["step_key"] for s in steps}

    compute.home = tmp_path
    yield compute
    _forget()


def _of(name: str) -> object:
    """What a module imports, by its text: of all that no test changes, the same in every copy and parsed once."""
    text = closure._file(name).read_bytes()
    if (name, text) not in READ:
        READ[name, text] = ITSELF(name)
    return READ[name, text]


def _forget() -> None:
    for name, remembered in vars(closure).items():
        if hasattr(remembered, "cache_clear") and name != "_distributions":  # what is installed no test changes
            remembered.cache_clear()


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_the_cells_of_a_notebook_count_and_what_a_machine_leaves_there_does_not(tmp_path):
    notebook = REPOSITORY / "notebooks" / "panel" / "build.ipynb"
    copy = tmp_path / "build.ipynb"
    copy.write_text(notebook.read_text().replace('"execution_count": null', '"execution_count": 7'))
    assert closure.cells(copy) == closure.cells(notebook)
    copy.write_text(notebook.read_text().replace("digest = build.stage(", "other = build.stage("))
    assert closure.cells(copy) != closure.cells(notebook)


def test_a_contract_changed_alone_changes_the_keys_of_what_reads_its_table(keys):
    key = Key("t", "once")
    entry = {"digest": "d" * 64, "contract": {"columns": [{"name": "amount", "monotone": 0}]}}
    tables.pin(key, "core__account", entry)
    before = keys()
    entry["contract"]["columns"][0]["monotone"] = -1
    tables.pin(key, "core__account", entry)
    after = keys()
    assert {n for n in before if before[n] != after[n]} == {"panel/build", "validation/battery"}  # those that read it


def test_the_closure_reaches_through_functions_and_finders():
    modules, packages = closure.closure(
        "workbench.validation.battery", REPOSITORY / "notebooks/validation/battery.ipynb"
    )
    assert {"workbench.validation.brier", "workbench.models.trees", "workbench.tables"} <= modules
    assert not [m for m in modules if m.startswith(("workbench.runs", "workbench.cli", "workbench.reporting"))]
    assert {"pandas", "sklearn", "yaml"} <= packages and "json" not in packages
    assert closure.version("sklearn") and closure.version("yaml")
    assert "words/locale/zh_CN.po" in closure.sources(modules)


def test_a_remembered_study_is_the_one_that_was_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "notebooks").symlink_to(REPOSITORY / "notebooks")
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "t.yaml"
    path.write_text(STUDY)
    checked = plan.study(path)
    again = plan.study(path)
    assert [type(s.params).__name__ for s in again.steps] == ["Resolved"] * 4
    assert [fingerprint.facts(s) for s in again.steps] == [fingerprint.facts(s) for s in study.load(path).steps]
    assert [s.params.model_dump(mode="json") for s in again.steps] == [
        s.params.model_dump(mode="json") for s in checked.steps
    ]
    assert (again.needs, again.title) == (checked.needs, checked.title)
    packages = {s.name: set(s.packages) for s in again.steps}
    assert packages == {s.name: set(s.packages) for s in checked.steps} and "pandas" in packages["panel/build"]
    assert "mlflow" not in packages["panel/build"] and "mlflow" in packages["validation/battery"]
    path.write_text(STUDY.replace("panel/build:", "panel/build: {seed: 5}"))
    assert next(s for s in plan.study(path).steps if s.name == "panel/build").params.seed == 5
    assert [type(s.params).__name__ for s in plan.study(path, ("panel/build.seed=6",)).steps] != ["Resolved"] * 4


def test_versions_are_those_of_the_distributions_that_bring_a_package():
    brought = packages_distributions()
    for package in ("sklearn", "yaml", "dateutil", "google"):  # called otherwise than their distributions
        names = sorted(set(brought.get(package, ())))
        assert closure.version(package) == ", ".join(f"{n} {version(n)}" for n in names)
    assert closure.version("pandas") == version("pandas") and brought["yaml"]


def test_a_key_changes_with_the_modules_a_step_imports_however_far_down_and_with_no_other(keys):
    before, package = keys(), keys.home / "src" / "workbench"
    _append(package / "reporting" / "templates" / "house.css", "\n/* a comment */\n")
    _append(package / "cli.py", "\nUNRELATED = 1\n")
    _append(package / "models" / "development.py", "\n# a comment\n")
    _append(package / "customers" / "profile.py", "\nUNRELATED = 1\n")
    assert keys() == before, "what no step stands on"
    _append(package / "models" / "trees.py", "\nCHANGED = 1\n")
    after = keys()
    assert {n for n in before if before[n] != after[n]} == {"models/development", "validation/battery"}
    _append(package / "validation" / "brier.py", "\nCHANGED = 1\n")  # nobody imports it by name: pkgutil finds it
    last = keys()
    assert {n for n in after if after[n] != last[n]} == {"validation/battery"}
