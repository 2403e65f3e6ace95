"""Links in MLflow's own pages: from a version to the pages that speak of it and to its moves, from runs to models.

A validator who has nothing but the tracking server gets from the version to every page, and back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workbench.registry import events, store

PAGE = "page.html"
_LINE = re.compile(r"^- \[([^\]]*)\]\(.*\)$")


def model_id(name: str, version: str) -> str:
    """Return the logged model that a version is made of, empty where it is made of other files."""
    source = str(store.client().get_model_version(name, version).source or "")
    place, _, logged = source.partition("models:/")
    return "" if place or "/" in logged else logged


def logged_models(run_id: str, entries: list[Mapping[str, Any]]) -> list[str]:
    """Let a run name the registered models it has read, as MLflow shows them on both pages; return their ids."""
    from mlflow.entities import LoggedModelInput

    ids = [i for e in entries if (i := model_id(e["name"], str(e["version"])))]
    if ids:
        store.client().log_inputs(run_id, models=[LoggedModelInput(i) for i in ids])
    return ids


def described(before: str, text: str, links: Mapping[str, str]) -> str:
    """Return a version's description (Markdown): the text, then the links it had and these, one a line, last its moves.

    >>> described("old\\n\\n- [battery](#/b)", "new", {"development": "#/d"}).splitlines()[2:4]
    ['- [battery](#/b)', '- [development](#/d)']
    """
    known = {m[1]: line for line in before.splitlines() if (m := _LINE.match(line))}
    known |= {label: f"- [{label}]({address})" for label, address in links.items()}
    return "\n".join([text, "", *(known[label] for label in sorted(known))])


def text_of(description: str) -> str:
    """Return a description without its links."""
    return "\n".join(line for line in description.splitlines() if not _LINE.match(line)).strip()


def describe(name: str, version: str, links: Mapping[str, str], text: str = "") -> None:
    """Let a version's description hold these links beside those it has, and one to its moves; a text replaces it."""
    before = store.client().get_model_version(name, version).description or ""
    after = described(before, text or text_of(before), {**links, **of_moves(name)})
    if after != before:
        store.client().update_model_version(name, version, after)


def undescribe(name: str, version: str, step: str) -> None:
    """Let a version's description no longer hold the link to a step's page."""
    before = store.client().get_model_version(name, version).description or ""
    after = "\n".join(line for line in before.splitlines() if not line.startswith(f"- [{_called(step)}]("))
    if after != before:
        store.client().update_model_version(name, version, after)


def _called(step: str) -> str:
    return f"page of {step}"


def of_run(run_id: str, step: str) -> dict[str, str]:
    """Return the link to the page that a run left."""
    experiment = store.client().get_run(run_id).info.experiment_id
    return {_called(step): f"#/experiments/{experiment}/runs/{run_id}/artifacts/{PAGE}"}


def of_moves(model: str) -> dict[str, str]:
    """Return the link to the moves of a model, in MLflow's list of runs; none before the first."""
    experiment = store.client().get_experiment_by_name(events.EXPERIMENT)
    if experiment is None:
        return {}
    query = quote(f'params.model = "{model}"')
    return {"signed moves": f"#/experiments/{experiment.experiment_id}/runs?searchFilter={query}"}
