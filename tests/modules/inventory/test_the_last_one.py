"""Two buyers for the last article: real threads, real commits."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connections

from modules.inventory.interface import (
    AdjustmentReason,
    AdjustmentReused,
    InsufficientStock,
    Inventory,
    Line,
    Sku,
)
from monolift import use
from monolift.registry.sql import fetch
from monolift.registry.topology import topology

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
inventory = use(Inventory)


def run_together(count: int, buy: Callable[[int], str]) -> list[str]:
    """Let so many threads buy at the same moment; what each of them got."""
    barrier = threading.Barrier(count)

    def one(number: int) -> str:
        try:
            barrier.wait(10)
            return buy(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


class Buyer:
    """Buys lines of one SKU or of two in alternating order."""

    def __init__(self, *, skus: tuple[str, ...], reference: UUID | None = None) -> None:
        self.skus = skus
        self.reference = reference

    def __call__(self, number: int) -> str:
        """Buy one of each."""
        skus = self.skus if number % 2 else tuple(reversed(self.skus))
        lines = [Line(sku=Sku(sku), quantity=1) for sku in skus]
        try:
            inventory.reserve(reference=self.reference or uuid4(), lines=lines)
        except InsufficientStock as error:
            return f"none left of {error.sku}"
        return "held"


def test_one_of_two_buyers_gets_the_last_one() -> None:
    inventory.receive(reference=uuid4(), lines=[Line(sku=Sku("A"), quantity=1)])
    assert sorted(run_together(2, Buyer(skus=("A",)))) == ["held", "none left of A"]
    assert inventory.available(skus=[Sku("A")]) == {"A": 0}


def test_many_buyers_of_two_articles_neither_oversell_nor_deadlock() -> None:
    goods = [Line(sku=Sku("A"), quantity=5), Line(sku=Sku("B"), quantity=5)]
    inventory.receive(reference=uuid4(), lines=goods)
    answers = run_together(8, Buyer(skus=("A", "B")))
    assert sorted(answers) == ["held"] * 5 + ["none left of A"] * 3
    for count in inventory.count():
        assert (count.available, count.held) == (0, 5)


def test_twins_of_one_reference_share_a_hold() -> None:
    inventory.receive(reference=uuid4(), lines=[Line(sku=Sku("A"), quantity=5)])
    assert run_together(4, Buyer(skus=("A",), reference=uuid4())) == ["held"] * 4
    assert inventory.available(skus=[Sku("A")]) == {"A": 4}


def test_many_buyers_cross_a_threshold_once() -> None:
    inventory.receive(reference=uuid4(), lines=[Line(sku=Sku("A"), quantity=8)])
    inventory.set_threshold(sku=Sku("A"), threshold=4)
    assert run_together(8, Buyer(skus=("A",))) == ["held"] * 8
    announced = fetch(
        topology().alias("inventory"),
        "SELECT key FROM monolift_outbox WHERE name = 'inventory.stock_low.v1'",
    )
    assert announced == [("A",)]


def test_twins_of_one_adjustment_adjust_once() -> None:
    inventory.receive(reference=uuid4(), lines=[Line(sku=Sku("A"), quantity=3)])
    reference = uuid4()

    def adjust(_: int) -> str:
        lost = AdjustmentReason.LOST
        made = inventory.adjust(sku=Sku("A"), by=-2, reason=lost, reference=reference)
        return str(made.available)

    assert run_together(4, adjust) == ["1"] * 4
    assert len(inventory.adjustments(sku=Sku("A")).adjustments) == 1


def test_a_reference_for_two_skus_adjusts_one_of_them() -> None:
    reference = uuid4()

    def adjust(number: int) -> str:
        counted = AdjustmentReason.COUNTED
        try:
            inventory.adjust(sku=Sku(f"A{number}"), by=1, reason=counted, reference=reference)
        except AdjustmentReused:
            return "reused"
        return "adjusted"

    assert sorted(run_together(3, adjust)) == ["adjusted", "reused", "reused"]
    assert [level.available for level in inventory.stock().levels] == [1]
