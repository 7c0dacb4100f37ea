"""Handing products and orders to the modules, batch by batch, from where the last run stopped.

Within a batch the module that is asked how far we are is written last, and every module leaves
alone what it knows. So whatever a stopped run left is completed by the next one.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid5

from django.db import connections, reset_queries

from config.seeding.goods import Good, categories, good
from config.seeding.purchases import Purchases, basket_of
from modules.catalog import seeding as catalog
from modules.catalog.interface import Catalog, Product, ProductDraft, ProductId, Variant
from modules.inventory import seeding as inventory
from modules.orders import seeding as orders
from modules.orders.interface import OrderState
from modules.payments import seeding as payments
from modules.pricing.interface import Pricing
from modules.search import seeding as search
from modules.shipping import seeding as shipping
from modules.shipping.interface import ParcelLine, Recipient, ShipmentState
from monolift import use

PRODUCTS = 200
ORDERS = 1000
"""So many go at a time."""

_SHIPMENTS = {
    OrderState.CANCELLED: ShipmentState.CANCELLED,
    OrderState.SHIPPED: ShipmentState.BOOKED,
    OrderState.DELIVERED: ShipmentState.DELIVERED,
}

type Advance = Callable[[int], object]
"""Is told how many more are done."""


@contextmanager
def room_for_many() -> Iterator[None]:
    """Let SQLite write back rarely and keep more of its indexes in memory, while many rows come."""
    wanted = {"wal_autocheckpoint": 16_000, "cache_size": -64_000}
    before = []
    for connection in connections.all():
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                for name, value in wanted.items():
                    cursor.execute(f"PRAGMA {name}")
                    before.append((connection, name, cursor.fetchone()[0]))
                    cursor.execute(f"PRAGMA {name} = {value}")
    try:
        yield
    finally:
        for connection, name, value in before:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA {name} = {value}")


class Filler:
    """Fills the shop with the products and orders of one seed."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def products_there(self, wanted: int) -> int:
        """How many of the first `wanted` products the shop has."""
        return bisect_left(range(wanted), x=True, key=lambda number: not self._has_product(number))

    def orders_there(self, wanted: int) -> int:
        """How many of the first `wanted` orders the shop has."""
        return bisect_left(range(wanted), x=True, key=lambda number: not self._has_order(number))

    def add_products(self, first: int, end: int, *, advance: Advance) -> None:
        """Add the products from `first` to before `end`."""
        if first >= end:
            return
        use(Catalog).set_categories(categories=categories())
        for start in range(first, end, PRODUCTS):
            numbers = range(start, min(start + PRODUCTS, end))
            self._put([good(seed=self._seed, number=number) for number in numbers])
            reset_queries()
            advance(len(numbers))

    def add_orders(self, first: int, end: int, *, products: int, advance: Advance) -> None:
        """Add the orders from `first` to before `end`, of the first `products` products."""
        purchases = Purchases(seed=self._seed, products=products)
        for start in range(first, end, ORDERS):
            numbers = range(start, min(start + ORDERS, end))
            _book([purchases.order(number) for number in numbers])
            reset_queries()
            advance(len(numbers))

    def _put(self, goods: Sequence[Good]) -> None:
        use(Pricing).set_prices(prices=[price for one in goods for price in one.prices()])
        inventory.stock([line for one in goods for line in one.stock()])
        drafts = [one.draft() for one in goods]
        ids = catalog.publish(drafts)
        search.index([_shown(*pair) for pair in zip(drafts, ids, strict=True)])

    def _has_product(self, number: int) -> bool:
        return bool(search.known([good(seed=self._seed, number=number).slug]))

    def _has_order(self, number: int) -> bool:
        basket_id = basket_of(seed=self._seed, number=number)
        return bool(orders.known([orders.order_id(basket_id)]))


def _shown(draft: ProductDraft, identifier: ProductId) -> Product:
    """The product as catalog shows it; search does not look at prices."""
    return Product(
        id=identifier,
        slug=draft.slug,
        title=draft.title,
        description=draft.description,
        image=draft.image,
        variants=tuple(
            Variant(sku=one.sku, name=one.name, options=one.options) for one in draft.offers
        ),
        category=draft.category,
        options=draft.options,
        tags=draft.tags,
    )


def _book(batch: Sequence[orders.PastOrder]) -> None:
    placed = [(orders.order_id(one.basket_id), one) for one in batch]
    inventory.sell(
        [
            inventory.PastSale(
                reference=identifier,
                lines=[(line.sku, line.quantity) for line in one.lines],
                at=one.placed_at,
                released=one.state is OrderState.CANCELLED,
            )
            for identifier, one in placed
        ]
    )
    payments.capture(
        [
            payments.PastPayment(
                reference=identifier,
                amount=one.total,
                currency=one.currency,
                at=one.placed_at,
                refund=_refund(identifier, one),
            )
            for identifier, one in placed
        ]
    )
    shipping.ship([_shipment(*pair) for pair in placed])
    orders.place(batch)


def _refund(identifier: UUID, order: orders.PastOrder) -> UUID | None:
    """The reference under which a cancellation gives back the money."""
    return uuid5(identifier, "cancellation") if order.state is OrderState.CANCELLED else None


def _shipment(identifier: UUID, order: orders.PastOrder) -> shipping.PastShipment:
    address = order.address
    return shipping.PastShipment(
        order_id=identifier,
        state=_SHIPMENTS[order.state],
        method=order.delivery,
        recipient=Recipient(
            name=address.name,
            street=address.street,
            city=address.city,
            postcode=address.postcode,
            country=address.country,
        ),
        parcel=[
            ParcelLine(sku=line.sku, title=f"{line.title}, {line.name}", quantity=line.quantity)
            for line in order.lines
        ],
        at=order.placed_at,
        customer_id=order.customer_id,
    )
