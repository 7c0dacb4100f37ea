"""The order of a number: who bought what, when, and what became of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from uuid import UUID

from config.seeding import words
from config.seeding.goods import RATES, Good, good, unit
from modules.orders import seeding as orders
from modules.orders.interface import Address, OrderState
from modules.pricing import seeding as pricing
from modules.shipping import seeding as shipping
from modules.shipping.interface import Shipping
from monolift import use

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=30)
CUSTOMERS = 200_000
"""How many there are to choose from; the first ones buy the most."""

_KNOWN_GOODS = 20_000
_GUESTS = 0.3
_CANCELLED = 0.03
_SHIPPED = 0.02


class Purchases:
    """Makes orders of the first `products` products."""

    def __init__(self, *, seed: int, products: int) -> None:
        self._seed = seed
        self._products = products
        self._good = lru_cache(maxsize=_KNOWN_GOODS)(self._made)
        self._delivery = _prices_of_delivery()

    def order(self, number: int) -> orders.PastOrder:
        """The order of that number."""
        chance = Random(self._seed << 64 | 1 << 63 | number)  # noqa: S311 - nothing secret
        pick = chance.random
        basket_id = basket_of(seed=self._seed, number=number)
        guest = pick() < _GUESTS
        buyer = int(pick() ** 3 * CUSTOMERS)
        name = (
            f"{words.FIRST_NAMES[buyer % len(words.FIRST_NAMES)]} "
            f"{words.LAST_NAMES[buyer % len(words.LAST_NAMES)]}"
        )
        country, city, postcode = words.PLACES[buyer % len(words.PLACES)]
        currency = _CURRENCIES.get(country, "EUR")
        method = "express" if pick() < 0.1 else "standard"
        end = pick()
        state = OrderState.DELIVERED
        if end < _CANCELLED:
            state = OrderState.CANCELLED
        elif end < _CANCELLED + _SHIPPED:
            state = OrderState.SHIPPED
        chosen: dict[str, tuple[str, str, int, int]] = {}
        for _ in range(1 + int(pick() ** 2 * 4)):
            article_of = self._good(int(pick() ** 2 * self._products))
            article = article_of.articles[int(pick() * len(article_of.articles))]
            quantity = 1 + int(pick() ** 4 * 3)
            price = unit(article.cents, currency)
            chosen[article.sku] = (article_of.title, article.name, quantity, price)
        delivery = self._delivery[country, currency, method]
        priced = pricing.price(
            lines=[(price, quantity) for _, _, quantity, price in chosen.values()],
            country=country,
            delivery=delivery,
        )
        return orders.PastOrder(
            basket_id=basket_id,
            customer_id=None if guest else customer(seed=self._seed, number=buyer),
            state=state,
            currency=currency,
            lines=[
                orders.PastLine(sku, title, named, quantity, price, total)
                for (sku, (title, named, quantity, price)), total in zip(
                    chosen.items(), priced.lines, strict=True
                )
            ],
            net=priced.net,
            shipping=delivery,
            tax=priced.tax,
            tax_rate=priced.tax_rate,
            total=priced.total,
            address=Address(
                name=name,
                street=f"{words.STREETS[buyer % len(words.STREETS)]} {1 + buyer % 99}",
                city=city,
                postcode=postcode,
                country=country,
                email=f"{'guest' if guest else 'customer'}{buyer}@example.org",
            ),
            delivery=method,
            tracking=""
            if state is OrderState.CANCELLED
            else shipping.tracking_of(orders.order_id(basket_id)),
            placed_at=FIRST + number * APART,
        )

    def _made(self, number: int) -> Good:
        return good(seed=self._seed, number=number)


def basket_of(*, seed: int, number: int) -> UUID:
    """The id of an order's basket."""
    return _id(seed, 2 << 64 | number)


def customer(*, seed: int, number: int) -> UUID:
    """The id of a customer."""
    return _id(seed, 3 << 64 | number)


def _id(seed: int, number: int) -> UUID:
    return UUID(int=Random(seed << 96 | number).getrandbits(128), version=4)  # noqa: S311 - no secret


_CURRENCIES = {"US": "USD", "JP": "JPY", "KW": "KWD"}


def _prices_of_delivery() -> Mapping[tuple[str, str, str], int]:
    found = {}
    for country in sorted({country for country, _, _ in words.PLACES}):
        for currency in RATES:
            for rate in use(Shipping).rates(country=country, currency=currency):
                found[country, currency, rate.method] = rate.price.amount
    return found
