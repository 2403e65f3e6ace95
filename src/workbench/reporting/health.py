"""The models of a study in a pack: state, last monitoring, AUC, calibration, PSI; and their open conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench import tables
from workbench.evidence import Evidence, Verdict
from workbench.figures import portfolio as pictures
from workbench.registry import claims
from workbench.registry.inventory import Entry
from workbench.registry.lifecycle import EXCEPTION, IN_USE, READY
from workbench.registry.recorded import Recorded
from workbench.reporting import advice, headlines
from workbench.reporting.headlines import Headline
from workbench.reporting.models import LIGHTS, refused
from workbench.words import Text, say

NAN = float("nan")
MONITORING = "monitoring"
DRAWN = ("separation", "observed")  # figures by period that the picture draws
JUDGED = (*READY, *IN_USE, EXCEPTION)  # states in which a person has judged what the battery referred to one
REFERENCES = ("holdout_auc", "holdout_spearman")  # what development reached, of an event and of an amount

Runs = Mapping[str, Recorded]
Chapter = tuple[Evidence, list[Headline]]


@dataclass(frozen=True)
class Watched:
    """A model of the study: its version, where that stands, and what watched it in the period and the one before.

    `now` is the run of the worst light, `following` the one whose figures by period are shown; `before` and
    `following_before` are the same steps' runs of the period before. `validated`: what the independent validation says
    of the version (pass, refer, refuse), now and in the period before; empty where it says nothing.
    """

    name: str
    version: Mapping[str, Any]
    entry: Entry
    now: Recorded | None
    before: Recorded | None
    owner: str
    following: Recorded | None = None
    following_before: Recorded | None = None
    validated: tuple[str, str] = ("", "")

    @property
    def label(self) -> str:
        """Model and version, without the study they belong to: `pd/1`."""
        return f"{self.name.removeprefix(tables.MODEL)}/{self.version['version']}"

    @property
    def verdict(self) -> Verdict:
        """The worse of the last monitoring's light and of the validation's, where that has anything against it."""
        against = [v for v in (self.validation,) if v in (Verdict.red, Verdict.amber)]
        return min([self.monitoring, *against], key=lambda v: v.rank)

    @property
    def validation(self) -> Verdict:
        """The light of the validation; what it referred to a person is none any more where one has approved it."""
        light = Verdict(LIGHTS.get(self.validated[0], Verdict.not_evaluated))
        return Verdict.info if light is Verdict.amber and self.entry.state in JUDGED else light

    @property
    def refusal(self) -> Text:
        """The sentence that the validation refused it; nothing where it didn't."""
        if self.validation is not Verdict.red:
            return Text()
        return refused(self.version["name"], self.version["version"])

    @property
    def monitoring(self) -> Verdict:
        """The light of the last monitoring; where nothing watched it amber of one that decides, else not evaluated."""
        if self.now:
            return Verdict(self.now.record.verdict)
        return Verdict.amber if self.entry.state in IN_USE else Verdict.not_evaluated

    @property
    def reference(self) -> float:
        """What the model reached on the hold-out: AUC, or rank correlation of an amount."""
        figures = self.version.get("figures", {})
        return float(next((figures[n] for n in REFERENCES if n in figures), NAN))

    def latest(self, figure: str) -> tuple[float, float]:
        """Return the last value of a monitored figure in the period and in the one before; NaN where not known."""
        return _latest(self.following, figure), _latest(self.following_before, figure)

    def ratio(self) -> tuple[float, float]:
        """Return observed over expected, of the last period in which both are known."""
        return _ratio(self.following), _ratio(self.following_before)


def models(
    runs: Runs,
    previous: Runs,
    entries: Mapping[tuple[str, str], Entry],
    champions: Iterable[Mapping[str, Any]] = (),
) -> list[Watched]:
    """Return the models that the study's current runs have registered, with what watched each.

    After a redevelopment a champion is of none of these runs, and goes on deciding: `champions` come beside them.
    """
    made = [(n, v, run.record.owner) for run in runs.values() for n, v in run.record.models.items()]
    there = {(v["name"], v["version"]) for _, v, _ in made}
    made += [
        (tables.of_model(v["name"].partition(".")[2]), v, "")
        for v in champions
        if (v["name"], v["version"]) not in there
    ]
    out = []
    for name, version, owner in made:
        entry = entries[version["name"], version["version"]]
        out.append(_watched(name, version, entry, entry.owner or owner, (runs, previous)))
    return out


