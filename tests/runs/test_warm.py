"""A warm kernel has its imports paid and nothing else of earlier notebooks; none outlives its runner."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat
import papermill
import psutil
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from workbench import home
from workbench.runs import notebook as step
from workbench.runs import warm
from workbench.runs.warm import WarmKernelError, warm_kernels

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
WHO = "import os, sys; print(os.getpid(), os.getppid(), 'pandas' in sys.modules)"


@pytest.fixture(scope="module")
def kernel():
    libraries = ("json", "pandas", "matplotlib.pyplot", "sklearn.linear_model", "xgboost")
    with warm_kernels(preload=[*libraries, *warm.READ], env={"OMP_NUM_THREADS": "1", "MPLBACKEND": ""}) as name:
        yield name


def notebook(*cells):
    language = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
    return nbformat.v4.new_notebook(metadata=language, cells=[nbformat.v4.new_code_cell(c) for c in cells])


def printed(nb):
    return "".join(o.get("text", "") for c in nb.cells for o in c.outputs)


def run(kernel, *cells, env=None, cwd="."):
    client = NotebookClient(
        notebook(*cells), kernel_name=kernel, timeout=60, resources={"metadata": {"path": str(cwd)}}
    )
    return client.execute(env={**os.environ, **(env or {})})


def gone(pids, seconds=8):
    """Return whether all processes end within the time; a zombie nobody has waited for has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        alive = [p for p in pids if psutil.pid_exists(p) and psutil.Process(p).status() != "zombie"]
        if not alive:
            return True
        time.sleep(0.1)
    return False


def test_imports_are_there_before_the_first_cell(kernel):
    assert printed(run(kernel, WHO)).split()[2] == "True"


def test_what_every_notebook_reads_is_read_before_the_first_cell(kernel):
    look = """
        from workbench.rules import book
        from workbench.words import catalogue
        print(book._file.cache_info().currsize > 0, catalogue.catalogue.cache_info().currsize)
    """
    assert printed(run(kernel, textwrap.dedent(look))).split() == ["True", "1"]


@pytest.mark.parametrize("is_warm", [True, False])
def test_kernel_and_runner_talk_over_sockets_that_only_their_owner_reaches(kernel, is_warm, tmp_path):
    look = """
        import json, os, psutil
        from ipykernel.kernelapp import IPKernelApp
        app = IPKernelApp.instance()
        ports = [c for c in psutil.Process().net_connections("inet") if c.status == "LISTEN"]
        print(json.dumps([app.transport, len(ports), oct(os.stat(os.path.dirname(app.ip)).st_mode & 0o777), app.ip]))
    """
    nbformat.write(notebook(textwrap.dedent(look)), tmp_path / "in.ipynb")
    name = kernel if is_warm else "python3"
    step.run(tmp_path / "in.ipynb", tmp_path / "out.ipynb", {}, os.environ, name, lambda *_: None)
    transport, ports, mode, place = json.loads(printed(nbformat.read(tmp_path / "out.ipynb", 4)))
    # One port is ipykernel's own, for what its forks print: it takes only what begins with 16 random bytes.
    assert (transport, mode) == ("ipc", "0o700") and ports <= 1 and not os.path.exists(os.path.dirname(place))


def test_sockets_lie_where_their_path_is_short_enough(monkeypatch, tmp_path):
    far = tmp_path / ("x" * 90)
    far.mkdir()
    monkeypatch.setenv("TMPDIR", str(far))
    place = home.for_sockets()
    assert len(os.fsencode(place)) < home.SOCKET_BYTES - 10 and list(far.iterdir()) == []
    place.rmdir()


def test_a_notebook_sees_nothing_of_the_one_before(kernel, tmp_path):
    spoil = """
        import builtins, os, pandas, sys
        builtins.planted = pandas.planted = sys.planted = mine = 1
        os.environ["PLANTED"] = "1"; os.chdir("/"); sys.path.append("/planted")
    """
    look = """
        import builtins, os, pandas, sys
        print([hasattr(x, "planted") for x in (builtins, pandas, sys)], "mine" in globals(),
              "PLANTED" in os.environ, "/planted" in sys.path, os.getcwd())
    """
    first = printed(run(kernel, WHO, textwrap.dedent(spoil), cwd=tmp_path)).split()
    second = printed(run(kernel, WHO, textwrap.dedent(look), cwd=tmp_path)).split(maxsplit=3)
    assert second[3].strip() == f"[False, False, False] False False False {tmp_path}"
    assert first[0] != second[0] and first[1] == second[1]


def test_two_at_once_draw_different_random_numbers(kernel, tmp_path):
    draw = "import random, numpy; print(random.random(), numpy.random.rand())"

    def one(i):
        papermill.execute_notebook(
            tmp_path / "in.ipynb", tmp_path / f"{i}.ipynb", kernel_name=kernel, progress_bar=False
        )
        return printed(nbformat.read(tmp_path / f"{i}.ipynb", 4)).split()

    nbformat.write(notebook(WHO, draw), tmp_path / "in.ipynb")
    with ThreadPoolExecutor(2) as pool:
        a, b = pool.map(one, range(2))
    assert a[0] != b[0] and a[1] == b[1] and a[3] != b[3] and a[4] != b[4]


