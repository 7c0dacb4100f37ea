"""Writes of inventory, and the interface they answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F

from modules.inventory import models, queries
from modules.inventory.interface import (
    Adjustment,
    AdjustmentPage,
    AdjustmentReason,
    AdjustmentReused,
    Hold,
    HoldExpired,
    InsufficientStock,
    InvalidAdjustment,
    InvalidQuantity,
    InvalidSku,
    InvalidThreshold,
    Inventory,
    Line,
    NeverStocked,
    Sku,
    StockCount,
    StockPage,
)
from modules.inventory.tasks import expire_hold
from monolift import atomic, uuid7
from monolift.kernel import clock

HELD_FOR = timedelta(minutes=15)
"""How long stock is held for somebody who has not paid yet."""

MOST = 10_000
"""The largest quantity of one line, and of one adjustment."""

LONGEST_SKU = 64

HIGHEST_THRESHOLD = 1_000_000
"""More than this counts as a slip of the pen."""

_State = models.Hold.State


class InventoryService(Inventory):
    """Answers `Inventory` from this module's tables."""

    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        """See `Inventory.available`."""
        return queries.available(skus=skus)

    def count(self) -> Sequence[StockCount]:
        """See `Inventory.count`."""
        return queries.count()

    def stock(
        self, *, text: str = "", low_only: bool = False, limit: int = 50, after: str | None = None
    ) -> StockPage:
        """See `Inventory.stock`."""
        return queries.stock(text=text, low_only=low_only, limit=limit, after=after)

    def adjustments(self, *, sku: Sku, limit: int = 50, after: str | None = None) -> AdjustmentPage:
        """See `Inventory.adjustments`."""
        return queries.adjustments(sku=sku, limit=limit, after=after)

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

    def adjust(
        self, *, sku: Sku, by: int, reason: AdjustmentReason, reference: UUID, who: str = ""
    ) -> Adjustment:
        """See `Inventory.adjust`."""
        if by == 0 or abs(by) > MOST:
            raise InvalidAdjustment(sku=sku, by=by)
        if not 1 <= len(sku) <= LONGEST_SKU:
            raise InvalidSku(sku=Sku(sku[:200]))
        row = models.Adjustment(reference=reference, sku=sku, by=by, reason=reason.value, who=who)
        with atomic():
            if by > 0:
                models.Stock.objects.bulk_create(
                    [models.Stock(sku=sku, available=0, received=0)], ignore_conflicts=True
                )
            # A twin waits on the row of the stock, and then finds what the first one wrote.
            here = models.Stock.objects.filter(sku=sku)
            stock = here.select_for_update().first()
            known = models.Adjustment.objects.filter(reference=reference).first()
            if known is not None:
                return _repeated(known, row)
            left = stock.available if stock else 0
            if stock is None or left + by < 0:
                raise InsufficientStock(sku=sku, available=left)
            here.update(available=F("available") + by, received=F("received") + by)
            row.id, row.at, row.available = uuid7(), clock.now(), left + by
            try:
                with atomic():
                    row.save(force_insert=True)
            except IntegrityError:  # the reference went to another SKU at this moment
                raise AdjustmentReused(reference=reference) from None
            models.announce_if_low(
                sku=sku, before=left, after=row.available, threshold=stock.threshold
            )
        return queries.adjustment(row)

    def set_threshold(self, *, sku: Sku, threshold: int | None) -> None:
        """See `Inventory.set_threshold`."""
        if threshold is not None and not 0 <= threshold <= HIGHEST_THRESHOLD:
            raise InvalidThreshold(sku=sku, threshold=threshold)
        with atomic():
            if not models.Stock.objects.filter(sku=sku).update(threshold=threshold):
                raise NeverStocked(sku=sku)


def _repeated(known: models.Adjustment, row: models.Adjustment) -> Adjustment:
    if (known.sku, known.by, known.reason) != (row.sku, row.by, row.reason):
        raise AdjustmentReused(reference=known.reference)
    return queries.adjustment(known)


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
