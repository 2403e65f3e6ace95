"""Persons who stand in the books twice: found by exact keys, then by what is alike within blocks, and joined.

A pair must agree on more than one thing: a number alone can be mistyped, a telephone shared by a family. Weights are
those of Fellegi and Sunter (1969), JASA 64, in whole points rather than estimated.
"""

from __future__ import annotations

import pandas as pd

from workbench import engine

ENOUGH = 6  # points
# a resident number of 15 digits is one of 18 without century and check digit (GB 11643-1989, -1999)
_SHORT = "CASE WHEN length(number) = 18 THEN substr(number, 1, 6) || substr(number, 9, 9) ELSE number END"
# what is missing or blank is no evidence: it agrees with nothing and contradicts nothing
POINTS_SQL = f"""
    WITH there AS (
        SELECT customer_id, nullif(lower(trim(name)), '') AS name, CAST(birth_date AS DATE) AS born,
            nullif(trim(CAST(national_id AS VARCHAR)), '') AS number,
            nullif(trim(CAST(phone_number AS VARCHAR)), '') AS phone
        FROM customer),
    people AS (
        SELECT customer_id, name, {_SHORT} AS number, phone, born, year(born) AS y, month(born) AS mo, day(born) AS d
        FROM there),
    pairs AS (
        SELECT a.customer_id AS one, b.customer_id AS other FROM people a JOIN people b
            ON a.number = b.number AND a.customer_id < b.customer_id
        UNION SELECT a.customer_id, b.customer_id FROM people a JOIN people b
            ON a.phone = b.phone AND a.customer_id < b.customer_id
        UNION SELECT a.customer_id, b.customer_id FROM people a JOIN people b
            ON a.born = b.born AND substr(a.name, 1, 2) = substr(b.name, 1, 2) AND a.customer_id < b.customer_id
        UNION SELECT a.customer_id, b.customer_id FROM people a JOIN people b
            ON a.y = b.y AND a.mo = b.d AND a.d = b.mo AND a.name = b.name AND a.customer_id < b.customer_id)
    SELECT p.one, p.other,
        CASE WHEN a.number = b.number THEN 4 WHEN levenshtein(a.number, b.number) = 1 THEN 2 ELSE 0 END
        + CASE WHEN a.phone = b.phone THEN 3 ELSE 0 END
        + CASE WHEN a.name = b.name THEN 3 WHEN jaro_winkler_similarity(a.name, b.name) > 0.9 THEN 2
            WHEN jaro_winkler_similarity(a.name, b.name) < 0.7 THEN -3 ELSE 0 END
        + CASE WHEN a.born = b.born THEN 2 WHEN a.y = b.y AND a.mo = b.d AND a.d = b.mo THEN 1
            WHEN a.y <> b.y THEN -2 ELSE 0 END AS points
    FROM pairs p JOIN people a ON a.customer_id = p.one JOIN people b ON b.customer_id = p.other"""


def pairs(customer: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of numbers that are one person: one, other, points (at least `ENOUGH`).

    customer: one row a number, with customer_id, name, national_id, phone_number, birth_date.
    """
    asked = customer[["customer_id", "name", "national_id", "phone_number", "birth_date"]]
    same = engine.frame(
        f"SELECT * FROM ({POINTS_SQL}) s WHERE points >= {ENOUGH} ORDER BY one, other", {"customer": asked}
    )
    return same.astype({"one": "str", "other": "str"})


def joined(customer: pd.Series, same: pd.DataFrame) -> pd.DataFrame:
    """Return customer_id, person_id: numbers that are one person, by a chain of pairs, share the least of them."""
    root: dict[str, str] = {}

    def least(number: str) -> str:
        while number in root:
            number = root[number]
        return number

    for one, other in zip(same["one"], same["other"], strict=True):
        a, b = sorted((least(one), least(other)))
        if a != b:
            root[b] = a
    return pd.DataFrame({"customer_id": customer.to_numpy(), "person_id": [least(c) for c in customer]})
