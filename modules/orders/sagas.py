"""The process that orders owns the outcome of."""

from datetime import datetime
from uuid import UUID, uuid5

from django.db.models import F, QuerySet, UUIDField, Value
from django.db.models.functions import Coalesce

from modules.orders import models
from modules.orders.events import (
    BoughtLine,
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
)
from modules.orders.interface import (
    Address,
    BasketEmpty,
    BasketId,
    NotCancellable,
    OrderId,
    OrderLine,
    PriceChanged,
    RefundRefused,
    Tax,
)
from modules.orders.requires import (
    CouponNotValid,
    Inventory,
    Line,
    ParcelLine,
    Payments,
    Pricing,
    Quote,
    QuoteLine,
    Recipient,
    Shipping,
    StockedSku,
    inventory,
    payments,
    pricing,
    shipping,
)
from modules.shipping.events import ShipmentBooked, ShipmentCancelled
from monolift import Money, Saga, days, publish, step
from monolift.kernel import Dto, clock

PATIENT = 60
"""Attempts where a human would only try again: with the delays between them about an hour."""


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
    customer_id: UUID | None = None
    attempt: int
    currency: str
    articles: tuple[Article, ...]
    address: Address
    delivery: str
    expected_total: Money
    card_token: str
    coupon: str = ""
    lines: tuple[OrderLine, ...] = ()
    net: Money | None = None
    discount: Money | None = None
    coupon_discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    taxes: tuple[Tax, ...] = ()
    placed_at: datetime | None = None

    @step
    def begin(self) -> None:
        """Close the basket: what was agreed to does not change while it is ordered."""
        if not self.here().update(begun=self.attempt):
            # It went into another basket in this moment, at a sign-in.
            raise BasketEmpty(basket_id=self.basket_id)

    @begin.undo
    def allow_another(self) -> None:
        """Move the basket on to its next attempt, which opens it."""
        self.here().update(attempt=self.attempt + 1, customer_id=self.owner())

    def here(self) -> QuerySet[models.Basket]:
        """The basket, as long as this is its attempt."""
        return models.Basket.objects.filter(pk=self.basket_id, attempt=self.attempt)

    def owner(self) -> Coalesce:
        """Whose the basket is from here on: a customer who ordered nobody's made it theirs."""
        return Coalesce("customer_id", Value(self.customer_id, output_field=UUIDField()))

    @step(calls=(Pricing.quote, Pricing.redeem, Shipping.rate))
    def check_prices(self) -> None:
        """Fix the prices, if they are those the customer saw, and use the coupon.

        A coupon that does not count is in nobody's way who saw the price without it.
        """
        country = self.address.country
        rate = shipping.rate(country=country, currency=self.currency, method=self.delivery)
        try:
            quote = self.quoted(rate.price)
        except CouponNotValid:
            refused, self.coupon = self.coupon, ""
            quote = self.quoted(rate.price)
            if quote.total != self.expected_total:
                self.coupon = refused
                raise
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
        self.net, self.discount, self.tax = quote.net, quote.discount, quote.tax
        self.coupon_discount = quote.coupon_discount
        self.taxes = tuple(
            Tax(rate=one.rate, net=one.net, amount=one.amount) for one in quote.taxes
        )
        self.shipping = quote.delivery
        if self.coupon:
            pricing.redeem(code=self.coupon, reference=self.order_id)

    def quoted(self, delivery: Money) -> Quote:
        """What it costs now."""
        return pricing.quote(
            lines=[QuoteLine(sku=line.sku, quantity=line.quantity) for line in self.articles],
            currency=self.currency,
            country=self.address.country,
            coupon=self.coupon,
            reference=self.order_id,
            delivery=delivery,
        )

    @check_prices.undo
    def give_coupon_back(self) -> None:
        """The coupon can be used again."""
        if self.coupon:
            pricing.unredeem(reference=self.order_id)

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
            customer_id=self.customer_id,
            currency=self.currency,
            net=_amount(self.net),
            discount=_amount(self.discount),
            coupon_discount=_amount(self.coupon_discount),
            shipping=_amount(self.shipping),
            tax=_amount(self.tax),
            taxes=[(one.rate, one.net.amount, one.amount.amount) for one in self.taxes],
            total=self.expected_total.amount,
            email=self.address.email,
            address=_plain(self.address),
            delivery=self.delivery,
            coupon=self.coupon,
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
                customer_id=self.customer_id,
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

    @step(answer=True)
    def settle_paid(self) -> None:
        """Write down that it is paid. The customer waits for no more than this."""
        models.Order.objects.filter(pk=self.order_id).update(state=models.Order.State.PAID)
        publish(
            OrderPaid(
                order_id=self.order_id,
                total=self.expected_total,
                email=self.address.email,
                customer_id=self.customer_id,
            )
        )

    @step
    def bill(self) -> None:
        """Give the invoice the next number of its year; an order that is cancelled gets none."""
        if _locked(self.order_id).state == models.Order.State.CANCELLED:
            return
        issued_at = clock.now()
        number = _next_number(issued_at.year)
        models.Invoice(
            order_id=self.order_id, year=issued_at.year, number=number, issued_at=issued_at
        ).save(force_insert=True)

    @step(calls=Shipping.book)
    def book(self) -> None:
        """Have it delivered."""
        shipping.book(
            order_id=self.order_id,
            method=self.delivery,
            recipient=Recipient(
                name=self.address.name,
                street=self.address.street,
                city=self.address.city,
                postcode=self.address.postcode,
                country=self.address.country,
            ),
            parcel=[
                ParcelLine(sku=line.sku, title=line.title, quantity=line.quantity)
                for line in self.lines
            ],
            customer_id=self.customer_id,
        )

    @step(awaits=(ShipmentBooked, ShipmentCancelled), match="order_id", within=days(14))
    def ship(self, event: ShipmentBooked | ShipmentCancelled) -> None:
        """Write down that it is on its way. A cancellation tells its own story.

        What the carrier has is cancelled no more, even if a cancellation has not heard so yet.
        """
        if isinstance(event, ShipmentCancelled):
            return
        order = _locked(self.order_id)
        here = models.Order.objects.filter(pk=self.order_id, state__in=("paid", "cancelling"))
        if here.update(state=models.Order.State.SHIPPED):
            _settle_refunded(order)
        models.Order.objects.filter(pk=self.order_id).update(tracking=event.tracking)
        publish(
            OrderShipped(
                order_id=self.order_id,
                email=self.address.email,
                tracking=event.tracking,
                customer_id=self.customer_id,
            )
        )


