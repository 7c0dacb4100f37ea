"""Stock corrected by hand: once per reference, never below zero, and on record."""

from uuid import UUID, uuid4

import pytest
from django.db.models import Sum

from modules.inventory import models
from modules.inventory.interface import (
    Adjustment,
    AdjustmentReason,
    AdjustmentReused,
    InsufficientStock,
    InvalidAdjustment,
    InvalidCursor,
    InvalidSku,
    Inventory,
    Line,
    Sku,
)
from monolift import use
from monolift.testing.statements import statements

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Inventory),
]
inventory = use(Inventory)
A = Sku("A")


def adjust(
    by: int,
    reason: AdjustmentReason = AdjustmentReason.COUNTED,
    *,
    sku: Sku = A,
    reference: UUID | None = None,
    who: str = "",
) -> Adjustment:
    """Correct stock."""
    return inventory.adjust(sku=sku, by=by, reason=reason, reference=reference or uuid4(), who=who)


def reserve(quantity: int) -> None:
    """Hold some of A."""
    inventory.reserve(reference=uuid4(), lines=[Line(sku=A, quantity=quantity)])


def trail() -> list[int]:
    """By how much A was adjusted, the newest first."""
    return [entry.by for entry in inventory.adjustments(sku=A).adjustments]


def left(sku: Sku = A) -> int:
    """How many can be bought."""
    return inventory.available(skus=[sku])[sku]


def test_an_adjustment_is_on_record() -> None:
    inventory.receive(reference=uuid4(), lines=[Line(sku=A, quantity=5)])
    made = adjust(-2, AdjustmentReason.DAMAGED, who="ada@example.org")
    assert (made.sku, made.by, made.available, made.who) == ("A", -2, 3, "ada@example.org")
    assert made.reason is AdjustmentReason.DAMAGED
    assert inventory.adjustments(sku=A).adjustments == (made,)
    assert inventory.adjustments(sku=Sku("B")).adjustments == ()
    assert left() == 3


@pytest.mark.topologies("local", "loopback")
def test_what_was_received_counts_adjustments() -> None:
    inventory.receive(reference=uuid4(), lines=[Line(sku=A, quantity=5)])
    adjust(-2, AdjustmentReason.LOST)
    adjust(4, AdjustmentReason.RETURNED)
    reserve(3)
    [count] = inventory.count()
    assert (count.received, count.available, count.held) == (7, 4, 3)
    assert models.Adjustment.objects.aggregate(all=Sum("by"))["all"] == count.received - 5


def test_an_adjustment_is_made_once_per_reference() -> None:
    reference = uuid4()
    assert adjust(5, reference=reference) == adjust(5, reference=reference)
    assert (left(), trail()) == (5, [5])


def test_taking_all_away_twice_is_no_shortage() -> None:
    adjust(5)
    reference = uuid4()
    assert adjust(-5, reference=reference) == adjust(-5, reference=reference)
    assert left() == 0


@pytest.mark.parametrize(
    ("sku", "by", "reason"), [("A", 4, "counted"), ("A", 5, "lost"), ("B", 5, "counted")]
)
def test_a_reference_is_for_one_adjustment(sku: str, by: int, reason: str) -> None:
    reference = uuid4()
    adjust(5, reference=reference)
    with pytest.raises(AdjustmentReused, match=str(reference)):
        adjust(by, AdjustmentReason(reason), sku=Sku(sku), reference=reference)
    assert [level.sku for level in inventory.stock().levels] == ["A"]
    assert (left(), trail()) == (5, [5])


def test_what_is_held_cannot_be_taken_away() -> None:
    adjust(5)
    reserve(3)
    with pytest.raises(InsufficientStock, match="Only 2 of A are left") as refused:
        adjust(-3, AdjustmentReason.LOST)
    assert refused.value.available == 2
    assert (left(), trail()) == (2, [5])


@pytest.mark.topologies("local", "loopback")
def test_nothing_is_taken_from_what_was_never_stocked() -> None:
    with pytest.raises(InsufficientStock, match="Only 0 of A"):
        adjust(-1)
    assert not models.Stock.objects.exists()


@pytest.mark.parametrize("by", [0, 10_001, -10_001])
def test_an_adjustment_is_sensible(by: int) -> None:
    with pytest.raises(InvalidAdjustment, match=f"by {by}"):
        adjust(by)


@pytest.mark.parametrize("sku", ["", "X" * 65])
def test_a_sku_has_a_length(sku: str) -> None:
    with pytest.raises(InvalidSku, match="from 1 to 64"):
        adjust(1, sku=Sku(sku))


def test_adjustments_come_in_pages_the_newest_first() -> None:
    for by in range(1, 6):
        adjust(by)
        adjust(1, sku=Sku("B"))
    seen: list[int] = []
    after: str | None = None
    for _ in range(3):
        page = inventory.adjustments(sku=A, limit=2, after=after)
        seen += [entry.by for entry in page.adjustments]
        after = page.next
    assert (seen, after) == ([5, 4, 3, 2, 1], None)
    with pytest.raises(InvalidCursor, match="yesterday"):
        inventory.adjustments(sku=A, after="yesterday")


@pytest.mark.topologies("local", "loopback")
def test_an_adjustment_takes_few_statements() -> None:
    adjust(5)
    with statements() as seen:
        adjust(-1)
    assert len(seen) <= 4, seen
