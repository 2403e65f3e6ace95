"""Columns computed by SQL: what they name, what they are because of it, and what is refused before a file is read."""

import pytest

from workbench.contracts import Column, Contract, load
from workbench.contracts.computed import named
from workbench.params import UserError

COLUMNS = (
    Column(name="loan_id", source="Loan No", type="text", role="key", personal="identifier"),
    Column(name="month", source="t", type="integer", role="fact"),
    Column(name="paid_amt", source="PAID", type="number", role="fact"),
    Column(name="recovered_amt", type="number", role="fact", known="after"),
    Column(name="phone", type="text", role="ignore", personal="contact"),
)


def _contract(*computed: Column) -> Contract:
    return Contract(name="months", title="t", columns=(*COLUMNS, *computed))


def test_values_and_what_only_parts_the_rows_are_told_apart():
    names = named('t - max(CASE WHEN paid > 0 THEN t END) OVER (PARTITION BY "Loan No" ORDER BY day)')
    assert names.values == {"t", "paid", "day"} and names.partitions == {"Loan No"}


def test_a_computed_column_knows_what_it_is_made_from():
    streak = Column(
        name="delay",
        type="number",
        sql='T - max(CASE WHEN paid > 0 THEN t END) OVER (PARTITION BY "Loan No" ORDER BY t)',
    )
    contract = _contract(streak)
    assert contract["delay"].made_from == ("loan_id", "month", "paid_amt") and contract["delay"].known == "before"
    assert contract.derived_from("paid_amt") == ["delay"] and contract.derived_from("phone") == []


def test_made_from_is_followed_through_and_lives_on_where_the_sources_are_gone():
    contract = _contract(
        Column(name="late", type="number", sql="PAID * 2"), Column(name="worst", type="number", made_from=("late",))
    )
    assert contract.derived_from("paid_amt") == ["late", "worst"]
    panel = Contract.model_validate(
        contract.replaced([c for c in contract.columns if c.name in ("late", "worst")]).model_dump()
    )
    assert panel.derived_from("paid_amt") == ["late", "worst"]


def test_what_is_made_from_a_later_column_is_known_as_late():
    assert _contract(Column(name="loss", type="number", sql="1 - recovered_amt"))["loss"].known == "after"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("PIAD + 1", "column 'x': sql: 'PIAD' is no column of the file in this contract; did you mean 'PAID'?"),
        (
            "right(phone, 4)",
            "column 'x': sql: made from 'phone', which is personal, and so personal itself; leave it out or mark it `personal: contact`",
        ),
        ("sum(PAID)", "column 'x': sql: an aggregate needs OVER (PARTITION BY ...): there is one value per row"),
        ("(SELECT 1)", "column 'x': sql: write one expression over the file's columns, no SELECT"),
        ("PAID, t", "column 'x': sql: write one expression over the file's columns, no SELECT"),
        (
            "PAID) FROM file; DROP TABLE file",
            "column 'x': sql: not an expression: Invalid expression / Unexpected token",
        ),
        (
            "PAID + ",
            "column 'x': sql: not an expression: Required keyword: 'expression' missing",
        ),
        ("current_date", "column 'x': sql: CURRENT_DATE is another value at each run; write the value itself"),
        *(
            (
                f"CAST({sql} AS VARCHAR)",
                f"column 'x': sql: {as_is} is another value at each run; write the value itself",
            )
            for sql, as_is in {
                "now()": "NOW()",
                "age(day)": "AGE(day)",
                "get_current_timestamp()": "GET_CURRENT_TIMESTAMP()",
                "current_localtimestamp()": "LOCALTIMESTAMP",
                "transaction_timestamp()": "TRANSACTION_TIMESTAMP()",
            }.items()
        ),
        ("random()", "column 'x': sql: RANDOM() is another value at each run; write the value itself"),
    ],
)
def test_what_is_no_expression_over_the_files_columns_is_refused(tmp_path, sql, message):
    text = "\n".join(
        f"  - {{name: {c.name}, source: \"{c.source}\", type: {c.type}, role: {c.role}, personal: '{c.personal}'}}"
        for c in COLUMNS
    )
    (tmp_path / "c.yaml").write_text(
        f"name: c\ntitle: t\ncolumns:\n{text}\n  - {{name: x, type: number, sql: {sql!r}}}\n"
    )
    with pytest.raises(UserError) as e:
        load(tmp_path / "c.yaml")
    assert str(e.value) == f"contract {tmp_path / 'c.yaml'}: {message}"


def test_a_column_that_is_personal_may_be_made_from_a_personal_one():
    assert _contract(Column(name="x", type="text", role="ignore", personal="contact", sql="right(phone, 4)"))[
        "x"
    ].made_from == ("phone",)


def test_what_a_column_is_made_from_is_a_column(tmp_path):
    text = "name: c\ntitle: t\ncolumns:\n  - {name: leak, type: number}\n  - {name: half, type: number, made_from: [leek]}\n"
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UserError) as e:
        load(tmp_path / "c.yaml")
    message = "columns.half: made_from: no column 'leek'; did you mean 'leak'?"
    assert str(e.value) == f"contract {tmp_path / 'c.yaml'}: {message}"
    (tmp_path / "c.yaml").write_text(text.replace("leek", "leak"))
    assert load(tmp_path / "c.yaml").derived_from("leak") == ["half"]


def test_one_amount_is_the_exposure():
    amounts = [Column(name=n, type="number", exposure=True) for n in ("limit_amt", "balance_amt")]
    assert _contract(amounts[0]).exposure() == "limit_amt" and _contract().exposure() is None
    with pytest.raises(
        ValueError, match="columns limit_amt and balance_amt are both the exposure; name the one amount at stake"
    ):
        _contract(*amounts)


def test_a_month_is_named_by_its_key_and_its_date():
    month = Column(name="day", type="date", role="as_of")
    assert _contract(month).identity() == ["loan_id"]
    assert Contract(name="m", title="t", entity="month", columns=(COLUMNS[0], month)).identity() == ["loan_id", "day"]
    assert Contract(name="m", title="t", entity="month", columns=(month,)).identity() == []
