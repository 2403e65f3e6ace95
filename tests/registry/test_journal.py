"""The journal of a guarded server: lines follow one another, from several processes too; a changed one is named."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from workbench import cli
from workbench.registry.guard.journal import Journal


def _append(path: Path, user: str) -> None:
    for n in range(20):
        Journal(path).append(user, {"route": "registered-models/alias", "version": str(n)}, "done")


def test_lines_of_several_processes_follow_one_another(tmp_path):
    path = tmp_path / "journal.jsonl"
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_append, [path, path], ["dev", "own"]))
    journal = Journal(path)
    assert journal.faults() == [] and [e["n"] for e in journal.entries()] == list(range(1, 41))
    assert path.stat().st_mode & 0o077 == 0


def test_a_line_longer_than_a_block_is_followed(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    for length in (10, 200_000, 10):
        journal.append("dev", {"name": "x" * length}, "done")
    assert journal.faults() == [] and len(journal.entries()) == 3


def test_a_changed_line_a_gone_one_and_one_that_is_none_are_named_and_the_journal_goes_on(tmp_path, capsys):
    path = tmp_path / "journal.jsonl"
    for user in ("dev", "val", "app", "own"):
        Journal(path).append(user, {"method": "POST", "route": "workbench/moves", "verb": "promote"}, "done")
    assert cli.main(["journal", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"  1  \S+Z  dev  route workbench/moves verb promote; done", out[0])
    assert out[-1] == "4 lines, none altered or out of order"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0].replace(b'"dev"', b'"eve"') + lines[2] + b"not a line\n")
    Journal(path).append("own", {"route": "users/create"}, "done")
    assert cli.main(["journal", str(path)]) == 1
    assert capsys.readouterr().out.splitlines()[4:] == [
        f"{path}: line 1: its content was altered",
        f"{path}: line 2: it doesn't follow the line before as that is now",
        f"{path}: line 3: its content was altered",
        "4 lines, 3 altered or out of order",
    ]
    assert cli.main(["journal", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == (
        f"workbench: {tmp_path / 'none'} is not there; name the file that the server's WORKBENCH_JOURNAL names\n"
    )
    assert cli.main(["journal", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"workbench: {tmp_path} is a folder; name the file in it that the server's WORKBENCH_JOURNAL names\n"
    )


@pytest.mark.parametrize(
    "content", [b"title: T\nsteps: {}\n", b'{"n": 1, "at": "2018"}\n', b"\x00\xff\n\x80", b"[1]\n2\n"]
)
def test_a_file_that_is_no_journal_is_none_that_was_altered(tmp_path, capsys, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    assert cli.main(["journal", str(path)]) == 2
    assert capsys.readouterr() == (
        "",
        f"workbench: {path} is no journal of a server; name the file that its WORKBENCH_JOURNAL names\n",
    )
