"""The process that orders owns the outcome of."""

from datetime import datetime

from modules.orders import models
from modules.orders.events import BoughtLine, OrderCancelled, OrderPaid, OrderPlaced
from modules.orders.interface import Address, BasketId, OrderId, OrderLine, PriceChanged
from modules.orders.requires import (
    Inventory,
    Line,
    Payments,
    Pricing,
    QuoteLine,
    StockedSku,
    inventory,
    payments,
    pricing,
)
from monolift import Money, Saga, publish, step
from monolift.kernel import Dto, clock


class Article(Dto):
    """What is bought, before it has a price."""

    sku: str
    title: str
    quantity: int


class Checkout(Saga, version=1):
    """Turn a basket into a paid order, or leave nothing behind. Its key is the order's id.

    Each attempt at a basket is a saga of its own, with an order id of its own, which is also the
    reference of its hold and its payment. So attempts never mix, and a repeated request is a twin
    of the attempt that runs, never a second one.
    """

    order_id: OrderId
    basket_id: BasketId
    attempt: int
    currency: str
    articles: tuple[Article, ...]
    address: Address
    delivery: str
    expected_total: Money
    card_token: str
    lines: tuple[OrderLine, ...] = ()
    placed_at: datetime | None = None

    @step
    def begin(self) -> None:
        """Nothing to do forward; being undone last, it opens the basket for another attempt."""

    @begin.undo
    def allow_another(self) -> None:
        """Move the basket on to its next attempt."""
        here = models.Basket.objects.filter(pk=self.basket_id, attempt=self.attempt)
        here.update(attempt=self.attempt + 1)

    @step(calls=Pricing.quote)
    def check_prices(self) -> None:
        """Fix the prices, if they are those the customer saw."""
        quote = pricing.quote(
            lines=[QuoteLine(sku=line.sku, quantity=line.quantity) for line in self.articles],
            currency=self.currency,
            country=self.address.country,
        )
        if quote.total != self.expected_total:
            raise PriceChanged(expected=self.expected_total, now=quote.total)
        titles = {article.sku: article.title for article in self.articles}
        self.lines = tuple(
            OrderLine(
                sku=line.sku,
                title=titles[line.sku],
                quantity=line.quantity,
                unit=line.unit,
                total=line.total,
            )
            for line in quote.lines
        )

    @step(calls=Inventory.reserve)
    def reserve(self) -> None:
        """Hold the stock."""
        lines = [Line(sku=StockedSku(line.sku), quantity=line.quantity) for line in self.lines]
        inventory.reserve(reference=self.order_id, lines=lines)

    @reserve.undo
    def release(self) -> None:
        """Give the stock back."""
        inventory.release(reference=self.order_id)

    @step(calls=Payments.authorise)
    def authorise(self) -> None:
        """Set the money aside."""
        payments.authorise(
            reference=self.order_id, amount=self.expected_total, card_token=self.card_token
        )

    @authorise.undo
    def void(self) -> None:
        """Let the money go."""
        payments.void(reference=self.order_id)

    @step(calls=Inventory.take)
    def take(self) -> None:
        """Make the hold last: from here on its timer does nothing."""
        inventory.take(reference=self.order_id)

    @take.undo
    def give_back(self) -> None:
        """Give the stock back; `release` finds nothing left to do then."""
        inventory.release(reference=self.order_id)

    @step
    def place(self) -> None:
        """Write the order."""
        self.placed_at = clock.now()
        order = models.Order(
            id=self.order_id,
            basket_id=self.basket_id,
            currency=self.currency,
            total=self.expected_total.amount,
            address=_plain(self.address),
            delivery=self.delivery,
            placed_at=self.placed_at,
        )
        order.save(force_insert=True)
        models.OrderLine.objects.bulk_create(
            models.OrderLine(
                order=order,
                position=position,
                sku=line.sku,
                title=line.title,
                quantity=line.quantity,
                unit=line.unit.amount,
                total=line.total.amount,
            )
            for position, line in enumerate(self.lines)
        )
        publish(
            OrderPlaced(
                order_id=self.order_id,
                lines=tuple(BoughtLine(sku=one.sku, quantity=one.quantity) for one in self.lines),
                total=self.expected_total,
                email=self.address.email,
            )
        )

    @place.undo
    def cancel(self) -> None:
        """Take the order back."""
        placed = models.Order.objects.filter(pk=self.order_id, state=models.Order.State.PLACED)
        if placed.update(state=models.Order.State.FAILED, problem=NOT_PAID):
            publish(OrderCancelled(order_id=self.order_id, reason=NOT_PAID))

    @step(calls=Payments.capture, pivot=True)
    def capture(self) -> None:
        """Take the money: from here on the order stands."""
        payments.capture(reference=self.order_id)

    @step
    def settle_paid(self) -> None:
        """Write down that it is paid."""
        models.Order.objects.filter(pk=self.order_id).update(state=models.Order.State.PAID)
        publish(OrderPaid(order_id=self.order_id, total=self.expected_total))


NOT_PAID = "the payment could not be taken"


def _plain(address: Address) -> dict[str, str]:
    return {name: getattr(address, name) for name in address.__struct_fields__}
