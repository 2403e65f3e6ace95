"""Contracts, studies and commands that are wrong: exit code 2 and one line that names the place, no traceback."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from workbench import contracts
from workbench.cli import main
from workbench.params import UserError
from workbench.portfolios.source import read

TODAY = pd.Timestamp("2026-01-01")
REPOSITORY = Path(__file__).parents[2]
SHORT = 700  # characters a line said to a user may have
QUICK = 6  # every sixth case in `make test`, all in `make adversity`
CSV = "id,cust,amt,opened,rate,bad\n" + "".join(
    f"L{i:02d},C{i // 2},{100 + i},2020-01-{i % 28 + 1:02d},0.{i:02d},{'yn'[i % 2]}\n" for i in range(40)
)
CONTRACT = """name: loans
title: Loans
encoding: utf-8-sig
delimiter: ","
thousands: ""
event_value: "y"
as_of: ""
columns:
  - {name: loan_id, source: id, type: text, role: key, personal: identifier}
  - {name: customer_id, source: cust, type: text, role: parent, personal: identifier}
  - {name: amount, source: amt, type: number, minimum: 0, exposure: true}
  - {name: opened, type: date, role: as_of, format: ""}
  - {name: rate, type: number}
  - {name: bad, type: category, role: outcome, known: after, values: {"y": bad, "n": good}}
"""
STUDY = """title: T
defaults: {seed: 42, sample_rows: 0, monitoring_from: "2020-07"}
steps:
  portfolios/intake:
    portfolio: own_files
    files: {account: loans.csv}
    contracts: {account: loans.yaml}
    today: "2026-01-01"
  panel/build: {as_of_from: "2020-01", as_of_to: "2020-12"}
  customers/segments: {policies: []}
  models/development:
  validation/battery:
  monitoring/through_time: {panel: mart__panel, model: pd}
