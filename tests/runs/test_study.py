"""A study is checked whole before a kernel starts: one line says what, where and what to do."""

from pathlib import Path

import pytest

from workbench import home
from workbench.params import UserError
from workbench.runs import study

GOOD = """
title: A study
defaults: {seed: 7}
steps:
  portfolios/intake: {portfolio: taiwan_cards}
  panel/build:
  models/development:
"""


@pytest.fixture
def load(tmp_path):
    def _load(text: str, *overrides: str) -> study.Study:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return study.load(path, overrides)

    return _load


def _line(load, text: str, *overrides: str) -> str:
    with pytest.raises(UserError) as e:
        load(text, *overrides)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_steps_come_in_the_order_of_what_they_read_and_write(load):
    backwards = GOOD.replace("  portfolios/intake: {portfolio: taiwan_cards}\n", "") + "  portfolios/intake:\n"
    loaded = load(backwards)
    assert [s.name for s in loaded.steps] == ["portfolios/intake", "panel/build", "models/development"]
    assert loaded.needs["models/development"] == {"panel/build"}


def test_defaults_and_overrides_reach_the_steps_that_know_them(load):
    steps = {s.name: s.params for s in load(GOOD, "models/development.choice=tree").steps}
    assert steps["models/development"].choice == "tree"
    assert {p.seed for p in steps.values()} == {7}
    assert {p.study for p in steps.values()} == {"mine"}


def test_one_step_and_all_that_stand_on_it(load):
    loaded = load(GOOD)
    assert [s.name for s in study.selected(loaded, start="panel/build")] == [
        "panel/build",
        "models/development",
    ]
    assert [s.name for s in study.selected(loaded, only="panel/build")] == ["panel/build"]


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("actions/warn", "step 'actions/warn' has a notebook and no module src/workbench/actions/warn.py"),
        ("panel/warn", "step 'panel/warn' has a notebook and no module src/workbench/panel/warn.py"),
        ("panel/describe", "step 'panel/describe' has a notebook, but src/workbench/panel/describe.py has no `Params`"),
    ],
)
def test_a_notebook_without_its_module(load, tmp_path, monkeypatch, step, line):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    notebook = tmp_path / "notebooks" / f"{step}.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.touch()
    assert _line(load, f"title: A study\nsteps: {{{step}: }}") == f"mine.yaml: {line}; docs/extending.md shows one"


def test_unknown_step(load):
    line = _line(load, GOOD.replace("models/development", "models/developmnt"))
    assert line == "mine.yaml: unknown step 'models/developmnt'; did you mean 'models/development'?"


def test_a_home_without_notebooks_is_told_as_one(load, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    line = "mine.yaml: no step is there: notebooks/ lacks or is empty; link the workbench's own beside params/"
    assert _line(load, GOOD) == line


def test_a_folded_description_is_one_line_as_the_catalogue_knows_it(load):
    given = GOOD.replace("title: A study", "title: A study\ndescription: >\n  Who pays,\n  and who doesn't.\n")
    assert load(given).description == "Who pays, and who doesn't."


def test_unknown_parameter(load):
    line = _line(load, GOOD.replace("{portfolio: taiwan_cards}", "{portfolo: taiwan_cards}"))
    assert line == "mine.yaml: portfolios/intake: unknown parameter 'portfolo'; did you mean 'portfolio'?"


def test_wrong_type_and_range(load):
    line = _line(load, GOOD, "models/development.folds=many")
    assert line.startswith("mine.yaml: models/development: 'folds' = 'many': write a whole number, such as 12")
    line = _line(load, GOOD, "models/development.folds=1")
    assert line == "mine.yaml: models/development: 'folds' = 1: write 2 or more"


def test_unknown_default(load):
    assert _line(load, GOOD.replace("seed: 7", "sed: 7")) == (
        "mine.yaml: defaults: no step has a parameter 'sed'; did you mean 'seed'?"
    )


def test_a_table_nobody_writes(load):
    line = _line(load, "title: t\nsteps:\n  models/development:\n")
    assert line == "mine.yaml: 'models/development' reads 'mart__panel', which no step writes; add panel/build"


def test_an_event_of_months_that_nobody_brings(load):
    study = "title: t\nsteps:\n  portfolios/intake: {portfolio: german_credit}\n  panel/build:\n"
    assert _line(load, study + "    outcome: {event: delay >= 2, window_months: 12}\n") == (
        "mine.yaml: panel/build: outcome.event asks for delay of core__month, which no step writes; leave it out, or give "
        "the intake a file of months"
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("2021-13", "'2021-13': write a month, YYYY-MM"),
        ("2021", "2021: write it in quotes"),
    ],
)
def test_a_month_that_is_none(load, given, why):
    line = _line(load, GOOD, f"panel/build.as_of_from={given}")
    assert line == f"mine.yaml: panel/build: 'as_of_from' = {why}"


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("portfolios/intake.portfolio=taiwan_card", "portfolio 'taiwan_card' is unknown; did you mean 'taiwan_cards'?"),
        (
            "panel/build.as_of_from='2030-01'",
            "panel/build: as_of_from 2030-01 is after as_of_to 2018-12; no row would be left",
        ),
        (
            "panel/build.outcome={windw: 12}",
            "panel/build: outcome: unknown field 'windw'; did you mean 'window_months'?",
        ),
    ],
)
def test_what_a_step_refuses_names_the_study_once(load, override, line):
    text = GOOD.replace("panel/build:", "panel/build: {as_of_to: 2018-12}")
    assert _line(load, text, override) == f"mine.yaml: {line}"


