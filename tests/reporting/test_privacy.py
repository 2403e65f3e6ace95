"""The scan finds every planted kind of personal data wherever it stands, and nothing in clean pages."""

import hashlib
import json
import random
import time
import uuid
from pathlib import Path

import pytest

from workbench import pseudonyms
from workbench.params import UserError
from workbench.reporting import privacy

KEY = b"0123456789abcdef0123456789abcdef"
PEOPLE = [
    "John Smith",
    "Anna-Maria de la Cruz",
    "张三丰",
    "欧阳 小明",
    "12 Baker Street, London",
    "上海市浦东新区88号",
    8812345,
]
MADE = pseudonyms.fingerprints(PEOPLE, KEY)
# The resident number is the standard's own example, the cards are the schemes' test numbers.
PLANTED = {
    "11010519491231002X": "identity number",
    "110105 19491231 002x": "identity number",
    "A123456789": "identity number",
    "A123456(3)": "identity number",
    "110105491231002": "identity number",
    "0086 13812345678": "phone number",
    "138.1234.5678": "phone number",
    "010-62345678": "phone number",
    "(021) 62345678": "phone number",
    "(212) 555-0123": "phone number",
    "GB82 WEST 1234 5698 7654 32": "bank account",
    "wxid_ab12cd34": "account name",
    "沪A·D12345": "number plate",
    "13812345678": "phone number",
    "138-1234-5678": "phone number",
    "138 1234 5678": "phone number",
    "+86 138 1234 5678": "phone number",
    "+44 20 7946 0958": "phone number",
    "+1 (212) 555-0100": "phone number",
    "4111111111111111": "card number",
    "4111 1111 1111 1111": "card number",
    "5555-5555-5555-4444": "card number",
    "2223003122003222": "card number",
    "378282246310005": "card number",
    "3782 822463 10005": "card number",
    "6200000000000005": "card number",
    "6011111111111117": "card number",
    "3530111333300000": "card number",
    "jane.doe@example.com": "e-mail address",
}
BROKEN = [
    "110105194912310021",  # check character
    "110105194913310025",  # month 13
    "990105194912310020",  # no such province
    "000-12-3456",
    "666-12-3456",
    "912-12-3456",
    "123-00-4567",
    "12812345678",
    "138123456789",
    "113812345678",
    "0.13812345678",
    "13812345678.25",
    "a13812345678",
    "+1234567",
    "+0123456789",
    "4111111111111112",
    "4111 1111 1111 1112",
    "9111111111111111",
    "991111111111111",
    "219-09-9999",
    "E12345678",
    "A123456788",
    "jane.doe@",
    "icon@2x.png",
    "git@github.com",
    "package@1.2.3",
]


def kinds(text: str, **more: object) -> list[str]:
    return [f.kind for f in privacy.scan(text, **more)]


@pytest.mark.parametrize(("value", "kind"), PLANTED.items())
@pytest.mark.parametrize("around", ["{}", "客户{}号码", "it is {}.", "({}),", "a\t{}\n1"])
def test_planted_value_is_found_once_and_masked(value: str, kind: str, around: str) -> None:
    scanned = privacy.scan(around.format(value))
    assert [f.kind for f in scanned] == [kind]
    assert value not in repr(scanned) and len(scanned[0].masked) == len(value)


@pytest.mark.parametrize("value", BROKEN)
def test_value_that_breaks_its_rule_is_not_found(value: str) -> None:
    assert privacy.scan(f"see {value} there") == []


@pytest.mark.parametrize("text", ["John Smith", "by JOHN  SMITH,", "John_Smith", "Anna-Maria De La Cruz",
                                  "客户张三丰先生",
                                  "欧阳小明", "欧阳·小明", "12 Baker Street, London",
                                  "住上海市浦东新区88号楼"])  # fmt: skip
def test_name_is_recognised_by_its_fingerprint(text: str) -> None:
    assert kinds(text, fingerprints=MADE, key=KEY) == ["name"]


@pytest.mark.parametrize("text", ["Smith John", "John Smithson", "Johns Smith", "张三", "张三 四丰",
                                  "Baker Street",
                                  "88123456", "8.8812345", "8812345.0", "8812345-11aa"])  # fmt: skip
def test_what_only_resembles_a_name_is_not_found(text: str) -> None:
    assert kinds(text, fingerprints=MADE, key=KEY) == []


def test_fingerprinted_identifier_is_found() -> None:
    assert kinds("customer 8812345 is late", fingerprints=MADE, key=KEY) == ["identity number"]


