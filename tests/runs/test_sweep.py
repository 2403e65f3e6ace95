"""What dead runners have left is swept, and what others are sweeping meanwhile is no fault."""

import os
from pathlib import Path

from workbench import home
from workbench.runs import sweep


def test_what_the_kernels_of_a_dead_runner_left_is_swept_and_a_living_ones_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "socket_places", lambda: (str(tmp_path),))
    dead, alive = (tmp_path / f"{home.KERNELS}{pid}-abc.log" for pid in (2**22 + 1, os.getpid()))
    folder = tmp_path / f"{home.KERNELS}{2**22 + 1}-abc"
    for file in (dead, alive, folder / "fork"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    sweep._kernels()
    assert sorted(tmp_path.iterdir()) == [alive]


def test_what_another_runner_takes_along_while_we_look_is_no_fault(tmp_path, monkeypatch):
    gone = [tmp_path / f"{home.KERNELS}{pid}-abc.log" for pid in (2**22 + 1, os.getpid())]
    monkeypatch.setattr(Path, "glob", lambda *_: gone)
    sweep._kernels()
    assert sweep._age(gone[0]) == 0.0
