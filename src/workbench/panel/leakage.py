"""Screen features for what could only be known afterwards: by when they are known, and by how much they say alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from workbench import metrics, rules
from workbench.contracts import Column, Contract, Outcome
from workbench.evidence import Evidence, Verdict
from workbench.panel import telling
from workbench.panel.bins import is_category
from workbench.panel.samples import Splits, parent_column, whole_folds
from workbench.words import Text, say

LOOKED_AT_TWICE = 0.8  # of a threshold: what comes nearer is measured again, with an interval
EXAMINED = 3  # the strongest single features are tried without
ROWS, ROWS_COMPARED = 10_000, 4_000  # screened; learnt from to tell what refused columns would add
FOLDS, REPEATS = 3, 5
ALONE = "auc_of_a_small_tree_cross_validated"  # what `auc_alone` is called where people read it
STRONG = 0.9  # AUC alone: of two honest features either is dearly missed; so strong none is honest
LEAST_EVENTS = 30  # of either kind; with fewer the folds say nothing
MEASURES = {"gap_to_next": "leak_above_next", "cost_of_removal": "leak_cost"}  # each with the rule that limits it


@dataclass(frozen=True)
class _Folds:
    """Cross-validation on numbers: fold by fold of whole parents, the AUC of one model on some of the columns."""

    X: pd.DataFrame
    y: np.ndarray
    parents: np.ndarray
    seed: int
    measured: dict[tuple[frozenset[str], int], np.ndarray] = field(default_factory=dict)
    drawn: dict[int, Splits] = field(default_factory=dict)

    def aucs(self, columns: list[str], repeat: int) -> np.ndarray:
        """Return one AUC a fold: of a small tree for one column, of boosted trees for several."""
        key = frozenset(columns), repeat
        if key not in self.measured:
            self.measured[key] = self._aucs([c for c in self.X.columns if c in key[0]], repeat)
        return self.measured[key]

    def _aucs(self, columns: list[str], repeat: int) -> np.ndarray:
        scores, seed = [], self.seed + repeat
        if repeat not in self.drawn:
            self.drawn[repeat] = whole_folds(self.y, self.parents, FOLDS, seed)
        X = self.X[columns].to_numpy()  # of a table scikit-learn would check every column at every tree
        for learn, test in self.drawn[repeat]:
            model = _tree(seed) if len(columns) == 1 else _boosted(seed)
            model.fit(X[learn], self.y[learn])
            scores.append(metrics.auc(self.y[test], model.predict_proba(X[test])[:, 1]))
        return np.array(scores)

    def differences(self, more: list[str], less: list[str], repeats: int) -> np.ndarray:
        """Return how much more `more` says than `less`, fold by fold over the repeats (paired: the same folds)."""
        return np.concatenate([self.aucs(more, r) - self.aucs(less, r) for r in range(repeats)])


def _tree(seed: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_leaf_nodes=64, min_samples_leaf=0.005, random_state=seed)


def _boosted(seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=seed)


def interval(differences: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return an interval for the mean of a difference measured in the folds of a repeated cross-validation.

    The folds share rows: the variance is s²(1/n + test/learn), n the number of folds, with t(n − 1).
    Source: Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52, eq. 8.
    """
    n, mean = len(differences), float(differences.mean())
    width = float(np.sqrt(differences.var(ddof=1) * (1 / n + 1 / (FOLDS - 1))) * stats.t.ppf((1 + level) / 2, n - 1))
    return mean - width, mean + width