def test_environment_of_the_launch_wins_over_that_of_the_kernels(kernel):
    show = "import os; print(os.environ['GIVEN'], os.environ['OMP_NUM_THREADS'])"
    assert printed(run(kernel, show, env={"GIVEN": "x"})).split() == ["x", "1"]
    assert printed(run(kernel, show, env={"GIVEN": "y", "OMP_NUM_THREADS": "2"})).split() == ["y", "2"]


@pytest.mark.parametrize("death", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_kernel_that_dies_is_noticed(kernel, death):
    began = time.monotonic()
    with pytest.raises(DeadKernelError):
        run(kernel, f"import os; {death}")
    assert time.monotonic() - began < 20


def test_exit_code_interrupt_and_restart(kernel):
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        asked = client.execute("import time; time.sleep(60)")
        time.sleep(1)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=10)
        assert reply["parent_header"]["msg_id"] == asked and reply["content"]["ename"] == "KeyboardInterrupt"
        before = manager.provisioner.pid
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=30)
        assert manager.provisioner.pid != before and gone([before])
        client.execute("import os; os._exit(3)")
        assert gone([manager.provisioner.pid])
        assert asyncio.run(manager.provisioner.wait()) == 3
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


RUNNER = """
    import sys, time
    from jupyter_client.manager import KernelManager
    from workbench.runs import warm
    with warm.warm_kernels(preload=["json"]) as name:
        kernels = [KernelManager(kernel_name=name) for _ in range(2)]
        for k in kernels:
            k.start_kernel()
            c = k.client(); c.start_channels(); c.wait_for_ready(timeout=30)
        c.execute("while True: pass")
        print(warm._servers[0].process.pid, *(k.provisioner.pid for k in kernels), flush=True)
        time.sleep(60)
"""


def test_no_process_outlives_a_killed_runner(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a killed runner leaves its log and an empty folder there
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(RUNNER)], stdout=subprocess.PIPE) as runner:
        pids = [int(p) for p in runner.stdout.readline().split()]
        assert len(pids) == 3 and all(psutil.pid_exists(p) for p in pids)
        runner.kill()
    assert gone(pids)


def test_a_parent_that_still_imports_ends_with_its_starter(tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text("import time; time.sleep(30)")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with warm_kernels(preload=["slow"]):
        server = warm._servers[-1].process
        time.sleep(1)
        began = time.monotonic()
    assert server.returncode == 0 and time.monotonic() - began < 4


def test_kernels_are_dead_when_their_parent_is_killed(tmp_path):
    with warm_kernels(preload=["json"], log=tmp_path / "log") as name:
        server = warm._servers[-1].process
        with pytest.raises(DeadKernelError):
            run(name, "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(30)")
        with pytest.raises(WarmKernelError, match=f"ended with code {-signal.SIGKILL}"):
            run(name, "1")
    assert server.returncode == -signal.SIGKILL


def test_a_parent_that_cannot_start_says_so_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("raise ValueError('planted')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with warm_kernels(preload=["broken"], log=tmp_path / "log") as name, pytest.raises(WarmKernelError) as e:
        run(name, "1")
    assert str(e.value) == (
        f"no warm kernel: its parent process ended with code 1; last line: ValueError: planted; log: {tmp_path / 'log'}"
    )


def test_a_parent_whose_files_somebody_has_removed_says_so_in_one_line(tmp_path):
    with warm_kernels(preload=["json"], log=tmp_path / "log") as name:
        server = warm._servers[-1]
        server.log.unlink()
        (server._folder / "fork").unlink()
        with pytest.raises(WarmKernelError) as e:
            run(name, "1")
    assert "No such file or directory); last line: it said nothing; log: " in str(e.value) and "\n" not in str(e.value)


def test_a_module_that_is_not_installed_is_left_out(tmp_path):
    with warm_kernels(preload=["no_such_module"], log=tmp_path / "log") as name:
        assert printed(run(name, "print(1)")) == "1\n"
    assert "not preloaded: no_such_module" in (tmp_path / "log").read_text()


def test_what_was_set_is_put_back(monkeypatch):
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    with warm_kernels(preload=[]) as name:
        assert name == "workbench-warm" and str(warm.SPECS) in os.environ["JUPYTER_PATH"]
        server = warm._servers[-1]
    assert "JUPYTER_PATH" not in os.environ and server not in warm._servers
    assert server.process.returncode is not None and not server.log.exists()


def test_without_fork_each_notebook_gets_a_new_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with warm_kernels() as name:
        assert name == "python3"


@pytest.mark.whole
def test_models_fit_and_figures_show_in_a_child(kernel):
    fit = """
        import numpy as np, xgboost, matplotlib.pyplot as plt, json
        from sklearn.linear_model import LogisticRegression
        x = np.random.default_rng(1).normal(size=(400, 3)); y = x[:, 0] > 0
        models = LogisticRegression(), xgboost.XGBClassifier(n_estimators=5, n_jobs=2)
        print(json.dumps([m.fit(x, y).score(x, y) for m in models]))
        plt.plot([1, 2]);
    """
    nb = run(kernel, textwrap.dedent(fit))
    assert min(json.loads(printed(nb))) > 0.95
    assert any("image/png" in o.get("data", {}) for o in nb.cells[0].outputs)
