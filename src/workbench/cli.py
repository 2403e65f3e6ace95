"""The command line: parse, call, print."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, TextIO

from workbench import collect_seldom, verbs
from workbench.verbs.arguments import study_file

BEGIN = ("intake", "lab", "ui", "doctor", "keygen", "completion")  # commands that a new, empty home may begin with
SHORT = 200  # characters of a file's name that a message repeats


def main(argv: list[str] | None = None) -> int:
    """Run a command; exit codes: 0 well, 1 a step failed or a defect of ours, 2 something the user can mend."""
    collect_seldom()
    _open_streams()
    try:
        try:
            return _called(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # nobody reads on (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _open_streams() -> None:
    """Every text can be printed, and no file of ours gets the number of a stream that was closed (`>&-`).

    What a kernel printed to such a number would be written into that file.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
        stream = getattr(sys, name)
        if mode == "w" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # Chinese where the terminal has ASCII alone


def _called(argv: list[str] | None) -> int:
    args = _parser().parse_args(argv)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from workbench.params import UserError, no_space

    try:
        if (home := os.environ.get("WORKBENCH_HOME")) and not os.path.isdir(home):
            raise UserError(f"WORKBENCH_HOME={home[:SHORT]} is no folder; make it, or name the workbench's own")
        is_home = not home or any(os.path.isdir(f"{home}/{n}") for n in ("params", "mlruns"))
        if not is_home and args.command not in BEGIN:
            raise UserError(f"WORKBENCH_HOME={home[:SHORT]} has no params/ and no mlruns/; name the workbench's own")
        return args.call(args)
    except UserError as e:
        _tell(f"workbench: {' '.join(str(e).split())}", sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except OSError as e:
        what = no_space(e) or f"{str(e.filename or 'system')[:SHORT]}: {e.strerror or e}"
        _tell(f"workbench: {what}", sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("workbench: stopped; what had ended is kept, the rest is marked KILLED", file=sys.stderr)
        return 130
    except Exception as e:  # noqa: BLE001 - a defect of ours: told whole, but for what a file held
        from workbench.personal import masked
        from workbench.registry import store

        if refused := _broken(e) or store.damage(e):
            _tell(f"workbench: {refused}", sys.stderr)
            return 2

        trace = traceback.format_exc().replace(f"{Path(__file__).parent}/", "src/workbench/")
        print(masked(trace, foreign=True), file=sys.stderr)
        return 1


def _broken(error: Exception) -> str:
    """Return which file of this package Python can't read or import, the line and Python's words; '' for the rest."""
    if isinstance(error, SyntaxError):
        file, line = error.filename, error.lineno
    elif isinstance(error, ImportError):
        last = traceback.extract_tb(error.__traceback__)[-1]
        file, line = last.filename, last.lineno
    else:
        return ""
    package = Path(__file__).parent
    if not file or not Path(file).is_relative_to(package):
        return ""
    words = " ".join(str(error.msg).split())
    return f"src/workbench/{Path(file).relative_to(package)}, line {line or 1}: {words}; mend it there"


def _tell(text: str, stream: TextIO | None = None) -> None:
    """Print what may quote a file, its name or its values: personal data in it are masked."""
    from workbench.personal import masked

    print(masked(text), file=stream or sys.stdout)


class _Version(argparse.Action):
    """Prints the version; it is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"workbench {version('loan-workbench')}")
        parser.exit(0)


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, as everything else does."""

    _given: Sequence[str] = ()

    def parse_known_args(self, args=None, namespace=None):
        """Read the arguments, and remember them: what is missing is said before what is unknown."""
        self._given = sys.argv[1:] if args is None else args
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        from workbench.personal import masked

        if message.startswith("the following arguments are required") and (unknown := self._unknown()):
            message = f"unrecognized arguments: {' '.join(unknown)}"
        self.exit(2, masked(f"{self.prog}: {message}; see `{self.prog} --help`\n"))

    def _unknown(self) -> list[str]:
        """Return the options given that the help doesn't know."""
        known = re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", self.format_help())
        options = [a.partition("=")[0] for a in self._given if re.match("--?[a-zA-Z]", a)]
        return [o for o in options if not any(k.startswith(o) for k in known)]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="workbench", description="Research and model governance for loan customers.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run studies; unchanged steps are taken from their last good run")
    run.add_argument("studies", nargs="+", type=study_file, metavar="STUDY", help="a file, or its name: taiwan_cards")
    part = run.add_mutually_exclusive_group()
    part.add_argument("--step", type=_step, metavar="NAME", help="only this step")
    part.add_argument("--from", dest="start", type=_step, metavar="NAME", help="this step and all that stand on it")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP.PARAM=VALUE",
        help="a parameter, above the study file",
    )
    run.add_argument(
        "--period", type=_period, metavar="PERIOD", help="2018, 2018-Q1 or 2018-03, for {period} in the study"
    )
    run.add_argument("--jobs", type=_number(1, 64), metavar="N", help="steps side by side (default: the cores)")
    run.add_argument("--fresh", action="store_true", help="run unchanged steps again, too")
    run.add_argument("--cold", action="store_true", help="a new kernel per notebook instead of the warm one")
    run.set_defaults(call=_run)
    render = commands.add_parser("render", help="a study's pages in another language; nothing is run again")
    render.add_argument("study", type=study_file, metavar="STUDY", help="a file, or its name: taiwan_cards")
    render.add_argument("--lang", choices=("en", "zh_CN"), required=True, help="language of the pages")
    render.set_defaults(call=_render)
    _add_pdf(commands)
    steps = commands.add_parser("steps", help="what would run, in order, with the resolved parameters")
    steps.add_argument("study", type=study_file, metavar="STUDY", help="a file, or its name: taiwan_cards")
    steps.add_argument("--set", action="append", default=[], metavar="STEP.PARAM=VALUE")
    steps.add_argument("--period", type=_period, metavar="PERIOD")
    steps.set_defaults(call=_steps)
    _add_schedule(commands)
    portfolios = commands.add_parser("portfolios", help="what data there is")
    portfolios.set_defaults(call=_portfolios)
    intake = commands.add_parser("intake", help="draft the contract of a CSV or Parquet file, of several with a study")
    intake.add_argument("files", type=Path, nargs="+", metavar="FILE", help="several are joined by their keys")
    intake.add_argument(
        "--out", type=Path, default=None, metavar="CONTRACT", help="default: params/contracts/FILE.yaml"
    )
    intake.set_defaults(call=_intake)
    doctor = commands.add_parser("doctor", help="is this machine ready: versions, disk, MLflow store, fonts")
    doctor.set_defaults(call=_doctor)
    _looks(commands)
    verbs.add(commands)
    completion = commands.add_parser("completion", help='completion for a shell: eval "$(workbench completion bash)"')
    completion.add_argument("shell", choices=("bash", "zsh"))
    completion.add_argument("--names", nargs="+", default=(), help=argparse.SUPPRESS)  # the script asks
    completion.set_defaults(call=_completion)
    return parser


