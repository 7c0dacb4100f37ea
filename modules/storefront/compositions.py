"""What the pages are made of, and what becomes of them when a module is silent.

Many visitors look at the same goods, and a price tag that is five seconds late harms nobody: what
is charged is asked of its owner each time. So pages of goods keep what they read for
`STOREFRONT["FRESH_FOR"]` seconds, and show it for `STOREFRONT["STANDS_FOR"]` seconds more while its
module is silent (ADR 0028). Baskets and all that is about money or about somebody are never kept.
"""

from django.conf import settings

from modules.storefront.requires import (
    catalog,
    inventory,
    orders,
    pricing,
    profiles,
    recommendations,
    search,
    shipping,
)
from monolift import Composition, part


def _fresh_for() -> float:
    return float(settings.STOREFRONT["FRESH_FOR"])


def _stands_for() -> float:
    return float(settings.STOREFRONT["STANDS_FOR"])


HOME = Composition("home")
LISTS = Composition("lists")
PRODUCT = Composition("product")
SEARCH = Composition("search")
TYPING = Composition("suggestions while typing")
BASKET = Composition("basket")
CHECKOUT = Composition("checkout")

categories = part(
    catalog.categories,
    of=[HOME, LISTS, PRODUCT, SEARCH, BASKET, CHECKOUT],
    otherwise=(),
    without="no menu of categories",
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
products = part(
    catalog.products,
    of=[HOME, LISTS],
    through=["pricing"],
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
product = part(
    catalog.product, of=[PRODUCT], through=["pricing"], fresh_for=_fresh_for, stands_for=_stands_for
)
found_cards = part(
    catalog.cards,
    of=[LISTS, SEARCH],
    through=["pricing"],
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
cards_beside = part(
    catalog.cards,
    of=[HOME, PRODUCT, SEARCH],
    otherwise=None,
    without="nothing that others buy",
    through=["pricing"],
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
labels_beside = part(
    catalog.labels,
    of=[HOME, PRODUCT, SEARCH],
    otherwise=None,
    without="nothing that others buy",
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
bought_together = part(
    recommendations.bought_together,
    of=[HOME, PRODUCT, SEARCH],
    otherwise=(),
    without="nothing that others buy",
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
stock = part(
    inventory.available,
    of=[HOME, LISTS, PRODUCT, SEARCH],
    otherwise=None,
    without="no word on what is left; ordering still looks",
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
found = part(search.search, of=[SEARCH], fresh_for=_fresh_for, stands_for=_stands_for)
narrowed = part(
    search.search,
    of=[LISTS],
    otherwise=None,
    without="no narrowing by options",
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)
suggestions = part(
    search.suggest,
    of=[TYPING],
    otherwise=(),
    without="no suggestions",
    fresh_for=_fresh_for,
    stands_for=_stands_for,
)

basket = part(orders.basket, of=[BASKET, CHECKOUT], through=["catalog", "pricing"])
basket_stock = part(
    inventory.available,
    of=[BASKET],
    otherwise=None,
    without="no word on what is left; ordering still looks",
)
destinations = part(pricing.destinations, of=[CHECKOUT])
quote = part(pricing.quote, of=[CHECKOUT])
rates = part(shipping.rates, of=[CHECKOUT])
addresses = part(
    profiles.addresses, of=[CHECKOUT], otherwise=(), without="no addresses to choose from"
)
