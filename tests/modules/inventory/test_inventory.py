"""Stock and holds: what inventory promises to whoever calls it."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError

from modules.inventory import models
from modules.inventory.events import HoldLapsed
from modules.inventory.interface import (
    Hold,
    HoldExpired,
    InsufficientStock,
    InvalidQuantity,
    Inventory,
    Line,
    Sku,
    StockCount,
)
from monolift import use
from monolift.kernel import clock
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Inventory),
]
inventory = use(Inventory)


def lines(wanted: Mapping[str, int]) -> list[Line]:
    """Lines of SKU: quantity."""
    return [Line(sku=Sku(sku), quantity=quantity) for sku, quantity in wanted.items()]


def receive(**goods: int) -> None:
    """Add goods to the stock."""
    inventory.receive(reference=uuid4(), lines=lines(goods))


def reserve(reference: UUID | None = None, **wanted: int) -> Hold:
    """Hold stock."""
    return inventory.reserve(reference=reference or uuid4(), lines=lines(wanted))


def left(sku: str) -> int:
    """How many can be bought."""
    return inventory.available(skus=[Sku(sku)])[Sku(sku)]


def places(sku: str) -> tuple[int, int, int, int]:
    """Received, available, held, taken; they must add up."""
    count = next(count for count in inventory.count() if count.sku == sku)
    assert count.received == count.available + count.held + count.taken
    return count.received, count.available, count.held, count.taken


def lapses() -> int:
    """How many lapsed holds were announced."""
    return len(Scenario().published(HoldLapsed))


@pytest.mark.topologies("local", "loopback")
def test_unknown_skus_are_not_available() -> None:
    assert inventory.available(skus=[Sku("NONE")]) == {"NONE": 0}
    with statements() as seen:
        assert inventory.available(skus=[]) == {}
    assert seen == []


def test_goods_are_received_once_per_reference() -> None:
    reference = uuid4()
    for _ in range(2):
        inventory.receive(reference=reference, lines=lines({"A": 3, "B": 1}))
    receive(A=4)
    assert (left("A"), left("B")) == (7, 1)


def test_a_hold_takes_stock_out_of_sale_for_fifteen_minutes() -> None:
    receive(A=5)
    hold = reserve(A=2)
    assert [(line.sku, line.quantity) for line in hold.lines] == [("A", 2)]
    assert timedelta(minutes=14) < hold.expires_at - clock.now() <= timedelta(minutes=15)
    assert places("A") == (5, 3, 2, 0)


def test_lines_of_one_sku_are_added_up() -> None:
    receive(A=5)
    hold = inventory.reserve(
        reference=uuid4(),
        lines=[Line(sku=Sku("A"), quantity=2), Line(sku=Sku("A"), quantity=1)],
    )
    assert [(line.sku, line.quantity) for line in hold.lines] == [("A", 3)]
    assert left("A") == 2


def test_reserving_twice_returns_the_same_hold() -> None:
    receive(A=5)
    reference = uuid4()
    assert reserve(reference, A=2) == reserve(reference, A=2)
    assert left("A") == 3


@pytest.mark.topologies("local", "loopback")
def test_all_lines_are_held_or_none() -> None:
    receive(A=5, B=1)
    with pytest.raises(InsufficientStock, match="Only 1 of B are left") as refused:
        reserve(A=2, B=2)
    assert (refused.value.sku, refused.value.available) == ("B", 1)
    assert (left("A"), left("B")) == (5, 1)
    assert not models.Hold.objects.exists()


def test_what_was_never_stocked_cannot_be_held() -> None:
    with pytest.raises(InsufficientStock, match="Only 0 of NONE"):
        reserve(NONE=1)


@pytest.mark.parametrize("quantity", [0, -1, 10_001])
def test_a_quantity_is_sensible(quantity: int) -> None:
    receive(A=5)
    with pytest.raises(InvalidQuantity):
        reserve(A=quantity)
    with pytest.raises(InvalidQuantity):
        receive(A=quantity)
    assert left("A") == 5


def test_a_taken_hold_does_not_expire(scenario: Scenario) -> None:
    receive(A=5)
    hold = reserve(A=2)
    for _ in range(2):
        inventory.take(reference=hold.reference)
    scenario.travel(minutes=20)
    assert places("A") == (5, 3, 0, 2)
    assert lapses() == 0


@pytest.mark.inside
def test_a_hold_that_nobody_takes_gives_its_stock_back(scenario: Scenario) -> None:
    receive(A=5, B=2)
    hold = reserve(A=2, B=1)
    scenario.travel(minutes=14)
    assert left("A") == 3
    scenario.travel(minutes=2)
    assert places("A") == (5, 5, 0, 0)
    assert left("B") == 2
    assert lapses() == 1
    with pytest.raises(HoldExpired):
        inventory.take(reference=hold.reference)
    with pytest.raises(HoldExpired):
        reserve(hold.reference, A=2)
    assert scenario.failed_deliveries() == []


def test_a_released_hold_gives_back_once(scenario: Scenario) -> None:
    receive(A=5)
    hold = reserve(A=2)
    for _ in range(2):
        inventory.release(reference=hold.reference)
    assert places("A") == (5, 5, 0, 0)
    scenario.travel(minutes=20)
    assert places("A") == (5, 5, 0, 0)
    assert lapses() == 0


def test_taken_stock_can_be_released() -> None:
    receive(A=5)
    hold = reserve(A=2)
    inventory.take(reference=hold.reference)
    inventory.release(reference=hold.reference)
    assert places("A") == (5, 5, 0, 0)


def test_releasing_nothing_is_harmless() -> None:
    inventory.release(reference=uuid4())


def test_taking_nothing_is_refused() -> None:
    with pytest.raises(HoldExpired):
        inventory.take(reference=uuid4())


@pytest.mark.parametrize("available", [-1, 2])
@pytest.mark.topologies("local", "loopback")
def test_the_database_itself_refuses_stock_from_nowhere(available: int) -> None:
    receive(A=1)
    with pytest.raises(IntegrityError):
        models.Stock.objects.filter(sku="A").update(available=available)


@pytest.mark.topologies("local", "loopback")
def test_holding_one_line_takes_three_statements() -> None:
    receive(A=5)
    with statements() as seen:
        reserve(A=1)
    assert len(seen) == 3, seen


@pytest.mark.topologies("local", "loopback")
def test_taking_takes_one_statement() -> None:
    receive(A=5)
    hold = reserve(A=1)
    with statements() as seen:
        inventory.take(reference=hold.reference)
    assert len(seen) == 1, seen


def test_stocktaking_tells_every_sku() -> None:
    receive(A=5, B=1)
    reserve(A=2)
    assert list(inventory.count()) == [
        StockCount(sku=Sku("A"), received=5, available=3, held=2, taken=0),
        StockCount(sku=Sku("B"), received=1, available=1, held=0, taken=0),
    ]
