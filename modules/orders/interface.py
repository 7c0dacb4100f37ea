"""What orders provides."""

from collections.abc import Sequence
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


class CouponRefused(DomainError, status=409):
    """The coupon {coupon} does not count: {problem}"""

    coupon: str
    problem: str


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


class NotCancellable(DomainError, status=409):
    """The order cannot be cancelled: it is {state}."""

    order_id: OrderId
    state: str


class RefundRefused(DomainError, status=409):
    """The refund is not possible: {problem}"""

    order_id: OrderId
    problem: str


class NoInvoice(DomainError, status=404):
    """There is no invoice for this order yet."""

    order_id: OrderId


class InvalidCursor(DomainError, status=422):
    """{after} does not continue a page: give a page's `next` as it was."""

    after: str


class OrderState(StrEnum):
    """Where an order stands. `processing` and `cancelling` end by themselves."""

    PROCESSING = "processing"
    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
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
    """What a customer is about to buy; `order_id` while it is being ordered, and once it is.

    A line that cannot be bought, in this currency or at all, has no price and counts for nothing.
    Without an address there is no tax and no price of delivery (`shipping`) yet. total = net -
    discount + shipping + tax. A coupon that does not count stays with the basket; `coupon_problem`
    says why it does not.
    """

    id: BasketId
    currency: str
    lines: tuple[BasketLine, ...]
    address: Address | None
    delivery: str | None
    net: Money
    discount: Money
    coupon_discount: Money
    shipping: Money
    tax: Money
    total: Money
    coupon: str = ""
    coupon_problem: str = ""
    order_id: OrderId | None = None
    customer_id: UUID | None = None


class OrderLine(Dto):
    """What was bought, at the price it was bought for."""

    sku: str
    title: str
    quantity: int
    unit: Money
    total: Money


class Tax(Dto):
    """The tax of one rate, in hundredths of a percent, on `net`."""

    rate: int
    net: Money
    amount: Money


class Order(Dto):
    """An order. Its lines may be empty while it is processed; `problem` says why it failed.

    `number` is what people call it; it follows from the id.
    total = net - discount + shipping + tax. `coupon_discount` is the part of `discount` that the
    coupon gave, and `taxes` divides `tax` by rate, the highest first; none where only the sum was
    kept.
    """

    id: OrderId
    state: OrderState
    lines: tuple[OrderLine, ...]
    address: Address | None
    total: Money | None
    placed_at: datetime | None
    problem: str = ""
    number: str = ""
    customer_id: UUID | None = None
    net: Money | None = None
    discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    coupon: str = ""
    refunded: Money | None = None
    tracking: str = ""
    coupon_discount: Money | None = None
    taxes: tuple[Tax, ...] = ()


class OrderSummary(Dto):
    """A line in a list of orders."""

    id: OrderId
    number: str
    state: OrderState
    email: str
    articles: int
    total: Money
    refunded: Money
    placed_at: datetime


class OrderPage(Dto):
    """Some orders, the newest first; `next` continues after them, None at the end."""

    orders: tuple[OrderSummary, ...]
    next: str | None = None


class BoughtOrder(Dto):
    """What one order held."""

    order_id: OrderId
    skus: tuple[str, ...]


class BoughtPage(Dto):
    """Some orders, in order of placing; `next` continues after them, None at the end."""

    orders: tuple[BoughtOrder, ...]
    next: str | None = None


class Invoice(Dto):
    """The bill of a paid order. Numbers have no gaps within a year."""

    number: str
    issued_at: datetime
    order: Order


class Refund(Dto):
    """Money given back, or on its way back when it is not `done`."""

    id: UUID
    amount: Money
    reason: str
    done: bool
    at: datetime


class TimelineEntry(Dto):
    """A line of what happened to an order: a step of a process, and what became of it."""

    at: datetime
    process: str
    step: str
    what: str
    note: str


