"""What orders provides."""

from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, Money, command, query

BasketId = NewType("BasketId", UUID)
OrderId = NewType("OrderId", UUID)


class UnknownSku(DomainError, status=404):
    """There is nothing for sale called {sku}."""

    sku: str


class QuantityOutOfRange(DomainError, status=422):
    """{quantity} is not a quantity we can sell: choose from 1 to {most}."""

    quantity: int
    most: int


class BasketEmpty(DomainError, status=409):
    """The basket is empty."""

    basket_id: BasketId


class BasketClosed(DomainError, status=409):
    """This basket was already ordered as {order_id}."""

    basket_id: BasketId
    order_id: OrderId


class BasketFull(DomainError, status=409):
    """A basket has room for {most} different articles."""

    most: int


class AddressMissing(DomainError, status=409):
    """Tell us first where to deliver to."""

    basket_id: BasketId


class InvalidAddress(DomainError, status=422):
    """The address cannot be used: {problem}"""

    problem: str


class PriceChanged(DomainError, status=409):
    """The price is now {now}; it was {expected} when you last saw it."""

    expected: Money
    now: Money


class OutOfStock(DomainError, status=409):
    """Only {available} of {sku} are left."""

    sku: str
    available: int


class PaymentRefused(DomainError, status=402):
    """The payment was refused: {reason}"""

    reason: str


class CheckoutFailed(DomainError, status=409):
    """The order could not be completed: {reason}. Nothing was charged; you can try again."""

    reason: str


class OrderNotFound(DomainError, status=404):
    """There is no such order."""

    order_id: OrderId


class OrderState(StrEnum):
    """Where an order stands."""

    PROCESSING = "processing"
    PLACED = "placed"
    PAID = "paid"
    FAILED = "failed"


class Address(Dto):
    """Where an order goes; `country` is ISO 3166-1 alpha-2."""

    name: str
    street: str
    city: str
    postcode: str
    country: str
    email: str


class BasketLine(Dto):
    """A line of a basket, priced and named as of now."""

    sku: str
    title: str
    name: str
    slug: str
    image: str
    quantity: int
    unit: Money | None
    total: Money | None


class Basket(Dto):
    """What a customer is about to buy; `order_id` once it is ordered.

    Lines without a price count for nothing, and without an address there is no tax yet.
    """

    id: BasketId
    currency: str
    lines: tuple[BasketLine, ...]
    address: Address | None
    delivery: str | None
    net: Money
    discount: Money
    tax: Money
    total: Money
    order_id: OrderId | None = None


class OrderLine(Dto):
    """What was bought, at the price it was bought for."""

    sku: str
    title: str
    quantity: int
    unit: Money
    total: Money


class Order(Dto):
    """An order. Its lines may be empty while it is processed; `problem` says why it failed."""

    id: OrderId
    state: OrderState
    lines: tuple[OrderLine, ...]
    address: Address | None
    total: Money | None
    placed_at: datetime | None
    problem: str = ""


class Orders(Interface, Protocol, version=1):
    """Baskets and orders. Who holds a basket's id holds the basket."""

    @query(timeout=5)
    def basket(self, *, basket_id: BasketId, currency: str = "EUR") -> Basket:
        """The basket with current prices; an unknown id is an empty basket."""
        ...

    @command(timeout=5, raises=(UnknownSku, QuantityOutOfRange, BasketFull, BasketClosed))
    def add_to_basket(
        self, *, basket_id: BasketId, sku: str, quantity: int, currency: str = "EUR"
    ) -> None:
        """Put more of a SKU into the basket, which is then priced in `currency`."""
        ...

    @command(timeout=5, raises=(UnknownSku, QuantityOutOfRange, BasketClosed))
    def set_quantity(self, *, basket_id: BasketId, sku: str, quantity: int) -> None:
        """Change a line's quantity; 0 removes the line."""
        ...

    @command(timeout=5, raises=(InvalidAddress, BasketClosed))
    def set_address(self, *, basket_id: BasketId, address: Address) -> None:
        """Say where to deliver to; tax depends on it."""
        ...

    @command(timeout=5, raises=(InvalidAddress, BasketClosed))
    def set_delivery(self, *, basket_id: BasketId, method: str) -> None:
        """Choose how to deliver: `standard` or `express`."""
        ...

    @command(
        timeout=30,
        raises=(
            BasketEmpty,
            AddressMissing,
            PriceChanged,
            OutOfStock,
            PaymentRefused,
            UnknownSku,
            InvalidAddress,
            CheckoutFailed,
        ),
    )
    def check_out(self, *, basket_id: BasketId, expected_total: Money, card_token: str) -> Order:
        """Order and pay the basket. Doing it twice orders once and returns the same order.

        After an error nothing is held, placed or charged, and it can be tried again: with another
        card, at the new price, with fewer articles. An order that is still in state `processing`
        is finished in the background; `order` tells how it ended.
        """
        ...

    @query(timeout=2, raises=OrderNotFound)
    def order(self, *, order_id: OrderId) -> Order:
        """An order by its id."""
        ...
