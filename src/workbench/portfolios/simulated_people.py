"""The simulated bank's invented people, and the dirt planted in its tables with exactly known counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

_FIRST = (
    "Ada",
    "Bo",
    "Chen",
    "Dora",
    "Emil",
    "Fang",
    "Gita",
    "Hugo",
    "Ines",
    "Jun",
    "Kofi",
    "Lena",
    "Mei",
    "Nils",
    "Olga",
)
_LAST = (
    "Adler",
    "Bishop",
    "Castro",
    "Duan",
    "Eklund",
    "Fischer",
    "Gupta",
    "Huang",
    "Ivanov",
    "Jansen",
    "Keller",
    "Sato",
)
_REGIONS = ("110101", "310101", "440103", "330102", "510104", "420102")
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])  # GB 11643-1999
_CHECK = np.array(list("10X98765432"))
DIRT_SHARE = 0.002


def customers(n: int, rng: np.random.Generator, first: int = 0) -> pd.DataFrame:
    """Return n invented customers, numbered from `first`.

    Names, resident numbers (valid checksum) and phones belong to nobody.
    """
    born = np.datetime64("1945-01-01") + rng.integers(0, 365 * 40, n)
    region = rng.choice(_REGIONS, n, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    return pd.DataFrame(
        {
            "customer_id": [f"C{i:07d}" for i in range(first, first + n)],
            "name": np.char.add(np.char.add(rng.choice(_FIRST, n), " "), rng.choice(_LAST, n)),
            "national_id": _resident_numbers(region, born, rng),
            "phone_number": [f"1{number:010d}" for number in rng.integers(3 * 10**9, 10**10, n)],
            "birth_date": born.astype("datetime64[us]"),
            "sex_code": rng.choice(["F", "M"], n),
            "region_code": np.char.add("region_", region),
            "employment_code": rng.choice(
                ["employed", "self_employed", "public", "student", "retired"], n, p=[0.55, 0.15, 0.15, 0.05, 0.1]
            ),
            "income_amt": np.round(rng.lognormal(np.log(2500), 0.45, n), 2),
            "n_dependants": rng.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05]),
            "since_date": (np.datetime64("1990-01-01") + rng.integers(0, 365 * 14, n)).astype("datetime64[us]"),
        }
    )


def _resident_numbers(region: np.ndarray, born: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    day = np.char.replace(np.datetime_as_string(born, unit="D"), "-", "")
    serial = np.char.zfill(rng.integers(0, 1000, len(born)).astype(str), 3)
    body = np.char.add(np.char.add(region.astype(str), day), serial)
    digits = body.astype("U17").view("U1").reshape(len(body), 17).astype(int)
    return np.char.add(body, _CHECK[digits @ _WEIGHTS % 11])


def plant_dirt(tables: dict[str, pd.DataFrame], rng: np.random.Generator) -> dict[str, int]:
    """Plant dirt in `tables` (in place) and return how many rows of each kind there are."""
    customer, loan, months = tables["customer"], tables["loan"], tables["performance"]
    few, many = max(int(len(customer) * DIRT_SHARE), 1), max(int(len(months) * DIRT_SHARE), 1)
    people = rng.choice(len(customer), 3 * few, replace=False)
    customer.loc[people[:few], "birth_date"] = pd.Timestamp("2091-05-05")
    customer.loc[people[few : 2 * few], "income_amt"] = np.nan
    customer.loc[people[2 * few :], "employment_code"] = "??"
    orphans = rng.choice(len(loan), few, replace=False)
    loan.loc[orphans, "customer_id"] = [f"C{9_000_000 + i}" for i in range(few)]
    rows = rng.choice(len(months), 2 * many, replace=False)
    months.loc[rows[:many], "paid_amt"] = -1 - months.loc[rows[:many], "paid_amt"]
    months.loc[rows[many:], "paid_amt"] = np.nan
    twice = rng.choice(len(months), many, replace=False)
    tables["performance"] = pd.concat([months, months.iloc[twice]], ignore_index=True)
    return {
        "future birth_date": few,
        "missing income_amt": few,
        "unknown employment_code": few,
        "loan without customer": few,
        "negative paid_amt": many,
        "missing paid_amt": many,
        "row twice": many,
    }
