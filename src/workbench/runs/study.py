"""A study: one YAML file that says which steps run with which parameters; checked whole before a kernel starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench import engine, home, params, tables
from workbench.evidence import digest_file
from workbench.params import ONCE, Columns, Key, UserError, Watching, from_yaml, mistake, months_of, nearest
from workbench.registry import recorded
from workbench.registry.recorded import ALL, EVIDENCE, JUDGED, PREVIOUS
from workbench.runs import there

if TYPE_CHECKING:
    from workbench.contracts import Contract, Outcome
    from workbench.portfolios.source import Source, Words

SHORT = 100  # characters of an override that a message repeats
_ENGINE = {"number": "DOUBLE", "integer": "BIGINT", "category": "VARCHAR", "text": "VARCHAR", "date": "TIMESTAMP"}
PLACEHOLDERS = ("period", "period_from", "period_to")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    description: str = ""
    owner: str = ""
    simulated: bool = False
    language: Literal["en", "zh_CN"] = "en"
    defaults: dict[str, Any] = {}
    steps: dict[str, dict[str, Any] | None]


@dataclass(frozen=True)
class Step:
    """One step of a study, resolved: `name` is its path, or path@instance where a study has it twice.

    `reads` and `writes` name tables and models (`model__NAME`), `reads` also what other steps have left
    (`evidence:STEP`, `previous:STEP`: registry/recorded.py); a `?` before a name says that it may be missing.
    `code` holds the digests of the code it stands on, `packages` what that imports, where they are known already.
    """

    name: str
    notebook: Path
    params: params.Params
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    files: tuple[Path, ...]
    code: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The step's name as a file name below the study's folder."""
        return self.name.replace("@", "-")

    @property
    def key(self) -> Key:
        """Study and period the step belongs to."""
        return self.params.key

    @property
    def module(self) -> str:
        """The module behind the step, as Python names it."""
        return f"workbench.{self.name.partition('@')[0].replace('/', '.')}"

    def inputs(self) -> dict[str, str]:
        """Return the digests of everything the step reads, as it lies there now."""
        names = [n.lstrip("?") for n in self.reads]
        digests = {n: _digest(self.key, n) for n in names}
        return digests | {f"file.{i}": digest_file(p) if p.exists() else "" for i, p in enumerate(self.files, 1)}

    def described(self) -> dict[str, Any]:
        """Return what is said of the tables and models it reads, which their bytes don't tell: contracts, versions.

        Of a model under another version number nothing is said yet, though its bytes are the same.
        """
        names = [n for n in (r.lstrip("?") for r in self.reads) if not recorded.is_name(n)]
        entries = {n: tables.pinned(self.key, n) for n in names}
        return {n: e.get("contract") or e.get("version") for n, e in entries.items() if e}


def _digest(key: Key, name: str) -> str:
    return recorded.digest(key, name) if recorded.is_name(name) else (tables.pinned(key, name) or {}).get("digest", "")


@dataclass(frozen=True)
class Study:
    """A checked study: its steps in dependency order, and what each needs."""

    name: str
    path: Path
    title: str
    description: str
    owner: str
    simulated: bool
    language: str
    period: str
    steps: tuple[Step, ...]
    needs: dict[str, frozenset[str]]


def load(path: Path, overrides: tuple[str, ...] = (), period: str = "") -> Study:
    """Return the study in a file, or raise `UserError` with one line: what is wrong, where, what to do.

    `overrides` are `step.param=value` texts; they stand above the file. In its values `{period}`, `{period_from}` and
    `{period_to}` stand for the period and its first and last month; a step that has one of them, and every step that
    stands on it, belongs to the period, the others are done once.
    """
    months = months_of(period) if period else ("", "")
    content = _read(path)
    if not content.steps:
        raise UserError(f"{path.name}: steps: none is named; known: {', '.join(there.steps())}")
    given = _overrides(overrides, content.steps, path.name)
    with _naming(path.name):
        steps, needs, order = _resolved(content, given, path.stem, (period, *months))
    return Study(
        name=path.stem,
        path=path,
        title=content.title,
        description=" ".join(content.description.split()),  # YAML folds lines, and leaves an end of line
        owner=content.owner,
        simulated=content.simulated,
        language=content.language,
        period=period or ONCE,
        steps=tuple(steps[n] for n in order),
        needs=needs,
    )