def screen(
    X: pd.DataFrame,
    y: np.ndarray,
    parents: np.ndarray,
    seed: int,
    refused: Callable[[set[str]], set[str]] = lambda suspects: suspects,
) -> pd.DataFrame:
    """Return one row per feature: AUC alone, gap to the next, cost of removal, suspect (a sure leak), doubtful.

    X: n × k, y: n values 1 or 0, parents: n, whose rows stay together in folds. A feature gives the outcome away
    where it alone has an AUC 0.10 above the next one's, or where leaving it out costs boosted trees 0.05. What comes
    near is measured over 5 repeats of 3 folds, with a 95 % interval: suspect where it lies wholly above the
    threshold, doubtful where only its middle does, or where it proves nothing: an honest feature is dearly missed, too,
    where the others say little. It proves a leak where the feature alone or all together have an AUC of 0.90, or where
    the others together have 0.70 without it and the next one is missed half as dearly at most; never the cost beside a
    single other. The cost is measured for the three strongest. What one leak hid is seen without it: without the
    columns that are refused for the suspects (`refused`; by default they themselves) the others are screened again,
    until none is refused. Two leaks of one strength hide one another all the same.
    """
    if len(y) > ROWS:
        drawn = _drawn(y, seed)
        X, y, parents = X.iloc[drawn], y[drawn], parents[drawn]
    folds, tables = _Folds(pd.DataFrame({c: _numbers(X[c]) for c in X.columns}), y, parents, seed), []
    columns = list(X.columns)
    while True:
        table = _screened(columns, folds)
        gone = table.index.isin(refused(set(table.index[table["suspect"]])))
        tables.append(table[gone])
        columns = list(table.index[~gone])
        if not gone.any() or not columns:
            break
    tables.append(table[~gone])
    return pd.concat(tables).rename_axis("feature").reset_index()