def test_words_of_the_product_are_not_findings_but_numbers_are() -> None:
    known = "After JOHN SMITH (1990), 张三丰; write to jane.doe@example.com or 13812345678"
    text = "John Smith 张三丰 jane.doe@example.com 13812345678"
    assert kinds(text, fingerprints=MADE, key=KEY, known=known) == ["phone number"]


def test_finding_names_place_and_number_of_times_and_leaks_nothing() -> None:
    text = "Of John Smith, 11010519491231002X, and again 11010519491231002X."
    (finding,) = privacy.scan(text)
    assert (finding.masked, finding.position, finding.times) == ("1101**********002X", 15, 2)
    assert finding.context == "O* J*** S****, [...] , a** a**** ********"
    named = privacy.scan(text, MADE, KEY)[0]
    assert (named.kind, named.masked) == ("name", "J*** S****")


@pytest.mark.parametrize("text", ["SSN 219-09-9999", "passport E12345678", "微信: zhang_san88", "12 Baker Street",
                                  "住上海市浦东新区世纪大道88号3室", "tel13812345678", "用户@例子.公司"])  # fmt: skip
def test_what_looks_like_any_code_counts_beside_its_word(text: str) -> None:
    assert len(kinds(text)) == 1


@pytest.mark.parametrize("pattern", ["{:011d}", "{:016d}"])
def test_a_column_of_numbers_most_of_which_fit_no_kind_is_no_personal_data(tmp_path: Path, pattern: str) -> None:
    rng = random.Random(5)
    path = tmp_path / "codes.csv"
    width = int(pattern[3:5])
    path.write_text("contract\n" + "\n".join(pattern.format(rng.randrange(10**width)) for _ in range(4000)))
    assert privacy.scan_files([path]) == {}
    path.write_text(path.read_text() + "\n" * 2)
    path.write_text("mobile\n" + "\n".join(f"1381234{i:04d}" for i in range(30)))
    assert len(privacy.scan_files([path])[path]) == 30


def test_fingerprints_without_their_key_are_refused() -> None:
    with pytest.raises(ValueError, match="fingerprints without a key: give the key they were made with"):
        privacy.scan("text", MADE)


def test_page_is_read_as_its_reader_sees_it() -> None:
    page = """<html><head><title>Anna&#45;Maria de la Cruz</title><style>a{b:13812345678}</style>
    <script>var x = "13812345678";</script></head><body data-x="13912345678">
    <td>John</td><td>Smith</td><p>138<b>1234</b>5678</p><img alt="jane&#64;example.com"
    src="data:image/png;base64,13812345678+/AA=">
    <svg><!-- 张三丰 --><path d="M 13712345678 4111111111111111"/></svg><a href="tel:+442079460958">call</a>
    <i aria-label="SSN 219-09-9999"></i></body></html>"""
    seen = kinds(privacy.visible_text(page), fingerprints=MADE, key=KEY)
    assert seen == [
        "name",
        "name",
        "phone number",
        "e-mail address",
        "name",
        "phone number",
        "identity number",
    ]


def notebook(path: Path, outputs: list[dict], **parts: object) -> Path:
    source = ["# by John Smith 13812345678"]
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": outputs},
        {
            "cell_type": "code",
            "metadata": {"tags": ["injected-parameters"]},
            "source": parts.get("source", ""),
            "outputs": [],
        },
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": parts.get("metadata", {}), "nbformat": 4}))
    return path


