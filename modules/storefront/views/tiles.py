"""Tiles: what a list says about each product."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from modules.storefront.requires import CatalogSku, Product, ProductCard, StockedSku, Variant
from modules.storefront.views.optional import optional
from modules.storefront.views.recent import catalog, inventory, recommendations
from monolift.kernel import Money

FEW = 5
"""So many or fewer are worth saying."""

type Stock = Mapping[str, int] | None
"""What can be bought of each SKU; None when inventory gave no answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A product in a list. `available` counts all variants; None when it is not known."""

    slug: str
    title: str
    image: str
    price: Money | None
    price_before: Money | None
    varies: bool = False
    choices: int = 1
    available: int | None = None
    few: int = FEW


def tile(product: Product, stock: Stock) -> Tile:
    """The tile of a product whose variants are known."""
    priced = [one for one in product.variants if one.price is not None]
    cheapest = min(priced, key=_amount, default=None)
    return Tile(
        slug=product.slug,
        title=product.title,
        image=product.image,
        price=cheapest.price if cheapest else None,
        price_before=cheapest.price_before if cheapest else None,
        varies=len({_amount(one) for one in priced}) > 1,
        choices=len(product.variants),
        available=None if stock is None else sum(stock.get(one.sku, 0) for one in product.variants),
    )


def tiles(products: Iterable[Product]) -> Sequence[Tile]:
    """Tiles of products, with their stock by one call."""
    products = list(products)
    stock = stock_of([one.sku for product in products for one in product.variants])
    return [tile(product, stock) for product in products]


def tiles_of(slugs: Sequence[str], *, currency: str) -> Sequence[Tile]:
    """Tiles by slug, in that order, by one call; what is no longer for sale is left out."""
    cards = catalog.cards(slugs=slugs, currency=currency) if slugs else {}
    return [_of_card(cards[slug]) for slug in slugs if slug in cards]


def tiles_beside(
    skus: Sequence[str], *, currency: str, limit: int, without: Container[str] = ()
) -> Sequence[Tile]:
    """Tiles of what is bought with these SKUs, of what is bought most without any.

    Other products than `without` (slugs). A page can do without it.
    """

    def found() -> Sequence[Tile]:
        # Some are left out below: variants of one product, and what is not for sale any more.
        beside = recommendations.bought_together(skus=skus, limit=3 * limit)
        if not beside:
            return ()
        labels = catalog.labels(skus=[CatalogSku(sku) for sku in beside])
        slugs = dict.fromkeys(labels[sku].slug for sku in map(CatalogSku, beside) if sku in labels)
        wanted = [slug for slug in slugs if slug not in without][: 2 * limit]
        return tiles_of(wanted, currency=currency)[:limit]

    return optional(found, otherwise=(), part="recommendations")


def stock_of(skus: Sequence[str]) -> Stock:
    """What can be bought of each; a page can do without it."""
    if not skus:
        return {}
    counts = optional(
        lambda: inventory.available(skus=[StockedSku(sku) for sku in skus]),
        otherwise=None,
        part="stock",
    )
    return None if counts is None else {str(sku): count for sku, count in counts.items()}


def _of_card(card: ProductCard) -> Tile:
    return Tile(
        slug=card.slug,
        title=card.title,
        image=card.image,
        price=card.price,
        price_before=card.price_before,
        choices=card.variants,
    )


def _amount(variant: Variant) -> int:
    return variant.price.amount if variant.price else 0