class Orders(Interface, Protocol, version=1):
    """Baskets and orders. Who holds a basket's id holds the basket."""

    @query(timeout=5)
    def basket(self, *, basket_id: BasketId, currency: str = "EUR") -> Basket:
        """The basket with current prices; an unknown id is an empty basket."""
        ...

    @command(timeout=5)
    def create_basket(self, *, customer_id: UUID) -> BasketId:
        """Make a new, empty basket that is a customer's, and is emptied when they are forgotten.

        A guest's needs no making. `claim_basket` moves what is in it to the customer's others.
        """
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

    @command(timeout=5, raises=(CouponRefused, BasketClosed))
    def set_coupon(self, *, basket_id: BasketId, code: str) -> None:
        """Use a coupon, in place of another one; an empty code takes it off."""
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
            CouponRefused,
            CheckoutFailed,
            BasketClosed,
        ),
    )
    def check_out(
        self,
        *,
        basket_id: BasketId,
        expected_total: Money,
        card_token: str,
        customer_id: UUID | None = None,
    ) -> Order:
        """Order and pay the basket. Doing it twice orders once and returns the same order.

        The order belongs to `customer_id`, else to whose basket it is, else to nobody. From here on
        the basket is closed. BasketClosed names the order there is when it has another total than
        the expected one.

        After any other error nothing is held, placed or charged, the basket is open, and it can be
        tried again: with another card, at the new price, with fewer articles. An order that is
        still in state `processing` is finished in the background; `order` tells how it ended.
        """
        ...

    @command(timeout=5)
    def claim_basket(self, *, basket_id: BasketId, customer_id: UUID) -> BasketId:
        """Make the basket its customer's, at sign-in; the id of the basket to go on with.

        When the customer has an open basket already, what is in this one moves there, as far as
        there is room. A basket that was ordered, or is being ordered, or that belongs to another
        customer stays as it is.
        """
        ...

    @query(timeout=2, raises=OrderNotFound)
    def order(self, *, order_id: OrderId) -> Order:
        """An order by its id."""
        ...

    @query(timeout=5, raises=InvalidCursor)
    def history(self, *, customer_id: UUID, limit: int = 20, after: str | None = None) -> OrderPage:
        """A customer's orders; at most 100 a page."""
        ...

    @query(timeout=5, raises=InvalidCursor)
    def orders(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        state: OrderState | None = None,
        text: str = "",
    ) -> OrderPage:
        """All orders, for the back office; `text` is the start of a number or an email address."""
        ...

    @query(timeout=5, raises=OrderNotFound)
    def timeline(self, *, order_id: OrderId) -> Sequence[TimelineEntry]:
        """What the processes of an order did, in order of time. For the back office.

        OrderNotFound also once they are not kept any more.
        """
        ...

    @query(timeout=5)
    def refunds(self, *, order_id: OrderId) -> Sequence[Refund]:
        """The refunds of an order, in order of time."""
        ...

    @query(timeout=5, raises=NoInvoice)
    def invoice(self, *, order_id: OrderId) -> Invoice:
        """The bill of an order: there soon after it is paid, unless it was cancelled before."""
        ...

    @query(timeout=10, raises=InvalidCursor)
    def bought(self, *, after: str | None = None, limit: int = 500) -> BoughtPage:
        """What all orders held, at most 1000 a page. For whoever counts it anew."""
        ...

    @command(timeout=30, raises=(OrderNotFound, NotCancellable))
    def cancel(self, *, order_id: OrderId, reason: str = "") -> Order:
        """Take back an order that is paid and not shipped: stock and money go back.

        Doing it twice cancels once. An order that is answered in state `cancelling` is finished in
        the background; it goes its way after all if the carrier turns out to have its parcel. When
        that could not be found out it was not cancelled either, and can be tried again.
        """
        ...

    @command(timeout=30, raises=(OrderNotFound, RefundRefused))
    def refund(
        self, *, order_id: OrderId, refund_reference: UUID, amount: Money, reason: str
    ) -> Order:
        """Give back a part of what was paid, once per `refund_reference`.

        Only money moves: a parcel that has not left goes its way all the same, and an order of
        which all was given back cannot be cancelled. To keep the parcel here, cancel.
        """
        ...

    @command(timeout=30, raises=(OrderNotFound, RefundRefused))
    def refund_rest(self, *, order_id: OrderId, refund_reference: UUID, reason: str) -> Order:
        """Give back all that is left of what was paid, once per `refund_reference`.

        See `refund`: the parcel goes its way all the same.
        """
        ...
