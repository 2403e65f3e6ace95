"""What columns are called: the names recorded with a step are those of its page alone, whatever is rendered beside it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from workbench.words import names


def test_pages_rendered_side_by_side_know_each_their_own_names():
    """One is begun within the other and ends before it: neither knows the other's names, nor forgets its own."""
    both_know, one_is_done = Barrier(2), Barrier(2)

    def page(words: str, is_first: bool) -> str:
        if is_first:
            with names.knowing({"pay_code": words}, {"pay_code": words}):
                both_know.wait(10)
            one_is_done.wait(10)
            return names.display("pay_code")
        with names.knowing({"pay_code": words}, {"pay_code": words}):
            both_know.wait(10)
            one_is_done.wait(10)
            return names.with_unit("pay_code")

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(page, ["paid", "late"], [True, False])) == ["pay code", "late (late)"]


def test_what_is_learnt_within_a_block_is_known_there_alone():
    names.learn({"a_code": "first"})
    with names.knowing({"b_code": "second"}):
        names.learn({"c_code": "third"})
        assert names.learnt() == {"b_code": "second", "c_code": "third"}
    assert names.learnt() == {"a_code": "first"}
