"""Stock and sales by the hundred thousand; see `manage.py seed`."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from django.db import connections

from modules.inventory.interface import Line
from modules.inventory.models import Hold, Stock
from modules.inventory.services import HELD_FOR
from monolift import atomic
from monolift.db.rows import insert_rows


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
        _receive(sorted(sold.items()))
        insert_rows(
            Hold,
            ("id", "reference", "state", "lines", "expires_at"),
            (
                (
                    uuid5(sale.reference, "hold"),
                    sale.reference,
                    (Hold.State.RELEASED if sale.released else Hold.State.TAKEN).value,
                    sorted(sale.lines),
                    sale.at + HELD_FOR,
                )
                for sale in new
            ),
        )


def _receive(goods: Sequence[tuple[str, int]]) -> None:
    """Count goods as received, without making them available: by one statement, rows in order."""
    if not goods:
        return
    here = Stock.objects.filter(sku__in=[sku for sku, _ in goods]).order_by("sku")
    list(here.select_for_update().values_list("sku"))
    values = ", ".join(["(%s, %s)"] * len(goods))
    with connections[Stock.objects.db].cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_stock SET received = received + sold.column2 "  # noqa: S608 - marks
            f"FROM (VALUES {values}) AS sold WHERE sku = sold.column1",
            [value for pair in goods for value in pair],
        )
