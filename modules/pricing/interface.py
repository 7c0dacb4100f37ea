"""What pricing provides."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

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


class InvalidPriceList(DomainError, status=422):
    """The price list {name} cannot be used: {problem}"""

    name: str
    problem: str


class InvalidCoupon(DomainError, status=422):
    """The coupon {coupon} cannot be set up: {problem}"""

    coupon: str
    problem: str


class CouponRefused(DomainError, status=409):
    """The coupon {coupon} does not count: {problem}"""

    coupon: str
    problem: str


class ListPrice(Dto):
    """The price of one unit before promotions and tax."""

    sku: str
    unit: Money


class PriceList(Dto):
    """A set of list prices that counts from `starts_at` until before `ends_at`, if given.

    Where several lists have a price, the one of the highest `priority` counts. There is always one
    called `default`, of priority 0.
    """

    name: str
    priority: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Promotion(Dto):
    """Off the list price of a SKU from `starts_at` until before `ends_at`: a percentage or money.

    `amount` is off each unit, in its currency only. One of the two is given.
    """

    sku: str
    starts_at: datetime
    ends_at: datetime
    percent: int = 0
    amount: Money | None = None


class Coupon(Dto):
    """Something off a whole order, once per order and at most `limit` times in all.

    A percentage of the goods, or an amount in its currency, for orders whose goods cost `minimum`
    at least. Letters count the same in either case.
    """

    code: str
    percent: int = 0
    amount: Money | None = None
    minimum: Money | None = None
    limit: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    redeemed: int = 0


class ShownPrice(Dto):
    """What a price tag says: the unit price now, and the one crossed out when it is lower."""

    unit: Money
    before: Money | None = None


class QuoteLine(Dto):
    """What is to be priced."""

    sku: str
    quantity: int


class PricedLine(Dto):
    """One line of a quote, every amount in whole minor units: total = net - discount + tax.

    `discount` is the promotion's and the line's share of the coupon's. `tax_rate` is in hundredths
    of a percent.
    """

    sku: str
    quantity: int
    unit: Money
    net: Money
    discount: Money
    tax: Money
    total: Money
    tax_rate: int = 0


class Tax(Dto):
    """The tax of one rate, in hundredths of a percent, on `net`: what is left after discounts."""

    rate: int
    net: Money
    amount: Money


class Quote(Dto):
    """What an order costs: total = net - discount + delivery + tax, exactly.

    It is the sum of the lines' totals, the delivery and the delivery's tax. `coupon_discount` is
    the part of `discount` that the coupon gave. Without a `country` there is no tax in it yet.
    `taxes` divides `tax` by rate, the highest first; delivery is in it.
    """

    currency: str
    country: str | None
    lines: tuple[PricedLine, ...]
    net: Money
    discount: Money
    coupon_discount: Money
    delivery: Money
    delivery_tax: Money
    tax: Money
    total: Money
    taxes: tuple[Tax, ...] = ()


class Pricing(Interface, Protocol, version=1):
    """Prices, promotions and tax."""

    @query(timeout=2)
    def prices(self, *, skus: Sequence[str], currency: str) -> Mapping[str, ShownPrice]:
        """Unit prices shown in a list, promotions applied; a SKU without a price is left out."""
        ...

    @query(timeout=2, raises=(NoPrice, UnknownDestination, InvalidQuantity, CouponRefused))
    def quote(
        self,
        *,
        lines: Sequence[QuoteLine],
        currency: str,
        country: str | None = None,
        coupon: str = "",
        reference: UUID | None = None,
        delivery: Money | None = None,
    ) -> Quote:
        """What these lines cost when delivered to `country` (ISO 3166-1 alpha-2).

        A coupon that was redeemed for `reference` counts for it, used up or not.
        Without a country the quote has no tax. `delivery` is its net price, taxed like the goods.
        Per line, the promotion is rounded once and the tax on what is left is rounded once, half to
        even. A coupon's discount is rounded once and shared among the lines by what they cost, the
        minor units left over going to the largest remainders. Every total is an exact sum.
        """
        ...

    @query(timeout=2)
    def destinations(self) -> Sequence[str]:
        """The countries we deliver to (ISO 3166-1 alpha-2), in alphabetical order."""
        ...

    @query(timeout=2, raises=CouponRefused)
    def coupon(self, *, code: str) -> Coupon:
        """A coupon that can be used now."""
        ...

    @command(timeout=5, raises=CouponRefused)
    def redeem(self, *, code: str, reference: UUID) -> None:
        """Use a coupon for what `reference` names: once per reference, never beyond its limit."""
        ...

    @command(timeout=5)
    def unredeem(self, *, reference: UUID) -> None:
        """Take the use of a coupon back; none to take back is harmless."""
        ...

    @command(timeout=5, raises=InvalidCoupon)
    def set_coupons(self, *, coupons: Sequence[Coupon]) -> None:
        """Set coupons up, or change them; how often each was used stays as it is."""
        ...

    @command(timeout=5, raises=InvalidPriceList)
    def set_price_lists(self, *, price_lists: Sequence[PriceList]) -> None:
        """Set up price lists, or change when they count."""
        ...

    @command(timeout=5, raises=(InvalidPrice, InvalidPriceList))
    def set_prices(self, *, prices: Sequence[ListPrice], price_list: str = "default") -> None:
        """Set prices in a list; setting the same ones again changes nothing."""
        ...

    @command(timeout=5)
    def set_taxed(self, *, taxed: Mapping[str, bool]) -> None:
        """Say which SKUs are taxed; those never said are. Saying the same again changes nothing."""
        ...

    @command(timeout=5, raises=InvalidPromotion)
    def set_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        """Set what is off each SKU in a window; doing it again changes nothing.

        Of several promotions at one moment the best for the customer counts.
        """
        ...

    @command(timeout=5)
    def remove_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        """End promotions at once, known by SKU, currency and window; none to end is harmless."""
        ...
