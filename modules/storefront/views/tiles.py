"""Tiles: what a list says about each product."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from modules.storefront import compositions as parts
from modules.storefront.requires import CatalogSku, Product, ProductCard, StockedSku, Variant
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
    """Tiles by slug, in that order; what is no longer for sale is left out. Two calls."""
    cards = parts.found_cards(slugs=slugs, currency=currency) if slugs else {}
    shown = [cards[slug] for slug in slugs if slug in cards]
    stock = stock_of([sku for card in shown for sku in card.skus])
    return [tile_of_card(card, stock) for card in shown]


def beside(limit: int) -> int:
    """How many SKUs to ask for, to have so many tiles.

    Some are left out: variants of one product, and what is not for sale any more.
    """
    return 3 * limit


def cards_beside(
    skus: Sequence[str], *, currency: str, limit: int, without: Container[str] = ()
) -> Sequence[ProductCard]:
    """Cards of recommended SKUs, of other products than `without` (slugs)."""
    labels = parts.labels_beside(skus=[CatalogSku(sku) for sku in skus]) if skus else None
    if not labels:
        return ()
    slugs = dict.fromkeys(labels[sku].slug for sku in map(CatalogSku, skus) if sku in labels)
    wanted = [slug for slug in slugs if slug not in without][: 2 * limit]
    cards = parts.cards_beside(slugs=wanted, currency=currency) if wanted else None
    return [cards[slug] for slug in wanted if slug in cards][:limit] if cards else ()


def stock_of(skus: Sequence[str]) -> Stock:
    """What can be bought of each."""
    if not skus:
        return {}
    return counted(parts.stock(skus=[StockedSku(sku) for sku in skus]))


def counted(counts: Mapping[StockedSku, int] | None) -> Stock:
    """What inventory answered, as lists know it."""
    return None if counts is None else {str(sku): count for sku, count in counts.items()}


def tile_of_card(card: ProductCard, stock: Stock) -> Tile:
    """The tile of a product of which only the card is known."""
    return Tile(
        slug=card.slug,
        title=card.title,
        image=card.image,
        price=card.price,
        price_before=card.price_before,
        varies=card.varies,
        choices=card.variants,
        available=None if stock is None else sum(stock.get(sku, 0) for sku in card.skus),
    )


def _amount(variant: Variant) -> int:
    return variant.price.amount if variant.price else 0
