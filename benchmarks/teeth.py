"""Planted defects × tests: which test of the battery sees what, and whether the one that should does.

    python benchmarks/teeth.py [--write]

One sound scorecard on 9,000 rows of hold-out (`sound_models.py`, default rate 10 %), one defect planted at a time, the
whole battery on each. `--write` puts the table into docs/validation.md. Exit code 1 where a defect is missed.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sound_models import CONTRACT, Setting, book, claimed, developed, months

from workbench.contracts import Column, Outcome
from workbench.models.scorecard import Scorecard
from workbench.models.scorer import Scorer
from workbench.models.trees import RuleTree
from workbench.panel.bins import Bins
from workbench.panel.outcome import EVENT_AFTER
from workbench.validation import battery
from workbench.validation.raw import Raw
from workbench.validation.subject import Subject, subject

DOCUMENT, BEGIN, END = Path(__file__).parents[1] / "docs" / "validation.md", "<!-- teeth -->", "<!-- /teeth -->"
SETTING, SEED = Setting("teeth", 36_000, 1, 0.10), 8
SAMPLES = ("development", "holdout", "later")


@dataclass(frozen=True)
class Defect:
    """What is planted, the tests of which at least one must be amber or red, and how it is done."""

    name: str
    seen_by: tuple[str, ...]
    plant: Callable[[Subject], Subject]


def each(s: Subject, change: Callable[[pd.DataFrame], pd.DataFrame], samples: tuple[str, ...] = SAMPLES) -> Subject:
    """Return the subject with rows of the samples changed."""
    return replace(s, **{name: change(getattr(s, name)) for name in samples})


def rescored(s: Subject, samples: tuple[str, ...] = SAMPLES) -> Subject:
    """Return the subject with its samples scored again: rows or model have changed."""

    def scored(rows: pd.DataFrame) -> pd.DataFrame:
        predicted = np.asarray(s.model.predict(rows), float)
        return rows.assign(predicted=predicted, grade_code=s.model.grade(predicted))

    return each(s, scored, samples)


def times(factor: float) -> Callable[[Subject], Subject]:
    """Plant PDs that are all wrong by a factor; the grades stay."""
    return lambda s: each(s, lambda r: r.assign(predicted=(r["predicted"] * factor).clip(upper=0.999)))


def drawn(true: Callable[[pd.Series], pd.Series]) -> Callable[[Subject], Subject]:
    """Plant later outcomes drawn from something else than the predictions."""

    def plant(s: Subject) -> Subject:
        rng = np.random.default_rng(SEED)
        later = s.later.assign(outcome=(rng.random(len(s.later)) < true(s.later["predicted"])).astype(float))
        return replace(s, later=later)

    return plant


def inverted(name: str) -> Callable[[Subject], Subject]:
    """Plant a characteristic whose points are turned round, on all samples."""

    def plant(s: Subject) -> Subject:
        card = type(s.model.estimator).from_dict(s.model.estimator.to_dict())
        card.effects_ = {n: tuple(-v for v in e) if n == name else e for n, e in card.effects_.items()}
        return claimed(rescored(replace(s, model=replace(s.model, estimator=card))))

    return plant


def delivered_inverted(s: Subject) -> Subject:
    """Plant a delivery bug: from development on, a later month's `used` arrives as 1 − used, and is scored so."""
    return rescored(replace(s, later=s.later.assign(used=1 - s.later["used"])), ("later",))


def swapped_grades(s: Subject) -> Subject:
    """Plant grades A and B whose names are exchanged."""
    names = {"A": "B", "B": "A"}
    return each(s, lambda r: r.assign(grade_code=r["grade_code"].map(lambda g: names.get(g, g))))