def test_two_steps_that_write_the_same_table(load):
    assert "both write 'mart__panel'; rename one" in _line(load, GOOD + "  panel/build@again:\n")


PACK = GOOD + "  reporting/pack:\n"


def test_a_step_may_stand_on_what_all_others_have_left(load):
    loaded = load(PACK)
    assert loaded.steps[-1].name == "reporting/pack"
    others = {"portfolios/intake", "panel/build", "models/development"}
    assert loaded.needs["reporting/pack"] == others
    reads = loaded.steps[-1].reads
    assert {r for r in reads if r.startswith("evidence:")} == {f"evidence:{s}" for s in others}
    assert "?previous:reporting/pack" in reads and "?life_cycle" in reads
    twice = load(PACK + "  reporting/pack@again:\n")  # neither waits for the other
    assert twice.needs["reporting/pack"] == twice.needs["reporting/pack@again"] == others


def test_a_step_may_stand_on_what_one_has_left(load, monkeypatch):
    from workbench.portfolios import intake
    from workbench.reporting import pack

    reads = ["evidence:panel/build", "?evidence:customers/profile", "?previous:models/development"]
    monkeypatch.setattr(pack, "reads", lambda p: reads)
    assert load(PACK).needs["reporting/pack"] == {"panel/build"}  # the period before makes no dependency
    monkeypatch.setattr(pack, "reads", lambda p: ["evidence:panel/bild"])
    assert _line(load, PACK) == (
        "mine.yaml: 'reporting/pack' reads 'evidence:panel/bild', which no step is called like; "
        "did you mean 'evidence:panel/build'?"
    )
    monkeypatch.setattr(pack, "reads", lambda p: ["evidence:panel/build"])
    monkeypatch.setattr(intake, "reads", lambda p: ["evidence:reporting/pack"])
    assert "mine.yaml: steps wait for one another: " in _line(load, PACK)


def test_cycle(load, monkeypatch):
    from workbench.panel import build

    monkeypatch.setattr(build, "reads", lambda p: ["core__account", "mart__scores_pd"])
    assert "mine.yaml: steps wait for one another: " in _line(load, GOOD)


def test_missing_files(load):
    with pytest.raises(UserError, match=r"is not there; did you mean 'params/sample.yaml'"):
        study.load(Path("params/sampel.yaml"))
    intake = "{portfolio: own_files, files: {account: nowhere.csv}, contracts: {account: nowhere.yaml}}"
    line = _line(load, GOOD.replace("{portfolio: taiwan_cards}", intake))
    assert line.startswith("mine.yaml: portfolios/intake: file 'nowhere.csv' is not there")


def test_not_yaml_and_unknown_key(load):
    assert _line(load, "title: [").startswith("mine.yaml: not YAML: ")
    assert _line(load, GOOD + "stepz: {}\n").endswith("did you mean 'steps'?")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("title: A study", "title: 5"), "title: write it in quotes"),
        (("title: A study", "title: [a]"), "title: write one text"),
        (("title: A study", ""), "title: add it"),
        (("title: A study", "title: t\nlanguage: fr"), "language: write 'en' or 'zh_CN'"),
        (("title: A study", "title: t\nownr: x"), "ownr: unknown; did you mean 'owner'?"),
        (("panel/build:", "panel/build: 3"), "steps.panel/build: write pairs: {name: value}"),
        (("panel/build:", "5:"), "steps.5: write it in quotes"),
        (("{seed: 7}", "[a]"), "defaults: write pairs: {name: value}"),
    ],
)
def test_what_a_study_file_says_in_the_wrong_form_is_told_in_plain_words(load, change, line):
    assert _line(load, GOOD.replace(*change)) == f"mine.yaml: {line}"


