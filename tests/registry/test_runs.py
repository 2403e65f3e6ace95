"""Runs in MLflow, where several steps write at once."""

from concurrent.futures import ThreadPoolExecutor

from workbench.params import Key
from workbench.registry import runs, store


def test_steps_that_read_one_table_at_once_all_name_it(bank):
    ids = [runs.start(Key("race"), f"step {n}", {}) for n in range(6)]
    for table in ("core__account", "core__month", "core__event"):
        with ThreadPoolExecutor(len(ids)) as pool:
            list(pool.map(lambda run_id, name=table: runs.log_inputs(run_id, [(name, "a" * 64)]), ids))
    read = [{i.dataset.name for i in store.client().get_run(run_id).inputs.dataset_inputs} for run_id in ids]
    assert read == [{"core__account", "core__month", "core__event"}] * len(ids)
