"""A model made elsewhere, taken in: read from MLflow, given reference bins and grades, and measured as ours are."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import yaml
from pydantic import Field

from workbench import params, tables
from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.models import comparison, development, scorer
from workbench.models.kinds import kinds
from workbench.models.samples import LEAST_ROWS, Sample
from workbench.models.scorer import Calibration
from workbench.models.tuning import Candidate
from workbench.panel.bins import is_category
from workbench.params import UserError, all_or, nearest
from workbench.registry import registered
from workbench.registry.registered import Registered
from workbench.words import say

SOURCE = re.compile(r"models:/([^/]+)/([0-9]+)")
MOST_BYTES = 64 * 2**20  # of a model that goes into a JSON file


class Params(params.Params):
    """Which model of the registry is taken in, as which model of the study, on which panel."""

    source: str = Field("models:/sample.pd/1", description="models:/NAME/VERSION: what is taken in")
    panel: str = Field("mart__panel", pattern=r"^mart__[a-z0-9_]+$", description="panel it predicts")
    model: str = Field("pd", pattern=r"^[a-z0-9_]+$", description="its name within the study")
    runs_code: str = Field("", description="why a format that runs code is let in all the same; empty refuses it")
    min_grade_share: float = Field(0.05, gt=0, lt=0.5, description="smallest share of a grade")
    seed: int = Field(42, ge=0, description="seed of the bootstrap")
    max_development_rows: Annotated[int, all_or(LEAST_ROWS)] = Field(
        0, ge=0, description="rows at most that bins and grades are made of; 0 takes all"
    )

    def verify(self) -> None:
        """Raise `UserError` where the source names no version."""
        if not SOURCE.fullmatch(self.source):
            raise UserError(f"registry/adoption: '{self.source[:80]}' names no version; write models:/NAME/VERSION")


def reads(p: Params) -> list[str]:
    """Tables this step reads: the panel."""
    return [p.panel]


def files(p: Params) -> list[Path]:
    """Files this step reads: those of the version it takes in."""
    folder = registered.folder(_registered(p))
    return sorted(f for f in folder.rglob("*") if f.is_file())


def writes(p: Params) -> list[str]:
    """What this step writes: predictions of every row of the panel, and the model (registered by the runner)."""
    return [f"mart__scores_{p.model}", tables.of_model(p.model)]


@dataclass(frozen=True)
class Adopted:
    """What was read of a model: its format in words, the estimator that carries it, and why code may run.

    `inputs`: the columns it reads, in its order; `calibration`: None of one whose predictions are taken as they are.
    """

    source: Registered
    form: str
    estimator: Any
    inputs: tuple[str, ...]
    runs_code: str = ""
    calibration: Calibration | None = None

    @property
    def kind(self) -> str:
        """The kind of estimator that carries it."""
        return self.estimator.KIND.name


def take(p: Params) -> Adopted:
    """Return the model of the source.

    Raises `UserError` where its format runs code and nobody has said why it may, where nothing names its inputs, or
    where its signature names others than the model was fitted to.
    """
    source = _registered(p)
    if (file := registered.model_file(source)).exists():
        ours = scorer.load(file)
        return Adopted(source, "a model of this workbench", ours.estimator, (*ours.features,), "", ours.calibration)
    folder = registered.folder(source)
    described = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    flavors, inputs = described["flavors"], _inputs(described)
    sklearn, xgboost = flavors.get("sklearn"), flavors.get("xgboost")
    if sklearn and sklearn.get("serialization_format") == "skops" and not sklearn.get("code"):
        return _carried(source, "scikit-learn (skops)", "foreign_sklearn", folder / sklearn["pickled_model"], inputs)
    if xgboost and Path(xgboost["data"]).suffix in (".ubj", ".json") and not xgboost.get("code"):
        form = f"XGBoost ({xgboost.get('model_format', Path(xgboost['data']).suffix[1:])})"
        return _carried(source, form, "foreign_xgboost", folder / xgboost["data"], inputs)
    if not p.runs_code:
        raise UserError(
            f"registry/adoption: {p.source} is kept in a format that runs code when it is read ({', '.join(flavors)}); "
            "save it as skops, ubj or json, or say in runs_code why it may"
        )
    if not inputs:
        raise _unnamed(source)
    estimator = kinds()["foreign_code"](_packed(folder), inputs)
    return Adopted(source, f"code ({', '.join(flavors)})", estimator, (*inputs,), p.runs_code)


def named(p: Params) -> tuple[str, str]:
    """Return name and version of the source; `UserError` where it names none."""
    p.verify()
    name, version = SOURCE.fullmatch(p.source).groups()  # type: ignore[union-attr]
    return name, version


def _registered(p: Params) -> Registered:
    return registered.one(*named(p))


def _carried(source: Registered, form: str, kind: str, file: Path, inputs: list[str]) -> Adopted:
    _small(file.stat().st_size, source)
    estimator = kinds()[kind](file.read_bytes(), inputs)
    learnt = estimator.learnt
    if not inputs and not learnt:
        raise _unnamed(source)
    if learnt and inputs and (other := sorted({*learnt} ^ {*inputs})):
        raise UserError(
            f"registry/adoption: of {source.name}, signature and model name different inputs: '{other[0]}' stands in "
            "one only; log it with the signature of what it was fitted to"
        )
    estimator.inputs_ = learnt or inputs
    return Adopted(source, form, estimator, (*estimator.inputs_,))


def _unnamed(source: Registered) -> UserError:
    return UserError(f"registry/adoption: {source.name} has no signature that names its inputs; log it with one")


def _packed(folder: Path) -> bytes:
    """Return MLflow's folder as a tar, the same bytes for the same files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for file in sorted(f for f in folder.rglob("*") if f.is_file() and f.name != "registered_model_meta"):
            entry = tarfile.TarInfo(str(file.relative_to(folder)))
            entry.size = file.stat().st_size
            with file.open("rb") as content:
                tar.addfile(entry, content)
    return out.getvalue()


