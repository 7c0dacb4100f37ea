"""Reads of inventory."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db.models import F

from modules.inventory import models
from modules.inventory.interface import (
    Adjustment,
    AdjustmentPage,
    AdjustmentReason,
    Hold,
    HoldId,
    InvalidCursor,
    Line,
    Sku,
    StockCount,
    StockLevel,
    StockPage,
)

LARGEST_PAGE = 100


def available(*, skus: Sequence[Sku]) -> dict[Sku, int]:
    """How many of each SKU can be bought now; 0 for one that was never stocked."""
    if not skus:
        return {}
    rows = models.Stock.objects.filter(sku__in=sorted(set(skus))).values_list("sku", "available")
    found = dict(rows)
    return {sku: found.get(sku, 0) for sku in skus}


def count() -> tuple[StockCount, ...]:
    """Where all stock is, by SKU: received = available + held + taken in each.

    What was taken is the rest. To add it up would be to read every sale there ever was.
    """
    set_aside = held()
    rows = models.Stock.objects.order_by("sku").values_list("sku", "received", "available")
    return tuple(
        StockCount(
            sku=Sku(sku),
            received=received,
            available=available,
            held=set_aside[sku],
            taken=received - available - set_aside[sku],
        )
        for sku, received, available in rows
    )


def held() -> Counter[str]:
    """How many of each SKU are held for buyers who have not paid yet. It reads every open hold."""
    found: Counter[str] = Counter()
    holds = models.Hold.objects.filter(state=models.Hold.State.HELD)
    for lines in holds.values_list("lines", flat=True).iterator():
        for sku, quantity in lines:
            found[sku] += quantity
    return found


def stock(*, text: str, low_only: bool, limit: int, after: str | None) -> StockPage:
    """Stock in order of SKU; see `Inventory.stock`."""
    limit = max(1, min(limit, LARGEST_PAGE))
    found = models.Stock.objects.order_by("sku")
    if text := text.strip():
        found = found.filter(sku__icontains=text)
    if low_only:
        found = found.filter(available__lte=F("threshold"))
    if after is not None:
        found = found.filter(sku__gt=after)
    rows = list(found[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    set_aside = held() if rows else Counter[str]()
    return StockPage(
        levels=tuple(
            StockLevel(
                sku=Sku(row.sku),
                available=row.available,
                received=row.received,
                threshold=row.threshold,
                low=row.low,
                held=set_aside[row.sku],
            )
            for row in rows
        ),
        next=rows[-1].sku if more else None,
    )


def adjustments(*, sku: Sku, limit: int, after: str | None) -> AdjustmentPage:
    """A SKU's adjustments, the newest first; see `Inventory.adjustments`."""
    limit = max(1, min(limit, LARGEST_PAGE))
    found = models.Adjustment.objects.filter(sku=sku).order_by("-id")
    if after is not None:
        try:
            found = found.filter(id__lt=UUID(after))
        except ValueError:
            raise InvalidCursor(after=after[:200]) from None
    rows = list(found[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return AdjustmentPage(
        adjustments=tuple(adjustment(row) for row in rows),
        next=str(rows[-1].id) if more else None,
    )


def adjustment(row: models.Adjustment) -> Adjustment:
    """An adjustment as others see it."""
    return Adjustment(
        reference=row.reference,
        sku=Sku(row.sku),
        by=row.by,
        reason=AdjustmentReason(row.reason),
        available=row.available,
        at=row.at,
        who=row.who,
    )


def hold(row: models.Hold) -> Hold:
    """A hold as others see it."""
    return Hold(
        id=HoldId(row.id),
        reference=row.reference,
        lines=tuple(Line(sku=Sku(sku), quantity=quantity) for sku, quantity in row.lines),
        expires_at=row.expires_at,
    )
