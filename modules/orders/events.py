"""Facts that orders announces."""

from uuid import UUID

from monolift.kernel import Dto, Event, Money


class BoughtLine(Dto):
    """So many of a SKU."""

    sku: str
    quantity: int


class OrderPlaced(Event, version=1, key="order_id"):
    """An order was placed; its payment is authorised."""

    order_id: UUID
    lines: tuple[BoughtLine, ...]
    total: Money
    email: str
    customer_id: UUID | None = None


class OrderPaid(Event, version=1, key="order_id"):
    """The money for an order was taken."""

    order_id: UUID
    total: Money
    email: str = ""
    customer_id: UUID | None = None


class OrderShipped(Event, version=1, key="order_id"):
    """An order is on its way."""

    order_id: UUID
    email: str
    tracking: str
    customer_id: UUID | None = None


class OrderDelivered(Event, version=1, key="order_id"):
    """An order has reached its customer."""

    order_id: UUID
    email: str


class OrderCancelled(Event, version=1, key="order_id"):
    """An order was taken back: before it was paid, or with `refunded` given back."""

    order_id: UUID
    reason: str
    email: str = ""
    refunded: Money | None = None
    customer_id: UUID | None = None


class OrderRefunded(Event, version=1, key="order_id"):
    """A part of an order's price was given back, or all of it."""

    order_id: UUID
    amount: Money
    email: str
    customer_id: UUID | None = None