class Cancellation(Saga, version=1, attempts=PATIENT):
    """Take back an order that is paid and not shipped.

    Its key is the order's id. When an attempt was given up, the next one has its number added.
    """

    order_id: OrderId
    reason: str
    email: str = ""
    customer_id: UUID | None = None
    amount: Money | None = None

    @step
    def close(self) -> None:
        """Nothing else happens to the order from here on."""
        order = _locked(self.order_id)
        if order.state != models.Order.State.PAID:
            raise NotCancellable(order_id=self.order_id, state=order.state)
        models.Order.objects.filter(pk=self.order_id).update(state=models.Order.State.CANCELLING)
        self.email, self.customer_id = order.email, order.customer_id

    @close.undo
    def reopen(self) -> None:
        """It goes its way after all."""
        order = _locked(self.order_id)
        if order.state == models.Order.State.CANCELLING:
            models.Order.objects.filter(pk=self.order_id).update(state=models.Order.State.PAID)
            _settle_refunded(order)

    @step(calls=Shipping.cancel, pivot=True)
    def keep_here(self) -> None:
        """Stop the parcel: if the carrier has it already, nothing is cancelled."""
        shipping.cancel(order_id=self.order_id)

    @step(calls=Payments.refund)
    def pay_back(self) -> None:
        """Give back what was not given back before, once no refund is on its way any more."""
        order = models.Order.objects.filter(pk=self.order_id)
        if order.filter(refunds__state=models.Refund.State.PENDING).exists():
            raise RuntimeError("A refund is on its way: what is left to give back is not known.")
        # New ones are refused since `close`.
        total, refunded, currency = order.values_list("total", "refunded", "currency").get()
        self.amount = Money(total - refunded, currency)
        if self.amount:
            reference = uuid5(self.order_id, "cancellation")
            payments.refund(reference=self.order_id, refund_reference=reference, amount=self.amount)

    @step(calls=Inventory.release)
    def restock(self) -> None:
        """The stock is for sale again."""
        inventory.release(reference=self.order_id)

    @step(calls=Pricing.unredeem)
    def give_coupon_back(self) -> None:
        """The coupon, if there was one, can be used again."""
        pricing.unredeem(reference=self.order_id)

    @step
    def finish(self) -> None:
        """Write down that it is cancelled."""
        models.Order.objects.filter(pk=self.order_id).update(
            state=models.Order.State.CANCELLED, refunded=F("total"), problem=self.reason
        )
        publish(
            OrderCancelled(
                order_id=self.order_id,
                reason=self.reason,
                email=self.email,
                refunded=self.amount,
                customer_id=self.customer_id,
            )
        )


