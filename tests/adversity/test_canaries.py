"""Planted personal data on every path of a run: none in console, database, page, log, table or temporary file."""

import base64
import csv
import gzip
import html
import io
import itertools
import random
import re
import shutil
import signal
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import yaml
from faker import Faker
from stdnum import iban, luhn
from stdnum.cn import ric

from running import process
from workbench import personal

REPOSITORY = Path(__file__).parents[2]
SEED = 20_260
LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "pt_BR")


class Planter:
    """Draws values of every kind in the forms in which people write them; no value twice."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.han, self.latin = Faker("zh_CN"), [Faker(name) for name in LOCALES]
        for i, fake in enumerate((self.han, *self.latin)):
            fake.seed_instance(seed + i)

    def digits(self, n: int) -> str:
        return "".join(self.rng.choice("0123456789") for _ in range(n))

    def resident(self) -> str:
        birth = f"{self.rng.randrange(1940, 2006)}{self.rng.randrange(1, 13):02d}{self.rng.randrange(1, 29):02d}"
        number = f"{self.rng.choice(('110105', '310115', '440304', '510104'))}{birth}{self.digits(3)}"
        return number + ric.calc_check_digit(number + "0")

    def old_resident(self) -> str:
        number = self.resident()
        return number[:6] + number[8:17]

    def mobile(self) -> str:
        return f"{self.rng.choice(('138', '139', '150', '186', '177', '199'))}{self.digits(8)}"

    def card(self) -> str:
        number = f"{self.rng.choice(('622202', '411111', '510510'))}{self.digits(9)}"
        return number + luhn.calc_check_digit(number)

    def iban(self) -> str:
        rest = f"{self.rng.choice(('37040044', '50010517'))}{self.digits(10)}"
        return next(f"DE{i:02d}{rest}" for i in range(2, 99) if iban.is_valid(f"DE{i:02d}{rest}"))

    def taiwan(self) -> str:
        stem = f"{self.rng.choice('ABFH')}{self.rng.choice('12')}{self.digits(7)}"
        return next(f"{stem}{i}" for i in range(10) if personal.candidates(f"identity {stem}{i}"))

    def american(self) -> tuple[str, str, str]:
        return self.rng.choice(("212", "415", "617")), f"{self.rng.randrange(200, 999)}", self.digits(4)

    def name(self) -> str:
        fake = self.rng.choice(self.latin)
        return f"{fake.first_name()} {fake.last_name()}"

    def han_name(self) -> str:
        return self.han.last_name() + self.han.first_name().ljust(2, "小")[:2]

    def user(self) -> str:
        return f"{self.rng.choice(('zhang', 'smith', 'wang', 'meyer'))}_{self.digits(5)}"


def _grouped(text: str, by: str, *lengths: int) -> str:
    parts = iter(text)
    return by.join("".join(itertools.islice(parts, n)) for n in lengths)


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) for c in text)


def _three(by: str) -> Callable[[Planter], str]:
    return lambda p: _grouped(p.mobile(), by, 3, 4, 4)


VALUES: dict[str, Callable[[Planter], str]] = {
    "resident": Planter.resident,
    "resident, spaced": lambda p: _grouped(p.resident(), " ", 6, 8, 4),
    "resident, dashed": lambda p: _grouped(p.resident(), "-", 6, 8, 4),
    "resident, x in lower case": lambda p: p.resident().lower(),
    "resident, full width": lambda p: _wide(p.resident()),
    "resident, glued": lambda p: f"sfz{p.resident()}",
    "resident of 15 digits": Planter.old_resident,
    "resident of 15 digits, named": lambda p: f"身份证{p.old_resident()}",
    "mobile": Planter.mobile,
    "mobile, +86": lambda p: f"+86{p.mobile()}",
    "mobile, +86 spaced": lambda p: f"+86 {p.mobile()}",
    "mobile, 0086": lambda p: f"0086{p.mobile()}",
    "mobile, 0086 dashed": lambda p: f"0086-{p.mobile()}",
    "mobile, 86": lambda p: f"86{p.mobile()}",
    "mobile, dots": _three("."),
    "mobile, dashes": _three("-"),
    "mobile, blanks": _three(" "),
    "mobile, in two": lambda p: _grouped(p.mobile(), " ", 3, 8),
    "mobile, glued before": lambda p: f"tel{p.mobile()}",
    "mobile, glued word": lambda p: f"mobile{p.mobile()}",
    "mobile, glued behind": lambda p: f"{p.mobile()}x",
    "mobile, among Chinese": lambda p: f"电话{p.mobile()}转",
    "mobile, full width": lambda p: _wide(p.mobile()),
    "landline": lambda p: f"010-6{p.digits(7)}",
    "landline, brackets": lambda p: f"(021) 6{p.digits(7)}",
    "landline, in three": lambda p: f"021-6{p.digits(3)}-{p.digits(4)}",
    "landline, bare": lambda p: f"0106{p.digits(7)}",
    "American phone": lambda p: "-".join(p.american()),
    "American phone, brackets": lambda p: "({}) {}-{}".format(*p.american()),
    "American phone, dots": lambda p: ".".join(p.american()),
    "American phone, +1": lambda p: "+1 {} {} {}".format(*p.american()),
    "American phone, 1-": lambda p: "1-{}-{}-{}".format(*p.american()),
    "American phone, named": lambda p: "call {}{}{}".format(*p.american()),
    "British phone": lambda p: f"+44 20 7{p.digits(3)} {p.digits(4)}",
    "Taiwan identity": Planter.taiwan,
    "social security, named": lambda p: f"SSN 2{p.rng.randrange(10, 99)}-{p.rng.randrange(10, 99)}-{p.rng.randrange(1000, 9999)}",
    "passport, named": lambda p: f"passport E{p.digits(8)}",
    "passport, in Chinese": lambda p: f"护照号：E{p.digits(8)}",
    "IBAN": Planter.iban,
    "IBAN, grouped": lambda p: _grouped(p.iban(), " ", 4, 4, 4, 4, 4, 2),
    "e-mail": lambda p: f"{p.user()}@example.com",
    "e-mail, not ASCII": lambda p: f"jürgen{p.digits(4)}@müller{p.digits(2)}.de",
    "e-mail, Chinese": lambda p: f"{p.han_name()}@例子{p.digits(3)}.公司",
    "e-mail, spelt": lambda p: f"{p.user()} [at] example.org",
    "card": Planter.card,
    "card, grouped": lambda p: _grouped(p.card(), " ", 4, 4, 4, 4),
    "WeChat, named": lambda p: f"微信: {p.user()}",
    "WeChat, id": lambda p: f"wxid_{p.digits(8)}",
    "number plate": lambda p: f"沪A{p.rng.choice('BCDEFG')}{p.rng.randrange(1000, 9999)}",
    "address": lambda p: f"上海市浦东新区世纪大道{p.rng.randrange(1, 9999)}号",
    "address, English": lambda p: f"{p.rng.randrange(1, 9999)} {p.latin[0].last_name()} Street",
}  # fmt: skip
WORDS = re.compile(
    r"^(?:身份证|sfz|tel|mobile|电话|SSN |passport |护照号：|call |微信: )|(?:转|x)$"
)  # not of the value


def _bare(value: str) -> str:
    return value if value.startswith("mobile_") else WORDS.sub("", value)


def planted(seed: int, n: int) -> dict[str, list[str]]:
    """Return n different values: of each form alike, and as many names in Chinese and Latin as two forms."""
    planter, out = Planter(seed), {form: [] for form in (*VALUES, "name, Chinese", "name, Latin")}
    drawn: set[str] = set()
    draw = {**VALUES, "name, Chinese": Planter.han_name, "name, Latin": Planter.name}
    for form in itertools.islice(itertools.cycle(out), n):
        value = next(v for v in iter(lambda f=form: draw[f](planter), None) if v not in drawn)
        drawn.add(value)
        out[form].append(value)
    return out


# ---- what a place holds


def texts(path: Path) -> Iterator[str]:
    """Yield everything a file tells: its bytes, what is packed in it, entities and escapes read."""
    yield from _unpacked(path.name, path.read_bytes())
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        file = pq.ParquetFile(path)
        for batch in file.iter_batches():
            for column in batch.columns:
                yield "\n".join(map(str, column.to_pylist()))


def _unpacked(name: str, content: bytes) -> Iterator[str]:
    if content[:2] == b"\x1f\x8b":
        yield from _unpacked(name, gzip.decompress(content))
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as members:
            for member in members.namelist():
                yield from _unpacked(member, members.read(member))
    else:
        text = content.decode("utf-8", "replace")
        yield text
        if "&#" in text or "&quot" in text:
            yield html.unescape(text)
        if "\\u" in text:
            yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
        yield from _pictures(text)
        if b"\x00" in content[:4096]:
            yield content.decode("utf-16-le", "ignore")


def _pictures(text: str) -> Iterator[str]:
    """Pictures stand in notebooks as packed SVG, in pages as base64."""
    for packed in re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", text):
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=False)
        if raw[:1] == b"x":
            try:
                raw = zlib.decompress(raw)
            except zlib.error:
                continue
        yield raw.decode("utf-8", "replace")


def leaks(folders: list[Path], spared: set[Path], canaries: list[str], spoken: str) -> list[tuple[str, str]]:
    """Return (where, canary) for each canary in a file below the folders or in what was spoken."""
    places = [
        (str(f), t) for d in folders for f in sorted(d.rglob("*")) if f.is_file() and f not in spared for t in texts(f)
    ]
    return [(where, c) for where, text in [("console", spoken), *places] for c in canaries if c in text]


# ---- quick


@pytest.mark.parametrize("place", ["{}", "'{}' is no number", "客户王小明，{}，已逾期", "see {} there", "a, {}, b"])
def test_every_form_is_masked_wherever_it_stands(measured, place):
    values = {form: vs for form, vs in planted(SEED, 4 * len(VALUES) + 8).items() if form in VALUES}
    cases = [(form, v) for form, vs in values.items() for v in vs]
    measured(
        f"forms of personal data masked in a text, at {place!r}",
        len(cases),
        [c for c in cases if _bare(c[1]) in personal.masked(place.format(c[1]))],
        SEED,
    )


def test_any_name_in_an_example_is_masked(measured):
    planter = Planter(SEED + 1)
    names = [planter.name() for _ in range(300)] + [planter.han_name() for _ in range(300)]
    measured(
        "names masked as examples of a finding", 600, [n for n in names if n in personal.masked_value(n)], SEED + 1
    )


NUMBERS = [  # what is no personal number: its name, how one is drawn, how many may be masked where one stands alone
    ("11-digit numbers", lambda r: f"{r.randrange(10**10, 10**11)}", 0.08),
    ("16-digit numbers", lambda r: f"{r.randrange(10**15, 10**16)}", 0.03),
    ("codes ddd-dd-dddd", lambda r: f"{r.randrange(1000):03d}-{r.randrange(100):02d}-{r.randrange(10**4):04d}", 0.0),
]


@pytest.mark.parametrize(("what", "draw", "most"), NUMBERS)
def test_a_number_alone_is_masked_on_the_safe_side(measured, what, draw, most):
    """A lone 13812345678 is a mobile number or is none: nothing in it tells, so it is masked wherever it stands alone."""
    rng, n = random.Random(SEED), 1000
    alarms = sum(
        bool(personal.candidates(place.format(draw(rng)))) for place in ("{}", "see {} there") for _ in range(n)
    )
    assert alarms <= most * 2 * n, f"{alarms} of {2 * n}"
    measured(f"masked by chance, {what} that stand alone: {alarms / (2 * n):.2%}", 2 * n, [], SEED)


@pytest.mark.parametrize(("what", "draw"), [n[:2] for n in NUMBERS])
def test_ordinary_numbers_raise_no_alarm(measured, what, draw):
    rng, alarms, n = random.Random(SEED), [], 0
    for size in (*[5] * 40, *[10] * 20, 20, 100, 1000, 4000):  # below five, nothing but the number speaks
        for header in ("contract_no", "amount", ""):
            column = [draw(rng) for _ in range(size)]
            alarms += personal.candidates("\n".join(column), header)
            n += size
    assert len(alarms) <= 0.005 * n, f"{len(alarms)} of {n}"
    measured(f"false alarms on columns of {what}: {len(alarms) / n:.2%}", n, [], SEED)


def test_the_search_finds_what_is_hidden_in_files(tmp_path):
    import pandas as pd

    secret = "张小三13800138000"
    (tmp_path / "a.gz").write_bytes(gzip.compress(secret.encode()))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as z:
        z.writestr("c.txt", secret)
    pd.DataFrame({"x": [secret] * 3}).to_parquet(tmp_path / "d.parquet", compression="zstd")
    (tmp_path / "e.json").write_text('"' + secret.encode("unicode_escape").decode() + '"')
    (tmp_path / "f.html").write_text("".join(f"&#{ord(c)};" for c in secret))
    packed = base64.b64encode(zlib.compress(("<svg>" + secret + "".join(map(str, range(900)))).encode())).decode()
    (tmp_path / "g.ipynb").write_text(f'"{packed}"')
    assert {Path(where).suffix for where, _ in leaks([tmp_path], set(), [secret], "")} == {
        ".gz", ".zip", ".parquet", ".json", ".html", ".ipynb",
    }  # fmt: skip


# ---- a bank's file with personal data nobody marked

COLUMNS = [
    {"name": "loan_id", "type": "text", "role": "key"},
    {"name": "holder_name", "type": "text", "role": "ignore", "personal": "name"},
    {"name": "remark", "type": "text", "role": "fact"},
    {"name": "manager", "type": "category"},
    {"name": "channel", "type": "category"},
    {"name": "branch", "type": "text", "role": "ignore"},
    {"name": "reach", "type": "integer"},
    {"name": "amount", "type": "integer", "breach": "warning"},
    {"name": "term", "type": "integer"},
    {"name": "bad", "type": "category", "role": "outcome", "known": "after", "values": {"0": "0", "1": "1"}},
]
ROWS = 1200


def _rows(canaries: dict[str, list[str]]) -> list[dict[str, str]]:
    """Return rows in which every canary stands at least once where no contract marks it."""
    rng, planter = random.Random(SEED), Planter(SEED + 7)
    values = [v for form, vs in canaries.items() for v in vs if not form.startswith("name")]
    names = [*canaries["name, Chinese"], *canaries["name, Latin"]]
    staff = [canaries["name, Latin"][0], *canaries["name, Chinese"][:5]]
    out = []
    for i in range(ROWS):
        value, name = values[i % len(values)], names[i % len(names)]
        row = {"loan_id": planter.resident(), "holder_name": names[(i + 1) % len(names)]}
        row |= {
            "remark": f"{name} said to call back, {value}, about loan {i}"
            if i % 2
            else f"客户{name}来电，{value}，已说明情况"
        }
        row |= {"manager": rng.choice(staff), "branch": f"{name} {value}", "reach": planter.mobile()}
        row |= {"channel": value if i % 60 == 7 else rng.choice(("branch", "phone", "web"))}
        row |= {"amount": f"{name} {value}" if i % 40 == 3 else str(rng.randrange(1000, 90_000))}
        out.append({**row, "term": str(rng.randrange(6, 60)), "bad": str(int(rng.random() < 0.3))})
    return out


@pytest.fixture
def bank(tmp_path):
    """Return a home with a study of two steps over the planted file, a folder for temporary files, and the canaries."""
    canaries = planted(SEED, 1200)
    rows = _rows(canaries)
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    shutil.copytree(REPOSITORY / "notebooks", home / "notebooks")
    for folder in (home / "params", home / "data", temporary):
        folder.mkdir(parents=True)
    with (home / "data" / "loans.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [c["name"] for c in COLUMNS])
        writer.writeheader()
        writer.writerows(rows)
    given = {"name": "loans", "title": "Loans", "as_of": "2020-01-01", "event_value": "1", "columns": COLUMNS}
    (home / "params" / "loans.yaml").write_text(yaml.safe_dump(given))
    intake = {
        "portfolio": "own_files",
        "files": {"account": "data/loans.csv"},
        "contracts": {"account": "params/loans.yaml"},
    }
    steps = {"portfolios/intake": intake, "panel/build": {"as_of_from": "", "as_of_to": ""}}
    study = {"title": "Planted", "defaults": {"seed": 42, "sample_rows": 0}, "steps": steps}
    (home / "params" / "planted.yaml").write_text(yaml.safe_dump(study))
    everything = (
        {_bare(v) for vs in canaries.values() for v in vs} | {r["loan_id"] for r in rows} | {r["reach"] for r in rows}
    )
    return home, temporary, sorted(everything)


def _run(home: Path, temporary: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    return process(home, *words, TMPDIR=str(temporary), **more)


def _leaked(bank, *done: subprocess.CompletedProcess) -> list[tuple[str, str]]:
    home, temporary, canaries = bank
    inputs = {home / "data" / "loans.csv", *(home / "data").glob("*")}
    spoken = "".join(d.stdout + d.stderr for d in done)
    return leaks([home, temporary], inputs, canaries, spoken)


def _insert(home: Path, source: str, after: str) -> None:
    """Put a cell into the intake's notebook, behind the one that holds some words."""
    path = home / "notebooks" / "portfolios" / "intake.ipynb"
    notebook = nbformat.read(path, 4)
    at = next(i for i, c in enumerate(notebook.cells) if c.cell_type == "code" and after in c.source)
    notebook.cells.insert(at + 1, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, path)


