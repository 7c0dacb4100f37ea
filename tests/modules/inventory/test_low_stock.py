"""StockLow: announced once on the way down, and again only after there was enough."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from modules.inventory.events import StockLow
from modules.inventory.interface import (
    AdjustmentReason,
    InsufficientStock,
    InvalidThreshold,
    Inventory,
    Line,
    NeverStocked,
    Sku,
)
from monolift import use
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


def reserve(**wanted: int) -> UUID:
    """Hold stock; the hold's reference."""
    return inventory.reserve(reference=uuid4(), lines=lines(wanted)).reference


def adjust(sku: str, by: int) -> None:
    """Correct stock."""
    inventory.adjust(sku=Sku(sku), by=by, reason=AdjustmentReason.COUNTED, reference=uuid4())


def said() -> list[tuple[str, int, int]]:
    """SKU, available and threshold of each StockLow, in order of time."""
    events = Scenario().published(StockLow)
    return [(event.sku, event.available, event.threshold) for event in events]


@pytest.fixture(autouse=True)
def _stocked() -> None:
    """Ten of A and of B; A is low at 3."""
    inventory.receive(reference=uuid4(), lines=lines({"A": 10, "B": 10}))
    inventory.set_threshold(sku=Sku("A"), threshold=3)


@pytest.mark.inside
def test_falling_to_the_threshold_is_announced_once() -> None:
    reserve(A=6)
    assert said() == []
    reserve(A=1)
    assert said() == [("A", 3, 3)]
    reserve(A=2)
    adjust("A", -1)
    assert said() == [("A", 3, 3)]


@pytest.mark.inside
def test_falling_past_the_threshold_is_announced() -> None:
    reserve(A=9)
    assert said() == [("A", 1, 3)]


@pytest.mark.inside
def test_an_adjustment_is_announced_too() -> None:
    adjust("A", -8)
    assert said() == [("A", 2, 3)]


@pytest.mark.inside
def test_one_of_several_lines_is_announced() -> None:
    reserve(A=8, B=9)
    assert said() == [("A", 2, 3)]


@pytest.mark.inside
def test_it_is_announced_again_after_there_was_enough(scenario: Scenario) -> None:
    released = reserve(A=7)
    inventory.release(reference=released)
    reserve(A=8)
    scenario.travel(minutes=20)  # the hold lapses
    adjust("A", -7)
    adjust("A", 1)
    adjust("A", -1)
    assert said() == [("A", 3, 3), ("A", 2, 3), ("A", 3, 3), ("A", 3, 3)]


@pytest.mark.inside
def test_more_that_is_not_enough_announces_nothing_new() -> None:
    adjust("A", -9)
    adjust("A", 2)  # three: still low
    adjust("A", -1)
    assert said() == [("A", 1, 3)]


def test_what_is_refused_announces_nothing() -> None:
    with pytest.raises(InsufficientStock):
        reserve(A=8, B=11)
    with pytest.raises(InsufficientStock):
        adjust("A", -11)
    assert said() == []


def test_a_threshold_that_is_taken_away_announces_nothing() -> None:
    inventory.set_threshold(sku=Sku("A"), threshold=None)
    reserve(A=10)
    assert said() == []


def test_setting_a_threshold_above_what_is_there_announces_nothing() -> None:
    inventory.set_threshold(sku=Sku("A"), threshold=10)
    reserve(A=1)
    assert said() == []


@pytest.mark.parametrize("threshold", [-1, 1_000_001])
def test_a_threshold_is_sensible(threshold: int) -> None:
    with pytest.raises(InvalidThreshold, match=str(threshold)):
        inventory.set_threshold(sku=Sku("A"), threshold=threshold)


def test_what_was_never_stocked_has_no_threshold() -> None:
    with pytest.raises(NeverStocked, match="NONE"):
        inventory.set_threshold(sku=Sku("NONE"), threshold=1)


@pytest.mark.parametrize("wanted", [{"A": 1}, {"A": 1, "B": 1}])
@pytest.mark.topologies("local", "loopback")
def test_watching_costs_no_statement_until_there_is_something_to_say(
    wanted: dict[str, int],
) -> None:
    with statements() as watched:
        reserve(**wanted)
    inventory.set_threshold(sku=Sku("A"), threshold=None)
    with statements() as unwatched:
        reserve(**wanted)
    assert len(watched) == len(unwatched) == 2 + len(wanted)


def test_stock_is_listed_by_sku() -> None:
    reserve(A=8)
    first, second = inventory.stock().levels
    assert (first.sku, first.available, first.received, first.threshold) == ("A", 2, 10, 3)
    assert (second.sku, second.available, second.threshold) == ("B", 10, None)
    assert (first.low, second.low) == (True, False)
    assert (first.held, second.held) == (8, 0)
    assert [level.sku for level in inventory.stock(low_only=True).levels] == ["A"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["A", "B", "Mug-Red", "Mug_Tin"]),
        (" mug-", ["Mug-Red"]),
        ("g_", ["Mug_Tin"]),
        ("%", []),
    ],
)
def test_stock_is_found_by_a_part_of_its_sku(text: str, found: list[str]) -> None:
    adjust("Mug-Red", 1)
    adjust("Mug_Tin", 1)
    assert sorted(level.sku for level in inventory.stock(text=text).levels) == found


@pytest.mark.inside
def test_what_is_held_is_neither_taken_nor_given_back(scenario: Scenario) -> None:
    reserve(A=4)
    scenario.travel(minutes=20)
    inventory.release(reference=reserve(A=3))
    inventory.take(reference=reserve(A=2))
    reserve(A=1, B=5)
    reserve(B=1)
    assert [level.held for level in inventory.stock().levels] == [1, 6]


@pytest.mark.topologies("local", "loopback")
def test_stock_comes_in_pages() -> None:
    for number in range(3):
        adjust(f"M{number}", 1)
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        with statements() as sent:
            page = inventory.stock(limit=2, after=after)
        assert len(sent) == 2
        seen += [level.sku for level in page.levels]
        after = page.next
    assert (seen, after) == (["A", "B", "M0", "M1", "M2"], None)
