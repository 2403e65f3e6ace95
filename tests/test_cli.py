"""The command line: readable at 80 columns, quiet in a pipe, studies by name from any folder, servers as they should be."""

import io
import json
import os
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from running import workbench
from workbench import cli, home
from workbench.params import UserError
from workbench.runs import doctor, progress, servers
from workbench.runs.execution import Result
from workbench.verbs.arguments import study_file

ROOT = Path(__file__).parents[1]
LONG = "AUC 0.7512 (0.7433 to 0.7590) on the hold-out, 违约率 12.0%; the limit of 0.65 is kept; " * 2


@pytest.mark.parametrize(
    "words",
    [("--help",), ("run", "--help"), ("steps", "taiwan_cards"), ("portfolios",), ("doctor",), ("schedule", "list")],
)
def test_what_commands_print_fits_80_columns(words):
    done = workbench(home.root(), *words, COLUMNS="80")
    assert done.stdout and [line for line in done.stdout.splitlines() if cell_len(line) > 80] == []


def test_lines_of_a_run_fit_80_columns_and_a_log_keeps_one_line_a_step(monkeypatch, capsys):
    result = Result("validation/battery", "done", 12.34, "amber", LONG)
    monkeypatch.setenv("COLUMNS", "80")
    with progress.console() as lines:
        lines.ended("taiwan_cards", result)
        lines.note(LONG)
    wrapped = capsys.readouterr().out.splitlines()
    assert all(cell_len(line) <= 80 for line in wrapped) and len(wrapped) > 4
    assert wrapped[0] == "✓ taiwan_cards validation/battery            12.3 s  amber"
    assert wrapped[1].startswith("    AUC 0.7512 (0.7433")
    monkeypatch.delenv("COLUMNS")
    with progress.console() as lines:
        lines.ended("taiwan_cards", result)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_studies_are_known_by_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert home.root() == ROOT
    for given in (
        "taiwan_cards",
        "taiwan_cards.yaml",
        "params/taiwan_cards.yaml",
        str(ROOT / "params/taiwan_cards.yaml"),
    ):
        assert study_file(given) == ROOT / "params" / "taiwan_cards.yaml"


def test_a_study_that_is_not_there_gets_a_hint_that_works_when_typed(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("WORKBENCH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["steps", "taiwan_card"]) == 2
    line = "workbench: study 'taiwan_card' is not there; did you mean 'params/taiwan_cards.yaml'?\n"
    assert capsys.readouterr().err == line
    assert cli.main(["steps", re.search(r"did you mean '(.*)'", line)[1]]) == 0


def test_what_is_offered_in_place_of_a_study_is_one():
    (offered,) = re.findall(r"known: (.*)\n", workbench(ROOT, "steps", "nosuch").stderr)
    assert "params/taiwan_cards.yaml" in offered.split(", ") and "params/schedule.yaml" not in offered


def test_a_home_that_is_not_there_is_a_line_and_is_not_made(tmp_path, monkeypatch, capsys):
    nowhere = tmp_path / "nowhere"
    monkeypatch.setenv("WORKBENCH_HOME", str(nowhere))
    assert cli.main(["models"]) == 2 and not nowhere.exists()
    line = f"workbench: WORKBENCH_HOME={nowhere} is no folder; make it, or name the workbench's own\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("words", ["steps taiwan_cards", "--help", "completion bash"])
def test_a_pipe_that_closes_early_is_no_error(words):
    command = f"{shlex.quote(sys.executable)} -W ignore -m workbench.cli {words} | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_what_an_ascii_terminal_cannot_show_is_escaped(tmp_path, monkeypatch):
    (tmp_path / "贷款.csv").write_text("id,amount\n" + "".join(f"L{i},{i}\n" for i in range(9)))
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    assert cli.main(["intake", "贷款.csv", "--out", "贷款.yaml"]) == 0
    assert shown.buffer.getvalue().startswith(b"\\u8d37\\u6b3e.yaml: 2 columns drafted; look at every `guessed`")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_error_and_no_file_takes_its_place(closed):
    opens = "import sys; from workbench.cli import main; code = main(['completion', 'bash']); sys.exit(code or open('/dev/null').fileno() < 3)"
    done = subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, opens], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["run", "steps", "pdf"])
def test_an_empty_period_is_refused(command, capsys):
    """A shell's variable that isn't set would run the study without a period, and say nothing."""
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "taiwan_cards", "--period", ""])
    assert stopped.value.code == 2
    line = "argument --period: it is empty; name one (2018, 2018-Q1 or 2018-03) or leave --period out"
    assert line in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--step", "--from"])
