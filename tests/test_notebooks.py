"""Every notebook is found and held to the house's form: parameters, size, no outputs, thin."""

import ast
import importlib
import json
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(p for p in FOLDER.glob("*/*.ipynb") if ".ipynb_checkpoints" not in str(p))
MOST_CELLS, MOST_LINES = 30, 15
TYPES = {"str": str, "int": (int,), "float": (float, int), "bool": bool, "list": list, "dict": dict}


def _id(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def _parameters(path: Path) -> list[str]:
    cells = [c for c in nbformat.read(path, 4).cells if "parameters" in c.metadata.get("tags", [])]
    assert len(cells) == 1, "exactly one cell is tagged `parameters`"
    return cells[0].source.splitlines()


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_id)
def test_parameters_are_the_fields_of_the_step(path):
    module = importlib.import_module(f"workbench.{_id(path).replace('/', '.')}")
    values = {}
    for line in _parameters(path):
        node = ast.parse(line).body[0]
        assert isinstance(node, ast.AnnAssign), f"one `name: type = value  # help` a line: {line}"
        assert "=" not in line.partition("#")[2], f"papermill cannot read a comment with '=': {line}"
        values[node.target.id] = ast.literal_eval(node.value)
    assert list(values) == list(module.Params.model_fields)
    defaults = module.Params(**values).model_dump(mode="json")
    assert defaults == module.Params().model_dump(mode="json")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_id)
def test_papermill_reads_every_parameter(path):
    import papermill

    parameters = papermill.inspect_notebook(path)
    assert len(parameters) == len(_parameters(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_id)
def test_notebook_is_thin_and_clean(path):
    notebook = nbformat.read(path, 4)
    assert len(notebook.cells) <= MOST_CELLS
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        assert cell.outputs == [] and cell.execution_count is None
        lines = cell.source.splitlines()
        assert len(lines) <= MOST_LINES or "parameters" in cell.metadata.get("tags", []), cell.source
        assert not any(isinstance(n, ast.FunctionDef | ast.ClassDef) for n in ast.walk(ast.parse(cell.source)))
    assert notebook.cells[0].source.startswith("# ")
    assert any(c.source.startswith("## Conclusion") for c in notebook.cells)
    assert "evidence.leave(" in notebook.cells[-1].source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_id)
def test_no_cell_gives_a_parameter_another_value(path):
    """Else the cell that reads the parameters can't be run again: the error would print a table."""
    parameters = {line.partition(":")[0] for line in _parameters(path)}
    cells = [c for c in nbformat.read(path, 4).cells if c.cell_type == "code" and not c.metadata.get("tags")]
    nodes = [n for c in cells for n in ast.walk(ast.parse(c.source)) if isinstance(n, ast.Name)]
    assert not {n.id for n in nodes if isinstance(n.ctx, ast.Store)} & parameters


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_id)
def test_notebook_names_no_machine(path):
    text = path.read_text()
    assert json.loads(text)["metadata"].keys() <= {"kernelspec", "language_info"}
    assert "/home/" not in text and "/work/" not in text
