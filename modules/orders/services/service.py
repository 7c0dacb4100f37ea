"""What answers the interface."""

from collections.abc import Sequence
from typing import NoReturn
from uuid import UUID

import msgspec

from modules.orders.interface import (
    Address,
    AddressMissing,
    Basket,
    BasketClosed,
    BasketEmpty,
    BasketId,
    BoughtPage,
    CheckoutFailed,
    CouponRefused,
    InvalidAddress,
    Invoice,
    NotCancellable,
    Order,
    OrderId,
    OrderNotFound,
    OrderPage,
    Orders,
    OrderState,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
    Refund,
    RefundRefused,
    TimelineEntry,
    UnknownSku,
)
from modules.orders.queries import baskets as basket_queries
from modules.orders.queries import orders as order_queries
from modules.orders.queries.numbers import number_of
from modules.orders.requires import (
    AlreadyShipped,
    CardDeclined,
    CouponNotValid,
    InsufficientStock,
    NoPrice,
    NoSuchMethod,
    UnknownDestination,
)
from modules.orders.sagas import Article, Cancellation, Checkout, Refunding
from modules.orders.services import baskets
from monolift import SagaRun, SagaStatus
from monolift.kernel import Money

WAIT = 20.0
"""Seconds a caller waits for a process; what is left then goes on in a worker."""

LONGEST_REASON = 500