"""
AMOUNT, RATE = "type: number, minimum: 0, exposure: true", "{name: rate, type: number}"
COLUMNS = CONTRACT[CONTRACT.index("columns:") :]
NO_DAY, NO_SEPARATOR = "is no day; write YYYY-MM-DD", "can't stand between thousands; one of , . ' _ or a space"
NO_DELIMITER, NO_FORMAT = "can't stand between values; one of", "is no way to write a date; such as"
NO_NAME = "write a name of a-z, 0-9 and _, a letter first"
DEEP, DIGITS = "[" * 3000, "9" * 5000


def _sql(text: str) -> tuple[str, str]:
    return RATE, f'{RATE}\n  - {{name: z, type: number, sql: "{text}"}}'


CONTRACTS = [
    *(("encoding: utf-8-sig", f'encoding: "{e}"', "is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252") for e in (
        "rot13", "zlib", "hex", "base64", "bz2", "uu", "quopri", "utf-7", "idna", "punycode", "unicode_escape", "undefined", "utf-8\\0", "\\0", "", "utf-9", "x" * 300)),
    ("encoding: utf-8-sig", "encoding: utf-16", "not utf-16; set `encoding: utf-8-sig` in the contract"),
    ("encoding: utf-8-sig", "encoding: 1", "encoding: write it in quotes"),
    ("encoding: utf-8-sig", "encoding: [a]", "encoding: write one text"),
    *(('delimiter: ","', f'delimiter: "{d}"', NO_DELIMITER) for d in ("a", "1", "\\n", "\\r", '\\"', "\\0", " ")),
    *(('delimiter: ","', f'delimiter: "{d}"', "one column only; set `delimiter: ','`") for d in (";", "\\t", "，", "'")),
    ('delimiter: ","', 'delimiter: ";;"', "delimiter: write 1 character at most"),
    ('delimiter: ","', 'delimiter: ""', "delimiter: write 1 character or more"),
    *(('thousands: ""', f'thousands: "{s}"', NO_SEPARATOR) for s in ("1", "a", "e", "-", "0", "%", "\\n", "\\t", "\\0", "，")),
    ('thousands: ""', 'thousands: ",,"', "thousands: write 1 character at most"),
    *(('as_of: ""', f'as_of: "{d}"', NO_DAY) for d in ("2020-02-31", "2024-02-30", "31/12/2020", "2020-1-1", "20200101", "2020", "today", "0000-01-01", "2020-13-01")),
    ('as_of: ""', "as_of: 2020-02-31", NO_DAY),
    ('as_of: ""', "as_of: 20200101", "as_of: write it in quotes"),
    ('as_of: ""', "as_of: 9999-12-31", "as_of is in the future; write a day that is over (40 rows, e.g. '9999-12-31')"),
    *(('format: ""', f'format: "{f}"', NO_FORMAT) for f in ("%Q", "%d/%m", "%H:%M", "x", "%", "%%", "%Y%Y", "%Y-%U", "%j", "%Z", "%s", "%Y-%m-%d\\0", "%Y-%m-%d" * 50, "YYYY-MM-DD", "Excel", "%-d/%m/%Y")),
    *(('format: ""', f'format: "{f}"', f"not a date in the contract's `format: \"{f}\"`; all are read without one") for f in ("%Y", "%d/%m/%y", "%c", "excel", "%Y年")),
    *(("name: amount", f'name: "{n}"', NO_NAME) for n in ("AMT", "a b", "1a", "金额", "a-b", "_a", "", "a\\nb", "a/../b")),
    *(("name: amount", f"name: {n}", f"columns.{n}: the panel keeps this name for itself") for n in (
        "entity_id", "sample", "outcome", "as_of_date", "weight", "parent_id", "predicted")),
    ("name: rate", "name: amount", "column 'amount' stands twice"),
    (AMOUNT, "type: numbr", "columns.amount.type: write 'number', 'integer', 'category', 'text' or 'date'"),
    (AMOUNT, "role: feature", "columns.amount.type: add it"),
    ("exposure: true", "exposed: true", "columns.amount.exposed: unknown; did you mean 'exposure'?"),
    ("minimum: 0", "minimum: many", "columns.amount.minimum: write a number"),
    ("minimum: 0", "minimum: .nan", "columns.amount.minimum: write a finite number"),
    ("minimum: 0", "minimum: -.inf", "columns.amount.minimum: write a finite number"),
    ("minimum: 0", f"minimum: {DIGITS}", "a value can't be read (a number of thousands of digits?)"),
    ("minimum: 0", f"minimum: 0x{'f' * 5000}", "columns.amount.minimum: write a number"),
    ("minimum: 0", "minimum: 10, maximum: 5", "columns.amount: minimum 10 is above maximum 5"),
    ("role: key,", "role: key, minimum: 3,", "`minimum` is for numbers, and 'loan_id' is text"),
    ("role: parent,", "role: parent, exposure: true,", "`exposure` is for numbers, and 'customer_id' is text"),
    (AMOUNT, 'type: number, format: "%Y-%m-%d"', "`format` is for dates, and 'amount' is number"),
    ("role: parent", "role: key", "a row of the table `account` is named by one key"),
    ("role: parent", "role: owner", "columns.customer_id.role: write 'key', 'parent'"),
    (RATE, "{name: rate, type: category, role: outcome}", "role 'outcome' is held by ['rate', 'bad']; name exactly one"),
    (RATE, "{name: rate, type: number, exposure: true}", "columns amount and rate are both the exposure"),
    ('event_value: "y"\n', "", "event_value '' is no value of 'bad'; known: n, y"),
    ('event_value: "y"', 'event_value: "yes"', "event_value 'yes' is no value of 'bad'; did you mean 'y'?"),
    ('event_value: "y"', "event_value: yes", "event_value: write it in quotes"),
    ('{"y": bad, "n": good}', "{yes: bad, no: good}", "write it in quotes"),
    ('{"y": bad, "n": good}', "[y, n]", "columns.bad.values: write pairs"),
    ('{"y": bad, "n": good}', '{"y": bad}', "value is not among the allowed ones (20 rows, e.g. 'n')"),
    ('{"y": bad, "n": good}', '{"y": bad, "n": bad}', "outcome must have two classes"),
    ("source: amt", "source: amount", "column is missing; if 'amt' is meant, write `source: amt` in the contract"),
    ("source: amt", "source: rate", "loans.amt: column is not in the contract"),
    ("minimum: 0", 'missing: "0"', "columns.amount.missing: write a list"),
    ("minimum: 0", "missing: [-1]", "columns.amount.missing.0: write it in quotes"),
    ("source: cust,", "source: cust, prefix: -1,", "columns.customer_id.prefix: write 0 or more"),
    ("known: after", "known: before", "columns.bad: an outcome is known after the as-of date; say `known: after`"),
    ("known: after", "known: later", "columns.bad.known: write 'before' or 'after'"),
    ("title: Loans", "title: [Loans]", "title: write one text"),
    ("name: loans", "name: ../x", "name: write a name of a-z, 0-9 and _"),
    (COLUMNS, "", "columns: add it"),
    (COLUMNS, "columns: []\n", "no column has the role outcome"),
    (COLUMNS, "columns: {loan_id: text}\n", "columns: write a list"),
    (COLUMNS, "columns: [loan_id]\n", "columns.0: write pairs"),
    ("title: Loans", "title: Loans\nentity: person", "entity: write 'account'"),
    ("title: Loans", "title: Loans\nentity: month", "a table of months goes under `month`"),
    ("title: Loans", "title: Loans\noutcome: {kind: many}", "outcome.kind: write 'binary'"),
    ("title: Loans", "title: Loans\ncurency: CNY", "curency: unknown; did you mean 'currency'?"),
    (*_sql("amt +"), "column 'z': sql: not an expression"),
    (*_sql("SELECT 1"), "write one expression over the file's columns, no SELECT"),
    (*_sql("(SELECT 1)"), "write one expression over the file's columns, no SELECT"),
    (*_sql("amt; DROP TABLE file"), "column 'z': sql: not an expression"),
    (*_sql("max(amt)"), "an aggregate needs OVER (PARTITION BY ...)"),
    (*_sql("nope + 1"), "'nope' is no column of the file in this contract"),
    (*_sql("x" * 3000), "is no column of the file in this contract"),
    (*_sql("(" * 500 + "amt" + ")" * 500), "not an expression: nested too deeply"),
    (*_sql("CAST(amt AS DOUBLE) / 0"), "value is infinite"),
    (*_sql("1"), "column is constant"),
    (*_sql("CAST(NULL AS DOUBLE)"), "column is empty"),
    (*_sql("random()"), "RANDOM() is another value at each run"),
    (*_sql("error('x')"), "column 'z': sql: Invalid Input Error"),
    (*_sql("getenv('HOME')"), "column 'z': sql: Catalog Error"),
    (*_sql("read_csv('a.csv')"), "column 'z': sql: Binder Error"),
    (*_sql("CAST(bad AS DOUBLE)"), "column 'z': sql: Conversion Error"),
    (*_sql("amt::HUGE"), "column 'z': sql: Catalog Error"),
    (*_sql("cust || 'x'"), "made from 'customer_id', which is personal"),
    ("title: Loans", f"title: {DEEP}", "not YAML: nested too deeply; write it flatter"),
    ("title: Loans", f"title: {DIGITS}", "not YAML: a value can't be read (a number of thousands of digits?)"),
    ("title: Loans", "title: *x", "not YAML: line 2: aliases (*name) are not read"),
    ("title: Loans", "a: &a [x, x]\nb: &b [*a, *a]", "not YAML: line 3: aliases (*name) are not read"),
    ("title: Loans", "title: Loans: all", "not YAML: line 2: mapping values are not allowed here"),
    ("title: Loans", "\ttitle: Loans", "not YAML: line 2: found character '\\t' that cannot start any token"),
    ("title: Loans", "title: Loans\ntitle: again", "not YAML: line 3: 'title' stands twice"),
    ("title: Loans", "title: !!python/object/apply:os.system [ls]", "not YAML: line 2: could not determine a constructor"),
    ("title: Loans", "title: !!binary x", "not YAML: line 2: failed to decode base64 data"),
    ("title: Loans", 'title: "\\ud800"', "not YAML: line 2: holds half a character"),
    ("title: Loans", "title: a\0b", "not YAML: unacceptable character #x0000"),
    ("title: Loans", "[a, b]: x", "not YAML: line 2: found unhashable key"),
    ("minimum: 0", "minimum: !!int x", "not YAML: a value can't be read"),
    ("minimum: 0", "minimum: 1:60", "columns.amount.minimum: write a number"),
    (CONTRACT, "", "write pairs: {name: value}"),
    (CONTRACT, "- a\n", "write pairs: {name: value}"),
    (CONTRACT, DEEP, "not YAML: nested too deeply"),
    (CONTRACT, "{a: " * 3000, "not YAML: nested too deeply"),
    (CONTRACT, CONTRACT + "---\n" + CONTRACT, "but found another document"),
    (CONTRACT, CONTRACT.encode("utf-16"), "not UTF-8; save it as UTF-8"),
    (CONTRACT, CONTRACT.replace("Loans", "贷款").encode("gbk"), "not UTF-8; save it as UTF-8"),
]  # fmt: skip
PANEL, THROUGH = 'as_of_to: "2020-12"}', "model: pd}"
STUDIES = [
    *(('today: "2026-01-01"', f"today: {d}", NO_DAY) for d in ("2024-02-30", '"2024-13-01"', '"0000-01-01"')),
    *(('today: "2026-01-01"', f"today: {d}", "'today' = ") for d in ('"30/02/2024"', "tomorrow", "20240230", "[]", "2024-02-30T00:00")),
    ('today: "2026-01-01"', "today: 9999-12-31", "is no day that anybody has seen"),
    ("seed: 42", "seed: 4294967296", "'seed' = 4294967296: a seed is at most 4294967295"),
    *(("seed: 42", f"seed: {s}", "portfolios/intake: 'seed' = ") for s in ("-1", "1.5", "many", "1e3", "[1]", "null", "true", "''", ".nan", ".inf", "0x" + "f" * 5000)),
    ("seed: 42", f"seed: {DIGITS}", "not YAML: a value can't be read (a number of thousands of digits?)"),
    *(("sample_rows: 0", f"sample_rows: {s}", "'sample_rows' = ") for s in ("-1", "1.5", "many", "yes")),
    (PANEL, f'out_of_time_from: "2020-06", monitoring_from: "2020-06", {PANEL}', "out_of_time_from 2020-06 is not before monitoring_from 2020-06; no row would be held out"),
    (PANEL, f'out_of_time_from: "2020-08", monitoring_from: "2020-06", {PANEL}', "is not before monitoring_from 2020-06"),
    (PANEL, f'out_of_time_from: "2020-01", {PANEL}', "out_of_time_from 2020-01 is as_of_from; no row would be left to develop on"),
    (PANEL, f'monitoring_from: "2020-01", {PANEL}', "monitoring_from 2020-01 is as_of_from; no row would be left to develop on"),
    (PANEL, f'monitoring_from: "2021-06", {PANEL}', "monitoring_from 2021-06 is after as_of_to 2020-12; no row would be left"),
    (PANEL, f'monitoring_from: "2019-06", {PANEL}', "monitoring_from 2019-06 is before as_of_from 2020-01"),
    (PANEL, 'as_of_to: "2020-13"}', "'as_of_to' = '2020-13'"),
    (PANEL, 'as_of_to: "2019-12"}', "as_of_from 2020-01 is after as_of_to 2019-12; no row would be left"),
    *((PANEL, f"{p}, {PANEL}", "panel/build: '") for p in (
        "holdout_share: 0", "holdout_share: 1.5", "holdout_share: .nan", "base_rate: 1", "base_rate: .nan", "observation_months: 37", "observation_months: 6.5",
        "development_every_months: 13", "panel: panel", 'panel: "mart__a/../b"', "outcome: default", "outcome: [a]", "holdout_share: true")),
    *((PANEL, f"{p}, {PANEL}", s) for p, s in {
        "holdout_share: 30%": "'holdout_share' = '30%': write a number, 0.3", "holdout_share: '0,3'": "write a number, 0.3", "holdout_share: some": "write a number, such as 0.3",
        "holdout_share: 0": "write more than 0", "observation_months: many": "'observation_months' = 'many': write a whole number, such as 12", "observation_months: 6.5": "write a whole number",
        "outcome: default": "'outcome' = 'default': write pairs: {name: value}", "outcome: {window_months: many}": "outcome.window_months = 'many': write a whole number"}.items()),
    *((PANEL, f"outcome: {{{o}}}, {PANEL}", s) for o, s in {
        'name: "Default!"': "outcome.name = 'Default!'", 'event: "delay_months >="': "is no SQL condition", 'event: "SELECT 1"': "is no SQL condition on one row",
        "evnt: x": "unknown field 'evnt'; did you mean 'event'?", "kind: some": "outcome.kind = 'some'", "window_months: -1": "outcome.window_months = -1", 'competing: [")"]': "is no SQL condition",
        f'eligible: "{"(" * 500}1{")" * 500}"': "is nested too deeply; write it flatter", "kind: rate, event: x > 1, window_months: 3": "an event makes a binary outcome or a time; leave `event` empty for kind 'rate'", "competing: [x > 1]": "`competing` needs an `event`", 'event: "x > 1"': "an event needs `window_months`"}.items()),
    *(("{policies: []}", f"{{risk_bands: {b}}}", "risk_bands") for b in ("[]", "0.1", "[0.1, 0.2]", "[0.4, 0.2, 0.1]", "[0, 0.1, 0.2]", "[0.1, 0.2, 1]", "[.nan, 0.2, 0.3]", "[0.1, .nan, 0.3]", "[[0.1], 0.2, 0.3]", "[a, b, c]")),
    *(("{policies: []}", f"{{{s}}}", "customers/segments: ") for s in ("k_from: 8", "k_to: 100", "resamples: 1", "max_rows: 1", "as_of: 2026-02-31", "policies: [{risk: low}]", "policies: low", "policies: {}", "exposure: 3", "present_rate: 0.9", '"a=1;import os": 2')),
    *((THROUGH, f"{s}, {THROUGH}", "monitoring/through_time: ") for s in ("until: 2018-13", "rules_as_of: 2020-02-31", "every: week", "thresholds: {kss: [1, 2]}", "thresholds: {psi: [2, 1]}", "thresholds: {psi: [.nan, 1]}", "thresholds: {psi: 3}", "thresholds: [psi]")),
    ("panel: mart__panel, ", "panel: mart__nope, ", "reads 'mart__nope', which no step writes; did you mean 'mart__panel'?"),
    ("models/development", "models/develop", "unknown step 'models/develop'; did you mean 'models/development'?"),
    ("models/development", "models/development@../x", "after @ write a name of a-z, 0-9 and _"),
    ("  models/development:\n", "  models/development:\n  models/development@b:\n", "both write 'mart__scores_pd'; rename one"),
    ("  models/development:\n", "  models/development: yes\n", "steps.models/development: write pairs: {name: value}"),
    ("  models/development:\n", "  1:\n", "steps.1: write it in quotes"),
    ("seed: 42", "sead: 42", "no step has a parameter 'sead'; did you mean 'seed'?"),
    ("seed: 42", "study: x", "'study' is the file's own name; leave it out"),
    ("seed: 42", "period: 2020", "'period' is given by --period; leave it out"),
    ('defaults: {seed: 42, sample_rows: 0, monitoring_from: "2020-07"}', "defaults: [a]", "defaults: write pairs: {name: value}"),
    ("title: T", "title: T\nlanguage: fr", "language: write 'en' or 'zh_CN'"),
    ("title: T", "title: 3", "title: write it in quotes"),
    ("title: T\n", "", "title: add it"),
    ("title: T", 'title: "\\ud800"', "not YAML: line 1: holds half a character"),
    (STUDY[STUDY.index("steps:") :], "steps: [portfolios/intake]\n", "steps: write pairs: {name: value}"),
    (STUDY[STUDY.index("steps:") :], "steps: {}\n", "steps: none is named; known: "),
    *(("{account: loans.csv}", f, s) for f, s in {
        "{account: nope.csv}": "file 'nope.csv' is not there", "{account: params}": "'params' is a folder; name the file in it", "loans.csv": "'files' = 'loans.csv'",
        "{account: 3}": "'files.account' = 3", "{}": "own_files needs `files: {account: PATH}`", "{loans: loans.csv}": "own_files needs `files: {account: PATH}`",
        '{account: ""}': "'' is a folder", '{account: "a\\0b.csv"}': "file 'a\\x00b.csv' is not there", f'{{account: "{"x" * 5000}"}}': "can't be looked for: File name too long",
        "{account: loans.yaml}": "'.yaml' is not read here", "{account: /dev/zero}": "file '/dev/zero' is not there", "{account: loans.csv, month: loans.csv}": "table 'month' has no path in `contracts`"}.items()),
    *(("{account: loans.yaml}", f, s) for f, s in {
        "{account: nope.yaml}": "file 'nope.yaml' is not there", "{account: loans.csv}": "write pairs: {name: value}", "{}": "table 'account' has no path in `contracts`"}.items()),
    ("own_files", "own_file", "portfolio 'own_file' is unknown; did you mean 'own_files'?"),
    ("portfolio: own_files", "portfolio: simulated_bank", "portfolio 'simulated_bank' takes no `files`"),
    (STUDY, "", "the file is empty; write `title:` and `steps:`"),
    (STUDY, "- a", "no study; write pairs: `title:`"),
    (STUDY, DEEP, "not YAML: nested too deeply"),
    (STUDY, STUDY.encode("utf-16"), "not UTF-8; save it as UTF-8"),
]  # fmt: skip
COMMANDS = {
    "": "the following arguments are required: COMMAND; see `workbench --help`",
    "rnu": "argument COMMAND: invalid choice: 'rnu'",
    "run": "the following arguments are required: STUDY; see `workbench run --help`",
    "run params": "study 'params' is a folder; name a file in it",
    "steps params/loan.yaml": "study 'params/loan.yaml' is not there; did you mean 'params/loans.yaml'?",
    "steps nope": "study 'nope' is not there",
    "steps a\0b": "study 'a\\x00b' is not there",
    f"steps {'x' * 5000}": "File name too long",
    "run params/loans.yaml --jobs 0": "argument --jobs: '0' is no whole number from 1 to 64",
    "run params/loans.yaml --step nope --jobs １": "argument --jobs: '１' is no whole number from 1 to 64",
    "run params/loans.yaml --jobs 99999999999999999999": "is no whole number from 1 to 64",
    "run params/loans.yaml --step nope": "loans.yaml has no step 'nope'",
    "run params/loans.yaml --from nope": "loans.yaml has no step 'nope'",
    "run params/loans.yaml --step a --from b": "argument --from: not allowed with argument --step",
    "run params/loans.yaml --period 2018-13": "period '2018-13' is none; write a year (2018)",
    "steps params/loans.yaml --period 20180": "period '20180' is none; write a year (2018)",
    "steps params/loans.yaml --period ２０１８": "period '２０１８' is none; write a year (2018)",
    "steps params/loans.yaml --period 2018": "without one --period changes nothing",
    "steps params/loans.yaml --set x": "--set x: write step.param=value",
    "steps params/loans.yaml --set =1": "--set =1: write step.param=value",
    "steps params/loans.yaml --set .seed=3": "--set .seed=3: loans.yaml has no step ''",
    "steps params/loans.yaml --set models/development.sead=1": "unknown parameter 'sead'; did you mean 'seed'?",
    "steps params/loans.yaml --set models/development.seed=[1": "not YAML: line 1: expected ',' or ']'",
    "steps params/loans.yaml --set models/development.seed=many": "'seed' = 'many'",
    f"steps params/loans.yaml --set models/development.seed={DIGITS}": "not YAML: a value can't be read",
    f"steps params/loans.yaml --set models/development.seed={DEEP}": "not YAML: nested too deeply",
    "steps params/loans.yaml --set portfolios/intake.today=2024-02-30": NO_DAY,
    "render params/loans.yaml": "the following arguments are required: --lang",
    "render params/loans.yaml --lang fr": "argument --lang: invalid choice: 'fr'",
    "render params/loans.yaml --lang zh_CN": "study 'loans' has no finished run; `workbench run loans` makes one",
    "ui --port 99999": "argument --port: '99999' is no whole number from 1 to 65535",
    "completion fish": "argument shell: invalid choice: 'fish'",
    "intake": "the following arguments are required: FILE",
    "intake nope.csv": "nope.csv: no such file",
    "intake params": "params: is a folder; name the file in it",
    "intake a\0b.csv": "no such file",
    f"intake {'x' * 5000}.csv": "File name too long",
    "intake loans.csv --out loans.yaml": "is there already and may hold your corrections; name another with --out",
    "intake loans.csv --out /proc/none/x.yaml": "/proc/none",
    "intake loans.csv loans.csv": "loans.csv: the file is given twice; name it once",
    "intake loans.csv sub/Loans.csv": "loans.csv and sub/Loans.csv would both be the table `loans`; rename one, a table",
    "intake loans.csv other.csv": "no column joins it to",
    "intake loans.csv nope.csv": "nope.csv: no such file",
    "intake loans.csv other.csv --out x.yaml": "--out names one contract",
}  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home with one good file, contract and study, in which commands are given."""
    (tmp_path / "params").mkdir()
    (tmp_path / "notebooks").symlink_to(REPOSITORY / "notebooks")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    _put(tmp_path, CONTRACT, STUDY)
    (tmp_path / "loans.csv").write_text(CSV)
    (tmp_path / "other.csv").write_text("key,x\n1,2\n2,3\n")
    return tmp_path