def _small(size: int, source: Registered) -> None:
    if size > MOST_BYTES:
        raise UserError(f"registry/adoption: {source.name} has {size / 2**20:,.0f} MB; {MOST_BYTES // 2**20} are taken")


def _inputs(described: dict[str, Any]) -> list[str]:
    """Return the names of the inputs as the signature gives them, none where there is no signature."""
    columns = yaml.safe_load((described.get("signature") or {}).get("inputs") or "[]")
    return [str(c["name"]) for c in columns if "name" in c]


def fitting(adopted: Adopted, s: Sample) -> Evidence:
    """Return whether the panel has what the model reads; `UserError` where an input is missing or of another type."""
    inputs = adopted.inputs
    _readable(adopted, s)
    rows = [(n, str(s.X[n].dtype), int(s.X[n].isna().sum())) for n in inputs]
    return Evidence(
        key="source",
        question=say("What was taken in, and may it run code?"),
        verdict=Verdict.amber if adopted.runs_code else Verdict.info,
        answer=say("{source} as {form}; inputs: {n}.", source=adopted.source.name, form=adopted.form, n=len(inputs))
        + (
            say("It runs code, in a process without a network, because: {reason}.", reason=adopted.runs_code)
            if adopted.runs_code
            else say("Reading it runs no code.")
        ),
        value=len(inputs),
        blind_to=say("how the model was developed: nothing of that is recorded here"),
        table=pd.DataFrame(rows, columns=["input", "type", "missing"], dtype=object),
    )


def _readable(adopted: Adopted, s: Sample) -> None:
    for name in adopted.inputs:
        if name not in s.X:
            hint = nearest(name, s.X.columns)
            raise UserError(f"registry/adoption: the model reads '{name}', which is no feature of the panel; {hint}")
        if getattr(adopted.estimator, "NUMBERS", False) and is_category(s.X[name]):
            raise UserError(
                f"registry/adoption: the model reads '{name}' as a number, which is {s.X[name].dtype} in the panel; "
                "make numbers of it in a feature of the panel, or adopt a pipeline that does"
            )


def candidate(adopted: Adopted, s: Sample) -> Candidate:
    """Return the model as a candidate, with the predictions it came with: nothing is calibrated anew.

    `UserError` where the panel hasn't what it reads, or where it predicts no probability of an event.
    """
    _readable(adopted, s)
    if s.outcome.is_binary:
        _of_event(adopted)
    raw = scorer.raw(adopted.estimator, s.X)
    if s.outcome.is_binary:
        _probabilities(raw, adopted.source.name)
    as_it_is = Calibration(1.0, 0.0, "logit" if s.outcome.is_binary else "identity")
    calibration = adopted.calibration or as_it_is
    predicted = scorer.predicted(adopted.estimator, calibration, s.X, s.outcome)
    return Candidate(adopted.kind, adopted.estimator, calibration, predicted, pd.DataFrame(), s.outcome)


def _of_event(adopted: Adopted) -> None:
    """Raise `UserError` where the second class, whose probability is taken, needn't be the event."""
    classes = getattr(adopted.estimator, "classes", [])
    if classes and classes != [0, 1]:  # False and True are equal to these
        raise UserError(
            f"registry/adoption: {adopted.source.name} was fitted to classes {', '.join(map(repr, classes[:5]))}, "
            "and which is the event can't be known; fit it to 0 and 1, the event is 1"
        )


def _probabilities(raw: np.ndarray, name: str) -> None:
    """Raise `UserError` where predictions (n) are no probabilities: out of range, or classes."""
    if raw.ndim > 1:
        raise UserError(
            f"registry/adoption: {name} predicts {raw.shape[1]} values per row; one is taken, the probability of the "
            "event"
        )
    if not (np.isfinite(raw) & (raw >= 0) & (raw <= 1)).all():
        raise UserError(f"registry/adoption: {name} predicts no probabilities between 0 and 1")
    if np.isin(raw, (0, 1)).all():
        raise UserError(
            f"registry/adoption: {name} predicts nothing but 0 and 1, which are classes and no probabilities; adopt a "
            "model that gives probabilities"
        )


def assembled(adopted: Adopted, c: Candidate, s: Sample, contract: Contract, p: Params, panel: pd.DataFrame) -> Any:
    """Return the model with grades and reference bins of the development sample, and where it came from."""
    files_ = registered.files(adopted.source)
    origin = {"adopted_from": p.source, "adopted_files": registered.digest(files_), "adopted_as": adopted.form}
    origin |= {"runs_code": adopted.runs_code}
    return development.assemble(c, s, contract, p, {**comparison.facts(p, panel, s), **origin})


def figures(compared: pd.DataFrame, kind: str) -> dict[str, float]:
    """Return what the model reaches on the hold-out, by the names that development gives and validation re-performs."""
    row = compared.set_index("candidate").loc[kind]
    return {f"holdout_{c}": float(row[c]) for c in compared if f"{c}_low" in compared}
