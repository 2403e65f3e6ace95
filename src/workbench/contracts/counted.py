"""How many of what a contract's rows are, in words."""

from __future__ import annotations

from workbench.contracts.words import Contract
from workbench.words import Text, say


def entities(contract: Contract, n: int) -> Text:
    """Return how many of what the rows are: `1,456 loans`."""
    terms = {
        "account": say("{n:, accounts}", n=n),
        "customer": say("{n:, customers}", n=n),
        "loan": say("{n:, loans}", n=n),
        "application": say("{n:, applications}", n=n),
        "event": say("{n:, records}", n=n),
    }
    return terms.get(contract.entity, say("{n:, rows}", n=n))