def _put(home: Path, contract: str | bytes, study: str | bytes) -> None:
    for place, content in (("loans.yaml", contract), ("params/loans.yaml", study)):
        (home / place).write_bytes(content if isinstance(content, bytes) else content.encode())


def _changed(base: str, old: str, new: str | bytes) -> str | bytes:
    assert base.count(old) == 1, old
    return new if isinstance(new, bytes) else base.replace(old, new)


def _heard(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    try:
        code: object = main(words)
    except SystemExit as e:  # as argparse ends
        code = e.code
    line = capsys.readouterr().err
    assert line.count("\n") <= 1 and len(line) < SHORT, line
    return code, line


def _found() -> tuple[int, str]:
    """What the intake's check says of the file by its contract, where the study itself has nothing to say."""
    try:
        words = contracts.load(Path("loans.yaml"))
        _, findings = contracts.check(read(Path("loans.csv"), words), words, TODAY)
        contracts.stop_on_errors(findings)
    except UserError as e:
        return 2, f"{e}\n" + "\n".join(f.line() for f in locals().get("findings", []))
    return 0, ""


def _failures(cases: list, use) -> list[tuple[str, str]]:
    failures = []
    for old, new, says in cases:
        what = f"{old[:40]} -> {str(new)[:60]}"
        try:
            code, line = use(old, new)
        except Exception as e:  # noqa: BLE001 - the traceback a user would see
            failures.append((what, f"{type(e).__name__}: {str(e)[:200]}"))
            continue
        if code != 2 or says not in line:
            failures.append((what, f"{code}: {line[:300]}"))
    return failures


WHOLE = pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=pytest.mark.whole)])


