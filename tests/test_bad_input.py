"""Contracts, studies and files changed by chance: each is read or named in one line, none is a traceback."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench import contracts
from workbench.params import UserError
from workbench.portfolios import catalog, draft
from workbench.portfolios.files import read_raw
from workbench.portfolios.source import DATA
from workbench.runs import study

ROOT = Path(__file__).parents[1]
RAW = read_raw(catalog.shipped()["german_credit"].path).head(200)
TODAY = pd.Timestamp("2026-01-01")
CASES = 200  # a third of each kind; 1,300 were run when this was written

NASTY = [
    b"2024-02-30", b"9" * 5000, b"0x" + b"f" * 5000, b"[" * 3000, b"{a: b", b"!!int ''", b"!!float ''", b"!!bool x", b"!!timestamp x",
    b"!!binary '\xff'", b"&a [*a]", b"*a", b".nan", b".inf", b"-1", b"1e400", b"null", b"~", b"true", b"0b_", b"1:60", b"<<: 1", b"? x",
    b"!!python/object:os.system x", b"\x00", b"\xc2\x85", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xff\xfe", b"\r", b"\t", b"'", b'"', b"|",
    "上海".encode(), "上海".encode("gbk"), "臺北".encode("big5"), b"%Q", b"rot13", b"4294967296", b"1" * 300, b"{}", b"[]", b"- a", b"a: b: c",
    b"entity_id", b"sample", b"9999-12-31", b"1.23E+17", b"12%", "１２".encode(), b"../../etc", b"\n", b",", b";", b"#", b":", b"\\",
]  # fmt: skip


def _changed(content: bytes, rng: np.random.Generator) -> bytes:
    """One to three changes: a word replaced, bytes put in, taken out or doubled, a line repeated or lost."""
    for _ in range(rng.integers(1, 4)):
        words = [m.span() for m in re.finditer(rb"[\w.%-]+", content)] or [(0, 0)]
        (start, end), nasty = words[rng.integers(len(words))], NASTY[rng.integers(len(NASTY))]
        at, lines = int(rng.integers(len(content) + 1)), content.splitlines(keepends=True) or [b""]
        line = int(rng.integers(len(lines)))
        content = [
            content[:start] + nasty + content[end:],
            content[:start] + nasty + content[end:],
            content[:at] + nasty + content[at:],
            content[:at] + content[at + int(rng.integers(1, 30)) :],
            content[:at] + rng.bytes(3) + content[at:],
            b"".join(lines[:line] + lines[line : line + 1] * 2 + lines[line + 1 :]),
            b"".join(lines[:line] + lines[line + 1 :]),
        ][rng.integers(7)]
    return content


def _contract(path: Path) -> None:
    words = contracts.load(path)
    contracts.unconfirmed(words)
    contracts.check(RAW, words, TODAY)
    words.with_outcome()


def _file(path: Path) -> None:
    words = draft.draft(path)
    drafted = path.with_suffix(".yaml")
    drafted.write_text(draft.to_yaml(words), encoding="utf-8")
    assert contracts.load(drafted) == words, "a draft is a contract"
    contracts.check(read_raw(path, words), words, TODAY)


def _study(path: Path) -> None:
    study.load(path, ())


FILE = b"loan_id,name,amount,open_date,rate,status\n" + b"".join(
    b"L%03d,Ada %d,%d,2020-01-%02d,0.%02d,%s\n" % (i, i, i * 100, i % 28 + 1, i, [b"good", b"bad"][i % 2])
    for i in range(40)
)
KINDS = {
    "yaml": ((DATA / "german_credit.yaml").read_bytes(), _contract),
    "study": ((ROOT / "params" / "sample.yaml").read_bytes(), _study),
    "csv": (FILE, _file),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_chance_makes_of_good_input_is_never_a_traceback(kind, tmp_path):
    content, use = KINDS[kind]
    refused = 0
    for seed in range(CASES // 3 + 1):
        path = tmp_path / f"case_{seed}.{kind}"
        path.write_bytes(_changed(content, np.random.default_rng(seed)))
        try:
            use(path)
        except UserError as e:
            refused += 1
            assert str(e) and "\n" not in str(e) and len(str(e)) < 2000, seed
        except Exception as e:
            raise AssertionError(f"{kind}, seed {seed}: {path.read_bytes()[:300]!r}") from e
    assert refused > CASES // 20


def test_the_good_input_is_good(tmp_path):
    for kind, (content, use) in KINDS.items():
        path = tmp_path / f"good.{kind}"
        path.write_bytes(content)
        use(path)