@pytest.mark.parametrize("name", ["q_allN", "2018-plan", "客户", "a.b"])
def test_a_file_whose_name_can_be_no_study_is_to_be_renamed(tmp_path, name):
    path = tmp_path / f"{name}.yaml"
    path.write_text(GOOD)
    with pytest.raises(UserError) as e:
        study.load(path)
    words = "its file's name is the study's: a-z, 0-9 and _, then .yaml; rename the file"
    assert str(e.value) == f"study '{path}': {words}"


OWN = "{portfolio: own_files, files: {account: f.csv}, contracts: {account: c.yaml}}"
COLUMNS = "columns: [{name: id, type: text, role: key}, {name: bad, type: category, role: outcome}]"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("panel/build:", "panel/build@../x: {panel: mart__x}"), "after @ write a name of a-z, 0-9 and _"),
        (("seed: 7", "seed: 7, seed: 8"), "mine.yaml: not YAML: line 3: 'seed' stands twice"),
        (("seed: 7", "study: other"), "'study' is the file's own name; leave it out"),
        (("panel/build:", "panel/build: {as_of_from: 2005-09, as_of_to: 2005-06}"), "as_of_from 2005-09 is after"),
        (("panel/build:", "panel/build: {as_of_from: 2005-09, monitoring_from: 2005-06}"), "is before as_of_from"),
        (("models/development:", "customers/segments: {risk_bands: [0.4, 0.2, 0.1]}"), "give three PDs that rise"),
        (("models/development:", "customers/segments: {policies: [{risk: low}]}"), "policies row 1: need: add it"),
        (("models/development:", "validation/battery: {thresholds: {kss: [1, 2]}}"), "unknown 'kss'; did you mean 'ks'?"),
        (("models/development:", "validation/battery: {mandatory: [aucc]}"), "unknown 'aucc'; did you mean 'auc'?"),
        (("taiwan_cards", "taiwan_card"), "portfolio 'taiwan_card' is unknown; did you mean 'taiwan_cards'?"),
        (("{portfolio: taiwan_cards}", "{files: {account: x.csv}}"), "portfolios/intake: portfolio 'taiwan_cards' takes no `files`; write `portfolio: own_files` beside it, or leave it out"),
        (("taiwan_cards}", "taiwan_cards, simulation: {n: 3}}"), "portfolio 'taiwan_cards' takes no `simulation`; leave it out"),
        (("taiwan_cards}", "simulated_bank, contracts: {account: x}}"), "portfolio 'simulated_bank' takes no `contracts`"),
        (("seed: 7", "seed: 4294967296"), "portfolios/intake: 'seed' = 4294967296: a seed is at most 4294967295"),
        (("taiwan_cards}", "taiwan_cards, today: 2024-02-30}"), "'today' = '2024-02-30': '2024-02-30' is no day; write YYYY-MM-DD"),
        (("seed: 7", f"seed: 0x{'f' * 5000}"), "'seed' = a number of thousands of digits: "),
        (("seed: 7", f"seed: {'[' * 3000}"), "mine.yaml: not YAML: nested too deeply; write it flatter"),
        (("{portfolio: taiwan_cards}", "{portfolio: simulated_bank, simulation: {n_customers: 3}}"), "n_customers"),
    ],
)  # fmt: skip
def test_values_that_lead_nowhere_are_refused_before_a_kernel_starts(load, change, words):
    assert words in _line(load, GOOD.replace(*change))


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ("columns: []", "no column has the role outcome"),
        (COLUMNS, "event_value '' is no value of 'bad'; name the value that is the event"),
        (f"event_value: '1'\nencoding: utf8x\n{COLUMNS}", "f.csv: 'utf8x' is no encoding"),
        (f"event_value: '1'\ndelimiter: ';;'\n{COLUMNS}", "delimiter: write 1 character at most"),
        (f"event_value: '1'\nevent_value: '0'\n{COLUMNS}", "not YAML: line 4: 'event_value' stands twice"),
    ],
)
def test_an_own_contract_is_checked_before_a_kernel_starts(load, tmp_path, monkeypatch, contract, words):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    (tmp_path / "f.csv").write_text("id,bad\na,1\n")
    (tmp_path / "c.yaml").write_text(f"name: mine\ntitle: t\n{contract}\n")
    assert words in _line(load, GOOD.replace("{portfolio: taiwan_cards}", OWN))


