"""Names in what customers write: masked wherever they stand, and questions that name nobody stay as they are."""

import pandas as pd
import pytest

from workbench.actions import approved
from workbench.personal import masked_prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Can Maria Gonzalez sign for me?", "Can M**** G******* sign for me?"),
        ("My guarantor is Anneliese Kowalczyk, what now", "My guarantor is A******** K********, what now"),
        ("can anna schmidt sign for me", "can a*** s****** sign for me"),
        ("is Peter's loan paid", "is P****'s loan paid"),
        ("mr. kowalczyk said 13800138000", "mr. k******** said 13*******00"),
        ("张伟的贷款怎么还", "张*的贷款怎么还"),
        ("我想帮王小明还款，行吗", "我想帮王**还款，行吗"),
        ("我的担保人是李娜，能换吗", "我的担保人是李*，能换吗"),
        ("高利率怎么办，方便吗", "高利率怎么办，方便吗"),
        ("I lost my Visa Card in New York", "I lost my Visa Card in New York"),
    ],
)
def test_a_name_in_a_sentence_is_masked(text, shown):
    assert masked_prose(text) == shown


def test_no_question_that_names_nobody_is_changed():
    questions = pd.read_csv(approved.DATA / "questions.csv")["question"]
    assert len(questions) > 600 and [q for q in questions if masked_prose(q) != q] == []
