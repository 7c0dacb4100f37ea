"""The first page: what the shop is, what it has, what is cheaper, what others buy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from modules.storefront import compositions as parts
from modules.storefront.requires import Category, Product
from modules.storefront.views.frame import menu_of
from modules.storefront.views.page import answers, page
from modules.storefront.views.tiles import beside, cards_beside, stock_of, tile, tile_of_card
from modules.storefront.views.visitor import Visitor
from monolift import together

LOOKED_AT = 100
"""How many products the selections below are made from."""

ROW = 4
PICTURES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """A category with a picture of something in it."""

    category: Category
    image: str


@answers("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The home page."""
    visitor = Visitor.of(request)
    with together() as ask:
        asked = ask(parts.products, currency=visitor.currency, limit=LOOKED_AT)
        asked_categories = ask(parts.categories)
        asked_popular = ask(parts.bought_together, skus=(), limit=beside(ROW))
    products, categories = asked.answer.products, asked_categories.answer
    main = {one.slug: one.parent or one.slug for one in categories}
    offers = _spread([one for one in products if _reduced(one)], ROW)
    above = {one.slug for one in offers}
    popular = cards_beside(
        asked_popular.answer, currency=visitor.currency, limit=ROW, without=above
    )
    above |= {one.slug for one in popular}
    mixed = _mixed([one for one in products if one.slug not in above], main)
    offered = [one.sku for product in (*offers, *mixed) for one in product.variants]
    stock = stock_of([*offered, *(sku for card in popular for sku in card.skus)])
    menu = menu_of(categories)
    context = {
        "menu": menu,
        "pictures": _spread([one for one in products if one.image], PICTURES + 2)[:PICTURES],
        "shelves": _shelves(menu, products, main),
        "offers": [tile(one, stock) for one in offers],
        "popular": [tile_of_card(one, stock) for one in popular],
        "mixed": [tile(one, stock) for one in mixed],
    }
    return page(request, "home.html", context, visitor=visitor, personal=False)


def _shelves(
    menu: Sequence[Category], products: Sequence[Product], main: Mapping[str, str]
) -> Sequence[Shelf]:
    """The main categories, each with a picture of its own if there is one."""
    pictures: dict[str, str] = {}
    for product in products:
        if product.image:
            pictures.setdefault(main.get(product.category, ""), product.image)
    return [Shelf(category=one, image=pictures.get(one.slug, "")) for one in menu]


def _mixed(products: Sequence[Product], main: Mapping[str, str]) -> Sequence[Product]:
    """A row from as many main categories as it has places, then whatever there is."""
    last = {main.get(one.category, ""): one for one in products}
    first = _spread(list(last.values()), ROW)
    return [*first, *(one for one in products if one not in first)][:ROW]


def _spread(products: Sequence[Product], count: int) -> Sequence[Product]:
    """A few from all over the list."""
    step = max(1, len(products) // count)
    return products[step // 2 :: step][:count]


def _reduced(product: Product) -> bool:
    return any(one.price_before is not None for one in product.variants)
