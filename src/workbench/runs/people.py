"""Who a person is in a study: the pseudonyms that an identifier of the source has there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from workbench import contracts, home, pseudonyms
from workbench.params import Key, UserError, from_yaml
from workbench.portfolios import catalog, intake

INTAKE = "portfolios/intake"
PSEUDONYM = re.compile(r"[a-z][a-z0-9_]*_[0-9a-f]{16}")


def studies() -> list[str]:
    """Return the studies with a file that have left tables here."""
    folder = home.mlruns() / "tables"
    there = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    return [name for name in there if (home.root() / "params" / f"{name}.yaml").is_file()]


def intakes(study: str) -> Iterator[intake.Params]:
    """Yield the parameters of a study's intakes, as its file says; `UserError` where it has no such file."""
    path = home.root() / "params" / f"{study}.yaml"
    if not path.is_file():
        raise UserError(f"params/{study}.yaml is not there; name a study by its file")
    content = from_yaml(path.read_text(encoding="utf-8"), path.name) or {}
    shared = {n: v for n, v in content.get("defaults", {}).items() if n in intake.Params.model_fields}
    for name, section in content.get("steps", {}).items():
        if name.partition("@")[0] == INTAKE:
            yield intake.Params(**{"study": study, **shared, **(section or {})})


def names_of(person: str, study: str) -> set[str]:
    """Return a person's pseudonyms in a study, of the identifier as the source has it; a pseudonym is its own."""
    if PSEUDONYM.fullmatch(person):
        return {person}
    import pandas as pd

    out: set[str] = set()
    for p in intakes(study):
        key = intake.linking_key(p)
        for contract in catalog.source(p.portfolio).words(p).values():
            for column in (*contract.named("key"), *contract.named("parent")):
                prefix = column.removesuffix("_id")
                out |= set(pseudonyms.pseudonym(pd.Series([person]), key, prefix).dropna())
    return out


def identifiers(wanted: set[str], key: Key) -> dict[str, str]:
    """Return the source's own identifier of each of these pseudonyms that it knows, read from the source anew."""
    out: dict[str, str] = {}
    for p in intakes(key.study):
        linking, whole = intake.linking_key(p), p.model_copy(update={"sample_rows": 0})
        for table, contract in intake.raw_tables(whole).values():
            for column in [c for c in contract.columns if c.personal and c.role in ("key", "parent")]:
                values = contracts.as_text(table[column.file_name]).dropna().drop_duplicates()
                made = pseudonyms.pseudonym(values, linking, column.name.removesuffix("_id"))
                out |= {m: v for m, v in zip(made, values, strict=True) if m in wanted}
        if wanted <= set(out):
            break
    return out
