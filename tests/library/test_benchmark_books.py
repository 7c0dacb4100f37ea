"""The books of the figure `lift_traffic` tell what was lost and what was done twice."""

from collections import Counter

import pytest

from benchmarks.books import Books, compare

ORDERS = {"one": ("MUG", 1500), "two": ("MUG", 1500)}
BEFORE = Books({"mail": Counter({"old": 1})}, Counter({"MUG": 7}), 100, 0)


def after(mails: list[str], *, sold: int = 9, owed: int = 3100, wrong: int = 0) -> Books:
    """What the books say in the end."""
    return Books({"mail": Counter(["old", *mails])}, Counter({"MUG": sold}), owed, wrong)


def test_books_that_agree() -> None:
    assert compare(BEFORE, after(["one", "two"]), ORDERS) == ([], [])


@pytest.mark.parametrize(
    ("now", "lost", "doubled"),
    [
        (after(["one"]), ["mail of order two: 1"], []),
        (after(["one", "two", "two"]), [], ["mail of order two: 1"]),
        (after(["one", "two", "three"]), [], ["mail of order three: 1"]),
        (after(["one", "two"], sold=8), ["sold MUG: 1"], []),
        (after(["one", "two"], sold=10), [], ["sold MUG: 1"]),
        (after(["one", "two"], owed=1600), ["money EUR: 1500"], []),
        (after(["one", "two"], owed=4600), [], ["money EUR: 1500"]),
        (after(["one", "two"], wrong=1), ["1 postings do not sum to zero"], []),
    ],
    ids=["lost", "twice", "unknown", "unsold", "oversold", "unpaid", "paid twice", "unbalanced"],
)
def test_what_does_not_agree(now: Books, lost: list[str], doubled: list[str]) -> None:
    assert compare(BEFORE, now, ORDERS) == (lost, doubled)


def test_stock_that_came_back_is_lost() -> None:
    now = after(["one", "two"], sold=5)
    assert compare(BEFORE, now, ORDERS).lost == ["sold MUG: 4"]
