"""What each feature says of the outcome alone: information value of an event, explained variance of an amount."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import rules
from workbench.contracts import Contract
from workbench.evidence import Evidence, Verdict
from workbench.models.binning import WoeBins
from workbench.models.characteristics import fitted_bins
from workbench.models.mean_bins import MeanBins, mean_bins
from workbench.models.samples import Sample, directions, special_codes
from workbench.models.scorecard import Scorecard
from workbench.panel.rates import observed
from workbench.words import Text, say

LITTLE = 0.001  # share of variance
NAMED = 3  # features a sentence names; the table has all


def strengths(development: Sample, contract: Contract) -> tuple[dict[str, WoeBins | MeanBins], Evidence]:
    """Return the bins of every feature and how much each says alone, as evidence; amber where one says too much."""
    return _information(development, contract) if contract.outcome.is_binary else _explained(development, contract)


def _information(s: Sample, contract: Contract) -> tuple[dict[str, WoeBins], Evidence]:
    given = (directions(contract), Scorecard().min_bin_size, special_codes(contract))
    bins = fitted_bins(s.X, s.y, *given, parents=s.parent_id)
    table = _table({n: (b.iv, len(b.bins.labels) - 2) for n, b in bins.items()}, contract, "iv")
    limits = rules.load()
    least, most = limits.number("iv_useless"), limits.number("iv_suspicious")
    top, useless = table.iloc[0], int((table["iv"] < least).sum())
    answer = say(
        "{top} says most (IV {iv:.2f}); {useless} of {n} say next to nothing (below {limit}).",
        top=top.feature,
        iv=top.iv,
        useless=useless,
        n=len(table),
        limit=least,
    )
    suspicious = list(table.loc[table["iv"] > most, "feature"])
    if suspicious:
        answer += _suspicious(suspicious, most)
    return bins, Evidence(
        key="information_value",
        question=_question(contract),
        verdict=Verdict.amber if suspicious else Verdict.info,
        answer=answer,
        value=float(top.iv),
        threshold=say(
            "below {useless} useless; amber above {suspicious}: look for a leak",
            useless=least,
            suspicious=most,
        ),
        blind_to=say("what features say together"),
        source="Siddiqi (2017), ch. 6, rule of thumb",
        table=table,
    )


def _suspicious(names: list[str], limit: float) -> Text:
    """Return the strongest by name and how many more there are; the table beside it lists all."""
    first, more = names[:NAMED], len(names) - NAMED
    if more <= 0:
        return say(
            "Suspicious, for above {limit}: {features}. Ask whether they could be known on the as-of date.",
            limit=limit,
            features=first,
        )
    return say(
        "Suspicious, for above {limit}: {features} and {more} more. Ask whether they could be known on the as-of date.",
        limit=limit,
        features=first,
        more=more,
    )


def _explained(s: Sample, contract: Contract) -> tuple[dict[str, MeanBins], Evidence]:
    signs = directions(contract)
    bins = {n: mean_bins(s.X[n], s.y, signs[n]) for n in s.X.columns}
    name = "variance explained"
    table = _table({n: (b.explained, int((pd.Series(b.n) > 0).sum())) for n, b in bins.items()}, contract, name)
    top, little = table.iloc[0], int((table[name] < LITTLE).sum())
    answer = say(
        "{top} says most ({share:.1%} of the variance of the {rate}); {little} of {n} say next to nothing.",
        top=top["feature"],
        share=top[name],
        rate=contract.outcome.rate,
        little=little,
        n=len(table),
    )
    return bins, Evidence(
        key="explained_variance",
        question=_question(contract),
        verdict=Verdict.info,
        answer=answer,
        value=float(top[name]),
        threshold=say("next to nothing: below {limit:.1%} of the variance between the bins", limit=LITTLE),
        blind_to=say("what features say together"),
        source="Pearson (1905), correlation ratio η²",
        table=table,
    )


def bins_of_book(s: Sample, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of bins that have rows (columns n, bad_rate or mean as counted) with the book's share and rate."""
    used, rate = table[table["n"] > 0], "bad_rate" if "bad_rate" in table else "mean"
    share, of_book = s.as_book(used["n"].to_numpy(float), used[rate].to_numpy(float))
    return used.assign(share=share, **{rate: of_book}).reset_index(drop=True)


def by_bin(s: Sample, bins: WoeBins | MeanBins) -> pd.DataFrame:
    """Return a feature bin by bin: of an event bin, n, bad_rate, woe; else group, share, rate, low, high."""
    if s.outcome.is_binary:
        return bins_of_book(s, bins.table())
    codes, rows = bins.bins.codes(s.X[bins.bins.name]), []
    for code in np.unique(codes):
        inside = codes == code
        share = s.weight[inside].sum() / s.weight.sum()
        turned_out = observed(s.y[inside], s.weight[inside], s.outcome, s.parent_id[inside])
        rows.append((bins.bins.labels[code], share, *turned_out))
    return pd.DataFrame(rows, columns=["group", "share", "rate", "low", "high"])


def _question(contract: Contract) -> Text:
    words = contract.outcome
    if words.is_binary:
        return say(
            "Which features separate {positive} from {negative}?", positive=words.positive, negative=words.negative
        )
    return say("Which features go with a higher or a lower {rate}?", rate=words.rate)


def _table(values: dict[str, tuple[float, int]], contract: Contract, name: str) -> pd.DataFrame:
    rows = [(n, value, bins) for n, (value, bins) in values.items()]
    table = pd.DataFrame(rows, columns=["feature", name, "bins"])
    return table.sort_values(name, ascending=False, ignore_index=True)
