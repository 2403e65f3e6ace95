"""What a request to MLflow asks for, in one form: names as the API spells them, numbers in one spelling."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_PREFIX = re.compile(r"^.*?/(?:ajax-)?api/\d\.\d/(?:mlflow/)?")
_READS = ("search", "search-datasets", "get-latest-versions", "batchGetInfos", "graphql", "presigned-download-url")
_SHOWN = ("name", "version", "alias", "key", "new_name", "run_id", "experiment_id", "model_id", "username", "is_admin")
SHOWN_LENGTH = 200


@dataclass(frozen=True)
class Asked:
    """A request: method, route without its prefix (`registered-models/alias`), and its fields, in snake case."""

    method: str
    route: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_read(self) -> bool:
        """Say whether it changes nothing: GET, and the searches that MLflow serves as POST."""
        if self.method == "POST" and not self.route.startswith("mlflow-artifacts/"):
            return self.route.strip("/").rpartition("/")[2] in _READS
        return self.method in ("GET", "HEAD", "OPTIONS")

    def text(self, name: str) -> str:
        """Return a field as text, empty where it isn't given."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> str:
        """Return a field that MLflow reads as a number, in one spelling: of `07`, ` 7` and `7` it makes the same.

        >>> Asked("POST", "runs/create", {"experiment_id": " 07"}).number("experiment_id")
        '7'
        """
        return plain(self.text(name))

    @property
    def runs(self) -> set[str]:
        """The runs it writes to."""
        return {self.text(n).lower() for n in ("run_id", "run_uuid") if self.text(n)}

    @property
    def tags(self) -> dict[str, str]:
        """The tags it sets or deletes: of one (`key`, `value`), or of several (`tags`)."""
        many = self.fields.get("tags")
        out = {str(t.get("key")): str(t.get("value", "")) for t in many or () if isinstance(t, dict)}
        return out | ({self.text("key"): self.text("value")} if self.text("key") else {})

    @property
    def shown(self) -> dict[str, str]:
        """What of it is journalled: method, route and which things it names; no password, no content."""
        names = {n: self.text(n)[:SHOWN_LENGTH] for n in _SHOWN if self.text(n)}
        return {"method": self.method, "route": self.route, **names}


def plain(number: str) -> str:
    """Return a whole number in its shortest spelling, other text as it is."""
    try:
        return str(int(number))
    except ValueError:
        return number


def read(method: str, path: str, sources: Iterable[Any]) -> Asked:
    """Return what is asked by a path and by bodies, queries and parts of the path, the later counting.

    Old clients send their JSON as text within JSON, and field names may be in camel case: MLflow takes both.
    """
    fields: dict[str, Any] = {}
    for source in sources:
        source = _decoded(source)
        if isinstance(source, Mapping):
            fields |= {_snake(str(name)): value for name, value in source.items()}
    return Asked(method, _PREFIX.sub("", path), fields)


def _decoded(source: Any) -> Any:
    if not isinstance(source, str):
        return source
    try:
        return json.loads(source)
    except ValueError:
        return None


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()