def test_an_empty_step_is_refused_and_is_not_the_whole_study(option, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["run", "sample", option, ""])
    assert stopped.value.code == 2
    assert capsys.readouterr().err == (
        f"workbench run: argument {option}: it is empty; name one (`workbench steps STUDY` lists them) or leave it out; "
        "see `workbench run --help`\n"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--nosuch", "workbench: unrecognized arguments: --nosuch; see `workbench --help`\n"),
        ("run --nosuch=1", "workbench run: unrecognized arguments: --nosuch; see `workbench run --help`\n"),
        ("schedule --x", "workbench schedule: unrecognized arguments: --x; see `workbench schedule --help`\n"),
        ("run --fresh", "workbench run: the following arguments are required: STUDY; see `workbench run --help`\n"),
        ("", "workbench: the following arguments are required: COMMAND; see `workbench --help`\n"),
    ],
)
def test_an_option_that_is_unknown_is_said_before_an_argument_that_is_missing(words, line, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words.split())
    assert (stopped.value.code, capsys.readouterr().err) == (2, line)


def test_a_table_too_wide_for_the_terminal_cuts_no_header_into_pieces():
    rows = pd.DataFrame({"model": ["bank.pd"], "champion_since": ["2026-01-01"], "tier": [3], "next_review": [""]})
    narrow, wide = (Console(width=width, file=io.StringIO()) for width in (30, 80))
    for console in (narrow, wide):
        console.print(progress.table(rows))
    assert narrow.file.getvalue().split("\n")[:3] == ["bank.pd", "    champion_since: 2026-01-01", "    tier: 3"]
    assert "next_review" not in narrow.file.getvalue()
    assert wide.file.getvalue().split() == ["model", *rows.columns[1:], "bank.pd", "2026-01-01", "3"]


def test_version_and_completion():
    assert re.fullmatch(r"workbench \d+\.\d+\.\d+\n", workbench(ROOT, "--version").stdout)
    for shell, word in (("bash", "complete "), ("zsh", "#compdef workbench")):
        done = workbench(ROOT, "completion", shell)
        assert done.returncode == 0 and word in done.stdout and "portfolios" in done.stdout


COMPLETED = {
    "workbench run tai": ["taiwan_cards"],
    "workbench steps ger": ["german_credit"],
    "workbench render ger": ["german_credit"],
    "workbench pdf taiwan_cards panel/": ["panel/build", "panel/build@behaviour"],
    "workbench run taiwan_cards --step models/development@": ["models/development@behaviour"],
    "workbench run --from actions/con": ["actions/conversion"],
    "workbench run none --from actions/con": ["actions/conversion"],
    "workbench run sched": [],
    "workbench approve taiwan": ["taiwan_cards.pd/2", "taiwan_cards.pd/10"],
    "workbench documents taiwan_cards.pd/1": ["taiwan_cards.pd/10"],
    "workbench history taiwan": ["taiwan_cards.pd"],
}


def _completed(script: Path, words: str, home: Path) -> subprocess.CompletedProcess:
    """Complete the last word as bash does on TAB."""
    asks = f"source {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _shtab_workbench"
    environment = os.environ | {"WORKBENCH_HOME": str(home), "PATH": f"{script.parent}:{os.environ['PATH']}"}
    show = f'{asks}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", show], capture_output=True, text=True, env=environment, timeout=60)


@pytest.fixture(scope="module")
def completing(tmp_path_factory) -> tuple[Path, Path]:
    """The script for bash, and a home with the studies here and three versions, one of them deleted."""
    home = tmp_path_factory.mktemp("home")
    (home / "mlruns").mkdir()
    for name in ("params", "notebooks"):
        (home / name).symlink_to(ROOT / name)
    with sqlite3.connect(home / "mlruns/mlflow.db") as database:
        database.execute("CREATE TABLE model_versions (name TEXT, version INTEGER, current_stage TEXT)")
        rows = [(10, "None"), (2, "None"), (3, "Deleted_Internal")]
        database.executemany("INSERT INTO model_versions VALUES ('taiwan_cards.pd', ?, ?)", rows)
    script, command = home / "completion.bash", home / "workbench"
    script.write_text(workbench(ROOT, "completion", "bash").stdout)
    source, python = shlex.quote(f"{ROOT}/src"), shlex.quote(sys.executable)
    command.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {python} -m workbench.cli "$@"\n')
    command.chmod(0o755)
    return script, home


@pytest.mark.parametrize("words", COMPLETED)
def test_bash_completes_studies_steps_models_and_versions(completing, words):
    done = _completed(completing[0], words, completing[1])
    assert done.stdout.split() == COMPLETED[words] and done.stderr == ""


