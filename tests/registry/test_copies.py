"""What is read from another place leaves nothing behind: a copy lies in its process's own folder, which goes with it."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from workbench.params import Key
from workbench.registry import copies, runs, store


@pytest.fixture
def aside(tmp_path, empty_store, monkeypatch) -> Path:
    """The folder of what is laid aside, in a home whose store is empty."""
    for name in ("mlruns", "tmp"):
        (tmp_path / name).mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def test_what_is_fetched_from_elsewhere_lies_in_one_folder_that_goes_with_its_process(aside):
    far = aside.parent / "far"  # MLflow copies what lies in a folder, too
    store.client().create_experiment("far", artifact_location=far.as_uri())
    run_id = runs.start(Key("far", "once"), "far", {"seed": 1})
    place = far / run_id / "artifacts" / "evidence"
    place.mkdir(parents=True)
    for content in ("first", "second"):  # a copy says what the server says now
        (place / "evidence.json").write_text(content)
        assert runs.fetch(run_id, "evidence/evidence.json").read_text() == content
    runs.end(run_id, "FINISHED")
    (copied,) = aside.iterdir()
    assert copied.name.startswith(copies.PREFIX) and len([p for p in copied.rglob("*") if p.is_file()]) == 1
    copies._cleared(0, copied)  # as in a process that was forked from it
    assert copied.exists()
    copies._cleared(os.getpid(), copied)
    assert list(aside.iterdir()) == []