def is_by_period(path: Path) -> bool:
    """Say whether a study's file holds a placeholder of periods; `UserError` where it can't be read as a study."""
    content = _read(path)
    values = [content.defaults, *content.steps.values()]
    return _filled(values, dict.fromkeys(PLACEHOLDERS, "")) != values


def no_placeholder() -> str:
    """Return in words that no step's parameters hold one of the placeholders, which are named."""
    return f"no step's parameters hold {', '.join(f'{{{w}}}' for w in PLACEHOLDERS)}"


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Let what is refused within say whose study's it is, of the several that one command may run."""
    try:
        yield
    except UserError as e:
        raise UserError(f"{file}: {e}") from None


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Let what a step refuses, which knows the path of its own kind only, say which of a study's steps it is."""
    base = name.partition("@")[0]
    try:
        yield
    except UserError as e:
        text = str(e)
        raise UserError(name + text.removeprefix(base) if text.startswith(f"{base}:") else text) from None


def _resolved(
    content: _File, given: dict[str, dict[str, Any]], study: str, period: tuple[str, str, str]
) -> tuple[dict[str, Step], dict[str, frozenset[str]], tuple[str, ...]]:
    """Return the checked steps, what each needs, and their order; `period` is what the placeholders stand for."""
    words = dict(zip(PLACEHOLDERS, period, strict=True))
    steps, dated = {}, set()
    for name, section in content.steps.items():
        values = _values(name, {**(section or {}), **given.get(name, {})}, content.defaults)
        filled = _filled(values, words)
        steps[name] = _step(name, filled, study)
        dated |= {name} if filled != values else set()
    steps = _written_out(steps)
    _agree(steps)
    _columns_known(steps)
    _defaults_known(content.defaults, steps)
    needs = _needs(steps)
    _panels_fit(steps)
    _outcomes_fit(steps)
    order = _order(needs)
    if period[0]:
        steps = _of_period(steps, order, needs, dated, period[0])
    return steps, needs, order


def _written_out(steps: dict[str, Step]) -> dict[str, Step]:
    """Return the steps, `evidence:*` in their reads written out as every step that doesn't read so itself.

    `judged:TABLE` is written out as the evidence of the step that writes the table and of those that judge its model,
    and which versions may not be used.
    """
    on_all = {s.name for s in steps.values() if EVIDENCE + ALL in (n.lstrip("?") for n in s.reads)}
    every = {EVIDENCE + ALL: [n for n in steps if n not in on_all], PREVIOUS + ALL: list(steps)}

    def names(read: str) -> list[str]:
        mark, bare = "?" * read.startswith("?"), read.lstrip("?")
        if bare.startswith(f"{JUDGED}:"):
            judges = _judges(steps, bare.partition(":")[2])
            return [*(f"{mark}{EVIDENCE}{step}" for step in judges), f"{mark}{recorded.BARRED}"]
        kind = bare.removesuffix(ALL)
        return [f"{mark}{kind}{step}" for step in every[bare]] if bare in every else [read]

    return {name: replace(s, reads=tuple(n for r in s.reads for n in names(r))) for name, s in steps.items()}


def _judges(steps: dict[str, Step], table: str) -> list[str]:
    """Return the step that writes a table of scores, and the validations and monitoring that read its model."""
    makers = [s for s in steps.values() if table in _bare(s.writes)]
    models = {n for s in makers for n in _bare(s.writes) if n.startswith(tables.MODEL)}
    rooms = ("validation/", "monitoring/")
    judging = [s for s in steps.values() if s.name.startswith(rooms) and models & _bare(s.reads)]
    return [s.name for s in (*makers, *judging)]


def _bare(names: Iterable[str]) -> set[str]:
    return {n.lstrip("?") for n in names}


def _agree(steps: dict[str, Step]) -> None:
    """Let each step that asks (`agree`) look at the others: what it lacks is told before a kernel starts."""
    others = {name: s.params for name, s in steps.items()}
    for name, s in steps.items():
        module = _module(name.partition("@")[0])
        if hasattr(module, "agree"):
            with _named(name):
                module.agree(s.params, others)