def split_grade(s: Subject) -> Subject:
    """Plant a grade cut in two by a coin."""
    middle = s.model.grade_names[2]
    edge = s.model.grades.edges[2]
    more = Bins("predicted", edges=(*s.model.grades.edges[:3], edge * 1.0001, *s.model.grades.edges[3:]))
    model = replace(s.model, grades=more)
    letters = {g: chr(ord(g) + 1) for g in s.model.grade_names if g > middle}
    rng = np.random.default_rng(SEED)

    def cut(r: pd.DataFrame) -> pd.DataFrame:
        moved = r["grade_code"].map(lambda g: letters.get(g, g))
        coin = (r["grade_code"] == middle) & (rng.random(len(r)) < 0.5)
        return r.assign(grade_code=moved.where(~coin, chr(ord(middle) + 1)))

    return each(replace(s, model=model), cut)


def dated(sample: str, years: int) -> Callable[[Subject], Subject]:
    """Plant dates that are years away from what they should be."""
    return lambda s: each(s, lambda r: r.assign(as_of_date=r["as_of_date"] + pd.DateOffset(years=years)), (sample,))


def aged(s: Subject) -> Subject:
    """Plant data that are twelve years older."""
    return each(s, lambda r: r.assign(as_of_date=r["as_of_date"] - pd.DateOffset(years=12)))


