"""What a guarded server refuses, and why: what the chain of signed moves alone may say, and what it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from workbench.registry import events, labels, store
from workbench.registry.guard.asked import Asked
from workbench.registry.guard.protected import Protected
from workbench.registry.state import replay

_MOVES = "a signed move does (`workbench submit … retire`)"
_SOURCES = ("models:/", "runs:/", "mlflow-artifacts:/")


def why(asked: Asked, user: str, protected: Protected) -> str:
    """Return why a request is refused, empty where it isn't; MLflow's own permissions have been asked before."""
    if asked.is_read:
        return ""
    return next((words for check in _CHECKS for words in check(asked, user, protected)), "")


def artifact(path: str, deletes: bool, protected: Protected) -> str:
    """Return why a file may not be written (or deleted) at a path of the artifact store, empty where it may.

    The path is read as MLflow will read it: what was encoded twice is decoded twice. What it refuses is left to it.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.utils.uri import validate_path_is_safe

    try:
        path = validate_path_is_safe(path.strip("/")) if path.strip("/") else ""
    except MlflowException:
        return ""
    if protected.holds(path, deletes):
        place = path.strip("/") or "the root"
        return f"artifacts below {place}: a governed version or a move stands on them; they stay as they are"
    return ""


def _alias(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    alias = asked.text("alias").lower()
    if asked.route != "registered-models/alias" or alias not in labels.ALIASES:
        return
    right = labels.aliases(replay(events.read()), asked.text("name"))[alias]
    version = asked.number("version") if asked.method == "POST" else ""
    if version != right or asked.text("alias") != alias:
        yield f"alias {asked.text('alias')}: the chain says {right or 'nothing'}; only {_MOVES}"


def _tag(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    if not asked.route.startswith("model-versions/"):
        return
    governed = {k: v for k, v in asked.tags.items() if f"{k.lower()}.".startswith(f"{labels.STATE}.")}
    if not governed:
        return
    right = labels.tags(replay(events.read()).of(asked.text("name"), asked.number("version")))
    for key, value in governed.items():
        after = "" if asked.method == "DELETE" else value
        if right.get(key, "") != after:
            yield f"tag {key}: the chain says {right.get(key) or 'nothing'}; only {_MOVES}"


def _events(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    if asked.text("name").startswith("governance/") or asked.text("new_name").startswith("governance/"):
        yield "names that begin with governance/ are reserved for the chain of moves"
    experiments = {asked.number("experiment_id"), *map(str, asked.fields.get("experiment_ids") or ())} - {""}
    if protected.experiment and protected.experiment in experiments:
        yield f"experiment {events.EXPERIMENT}: its runs are the chain of moves; only {_MOVES}"
    for run_id in asked.runs & protected.events:
        yield f"run {run_id}: it is an event of the chain of moves; nobody changes it"


def _evidence(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    for run_id in asked.runs & protected.runs:
        if not asked.route.startswith("model-versions/"):  # a version may be made of it
            yield f"run {run_id}: a governed version or its evidence stands on it; it stays as it is"
    if asked.route.startswith("logged-models/") and asked.text("model_id").lower() in protected.logged_models:
        yield f"logged model {asked.text('model_id')}: a governed version stands on it; it stays as it is"


def _lives(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    name, verb = asked.text("name"), asked.route.rpartition("/")[2]
    if asked.route.startswith("registered-models/") and verb in ("delete", "rename") and name in protected.models:
        yield f"model {name}: versions of it were moved; neither delete nor rename it; `workbench retire` ends one"
    version = (name, asked.number("version"))
    if asked.route in ("model-versions/delete", "model-versions/transition-stage") and version in protected.versions:
        yield f"{name} version {version[1]}: it was moved; neither delete nor stage it; `workbench retire` ends it"
    if asked.route in ("experiments/delete", "experiments/update", "experiments/restore"):
        study = _name_of(asked.number("experiment_id"))
        if study in protected.studies:
            yield f"experiment {study}: governed versions stand on its runs; it stays as it is"


def _name_of(experiment_id: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(store.client().get_experiment(experiment_id).name)
    except MlflowException:
        return ""


def _place(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    if asked.route == "experiments/create" and asked.text("artifact_location"):
        yield "artifact_location: the server says where artifacts lie; leave it out"
    source = asked.text("source")
    if asked.route == "model-versions/create" and not source.startswith(_SOURCES):
        yield f"source {source[:80]}: a version is made of a logged model (models:/…, runs:/…) of this server"


def _reserved(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    names: Mapping[str, str] = {
        "experiments/create": "name",
        "registered-models/create": "name",
        "model-versions/create": "name",
        "experiments/update": "new_name",
        "registered-models/rename": "new_name",
    }
    name = asked.text(names.get(asked.route, ""))
    able = protected.developers(name) if name else set()
    if able and user not in able:
        study = name.partition(".")[0]
        yield f"{name}: names of study '{study}' are reserved for its developers ({', '.join(sorted(able))})"


def _files(asked: Asked, user: str, protected: Protected) -> Iterator[str]:
    if (path := asked.text("artifact_path")) and asked.route.startswith("mlflow-artifacts/"):
        yield from filter(None, [artifact(path, asked.method == "DELETE", protected)])


_CHECKS: tuple[Callable[[Asked, str, Protected], Iterator[str]], ...] = (
    _alias,
    _tag,
    _events,
    _evidence,
    _lives,
    _place,
    _reserved,
    _files,
)
