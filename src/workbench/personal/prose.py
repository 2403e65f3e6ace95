"""What a customer wrote, with the names in its running text masked, too: rather one word too many than a name."""

from __future__ import annotations

import re

from workbench.personal.masking import LATIN_NAME, mask, masked
from workbench.personal.people import ORDINARY, SURNAME, is_called, is_known

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TITLED = re.compile(r"\b(?:Mrs?|Ms|Miss|Dr|Prof)\.? (?P<v>[^\W\d_]+)", re.IGNORECASE)
# words with a capital that are nobody's: those a sentence begins with, and a bank's own
_COMMON_WORDS = """i a an
    the my your his her our their this that these those it its he she we you they there here and but or
    if so
    as at by for from in into of on to with about after before since until because while when where why how what which
    who whose can could will would should shall may might must do does did is are was were am be been has have had get
    got not no yes ok okay please thanks thank hi hello hey dear good morning evening now then also just still tell
    let give make pay send visa mastercard card bank app atm pin google apple samsung amazon paypal euro euros dollar
    dollars pound pounds eur gbp usd monday tuesday wednesday thursday friday saturday sunday january february march
    april june july august september october november december new united states kingdom"""
_COMMON = frozenset(_COMMON_WORDS.split())
_FUNCTION = "的是还有了能可我你他她们这那什么怎吗呢请在和与给帮替"  # characters that stand in no given name
_BEFORE = "帮替给叫是找跟与和代为向问让由对请，。；、：？！,.;?! "  # what a name in a sentence stands behind
_AFTER = "的还签申付能可说来去办也已要想会是和与跟，。；、：？！,.;?! "  # and before
_EVERYDAY = (  # words of a question that begin like a surname
    "方便|马上|应该|时候|安排|明白|明天|明年|经常|周末|周[一二三四五六日天]|程序|费用|费率|许多|支付|白天|解决|解释|何时|任何|任意|包括|包含|万一|余下"
    "|高额|高息|安装|成为|成交|曾经|全款|全家|钱包|钱款|宁可|左右|路上|房子|车子|多少|尚未|连"
    "|关于|关闭|向银行|向你|向您|余款|余本|展期|冷静|符合|毕业|谢谢|凌晨|尤其|顾客|简单|应急|应缴|尚欠|张卡|张银行|张信用|路费|解约|高利|包年|包月"
)
_CHINESE = re.compile(
    rf"(?:^|(?<=[{_BEFORE}]))(?!{ORDINARY}|{_EVERYDAY})(?P<v>{SURNAME}(?:(?![{_FUNCTION}])[\u4e00-\u9fff]){{1,2}})"
    rf"(?=[{_AFTER}]|$)"
)
# what is asked of whoever is named: his something, or what he owes, pays, has, is or does
ASKED_OF = "[的欠借贷還还贷貸逾违付交缴账賬帳余餘利名有是能可什怎何几每这下上月到在最申被会要已没该办]"
_LOOKED_UP = "|(?<=查)|(?<=查询)|(?<=查下)|(?<=查看)|(?<=看看)|(?<=一下)|(?<=知道)|(?<=告诉我)|(?<=客户)"
_ASKED_ABOUT = re.compile(
    rf"(?:^|(?<=[{_BEFORE}]){_LOOKED_UP})(?!{ORDINARY}|{_EVERYDAY})"
    rf"{SURNAME}(?:(?![{_FUNCTION}])[\u4e00-\u9fff]){{1,2}}\s*(?={ASKED_OF})(?!的?(?:网点|支行|分行))"
    rf"|(?:^|(?<=[{_BEFORE}]){_LOOKED_UP})[小老](?![时单金])(?:{SURNAME})(?=的)"
)
_INTRODUCED = re.compile(r"\b(?i:my name is|i am|i['’]m|this is)(?: [A-ZÀ-Þ][\w-]+){1,3}")
_ASKED_BEFORE = re.compile(
    r"\b(?:is|was|does|did|has|do|of|about|much)(?: (?:mrs?|ms|miss|dr|prof)\.?)? $", re.IGNORECASE
)
_ASKED_AFTER = re.compile(r"['’]s?\b|['’]| (?:owes?|has|is|pays)\b", re.IGNORECASE)


def asks_about_named(text: str) -> bool:
    """Say whether a question is about somebody whom it names; who introduces himself is nobody else.

    >>> asks_about_named("李雷的贷款余额是多少"), asks_about_named("我叫李雷，我的余额是多少")
    (True, False)
    >>> asks_about_named("what is Peter Müller's balance"), asks_about_named("my name is Anna Schmidt, when do I pay?")
    (True, False)
    """
    text = _INTRODUCED.sub("", text)
    if _ASKED_ABOUT.search(text):
        return True
    named = [m.span("v") for m in _TITLED.finditer(text)]
    named += [w.span() for w, paired in _known(text) if paired or w[0].endswith(("'s", "’s"))]
    return any(
        _ASKED_BEFORE.search(text[:start]) or _ASKED_AFTER.match(text, end) or text[start:end].endswith(("'s", "’s"))
        for start, end in named
    )


def masked_prose(text: str) -> str:
    """Return what a customer wrote with personal data masked, and whom it names.

    >>> masked_prose("can Anna Schmidt or peter miller sign"), masked_prose("我想帮王小明还款")
    ('can A*** S****** or p**** m***** sign', '我想帮王**还款')
    """
    text = LATIN_NAME.sub(_capitals, masked(text))
    text = _TITLED.sub(lambda m: m[0].replace(m["v"], mask("name", m["v"])), text)
    for word, _ in reversed(_known(text)):
        text = text[: word.start()] + mask("name", word[0]) + text[word.end() :]
    return _CHINESE.sub(lambda m: mask("name", m["v"]), text)


def _capitals(words: re.Match[str]) -> str:
    """Return capitalised words side by side with those masked that are no common ones, where they are a name."""
    uncommon = [w for w in _WORD.finditer(words[0]) if w[0].lower() not in _COMMON]
    if len(uncommon) < 2 or not is_called(" ".join(w[0] for w in uncommon)):
        return words[0]
    return _WORD.sub(lambda w: w[0] if w[0].lower() in _COMMON else mask("name", w[0]), words[0])


def _known(text: str) -> list[tuple[re.Match[str], bool]]:
    """Return the words that are names often met, with a capital or two side by side, and whether they are two."""
    words = list(_WORD.finditer(text))
    known = [is_known(re.sub(r"['’]s$", "", w[0])) for w in words]
    beside = [a and b for a, b in zip(known, [*known, False][1:], strict=True)]
    paired = [a or b for a, b in zip(beside, [False, *beside][:-1], strict=True)]
    return [(w, p) for w, k, p in zip(words, known, paired, strict=True) if k and (p or w[0][0].isupper())]
