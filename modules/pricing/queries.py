"""Reads: prices as shown, and quotes.

Rounding: a line's list amount is exact (unit times quantity). Its promotion is rounded once and the
tax on what is left is rounded once, both half to even (IEEE 754 roundTiesToEven; over many lines
its errors cancel out). Totals are sums and are never rounded.
"""

from collections.abc import Collection, Sequence
from fractions import Fraction

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from modules.pricing import models
from modules.pricing.interface import (
    InvalidQuantity,
    NoPrice,
    PricedLine,
    Quote,
    QuoteLine,
    ShownPrice,
    UnknownDestination,
)
from monolift.kernel import Money, clock

MOST = 10_000
"""The largest quantity of one line."""

# The standard rate of the tax on sales by country (ISO 3166-1), in hundredths of a percent, as of
# 2026. Zero where there is none (KW), or none at the federal level (US). Prices are net of it.
TAX_BASIS_POINTS = {
    "AT": 2000, "AU": 1000, "BE": 2100, "BG": 2000, "CA": 500, "CH": 810, "CY": 1900, "CZ": 2100,
    "DE": 1900, "DK": 2500, "EE": 2400, "ES": 2100, "FI": 2550, "FR": 2000, "GB": 2000, "GR": 2400,
    "HR": 2500, "HU": 2700, "IE": 2300, "IT": 2200, "JP": 1000, "KW": 0, "LT": 2100, "LU": 1700,
    "LV": 2100, "MT": 1800, "NL": 2100, "NO": 2500, "NZ": 1500, "PL": 2300, "PT": 2300, "RO": 2100,
    "SE": 2500, "SI": 2200, "SK": 2300, "US": 0,
}  # fmt: skip


def prices(*, skus: Sequence[str], currency: str) -> dict[str, ShownPrice]:
    """What price tags say; a SKU without a price in this currency is left out."""
    found = _list_prices(skus, currency)
    return {
        sku: _shown(Money(amount, currency), percent) for sku, (amount, percent) in found.items()
    }


def quote(*, lines: Sequence[QuoteLine], currency: str, country: str | None) -> Quote:
    """What the lines cost; see `Pricing.quote`."""
    for line in lines:
        if not 1 <= line.quantity <= MOST:
            raise InvalidQuantity(sku=line.sku, quantity=line.quantity)
    basis_points = 0
    if country is not None:
        if country not in TAX_BASIS_POINTS:
            raise UnknownDestination(country=country)
        basis_points = TAX_BASIS_POINTS[country]
    found = _list_prices({line.sku for line in lines}, currency)
    priced = []
    for line in lines:
        if line.sku not in found:
            raise NoPrice(sku=line.sku, currency=currency)
        amount, percent = found[line.sku]
        unit = Money(amount, currency)
        priced.append(price_line(line=line, unit=unit, percent=percent, basis_points=basis_points))
    return summed(lines=priced, currency=currency, country=country)


def price_line(*, line: QuoteLine, unit: Money, percent: int, basis_points: int) -> PricedLine:
    """Price one line: `percent` off, then tax of `basis_points` hundredths of a percent."""
    net = unit * line.quantity
    discount = net.times(Fraction(percent, 100))
    tax = (net - discount).times(Fraction(basis_points, 10_000))
    return PricedLine(
        sku=line.sku,
        quantity=line.quantity,
        unit=unit,
        net=net,
        discount=discount,
        tax=tax,
        total=net - discount + tax,
    )


def summed(*, lines: Sequence[PricedLine], currency: str, country: str | None) -> Quote:
    """The quote of priced lines: exact sums."""
    return Quote(
        currency=currency,
        country=country,
        lines=tuple(lines),
        net=Money.total([line.net for line in lines], currency=currency),
        discount=Money.total([line.discount for line in lines], currency=currency),
        tax=Money.total([line.tax for line in lines], currency=currency),
        total=Money.total([line.total for line in lines], currency=currency),
    )


def destinations() -> tuple[str, ...]:
    """The countries whose tax is known."""
    return tuple(sorted(TAX_BASIS_POINTS))


def _list_prices(skus: Collection[str], currency: str) -> dict[str, tuple[int, int]]:
    """List amount and the percentage in force by SKU: one statement for both."""
    if not skus:
        return {}
    moment = clock.now()
    best = (
        models.Promotion.objects.filter(
            sku=OuterRef("sku"), starts_at__lte=moment, ends_at__gt=moment
        )
        .order_by("-percent")
        .values("percent")[:1]
    )
    rows = (
        models.ListPrice.objects.filter(sku__in=sorted(skus), currency=currency)
        .annotate(percent=Coalesce(Subquery(best), Value(0)))
        .values_list("sku", "amount", "percent")
    )
    return {sku: (amount, percent) for sku, amount, percent in rows}


def _shown(unit: Money, percent: int) -> ShownPrice:
    if not percent:
        return ShownPrice(unit=unit)
    return ShownPrice(unit=unit - unit.times(Fraction(percent, 100)), before=unit)