def _columns_known(steps: dict[str, Step]) -> None:
    """Hold the columns that steps say they look at (`columns`) against those that the source's contracts tell.

    A condition on columns of known types is asked of an empty table.
    """
    known: dict[str, list[str]] = {}
    accounts, types = None, {}
    for source, words in _sources(steps):
        known |= source.columns(words)
        accounts = source.of_accounts(words)
        types = _types([*words.values(), *([accounts] if accounts else [])])
    written = {table for s in steps.values() for table in _bare(s.writes)}
    for s in steps.values():
        for asked in _asked(s, accounts, "core__month" in written):
            if asked.names and not written.intersection(asked.tables):
                where, columns = " and ".join(asked.tables), ", ".join(asked.names)
                raise UserError(
                    f"{s.name}: {asked.parameter} asks for {columns} of {where}, which no step writes; "
                    "leave it out, or give the intake a file of months"
                )
            there = written.intersection(asked.tables)
            if there <= set(known):
                asked.within([c for table in there for c in known[table]], s.name)
            for text in asked.conditions if types.keys() >= set(asked.names) else ():
                engine.condition(text, types, f"{s.name}: {asked.parameter}")


def _sources(steps: dict[str, Step]) -> list[tuple[Source, Words]]:
    """Return the source of each intake with the contracts of its tables."""
    from workbench.portfolios import catalog  # loads pandas, which a plan that is remembered does without
    from workbench.portfolios.source import Request

    asked = [s.params for s in steps.values() if isinstance(s.params, Request)]
    sources = [(catalog.source(p.portfolio), p) for p in asked]
    return [(source, source.words(p)) for source, p in sources]


def _panels_fit(steps: dict[str, Step]) -> None:
    """Hold what steps take their panel for (`of_panel`) against the steps that make it, its model and its scores.

    Which rows are watched isn't known where the bank's file says it.
    """
    makers = {name: s for s in steps.values() for name in _bare(s.writes)}
    is_given = _samples_given(steps)
    for s in steps.values():
        module = _module(s.name.partition("@")[0])
        for asked in module.of_panel(s.params) if hasattr(module, "of_panel") else ():
            if not (is_given and isinstance(asked, Watching)):
                maker = makers[asked.made]
                asked.within(maker.params, maker.name, s.name)


def _samples_given(steps: dict[str, Step]) -> bool:
    """Return whether the bank's own files say which sample a row belongs to."""
    return any(c.named("sample") for _, words in _sources(steps) for c in words.values())


def _outcomes_fit(steps: dict[str, Step]) -> None:
    """Let each step that asks (`of_outcome`) look at the outcome of its panel, where study and contracts tell it."""
    asking = {s.name: m for s in steps.values() if hasattr(m := _module(s.name.partition("@")[0]), "of_outcome")}
    outcomes = _outcomes(steps) if asking else {}
    for name, module in asking.items():
        if outcome := outcomes.get(steps[name].params.panel):
            with _named(name):
                module.of_outcome(steps[name].params, outcome)


def _outcomes(steps: dict[str, Step]) -> dict[str, Outcome]:
    """Return what is predicted by panel, of those whose outcome is known before they are made."""
    from workbench.panel import build, outcome  # loads pandas, as above

    contracts = [c for source, words in _sources(steps) if (c := source.of_accounts(words))]
    panels = [s.params for s in steps.values() if isinstance(s.params, build.Params)]
    return {p.panel: outcome.resolved(p.outcome, contracts[0]) for p in panels} if contracts else {}


def _types(contracts: Iterable[Contract]) -> dict[str, str]:
    """Return the engine's types of columns by name, of those that have one type wherever they stand."""
    types: dict[str, set[str]] = {"entity_id": {"VARCHAR"}, "as_of_date": {"TIMESTAMP"}, "month": {"TIMESTAMP"}}
    for c in (c for contract in contracts for c in contract.columns):
        types.setdefault(c.name, set()).add(_ENGINE[c.type])
    return {name: kind.pop() for name, kind in types.items() if len(kind) == 1}