class OrdersService(Orders):
    """Answers `Orders` from this module's tables, and runs its processes."""

    def basket(self, *, basket_id: BasketId, currency: str = "EUR") -> Basket:
        """See `Orders.basket`."""
        return basket_queries.basket(basket_id=basket_id, currency=currency)

    def create_basket(self, *, customer_id: UUID) -> BasketId:
        """See `Orders.create_basket`."""
        return baskets.create(customer_id=customer_id)

    def add_to_basket(
        self, *, basket_id: BasketId, sku: str, quantity: int, currency: str = "EUR"
    ) -> None:
        """See `Orders.add_to_basket`."""
        baskets.add(basket_id=basket_id, sku=sku, quantity=quantity, currency=currency)

    def set_quantity(self, *, basket_id: BasketId, sku: str, quantity: int) -> None:
        """See `Orders.set_quantity`."""
        baskets.set_quantity(basket_id=basket_id, sku=sku, quantity=quantity)

    def set_address(self, *, basket_id: BasketId, address: Address) -> None:
        """See `Orders.set_address`."""
        baskets.set_address(basket_id=basket_id, address=address)

    def set_delivery(self, *, basket_id: BasketId, method: str) -> None:
        """See `Orders.set_delivery`."""
        baskets.set_delivery(basket_id=basket_id, method=method)

    def set_coupon(self, *, basket_id: BasketId, code: str) -> None:
        """See `Orders.set_coupon`."""
        baskets.set_coupon(basket_id=basket_id, code=code)

    def claim_basket(self, *, basket_id: BasketId, customer_id: UUID) -> BasketId:
        """See `Orders.claim_basket`."""
        return baskets.claim(basket_id=basket_id, customer_id=customer_id)

    def check_out(
        self,
        *,
        basket_id: BasketId,
        expected_total: Money,
        card_token: str,
        customer_id: UUID | None = None,
    ) -> Order:
        """See `Orders.check_out`."""
        basket = basket_queries.stored_basket(basket_id=basket_id)
        if basket is None or not basket.lines:
            raise BasketEmpty(basket_id=basket_id)
        if basket.order_id is not None and basket.placed:
            order = self.order(order_id=basket.order_id)
            if order.total != expected_total:
                raise BasketClosed(basket_id=basket_id, order_id=order.id)
            if order.state is not OrderState.PLACED:
                return order
        if basket.address is None:
            raise AddressMissing(basket_id=basket_id)
        if basket.order_id is None:
            for sku in basket_queries.withdrawn(stored=basket):
                raise UnknownSku(sku=sku)
        # Else its checkout is under way: a repeated request waits for it as a twin.
        order_id = basket_queries.order_of(basket_id=basket_id, attempt=basket.attempt)
        articles = tuple(
            Article(sku=line.sku, title=f"{line.title}, {line.name}", quantity=line.quantity)
            for line in basket.lines
        )
        run = Checkout.run(
            key=str(order_id),
            order_id=order_id,
            basket_id=basket_id,
            customer_id=customer_id or basket.customer_id,
            attempt=basket.attempt,
            currency=basket.currency,
            articles=articles,
            address=basket.address,
            delivery=basket.delivery or basket_queries.DEFAULT_DELIVERY,
            coupon=basket.coupon,
            expected_total=expected_total,
            card_token=card_token,
            timeout=WAIT,
        )
        if run.status is SagaStatus.UNDONE:
            _refuse(run)
        if (run.state.expected_total, run.state.articles) != (expected_total, articles):
            raise BasketClosed(basket_id=basket_id, order_id=order_id)
        if run.answered:
            return _paid(run.state)
        return self.order(order_id=order_id)

    def order(self, *, order_id: OrderId) -> Order:
        """See `Orders.order`."""
        order = order_queries.order(order_id=order_id)
        if order is not None:
            return order
        run = Checkout.find(key=str(order_id))
        if run is None:
            raise OrderNotFound(order_id=order_id)
        failed = run.status in (SagaStatus.UNDONE, SagaStatus.ABANDONED)
        return Order(
            id=order_id,
            number=number_of(order_id),
            state=OrderState.FAILED if failed else OrderState.PROCESSING,
            customer_id=run.state.customer_id,
            lines=run.state.lines,
            address=run.state.address,
            total=run.state.expected_total,
            placed_at=None,
            problem=str(run.error or "It could not be completed.") if failed else "",
        )

    def history(self, *, customer_id: UUID, limit: int = 20, after: str | None = None) -> OrderPage:
        """See `Orders.history`."""
        return order_queries.history(customer_id=customer_id, limit=limit, after=after)

    def orders(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        state: OrderState | None = None,
        text: str = "",
    ) -> OrderPage:
        """See `Orders.orders`."""
        return order_queries.orders(limit=limit, after=after, state=state, text=text)

    def timeline(self, *, order_id: OrderId) -> Sequence[TimelineEntry]:
        """See `Orders.timeline`."""
        keys = [str(refund.id) for refund in order_queries.refunds(order_id=order_id)]
        runs: list[SagaRun[Checkout] | SagaRun[Cancellation] | SagaRun[Refunding] | None] = [
            Checkout.find(key=str(order_id)),
            *_cancellations(order_id),
            *(Refunding.find(key=key) for key in keys),
        ]
        entries = [
            TimelineEntry(
                at=line.at,
                process=type(run.state).__name__,
                step=line.step,
                what=line.what,
                note=line.note,
            )
            for run in runs
            if run is not None
            for line in run.history
        ]
        if not entries:
            raise OrderNotFound(order_id=order_id)
        return sorted(entries, key=lambda entry: entry.at)

    def refunds(self, *, order_id: OrderId) -> Sequence[Refund]:
        """See `Orders.refunds`."""
        return order_queries.refunds(order_id=order_id)

    def invoice(self, *, order_id: OrderId) -> Invoice:
        """See `Orders.invoice`."""
        return order_queries.invoice(order_id=order_id)

    def bought(self, *, after: str | None = None, limit: int = 500) -> BoughtPage:
        """See `Orders.bought`."""
        return order_queries.bought(after=after, limit=limit)

    def cancel(self, *, order_id: OrderId, reason: str = "") -> Order:
        """See `Orders.cancel`."""
        order = self.order(order_id=order_id)
        if order.state is OrderState.PAID:
            run = Cancellation.run(
                key=_cancellation_key(order_id),
                order_id=order_id,
                reason=reason.strip()[:LONGEST_REASON] or "the customer cancelled it",
                timeout=WAIT,
            )
            order = self.order(order_id=order_id)
            if order.state is OrderState.PAID and not run.status.ended:
                # It has not come so far yet as to write that down.
                return msgspec.structs.replace(order, state=OrderState.CANCELLING)
            if order.state is OrderState.PAID and isinstance(run.error, AlreadyShipped):
                raise NotCancellable(order_id=order_id, state="already handed to the carrier")
        if order.state in (OrderState.CANCELLED, OrderState.CANCELLING):
            return order
        raise NotCancellable(order_id=order_id, state=_in_words(order.state))

    def refund(
        self, *, order_id: OrderId, refund_reference: UUID, amount: Money, reason: str
    ) -> Order:
        """See `Orders.refund`."""
        order = self.order(order_id=order_id)
        if order.total is None or order.placed_at is None:
            raise RefundRefused(order_id=order_id, problem="it was not paid.")
        if amount.currency != order.total.currency or amount.amount <= 0:
            problem = f"give an amount above zero in {order.total.currency}."
            raise RefundRefused(order_id=order_id, problem=problem)
        if not reason.strip() or len(reason) > LONGEST_REASON:
            problem = f"give a reason of at most {LONGEST_REASON} characters."
            raise RefundRefused(order_id=order_id, problem=problem)
        run = Refunding.run(
            key=str(refund_reference),
            order_id=order_id,
            refund_id=refund_reference,
            amount=amount,
            reason=reason.strip(),
            timeout=WAIT,
        )
        if run.status is SagaStatus.UNDONE:
            if isinstance(run.error, RefundRefused):
                raise run.error
            problem = run.error.detail if run.error else "the payment provider does not answer."
            raise RefundRefused(order_id=order_id, problem=problem)
        if run.state.order_id != order_id or run.state.amount != amount:
            problem = "this reference belongs to another refund."
            raise RefundRefused(order_id=order_id, problem=problem)
        return self.order(order_id=order_id)

    def refund_rest(self, *, order_id: OrderId, refund_reference: UUID, reason: str) -> Order:
        """See `Orders.refund_rest`."""
        order = self.order(order_id=order_id)
        if order.total is None or order.refunded is None:
            raise RefundRefused(order_id=order_id, problem="it was not paid.")
        # Read after the order: what this very refund has set aside is part of what was left.
        known = {one.id: one.amount for one in self.refunds(order_id=order_id)}
        amount = known.get(refund_reference, order.total - order.refunded)
        if not amount:
            raise RefundRefused(order_id=order_id, problem="nothing is left to refund.")
        return self.refund(
            order_id=order_id, refund_reference=refund_reference, amount=amount, reason=reason
        )


