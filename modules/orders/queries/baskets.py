"""Reads of baskets."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import msgspec
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from modules.orders import models
from modules.orders.interface import (
    Address,
    Basket,
    BasketId,
    BasketLine,
    OrderId,
)
from modules.orders.requires import (
    CouponNotValid,
    NoPrice,
    NoSuchMethod,
    Quote,
    QuoteLine,
    Sku,
    UnknownDestination,
    VariantLabel,
    catalog,
    pricing,
    shipping,
)
from monolift import Unavailable
from monolift.kernel import CallFailed, Money
from monolift.observe.logs import logger

log = logger("modules.orders")

DEFAULT_DELIVERY = "standard"

OPEN = Q(order_id=None) & ~Q(begun=F("attempt"))
"""What is true of `baskets()` that are neither ordered nor being ordered."""


class StoredBasket(msgspec.Struct, frozen=True, kw_only=True):
    """A basket as it is stored: names and prices belong to others.

    `order_id` is the order that closed it, which is written down already if it is `placed`.
    """

    id: BasketId
    currency: str
    customer_id: UUID | None
    address: Address | None
    delivery: str
    coupon: str
    attempt: int
    order_id: OrderId | None
    placed: bool
    lines: tuple["StoredLine", ...]


class StoredLine(msgspec.Struct, frozen=True, kw_only=True):
    """A basket line as it is stored."""

    sku: str
    title: str
    name: str
    quantity: int


def order_of(*, basket_id: BasketId, attempt: int) -> OrderId:
    """The id of the order that an attempt at a basket makes."""
    return OrderId(uuid5(basket_id, str(attempt)))


def closed_by(
    *, basket_id: BasketId, attempt: int, begun: int | None, placed: UUID | None
) -> OrderId | None:
    """The order that a basket became, or is becoming; None while it is open."""
    if placed is None and begun == attempt:
        return order_of(basket_id=basket_id, attempt=attempt)
    return None if placed is None else OrderId(placed)


def baskets() -> QuerySet[Any, Any]:
    """Baskets with `order_id`: the order that they became, if it is written down."""
    return _with_order().all()


@cache
def _with_order() -> QuerySet[Any, Any]:
    # Made once: resolving the subquery takes longer than the statement.
    order = standing().filter(basket_id=OuterRef("pk"))
    return models.Basket.objects.annotate(order_id=Subquery(order.values("id")[:1]))


def standing() -> QuerySet[models.Order]:
    """Orders that close their basket: all but those that failed, at most one for a basket."""
    return models.Order.objects.exclude(state=models.Order.State.FAILED)


def stored_basket(*, basket_id: BasketId) -> StoredBasket | None:
    """A basket with its lines in the order they were put in, by one statement."""
    rows = list(
        baskets()
        .filter(pk=basket_id)
        .order_by("lines__pk")
        .values_list(
            "currency",
            "customer_id",
            "address",
            "delivery",
            "coupon",
            "attempt",
            "begun",
            "order_id",
            "lines__sku",
            "lines__title",
            "lines__name",
            "lines__quantity",
        )
    )
    if not rows:
        return None
    currency, customer_id, address, delivery, coupon, attempt, begun, placed = rows[0][:8]
    return StoredBasket(
        id=basket_id,
        currency=currency,
        customer_id=customer_id,
        address=address_of(address),
        delivery=delivery,
        coupon=coupon,
        attempt=attempt,
        order_id=closed_by(basket_id=basket_id, attempt=attempt, begun=begun, placed=placed),
        placed=placed is not None,
        lines=tuple(
            StoredLine(sku=sku, title=title, name=name, quantity=quantity)
            for *_, sku, title, name, quantity in rows
            if sku is not None
        ),
    )


def basket(*, basket_id: BasketId, currency: str) -> Basket:
    """The basket with its lines named and priced; see `Orders.basket`."""
    stored = stored_basket(basket_id=basket_id)
    if stored is None or not stored.lines:
        nothing = Money.zero(stored.currency if stored else currency)
        return Basket(
            id=basket_id,
            currency=nothing.currency,
            customer_id=stored.customer_id if stored else None,
            lines=(),
            address=stored.address if stored else None,
            delivery=stored.delivery or None if stored else None,
            net=nothing,
            discount=nothing,
            coupon_discount=nothing,
            shipping=nothing,
            tax=nothing,
            total=nothing,
            coupon=stored.coupon if stored else "",
            order_id=stored.order_id if stored else None,
        )
    labels = _labels(stored)
    quote, coupon_problem = _quote(stored, labels)
    return Basket(
        id=basket_id,
        currency=stored.currency,
        customer_id=stored.customer_id,
        lines=_lines(stored.lines, labels, quote),
        address=stored.address,
        delivery=stored.delivery or None,
        net=quote.net,
        discount=quote.discount,
        coupon_discount=quote.coupon_discount,
        shipping=quote.delivery,
        tax=quote.tax,
        total=quote.total,
        coupon=stored.coupon,
        coupon_problem=coupon_problem,
        order_id=stored.order_id,
    )


def withdrawn(*, stored: StoredBasket) -> Sequence[str]:
    """The SKUs in a basket that are not on sale any more.

    None while catalog is silent: what is not known to be withdrawn can be bought.
    """
    try:
        labels = _labels(stored)
    except (Unavailable, CallFailed) as error:
        log.warning("a basket is ordered without asking what is on sale", exc_info=error)
        return ()
    return [line.sku for line in stored.lines if Sku(line.sku) not in labels]


def _labels(stored: StoredBasket) -> Mapping[Sku, VariantLabel]:
    return catalog.labels(skus=[Sku(line.sku) for line in stored.lines])


def address_of(stored: Any) -> Address | None:
    """The address as it was stored; None where there is none, or none any more."""
    return msgspec.convert(stored, Address) if stored else None


def _quote(stored: StoredBasket, labels: Mapping[Sku, VariantLabel]) -> tuple[Quote, str]:
    """What the basket costs, leaving out what does not count; and why its coupon does not."""
    lines = [
        QuoteLine(sku=line.sku, quantity=line.quantity)
        for line in stored.lines
        if Sku(line.sku) in labels
    ]
    country = stored.address.country if stored.address else None
    coupon, problem = stored.coupon, ""
    while True:
        try:
            quote = pricing.quote(
                lines=lines,
                currency=stored.currency,
                country=country,
                coupon=coupon,
                delivery=delivery_price(stored, country),
            )
        except CouponNotValid as error:
            coupon, problem = "", error.problem
        except UnknownDestination:
            country = None
        except NoPrice:
            skus = [line.sku for line in lines]
            priced = pricing.prices(skus=skus, currency=stored.currency)
            lines = [line for line in lines if line.sku in priced]
        else:
            return quote, problem


def delivery_price(stored: StoredBasket, country: str | None) -> Money | None:
    """What the chosen delivery costs; None where it is not known yet or not offered."""
    if country is None:
        return None
    method = stored.delivery or DEFAULT_DELIVERY
    try:
        return shipping.rate(country=country, currency=stored.currency, method=method).price
    except NoSuchMethod:
        return None


def _lines(
    lines: Sequence[StoredLine], labels: Mapping[Sku, VariantLabel], quote: Quote
) -> tuple[BasketLine, ...]:
    priced = {line.sku: line for line in quote.lines}
    shown = []
    for line in lines:
        label, price = labels.get(Sku(line.sku)), priced.get(line.sku)
        shown.append(
            BasketLine(
                sku=line.sku,
                title=label.title if label else line.title,
                name=label.name if label else line.name,
                slug=label.slug if label else "",
                image=label.image if label else "",
                quantity=line.quantity,
                unit=price.unit if price else None,
                total=price.total if price else None,
            )
        )
    return tuple(shown)
