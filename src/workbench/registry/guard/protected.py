"""What the chain of moves protects on a server: the versions it speaks of, and all that they stand on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from workbench.registry import events, looking, registered, runs, store
from workbench.registry.events import Event
from workbench.registry.guard import inside
from workbench.registry.policy import Policy


@dataclass(frozen=True)
class Protected:
    """Names, numbers and ids that nobody changes; `places` are paths of artifacts, `studies` names of experiments.

    `experiment`: the number of the experiment of moves, empty where there is none yet; `events`: its runs.
    """

    experiment: str = ""
    events: frozenset[str] = frozenset()
    versions: frozenset[tuple[str, str]] = frozenset()
    runs: frozenset[str] = frozenset()
    logged_models: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    policy: Policy | None = None

    @property
    def models(self) -> set[str]:
        """The models of which a version was moved."""
        return {model for model, _ in self.versions}

    @property
    def studies(self) -> set[str]:
        """The studies whose runs the moves stand on."""
        return {model.partition(".")[0] for model in self.models} | {events.EXPERIMENT}

    def developers(self, name: str) -> set[str]:
        """Return who may make an experiment or model of this name; nobody where it isn't reserved.

        Reserved are the study of a listed model (`bank`) and all names that begin with it (`bank.pd`).
        """
        listed = self.policy.models if self.policy else {}
        study = name.partition(".")[0]
        return {d for model, m in listed.items() if model.partition(".")[0] == study for d in m.developers}

    def holds(self, path: str, deletes: bool = False) -> bool:
        """Say whether an artifact's path lies in a protected place, or (deleting) above one."""
        path = path.strip("/")
        below = any(f"{path}/".startswith(f"{place}/") for place in self.places)
        return below or (deletes and any(f"{place}/".startswith(f"{path}/" if path else "") for place in self.places))


def now() -> Protected:
    """Return what is protected at this moment; read anew whenever a move was written."""
    return _at(inside.written())


@lru_cache(maxsize=2)
@looking.once()
def _at(written: frozenset[tuple[str, int]]) -> Protected:
    experiment = store.client().get_experiment_by_name(events.EXPERIMENT) if written else None
    if experiment is None:
        return Protected()
    chain = events.read()
    versions = frozenset((e.model, e.version) for e in chain.events if e.model)
    ids = frozenset(run for e in chain.events for run in _stands_on(e))
    logged = {r.model_id for r in registered.everything() if (r.model, r.version) in versions and r.model_id}
    adopted = events.adopted(chain.policy())
    return Protected(
        str(experiment.experiment_id),
        frozenset(run for run, _ in written),
        versions,
        ids,
        frozenset(logged),
        frozenset({str(experiment.experiment_id), *_places(ids, logged)} - {""}),
        adopted.policy if adopted else None,
    )


def _stands_on(e: Event) -> list[str]:
    evidence = events.evidence(e) or {}
    return [run for run in (evidence.get("run_id"), *evidence.get("runs", {})) if run]


def _places(ids: Iterable[str], logged: Iterable[str]) -> Iterable[str]:
    from mlflow.exceptions import MlflowException

    for run_id in ids:
        if runs.status(run_id):
            yield inside.proxied_path(store.client().get_run(run_id).info.artifact_uri)
    for model_id in logged:
        try:
            yield inside.proxied_path(store.client().get_logged_model(model_id).artifact_location)
        except MlflowException:  # deleted before the guard stood: the audit names it
            continue
