"""The class of every column by how much a leak of it harms: C3, C2, C1 of JR/T 0171-2020, by rule where none is given.

C3 is what lets somebody act as the customer, C2 what says who he is or how he stands, C1 what is for inside use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from workbench.contracts.words import Column, Contract
from workbench.evidence import Evidence, Verdict
from workbench.words import Text, say

SOURCE = "JR/T 0171-2020, 4.2"
_SECRET = re.compile(  # of a customer: what he proves himself by
    r"(?<![a-z])(password|passcode|passphrase|pin|cvv2?|cvc2?|otp|biometrics?|fingerprints?|track[ _]?data)(?![a-z])"
    r"|密码|口令|验证码|指纹|人脸|虹膜",
    re.IGNORECASE,
)
_STANDING = ("credit_record", "capacity", "size")  # aspects that tell how a customer stands


def classed(column: Column, contract: Contract) -> tuple[str, Text | str]:
    """Return a column's class (`C1`, `C2`, `C3`) and by what: the contract's own word, else the rule that holds first.

    The rules err upward: whoever knows better writes `privacy: C1` into the contract.
    """
    if column.privacy:
        return column.privacy, say("said by the contract")
    if _SECRET.search(f"{column.name} {column.source} {column.description}"):
        return "C3", say("proves who somebody is")
    if column.personal:
        return "C2", say("personal data")
    if column.role in ("key", "parent") and column.type != "date":
        return "C2", say("names a row")
    if column.fairness:
        return "C2", say("protected group")
    if column.role == "outcome" or column.aspect in _STANDING or column.exposure:
        return "C2", say("tells how a customer stands")
    if column.name.endswith("_amt") or (contract.currency and column.unit == contract.currency):
        return "C2", say("an amount")
    return "C1", say("for inside use")


def inventory(words: Mapping[str, Contract]) -> Evidence:
    """Return the class of every column of these contracts, by table: the strictest first."""
    rows = [(name, c.name, *classed(c, contract)) for name, contract in words.items() for c in contract.columns]
    table = pd.DataFrame(rows, columns=["table", "column", "class", "why"])
    table = table.sort_values("class", ascending=False, kind="stable", ignore_index=True)
    counts = {n.lower(): int((table["class"] == n).sum()) for n in ("C3", "C2", "C1")}
    return Evidence(
        key="classes",
        question=say("How far is each column to be protected?"),
        verdict=Verdict.info,
        answer=say("{n: columns}: {c3} of class C3, {c2} of class C2, {c1} of class C1.", n=len(table), **counts),
        value=len(table),
        threshold=say("every column has one class"),
        source=SOURCE,
        blind_to=say("what a column holds besides what its contract says of it"),
        table=table.assign(why=table["why"].map(str)),
    )
