"""Reads of inventory."""

from collections import Counter
from collections.abc import Sequence

from modules.inventory import models
from modules.inventory.interface import Hold, HoldId, Line, Sku, StockCount


def available(*, skus: Sequence[Sku]) -> dict[Sku, int]:
    """How many of each SKU can be bought now; 0 for one that was never stocked."""
    if not skus:
        return {}
    rows = models.Stock.objects.filter(sku__in=sorted(set(skus))).values_list("sku", "available")
    found = dict(rows)
    return {sku: found.get(sku, 0) for sku in skus}


def count() -> tuple[StockCount, ...]:
    """Where all stock is, by SKU: received = available + held + taken in each."""
    places: dict[str, Counter[str]] = {
        models.Hold.State.HELD: Counter(),
        models.Hold.State.TAKEN: Counter(),
    }
    holds = models.Hold.objects.filter(state__in=list(places)).values_list("state", "lines")
    for state, lines in holds.iterator():
        for sku, quantity in lines:
            places[state][sku] += quantity
    return tuple(
        StockCount(
            sku=Sku(stock.sku),
            received=stock.received,
            available=stock.available,
            held=places[models.Hold.State.HELD][stock.sku],
            taken=places[models.Hold.State.TAKEN][stock.sku],
        )
        for stock in models.Stock.objects.order_by("sku")
    )


def hold(row: models.Hold) -> Hold:
    """A hold as others see it."""
    return Hold(
        id=HoldId(row.id),
        reference=row.reference,
        lines=tuple(Line(sku=Sku(sku), quantity=quantity) for sku, quantity in row.lines),
        expires_at=row.expires_at,
    )