def _asked(s: Step, accounts: Contract | None, has_months: bool) -> list[Columns]:
    """Return the columns a step looks at, those of the accounts' contract (`of_contract`) among them."""
    module = _module(s.name.partition("@")[0])
    with _named(s.name):
        asked = list(module.columns(s.params)) if hasattr(module, "columns") else []
        if accounts and hasattr(module, "of_contract"):
            asked += module.of_contract(s.params, accounts, has_months)
        return asked


def _order(needs: dict[str, frozenset[str]]) -> tuple[str, ...]:
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as e:
        raise UserError(f"steps wait for one another: {' -> '.join(e.args[1])}") from None


def _of_period(
    steps: dict[str, Step],
    order: tuple[str, ...],
    needs: dict[str, frozenset[str]],
    dated: set[str],
    period: str,
) -> dict[str, Step]:
    """Return the steps, those with a placeholder and all that stand on them moved to the period."""
    if not dated:
        raise UserError(f"{no_placeholder()}; without one --period changes nothing")
    for name in order:
        if name in dated or needs[name] & dated:
            dated.add(name)
            moved = steps[name].params.model_copy(update={"period": period})
            steps[name] = replace(steps[name], params=moved)
    return steps


def _filled(value: Any, words: dict[str, str]) -> Any:
    """Return a value with its placeholders filled; YAML reads an unquoted `{period}` as a mapping, meant as this."""
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(f"{{{word}}}", text)
    elif isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in words and next(iter(value.values())) is None:
            return words[next(iter(value))]
        value = {k: _filled(v, words) for k, v in value.items()}
    elif isinstance(value, list):
        value = [_filled(v, words) for v in value]
    return value


def _read(path: Path) -> _File:
    name = repr(str(path))
    if path.is_dir():
        raise UserError(f"study {name} is a folder; name a file in it")
    if not path.exists():
        near = [str(p.relative_to(home.root())) for p in there.studies()]
        raise UserError(f"study {name} is not there; {nearest(str(path), near) if near else 'params/ has no study'}")
    if not re.fullmatch(r"[a-z0-9_]+", path.stem):  # it becomes the name of folders, models and experiments
        raise UserError(f"study {name}: its file's name is the study's: a-z, 0-9 and _, then .yaml; rename the file")
    try:
        content = from_yaml(path.read_text(encoding="utf-8"), path.name)
        if content is None:
            raise UserError(f"{path.name}: the file is empty; write `title:` and `steps:`")
        if not isinstance(content, dict):
            raise UserError(f"{path.name}: no study; write pairs: {', '.join(f'`{n}:`' for n in _File.model_fields)}")
        return _File.model_validate(content)
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: not UTF-8; save it as UTF-8") from None
    except OSError as e:
        raise UserError(f"study '{path}' can't be read: {e.strerror}") from None
    except ValidationError as e:
        where, words = mistake(e, _File)
        raise UserError(f"{path.name}: {where}: {words}") from None


def _overrides(texts: tuple[str, ...], steps: dict[str, Any], where: str) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for text in texts:
        target, eq, value = text.partition("=")
        step, dot, name = target.rpartition(".")
        short = text if len(text) <= SHORT else f"{text[:SHORT]}..."
        if not eq or not dot:
            raise UserError(f"--set {short}: write step.param=value")
        if step not in steps:
            raise UserError(f"--set {short}: {where} has no step '{step}'; {nearest(step, steps)}")
        out.setdefault(step, {})[name] = from_yaml(value, f"--set {short}")
    return out


