"""Reads of catalog: products with pricing's prices, a fixed number of statements each."""

import base64
import binascii
from collections.abc import Mapping, Sequence

import msgspec
from django.db.models import Prefetch, Q, QuerySet

from modules.catalog import models
from modules.catalog.interface import (
    Category,
    CategoryNotFound,
    Image,
    InvalidCursor,
    Option,
    Product,
    ProductCard,
    ProductId,
    ProductNotFound,
    ProductPage,
    Sku,
    Variant,
    VariantLabel,
)
from modules.catalog.requires import ShownPrice, pricing

LARGEST_PAGE = 100


def categories() -> tuple[Category, ...]:
    """Main categories by title, each followed by its subcategories: one statement."""
    rows = list(
        models.Category.objects.order_by("title", "slug").values_list(
            "slug", "title", "parent_id", "on_sale"
        )
    )
    below: dict[str, list[Category]] = {}
    for slug, title, parent, count in rows:
        if parent is not None:
            one = Category(slug=slug, title=title, parent=parent, count=count)
            below.setdefault(parent, []).append(one)
    found: list[Category] = []
    for slug, title, parent, count in rows:
        if parent is None:
            own = below.get(slug, [])
            total = count + sum(one.count for one in own)
            found += [Category(slug=slug, title=title, count=total), *own]
    return tuple(found)


def products(
    *, currency: str, limit: int, after: str | None, category: str | None = None
) -> ProductPage:
    """A page in order of title; see `Catalog.products`."""
    limit = max(1, min(limit, LARGEST_PAGE))
    found = _with_variants().order_by("title", "slug")
    if after is not None:
        title, slug = _position(after)
        # The first condition says the same again, as the range of the index to begin with.
        found = found.filter(Q(title__gte=title), Q(title__gt=title) | Q(slug__gt=slug))
    if category is not None:
        found = found.filter(_inside(category))
    rows = list(found[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return ProductPage(products=_shown(rows, currency), next=_cursor(rows[-1]) if more else None)


def product(*, slug: str, currency: str) -> Product:
    """One product with its prices."""
    rows = list(_with_variants().filter(slug=slug))
    if not rows:
        raise ProductNotFound(slug=slug)
    return _shown(rows, currency)[0]


def cards(*, slugs: Sequence[str], currency: str) -> dict[str, ProductCard]:
    """What a list says about these products: two statements and pricing's."""
    if not slugs:
        return {}
    # The slugs are the only condition: with another one SQLite reads through the index of titles.
    named = models.Product.objects.filter(slug__in=sorted(set(slugs)))
    columns = ("id", "slug", "title", "image", "category_id", "withdrawn")
    rows = {row["id"]: row for row in named.values(*columns) if not row["withdrawn"]}
    skus: dict[object, list[Sku]] = {}
    sold = models.Variant.objects.filter(product__in=list(rows), withdrawn=False)
    for sku, product_id in sold.order_by("position").values_list("sku", "product_id"):
        skus.setdefault(product_id, []).append(Sku(sku))
    every = [sku for own in skus.values() for sku in own]
    prices = pricing.prices(skus=every, currency=currency) if every else {}
    found = {}
    for key, row in rows.items():
        own = skus.get(key, [])
        priced = [prices[sku] for sku in own if sku in prices]
        cheapest = min(priced, key=lambda price: price.unit.amount, default=None)
        found[row["slug"]] = ProductCard(
            slug=row["slug"],
            title=row["title"],
            image=row["image"],
            price=cheapest.unit if cheapest else None,
            price_before=cheapest.before if cheapest else None,
            variants=len(own),
            category=row["category_id"] or "",
            varies=len({price.unit for price in priced}) > 1,
            skus=tuple(own),
        )
    return found


def labels(*, skus: Sequence[Sku]) -> dict[Sku, VariantLabel]:
    """Names of the variants on sale among these SKUs."""
    if not skus:
        return {}
    found = models.Variant.objects.filter(sku__in=sorted(set(skus)), withdrawn=False).values_list(
        "sku", "product__slug", "product__title", "name", "image", "product__image"
    )
    return {
        Sku(sku): VariantLabel(
            sku=Sku(sku), slug=slug, title=title, name=name, image=own_image or image
        )
        for sku, slug, title, name, own_image, image in found
    }


def _on_sale() -> QuerySet[models.Product]:
    return models.Product.objects.filter(withdrawn=False)


def _with_variants() -> QuerySet[models.Product]:
    on_sale = models.Variant.objects.filter(withdrawn=False).order_by("position")
    return _on_sale().prefetch_related(Prefetch("variants", queryset=on_sale))


def _inside(category: str) -> Q:
    parents = models.Category.objects.filter(slug=category).values_list("parent", flat=True)
    found = list(parents)
    if not found:
        raise CategoryNotFound(slug=category)
    # Each has an index of its own, in the order of the page.
    return Q(section=category) if found[0] is None else Q(category=category)


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
        category=row.category_id or "",
        options=tuple(Option(name=name, values=tuple(values)) for name, values in row.options),
        images=tuple(Image(path=path, alt=alt) for path, alt in row.images),
        tags=tuple(row.tags),
    )


def _variant(row: models.Variant, price: ShownPrice | None) -> Variant:
    return Variant(
        sku=Sku(row.sku),
        name=row.name,
        price=price.unit if price else None,
        price_before=price.before if price else None,
        options=tuple(row.options),
        image=row.image,
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