RATE = "columns: [{name: id, type: text, role: key}, {name: lgd, type: %s, role: outcome, known: after}]\noutcome: {kind: %s}"


@pytest.mark.parametrize(
    ("contract", "given", "words"),
    [
        (RATE % ("category", "rate"), "", "panel/build: outcome: kind 'rate' needs a number, and 'lgd' of contract 'mine'"),
        (RATE % ("number", 'rate, eligible: "lgdd > 0"'), "", "outcome.eligible 'lgdd' is no column of core__month or core__"),
        (RATE % ("number", "rate"), '{outcome: {eligible: "lgdd > 0"}}', "panel/build: outcome.eligible 'lgdd' is no column"),
        (RATE % ("number", 'rate, eligible: "lgd = = 0"'), "", "outcome.eligible: `lgd = = 0` is no SQL condition"),
        (RATE % ("number", 'rate, competing: ["gone"]'), "", "panel/build: outcome: `competing` needs an `event`"),
        (
            RATE % ("number", 'binary, event: "lgd > 2", window_months: 12'), "",
            "contract 'mine': outcome.event happens in a later month, and there is no file of months; give one under `month`",
        ),
        (RATE % ("number", "amount"), "{outcome: {kind: binary}}", "event_value '' is no value of 'lgd'"),
    ],
)  # fmt: skip
def test_the_outcome_of_an_own_contract_is_checked_before_a_kernel_starts(
    load, tmp_path, monkeypatch, contract, given, words
):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    (tmp_path / "f.csv").write_text("id,lgd\na,0.5\n")
    (tmp_path / "c.yaml").write_text(f"name: mine\ntitle: t\n{contract}\n")
    text = GOOD.replace("{portfolio: taiwan_cards}", OWN).replace("panel/build:", f"panel/build: {given}")
    assert words in _line(load, text)


