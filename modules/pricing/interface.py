"""What pricing provides."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monolift.kernel import DomainError, Dto, Interface, Money, command, query


class NoPrice(DomainError, status=404):
    """{sku} has no price in {currency}."""

    sku: str
    currency: str


class UnknownDestination(DomainError, status=422):
    """We do not deliver to {country}."""

    country: str


class ListPrice(Dto):
    """The price of one unit before promotions and tax."""

    sku: str
    unit: Money


class ShownPrice(Dto):
    """What a price tag says: the unit price now, and the one crossed out when it is lower."""

    unit: Money
    before: Money | None = None


class QuoteLine(Dto):
    """What is to be priced."""

    sku: str
    quantity: int


class PricedLine(Dto):
    """One line of a quote, every amount rounded to a minor unit."""

    sku: str
    quantity: int
    unit: Money
    net: Money
    discount: Money
    tax: Money
    total: Money


class Quote(Dto):
    """What an order costs: `total` is exactly the sum of the lines' totals."""

    currency: str
    country: str
    lines: tuple[PricedLine, ...]
    net: Money
    discount: Money
    tax: Money
    total: Money


class Pricing(Interface, Protocol, version=1):
    """Prices, promotions and tax."""

    @query(timeout=2)
    def prices(self, *, skus: Sequence[str], currency: str) -> Mapping[str, ShownPrice]:
        """Unit prices shown in a list, promotions applied; a SKU without a price is left out."""
        ...

    @query(timeout=2, raises=(NoPrice, UnknownDestination))
    def quote(self, *, lines: Sequence[QuoteLine], currency: str, country: str) -> Quote:
        """What these lines cost when delivered to `country` (ISO 3166-1 alpha-2)."""
        ...

    @command(timeout=5)
    def set_prices(self, *, prices: Sequence[ListPrice]) -> None:
        """Set list prices; setting the same ones again changes nothing."""
        ...