@pytest.mark.parametrize("output", [
    {"output_type": "stream", "text": ["a\n", "13812345678\n"]},
    {"output_type": "execute_result", "data": {"text/plain": "13812345678"}},
    {"output_type": "display_data", "data": {"text/html": ["<td>138", "12345678</td>"]}},
    {"output_type": "display_data", "data": {"text/markdown": "**13812345678**"}},
    {"output_type": "display_data", "data": {"application/json": {"rows": [13812345678]}}},
    {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": ["\x1b[1m13812345678\x1b[m"]},
    {"output_type": "error", "ename": "ValueError", "evalue": "phone 13812345678", "traceback": []},
])  # fmt: skip
def test_every_output_of_a_notebook_is_read(tmp_path: Path, output: dict) -> None:
    path = notebook(tmp_path / "a.ipynb", [output])
    assert [f.kind for f in privacy.scan_files([path])[path]] == ["phone number"]


def test_parameters_of_a_notebook_are_read_and_its_own_source_is_not(tmp_path: Path) -> None:
    clean = notebook(tmp_path / "a.ipynb", [], source="study = 'sample'")
    in_source = notebook(tmp_path / "b.ipynb", [], source=["study = 'x'\n", "who = 'jane.doe@example.com'"])
    in_parameters = notebook(tmp_path / "c.ipynb", [], metadata={"papermill": {"parameters": {"who": "张三丰"}}})
    scanned = privacy.scan_files([clean, in_source, in_parameters], MADE, KEY)
    assert {path.name: scanned[path][0].kind for path in scanned} == {
        "b.ipynb": "e-mail address",
        "c.ipynb": "name",
    }


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("[]")
    with pytest.raises(UserError, match=r"a\.ipynb: not a notebook"):
        privacy.notebook_text(tmp_path / "a.ipynb")


def test_every_kind_of_file_is_read(tmp_path: Path) -> None:
    texts = {
        "a.html": "<p>张三丰</p>",
        "a.json": json.dumps({"deep": [{"张三丰": 1}]}),
        "broken.json": '{"who": "\\u5f20\\u4e09\\u4e30"',
        "a.csv": "id,name\n1,张三丰\n",
        "a.txt": "张三丰",
        "a.log": "12:00 INFO got '\\u5f20\\u4e09\\u4e30'\n",
        "a.yaml": 'who: "\\u5F20\\u4E09\\u4E30"\n',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "gbk.csv").write_bytes("姓名\n张三丰\n".encode("gbk"))
    (tmp_path / "a.png").write_text("张三丰")
    scanned = privacy.scan_files([tmp_path], MADE, KEY)
    assert {path.name for path in scanned} == {*texts, "gbk.csv"}


def clean_text(rng: random.Random) -> str:
    months = " ".join(f"{y}-{m:02}" for y in range(2004, 2008) for m in range(1, 13))
    image = "data:image/png;base64," + "".join(rng.choices("0123456789ABCDEFabcdef+/", k=50_000)) + "=="
    hashes = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(500)]
    uuids = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(500)]
    amounts = [f"{rng.randrange(10**9, 10**10):,}" for _ in range(500)]
    small = "\n".join(" ".join(str(rng.randrange(1000, 9999)) for _ in range(12)) for _ in range(200))
    return "\n".join([
        months, image, *hashes, *uuids, *amounts, small, "1,234,567,890", "200409 200410 200411",
        "1e+10 -1.5e-12 +3.25",
        "2026-01-31T23:59:59.123456+08:00 1769903999 1769903999123", "IPv4 192.168.100.200:8888 v1.2.3.4",
        "C:/runs/20260131235959123456/page.html?v=20260131", "rows 0-1000000 (+12,345,678)",
        "@media @dataclass x@y",
        "Default rate by vintage, weight of evidence and Gini of the test sample;"
        "违约率按月份变化，样本外稳定。",
    ])  # fmt: skip


def test_realistic_clean_text_raises_no_alarm() -> None:
    text = clean_text(random.Random(1))
    assert privacy.scan(text, MADE, KEY) == []
    assert privacy.scan(privacy.visible_text(f"<pre>{text}</pre><img src='{text[600:900]}'>"), MADE, KEY) == []


def test_random_floats_and_hex_raise_no_alarm() -> None:
    rng = random.Random(2)
    floats = [repr(rng.choice([1, -1, 1e9, 1e12, 1e-9]) * rng.random()) for _ in range(2000)]
    hexes = [f"{rng.getrandbits(bits):0{bits // 4}x}" for bits in (64, 128, 256, 512) for _ in range(500)]
    for sep in (" ", "\n", ",", " | "):
        assert privacy.scan(sep.join(floats + hexes), MADE, KEY) == []


def test_two_megabytes_are_scanned_in_seconds(tmp_path: Path) -> None:
    rng = random.Random(3)
    row = "<tr><td>{:.12f}</td><td>{:,}</td><td>segment of customers number {}</td></tr>"
    rows = [row.format(rng.random(), rng.randrange(10**9), i) for i in range(10_000)]
    image = f"<img src='data:image/png;base64,{'iVBORw0K' * 150_000}'>"
    path = tmp_path / "a.html"
    path.write_text("".join([*rows, image]))
    begun = time.process_time()
    assert privacy.scan_files([path], MADE, KEY) == {}
    assert time.process_time() - begun < 2.5  # about 0.25 s; a slow or busy machine has room
