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


class OrderPaid(Event, version=1, key="order_id"):
    """The money for an order was taken."""

    order_id: UUID
    total: Money


class OrderCancelled(Event, version=1, key="order_id"):
    """An order was taken back before it was paid."""

    order_id: UUID
    reason: str
