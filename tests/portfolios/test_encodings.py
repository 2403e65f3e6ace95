"""Each encoding is told from the others; a file in two is read as neither."""

import pytest

from workbench.contracts import Column, Contract
from workbench.params import UserError
from workbench.portfolios.files import dialect, read_raw

WORDS = Contract(name="loans", title="t", columns=(Column(name="id", type="text", role="key"),))


def _line(path, contract=None) -> str:
    with pytest.raises(UserError) as e:
        read_raw(path, contract)
    assert "\n" not in str(e.value)
    return str(e.value)


def test_letters_that_read_as_signs_of_money_are_no_western_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,imię,miasto\n1,Wałęsa,Łódź\n2,Żółć,Kraków\n".encode("cp1250"))
    assert "name its encoding in the contract" in _line(path)


@pytest.mark.parametrize(
    ("content", "encoding", "header"),
    [
        ("编号,姓名\n1,王芳\n".encode("gbk"), "gb18030", ["编号", "姓名"]),
        ("id,name\n1,Žižek\n".encode("utf-16"), "utf-16", ["id", "name"]),
        ("id,name\n1,Müller\n2,Jürgens\n".encode("cp1252"), "cp1252", ["id", "name"]),
        ('id,amt\n1,"€ 1,200.50"\n2,"€ 90.00"\n'.encode("cp1252"), "cp1252", ["id", "amt"]),
        ('id,amt\n1,"1\xa0200,50"\n2,"10\xa0090,00"\n'.encode("cp1252"), "cp1252", ["id", "amt"]),
    ],
)
def test_another_encoding_is_named_and_read_when_the_contract_says_so(tmp_path, content, encoding, header):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert _line(path) == f"a.csv: not utf-8-sig; set `encoding: {encoding}` in the contract"
    assert dialect(path) == {"encoding": encoding, "delimiter": ","}
    assert list(read_raw(path, WORDS.model_copy(update={"encoding": encoding})).columns) == header


def test_an_unknown_encoding_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("id,amt\n1,2\n")
    line = _line(tmp_path / "a.csv", WORDS.model_copy(update={"encoding": "utf-9"}))
    assert line == "a.csv: 'utf-9' is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252"


CHINESE = "编号,姓名,城市\n1,王芳,上海\n2,李娜,广州\n3,欧阳修,重庆\n"
TAIWAN = "編號,姓名,城市\n1,陳怡君,臺北\n2,林志明,高雄\n3,張雅婷,臺中\n"
JAPAN = "番号,氏名,都市\n1,田中さくら,東京\n2,鈴木はなこ,大阪\n3,山本たろう,名古屋\n"
WESTERN = "id,name,town\n1,Müller,Zürich\n2,José Peña,São Paulo\n3,O’Brien,Besançon\n"


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        (CHINESE, "gbk", "gb18030"),
        (TAIWAN, "big5", "cp950"),
        (JAPAN, "shift_jis", "cp932"),
        (WESTERN, "cp1252", "cp1252"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (WESTERN, "utf-16-be", "utf-16-be"),
    ],
)
def test_each_encoding_is_told_from_the_others(tmp_path, text, encoding, named):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert dialect(path) == {"encoding": named, "delimiter": ","}
    assert _line(path) == f"a.csv: not utf-8-sig; set `encoding: {named}` in the contract"
    read = read_raw(path, WORDS.model_copy(update={"encoding": named}))
    assert read.iloc[0, 2] == text.splitlines()[1].split(",")[2]


def test_ascii_in_utf_16_without_its_mark_is_told(tmp_path):
    (tmp_path / "a.csv").write_bytes("id,amt\n1,2\n".encode("utf-16-le"))
    line = "a.csv: holds null bytes; it seems to be UTF-16; set `encoding: utf-16-le` in the contract"
    assert _line(tmp_path / "a.csv") == line


def test_two_encodings_in_one_file_are_never_read_as_letters_nobody_wrote(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,town\n1,上海\n".encode() + "2,广州\n".encode("gbk"))
    line = "a.csv: in two encodings, line 2 in UTF-8 and line 3 not; save it in one"
    assert _line(path) == line
    assert _line(path, WORDS.model_copy(update={"encoding": "gb18030"})) == line
    with pytest.raises(UserError, match="in two encodings"):
        dialect(path)
    path.write_bytes("id,town\n1,Zürich\n".encode() + "2,Köln\n".encode("cp1252"))
    assert _line(path) == line
    path.write_bytes("id,town\n1,上海\n".encode())
    assert (
        _line(path, WORDS.model_copy(update={"encoding": "gb18030"}))
        == "a.csv: is UTF-8, not gb18030; set `encoding: utf-8-sig` in the contract"
    )


@pytest.mark.parametrize("name", ["rot13", "zlib", "hex", "utf-8\x00", "idna", "unicode_escape", "", "x" * 5000])
def test_what_is_no_encoding_of_text_is_named(tmp_path, name):
    (tmp_path / "a.csv").write_text("id,amt\n1,2\n")
    line = f"a.csv: {name!r} is no encoding; try utf-8-sig, gb18030, utf-16 or cp1252"
    assert _line(tmp_path / "a.csv", WORDS.model_copy(update={"encoding": name})) == line
