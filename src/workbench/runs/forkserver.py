"""The warm kernels' parent process: imports the libraries once, then forks a kernel per request.

Started by `workbench.runs.warm` as `python -m workbench.runs.forkserver --listen FD --preload a,b,c`.
One connection is one kernel: the request comes in, the pid goes out, the exit code follows when the
kernel has ended; who hangs up before that has given the kernel up. No thread of ours and no fit here: a
child forked beside a running thread may find that thread's locks held for ever. (The threads OpenBLAS and
Arrow's allocator start when imported have fork handlers of their own.)
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import sys
import tempfile
import time
from typing import Any, NoReturn

from workbench import collect_seldom

PR_SET_PDEATHSIG = 1  # linux/prctl.h
REQUEST_SECONDS = 10.0
INLINE = "module://matplotlib_inline.backend_inline"
OWN = ("ipykernel.kernelapp", "ipykernel.debugger", "IPython.core.debugger")  # what every kernel imports as it starts

Request = dict[str, Any]


class Server:
    """Answers requests until the starter closes our standard input or is gone."""

    def __init__(self, listener: socket.socket, starter: int):
        self.listener, self.starter = listener, starter
        self.lines: dict[int, socket.socket] = {}
        self.wakeup, self._wake = socket.socketpair()
        self.selector = selectors.PollSelector()
        for source in (sys.stdin.fileno(), listener, self.wakeup):
            self.selector.register(source, selectors.EVENT_READ)
        for end in (self.wakeup, self._wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler the wake-up isn't written
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def serve(self) -> Request | None:
        """Fork a kernel per request. Returns None in the parent, at the end, and in a child its request.

        The child leaves by returning: nothing of the parent's loop stays on its stack or runs at its exit.
        """
        # The second look is for a starter whose other children hold our pipe's end open after it.
        while os.getppid() == self.starter:
            for key, _ in self.selector.select(timeout=1.0):
                if key.fileobj == sys.stdin.fileno():
                    return self._end()
                if key.fileobj is self.listener:
                    if request := self._admit():
                        return request
                elif key.fileobj is not self.wakeup:
                    self._given_up(key.fileobj)
            self._reap()
        return self._end()

    def _admit(self) -> Request | None:
        """Fork for the caller at the door; returns the request in the child only."""
        line, _ = self.listener.accept()
        line.settimeout(REQUEST_SECONDS)
        try:
            with line.makefile("rb") as request_line:
                request = json.loads(request_line.readline())
            sys.stdout.flush()
            pid = os.fork()
        except (OSError, ValueError) as e:  # no memory or no process left, or the caller has gone
            tell(line, error=f"{type(e).__name__}: {e}")
            line.close()
            return None
        if pid == 0:
            line.close()
            self._leave()
            return request
        self.lines[pid] = line
        self.selector.register(line, selectors.EVENT_READ)
        tell(line, pid=pid)
        return None

    def _leave(self) -> None:
        """Close what the parent holds: a copy of a line in a child would hide that its caller hung up."""
        signal.set_wakeup_fd(-1)
        for end in (self.listener, self.wakeup, self._wake, *self.lines.values()):
            end.close()
        self.lines.clear()

    def _given_up(self, line: Any) -> None:
        self.selector.unregister(line)
        for pid in [p for p, held in self.lines.items() if held is line]:
            kill(pid)

    def _reap(self) -> None:
        """Tell the callers of the kernels that have ended how they ended."""
        with contextlib.suppress(BlockingIOError):
            self.wakeup.recv(4096)
        for pid in list(self.lines):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._ended(self.lines.pop(pid), os.waitstatus_to_exitcode(status))

    def _ended(self, line: socket.socket, code: int) -> None:
        tell(line, exit=code)
        with contextlib.suppress(KeyError):
            self.selector.unregister(line)
        line.close()

    def _end(self) -> None:
        for pid in self.lines:
            kill(pid)
        for pid in self.lines:
            os.waitpid(pid, 0)


def tell(line: socket.socket, **message: Any) -> None:
    """Send one message; a caller who has gone needs none."""
    with contextlib.suppress(OSError):
        line.sendall(json.dumps(message).encode() + b"\n")


def kill(pid: int) -> None:
    """Kill a kernel and what it has started (its process group; itself, where it has no group yet)."""
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            send(pid, signal.SIGKILL)


def starter_is_gone(starter: int) -> bool:
    """Return whether nobody waits for us: our input is closed (nothing is ever written) or he is dead."""
    return os.getppid() != starter or bool(select.select([sys.stdin], [], [], 0)[0])


def preload(modules: list[str], starter: int) -> None:
    """Import the modules, call `module:function`; one that isn't installed is left to the notebook that wants it."""
    began = time.monotonic()
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0) if starter_is_gone(starter) else None)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)  # a long import mustn't outlive its starter
    for name in ["ipykernel.kernelapp", *modules]:
        module, _, function = name.partition(":")
        try:
            imported = importlib.import_module(module)
        except ImportError as e:
            sys.stderr.write(f"not preloaded: {name} ({e})\n")
        else:
            if function:
                getattr(imported, function)()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    gc.collect()
    gc.freeze()  # the children's collector leaves these objects, and so the shared pages, alone
    threads = len(os.listdir("/proc/self/task"))
    sys.stderr.write(f"ready after {time.monotonic() - began:.1f} s, threads: {threads}\n")


