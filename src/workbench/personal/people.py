"""Whether texts name people: Chinese names by their surnames, Latin ones by given names and surnames often met."""

from __future__ import annotations

import re
from collections.abc import Collection

# The hundred surnames that most people in China bear, and those often met besides; then those of two characters.
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱"
    "江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌"
    "毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边"
    "卞姬尚巫洪楚楼郎边隋惠敖佘冼苑祖靖鄢麻谌桑竺仇栾木晁蔺植逄展钭師陳張劉楊黃趙吳孫馬鄭謝許韓馮鄧蕭葉蘇呂盧鐘譚陸賈韋鄒熊龍賀顧龔萬錢嚴湯樊齊喬龐顏聶魯歐關蘭"
)
_COMPOUND = "欧阳|司马|上官|诸葛|司徒|东方|独孤|南宫|夏侯|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|端木|歐陽|司馬|諸葛"
SURNAME = f"(?:{_COMPOUND}|[{_SURNAMES}])"
CHINESE = re.compile(rf"(?:(?:{_COMPOUND})[\u4e00-\u9fff]{{1,2}}|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})")
# Words of a bank's columns and codes that begin like a surname: 金额 is an amount, nobody's name.
ORDINARY = (
    "金额|金卡|金融|余额|方式|方案|方法|方向|平均|平安|高级|高中|高管|高风险|高等|安全|时间|时长|时期|单位|单价|单身|单笔|单据|农民|农业|农户|农村"
    "|车辆|车贷|车型|关系|关联|管理|管户|经理|党员|万元|白领|白金|蓝领|黄金|温和|和解|许可|成本|成功|成立|成员|程度|路径|路线|常规|常用|连续|项目"
    "|易贷|应收|应还|应付|全额|全部|全国|全日|全职|解除|房贷|房产|房屋|水平|明细|华东|华南|华北|华中|江苏|江西|湖北|石油|通过|公司|公积|元"
    "|年龄|年收|月收|月供|本金|利率|期限|类型|区间|等级|已婚|未婚|离异|别"
)
_GIVEN = """james john robert michael william david richard joseph thomas charles mary patricia jennifer linda elizabeth
    barbara susan jessica sarah karen nancy lisa margaret betty sandra ashley emily anna maria ada peter paul mark
    george steven edward brian kevin jason daniel matthew anthony donald andrew joshua kenneth laura emma olivia
    sophia julia alice grace helen ruth jane jack henry frank louis jean pierre marie hans karl klaus jürgen wolfgang
    juan carlos luis jorge josé jose pedro miguel ana carmen giovanni marco luca giulia ivan sergei olga natalia
    mohammed muhammad ahmed ali fatima omar wei li jing min ming yan hui lei fang ying hong mei xiao jun yong"""
_FAMILY = """smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson
    anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson
    walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera campbell
    mitchell carter roberts müller schmidt schneider fischer weber meyer wagner becker schulz hoffmann dupont dubois
    durand moreau laurent rossi russo ferrari bianchi silva santos oliveira souza pereira kim park choi wang zhang liu
    chen yang huang zhao wu zhou xu sun ma zhu hu guo he gao lin luo zheng liang song tang tan lim wong chan cheung
    singh kumar patel sharma khan ivanov smirnov kowalski nowak murphy kelly sullivan walsh o'brien"""
_WORDS = re.compile(r"[^\W\d_][\w'’.-]*")
_SHORT_HAN = re.compile("[\u4e00-\u9fff]{2,3}")
_GIVEN_NAMES, _FAMILY_NAMES = frozenset(_GIVEN.split()), frozenset(_FAMILY.split())
_LEAST_DIFFERENT, _MOSTLY = 3, 0.9


def are_names(texts: Collection[str], expected: bool = False) -> bool:
    """Say whether different texts name people; where a column is called a name (`expected`), half of them will do.

    >>> are_names(["王芳", "李娜", "欧阳修"]), are_names(["上海", "北京", "广州"])
    (True, False)
    """
    if not texts or (len(texts) < _LEAST_DIFFERENT and not expected):
        return False
    share = sum(_is_name(t, expected) for t in texts) / len(texts)
    return share >= (0.5 if expected else _MOSTLY)


def is_name(text: str) -> bool:
    """Say whether a text by itself is a name.

    >>> is_name("王小明"), is_name("Maria Rossi"), is_name("金额"), is_name("Default Rate")
    (True, True, False, False)
    """
    return _is_name(text, expected=False)


def is_called(text: str) -> bool:
    """Say whether Latin words are a name's: capitals at the beginning of each, or all in capitals and one known."""
    words = _WORDS.findall(text)
    if all(w.isupper() for w in words):
        return any(w.lower() in _GIVEN_NAMES | _FAMILY_NAMES for w in words)
    return len(words) > 1


def is_known(word: str) -> bool:
    """Say whether a Latin word is a given name or a surname often met."""
    return word.lower() in _GIVEN_NAMES | _FAMILY_NAMES


def _is_name(text: str, expected: bool) -> bool:
    if CHINESE.fullmatch(text) or (expected and _SHORT_HAN.fullmatch(text)):
        return not re.match(ORDINARY, text)
    words = [w.lower() for w in _WORDS.findall(text)]
    if not 1 <= len(words) <= 4 or any(c.isdigit() for c in text):
        return False
    given, family = any(w in _GIVEN_NAMES for w in words), any(w in _FAMILY_NAMES for w in words)
    return given or family if expected else given and family and len(words) > 1
