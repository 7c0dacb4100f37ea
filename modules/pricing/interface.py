"""What pricing provides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monolift.kernel import DomainError, Dto, Interface, Money, command, query


class NoPrice(DomainError, status=404):
    """{sku} has no price in {currency}."""

    sku: str
    currency: str


class UnknownDestination(DomainError, status=422):
    """We do not deliver to {country}."""

    country: str


class InvalidQuantity(DomainError, status=422):
    """{quantity} of {sku} cannot be priced: give a whole number from 1 to 10000."""

    sku: str
    quantity: int


class InvalidPrice(DomainError, status=422):
    """{unit} is no list price for {sku}: it must be above zero."""

    sku: str
    unit: Money


class InvalidPromotion(DomainError, status=422):
    """The promotion of {sku} cannot be used: {problem}"""

    sku: str
    problem: str


class ListPrice(Dto):
    """The price of one unit before promotions and tax."""

    sku: str
    unit: Money


class Promotion(Dto):
    """`percent` off the list price of a SKU from `starts_at` until before `ends_at`."""

    sku: str
    percent: int
    starts_at: datetime
    ends_at: datetime


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
    """What an order costs: `total` is exactly the sum of the lines' totals.

    Without a `country` there is no tax in it yet.
    """

    currency: str
    country: str | None
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

    @query(timeout=2, raises=(NoPrice, UnknownDestination, InvalidQuantity))
    def quote(
        self, *, lines: Sequence[QuoteLine], currency: str, country: str | None = None
    ) -> Quote:
        """What these lines cost when delivered to `country` (ISO 3166-1 alpha-2).

        Without a country the quote has no tax. Per line, the promotion is rounded once and the tax
        on what is left is rounded once, half to even; every total is the exact sum of its lines.
        """
        ...

    @query(timeout=2)
    def destinations(self) -> Sequence[str]:
        """The countries we deliver to (ISO 3166-1 alpha-2), in alphabetical order."""
        ...

    @command(timeout=5, raises=InvalidPrice)
    def set_prices(self, *, prices: Sequence[ListPrice]) -> None:
        """Set list prices; setting the same ones again changes nothing."""
        ...

    @command(timeout=5, raises=InvalidPromotion)
    def set_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        """Set the percentage of each SKU and window; doing it again changes nothing.

        Of several promotions at one moment the best for the customer counts.
        """
        ...