@WHOLE
def test_wrong_contracts_are_named_before_anything_stands_on_them(home, capsys, measured, every):
    def use(old: str, new: str | bytes) -> tuple[object, str]:
        _put(home, _changed(CONTRACT, old, new), STUDY)
        code, line = _heard(["steps", "params/loans.yaml"], capsys)
        return (code, line) if code else _found()

    cases = CONTRACTS[::every]
    measured("bad contracts: exit 2 and one line", len(cases), _failures(cases, use))


@WHOLE
def test_wrong_studies_are_named_before_a_kernel_starts(home, capsys, measured, every):
    def use(old: str, new: str | bytes) -> tuple[object, str]:
        _put(home, CONTRACT, _changed(STUDY, old, new))
        return _heard(["steps", "params/loans.yaml"], capsys)

    cases = STUDIES[::every]
    measured("bad studies: exit 2 and one line", len(cases), _failures(cases, use))


@WHOLE
def test_wrong_commands_say_what_to_type(home, capsys, measured, every):
    cases = [(words, "", says) for words, says in COMMANDS.items()][::every]
    failures = _failures(cases, lambda words, _: _heard(words.split(), capsys))
    measured("bad commands: exit 2 and one line", len(cases), failures)


def test_the_good_ones_are_good(home, capsys):
    assert _heard(["steps", "params/loans.yaml"], capsys) == (0, "") and _found() == (0, "")
