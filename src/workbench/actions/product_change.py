"""From a topic to a change of a product: what it does to the score, against other products, times who holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench import metrics
from workbench.actions.topics import Topic, title
from workbench.evidence import Evidence, Verdict
from workbench.words import Text, say
from workbench.words.names import words_of

BEFORE, AFTER = 12, 12  # months on either side that are compared
SAME = 3  # months within which two topics of a product are one matter
FEWEST = 20  # customers who answered in each of the four cells: of fewer, clustered errors come out too small


@dataclass(frozen=True)
class Break:
    """A product and the month since which something is different there: a topic that began, a change that was made."""

    product_code: str
    month: pd.Timestamp
    what: str
    made: bool = False


def breaks(topics: list[Topic], changes: dict[str, str]) -> list[Break]:
    """Return what is looked into: topics of a product within three months as one, and the changes made."""
    out: list[Break] = []
    for t in sorted(topics, key=lambda t: t.month):
        near = [b for b in out if b.product_code == t.product_code and t.month <= b.month + pd.DateOffset(months=SAME)]
        if near:
            out[out.index(near[0])] = Break(t.product_code, near[0].month, f"{near[0].what}; {title(t)}")
        else:
            out.append(Break(t.product_code, t.month, title(t)))
    return out + [Break(code, pd.Timestamp(month), "", made=True) for code, month in sorted(changes.items())]


def differences(answers: pd.DataFrame, holding: pd.DataFrame, looked_into: list[Break]) -> pd.DataFrame:
    """Return what each break did to the product's score, most points lost times holders first.

    answers: `satisfaction.invitations`, of which answered NPS count. effect: score after less before, less the same of
    the other products, with non-response weights and errors by customer, by Student's t with the customers of the
    smallest of the compared cells less one; p_value: of no effect, Holm's over the breaks; trend_p: of equal slopes
    before the break, on which the comparison rests; volume: customers who hold the product; points: effect × volume.
    Source: Angrist & Pischke (2009), Mostly Harmless Econometrics, ch. 5 and 8 (few clusters); Holm (1979).
    """
    given = answers[answers["answered"] & (answers["kind_code"] == "nps")]
    open_ = holding[holding["closed_month"].isna()].groupby("product_code")["entity_id"].nunique()
    rows = []
    for b in looked_into:
        effect = _difference(given, b)
        volume = int(open_.get(b.product_code, 0))
        rows.append({"break": b, **effect, "volume": volume, "points": effect["effect"] * volume})
    table = pd.DataFrame(
        rows, columns=["break", "effect", "low", "high", "p_value", "trend_p", "n", "volume", "points"]
    )
    judged = table["p_value"].notna()
    table.loc[judged, "p_value"] = metrics.holm(table.loc[judged, "p_value"])
    return table.sort_values("points", ignore_index=True)


def _difference(given: pd.DataFrame, b: Break) -> dict[str, float]:
    months = (given["month"].dt.year - b.month.year) * 12 + given["month"].dt.month - b.month.month
    near = given[(months >= -BEFORE) & (months < AFTER)]
    months = months[near.index].to_numpy(float)
    its, after = (near["product_code"] == b.product_code).to_numpy(float), (months >= 0).astype(float)
    unknown = dict.fromkeys(("effect", "low", "high", "p_value", "trend_p"), np.nan)
    customers = near.groupby([its, after])["entity_id"].nunique()
    if len(customers) < 4 or customers.min() < FEWEST:
        return {**unknown, "n": float(len(near))}
    effect, low, high, p = _interaction(near, its, after, customers.min() - 1)
    earlier = after == 0
    trend = _interaction(near[earlier], its[earlier], months[earlier], customers.xs(0.0, level=1).min() - 1)
    return {"effect": effect, "low": low, "high": high, "p_value": p, "trend_p": trend[3], "n": float(len(near))}


def _interaction(
    rows: pd.DataFrame, its: np.ndarray, time: np.ndarray, degrees: int
) -> tuple[float, float, float, float]:
    """Return how much more the score rises with time on the product than on others: estimate, low, high, p-value."""
    import statsmodels.api as sm

    X = np.column_stack([np.ones(len(rows)), its, time, its * time])
    model = sm.WLS(rows["score"].to_numpy(float), X, weights=rows["weight"].to_numpy())
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["entity_id"])[0]})
    more, error = float(fit.params[3]), float(fit.bse[3])
    half = stats.t.ppf(0.975, degrees) * error
    return more, more - half, more + half, float(2 * stats.t.sf(abs(more) / error, degrees))


def trends(answers: pd.DataFrame, b: Break, together: int = 3) -> pd.DataFrame:
    """Return the weighted mean score of the product and of the others by periods of three months from the break.

    Columns: months (middle of the period, from the break), its, others, n (answers of the product).
    """
    given = answers[answers["answered"] & (answers["kind_code"] == "nps")]
    months = (given["month"].dt.year - b.month.year) * 12 + given["month"].dt.month - b.month.month
    near = given.assign(period=months // together)[(months >= -BEFORE) & (months < AFTER)]
    near = near.assign(its=near["product_code"] == b.product_code, scored=near["score"] * near["weight"])
    sums = near.groupby(["period", "its"])[["scored", "weight"]].sum()
    mean = (sums["scored"] / sums["weight"]).unstack("its").reindex(columns=[False, True])
    n = near[near["its"]].groupby("period").size().reindex(mean.index, fill_value=0)
    middle = (mean.index + 0.5) * together
    return pd.DataFrame(
        {"months": middle, "its": mean[True].to_numpy(), "others": mean[False].to_numpy(), "n": n.to_numpy()}
    )


def proposed(table: pd.DataFrame) -> Evidence:
    """Return the ordered list of product changes: what is lost through what, and for how many."""
    question = say("Which product should be changed first?")
    common = {
        "key": "product_changes",
        "question": question,
        "threshold": say(
            "{before: months} before against {after} after; a loss is one where p (Holm over the breaks) is below 5 %; "
            "equal slopes before are in doubt where trend p is below 5 %",
            before=BEFORE,
            after=AFTER,
        ),
    }
    if not len(table):
        answer = say("No topic began and no product was changed.")
        return Evidence(verdict=Verdict.info, answer=answer, **common)
    known = table[table["effect"].notna()]
    if not len(known):
        return Evidence(
            verdict=Verdict.not_evaluated,
            answer=say(
                "{n: breaks}; none has answers of {few: customers} on each side, of its product and of others.",
                n=len(table),
                few=FEWEST,
            ),
            table=_shown(table),
            **common,
        )
    sure = known[(known["effect"] < 0) & (known["p_value"] < 0.05)]
    first = (sure if len(sure) else known).iloc[0]
    return Evidence(
        verdict=Verdict.info,
        answer=_first(first)
        if len(sure)
        else say("{n: breaks}; none lost its product points beyond chance.", n=len(known)),
        value=float(first["effect"]),
        source="Angrist & Pischke (2009), ch. 5",
        blind_to=say("what else happened to this product alone in the same months"),
        table=_shown(table),
        **common,
    )


def _first(row: pd.Series) -> Text:
    b: Break = row["break"]
    return say(
        "First: {product} since {month}. Its score moved by {effect:+.2f} of ten ({low:+.2f} to {high:+.2f}) "
        "against the other products; {volume:, customers hold} it. Equal slopes before: p = {trend:.2f}.",
        product=say(words_of(b.product_code)),
        month=f"{b.month:%Y-%m}",
        effect=row["effect"],
        low=row["low"],
        high=row["high"],
        volume=row["volume"],
        trend=row["trend_p"],
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    named: list[Break] = list(table["break"])
    described: list[Text] = [
        say("the change that was made") if b.made else say("look into: {topic}", topic=b.what) for b in named
    ]
    front = pd.DataFrame(
        {
            "product_code": [say(words_of(b.product_code)) for b in named],
            "since": [f"{b.month:%Y-%m}" for b in named],
            "proposal": described,
        }
    )
    return pd.concat([front, table.drop(columns="break")], axis=1)
