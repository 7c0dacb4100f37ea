"""Pricing over REST."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from modules.pricing.interface import Pricing, Quote, QuoteLine, ShownPrice
from monolift import use

router = Router(tags=["pricing"])
pricing = use(Pricing)

Currency = Literal["EUR", "USD", "JPY", "KWD"]
Sku = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


class MoneyOut(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: int
    currency: str


class PriceOut(Schema):
    """The price of one unit now; `before` is the list price while a promotion runs."""

    unit: MoneyOut
    before: MoneyOut | None


class QuoteLineIn(Schema):
    """What is to be priced."""

    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=10_000)]


class QuoteIn(Schema):
    """Some lines, the currency to price them in, and the country they go to (ISO 3166-1)."""

    lines: Annotated[list[QuoteLineIn], Field(max_length=100)]
    currency: Currency = "EUR"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    coupon: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9-]*$")] = ""


class PricedLineOut(Schema):
    """One line of a quote."""

    sku: str
    quantity: int
    unit: MoneyOut
    net: MoneyOut
    discount: MoneyOut
    tax: MoneyOut
    total: MoneyOut
    tax_rate: int


class TaxOut(Schema):
    """The tax of one rate, in hundredths of a percent (1900 is 19 %), on `net`."""

    rate: int
    net: MoneyOut
    amount: MoneyOut


class QuoteOut(Schema):
    """What an order of these lines costs; without a country there is no tax in it yet."""

    currency: str
    country: str | None
    lines: list[PricedLineOut]
    net: MoneyOut
    discount: MoneyOut
    coupon_discount: MoneyOut
    tax: MoneyOut
    total: MoneyOut
    taxes: list[TaxOut]


@router.get("/prices", response=dict[str, PriceOut])
def prices(
    request: HttpRequest,
    sku: Annotated[list[Sku], Query(min_length=1, max_length=100)],
    currency: Currency = "EUR",
) -> dict[str, ShownPrice]:
    """Unit prices by SKU; a SKU without a price is left out."""
    return dict(pricing.prices(skus=sku, currency=currency))


@router.get("/destinations", response=list[str])
def destinations(request: HttpRequest) -> list[str]:
    """The countries we deliver to (ISO 3166-1 alpha-2)."""
    return list(pricing.destinations())


@router.post("/quotes", response=QuoteOut)
def quote(request: HttpRequest, body: QuoteIn) -> Quote:
    """What these lines cost. Nothing is stored."""
    lines = [QuoteLine(sku=line.sku, quantity=line.quantity) for line in body.lines]
    return pricing.quote(
        lines=lines, currency=body.currency, country=body.country, coupon=body.coupon
    )