@pytest.mark.whole
def test_success_leaks_nothing(measured, bank):
    done = _run(bank[0], bank[1], "run", "params/planted.yaml", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (bank[0] / "reports/planted/once/panel/build.html").exists()
    measured("canaries after a run that succeeded", len(bank[2]), _leaked(bank, done), SEED)


FAILURES = {
    "a broken contract": ("", "'breach': 'error'"),
    "an error of a library": ("import pandas as pd\npd.to_numeric(raw['account'][0]['remark'])", ""),
    "a value in an error's text": ("r = raw['account'][0]\nraise ValueError('row of ' + repr(r['manager'][0]) + ' ' + r['remark'][1])", ""),
    "a warning on the way": ("import sys\nprint(repr(raw['account'][0]['remark'].tolist()), file=sys.stderr)\n1 / 0", ""),
    "a column not in the file": ("", "'name': 'amounts'"),
}  # fmt: skip


@pytest.mark.whole
@pytest.mark.parametrize("what", FAILURES)
def test_failure_leaks_nothing(measured, bank, what):
    cell, change = FAILURES[what]
    if cell:
        _insert(bank[0], cell, "intake.raw_tables(p)")
    if change:
        path = bank[0] / "params" / "loans.yaml"
        key, value = yaml.safe_load("{" + change.replace("'", '"') + "}").popitem()
        given = yaml.safe_load(path.read_text())
        given["columns"] = [{**c, key: value} if c["name"] == "amount" else c for c in given["columns"]]
        path.write_text(yaml.safe_dump(given))
    done = _run(bank[0], bank[1], "run", "params/planted.yaml", "--jobs", "1")
    failed = "✗" in done.stdout or (
        what == "a column not in the file" and done.stderr.startswith("workbench: planted.yaml: loans")
    )
    assert done.returncode in (1, 2) and failed, done.stdout + done.stderr
    measured(f"canaries after a failure: {what}", len(bank[2]), _leaked(bank, done), SEED)


@pytest.mark.whole
@pytest.mark.parametrize("who", ["the kernel", "the runner"])
def test_crash_leaks_nothing(measured, bank, who):
    killed = "os.getpid()" if who == "the kernel" else "runner"
    find = "runner = int(os.environ['TMPDIR'].split(':')[-2])\n"  # the runner's folder is called host:pid:start
    _insert(
        bank[0], f"import os, signal, time\n{find}os.kill({killed}, signal.SIGKILL)\ntime.sleep(3)", "depersonalised("
    )
    done = _run(bank[0], bank[1], "run", "params/planted.yaml", "--jobs", "1")
    assert done.returncode == (2 if who == "the kernel" else -signal.SIGKILL), done.stdout + done.stderr
    measured(f"canaries after a crash of {who}", len(bank[2]), _leaked(bank, done), SEED)


@pytest.mark.whole
def test_commands_leak_nothing(measured, bank):
    """`intake` on the planted file, files called like a person, wrong contracts and studies."""
    home, temporary, canaries = bank
    name = f"{canaries[0]}.csv".replace("/", "-")
    shutil.copy(home / "data" / "loans.csv", home / "data" / name)
    rows = (home / "data" / "loans.csv").read_text().splitlines()
    (home / "data" / "headless.csv").write_text("\n".join(rows[1:]))
    (home / "data" / "ragged.csv").write_text("\n".join([*rows[:9], rows[9] + "," + rows[10], *rows[11:]]))
    (home / "data" / "quote.csv").write_text("\n".join([*rows[:9], '"' + rows[9], *rows[10:]]))
    (home / "data" / "odd.yaml").write_text(f"name: odd\ntitle: t\ncolumns:\n  - {{name: a, type: '{canaries[5]}'}}\n")
    commands = [("intake", f"data/{n}") for n in ("loans.csv", name, "headless.csv", "ragged.csv", "quote.csv")]
    commands += [
        ("intake", "data/loans.csv", "data/" + name),
        ("intake", f"data/{canaries[3]}.txt"),
        ("run", canaries[7]),
    ]
    commands += [
        ("run", "params/planted.yaml", "--set", f"portfolios/intake.seed={canaries[9]}"),
        ("steps", canaries[11]),
    ]
    done = [_run(home, temporary, *words) for words in commands]
    assert {d.returncode for d in done} == {0, 2}, [d.returncode for d in done]
    measured("canaries after commands, well and ill", len(canaries), _leaked(bank, *done), SEED)
