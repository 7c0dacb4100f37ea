"""Asking other deployables side by side, and what stands in for those that are silent."""

import threading

import pytest

from monolift import Composition, Unavailable, part, together, use
from monolift.gateway.parts import Part
from tests.library.calls.wire import Wire
from tests.library.world.stock.interface import Level, Stock

PAGE = Composition("a page of tests")
needed = part(use(Stock).levels, of=[PAGE])
optional = part(use(Stock).levels, of=[PAGE], otherwise=None, without="no levels")


def test_what_is_elsewhere_is_asked_side_by_side(wire: Wire, sku: str) -> None:
    wire.together = threading.Barrier(3)
    try:
        with together(seconds=5) as ask:
            answers = [ask(needed, skus=[sku]) for _ in range(3)]
    finally:
        wire.together = None
    assert [one.answer for one in answers] == [{sku: Level(left=10, held=0)}] * 3


def test_an_answer_asked_for_inside_the_block_is_waited_for(wire: Wire, sku: str) -> None:
    with together() as ask:
        first = ask(needed, skus=[sku])
        assert first.answer[sku].left == 10
        second = ask(needed, skus=list(first.answer))
    assert second.answer == first.answer


@pytest.mark.parametrize("mode", ["refuse", "lose answers", "cut", "silent"])
def test_what_is_silent_has_a_stand_in_or_fails_all(wire: Wire, sku: str, mode: str) -> None:
    wire.mode = mode
    try:
        with together(seconds=0.5) as ask:
            missing = ask(optional, skus=[sku])
        assert missing.answer is None
        with pytest.raises(Unavailable), together(seconds=0.5) as ask:
            ask(needed, skus=[sku])
            ask(optional, skus=[sku])
    finally:
        wire.mode = "ok"


@pytest.mark.usefixtures("wire")
def test_an_error_of_the_block_itself_waits_for_nobody(sku: str) -> None:
    with pytest.raises(ZeroDivisionError), together(seconds=5) as ask:
        ask(needed, skus=[sku])
        raise ZeroDivisionError


def test_a_part_answers_alone_too(wire: Wire, sku: str) -> None:
    def asked(one: Part[..., object]) -> object:
        return one(skus=[sku])

    assert asked(needed) == asked(optional) == {sku: Level(left=10, held=0)}
    wire.mode = "refuse"
    try:
        assert asked(optional) is None
    finally:
        wire.mode = "ok"