def copied(new_names: bool) -> Callable[[Subject], Subject]:
    """Plant a tenth of the hold-out that is development's, under its own names or under new ones."""

    def plant(s: Subject) -> Subject:
        taken = s.development.sample(len(s.holdout) // 10, random_state=SEED)
        if new_names:
            first = 10**9
            taken = taken.assign(parent_id=range(first, first + len(taken)), entity_id=[f"n{i}" for i in taken.index])
        return claimed(replace(s, holdout=pd.concat([s.holdout.iloc[len(taken) :], taken], ignore_index=True)))

    return plant


def repeated(s: Subject) -> Subject:
    """Plant an outcome recorded once a customer, whose rows a date parts: a tenth of them stand on both sides."""
    contract = s.contract.model_copy(update={"outcome": Outcome()})
    rows = s.development.sample(len(s.holdout) // 10, random_state=SEED)
    moved = {n: rows[n] * 1.01 for n in ("income", "used") if n in rows}
    names = [f"n{i}" for i in rows.index]
    rows = rows.assign(as_of_date=s.holdout["as_of_date"].min(), entity_id=names, **moved)
    mixed = pd.concat([s.holdout.iloc[len(rows) :], rows], ignore_index=True)
    return claimed(replace(s, contract=contract, raw=None, holdout=mixed))


def leaking(columns: int, strength: float) -> Callable[[Subject], Subject]:
    """Plant columns that know the outcome a little, and a model that learnt from them."""

    def plant(_: Subject) -> Subject:
        panel, rng = book(SETTING, SEED), np.random.default_rng(SEED)
        names = [f"after_{i}" for i in range(columns)]
        panel = panel.assign(**{n: strength * panel["outcome"] + rng.normal(size=len(panel)) for n in names})
        known = tuple(Column(name=n, type="number", description="known afterwards") for n in names)
        return developed(panel, SEED, CONTRACT.model_copy(update={"columns": (*CONTRACT.columns, *known)}))

    return plant


def imminent(_: Subject) -> Subject:
    """Plant a column that knows of the events of the next three months only, and a model that learnt from it."""
    panel, rng = book(SETTING, SEED), np.random.default_rng(SEED)
    soon = (panel[EVENT_AFTER] <= 3).astype(float)
    panel = panel.assign(soon=6.0 * soon + rng.normal(size=len(panel)))
    known = Column(name="soon", type="number", description="known three months ahead")
    return developed(panel, SEED, CONTRACT.model_copy(update={"columns": (*CONTRACT.columns, known)}))


def redrawn(s: Subject) -> Subject:
    """Plant grades that hang on the draw: three of five rows stand in the grade of another row."""
    rng = np.random.default_rng(SEED)

    def change(r: pd.DataFrame) -> pd.DataFrame:
        lucky = rng.random(len(r)) < 0.6
        return r.assign(grade_code=r["grade_code"].where(~lucky, rng.permutation(r["grade_code"])))

    return each(s, change)


def five_of_eight(_: Subject) -> Subject:
    """Plant a model that leaves three of the panel's drivers out."""
    panel = book(SETTING, SEED)
    fewer = tuple(c for c in CONTRACT.columns if c.name not in ("delay", "used", "income"))
    small = developed(panel, SEED, CONTRACT.model_copy(update={"columns": fewer}))
    return claimed(subject(small.model, panel, CONTRACT, {}, small.rules, SEED))


def overfitted(s: Subject) -> Subject:
    """Plant a tree as deep as it gets, in the scorecard's place."""
    names = list(s.model.features)
    tree = RuleTree(max_depth=30, min_leaf_share=0.0001).fit(s.development[names], s.development["outcome"].to_numpy())
    return claimed(rescored(replace(s, model=replace(s.model, kind="tree", estimator=tree))))


def one_input(_: Subject) -> Subject:
    """Plant a model that hangs on a single input, though the panel has more."""
    panel = book(SETTING, SEED)
    fewer = tuple(c for c in CONTRACT.columns if c.name in ("delay", "sex_code"))
    small = developed(panel, SEED, CONTRACT.model_copy(update={"columns": fewer}))
    return claimed(subject(small.model, panel, CONTRACT, {}, small.rules, SEED))


def charged(s: Subject) -> Subject:
    """Plant odds × 1.5 for one group."""

    def change(r: pd.DataFrame) -> pd.DataFrame:
        more = expit(logit(r["predicted"]) + np.log(1.5))
        return r.assign(predicted=r["predicted"].where(r["sex_code"] != "F", more))

    return each(s, change)


def rounded(s: Subject) -> Subject:
    """Plant predictions that are delivered in whole percent; the figures were claimed before."""
    return each(s, lambda r: r.assign(predicted=r["predicted"].round(2).clip(0.001, 0.999)))


def tampered(s: Subject) -> Subject:
    """Plant a Gini claimed two points too high."""
    return replace(s, figures={**s.figures, "holdout_gini": s.figures["holdout_gini"] + 0.02})


def twice(_: Subject) -> Subject:
    """Plant an input that stands in the card under two names, half of its points under each."""
    panel = book(SETTING, SEED).assign(used_again=lambda r: r["used"])
    again = Column(name="used_again", type="number", monotone=1, description="share of the limit used, once more")
    s = developed(panel, SEED, CONTRACT.model_copy(update={"columns": (*CONTRACT.columns, again)}))
    d = s.model.estimator.to_dict()
    d["effects"] |= {name: [points / 2 for points in d["effects"]["used"]] for name in ("used", "used_again")}
    d["bins"]["used_again"] = d["bins"]["used"] | {"bins": d["bins"]["used"]["bins"] | {"name": "used_again"}}
    features, reference = ({**of, "used_again": of["used"]} for of in (s.model.features, s.model.reference))
    model = replace(s.model, estimator=Scorecard.from_dict(d), features=features, reference=reference)
    return rescored(replace(s, model=model))


def shuffled(name: str, samples: tuple[str, ...]) -> Callable[[Subject], Subject]:
    """Plant an input whose values stand in other rows than they belong to, and are scored so."""

    def plant(s: Subject) -> Subject:
        rng = np.random.default_rng(SEED)
        moved = each(s, lambda r: r.assign(**{name: rng.permutation(r[name])}), samples)
        return claimed(rescored(moved, samples))

    return plant


class Peeking(Scorer):
    """A scorecard that charges a group more, whose column it doesn't declare."""

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Return predictions (n), odds × 1.35 for the group."""
        predicted = super().predict(X)
        return np.where(X["sex_code"] == "F", expit(logit(predicted) + 0.3), predicted)


class Mixed(Scorer):
    """A scorecard whose reasons stand under each other's names."""

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return contributions (n × k), those of one input under the name of another."""
        parts = super().contributions(X)
        return parts.set_axis(parts.columns[::-1], axis=1)[list(parts.columns)]


def made_by(kind: type[Scorer]) -> Callable[[Subject], Subject]:
    """Plant another kind of model with the scorecard's parts."""
    return lambda s: claimed(
        rescored(replace(s, model=kind(**{f.name: getattr(s.model, f.name) for f in fields(Scorer)})))
    )


def turned_bin(s: Subject) -> Subject:
    """Plant a characteristic whose first bin, declared the safest, is charged most."""
    card = type(s.model.estimator).from_dict(s.model.estimator.to_dict())
    values = list(card.effects_["used"])
    values[0] = max(values) + 0.2
    card.effects_ = {**card.effects_, "used": tuple(values)}
    return claimed(rescored(replace(s, model=replace(s.model, estimator=card))))


def unranked_region(s: Subject) -> Subject:
    """Plant one region in which later outcomes have nothing to do with the predictions."""
    rng, later = np.random.default_rng(SEED), s.later
    there = later["region"] == "west"
    noise = (rng.random(len(later)) < later.loc[there, "predicted"].mean()).astype(float)
    return replace(s, later=later.assign(outcome=later["outcome"].where(~there, noise)))


def earlier(s: Subject) -> Subject:
    """Plant later events that all come within two months."""
    rng = np.random.default_rng(SEED)

    def change(r: pd.DataFrame) -> pd.DataFrame:
        return r.assign(**{EVENT_AFTER: np.where(r["outcome"] == 1, rng.integers(1, 3, len(r)), np.nan)})

    return each(s, change, ("later",))


def dropped(s: Subject) -> Subject:
    """Plant a development sample without a third of its defaults."""
    rng = np.random.default_rng(SEED)
    bad = (s.panel["sample"] == "development") & (s.panel["outcome"] == 1)
    out = set(s.panel.loc[bad & (rng.random(len(s.panel)) < 1 / 3), "entity_id"])
    panel = s.panel[~(bad & s.panel["entity_id"].isin(out))].reset_index(drop=True)
    development = s.development[~s.development["entity_id"].isin(out)].reset_index(drop=True)
    return replace(s, panel=panel, development=development)


def flipped(s: Subject) -> Subject:
    """Plant one flag in two hundred that is recorded the other way round."""
    wrong = np.random.default_rng(SEED).random(len(s.panel)) < 0.005
    return replace(s, panel=s.panel.assign(outcome=s.panel["outcome"].where(~wrong, 1 - s.panel["outcome"])))


def other_book(s: Subject) -> Subject:
    """Plant a book of today whose incomes are another, and whose outcomes nobody knows yet."""
    last = s.panel[s.panel["as_of_date"] == s.panel["as_of_date"].max()]
    today = last.assign(as_of_date=pd.Timestamp("2026-09-01"), outcome=np.nan, income=last["income"] * 1.6)
    return replace(s, panel=pd.concat([s.panel, today], ignore_index=True))


def served_rounded(s: Subject) -> Subject:
    """Plant a service that rounds predictions to four places."""
    return replace(s, served=lambda rows: s.model.scored(rows).round({"predicted": 4}))


def coined(s: Subject) -> Subject:
    """Plant persons who give one customer in twelve a grade by a coin."""
    rng, names = np.random.default_rng(SEED), np.array(s.model.grade_names)

    def change(r: pd.DataFrame) -> pd.DataFrame:
        return r.assign(final_grade=np.where(rng.random(len(r)) < 1 / 12, rng.choice(names, len(r)), None))

    return replace(each(s, change), panel=change(s.panel), override="final_grade")


DEFECTS = (
    Defect("ranks nothing in later rows", ("auc", "ks"), drawn(lambda p: pd.Series(p.mean(), p.index))),
    Defect("default rate doubles in later rows", ("jeffreys", "central_tendency"), drawn(lambda p: 2 * p)),
    Defect("an input delivered the wrong way round later", ("trends",), delivered_inverted),
    Defect("strong inverted sign", ("signs",), inverted("delay")),
    Defect("inverted sign of a weak input", ("signs",), inverted("region")),
    Defect("an input said twice", ("collinearity",), twice),
    Defect("grades A and B swapped", ("rank_ordering",), swapped_grades),
    Defect("a grade cut in two by a coin", ("grade_heterogeneity",), split_grade),
    Defect("PDs × 1.1", ("central_tendency", "jeffreys", "binomial", "calibration_line"), times(1.1)),
    Defect("PDs × 1.5", ("binomial", "calibration_line"), times(1.5)),
    Defect("PDs × 0.67", ("jeffreys", "calibration_line"), times(0.67)),
    Defect("one group charged odds × 1.5", ("group_calibration",), charged),
    Defect("overfitted tree", ("overfit", "membership"), overfitted),
    Defect("one input only", ("sensitivity",), one_input),
    Defect("three of the drivers left out", ("challenger",), five_of_eight),
    Defect("hold-out four years before development", ("split_integrity",), dated("holdout", -4)),
    Defect("data twelve years older", ("data_age",), aged),
    Defect("as-of dates in the future", ("data_age",), dated("later", 3)),
    Defect("development rows in the hold-out", ("split_integrity",), copied(new_names=False)),
    Defect("the same under new identifiers", ("split_integrity",), copied(new_names=True)),
    Defect("an outcome recorded once, on both sides of a date", ("split_integrity",), repeated),
    Defect("a leak of AUC 0.82", ("leakage",), leaking(1, 1.3)),
    Defect("a leak spread over four inputs", ("leakage",), leaking(4, 0.9)),
    Defect("knows the next three months only", ("horizon",), imminent),
    Defect("grades that hang on the draw", ("specification",), redrawn),
    Defect("predictions rounded after the claim", ("reperformance",), rounded),
    Defect("a claimed figure edited", ("reperformance",), tampered),
    Defect("an input delivered in random order later", ("information_value",), shuffled("used", ("later",))),
    Defect("an input that says nothing, in the model all the same", ("coefficients",), shuffled("enquiries", SAMPLES)),
    Defect("reads a column that it doesn't declare", ("claims",), made_by(Peeking)),
    Defect("one bin against its declared direction", ("claims",), turned_bin),
    Defect("reasons under another input's name", ("reason_codes",), made_by(Mixed)),
    Defect("ranks nothing in one region later", ("segments",), unranked_region),
    Defect("later events come within two months", ("vintages",), earlier),
    Defect("a third of development's defaults dropped", ("waterfall",), dropped),
    Defect("one flag in two hundred recorded otherwise", ("target_audit",), flipped),
    Defect("a book of today with other incomes", ("representativeness",), other_book),
    Defect("persons override by a coin", ("override_effect",), coined),
    Defect("served with rounded predictions", ("implementation_parity",), served_rounded),
)


def row(d: Defect, s: Subject, raw: Raw) -> tuple[str, bool]:
    """Return the defect's line of the table, and whether it was seen by a test that should."""
    tested = replace(d.plant(s), raw=raw)
    tested = tested if tested.served else replace(tested, served=tested.model.scored)
    items = battery.run(tested)
    lights = {e.key: str(e.verdict) for e in items if str(e.verdict) in ("red", "amber", "error")}
    seen = any(lights.get(name) in ("red", "amber") for name in d.seen_by)
    names = {v: [n.replace("_", " ") for n in sorted(lights) if lights[n] == v] for v in ("red", "amber", "error")}
    should = ", ".join(n.replace("_", " ") for n in d.seen_by)
    verdict = battery.verdict(items, tested).value
    red, amber = ", ".join([*names["error"], *names["red"]]) or "–", ", ".join(names["amber"]) or "–"
    return f"| {d.name} | {should} | {'yes' if seen else '**no**'} | {red} | {amber} | {verdict} |", seen


def main(write: bool) -> int:
    """Print the table; put it into the document where asked."""
    warnings.simplefilter("ignore")
    panel = book(SETTING, SEED)
    sound, raw = developed(panel, SEED), months(panel)
    defects = (Defect("none: the sound model", (), lambda s: s), *DEFECTS)
    lines = ["| planted | should see it | seen | red | amber | verdict |", "| --- | --- | --- | --- | --- | --- |"]
    missed = []
    for d in defects:
        line, seen = row(d, sound, raw)
        if not d.seen_by:
            line = line.replace("|  | **no** |", "| | |")
        elif not seen:
            missed.append(d.name)
        lines.append(line)
        print(line, flush=True)
    if write:
        text = DOCUMENT.read_text(encoding="utf-8")
        before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
        DOCUMENT.write_text("\n".join([before, *lines, after]), encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
