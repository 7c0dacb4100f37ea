"""Baskets that nobody comes back to."""

from datetime import date
from typing import Any

from django.db.models import Q

from modules.orders import models
from modules.orders.queries.baskets import OPEN, baskets

SOME = 500
"""How many baskets are looked at in one commit."""


def empty_some(*, before: date) -> bool:
    """Empty baskets that were last changed before a day; whether there may be more of them.

    One that is still empty as long after that is dropped: not at once, as it may be ordered at
    this moment. One that was ordered, or tried to, stays, as the next order's id is made of how
    often that was; what was ordered stays in it, without the address, which the order has. One
    that is being ordered is left alone.
    """
    old = baskets().filter(OPEN | Q(order_id__isnull=False), used_on__lt=before).order_by("used_on")
    rows = list(old.select_for_update(skip_locked=True)[:SOME])
    lines = models.BasketLine.objects.filter(basket__in=[row.pk for row in rows if _is_open(row)])
    full = set(lines.values_list("basket", flat=True))
    fresh = [row for row in rows if _is_open(row) and not row.attempt]
    spent = {row.pk for row in fresh if row.pk not in full and row.address is None}
    emptied = {row.pk for row in fresh} - spent
    lines.delete()
    all_of = models.Basket.objects.filter
    all_of(pk__in=spent).delete()
    all_of(pk__in=emptied).update(address=None, delivery="", coupon="", used_on=models.today())
    others = {row.pk for row in rows} - spent - emptied
    all_of(pk__in=others).update(address=None, delivery="", coupon="", used_on=None)
    return len(rows) == SOME


def _is_open(row: Any) -> bool:
    """Whether one of `baskets()` is not ordered."""
    return row.order_id is None
