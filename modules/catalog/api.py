"""Catalog over REST."""

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema

from modules.catalog.interface import Catalog, Product, ProductPage
from monolift import use

router = Router(tags=["catalog"])
catalog = use(Catalog)

Currency = Literal["EUR", "USD", "JPY", "KWD"]


class MoneyOut(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: int
    currency: str


class VariantOut(Schema):
    """One thing that can be bought; `price_before` is the list price while a promotion runs."""

    sku: str
    name: str
    price: MoneyOut | None
    price_before: MoneyOut | None


class ProductOut(Schema):
    """A product; `image` is a path below the static files."""

    id: UUID
    slug: str
    title: str
    description: str
    image: str
    variants: list[VariantOut]


class ProductPageOut(Schema):
    """Some products in order of title; give `next` as `after` for those behind them."""

    products: list[ProductOut]
    next: str | None


@router.get("/products", response=ProductPageOut)
def products(
    request: HttpRequest,
    currency: Currency = "EUR",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    after: Annotated[str | None, Query(max_length=1000, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> ProductPage:
    """Products with their prices, a page at a time."""
    return catalog.products(currency=currency, limit=limit, after=after)


@router.get("/products/{slug}", response=ProductOut)
def product(
    request: HttpRequest,
    slug: Annotated[str, Path(max_length=100, pattern=r"^[-A-Za-z0-9_]+$")],
    currency: Currency = "EUR",
) -> Product:
    """One product with its prices."""
    return catalog.product(slug=slug, currency=currency)
