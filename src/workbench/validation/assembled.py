"""The subject of a registered version: its model and panel, the bank's months, and how MLflow serves it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd

from workbench.contracts import Contract
from workbench.registry import serving
from workbench.registry.versions import Version
from workbench.validation import raw
from workbench.validation.battery import Params
from workbench.validation.subject import Subject, subject


def of_version(version: Version, panel: pd.DataFrame, contract: Contract, p: Params) -> Subject:
    """Return what the battery is run on."""
    s = subject(version.model, panel, contract, version.figures, p.rules(), p.seed)
    served = partial(serving.served, version.name, version.version)
    return replace(s, served=served, raw=raw.read(p.key, s.outcome))