def _watched(name: str, version: Mapping[str, Any], entry: Entry, owner: str, both: tuple[Runs, Runs]) -> Watched:
    """Return a version with what watched it: `both` are the runs of the period and of the one before."""
    now, earlier = (_watching(runs, name, version.get("digest", "")) for runs in both)
    worst = min(now, key=_rank, default=None)
    following = max(filter(_follows, now), key=lambda run: run.record.recency, default=None)
    before, following_before = (_same_step(earlier, run) for run in (worst, following))
    validated = tuple(_validated(runs, name, version["version"]) for runs in both)
    return Watched(name, version, entry, worst, before, owner, following, following_before, validated)


def _validated(runs: Runs, name: str, version: str) -> str:
    """Return what the newest validation among runs says of this very version; empty where none does."""
    tagged = [
        r.record.tags[name] for r in sorted(runs.values(), key=lambda r: r.record.recency) if name in r.record.tags
    ]
    those = [t["tags"].get("validation.verdict", "") for t in tagged if t["version"] == version]
    return next(filter(None, reversed(those)), "")


def chapter(watched: list[Watched]) -> Chapter:
    """Return every model's health as one table, and a headline for each figure that monitoring knows."""
    worst = min((w.verdict for w in watched), key=lambda v: v.rank, default=Verdict.info)
    bad = [w.label for w in watched if w.verdict in (Verdict.error, Verdict.red)]
    answer = say("Registered models: {n:,}; red: {bad:,}.", n=len(watched), bad=len(bad))
    for refusal in filter(None, (w.refusal for w in watched)):
        answer += say("{sentence}.", sentence=refusal)
    if unwatched := [w.label for w in watched if w.now is None]:
        answer += say("Not watched: {models}.", models=unwatched)
    followed = {w.label: w.following.series for w in watched if w.following}
    series = {label: figures for label, figures in followed.items() if any(figures.get(n) for n in DRAWN)}
    e = Evidence(
        key="models",
        question=say("Are the models well?"),
        verdict=worst,
        answer=answer if watched else say("No model of the study is registered."),
        value=len(watched),
        blind_to=say("outcomes that are not known yet: separation and calibration are of the last period judged"),
        table=pd.DataFrame([_row(w) for w in watched]) if watched else None,
        figure=pictures.health(series) if series else None,
    )
    return e, [line for w in watched for line in _headlines(w)]


def conditions(watched: list[Watched]) -> Chapter:
    """Return the conditions under which versions were approved, and what the life cycle still asks."""
    rows = [(w.label, w.entry.state, c, w.owner, w.entry.next_review) for w in watched for c in w.entry.conditions]
    names = ["model", "state", "condition", "owner", "next review"]
    answer = say("Open conditions: {n:,}.", n=len(rows)) if rows else say("No condition is open.")
    late = [say("{model}: {what}", model=w.label, what=what) for w in watched for what in w.entry.overdue]
    if late:
        answer = say("Overdue: {late}.", late=late) + answer
    if candidates := [w.label for w in watched if w.entry.state == "candidate"]:
        answer += say("Not put forward for validation: {models}.", models=candidates)
    e = Evidence(
        key="conditions",
        question=say("Which conditions are open?"),
        verdict=Verdict.red if late else Verdict.info,
        answer=answer,
        value=len(rows),
        threshold=say("Red where the day of a condition or finding is over."),
        blind_to=say("days of the period: states are those of the day on which the pack was made"),
        table=pd.DataFrame(rows, columns=names, dtype=object) if rows else None,
    )
    return e, []