def test_a_damaged_store_a_broken_study_or_an_odd_name_completes_nothing_and_says_nothing(completing, tmp_path):
    for folder in ("params", "notebooks", "mlruns"):
        (tmp_path / folder).mkdir()
    (tmp_path / "mlruns/mlflow.db").write_bytes(b"no database" * 200)
    (tmp_path / "params/broken.yaml").write_text("steps: [\n")
    (tmp_path / "params/$(touch odd).yaml").write_text("steps:\n")
    for words, names in {"approve ''": [], "run broken --step ''": [], "run ''": ["broken"]}.items():
        done = _completed(completing[0], f"workbench {words}", tmp_path)
        assert (done.stdout.split(), done.stderr) == (names, "")
    for odd in (["nothing"], ["models", ""], ["steps", "", "workbench run x -- -h"]):
        done = workbench(tmp_path, "completion", "bash", "--names", *odd)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_names_are_completed_without_importing_what_is_heavy(tmp_path):
    code = (
        "import sys; from workbench.verbs import completing; completing.names('steps', '', 'taiwan_cards');"
        "completing.names('versions'); print({'pandas', 'numpy', 'mlflow'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "set()\n" and done.stderr == ""


def test_the_ui_takes_the_next_free_port():
    with socket.socket() as taken:
        taken.bind((servers.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert servers.free_port(port) > port


def test_no_free_port_is_a_line(monkeypatch):
    monkeypatch.setattr(servers, "_TRIED", 0)
    with socket.socket() as taken:
        taken.bind((servers.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"^ports {port} to {port} are taken; name a free one with --port$"):
            servers.free_port(port)


def test_lab_opens_at_the_workbenchs_folder_with_a_named_kernel_and_no_announcements(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyterlab_server.config import get_page_config

    command, environment = servers.lab()
    assert f"--ServerApp.root_dir={home.root()}" in command and environment["WORKBENCH_HOME"] == str(home.root())
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, environment[name])
    spec = KernelSpecManager().get_kernel_spec("loan-workbench")
    assert spec.display_name == "Loan workbench" and spec.argv[0] in ("python", sys.executable)
    disabled = get_page_config([]).get("disabledExtensions", [])
    assert "@jupyterlab/apputils-extension:announcements" in json.dumps(disabled)


def test_jupyters_token_is_in_a_file_of_its_owner_and_in_no_log(tmp_path, monkeypatch):
    from jupyter_server.auth.identity import IdentityProvider

    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    _, environment = servers.lab()
    path = Path(environment["JUPYTER_TOKEN_FILE"])
    token = path.read_text()
    assert len(token) == 48 and path.stat().st_mode & 0o777 == 0o600
    servers.lab()
    assert path.read_text() != token
    monkeypatch.setenv("JUPYTER_TOKEN_FILE", str(path))
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    provider = IdentityProvider()
    assert provider.token == path.read_text() and not provider.token_generated  # it logs `token=...` then


def test_doctor_says_which_font_draws_chinese():
    assert doctor._fonts() == (True, "fonts: Chinese labels with Noto Sans CJK SC")


def test_help_imports_nothing_heavy():
    code = "import sys; from workbench import cli; cli._parser().format_help(); print(*sys.modules)"
    began = time.perf_counter()
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert time.perf_counter() - began < 5 and not {"pandas", "mlflow", "rich", "shtab", "pydantic"} & set(loaded)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("\n\nx = (", "line 3: '(' was never closed"),
        ("def f():\nx = 1", "line 2: expected an indented block after function definition on line 1"),
        ("import os\nfrom workbench.evidnce import x", "line 2: No module named 'workbench.evidnce'"),
        ("from workbench.params import nothing", "line 1: cannot import name 'nothing' from 'workbench.params'"),
    ],
)
def test_a_module_that_python_cannot_read_or_import_is_told_in_one_line(code, line, monkeypatch, capsys):
    file = str(Path(cli.__file__).parent / "letters" / "mailing.py")
    monkeypatch.setattr("workbench.runs.study.load", lambda *_: exec(compile(code, file, "exec"), {}))
    assert cli.main(["steps", "taiwan_cards"]) == 2
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"workbench: src/workbench/letters/mailing.py, {line}")
    assert printed.endswith("; mend it there")


def test_code_that_is_not_of_the_package_stays_a_defect_told_whole(monkeypatch, capsys):
    monkeypatch.setattr("workbench.runs.study.load", lambda *_: exec("x = ("))
    assert cli.main(["steps", "taiwan_cards"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback") and 'File "src/workbench/cli.py", line ' in err


def test_a_folder_that_is_no_home_gets_no_store(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    assert cli.main(["runs"]) == 2 and not list(tmp_path.iterdir())
    assert capsys.readouterr().err == (
        f"workbench: WORKBENCH_HOME={tmp_path} has no params/ and no mlruns/; name the workbench's own\n"
    )
