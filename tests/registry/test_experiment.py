"""The tracking store: what two steps ask of it at once is there once, and both are told of it."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from workbench.registry import store


def test_steps_that_begin_at_once_share_the_experiment_that_one_of_them_makes(tmp_path, monkeypatch, empty_store):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    client, together = store.client(), Barrier(2)

    class Racing:
        """A client that looks for the experiment when the other one does, and finds none the first time."""

        def __init__(self):
            self.has_looked = False

        def get_experiment_by_name(self, name):
            if self.has_looked:
                return client.get_experiment_by_name(name)
            self.has_looked = True
            together.wait()
            return None

        def create_experiment(self, name, artifact_location=None):
            return client.create_experiment(name, artifact_location=artifact_location)

    clients = [Racing(), Racing()]
    monkeypatch.setattr(store, "client", lambda: clients.pop())
    with ThreadPoolExecutor(2) as pool:
        first, second = (f.result() for f in [pool.submit(store.experiment, "loans") for _ in range(2)])
    assert first == second == client.get_experiment_by_name("loans").experiment_id
