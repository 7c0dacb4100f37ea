"""Stock and sales by the hundred thousand; see `manage.py seed`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from modules.inventory.interface import Line
from modules.inventory.models import Hold, Stock
from modules.inventory.services import HELD_FOR
from monolift import atomic


class PastSale(NamedTuple):
    """What was sold for a reference as (SKU, quantity), or came back when it is `released`."""

    reference: UUID
    lines: Sequence[tuple[str, int]]
    at: datetime
    released: bool


def stock(lines: Sequence[Line]) -> None:
    """Stock SKUs that were never stocked; others stay as they are."""
    with atomic():
        Stock.objects.bulk_create(
            [
                Stock(sku=line.sku, available=line.quantity, received=line.quantity)
                for line in lines
            ],
            ignore_conflicts=True,
        )


def sell(sales: Sequence[PastSale]) -> None:
    """Note past sales, once per reference. Their goods were received too: no stock goes down."""
    references = [sale.reference for sale in sales]
    with atomic():
        known = set(
            Hold.objects.filter(reference__in=references).values_list("reference", flat=True)
        )
        new = [sale for sale in sales if sale.reference not in known]
        sold: Counter[str] = Counter()
        for sale in new:
            if not sale.released:
                for sku, quantity in sale.lines:
                    sold[sku] += quantity
        rows = list(Stock.objects.select_for_update().filter(sku__in=sorted(sold)).order_by("sku"))
        for row in rows:
            row.received += sold[row.sku]
        Stock.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["sku"], update_fields=["received"]
        )
        Hold.objects.bulk_create(
            Hold(
                id=uuid5(sale.reference, "hold"),
                reference=sale.reference,
                state=Hold.State.RELEASED if sale.released else Hold.State.TAKEN,
                lines=sorted(sale.lines),
                expires_at=sale.at + HELD_FOR,
            )
            for sale in new
        )