def _add_pdf(commands: argparse._SubParsersAction) -> None:
    pdf = commands.add_parser("pdf", help="a study's pack as PDF, or a step's page; beside the page in reports/")
    pdf.add_argument("study", type=study_file, metavar="STUDY", help="a file, or its name: taiwan_cards")
    pdf.add_argument("step", nargs="?", default="", metavar="STEP", help="default: the pack, else every page")
    pdf.add_argument("--period", type=_period, metavar="PERIOD", help="default: the latest")
    pdf.add_argument("--lang", choices=("en", "zh_CN"), default="", help="default: that of the page")
    pdf.set_defaults(call=_pdf)


def _add_schedule(commands: argparse._SubParsersAction) -> None:
    schedule = commands.add_parser("schedule", help="reports that come by themselves (params/schedule.yaml)")
    actions = schedule.add_subparsers(dest="verb", required=True, metavar="VERB")
    once = actions.add_parser("once", help="make and tell what is due, catch up what was missed, exit")
    once.add_argument("--retry", action="store_true", help="try failed reports now, given-up ones too")
    once.add_argument("--fail-on-red", action="store_true", help="exit 3 where a report made now has a red light")
    once.set_defaults(call=_schedule_once)
    actions.add_parser("run", help="stay, and do so whenever something is due").set_defaults(call=_schedule_run)
    listing = actions.add_parser("list", help="each report's last, next and state")
    listing.set_defaults(call=_schedule_list)
    check = actions.add_parser("check", help="exit 1 where a report is overdue beyond its grace")
    check.set_defaults(call=_schedule_check)
    for verb in (once, listing, check):
        verb.add_argument(
            "--as-of", type=_moment, default=None, metavar="DATETIME", help="2018-07-03T09:00 (default: now)"
        )
    install = actions.add_parser("install", help="print what calls `schedule once` every quarter of an hour")
    kind = install.add_mutually_exclusive_group(required=True)
    for name in ("systemd", "cron", "airflow", "jupyter"):
        kind.add_argument(f"--{name}", dest="kind", action="store_const", const=name)
    install.add_argument("--out", type=Path, metavar="FOLDER", help="write the files there instead")
    install.set_defaults(call=_schedule_install)


def _moment(text: str) -> str:
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no moment; write 2018-07-03 or 2018-07-03T09:00") from None
    return text