def _headlines(w: Watched) -> Iterator[Headline]:
    if w.validation in (Verdict.red, Verdict.amber):
        yield _refused(w)
    if w.now is None:
        if w.entry.state in IN_USE:
            yield _unwatched(w)
        return
    what = say("{model}: monitoring", model=w.label)
    meaning = advice.what_to_do(w.now.record.step, str(w.monitoring))
    texts = [say(str(r.record.verdict)) if r else say("not known") for r in (w.now, w.before)]
    yield Headline(
        key=f"{w.name}_light",
        what=what,
        now=texts[0],
        before=texts[1],
        change=Text(),
        meaning=meaning,
        verdict=w.monitoring,
    )
    separation, reference = w.latest("separation"), w.reference
    if separation[0] == separation[0]:
        period = max(w.following.series["separation"])
        meaning = say("of {period}; development's hold-out had {reference:.3f}", period=period, reference=reference)
        what = say("{model}: separation", model=w.label)
        yield headlines.figure(f"{w.name}_separation", what, separation, meaning, Verdict.info, worse=-1)
    ratio = w.ratio()
    if ratio[0] == ratio[0]:
        what = say("{model}: observed / expected", model=w.label)
        meaning = say("above 1 the model promises too little, below 1 too much")
        yield headlines.figure(f"{w.name}_calibration", what, ratio, meaning, Verdict.info, worse=1)
    psi = w.latest("psi")
    if psi[0] == psi[0]:
        what = say("{model}: largest PSI", model=w.label)
        meaning = say("how far the customers are from those the model was built on")
        yield headlines.figure(f"{w.name}_psi", what, psi, meaning, Verdict.info, worse=1)


def _refused(w: Watched) -> Headline:
    """Return what the validation has against a version."""
    return Headline(
        key=f"{w.name}_validation",
        what=say("{model}: independent validation", model=w.label),
        now=say(w.validated[0]),
        before=say(w.validated[1] or "not known"),
        change=Text(),
        meaning=advice.what_to_do("validation", str(w.validation)),
        verdict=w.validation,
        sentence=w.refusal,
    )


def _unwatched(w: Watched) -> Headline:
    return Headline(
        key=f"{w.name}_unwatched",
        what=say("{model}: monitoring", model=w.label),
        now=say("not watched"),
        before=say("not known"),
        change=Text(),
        meaning=say("it decides, and no step of monitoring has read this version"),
        verdict=w.monitoring,
    )


def _row(w: Watched) -> dict[str, object]:
    (auc, auc_before), (ratio, _), (psi, psi_before) = w.latest("separation"), w.ratio(), w.latest("psi")
    return {
        "light": str(w.verdict),
        "model": f"{w.version['name']}/{w.version['version']}",
        "kind": w.version.get("kind", ""),
        "state": w.entry.state,
        "validation": say(w.validated[0]) if w.validated[0] else "",
        "separation": auc,
        "separation, last period": auc_before,
        "hold-out": w.reference,
        "observed / expected": ratio,
        "psi": psi,
        "psi, last period": psi_before,
        "owner": w.owner,
    }


def _watching(runs: Runs, name: str, digest: str) -> list[Recorded]:
    """Return the runs of monitoring that have read a version: of two of the same model, the one of this digest."""
    watching = [r for r in runs.values() if r.room == MONITORING and name in {n.lstrip("?") for n in r.record.reads}]
    return [r for r in watching if r.read.get(name, digest) == digest]


def _rank(run: Recorded) -> int:
    return Verdict(run.record.verdict).rank


def _follows(run: Recorded) -> bool:
    """Say whether a run logged figures by period: those that look for causes or for another model log none."""
    return any(run.series.get(n) for n in claims.WATCHED)


def _same_step(earlier: list[Recorded], run: Recorded | None) -> Recorded | None:
    return next((r for r in earlier if run and r.record.step == run.record.step), None)


def _latest(run: Recorded | None, figure: str) -> float:
    values = run.series.get(figure, {}) if run else {}
    return float(values[max(values)]) if values else NAN


def _ratio(run: Recorded | None) -> float:
    observed, expected = ((run.series.get(n, {}) if run else {}) for n in ("observed", "expected"))
    both = [p for p in observed if expected.get(p)]
    return observed[max(both)] / expected[max(both)] if both else NAN
