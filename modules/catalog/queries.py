"""Reads of catalog: products with pricing's prices, a fixed number of statements each."""

import base64
import binascii
from collections.abc import Mapping, Sequence

import msgspec
from django.db.models import Prefetch, Q, QuerySet

from modules.catalog import models
from modules.catalog.interface import (
    InvalidCursor,
    Product,
    ProductId,
    ProductNotFound,
    ProductPage,
    Sku,
    Variant,
    VariantLabel,
)
from modules.catalog.requires import ShownPrice, pricing

LARGEST_PAGE = 100


def products(*, currency: str, limit: int, after: str | None) -> ProductPage:
    """A page in order of title; see `Catalog.products`."""
    limit = max(1, min(limit, LARGEST_PAGE))
    found = _products().order_by("title", "slug")
    if after is not None:
        title, slug = _position(after)
        found = found.filter(Q(title__gt=title) | Q(title=title, slug__gt=slug))
    rows = list(found[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return ProductPage(products=_shown(rows, currency), next=_cursor(rows[-1]) if more else None)


def product(*, slug: str, currency: str) -> Product:
    """One product with its prices."""
    rows = list(_products().filter(slug=slug))
    if not rows:
        raise ProductNotFound(slug=slug)
    return _shown(rows, currency)[0]


def labels(*, skus: Sequence[Sku]) -> dict[Sku, VariantLabel]:
    """Names of the variants on sale among these SKUs."""
    if not skus:
        return {}
    found = models.Variant.objects.filter(sku__in=sorted(set(skus)), withdrawn=False)
    return {
        Sku(variant.sku): VariantLabel(
            sku=Sku(variant.sku),
            slug=variant.product.slug,
            title=variant.product.title,
            name=variant.name,
            image=variant.product.image,
        )
        for variant in found.select_related("product")
    }


def _products() -> QuerySet[models.Product]:
    on_sale = models.Variant.objects.filter(withdrawn=False).order_by("position")
    return models.Product.objects.prefetch_related(Prefetch("variants", queryset=on_sale))


def _shown(rows: Sequence[models.Product], currency: str) -> tuple[Product, ...]:
    skus = [variant.sku for row in rows for variant in row.variants.all()]
    prices = pricing.prices(skus=skus, currency=currency) if skus else {}
    return tuple(_product(row, prices) for row in rows)


def _product(row: models.Product, prices: Mapping[str, ShownPrice]) -> Product:
    return Product(
        id=ProductId(row.id),
        slug=row.slug,
        title=row.title,
        description=row.description,
        image=row.image,
        variants=tuple(
            _variant(variant, prices.get(variant.sku)) for variant in row.variants.all()
        ),
    )


def _variant(row: models.Variant, price: ShownPrice | None) -> Variant:
    return Variant(
        sku=Sku(row.sku),
        name=row.name,
        price=price.unit if price else None,
        price_before=price.before if price else None,
    )


def _cursor(row: models.Product) -> str:
    position = msgspec.json.encode((row.title, row.slug))
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


def _position(cursor: str) -> tuple[str, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        title, slug = msgspec.json.decode(text, type=tuple[str, str])
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError):
        raise InvalidCursor(after=cursor) from None
    if "\0" in title + slug:  # no title has one, and PostgreSQL refuses to compare with it
        raise InvalidCursor(after=cursor)
    return title, slug
