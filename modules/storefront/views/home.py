"""The first page: what the shop is, what it has, what is cheaper, what is new."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from modules.storefront.requires import Category, Product, catalog
from modules.storefront.views.optional import optional
from modules.storefront.views.page import answers, page
from modules.storefront.views.tiles import tiles
from modules.storefront.views.visitor import Visitor

LOOKED_AT = 60
"""How many products the selections below are made from."""

ROW = 4
PICTURES = 3
SHELVES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """A category with a picture of something in it."""

    category: Category
    image: str


@answers("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The home page."""
    visitor = Visitor.of(request)
    products = catalog.products(currency=visitor.currency, limit=LOOKED_AT).products
    offers = [one for one in products if _reduced(one)][:ROW]
    # Ids grow with time (RFC 9562, UUID version 7).
    fresh = [one for one in sorted(products, key=_id, reverse=True) if one not in offers][:ROW]
    shown = {one.slug: one for one in tiles([*offers, *fresh])}
    context = {
        "pictures": _spread([one for one in products if one.image]),
        "shelves": _shelves(products),
        "offers": [shown[one.slug] for one in offers],
        "fresh": [shown[one.slug] for one in fresh],
    }
    return page(request, "home.html", context, visitor=visitor, personal=False)


def _shelves(products: Sequence[Product]) -> Sequence[Shelf]:
    """The main categories that hold anything, each with a picture of its own if there is one."""
    categories = optional(catalog.categories, otherwise=(), part="categories")
    main = [one for one in categories if one.parent is None and one.count]
    parents = {one.slug: one.parent or one.slug for one in categories}
    pictures: dict[str, str] = {}
    for product in products:
        if product.image:
            pictures.setdefault(parents.get(product.category, ""), product.image)
    return [Shelf(category=one, image=pictures.get(one.slug, "")) for one in main[:SHELVES]]


def _spread(products: Sequence[Product]) -> Sequence[Product]:
    """A few from all over the list."""
    step = max(1, len(products) // PICTURES)
    return products[step // 2 :: step][:PICTURES]


def _reduced(product: Product) -> bool:
    return any(one.price_before is not None for one in product.variants)


def _id(product: Product) -> int:
    return product.id.int