def _looks(commands: argparse._SubParsersAction) -> None:
    """Add the commands through which a person looks at runs, notebooks and store."""
    runs = commands.add_parser("runs", help="the latest runs and how they stand; one whose runner is gone has crashed")
    runs.set_defaults(call=_runs)
    lab = commands.add_parser("lab", help="JupyterLab on the notebooks")
    lab.set_defaults(call=_lab)
    ui = commands.add_parser("ui", help="MLflow UI on mlruns/, for reading only (loopback only)")
    ui.add_argument("--drift", action="store_true", help="Evidently's UI instead, on what monitoring has left")
    ui.add_argument("--port", type=_number(1, 65_535), default=5000, help="or the next free one (default: 5000)")
    ui.set_defaults(call=_ui)
    serve = commands.add_parser("serve", help="reports/ in a browser, with links into the MLflow UI (loopback only)")
    serve.add_argument("--port", type=_number(0, 65_535), default=8000, help="0: any free one (default: 8000)")
    serve.set_defaults(call=_serve)


def _period(text: str) -> str:
    """A period as it is written; an empty one (a shell's variable that isn't set) is none."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name one (2018, 2018-Q1 or 2018-03) or leave --period out")
    return text


def _step(text: str) -> str:
    """A step as it is written; an empty one would be the whole study."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name one (`workbench steps STUDY` lists them) or leave it out")
    return text


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {low} to {high}")
        return int(text)

    return read


def _run(args: argparse.Namespace) -> int:
    from workbench import engine
    from workbench.runs import execution, plan, progress

    engine.checked()
    paths = {p.resolve(): p for p in args.studies}.values()
    studies = [plan.study(path, tuple(args.set), args.period or "") for path in paths]
    jobs = {"jobs": args.jobs} if args.jobs else {}
    which = {"only": args.step or "", "start": args.start or ""}
    options = execution.Options(**which, fresh=args.fresh, warm=not args.cold, **jobs)
    with progress.console() as watcher:
        results = execution.run(studies, options, watcher)
    progress.output().print(progress.closing(results), markup=False)
    failed = [r for ended in results.values() for r in ended if r.status == "failed"]
    return 0 if not failed else 2 if all(r.by_user for r in failed) else 1


def _render(args: argparse.Namespace) -> int:
    from workbench.runs import progress, rendering

    pages, study = rendering.render(args.study.stem, args.lang), args.study.stem
    already = f"nothing to write: the pages of '{study}' are in {args.lang} already: reports/{study}"
    line = f"{len(pages)} pages: reports/{args.lang}/{study}" if pages else already
    progress.output().print(line, markup=False)
    return 0


def _pdf(args: argparse.Namespace) -> int:
    from workbench.runs import printing, progress

    for path in printing.write(args.study.stem, args.step, args.period or "", args.lang):
        progress.output().print(str(path), markup=False)
    return 0


def _steps(args: argparse.Namespace) -> int:
    from workbench.runs import progress, study

    out = progress.output()
    for step in study.load(args.study, tuple(args.set), args.period or "").steps:
        out.print(step.name, markup=False)
        out.print(f"  reads  {', '.join(step.reads) or '-'}\n  writes {', '.join(step.writes) or '-'}", markup=False)
        for name, value in step.params.model_dump(mode="json").items():
            out.print(f"    {name}: {value!r}", markup=False)
    return 0


def _schedule_once(args: argparse.Namespace) -> int:
    from workbench.runs import progress, schedule, slots

    plan = slots.load()
    with progress.console() as watcher, _stopped_by_sigterm():
        scheduler = schedule.Scheduler(plan, schedule.run_study(watcher), schedule.deliver, retry=args.retry)
        ended = scheduler.once(args.as_of or "")
    out = progress.output()
    out.print("\n".join(map(schedule.line, ended)) or "nothing is due", markup=False)
    if not all(e.well for e in ended):
        return 1
    return 3 if args.fail_on_red and any(e.verdict in ("red", "error") for e in ended) else 0


def _schedule_run(args: argparse.Namespace) -> int:
    from workbench.runs import progress, schedule, slots

    plan = slots.load()
    with progress.console() as watcher, _stopped_by_sigterm():
        schedule.Scheduler(plan, schedule.run_study(watcher), schedule.deliver).forever(watcher.note)
    return 0


def _schedule_list(args: argparse.Namespace) -> int:
    import pandas as pd

    from workbench.runs import progress, schedule, slots

    rows = [vars(s) | {"overdue": s.overdue_in_words()} for s in schedule.states(slots.load(), args.as_of or "")]
    progress.output().print(progress.table(pd.DataFrame(rows)) if rows else "no report is scheduled", markup=False)
    return 0


def _schedule_check(args: argparse.Namespace) -> int:
    from workbench.runs import progress, schedule, slots

    late = [s for s in schedule.states(slots.load(), args.as_of or "") if s.overdue]
    for state in late:
        progress.output().print(f"{state.report} overdue: {state.overdue_in_words()} ({state.state})", markup=False)
    return 1 if late else 0


