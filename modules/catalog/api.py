"""Catalog over REST."""

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema

from modules.catalog.interface import Catalog, Category, Product, ProductPage
from monolift import use

router = Router(tags=["catalog"])
catalog = use(Catalog)

Currency = Literal["EUR", "USD", "JPY", "KWD"]
SLUG = r"^[-A-Za-z0-9_]+$"


class MoneyOut(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: int
    currency: str


class CategoryOut(Schema):
    """A category; `parent` is the main category it is in. `count` includes subcategories."""

    slug: str
    title: str
    parent: str | None
    count: int


class OptionOut(Schema):
    """What a customer chooses between."""

    name: str
    values: list[str]


class ImageOut(Schema):
    """A picture: a path below the static files, and what it shows in words."""

    path: str
    alt: str


class VariantOut(Schema):
    """One thing that can be bought; `price_before` is the list price while a promotion runs.

    `options` are its values in the order of the product's options; `image` is empty when the
    product's own picture shows it.
    """

    sku: str
    name: str
    price: MoneyOut | None
    price_before: MoneyOut | None
    options: list[str]
    image: str


class ProductOut(Schema):
    """A product; `image` is a path below the static files."""

    id: UUID
    slug: str
    title: str
    description: str
    image: str
    images: list[ImageOut]
    category: str
    tags: list[str]
    options: list[OptionOut]
    variants: list[VariantOut]


class ProductPageOut(Schema):
    """Some products in order of title; give `next` as `after` for those behind them."""

    products: list[ProductOut]
    next: str | None


@router.get("/categories", response=list[CategoryOut])
def categories(request: HttpRequest) -> list[Category]:
    """Every category: the main ones by title, each followed by its own."""
    return list(catalog.categories())


@router.get("/products", response=ProductPageOut)
def products(
    request: HttpRequest,
    currency: Currency = "EUR",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    after: Annotated[str | None, Query(max_length=1000, pattern=r"^[A-Za-z0-9_-]+$")] = None,
    category: Annotated[str | None, Query(max_length=100, pattern=SLUG)] = None,
) -> ProductPage:
    """Products with their prices, a page at a time; of one category and what is below it."""
    return catalog.products(currency=currency, limit=limit, after=after, category=category)


@router.get("/products/{slug}", response=ProductOut)
def product(
    request: HttpRequest,
    slug: Annotated[str, Path(max_length=100, pattern=SLUG)],
    currency: Currency = "EUR",
) -> Product:
    """One product with its prices."""
    return catalog.product(slug=slug, currency=currency)