def test_months_without_an_event_or_a_recorded_outcome_are_told_before_a_kernel_starts(load, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    (tmp_path / "f.csv").write_text("id\na\n")
    (tmp_path / "m.csv").write_text("id,month,delay_months\na,2020-01-01,0\n")
    (tmp_path / "c.yaml").write_text("name: mine\ntitle: t\ncolumns: [{name: id, type: text, role: key}]\n")
    months = (
        "{name: id, type: text, role: key}, {name: month, type: date, role: as_of}, {name: delay_months, type: number}"
    )
    (tmp_path / "d.yaml").write_text(f"name: months\ntitle: t\nentity: month\ncolumns: [{months}]\n")
    both = "{portfolio: own_files, files: {account: f.csv, month: m.csv}, contracts: {account: c.yaml, month: d.yaml}}"
    text = GOOD.replace("{portfolio: taiwan_cards}", both)
    assert _line(load, text) == (
        "mine.yaml: panel/build: outcome: no column of contract 'mine' has the role outcome; give it to one, or write an "
        "`event` of the months with its `window_months`"
    )
    event = '{outcome: {event: "delay_months >= 3", window_months: 12}}'
    assert load(text.replace("panel/build:", f"panel/build: {event}")).steps


def test_a_condition_that_the_types_of_the_contracts_forbid_is_told_before_a_kernel_starts(load, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    (tmp_path / "f.csv").write_text("id\na\n")
    (tmp_path / "m.csv").write_text("id,month,status,lgd\na,2020-01-01,0,0.5\n")
    (tmp_path / "c.yaml").write_text("name: mine\ntitle: t\ncolumns: [{name: id, type: text, role: key}]\n")
    months = "{name: id, type: text, role: key}, {name: month, type: date, role: as_of}, {name: status, type: category}"
    months += ", {name: lgd, type: number}"
    (tmp_path / "d.yaml").write_text(f"name: months\ntitle: t\nentity: month\ncolumns: [{months}]\n")
    both = "{portfolio: own_files, files: {account: f.csv, month: m.csv}, contracts: {account: c.yaml, month: d.yaml}}"
    text = GOOD.replace("{portfolio: taiwan_cards}", both)
    right = {"event": "status >= '1'", "window_months": 12, "competing": ["status = 'x'"], "eligible": "lgd > 0"}
    assert load(text.replace("panel/build:", f"panel/build: {{outcome: {right}}}")).steps
    for field, wrong in {"event": "status >= 1", "competing": ["status >= 1"], "eligible": "status >= 1"}.items():
        line = _line(load, text.replace("panel/build:", f"panel/build: {{outcome: { ({**right, field: wrong}) }}}"))
        assert line.startswith(
            f"mine.yaml: panel/build: outcome.{field}: `status >= 1` can't be asked, status is VARCHAR"
        )
    line = _line(
        load, text.replace("panel/build:", f"panel/build: {{outcome: { ({**right, 'eligible': 'lgd > > 0'}) }}}")
    )
    assert "outcome.eligible: `lgd > > 0` is neither true nor false; write a comparison" in line
    build = f"panel/build: {{outcome: {right}}}\n  actions/early_warning: {{start: "
    line = _line(load, text.replace("panel/build:", f"{build}lgd}}"))
    assert line == (
        "mine.yaml: actions/early_warning: start: `lgd` is neither true nor false; write a comparison, like "
        "`delay_months >= 3`"
    )


SAMPLE = (home.root() / "params" / "sample.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            "validation/battery.panel=mart__behaviour",
            "validation/battery: model 'pd' is of mart__panel (models/development), not of mart__behaviour; "
            "write panel: mart__panel, or name what is learnt from mart__behaviour",
        ),
        (
            "customers/segments.scores=mart__scores_behaviour",
            "customers/segments: scores 'mart__scores_behaviour' is of mart__behaviour (models/development@behaviour), "
            "not of mart__panel; write panel: mart__behaviour, or name what is learnt from mart__panel",
        ),
        (
            "customers/segments.exposure=education_code",
            "customers/segments: exposure 'education_code' is of type category; name a column of amounts at stake",
        ),
        (
            "monitoring/through_time.panel=mart__panel",
            "monitoring/through_time: panel 'mart__panel' has no monitoring rows; set monitoring_from in panel/build",
        ),
        (
            "monitoring/through_time.until=2005-Q1",
            "monitoring/through_time: until 2005-Q1 is before 2005-06, monitoring_from of mart__behaviour "
            "(panel/build@behaviour); no row would be watched",
        ),
        (
            "actions/early_warning.until=1990-01",
            "actions/early_warning: until 1990-01 is before 2005-06, monitoring_from of mart__behaviour "
            "(panel/build@behaviour); no row would be watched",
        ),
        (
            "models/development.max_development_rows=10",
            "models/development: 'max_development_rows' = 10: write 100 or more, or 0 for all",
        ),
        (
            "models/development.choice=linear",
            "models/development: choice 'linear' does not fit outcome 'default'; these do: scorecard, tree, boosted",
        ),
        (
            "models/development@behaviour.choice=linear",
            "models/development@behaviour: choice 'linear' does not fit outcome 'default'; these do: scorecard, tree, boosted",
        ),
        (
            "panel/build@behaviour.as_of_from=2005-09",
            "panel/build@behaviour: as_of_from 2005-09 is after as_of_to 2005-08; no row would be left",
        ),
        (
            'panel/build@behaviour.outcome={event: "delay_months >= 2 AND"}',
            "panel/build@behaviour: outcome.event: `delay_months >= 2 AND` is no SQL condition: Required keyword: "
            "'expression' missing",
        ),
        (
            "portfolios/intake.sample_rows=1",
            "portfolios/intake: 'sample_rows' = 1: write 20 or more, or 0 for all",
        ),
        (
            "portfolios/intake.today=1900-01-01",
            "portfolios/intake: today 1900-01-01 is before 2005-09-30, as_of of contract 'taiwan_cards'; "
            "write a later day, or leave it empty",
        ),
    ],
)
def test_what_the_steps_of_a_study_say_of_one_another_is_told_in_one_line(load, given, words):
    assert _line(load, SAMPLE, given) == f"mine.yaml: {words}"


def test_a_panel_that_begins_after_today_is_told_before_a_kernel_starts(load):
    later = ("portfolios/intake.today=2026-11-30", "panel/build.as_of_from=2026-12")
    assert _line(load, SAMPLE, *later) == (
        "mine.yaml: panel/build: as_of_from 2026-12 is after today, 2026-11-30 (portfolios/intake); no row would be left"
    )
    load(SAMPLE, later[0], "panel/build.as_of_from=2026-11")