def _values(name: str, given: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the step's values as the file gives them; an empty `today` is the day of this run, so that it shows."""
    base, at, instance = name.partition("@")
    if not (steps := there.steps()):
        raise UserError("no step is there: notebooks/ lacks or is empty; link the workbench's own beside params/")
    if base not in steps:
        raise UserError(f"unknown step '{base}'; {nearest(base, steps)}")
    if at and not re.fullmatch(r"[a-z0-9_]+", instance):
        raise UserError(f"step '{name}': after @ write a name of a-z, 0-9 and _")
    if "study" in {**defaults, **given}:
        raise UserError(f"{name}: 'study' is the file's own name; leave it out")
    if "period" in {**defaults, **given}:
        raise UserError(f"{name}: 'period' is given by --period; leave it out")
    fields = _module(base).Params.model_fields
    values = {k: v for k, v in defaults.items() if k in fields} | given
    if "today" in fields and values.get("today") in (None, ""):
        values["today"] = date.today().isoformat()
    return values


def _module(base: str) -> ModuleType:
    """Return a step's module; `UserError` where there is none beside its notebook, or it isn't a step's."""
    name = f"workbench.{base.replace('/', '.')}"
    where, mend = f"step '{base}' has a notebook", "docs/extending.md shows one"
    try:
        module = import_module(name)
    except ModuleNotFoundError as e:
        if not e.name or not f"{name}.".startswith(f"{e.name}."):
            raise
        raise UserError(f"{where} and no module src/workbench/{base}.py; {mend}") from None
    if lacking := [part for part in ("Params", "reads", "writes") if not hasattr(module, part)]:
        raise UserError(f"{where}, but src/workbench/{base}.py has no `{lacking[0]}`; {mend}")
    return module


def _step(name: str, values: dict[str, Any], study: str) -> Step:
    base = name.partition("@")[0]
    module = _module(base)
    p = module.Params.checked({**values, "study": study}, name)
    with _named(name):
        p.verify()
    return Step(
        name,
        home.root() / "notebooks" / f"{base}.ipynb",
        p,
        tuple(module.reads(p)),
        tuple(module.writes(p)),
        _files(module, p),
    )


def _files(module: ModuleType, p: params.Params) -> tuple[Path, ...]:
    return tuple(module.files(p)) if hasattr(module, "files") else ()


def _defaults_known(defaults: dict[str, Any], steps: dict[str, Step]) -> None:
    fields = {f for s in steps.values() for f in type(s.params).model_fields}
    for name in defaults:
        if name not in fields:
            raise UserError(f"defaults: no step has a parameter '{name}'; {nearest(name, fields)}")


def _needs(steps: dict[str, Step]) -> dict[str, frozenset[str]]:
    """Return step → steps whose tables it reads; a table nobody writes is an error."""
    writers: dict[str, str] = {}
    for s in steps.values():
        for table in (w.lstrip("?") for w in s.writes):
            if table in writers:
                raise UserError(f"'{writers[table]}' and '{s.name}' both write '{table}'; rename one")
            writers[table] = s.name
    makers = writers | {f"{EVIDENCE}{name}": name for name in steps}
    needs = {}
    for s in steps.values():
        for name in [n for n in s.reads if not n.startswith(("?", PREVIOUS)) and n not in makers]:
            raise UserError(f"'{s.name}' reads '{name}', which no step {_lacking(name, makers)}")
        needs[s.name] = frozenset(makers[n] for n in (r.lstrip("?") for r in s.reads) if n in makers)
    return needs


def _lacking(name: str, makers: dict[str, str]) -> str:
    """Say what no step does for a name that is read, and the nearest that one does."""
    of_records = recorded.is_name(name)
    if makes := [] if of_records else _writing(name):
        return f"writes; add {' or '.join(makes)}"
    known = [n for n in makers if recorded.is_name(n) == of_records]
    return f"{'is called like' if of_records else 'writes'}; {nearest(name, known)}"


def _writing(name: str) -> list[str]:
    """Return the steps that write a table where a study says nothing of its name."""
    given = ((base, _module(base)) for base in there.steps())
    return [base for base, module in given if name in _bare(module.writes(module.Params()))]


def selected(study: Study, only: str = "", start: str = "") -> list[Step]:
    """Return the steps to run: all, one (`only`), or one and everything that stands on it (`start`)."""
    names = [s.name for s in study.steps]
    for given in (only, start):
        if given and given not in names:
            raise UserError(f"{study.path.name} has no step '{given}'; {nearest(given, names)}")
    if only:
        return [s for s in study.steps if s.name == only]
    if not start:
        return list(study.steps)
    below = {start}
    for s in study.steps:
        if study.needs[s.name] & below:
            below.add(s.name)
    return [s for s in study.steps if s.name in below]
