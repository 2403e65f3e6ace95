"""The servers of `reports/` and of the desk in tests: in a thread of this process, stopped at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from workbench.reporting import serving
from workbench.runs import servers


@contextmanager
def served(mlflow: Callable[[], str]) -> Iterator[str]:
    """Yield the address at which the home's reports are served."""
    with running(lambda port: serving.config(port, mlflow)) as address:
        yield address


@contextmanager
def running(config: Callable[[int], uvicorn.Config]) -> Iterator[str]:
    """Yield the address of a server, by its configuration for a port."""
    bound = servers.bound(0)
    port = bound.getsockname()[1]
    server = uvicorn.Server(config(port))
    thread = Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        bound.close()
