"""Orders in memory, for the tests of modules that require it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4, uuid5

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from modules.orders.events import (
    BoughtLine,
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
)
from modules.orders.interface import (
    Address,
    AddressMissing,
    Basket,
    BasketClosed,
    BasketEmpty,
    BasketFull,
    BasketId,
    BasketLine,
    BoughtOrder,
    BoughtPage,
    CouponRefused,
    InvalidAddress,
    InvalidCursor,
    Invoice,
    NoInvoice,
    NotCancellable,
    Order,
    OrderId,
    OrderLine,
    OrderNotFound,
    OrderPage,
    Orders,
    OrderState,
    OrderSummary,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
    QuantityOutOfRange,
    Refund,
    RefundRefused,
    Tax,
    TimelineEntry,
    UnknownSku,
)
from modules.orders.queries.numbers import number_of
from modules.orders.requires import (
    CardDeclined,
    CouponNotValid,
    InsufficientStock,
    Line,
    NoPrice,
    NoSuchMethod,
    Quote,
    QuoteLine,
    Sku,
    StockedSku,
    UnknownDestination,
    VariantLabel,
    catalog,
    inventory,
    payments,
    pricing,
    shipping,
)
from monolift.kernel import Money, clock
from monolift.testing.announcing import announce

_LONGEST = {"name": 100, "street": 200, "city": 100, "postcode": 20, "country": 2, "email": 254}


@dataclass
class _Basket:
    """What is in it: quantities by SKU."""

    currency: str = "EUR"
    lines: dict[str, int] = field(default_factory=dict)
    address: Address | None = None
    delivery: str = ""
    coupon: str = ""
    customer_id: UUID | None = None
    order_id: OrderId | None = None
    attempt: int = 1


class FakeOrders(Orders):
    """Checks out at once, with the catalog, prices, stock and payments that are there.

    No parcel leaves: `given` puts an order there in any state.
    """

    def __init__(self) -> None:
        self._baskets: dict[BasketId, _Basket] = {}
        self._orders: dict[OrderId, Order] = {}
        self._refunds: dict[OrderId, list[Refund]] = {}
        self._timelines: dict[OrderId, list[TimelineEntry]] = {}
        self._invoices: dict[OrderId, Invoice] = {}

    def given(self, order: Order) -> None:
        """Put an order there, or in the place of the one with its id."""
        self._orders[order.id] = order

    def basket(self, *, basket_id: BasketId, currency: str = "EUR") -> Basket:
        stored = self._baskets.get(basket_id, _Basket(currency=currency))
        quote, problem = _quoted(stored)
        labels = _labels(stored)
        priced = {line.sku: line for line in quote.lines}
        lines = []
        for sku, quantity in stored.lines.items():
            label, price = labels.get(Sku(sku)), priced.get(sku)
            lines.append(
                BasketLine(
                    sku=sku,
                    title=label.title if label else sku,
                    name=label.name if label else "",
                    slug=label.slug if label else "",
                    image=label.image if label else "",
                    quantity=quantity,
                    unit=price.unit if price else None,
                    total=price.total if price else None,
                )
            )
        return Basket(
            id=basket_id,
            currency=stored.currency,
            lines=tuple(lines),
            address=stored.address,
            delivery=stored.delivery or None,
            net=quote.net,
            discount=quote.discount,
            coupon_discount=quote.coupon_discount,
            shipping=quote.delivery,
            tax=quote.tax,
            total=quote.total,
            coupon=stored.coupon,
            coupon_problem=problem,
            order_id=stored.order_id,
            customer_id=stored.customer_id,
        )

    def create_basket(self, *, customer_id: UUID) -> BasketId:
        basket_id = BasketId(uuid4())
        self._baskets[basket_id] = _Basket(customer_id=customer_id)
        return basket_id

    def add_to_basket(
        self, *, basket_id: BasketId, sku: str, quantity: int, currency: str = "EUR"
    ) -> None:
        _check_quantity(quantity, least=1)
        if Sku(sku) not in catalog.labels(skus=[Sku(sku)]):
            raise UnknownSku(sku=sku)
        basket = self._open(basket_id)
        if sku not in basket.lines and len(basket.lines) >= 50:
            raise BasketFull(most=50)
        _check_quantity(basket.lines.get(sku, 0) + quantity, least=1)
        basket.currency = currency
        basket.lines[sku] = basket.lines.get(sku, 0) + quantity

    def set_quantity(self, *, basket_id: BasketId, sku: str, quantity: int) -> None:
        _check_quantity(quantity, least=0)
        basket = self._open(basket_id)
        if sku not in basket.lines and quantity:
            raise UnknownSku(sku=sku)
        if quantity:
            basket.lines[sku] = quantity
        else:
            basket.lines.pop(sku, None)

    def set_address(self, *, basket_id: BasketId, address: Address) -> None:
        for name, text in msgspec.structs.asdict(address).items():
            if not text.strip():
                raise InvalidAddress(problem=f"the {name} is missing.")
            if len(text) > _LONGEST[name]:
                problem = f"the {name} has more than {_LONGEST[name]} characters."
                raise InvalidAddress(problem=problem)
            if not text.isprintable():
                problem = f"the {name} contains characters that cannot be printed."
                raise InvalidAddress(problem=problem)
        try:
            validate_email(address.email)
        except ValidationError:
            problem = "the email is not an address like name@example.org."
            raise InvalidAddress(problem=problem) from None
        if address.country not in pricing.destinations():
            raise InvalidAddress(problem=f"we do not deliver to {address.country!r}.")
        self._open(basket_id).address = address

    def set_delivery(self, *, basket_id: BasketId, method: str) -> None:
        if method not in ("standard", "express"):
            raise InvalidAddress(problem="choose a delivery from: standard, express.")
        self._open(basket_id).delivery = method

    def set_coupon(self, *, basket_id: BasketId, code: str) -> None:
        code = code.strip()
        if code:
            try:
                code = pricing.coupon(code=code).code
            except CouponNotValid as error:
                raise CouponRefused(coupon=error.coupon, problem=error.problem) from None
        self._open(basket_id).coupon = code

    def claim_basket(self, *, basket_id: BasketId, customer_id: UUID) -> BasketId:
        open_ones = {key: one for key, one in self._baskets.items() if one.order_id is None}
        own = [key for key, one in open_ones.items() if one.customer_id == customer_id]
        given = self._baskets.get(basket_id)
        if given is not None and given.order_id is None and given.customer_id is None:
            if not own:
                given.customer_id = customer_id
                return basket_id
            kept = self._baskets[own[0]]
            for sku, quantity in self._baskets.pop(basket_id).lines.items():
                kept.lines[sku] = min(kept.lines.get(sku, 0) + quantity, 99)
            kept.currency, kept.coupon = given.currency, given.coupon or kept.coupon
            if given.address is not None:
                kept.address, kept.delivery = given.address, given.delivery
            return own[0]
        if basket_id in own:
            return basket_id
        if own:
            return own[0]
        fresh = basket_id if given is None else BasketId(uuid4())
        self._baskets[fresh] = _Basket(customer_id=customer_id)
        return fresh

    def check_out(
        self,
        *,
        basket_id: BasketId,
        expected_total: Money,
        card_token: str,
        customer_id: UUID | None = None,
    ) -> Order:
        basket = self._baskets.get(basket_id)
        if basket is None or not basket.lines:
            raise BasketEmpty(basket_id=basket_id)
        if basket.order_id is not None:
            if self._orders[basket.order_id].total != expected_total:
                raise BasketClosed(basket_id=basket_id, order_id=basket.order_id)
            return self._orders[basket.order_id]
        if basket.address is None:
            raise AddressMissing(basket_id=basket_id)
        labels = _labels(basket)
        for sku in basket.lines:
            if Sku(sku) not in labels:
                raise UnknownSku(sku=sku)
        order_id = OrderId(uuid5(basket_id, str(basket.attempt)))
        quote = self._charged(basket, order_id, expected_total, card_token)
        order = Order(
            id=order_id,
            number=number_of(order_id),
            state=OrderState.PAID,
            lines=tuple(
                OrderLine(
                    sku=line.sku,
                    title=f"{labels[Sku(line.sku)].title}, {labels[Sku(line.sku)].name}",
                    quantity=line.quantity,
                    unit=line.unit,
                    total=line.total,
                )
                for line in quote.lines
            ),
            address=basket.address,
            total=quote.total,
            placed_at=clock.now(),
            customer_id=customer_id or basket.customer_id,
            net=quote.net,
            discount=quote.discount,
            shipping=quote.delivery,
            tax=quote.tax,
            coupon=basket.coupon if quote.coupon_discount else "",
            coupon_discount=quote.coupon_discount,
            taxes=tuple(Tax(rate=one.rate, net=one.net, amount=one.amount) for one in quote.taxes),
            refunded=Money.zero(basket.currency),
        )
        basket.order_id = order_id
        self._orders[order_id] = order
        year, count = clock.now().year, len(self._invoices) + 1
        self._invoices[order_id] = Invoice(
            number=f"{year}-{count:06}", issued_at=clock.now(), order=order
        )
        self._note(order_id, "Checkout", "place")
        email = basket.address.email
        announce(
            OrderPlaced(
                order_id=order_id,
                lines=tuple(BoughtLine(sku=one.sku, quantity=one.quantity) for one in order.lines),
                total=quote.total,
                email=email,
                customer_id=order.customer_id,
            )
        )
        announce(
            OrderPaid(
                order_id=order_id, total=quote.total, email=email, customer_id=order.customer_id
            )
        )
        return order

    def order(self, *, order_id: OrderId) -> Order:
        if order_id not in self._orders:
            raise OrderNotFound(order_id=order_id)
        return self._orders[order_id]

    def history(self, *, customer_id: UUID, limit: int = 20, after: str | None = None) -> OrderPage:
        own = [one for one in self._orders.values() if one.customer_id == customer_id]
        return _page(own, limit, after)

    def orders(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        state: OrderState | None = None,
        text: str = "",
    ) -> OrderPage:
        text = text.strip()
        found = [
            one
            for one in self._orders.values()
            if state in (None, one.state)
            and (text == _email(one) if "@" in text else one.number.startswith(text.upper()))
        ]
        return _page(found, limit, after)

    def timeline(self, *, order_id: OrderId) -> Sequence[TimelineEntry]:
        if order_id not in self._timelines:
            raise OrderNotFound(order_id=order_id)
        return self._timelines[order_id]

    def refunds(self, *, order_id: OrderId) -> Sequence[Refund]:
        return self._refunds.get(order_id, [])

    def invoice(self, *, order_id: OrderId) -> Invoice:
        if order_id not in self._invoices:
            raise NoInvoice(order_id=order_id)
        return self._invoices[order_id]

    def bought(self, *, after: str | None = None, limit: int = 500) -> BoughtPage:
        start = _start(after)
        found = [
            BoughtOrder(order_id=one.id, skus=tuple(dict.fromkeys(line.sku for line in one.lines)))
            for one in self._orders.values()
        ]
        end = start + max(1, min(limit, 1000))
        return BoughtPage(
            orders=tuple(found[start:end]), next=str(end) if end < len(found) else None
        )

    def cancel(self, *, order_id: OrderId, reason: str = "") -> Order:
        order = self.order(order_id=order_id)
        if order.state is OrderState.PAID and order.total is not None:
            inventory.release(reference=order_id)
            left = order.total - (order.refunded or Money.zero(order.total.currency))
            payments.refund(
                reference=order_id, refund_reference=uuid5(order_id, "cancel"), amount=left
            )
            reason = reason.strip() or "the customer cancelled it"
            self._change(order_id, state=OrderState.CANCELLED, refunded=order.total, problem=reason)
            self._note(order_id, "Cancellation", "cancel")
            announce(
                OrderCancelled(
                    order_id=order_id,
                    reason=reason,
                    email=_email(order),
                    refunded=order.total,
                    customer_id=order.customer_id,
                )
            )
        elif order.state not in (OrderState.CANCELLED, OrderState.CANCELLING):
            raise NotCancellable(order_id=order_id, state=order.state)
        return self._orders[order_id]

    def refund(
        self, *, order_id: OrderId, refund_reference: UUID, amount: Money, reason: str
    ) -> Order:
        order = self.order(order_id=order_id)
        if order.total is None or order.refunded is None:
            raise RefundRefused(order_id=order_id, problem="it was not paid.")
        done = self._refunds.setdefault(order_id, [])
        if refund_reference in {one.id for one in done}:
            return order
        if amount.currency != order.total.currency or amount.amount <= 0:
            problem = f"give an amount above zero in {order.total.currency}."
            raise RefundRefused(order_id=order_id, problem=problem)
        if not reason.strip():
            raise RefundRefused(order_id=order_id, problem="give a reason.")
        if amount > order.total - order.refunded:
            problem = f"at most {order.total - order.refunded} can be given back."
            raise RefundRefused(order_id=order_id, problem=problem)
        payments.refund(reference=order_id, refund_reference=refund_reference, amount=amount)
        done.append(
            Refund(id=refund_reference, amount=amount, reason=reason, done=True, at=clock.now())
        )
        back = order.refunded + amount
        state = OrderState.REFUNDED if back == order.total else order.state
        self._change(order_id, refunded=back, state=state)
        announce(
            OrderRefunded(
                order_id=order_id,
                amount=amount,
                email=_email(order),
                customer_id=order.customer_id,
            )
        )
        return self._orders[order_id]

    def refund_rest(self, *, order_id: OrderId, refund_reference: UUID, reason: str) -> Order:
        order = self.order(order_id=order_id)
        if order.total is None or order.refunded is None:
            raise RefundRefused(order_id=order_id, problem="it was not paid.")
        known = {one.id: one.amount for one in self.refunds(order_id=order_id)}
        amount = known.get(refund_reference, order.total - order.refunded)
        if not amount:
            raise RefundRefused(order_id=order_id, problem="nothing is left to refund.")
        return self.refund(
            order_id=order_id, refund_reference=refund_reference, amount=amount, reason=reason
        )

    def _charged(
        self, basket: _Basket, order_id: OrderId, expected: Money, card_token: str
    ) -> Quote:
        """Price, hold and pay, or leave nothing behind."""
        try:
            quote, problem = _quoted(basket, strict=True)
            if quote.total != expected:
                if problem:
                    raise CouponRefused(coupon=basket.coupon, problem=problem)
                raise PriceChanged(expected=expected, now=quote.total)
            lines = [Line(sku=StockedSku(sku), quantity=n) for sku, n in basket.lines.items()]
            inventory.reserve(reference=order_id, lines=lines)
            payments.authorise(reference=order_id, amount=quote.total, card_token=card_token)
        except NoPrice as error:
            raise UnknownSku(sku=error.sku) from None
        except (UnknownDestination, NoSuchMethod) as error:
            raise InvalidAddress(problem=error.detail) from None
        except InsufficientStock as error:
            basket.attempt += 1
            raise OutOfStock(sku=error.sku, available=error.available) from None
        except CardDeclined as error:
            inventory.release(reference=order_id)
            basket.attempt += 1
            raise PaymentRefused(reason=error.reason) from None
        inventory.take(reference=order_id)
        payments.capture(reference=order_id)
        if basket.coupon and not problem:
            pricing.redeem(code=basket.coupon, reference=order_id)
        return quote

    def _open(self, basket_id: BasketId) -> _Basket:
        basket = self._baskets.setdefault(basket_id, _Basket())
        if basket.order_id is not None:
            raise BasketClosed(basket_id=basket_id, order_id=basket.order_id)
        return basket

    def _change(self, order_id: OrderId, **changes: Any) -> None:
        self._orders[order_id] = msgspec.structs.replace(self._orders[order_id], **changes)

    def _note(self, order_id: OrderId, process: str, step: str) -> None:
        entry = TimelineEntry(at=clock.now(), process=process, step=step, what="done", note="")
        self._timelines.setdefault(order_id, []).append(entry)


def _labels(basket: _Basket) -> Mapping[Sku, VariantLabel]:
    return catalog.labels(skus=[Sku(sku) for sku in basket.lines]) if basket.lines else {}


def _quoted(basket: _Basket, *, strict: bool = False) -> tuple[Quote, str]:
    """What it costs, and why its coupon does not count; not strict: without what has no price."""
    country = basket.address.country if basket.address else None
    lines = [QuoteLine(sku=sku, quantity=quantity) for sku, quantity in basket.lines.items()]
    if not strict:
        if country not in pricing.destinations():
            country = None
        priced = pricing.prices(skus=list(basket.lines), currency=basket.currency)
        labels = _labels(basket)
        lines = [line for line in lines if line.sku in priced and Sku(line.sku) in labels]
    delivery = None
    if country is not None and lines:
        method = basket.delivery or "standard"
        try:
            rate = shipping.rate(country=country, currency=basket.currency, method=method)
            delivery = rate.price
        except NoSuchMethod:
            if strict:
                raise
    coupon, problem = basket.coupon if lines else "", ""
    while True:
        try:
            quote = pricing.quote(
                lines=lines,
                currency=basket.currency,
                country=country,
                coupon=coupon,
                delivery=delivery,
            )
        except CouponNotValid as error:
            coupon, problem = "", error.problem
        else:
            return quote, problem


def _check_quantity(quantity: int, *, least: int) -> None:
    if not least <= quantity <= 99:
        raise QuantityOutOfRange(quantity=quantity, most=99)


def _page(found: list[Order], limit: int, after: str | None) -> OrderPage:
    newest_first = found[::-1]
    start = _start(after)
    end = start + max(1, min(limit, 100))
    return OrderPage(
        orders=tuple(
            OrderSummary(
                id=one.id,
                number=one.number,
                state=one.state,
                email=_email(one),
                articles=sum(line.quantity for line in one.lines),
                total=one.total,
                refunded=one.refunded or Money.zero(one.total.currency),
                placed_at=one.placed_at,
            )
            for one in newest_first[start:end]
            if one.total is not None and one.placed_at is not None
        ),
        next=str(end) if end < len(found) else None,
    )


def _start(after: str | None) -> int:
    if after is not None and not after.isdecimal():
        raise InvalidCursor(after=after[:200])
    return int(after or 0)


def _email(order: Order) -> str:
    return order.address.email if order.address else ""