def _drawn(y: np.ndarray, seed: int) -> np.ndarray:
    """Return the places of `ROWS` rows in order: those with the rarer outcome, up to half, and of the others by chance.

    An AUC is the same whatever the share of the event; with all rows drawn alike few of a rare one would be there.
    """
    rng, rare = np.random.default_rng(seed), y == (y.mean() < 1 / 2)
    few = rng.permutation(np.flatnonzero(rare))[: ROWS // 2]
    return np.sort(np.concatenate([few, rng.permutation(np.flatnonzero(~rare))[: ROWS - len(few)]]))


def _screened(columns: list[str], folds: _Folds) -> pd.DataFrame:
    """Return one row per column, as if there were no others."""
    alone = pd.Series({c: folds.aucs([c], 0).mean() for c in columns}).sort_values(ascending=False)
    table = pd.DataFrame({"auc_alone": alone, "suspect": False, "doubtful": False}, index=alone.index)
    for measure in MEASURES:
        table[[measure, f"{measure}_low", f"{measure}_high"]] = np.nan
    limits = rules.load()
    for name in list(alone.index[:EXAMINED]) if len(alone) > 1 else []:
        _examined_again(table, name, folds, limits)
    return table


def _examined_again(table: pd.DataFrame, name: str, folds: _Folds, limits: rules.Rules) -> None:
    """Fill in what one of the strongest features says, and whether that is too much."""
    others = [c for c in table.index if c != name]
    compared = {"gap_to_next": ([name], others[:1]), "cost_of_removal": ([name, *others], others)}
    if name != table.index[0]:
        del compared["gap_to_next"]
    for measure, (more, less) in compared.items():
        threshold = limits.number(MEASURES[measure])
        differences = folds.differences(more, less, 1)
        if differences.mean() >= LOOKED_AT_TWICE * threshold and not table.loc[name, "suspect"]:
            differences = folds.differences(more, less, REPEATS)
            low, high = interval(differences)
            table.loc[name, [f"{measure}_low", f"{measure}_high"]] = low, high
            is_sure = low > threshold and _proves(measure, name, table, folds, limits)
            table.loc[name, "suspect"] |= is_sure
            table.loc[name, "doubtful"] |= threshold <= differences.mean() and not is_sure
        table.loc[name, measure] = differences.mean()
    table.loc[name, "doubtful"] &= not table.loc[name, "suspect"]


def _proves(measure: str, name: str, table: pd.DataFrame, folds: _Folds, limits: rules.Rules) -> bool:
    """Say whether what a feature adds can prove a leak: beside few or weak others every honest one adds much."""
    columns = list(table.index)
    if table.loc[name, "auc_alone"] >= STRONG:
        return True
    if measure == "cost_of_removal" and len(columns) == 2:
        return False
    together = folds.aucs(columns, 0).mean()
    if together >= STRONG:
        return True
    costs = {c: _cost(c, columns, folds) for c in columns[:EXAMINED]}
    if together - costs[name] < limits.number("leak_others"):
        return False
    next_one = max(cost for c, cost in costs.items() if c != name)
    return measure == "gap_to_next" or costs[name] >= limits.number("leak_lead") * next_one


def _cost(name: str, columns: list[str], folds: _Folds) -> float:
    return float(folds.differences(columns, [c for c in columns if c != name], 1).mean())


def _numbers(values: pd.Series) -> np.ndarray:
    if is_category(values):
        return values.astype("category").cat.codes.to_numpy(float)
    return values.to_numpy(float, na_value=np.nan)


def examine(account: pd.DataFrame, outcome: pd.Series, contract: Contract, seed: int) -> tuple[Contract, Evidence]:
    """Return the contract with leaks refused, and the evidence.

    Refused are columns known only afterwards, sure suspects of the screen unless the contract says in `reviewed` why
    they may stay, and whatever is made from a refused one (`made_from`). A doubtful one stays, and is named. All are
    kept in the table, the refused out of every model. An amount or a rate is screened as above or below its median.
    The contract's exposure tells an amount by what an amount is, a share of it: it stays, and is named; the others are
    screened again without it, as without a leak. Of an event, a column is suspect by a value that alone tells it, too,
    which no other column hides.
    """
    known = outcome.notna().to_numpy()
    names = [c.name for c in contract.columns if _examined(c)]
    y = _two_classes(outcome[known].to_numpy(float), contract)
    if not names or min((y == 1).sum(), (y == 0).sum()) < LEAST_EVENTS:
        return contract, _too_few(contract)
    after = {c.name for c in contract.columns if c.known == "after" and c.role == "feature"}
    X, whose = account.loc[known, names], _whose(account[known], contract)
    looked_at = X if contract.outcome.is_binary else X.iloc[:, :0]  # of an amount's halves an honest value tells one
    telltale = telling.values(looked_at, y, whose, rules.load())
    by_value, at_stake = telling.sure(telltale, len(y), rules.load()), _at_stake(contract)

    def without(suspects: set[str]) -> set[str]:
        leaks = {n for n in suspects | by_value if not contract[n].reviewed}
        return derived((leaks - at_stake) | after, contract) | (leaks & at_stake)

    table = _with_values(screen(X, y, _parents(whose, y), seed, without), telltale, by_value)
    suspects = set(table.loc[table["suspect"], "feature"])
    sure = {n for n in suspects if not contract[n].reviewed} - at_stake
    from_them = derived(sure | after, contract) - sure - after - set(contract.named("outcome"))
    refused = sure | from_them
    columns = [c.model_copy(update={"known": "after"}) if c.name in refused else c for c in contract.columns]
    others = [n for n in names if n not in refused]
    of_after = _with_and_without(account[known], y, others, sorted(after), contract, seed) if after else Text()
    reviewed = {n for n in suspects - refused if contract[n].reviewed}
    exposure = suspects - refused - reviewed
    treated = _Treated(after, of_after, sure, from_them, reviewed, _doubtful(table, contract, refused), exposure)
    return contract.replaced(columns), treated.evidence(table, contract)


def _with_values(table: pd.DataFrame, telltale: pd.DataFrame, sure: set[str]) -> pd.DataFrame:
    """Return the screen's table with the value that tells most of each column, and what follows from it."""
    table = table.merge(telltale.drop_duplicates("feature"), on="feature", how="left")
    table["suspect"] |= table["feature"].isin(sure)
    table["doubtful"] = (table["doubtful"] | table["telling_value"].notna()) & ~table["suspect"]
    return table


def _with_and_without(
    account: pd.DataFrame, y: np.ndarray, others: list[str], after: list[str], contract: Contract, seed: int
) -> Text:
    """Return what columns known afterwards would add to the others, in words; nothing where no model can use them."""
    usable = [n for n in after if n in account and contract[n].type in ("number", "integer", "category")]
    if not usable or not others:
        return Text()
    drawn = np.random.default_rng(seed).permutation(len(y))[:ROWS_COMPARED]
    X = pd.DataFrame({n: _numbers(account[n].iloc[drawn]) for n in (*others, *usable)})
    folds = _Folds(X, y[drawn], _parents(_whose(account.iloc[drawn], contract), y[drawn]), seed)
    more, less = (float(folds.aucs(columns, 0).mean()) for columns in ([*others, *usable], others))
    return say(
        "With them boosted trees reach an AUC of {more:.3f}, without {less:.3f}: who uses them describes what has "
        "happened, and forecasts nothing.",
        more=more,
        less=less,
    )


def _whose(account: pd.DataFrame, contract: Contract) -> np.ndarray:
    """Return whose each row is (n), as the contract's parent column says; each its own where none does."""
    column = next((n for n in (*contract.named("parent"), parent_column(account)) if n in account), "")
    alone = np.arange(len(account))
    if not column:
        return alone
    parents = pd.factorize(account[column])[0]
    return np.where(parents < 0, alone + len(account), parents)  # whose parent isn't known


def _parents(whose: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return whose each row is (n) to make folds of; each its own where either class has too few parents."""
    fewest = min(len(np.unique(whose[y == kind])) for kind in (0, 1))
    return whose if fewest >= LEAST_EVENTS else np.arange(len(whose))


def _two_classes(outcome: np.ndarray, contract: Contract) -> np.ndarray:
    if contract.outcome.is_binary:
        return outcome
    above = outcome > np.median(outcome)
    return (above if above.any() else outcome == outcome.max()).astype(float)  # most are at the most


def _at_stake(contract: Contract) -> set[str]:
    """Return the exposure, by name, where the outcome is an amount of it."""
    name = contract.exposure() if contract.outcome.kind == "amount" else None
    return {name} if name else set()


def _doubtful(table: pd.DataFrame, contract: Contract, refused: set[str]) -> set[str]:
    return {n for n in table.loc[table["doubtful"], "feature"] if n not in refused and not contract[n].reviewed}


def _examined(c: Column) -> bool:
    """Features, and facts that features will be made from; no dates, no personal data."""
    usable = c.role in ("feature", "fact") and c.known == "before" and not c.personal and not c.fairness
    return usable and c.type in ("number", "integer", "category")


@dataclass(frozen=True)
class _Treated:
    """Columns by what was done about them."""

    after: set[str]
    of_after: Text  # what they would add
    sure: set[str]
    from_them: set[str]
    reviewed: set[str]
    doubtful: set[str]
    exposure: set[str] = field(default_factory=set)  # suspect, but the outcome is an amount of it

    def of(self, name: str) -> str:
        """Return what was done about one column, in words."""
        if name in self.sure:
            return "refused: suspected leak"
        if name in self.from_them:
            return "refused: made from a refused column"
        if name in self.exposure:
            return "kept: the exposure"
        return "kept: reviewed" if name in self.reviewed else "kept: doubtful" if name in self.doubtful else "kept"

    def sentences(self, contract: Contract) -> list[Text]:
        """Return what was done, a sentence a kind."""
        unmarked = contract.outcome.kind == "amount" and not contract.exposure()
        amount = say("If it is the exposure, say `exposure: true` of it in the contract.") if unmarked else Text()
        kinds = (
            (
                say("Known only afterwards and refused: {columns}.", columns=sorted(self.after)) + self.of_after,
                self.after,
            ),
            (say("Suspected leak and refused: {columns}.", columns=sorted(self.sure)) + amount, self.sure),
            (
                say("Made from a refused column and refused too: {columns}.", columns=sorted(self.from_them)),
                self.from_them,
            ),
            (say("Suspected but reviewed: {columns}.", columns=sorted(self.reviewed)), self.reviewed),
            (
                say("Kept, for the outcome is an amount of this exposure: {columns}.", columns=sorted(self.exposure)),
                self.exposure,
            ),
            (say("Doubtful, kept, to be looked at: {columns}.", columns=sorted(self.doubtful)), self.doubtful),
        )
        return [sentence for sentence, columns in kinds if columns]

    def by_value(self, table: pd.DataFrame, outcome: Outcome) -> Text:
        """Return which value of a column that is refused or doubtful tells the outcome, and how surely."""
        telltale = table[table["telling_value"].notna() & table["feature"].isin(self.sure | self.doubtful)]
        return telling.in_words(telltale, outcome)

    def evidence(self, table: pd.DataFrame, contract: Contract) -> Evidence:
        """Return the evidence: amber where there is anything to say."""
        table["treatment"] = [self.of(n) for n in table["feature"]]
        extra = pd.DataFrame(
            {
                "feature": sorted(self.after),
                "suspect": True,
                "doubtful": False,
                "treatment": "refused: known only afterwards",
            }
        )
        by_value = self.by_value(table, contract.outcome)
        sentences = [*self.sentences(contract), *([by_value] if by_value else [])]
        binary = contract.outcome.is_binary
        return Evidence(
            key="leakage",
            question=say("Does any column give the outcome away?"),
            verdict=Verdict.amber if sentences else Verdict.green,
            answer=sum(sentences[1:], sentences[0]) if sentences else say("No column gives the outcome away."),
            value=len(self.after) + len(self.sure) + len(self.reviewed) + len(self.doubtful) + len(self.exposure),
            threshold=_threshold(binary),
            blind_to=say(
                "Two leaks of the same strength hide one another, but for values that tell the outcome alone; only the "
                "three strongest are tried without."
            ),
            source="convention of this workbench; Kaufman et al. (2012), ACM TKDD 6(4); "
            "interval: Nadeau & Bengio (2003), Machine Learning 52",
            table=_read(pd.concat([extra, table], ignore_index=True), contract),
        )


def _read(table: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """Return the table as it is read: what each column is, its AUC called what it is, no measure that none has."""
    table.insert(1, "role", [contract[n].role for n in table["feature"]])
    table = table.drop(columns=[] if table["telling_value"].notna().any() else telling.COLUMNS[1:])
    return table.rename(columns={"feature": "column", "auc_alone": ALONE})


def _threshold(binary: bool = True) -> Text:
    limits = rules.load()
    halves = say("The AUC is that of lying above the median rather than below it.")
    return (telling.rule(limits) if binary else halves) + say(
        "Refused: known afterwards, or AUC alone surely {gap:.2f} above the next, or surely {cost:.2f} lost without it "
        "(95 % interval wholly above), and what is made from it; amber: the middle of the interval only, or where "
        "others say too little to tell (AUC below {strong:.2f} alone and with all, and without it below {others:.2f} "
        "or the next missed more than 1/{lead} as dearly). A suspect stays where the contract says why in `reviewed`.",
        strong=STRONG,
        others=limits.number("leak_others"),
        lead=limits.number("leak_lead"),
        gap=limits.number("leak_above_next"),
        cost=limits.number("leak_cost"),
    )


def _too_few(contract: Contract) -> Evidence:
    answer = say(
        "Not screened: it takes {least: rows} with and {least} without the {event}, and a column to look at.",
        least=LEAST_EVENTS,
        event=contract.outcome.event_word,
    )
    return Evidence(
        key="leakage",
        question=say("Does any column give the outcome away?"),
        verdict=Verdict.not_evaluated,
        answer=answer,
        threshold=_threshold(),
        table=pd.DataFrame({"column": [], ALONE: [], "suspect": [], "doubtful": [], "treatment": []}),
    )


def derived(refused: set[str], *contracts: Contract) -> set[str]:
    """Return the refused columns and everything made from them, however many steps away (`made_from`)."""
    made = [(c.name, set(getattr(c, "made_from", ()))) for contract in contracts for c in contract.columns]
    while new := {name for name, sources in made if sources & refused} - refused:
        refused = refused | new
    return refused