class Refunding(Saga, version=1, attempts=PATIENT):
    """Give back a part of an order's price. Its key is the refund's id."""

    order_id: OrderId
    refund_id: UUID
    amount: Money
    reason: str
    email: str = ""
    customer_id: UUID | None = None

    @step
    def set_aside(self) -> None:
        """Count the money as refunded, so that two refunds never exceed what was paid."""
        order = _locked(self.order_id)
        if order.state not in REFUNDABLE:
            problem = f"the order is {order.state}."
            raise RefundRefused(order_id=self.order_id, problem=problem)
        left = Money(order.total - order.refunded, order.currency)
        if self.amount.amount > left.amount:
            raise RefundRefused(
                order_id=self.order_id, problem=f"at most {left} is left to refund."
            )
        self.email, self.customer_id = order.email, order.customer_id
        models.Order.objects.filter(pk=self.order_id).update(
            refunded=order.refunded + self.amount.amount
        )
        models.Refund(
            id=self.refund_id,
            order_id=self.order_id,
            amount=self.amount.amount,
            reason=self.reason,
            created_at=clock.now(),
        ).save(force_insert=True)

    @set_aside.undo
    def put_back(self) -> None:
        """It is not refunded after all."""
        given_up = models.Refund.objects.filter(pk=self.refund_id, state="pending")
        if given_up.update(state=models.Refund.State.FAILED):
            models.Order.objects.filter(pk=self.order_id).update(
                refunded=F("refunded") - self.amount.amount
            )

    @step(calls=Payments.refund, pivot=True)
    def pay_back(self) -> None:
        """Give the money back."""
        payments.refund(
            reference=self.order_id, refund_reference=self.refund_id, amount=self.amount
        )

    @step
    def finish(self) -> None:
        """Write down that it is done."""
        order = _locked(self.order_id)
        models.Refund.objects.filter(pk=self.refund_id).update(state=models.Refund.State.DONE)
        _settle_refunded(order)
        publish(
            OrderRefunded(
                order_id=self.order_id,
                amount=self.amount,
                email=self.email,
                customer_id=self.customer_id,
            )
        )


REFUNDABLE = frozenset({"paid", "shipped", "delivered"})
"""States in which money can be given back by hand."""

NOT_PAID = "the payment could not be taken"


def _locked(order_id: OrderId) -> models.Order:
    return models.Order.objects.select_for_update().get(pk=order_id)


def _settle_refunded(locked: models.Order) -> None:
    """Call an order refunded once all of it is back: what is on its way may still be refused."""
    if locked.refunded < locked.total:
        return
    if not locked.refunds.filter(state=models.Refund.State.PENDING).exists():
        open_one = models.Order.objects.filter(pk=locked.pk, state__in=REFUNDABLE)
        open_one.update(state=models.Order.State.REFUNDED)


def _next_number(year: int) -> int:
    """The year's next number; the row stays locked until the commit, so no number is lost."""
    models.InvoiceCounter.objects.bulk_create(
        [models.InvoiceCounter(year=year, last=0)], ignore_conflicts=True
    )
    models.InvoiceCounter.objects.filter(year=year).update(last=F("last") + 1)
    return models.InvoiceCounter.objects.get(year=year).last


def _amount(money: Money | None) -> int:
    return money.amount if money else 0


def _plain(address: Address) -> dict[str, str]:
    return {name: getattr(address, name) for name in address.__struct_fields__}
