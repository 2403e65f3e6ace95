"""Special codes of a number: a gap in the number, and a category beside it that says which code it was."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from workbench import contracts
from workbench.contracts import Contract
from workbench.models.samples import special_codes
from workbench.models.scorecard import Scorecard
from workbench.params import UserError
from workbench.portfolios import quality

NUMBER = '{name: months, source: 月数, type: number, minimum: 0, special: {"-9": no record, "-8": never}}'


def _contract(folder, column: str = NUMBER, head: str = "") -> Contract:
    path = folder / "c.yaml"
    path.write_text(
        f'name: c\ntitle: t\n{head}event_value: "1"\ncolumns:\n  - {{name: loan, type: text, role: key}}\n'
        f'  - {column}\n  - {{name: bad, type: category, role: outcome, values: {{"0": "0", "1": "1"}}}}\n',
        encoding="utf-8",
    )
    return contracts.load(path)


def _read(values: object, contract: Contract) -> tuple[pd.DataFrame, list[contracts.Finding]]:
    n = len(values)
    raw = pd.DataFrame({"loan": [f"L{i}" for i in range(n)], "月数": values, "bad": (["0", "1"] * n)[:n]})
    return contracts.check(raw, contract, pd.Timestamp("2026-01-01"))


@pytest.mark.parametrize(
    "values",
    [
        ["3", "-9", " -8.0 ", None, "12.5"],
        ["３", "－９", "-8", "", "12.5"],
        np.array([3, -9, -8, np.nan, 12.5]),
    ],
)
def test_a_code_is_no_value_and_says_what_it_stands_for(tmp_path, values):
    table, findings = _read(values, _contract(tmp_path))
    assert table["months"].fillna(-1).tolist() == [3, -1, -1, -1, 12.5] and not findings
    says = table["months_special"]
    assert says.dropna().tolist() == ["has a value", "no record", "never", "has a value"] and pd.isna(says[3])


def test_the_added_column_is_what_the_number_is_and_follows_it_out(tmp_path):
    contract = _contract(tmp_path, NUMBER.replace("type: number", "type: number, known: after, aspect: credit_record"))
    added = contract["months_special"]
    assert (added.known, added.aspect, added.type) == ("after", "credit_record", "category")
    assert str(added.description) == "special code of 月数" and contract.derived_from("months") == ["months_special"]
    assert Contract.model_validate(contract.model_dump(mode="json")) == contract
    of_group = _contract(tmp_path, NUMBER.replace("minimum: 0", "fairness: true"))
    assert [c.name for c in of_group.features()] == [] and of_group["months_special"].role == "fact"


def test_a_code_is_no_gap_in_the_data(tmp_path):
    contract = _contract(tmp_path)
    table, findings = _read(["3", "-9", "-8", None], contract)
    shares = quality.measure({"account": table}, {"account": contract}, findings).set_index("column")
    assert shares.loc["months", "completeness"] == 0.75 and "months_special" not in shares.index


@pytest.mark.parametrize(
    ("column", "head", "message"),
    [
        (
            NUMBER.replace("number", "category").replace("minimum: 0, ", ""),
            "",
            "columns.months: `special` is for numbers that are features or facts, and 'months' is category, feature; "
            "write codes that stand for missing into `missing`",
        ),
        (
            NUMBER.replace('"-8"', '"none"'),
            "",
            "columns.months: special: 'none' is no number; name the code as the file has it",
        ),
        (
            NUMBER.replace("minimum: 0", 'missing: ["-9"]'),
            "",
            "columns.months: special: '-9' is named twice, here or in `missing`; leave one out",
        ),
        (
            NUMBER.replace('"-8"', '"-9.0"'),
            "",
            "columns.months: special: '-9.0' is named twice, here or in `missing`; leave one out",
        ),
        (
            NUMBER.replace("never", "has a value"),
            "",
            "columns.months: special: '-8': say what it stands for, other than 'has a value'",
        ),
        (
            NUMBER.replace("{name", "{special_of: loan, name"),
            "",
            "columns.months: special_of: such a column is added; write `special` at the number",
        ),
        (
            NUMBER + "\n  - {name: months_special, type: text}",
            "",
            "columns.months_special: `special` adds a column of this name; rename this one",
        ),
        (
            NUMBER,
            "entity: month\n",
            "columns.months: special: facts of months are summed up as numbers; write the codes into `missing`",
        ),
    ],
)
def test_what_is_no_special_code_is_refused_in_one_line(tmp_path, column, head, message):
    with pytest.raises(UserError) as e:
        _contract(tmp_path, column, head)
    assert str(e.value) == f"contract {tmp_path / 'c.yaml'}: {message}"


def _planted(folder) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Of two codes one is worse than every value, one better: rows as read, the codes, the outcome, the true odds."""
    rng, n = np.random.default_rng(7), 8000
    code = rng.choice(["", "-9", "-8"], n, p=[0.7, 0.15, 0.15])
    months = rng.exponential(8, n).round(1)
    z = np.select([code == "-9", code == "-8"], [0.2, -3.4], -1.5 - 0.05 * months)
    table, _ = _read(np.where(code == "", months.astype(str), code), _contract(folder))
    return table[["months", "months_special"]], code, (rng.random(n) < expit(z)).astype(int), z


def test_what_a_code_says_of_risk_is_learnt(tmp_path):
    X, _, y, z = _planted(tmp_path)
    half, special = len(y) // 2, special_codes(_contract(tmp_path))
    card = Scorecard(special=special).fit(X[:half], y[:half])
    gaps = Scorecard().fit(X[["months"]][:half], y[:half])
    auc = [roc_auc_score(y[half:], m.predict_proba(X[half:])[:, 1]) for m in (card, gaps)]
    best = roc_auc_score(y[half:], z[half:])
    assert auc[0] > best - 0.01 and auc[1] < best - 0.05
    printed = card.points_table().set_index("bin")["points"]
    values = printed.drop(["no record", "never", "missing", "unseen"])
    assert printed["no record"] < values.min() and printed["never"] > values.max()


def test_a_scorecard_reads_codes_beside_the_number_as_it_reads_them_in_it(tmp_path):
    X, code, y, _ = _planted(tmp_path)
    special = special_codes(_contract(tmp_path))
    inside = pd.DataFrame({"months": X["months"].where(code == "", pd.to_numeric(pd.Series(code), errors="coerce"))})
    of_table, of_numbers = (Scorecard(special=special).fit(rows, y) for rows in (X, inside))
    assert (of_table.predict_proba(X) == of_numbers.predict_proba(inside)).all()
    again = Scorecard.from_dict(json.loads(json.dumps(of_table.to_dict())))
    assert (again.predict_proba(X) == of_table.predict_proba(X)).all()
    assert again.inputs_ == ["months", "months_special"] and of_numbers.inputs_ == ["months"]


def test_what_a_code_adds_is_its_own_columns(tmp_path):
    X, code, y, _ = _planted(tmp_path)
    card = Scorecard(special=special_codes(_contract(tmp_path))).fit(X, y)
    parts = card.contributions(X)
    assert (parts["months"][code != ""] == 0).all() and (parts["months_special"][code == ""] == 0).all()
    assert (parts["months_special"][code == "-9"] > 0).all() and (parts["months_special"][code == "-8"] < 0).all()
    assert parts.sum(axis=1).to_numpy() + card.intercept_ == pytest.approx(card.log_odds(X))
    with pytest.raises(ValueError, match="columns missing: months_special"):
        card.predict_proba(X[["months"]])