def test_a_model_may_be_watched_on_another_panel_than_it_was_learnt_from(load):
    watched = load(SAMPLE, "monitoring/through_time.model=pd").steps
    assert next(s.params for s in watched if s.name == "monitoring/through_time").panel == "mart__behaviour"


def test_which_rows_are_watched_may_be_said_by_the_file(load, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    (tmp_path / "f.csv").write_text("id,bad,part\na,1,monitoring\n")
    part = "{name: part, type: category, role: %s}"
    text = (
        GOOD.replace("{portfolio: taiwan_cards}", OWN) + "  monitoring/through_time: {panel: mart__panel, model: pd}\n"
    )
    for role in ("sample", "fact"):
        columns = f"{COLUMNS.removesuffix(']')}, {part % role}]"
        (tmp_path / "c.yaml").write_text(f"name: mine\ntitle: t\nevent_value: '1'\n{columns}\n")
        if role == "sample":
            assert load(text).steps
        else:
            assert _line(load, text) == (
                "mine.yaml: monitoring/through_time: panel 'mart__panel' has no monitoring rows; "
                "set monitoring_from in panel/build"
            )


def test_a_study_without_steps(load):
    assert _line(load, "title: t\nsteps: {}\n").startswith("mine.yaml: steps: none is named; known: ")


def test_set_that_names_nothing(load):
    assert _line(load, GOOD, "folds=3") == "--set folds=3: write step.param=value"
    assert _line(load, GOOD, "panel/bild.seed=3") == (
        "--set panel/bild.seed=3: mine.yaml has no step 'panel/bild'; did you mean 'panel/build'?"
    )


DATED = GOOD.replace("  panel/build:\n", '  panel/build: {as_of_from: "{period_from}", as_of_to: "{period_to}"}\n')


def test_a_step_with_a_placeholder_and_all_that_stand_on_it_belong_to_the_period(load, tmp_path):
    load(DATED)
    quarter = study.load(tmp_path / "mine.yaml", (), "2005-Q3")
    assert {s.name: s.key.period for s in quarter.steps} == {
        "portfolios/intake": "once",
        "panel/build": "2005-Q3",
        "models/development": "2005-Q3",
    }
    panel = next(s.params for s in quarter.steps if s.name == "panel/build")
    assert (panel.as_of_from, panel.as_of_to) == ("2005-07", "2005-09")
    assert {s.key.period for s in load(DATED).steps} == {"once"}
    assert load(DATED).steps[1].params.as_of_to == ""


def test_an_unquoted_placeholder_is_meant_as_one(load, tmp_path):
    load(DATED.replace('"{period_from}"', "{period_from}"))
    month = study.load(tmp_path / "mine.yaml", (), "2005-08")
    assert month.steps[1].params.as_of_from == "2005-08"


@pytest.mark.parametrize("period", ["2018-13", "2018Q1", "once", "2018-Q5", "03-2018", "../x"])
def test_a_wrong_period_is_one_line(load, tmp_path, period):
    load(DATED)
    with pytest.raises(UserError) as e:
        study.load(tmp_path / "mine.yaml", (), period)
    assert str(e.value) == (f"period '{period}' is none; write a year (2018), a quarter (2018-Q1) or a month (2018-03)")


def test_a_period_that_changes_nothing_is_named(load, tmp_path):
    load(GOOD)
    with pytest.raises(UserError) as e:
        study.load(tmp_path / "mine.yaml", (), "2018")
    assert str(e.value) == (
        "mine.yaml: no step's parameters hold {period}, {period_from}, {period_to}; without one --period changes nothing"
    )
    assert _line(load, GOOD.replace("seed: 7", "period: 2018-03")).endswith(
        "'period' is given by --period; leave it out"
    )


def test_today_is_the_day_of_the_run_in_the_key(load):
    from datetime import date

    assert load(GOOD).steps[0].params.today == date.today().isoformat()
    assert load(GOOD, "portfolios/intake.today='2020-01-31'").steps[0].params.today == "2020-01-31"


def test_owner_description_and_language_are_read(load):
    loaded = load("owner: risk\ndescription: d\nlanguage: zh_CN\n" + GOOD)
    assert (loaded.owner, loaded.description, loaded.language) == ("risk", "d", "zh_CN")
    assert _line(load, "language: fr\n" + GOOD) == "mine.yaml: language: write 'en' or 'zh_CN'"