def become_kernel(request: Request, server: int) -> None:
    """Turn this forked child into the kernel that was asked for, and run it to its end."""
    os.setsid()
    _die_with(server)
    _reset_signals()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(request["cwd"])
    _set_environment({**request["env"], "JPY_PARENT_PID": str(server)})
    _reseed()
    sys.argv = ["ipykernel_launcher", *request["argv"]]
    from ipykernel.kernelapp import IPKernelApp

    # ipykernel read JPY_PARENT_PID when it was imported, in the parent: its poller is told here.
    app = IPKernelApp.instance(parent_handle=server)
    app.initialize(request["argv"])
    _choose_backend()
    app.start()


def _die_with(server: int) -> None:
    """Let the system kill this kernel when the server ends, however it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)


def _reset_signals() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _set_environment(env: dict[str, str]) -> None:
    """Give this process the launch's environment, and what Python has derived from the parent's anew."""
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    tempfile.tempdir = None
    paths = [os.path.abspath(p) for p in env.get("PYTHONPATH", "").split(os.pathsep) if p]
    sys.path[:0] = [p for p in paths if p not in sys.path and os.path.isdir(p)]


def _reseed() -> None:
    """Draw a new seed, or all notebooks would draw the same numbers; `random` has its own fork hook."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


def _choose_backend() -> None:
    """Let a preloaded matplotlib draw where a fresh one would: it read MPLBACKEND in the parent."""
    backend = os.environ.get("MPLBACKEND") or INLINE
    if matplotlib := sys.modules.get("matplotlib"):
        # Not `matplotlib.use`: it names the backend after loading it, and inline looks for its name then.
        matplotlib.rcParams["backend"] = backend
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.switch_backend(backend)


def _ended(kernels: list[int]) -> None:
    """End a kernel that has run to its end, after all other exit handlers and before the interpreter is taken apart.

    That would touch, and so copy, all that a kernel shares with its parent: longer than its start takes.
    """
    if os.getpid() in kernels:
        for stream in (sys.__stdout__, sys.__stderr__):
            stream.flush()
        os._exit(0)


def _drop_working_directory() -> None:
    """Take out what `-m` put in front: a kernel's modules come from its own folder."""
    if not sys.flags.safe_path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


def main() -> NoReturn:
    """Preload, serve; in a child: be the kernel."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=int, required=True, help="descriptor of a listening socket")
    parser.add_argument("--preload", default="", help="modules to import, module:function to call first")
    given = parser.parse_args()
    server, starter = os.getpid(), os.getppid()
    kernels: list[int] = []
    atexit.register(_ended, kernels)  # first in, last out
    _drop_working_directory()
    collect_seldom()
    preload([*OWN, *(m for m in given.preload.split(",") if m)], starter)
    if request := Server(socket.socket(fileno=given.listen), starter).serve():
        become_kernel(request, server)
        kernels.append(os.getpid())
    sys.exit(0)


if __name__ == "__main__":
    main()
