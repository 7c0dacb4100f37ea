"""Baskets and orders over REST.

Who knows a basket's or an order's id may use it: ids are random, and guests have no other key. Who
is signed in owns what they order, and finds it in their history. Money is given back by staff only.
"""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID, uuid4

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from modules.orders.interface import (
    Address,
    Basket,
    BasketId,
    Invoice,
    Order,
    OrderId,
    OrderPage,
    Orders,
    OrderState,
    Refund,
)
from monolift import use
from monolift.gateway.identity import caller, known_caller
from monolift.gateway.requests import new_id
from monolift.gateway.staff import clerk, noted
from monolift.kernel import Money

baskets = Router(tags=["orders"])
router = Router(tags=["orders"])
orders = use(Orders)

PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$"
Currency = Literal["EUR", "USD", "JPY", "KWD"]
Sku = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Text100 = Annotated[str, Field(max_length=100, pattern=PRINTABLE)]


class MoneyOut(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: int
    currency: str


class MoneyIn(Schema):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency` (ISO 4217)."""

    amount: Annotated[int, Field(strict=True, ge=0, le=10**15)]
    currency: Currency


class BasketCreated(Schema):
    """A new basket's id. Keep it secret: it is the key to the basket."""

    id: UUID


class AddIn(Schema):
    """What to put into the basket, and the currency to price it in."""

    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=99)] = 1
    currency: Currency = "EUR"


class QuantityIn(Schema):
    """A line's new quantity; 0 removes the line."""

    quantity: Annotated[int, Field(strict=True, ge=0, le=99)]


class AddressIn(Schema):
    """Where to deliver to; `country` is ISO 3166-1 alpha-2."""

    name: Text100
    street: Annotated[str, Field(max_length=200, pattern=PRINTABLE)]
    city: Text100
    postcode: Annotated[str, Field(max_length=20, pattern=PRINTABLE)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    email: Annotated[
        str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")
    ]


class DeliveryIn(Schema):
    """How to deliver."""

    method: Literal["standard", "express"]


class CouponIn(Schema):
    """A coupon's code; an empty one takes the coupon off."""

    code: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9-]*$")]


class CheckOutIn(Schema):
    """The total the customer agreed to, and the token of the card that pays it."""

    expected_total: MoneyIn
    card_token: Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


class BasketLineOut(Schema):
    """A line; `unit` and `total` are null while it has no price."""

    sku: str
    title: str
    name: str
    slug: str
    image: str
    quantity: int
    unit: MoneyOut | None
    total: MoneyOut | None


class AddressOut(Schema):
    """Where an order goes."""

    name: str
    street: str
    city: str
    postcode: str
    country: str
    email: str


class BasketOut(Schema):
    """A basket with current prices; without an address there is no tax in it yet."""

    id: UUID
    currency: str
    lines: list[BasketLineOut]
    address: AddressOut | None
    delivery: str | None
    net: MoneyOut
    discount: MoneyOut
    coupon_discount: MoneyOut
    shipping: MoneyOut
    tax: MoneyOut
    total: MoneyOut
    coupon: str
    coupon_problem: str
    order_id: UUID | None


class OrderLineOut(Schema):
    """What was bought, tax included in `total`."""

    sku: str
    title: str
    quantity: int
    unit: MoneyOut
    total: MoneyOut


class TaxOut(Schema):
    """The tax of one rate, in hundredths of a percent (1900 is 19 %), on `net`."""

    rate: int
    net: MoneyOut
    amount: MoneyOut


class OrderOut(Schema):
    """An order. While it is `processing` little is known; `problem` says why it failed.

    `coupon_discount` is a part of `discount`; `taxes` are `tax` by rate.
    """

    id: UUID
    number: str
    state: str
    lines: list[OrderLineOut]
    address: AddressOut | None
    net: MoneyOut | None
    discount: MoneyOut | None
    coupon_discount: MoneyOut | None
    shipping: MoneyOut | None
    tax: MoneyOut | None
    taxes: list[TaxOut]
    coupon: str
    total: MoneyOut | None
    refunded: MoneyOut | None
    tracking: str
    placed_at: AwareDatetime | None
    problem: str


class CancelIn(Schema):
    """Why the order is taken back."""

    reason: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""


class RefundIn(Schema):
    """What goes back, null for all that is left, and why."""

    amount: MoneyIn | None
    reason: Annotated[str, Field(max_length=500, pattern=PRINTABLE)]


class RefundOut(Schema):
    """Money given back, or on its way back while it is not `done`."""

    id: UUID
    amount: MoneyOut
    done: bool
    at: AwareDatetime


class OrderSummaryOut(Schema):
    """A line in a list of orders."""

    id: UUID
    number: str
    state: OrderState
    articles: int
    total: MoneyOut
    refunded: MoneyOut
    placed_at: AwareDatetime


class OrderPageOut(Schema):
    """Some orders; `next` continues after them as `after`, null at the end."""

    orders: list[OrderSummaryOut]
    next: str | None


class InvoiceOut(Schema):
    """The bill of an order."""

    number: str
    issued_at: AwareDatetime
    order: OrderOut


@baskets.post("", response={201: BasketCreated})
def create_basket(request: HttpRequest) -> Status[dict[str, UUID]]:
    """A new, empty basket: yours if you are signed in.

    Nothing is stored of a guest's until something is put in.
    """
    known = known_caller(request)
    made = orders.create_basket(customer_id=known.user_id) if known else uuid4()
    return Status(201, {"id": made})


@baskets.get("/{basket_id}", response=BasketOut)
def basket(request: HttpRequest, basket_id: UUID, currency: Currency = "EUR") -> Basket:
    """A basket; an unknown id is an empty one, in `currency`."""
    return orders.basket(basket_id=BasketId(basket_id), currency=currency)


@baskets.post("/{basket_id}/lines", response={204: None})
def add(request: HttpRequest, basket_id: UUID, body: AddIn) -> Status[None]:
    """Put more of a SKU into the basket."""
    given = body.model_dump()
    orders.add_to_basket(basket_id=BasketId(basket_id), **given)
    return Status(204, None)


@baskets.put("/{basket_id}/lines/{sku}", response={204: None})
def set_quantity(
    request: HttpRequest, basket_id: UUID, sku: Annotated[Sku, Path()], body: QuantityIn
) -> Status[None]:
    """Change a line's quantity."""
    orders.set_quantity(basket_id=BasketId(basket_id), sku=sku, quantity=body.quantity)
    return Status(204, None)


@baskets.delete("/{basket_id}/lines/{sku}", response={204: None})
def remove(request: HttpRequest, basket_id: UUID, sku: Annotated[Sku, Path()]) -> Status[None]:
    """Remove a line; one that is not there is harmless."""
    orders.set_quantity(basket_id=BasketId(basket_id), sku=sku, quantity=0)
    return Status(204, None)


@baskets.put("/{basket_id}/address", response={204: None})
def set_address(request: HttpRequest, basket_id: UUID, body: AddressIn) -> Status[None]:
    """Say where to deliver to."""
    orders.set_address(basket_id=BasketId(basket_id), address=Address(**body.model_dump()))
    return Status(204, None)


@baskets.put("/{basket_id}/delivery", response={204: None})
def set_delivery(request: HttpRequest, basket_id: UUID, body: DeliveryIn) -> Status[None]:
    """Choose how to deliver."""
    orders.set_delivery(basket_id=BasketId(basket_id), method=body.method)
    return Status(204, None)


@baskets.put("/{basket_id}/coupon", response={204: None})
def set_coupon(request: HttpRequest, basket_id: UUID, body: CouponIn) -> Status[None]:
    """Use a coupon, or none."""
    orders.set_coupon(basket_id=BasketId(basket_id), code=body.code)
    return Status(204, None)


@baskets.post("/{basket_id}/order", response={201: OrderOut})
def check_out(request: HttpRequest, basket_id: UUID, body: CheckOutIn) -> Status[Order]:
    """Order and pay the basket. Sent again, it answers with the same order."""
    total = Money(body.expected_total.amount, body.expected_total.currency)
    known = known_caller(request)
    order = orders.check_out(
        basket_id=BasketId(basket_id),
        expected_total=total,
        card_token=body.card_token,
        customer_id=known.user_id if known else None,
    )
    return Status(201, order)


@baskets.post("/{basket_id}/claim", response={200: BasketCreated})
def claim(request: HttpRequest, basket_id: UUID) -> dict[str, UUID]:
    """Make a guest's basket yours, merged into the one you have; go on with the one answered."""
    mine = orders.claim_basket(basket_id=BasketId(basket_id), customer_id=caller(request).user_id)
    return {"id": mine}


@router.get("", response=OrderPageOut)
def history(
    request: HttpRequest,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> OrderPage:
    """Your orders, the newest first."""
    return orders.history(customer_id=caller(request).user_id, limit=limit, after=after)


@router.get("/{order_id}", response=OrderOut)
def order(request: HttpRequest, order_id: UUID) -> Order:
    """An order by its id."""
    return orders.order(order_id=OrderId(order_id))


@router.post("/{order_id}/cancel", response=OrderOut)
def cancel(request: HttpRequest, order_id: UUID, body: CancelIn) -> Order:
    """Take the order back, as long as it is paid and not shipped. Sent again, it cancels once.

    Answered as `cancelling`, it goes on: look at the order again.
    """
    return orders.cancel(order_id=OrderId(order_id), reason=body.reason)


@router.get("/{order_id}/invoice", response=InvoiceOut)
def invoice(request: HttpRequest, order_id: UUID) -> Invoice:
    """The bill; there is one soon after the order is paid, unless it was cancelled first."""
    return orders.invoice(order_id=OrderId(order_id))


@router.get("/{order_id}/refunds", response=list[RefundOut])
def refunds(request: HttpRequest, order_id: UUID) -> Sequence[Refund]:
    """What was given back, the oldest first."""
    orders.order(order_id=OrderId(order_id))  # an unknown one is not found
    return orders.refunds(order_id=OrderId(order_id))


@router.post("/{order_id}/refunds", response={201: OrderOut})
def refund(request: HttpRequest, order_id: UUID, body: RefundIn) -> Status[Order]:
    """Give money back. For staff who may change orders.

    Only money moves: a parcel that has not left goes its way all the same, and an order of which
    all was given back cannot be cancelled. To keep the parcel here, cancel the order.

    Send an `Idempotency-Key`: sent again with it, it refunds once; without, each is another refund.
    """
    clerk(request, permission="orders.change_order")
    named, reference = OrderId(order_id), new_id()
    if body.amount is None:
        what = "all that was left"
        order = orders.refund_rest(order_id=named, refund_reference=reference, reason=body.reason)
    else:
        amount = Money(body.amount.amount, body.amount.currency)
        what = str(amount)
        order = orders.refund(
            order_id=named, refund_reference=reference, amount=amount, reason=body.reason
        )
    done = f"Refunded {what}: {body.reason} ({reference})"
    noted(request, model="orders.order", key=order.id, name=order.number, done=done)
    return Status(201, order)
