"""Writes of inventory, and the interface they answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F

from modules.inventory import models, queries
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
from modules.inventory.tasks import expire_hold
from monolift import atomic, uuid7
from monolift.kernel import clock

HELD_FOR = timedelta(minutes=15)
"""How long stock is held for somebody who has not paid yet."""

MOST = 10_000
"""The largest quantity of one line."""

_State = models.Hold.State


class InventoryService(Inventory):
    """Answers `Inventory` from this module's tables."""

    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        """See `Inventory.available`."""
        return queries.available(skus=skus)

    def count(self) -> Sequence[StockCount]:
        """See `Inventory.count`."""
        return queries.count()

    def reserve(self, *, reference: UUID, lines: Sequence[Line]) -> Hold:
        """See `Inventory.reserve`."""
        wanted = _summed(lines)
        hold = models.Hold(
            id=uuid7(),
            reference=reference,
            lines=wanted,
            expires_at=clock.now() + HELD_FOR,
        )
        with atomic():
            # The hold comes first: a twin waits on its unique reference, not on the stock.
            try:
                with atomic():
                    hold.save(force_insert=True)
            except IntegrityError:
                return _known(reference)
            short = models.Stock.objects.take_out(wanted)
            if short is not None:
                raise InsufficientStock(sku=Sku(short[0]), available=short[1])
            expire_hold.at(hold.expires_at).enqueue(hold_id=hold.id)
        return queries.hold(hold)

    def take(self, *, reference: UUID) -> None:
        """See `Inventory.take`."""
        with atomic():
            held = models.Hold.objects.filter(reference=reference, state=_State.HELD)
            if held.update(state=_State.TAKEN):
                return
            if not models.Hold.objects.filter(reference=reference, state=_State.TAKEN).exists():
                raise HoldExpired(reference=reference)

    def release(self, *, reference: UUID) -> None:
        """See `Inventory.release`."""
        with atomic():
            hold = models.Hold.objects.filter(reference=reference).first()
            if hold and hold.leave(_State.HELD, _State.TAKEN, to=_State.RELEASED):
                models.Stock.objects.give_back(hold.lines)

    def receive(self, *, reference: UUID, lines: Sequence[Line]) -> None:
        """See `Inventory.receive`."""
        goods = _summed(lines)
        receipt = models.Receipt(reference=reference, lines=goods, received_at=clock.now())
        with atomic():
            try:
                with atomic():
                    receipt.save(force_insert=True)
            except IntegrityError:
                return
            models.Stock.objects.bulk_create(
                [models.Stock(sku=sku, available=0, received=0) for sku, _ in goods],
                ignore_conflicts=True,
            )
            for sku, quantity in goods:
                models.Stock.objects.filter(sku=sku).update(
                    available=F("available") + quantity, received=F("received") + quantity
                )


def _summed(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """(SKU, quantity) in order of SKU, each SKU once."""
    for line in lines:
        if not 1 <= line.quantity <= MOST:
            raise InvalidQuantity(sku=line.sku, quantity=line.quantity)
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.sku] += line.quantity
    return sorted(wanted.items())


def _known(reference: UUID) -> Hold:
    hold = models.Hold.objects.get(reference=reference)
    if hold.state not in (_State.HELD, _State.TAKEN):
        raise HoldExpired(reference=reference)
    return queries.hold(hold)
