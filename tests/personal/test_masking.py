"""Planted personal data of every kind are masked in a text that leaves, and ordinary texts stay as they are."""

import random

import pytest

from workbench import personal

PLACE = ("{}", "not a number (1 row, e.g. '{}')", "客户{}，已逾期", "see {} there", "a, {}, b")
SURE = (
    "11010519491231002X", "110105491231002", "A123456789", "A123456(3)", "13800138000", "+86 138 0013 8000",
    "0086 13800138000", "138.0013.8000", "138-0013-8000", "tel13800138000", "010-62345678", "(021) 62345678",
    "0171 2345678", "030 12345678", "a.b@c.de", "212-555-0123", "(212) 555-0123", "+44 20 7946 0958", "GB82 WEST 1234 5698 7654 32", "jane.doe@example.com",
    "用户@例子.公司", "4111111111111111", "4111 1111 1111 1111", "wxid_ab12cd34", "沪A·D12345",
    "上海市浦东新区世纪大道88号", "12 Baker Street", "SSN 219-09-9999", "passport E12345678", "护照 E12345678",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACE)
@pytest.mark.parametrize("value", SURE)
def test_a_planted_value_is_masked(value, place):
    text = personal.masked(place.format(value))
    assert value not in text and "*" in text


@pytest.mark.parametrize("name", ["张三", "欧阳小明", "John Smith", "Anna-Maria de la Cruz"])
def test_a_name_in_an_example_is_masked(name):
    assert name not in personal.masked(f"loans.amt: not a number (1 row, e.g. '{name} 13800138000')")


@pytest.mark.parametrize(
    "text",
    [
        "loans.amt: below 0 (1 row, e.g. '-7.0')",
        "study 'params/smal.yaml' is not there; did you mean 'params/small.yaml'?",
        "f.csv: not utf-8-sig; set `encoding: gb18030` in the contract",
        "panel/build: nothing lies from 2031-01 to the last; the data run from 2015-01 to 2019-12",
        "cell 7: ZeroDivisionError: division by zero",
        "model file 3f9a13812345678bc0ffee00112233445566 of version 3",
        '"metric_id": "01a21eca-d828-7d7c-a52b-019517315914"',  # the last part by itself is a phone number
    ],
)
def test_an_ordinary_text_stays_as_it_is(text):
    assert personal.masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "AttributeError: 'DataFrame' object has no attribute 'nlargst'",
        "AttributeError: type object 'Series' has no attribute 'nlargst'",
        "TypeError: 'NoneType' object is not subscriptable",
    ],
)
def test_the_name_of_a_class_stays_in_an_error_of_python(text):
    assert personal.masked(text, foreign=True) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "ConversionException: Conversion Error: Could not convert string '13800138000' to INT32",
            "ConversionException: Conversion Error: Could not convert string '13*******00' to INT32",
        ),
        (
            "Conversion Error: Could not convert string 'Ada Brown' 13800138000",
            "Conversion Error: Could not convert string 'A** B****' 13*******00",
        ),
        ("Invalid Input Error: 13800138000", "Invalid Input Error: 13*******00"),
        ("Smith Conversion Error: 13800138000", "S**** C********* E****: 13*******00"),
        ("KeyError: 'Smith' object has no attribute 'x'", "KeyError: 'S****' object has no attribute 'x'"),
        ("KeyError: 'Ólafsdóttir' object has no attribute 'x'", "KeyError: 'Ó**********' object has no attribute 'x'"),
        ("KeyError: 'Ada Brown' object is not", "KeyError: 'A** B****' object is not"),
        ("KeyError: 'DataFrame'", "KeyError: 'D********'"),
        ("ValueError: 'Berger' is not in list", "ValueError: 'B*****' is not in list"),
    ],
)
def test_what_is_no_class_and_no_error_of_the_engine_is_masked_beside_them(text, shown):
    assert personal.masked(text, foreign=True) == shown


def test_numbers_most_of_which_fit_no_kind_are_none():
    rng = random.Random(4)
    for low, high in ((10**10, 10**11), (10**15, 10**16)):
        column = "\n".join(str(rng.randrange(low, high)) for _ in range(4000))
        assert len(personal.candidates(column)) <= 0.005 * 4000
    codes = "\n".join(
        f"{rng.randrange(1000):03d}-{rng.randrange(100):02d}-{rng.randrange(10**4):04d}" for _ in range(4000)
    )
    assert personal.candidates(codes) == []
    assert len(personal.candidates(codes, header="SSN")) > 3500