def _schedule_install(args: argparse.Namespace) -> int:
    from workbench.runs import units

    files = units.KINDS[args.kind]()
    if args.out:
        print("\n".join(map(str, units.write(files, args.out))))
        return 0
    for name, text in files.items():
        print((f"# {name}\n" if len(files) > 1 else "") + text, end="" if len(files) == 1 else "\n")
    return 0


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM (systemd, Kubernetes) stops as Ctrl-C does: what is under way is marked KILLED."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _portfolios(args: argparse.Namespace) -> int:
    from workbench.portfolios import catalog
    from workbench.runs import progress

    progress.output().print(progress.table(catalog.listing()))
    return 0


def _intake(args: argparse.Namespace) -> int:
    if len(args.files) > 1:
        return _intake_joined(args)
    from workbench import home
    from workbench.params import UserError
    from workbench.portfolios import draft

    (file,) = args.files
    target = args.out or home.root() / "params" / "contracts" / f"{draft.file_name_of(file)}.yaml"
    if target.exists():
        raise UserError(f"{target} is there already and may hold your corrections; name another with --out")
    contract = draft.draft(file)
    home.put(target, draft.to_yaml(contract).encode())
    _tell(f"{target}: {len(contract.columns)} columns drafted; look at every `guessed`, then name it in a study file")
    for note in contract.notes:
        _tell(f"note: {note}")
    if not contract.named("outcome"):
        print("no outcome was found: give one column `role: outcome, known: after`, and the contract its `event_value`")
    return 0


def _intake_joined(args: argparse.Namespace) -> int:
    from workbench.params import UserError
    from workbench.portfolios import joining

    if args.out:
        raise UserError("--out names one contract; several files have theirs in params/contracts, beside a study")
    drafted = joining.joined(args.files)
    for table, column in drafted.columns.items():
        _tell(f"{drafted.files[table].name}: table `{table}`, joined by {column}")
    _tell("\n".join(f"{path}: drafted" for path in joining.write(drafted)))
    print("look at every `guessed` in the contracts, then run the study")
    for line in drafted.remarks():
        _tell(line)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from workbench.runs import doctor, progress

    lines, ready = doctor.examine()
    progress.output().print("\n".join(lines), markup=False)
    return 0 if ready else 1


def _runs(args: argparse.Namespace) -> int:
    from workbench.registry import runs
    from workbench.reporting import site
    from workbench.runs import progress

    if crashed := runs.reconcile():
        site.write()
    out = progress.output()
    for name in crashed:
        out.print(f"{name}: its runner is gone; crashed, KILLED in MLflow", markup=False)
    out.print(progress.table(runs.latest()))
    return 0


def _lab(args: argparse.Namespace) -> int:
    from workbench.runs import servers

    command, environment = servers.lab()
    print(f"JupyterLab's token: {environment['JUPYTER_TOKEN_FILE']}")
    servers.start(command, environment)
    return 0


def _ui(args: argparse.Namespace) -> int:
    from workbench.params import UserError
    from workbench.registry import store
    from workbench.runs import servers

    if args.drift:
        return _drift_ui(args)
    if store.is_server():
        raise UserError(f"the store is the server {store.uri()}: open that in a browser, or unset MLFLOW_TRACKING_URI")
    with store.named_if_damaged():
        store.client()
    port = servers.free_port(args.port)
    taken = f" ({args.port} is taken)" if port != args.port else ""
    print(f"MLflow UI, for reading only: http://{servers.LOOPBACK}:{port}{taken}")
    servers.remember_ui(port)
    servers.start(servers.ui(port, store.uri()))
    return 0


def _serve(args: argparse.Namespace) -> int:
    from workbench import home
    from workbench.params import UserError
    from workbench.reporting import serving
    from workbench.runs import servers

    if not (home.reports() / "index.html").exists():
        raise UserError("reports/ has no pages yet; `workbench run params/sample.yaml` makes some")
    bound = servers.bound(args.port)
    print(f"reports, for reading only: http://{servers.LOOPBACK}:{bound.getsockname()[1]}", flush=True)
    serving.serve(bound, servers.running_ui)
    return 0


def _drift_ui(args: argparse.Namespace) -> int:
    from workbench.monitoring import drift_ui
    from workbench.runs import servers

    drift_ui.build()
    port = servers.free_port(args.port)
    print(f"Evidently's UI, for reading only: http://{servers.LOOPBACK}:{port}")
    servers.start(servers.drift_ui(port))
    return 0


def _completion(args: argparse.Namespace) -> int:
    from workbench.verbs import completing

    if args.names:
        print("".join(f"{name}\n" for name in completing.names(*args.names[:3])), end="")
    else:
        print(completing.script(_parser(), args.shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