def _cancellations(order_id: OrderId) -> list[SagaRun[Cancellation]]:
    """The attempts at cancelling an order, the first one first."""
    found: list[SagaRun[Cancellation]] = []
    while run := Cancellation.find(key=_attempt(order_id, len(found))):
        found.append(run)
    return found


def _cancellation_key(order_id: OrderId) -> str:
    """The key of the attempt that runs, or of the next one.

    An attempt that was given up is in nobody's way. One that found the parcel gone stands.
    """
    known = _cancellations(order_id)
    if known:
        last = known[-1]
        given_up = last.status in (SagaStatus.UNDONE, SagaStatus.ABANDONED)
        if not given_up or isinstance(last.error, AlreadyShipped):
            return last.key
    return _attempt(order_id, len(known))


def _attempt(order_id: OrderId, number: int) -> str:
    return f"{order_id}:{number}" if number else str(order_id)


def _in_words(state: OrderState) -> str:
    return {
        OrderState.PROCESSING: "still being processed",
        OrderState.PLACED: "still being paid",
        OrderState.FAILED: "not completed in the first place",
        OrderState.PAID: "not known whether its parcel is still here. Try again later",
    }.get(state, state.value)


def _paid(state: Checkout) -> Order:
    return Order(
        id=state.order_id,
        number=number_of(state.order_id),
        state=OrderState.PAID,
        customer_id=state.customer_id,
        lines=state.lines,
        address=state.address,
        net=state.net,
        discount=state.discount,
        shipping=state.shipping,
        coupon=state.coupon,
        coupon_discount=state.coupon_discount,
        tax=state.tax,
        taxes=state.taxes,
        total=state.expected_total,
        refunded=Money.zero(state.currency),
        placed_at=state.placed_at,
    )


def _refuse(run: SagaRun[Checkout]) -> NoReturn:
    """Say in this module's words why a checkout was taken back."""
    match run.error:
        case PriceChanged() | BasketEmpty() as error:
            raise error
        case InsufficientStock(sku=sku, available=available):
            raise OutOfStock(sku=sku, available=available)
        case CardDeclined(reason=reason):
            raise PaymentRefused(reason=reason)
        case CouponNotValid(coupon=coupon, problem=problem):
            raise CouponRefused(coupon=coupon, problem=problem)
        case NoPrice(sku=sku):
            raise UnknownSku(sku=sku)
        case UnknownDestination() | NoSuchMethod() as error:
            raise InvalidAddress(problem=error.detail)
        case None:
            raise CheckoutFailed(reason="a part of the shop did not answer in time")
        case error:
            raise CheckoutFailed(reason=error.detail.rstrip("."))
