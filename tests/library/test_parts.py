"""Declaring what a page is made of, and asking in one process."""

import pytest

from monolift import Composition, DomainError, Unavailable, part, together, use
from monolift.gateway.parts import compositions
from monolift.kernel import DeclarationError
from tests.doubles import failing, silent
from tests.library.world.stock.interface import Stock

pytestmark = pytest.mark.django_db(databases="__all__")

PAGE = Composition("tests")


class Closed(DomainError, status=409):
    """It is closed."""


@pytest.mark.parametrize(
    ("declare", "problem"),
    [
        (lambda: part(use(Stock).hold, of=[PAGE]), "not a query of an interface"),
        (lambda: part(len, of=[PAGE]), "not a query of an interface"),
        (lambda: part(Stock.levels, of=[PAGE]), "Give one of a proxy"),
        (
            lambda: part(use(Stock).levels, of=[PAGE], otherwise=None, without=""),
            "`otherwise` and `without` belong together",
        ),
    ],
    ids=["command", "function", "interface", "half"],
)
def test_what_is_no_part_is_refused(declare: object, problem: str) -> None:
    assert callable(declare)
    with pytest.raises(DeclarationError, match=problem):
        declare()


def test_a_part_stays_what_it_is_when_its_module_moves() -> None:
    late = part(use(Stock).levels, of=[PAGE])
    assert late(skus=[]) == {}
    bound = part(use(Stock).levels, of=[PAGE])
    assert (late.operation, late.module) == (bound.operation, "stock")
    assert PAGE.parts[-2:] == [late, bound]
    assert PAGE in compositions(module="")


def test_here_it_is_asked_in_order_by_the_thread_that_asks() -> None:
    asked = part(use(Stock).levels, of=[PAGE])
    with together() as ask:
        answers = [ask(asked, skus=[]), ask(asked, skus=["a"])]
        assert all(one._find is not None for one in answers), "at the end of the block"
    assert [one.answer for one in answers] == [{}, {}]


def test_silence_has_a_stand_in_and_a_refusal_is_an_answer() -> None:
    asked = part(use(Stock).levels, of=[PAGE], otherwise={}, without="no levels")
    with silent(Stock, "levels"):
        assert asked(skus=["a"]) == {}
        with pytest.raises(Unavailable):
            part(use(Stock).levels, of=[PAGE])(skus=["a"])


def test_a_passed_deadline_is_silence_too() -> None:
    asked = part(use(Stock).levels, of=[PAGE], otherwise=None, without="no levels")
    with together(seconds=-1) as ask:
        answer = ask(asked, skus=["a"])
    assert answer.answer is None


def test_any_other_error_passes() -> None:
    asked = part(use(Stock).levels, of=[PAGE], otherwise=None, without="no levels")
    with failing(Stock, levels=Closed()), together() as ask:
        answer = ask(asked, skus=[])
    assert answer.answer is None, "an error that levels does not declare is a failed call"
