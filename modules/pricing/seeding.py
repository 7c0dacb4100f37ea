"""Prices of many past orders at once, without the database; see `manage.py seed`."""

from collections.abc import Sequence
from typing import NamedTuple

from modules.pricing.queries.tax import TAX_BASIS_POINTS


class PastPrice(NamedTuple):
    """What an order cost, in minor units: total = net + delivery + tax; `lines` are their totals.

    The totals of the lines have their tax in them, as those of a quote. `tax_rate` is in hundredths
    of a percent.
    """

    lines: tuple[int, ...]
    net: int
    tax: int
    tax_rate: int
    total: int


def price(*, lines: Sequence[tuple[int, int]], country: str, delivery: int) -> PastPrice:
    """Price (unit, quantity) pairs as `Pricing.quote` does when nothing is off."""
    points = TAX_BASIS_POINTS[country]
    totals = []
    net = tax = 0
    for unit, quantity in lines:
        amount = unit * quantity
        on_top = _half_even(amount * points)
        totals.append(amount + on_top)
        net += amount
        tax += on_top
    tax += _half_even(delivery * points)
    return PastPrice(tuple(totals), net, tax, points, net + delivery + tax)


def _half_even(ten_thousandths: int) -> int:
    whole, rest = divmod(ten_thousandths, 10_000)
    return whole + (rest > 5_000 or (rest == 5_000 and whole & 1))
