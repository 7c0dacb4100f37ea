"""Inventory in memory, for the tests of modules that require it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from modules.inventory.events import HoldLapsed, StockLow
from modules.inventory.interface import (
    Adjustment,
    AdjustmentPage,
    AdjustmentReason,
    AdjustmentReused,
    Hold,
    HoldExpired,
    HoldId,
    InsufficientStock,
    InvalidAdjustment,
    InvalidCursor,
    InvalidQuantity,
    InvalidSku,
    InvalidThreshold,
    Inventory,
    Line,
    NeverStocked,
    Sku,
    StockCount,
    StockLevel,
    StockPage,
)
from monolift.kernel import clock
from monolift.testing.announcing import announce

_HELD_FOR = timedelta(minutes=15)


class FakeInventory(Inventory):
    """A hold lapses when somebody looks after its time, and is announced then."""

    def __init__(self) -> None:
        self._received: dict[Sku, int] = {}
        self._holds: dict[UUID, Hold] = {}
        self._taken: set[UUID] = set()
        self._gone: set[UUID] = set()
        self._receipts: set[UUID] = set()
        self._adjustments: list[Adjustment] = []
        self._thresholds: dict[Sku, int | None] = {}

    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        return {sku: self._left(sku) for sku in skus}

    def count(self) -> Sequence[StockCount]:
        held, taken = self._set_aside()
        return [
            StockCount(
                sku=sku,
                received=received,
                available=received - held[sku] - taken[sku],
                held=held[sku],
                taken=taken[sku],
            )
            for sku, received in sorted(self._received.items())
        ]

    def stock(
        self, *, text: str = "", low_only: bool = False, limit: int = 50, after: str | None = None
    ) -> StockPage:
        limit = max(1, min(limit, 100))
        levels = [self._level(sku) for sku in sorted(self._received)]
        found = [
            level
            for level in levels
            if text.strip().lower() in level.sku.lower()
            and (level.low or not low_only)
            and level.sku > (after or "")
        ]
        more = len(found) > limit
        return StockPage(levels=tuple(found[:limit]), next=found[limit - 1].sku if more else None)

    def adjustments(self, *, sku: Sku, limit: int = 50, after: str | None = None) -> AdjustmentPage:
        limit = max(1, min(limit, 100))
        found = [one for one in reversed(self._adjustments) if one.sku == sku]
        if after is not None:
            references = [str(one.reference) for one in found]
            if after not in references:
                raise InvalidCursor(after=after[:200])
            found = found[references.index(after) + 1 :]
        more = len(found) > limit
        return AdjustmentPage(
            adjustments=tuple(found[:limit]),
            next=str(found[limit - 1].reference) if more else None,
        )

    def reserve(self, *, reference: UUID, lines: Sequence[Line]) -> Hold:
        wanted = _summed(lines)
        self._lapse()
        if reference in self._gone:
            raise HoldExpired(reference=reference)
        if reference not in self._holds:
            for line in wanted:
                left = self._left(line.sku)
                if left < line.quantity:
                    raise InsufficientStock(sku=line.sku, available=left)
            for line in wanted:
                self._fall(line.sku, by=line.quantity)
            self._holds[reference] = Hold(
                id=HoldId(uuid4()),
                reference=reference,
                lines=wanted,
                expires_at=clock.now() + _HELD_FOR,
            )
        return self._holds[reference]

    def take(self, *, reference: UUID) -> None:
        self._lapse()
        if reference not in self._holds:
            raise HoldExpired(reference=reference)
        self._taken.add(reference)

    def release(self, *, reference: UUID) -> None:
        self._lapse()
        if self._holds.pop(reference, None) is not None:
            self._taken.discard(reference)
            self._gone.add(reference)

    def receive(self, *, reference: UUID, lines: Sequence[Line]) -> None:
        goods = _summed(lines)
        if reference not in self._receipts:
            self._receipts.add(reference)
            for line in goods:
                self._received[line.sku] = self._received.get(line.sku, 0) + line.quantity

    def adjust(
        self, *, sku: Sku, by: int, reason: AdjustmentReason, reference: UUID, who: str = ""
    ) -> Adjustment:
        if by == 0 or abs(by) > 10_000:
            raise InvalidAdjustment(sku=sku, by=by)
        if not 1 <= len(sku) <= 64:
            raise InvalidSku(sku=Sku(sku[:200]))
        for known in self._adjustments:
            if known.reference == reference:
                if (known.sku, known.by, known.reason) != (sku, by, reason):
                    raise AdjustmentReused(reference=reference)
                return known
        left = self._left(sku)
        if left + by < 0:
            raise InsufficientStock(sku=sku, available=left)
        self._fall(sku, by=-by)
        self._received[sku] = self._received.get(sku, 0) + by
        made = Adjustment(
            reference=reference,
            sku=sku,
            by=by,
            reason=reason,
            available=left + by,
            at=clock.now(),
            who=who,
        )
        self._adjustments.append(made)
        return made

    def set_threshold(self, *, sku: Sku, threshold: int | None) -> None:
        if threshold is not None and not 0 <= threshold <= 1_000_000:
            raise InvalidThreshold(sku=sku, threshold=threshold)
        if sku not in self._received:
            raise NeverStocked(sku=sku)
        self._thresholds[sku] = threshold

    def _fall(self, sku: Sku, *, by: int) -> None:
        threshold, before = self._thresholds.get(sku), self._left(sku)
        if threshold is not None and before > threshold >= before - by:
            announce(StockLow(sku=sku, available=before - by, threshold=threshold))

    def _lapse(self) -> None:
        for reference, hold in list(self._holds.items()):
            if reference not in self._taken and hold.expires_at <= clock.now():
                del self._holds[reference]
                self._gone.add(reference)
                skus = tuple(str(line.sku) for line in hold.lines)
                announce(HoldLapsed(reference=reference, skus=skus))

    def _set_aside(self) -> tuple[Counter[Sku], Counter[Sku]]:
        self._lapse()
        held, taken = Counter[Sku](), Counter[Sku]()
        for reference, hold in self._holds.items():
            for line in hold.lines:
                (taken if reference in self._taken else held)[line.sku] += line.quantity
        return held, taken

    def _left(self, sku: Sku) -> int:
        held, taken = self._set_aside()
        return self._received.get(sku, 0) - held[sku] - taken[sku]

    def _level(self, sku: Sku) -> StockLevel:
        threshold = self._thresholds.get(sku)
        available = self._left(sku)
        return StockLevel(
            sku=sku,
            available=available,
            received=self._received[sku],
            threshold=threshold,
            low=threshold is not None and available <= threshold,
            held=self._set_aside()[0][sku],
        )


def _summed(lines: Sequence[Line]) -> tuple[Line, ...]:
    for line in lines:
        if not 1 <= line.quantity <= 10_000:
            raise InvalidQuantity(sku=line.sku, quantity=line.quantity)
    wanted = Counter[Sku]()
    for line in lines:
        wanted[line.sku] += line.quantity
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in sorted(wanted.items()))
