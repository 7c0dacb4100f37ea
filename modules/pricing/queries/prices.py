"""Prices as shown, and quotes."""

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from modules.pricing import models
from modules.pricing.interface import (
    Coupon,
    CouponRefused,
    InvalidQuantity,
    NoPrice,
    Quote,
    QuoteLine,
    ShownPrice,
    UnknownDestination,
)
from modules.pricing.queries import arithmetic, coupons
from modules.pricing.queries.tax import TAX_BASIS_POINTS
from monolift.kernel import Money, clock

MOST = 10_000
"""The largest quantity of one line."""


class Found(NamedTuple):
    """The list price of a SKU, and what promotions take off: a percentage, or money a unit.

    Whether it is taxed is looked up for quotes only.
    """

    unit: Money
    percent: int
    off: int
    taxed: bool = True


def prices(*, skus: Sequence[str], currency: str) -> dict[str, ShownPrice]:
    """What price tags say; a SKU without a price in this currency is left out."""
    return {sku: _shown(found) for sku, found in _list_prices(skus, currency).items()}


def quote(
    *,
    lines: Sequence[QuoteLine],
    currency: str,
    country: str | None = None,
    coupon: str = "",
    reference: UUID | None = None,
    delivery: Money | None = None,
) -> Quote:
    """What the lines cost; see `Pricing.quote`."""
    for line in lines:
        if not 1 <= line.quantity <= MOST:
            raise InvalidQuantity(sku=line.sku, quantity=line.quantity)
    basis_points = 0
    if country is not None:
        if country not in TAX_BASIS_POINTS:
            raise UnknownDestination(country=country)
        basis_points = TAX_BASIS_POINTS[country]
    found = _list_prices({line.sku for line in lines}, currency, with_tax=True)
    for line in lines:
        if line.sku not in found:
            raise NoPrice(sku=line.sku, currency=currency)
    promotions = [
        arithmetic.off_a_line(
            unit=found[line.sku].unit,
            quantity=line.quantity,
            percent=found[line.sku].percent,
            amount=found[line.sku].off,
        )
        for line in lines
    ]
    left = [
        (found[line.sku].unit * line.quantity - promotion).amount
        for line, promotion in zip(lines, promotions, strict=True)
    ]
    off = Money.zero(currency)
    if coupon:
        usable = coupons.usable(code=coupon, reference=reference)
        off = _off_the_order(usable, Money(sum(left), currency))
    shares = arithmetic.share(off, weights=left)
    return arithmetic.summed(
        lines=[
            arithmetic.price_line(
                line=line,
                unit=found[line.sku].unit,
                discount=promotion,
                coupon=part,
                basis_points=basis_points if found[line.sku].taxed else 0,
            )
            for line, promotion, part in zip(lines, promotions, shares, strict=True)
        ],
        currency=currency,
        country=country,
        coupon_discount=off,
        delivery=delivery or Money.zero(currency),
        basis_points=basis_points,
    )


def _off_the_order(coupon: Coupon, goods: Money) -> Money:
    needed = coupon.minimum or coupon.amount
    problem = ""
    if needed is not None and needed.currency != goods.currency:
        problem = f"it is for orders in {needed.currency}."
    elif coupon.minimum is not None and goods < coupon.minimum:
        problem = f"it is for orders of at least {coupon.minimum}."
    elif coupon.amount is not None and coupon.amount.currency != goods.currency:
        problem = f"it is for orders in {coupon.amount.currency}."
    if problem:
        raise CouponRefused(coupon=coupon.code, problem=problem)
    if coupon.amount is None:
        return goods.times(Fraction(coupon.percent, 100))
    return min(coupon.amount, goods)


def _list_prices(
    skus: Collection[str], currency: str, *, with_tax: bool = False
) -> dict[str, Found]:
    """List price and promotions in force by SKU: one statement for all of it."""
    if not skus:
        return {}
    moment = clock.now()
    in_force = models.Promotion.objects.filter(
        sku=OuterRef("sku"), starts_at__lte=moment, ends_at__gt=moment
    )
    columns: dict[str, Any] = {
        "percent": _largest(in_force, "percent"),
        "off": _largest(in_force.filter(currency=currency), "amount"),
    }
    if with_tax:
        columns["taxed"] = ~Exists(models.Untaxed.objects.filter(pk=OuterRef("sku")))
    rows = (
        models.ListPrice.objects.filter(_counts_at("price_list__", moment))
        .filter(sku__in=sorted(skus), currency=currency)
        .annotate(**columns)
        # The last one of a SKU stays: the list that goes before the others.
        .order_by("price_list__priority", "price_list")
        .values_list("sku", "amount", *columns)
    )
    return {sku: Found(Money(amount, currency), *more) for sku, amount, *more in rows}


def _counts_at(prefix: str, moment: object) -> Q:
    starts, ends = f"{prefix}starts_at", f"{prefix}ends_at"
    begun = Q(**{f"{starts}__isnull": True}) | Q(**{f"{starts}__lte": moment})
    return begun & (Q(**{f"{ends}__isnull": True}) | Q(**{f"{ends}__gt": moment}))


def _largest(promotions: QuerySet[models.Promotion], name: str) -> Coalesce:
    return Coalesce(Subquery(promotions.order_by(f"-{name}").values(name)[:1]), Value(0))


def _shown(found: Found) -> ShownPrice:
    off = arithmetic.off_a_line(
        unit=found.unit, quantity=1, percent=found.percent, amount=found.off
    )
    return (
        ShownPrice(unit=found.unit - off, before=found.unit) if off else ShownPrice(unit=found.unit)
    )
