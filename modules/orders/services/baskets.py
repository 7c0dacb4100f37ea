"""Writes of baskets."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q

from modules.orders import models
from modules.orders.interface import (
    Address,
    BasketClosed,
    BasketFull,
    BasketId,
    CouponRefused,
    InvalidAddress,
    OrderId,
    QuantityOutOfRange,
    UnknownSku,
)
from modules.orders.queries.baskets import OPEN, baskets, closed_by
from modules.orders.requires import CouponNotValid, Sku, catalog, pricing
from monolift import atomic

MOST_OF_ONE = 99
"""The largest quantity of one line."""

MOST_LINES = 50
"""The most different SKUs in one basket."""

DELIVERIES = ("standard", "express")

_FIELDS = {"name": 100, "street": 200, "city": 100, "postcode": 20, "country": 2, "email": 254}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def create(*, customer_id: UUID) -> BasketId:
    """See `Orders.create_basket`."""
    basket_id = BasketId(uuid4())
    with atomic():
        _made(basket_id, currency="EUR", customer_id=customer_id)
    return basket_id


def add(*, basket_id: BasketId, sku: str, quantity: int, currency: str) -> None:
    """See `Orders.add_to_basket`."""
    _check_quantity(quantity, least=1)
    label = catalog.labels(skus=[Sku(sku)]).get(Sku(sku))
    if label is None:
        raise UnknownSku(sku=sku)
    with atomic():
        basket = _locked(basket_id)
        if basket is None:
            basket = _made(basket_id, currency=currency)
        elif basket.currency != currency:
            models.Basket.objects.filter(pk=basket_id).update(currency=currency)
        quantities = dict(basket.lines.values_list("sku", "quantity"))
        if sku not in quantities and len(quantities) >= MOST_LINES:
            raise BasketFull(most=MOST_LINES)
        _check_quantity(quantities.get(sku, 0) + quantity, least=1)
        line = models.BasketLine(
            basket=basket,
            sku=sku,
            title=label.title,
            name=label.name,
            quantity=quantities.get(sku, 0) + quantity,
        )
        _put([line])


def set_quantity(*, basket_id: BasketId, sku: str, quantity: int) -> None:
    """See `Orders.set_quantity`."""
    _check_quantity(quantity, least=0)
    with atomic():
        basket = _locked(basket_id)
        line = models.BasketLine.objects.filter(basket_id=basket_id, sku=sku)
        changed = 0
        if basket is not None:
            changed = line.update(quantity=quantity) if quantity else line.delete()[0]
        if not changed and quantity:
            raise UnknownSku(sku=sku)


def set_address(*, basket_id: BasketId, address: Address) -> None:
    """See `Orders.set_address`."""
    _check_address(address)
    _set(basket_id, address=msgspec.to_builtins(address))


def set_delivery(*, basket_id: BasketId, method: str) -> None:
    """See `Orders.set_delivery`."""
    if method not in DELIVERIES:
        raise InvalidAddress(problem=f"choose a delivery from: {', '.join(DELIVERIES)}.")
    _set(basket_id, delivery=method)


def set_coupon(*, basket_id: BasketId, code: str) -> None:
    """See `Orders.set_coupon`."""
    code = code.strip()
    if code:
        try:
            code = pricing.coupon(code=code).code
        except CouponNotValid as error:
            raise CouponRefused(coupon=error.coupon, problem=error.problem) from None
    _set(basket_id, coupon=code)


def claim(*, basket_id: BasketId, customer_id: UUID) -> BasketId:
    """See `Orders.claim_basket`."""
    with atomic():
        # In order of id, so that two sign-ins at once wait for each other.
        open_ones = Q(customer_id=customer_id) & OPEN
        mine = baskets().filter(open_ones | Q(pk=basket_id))
        found = {row.pk: row for row in mine.order_by("pk").select_for_update()}
        given = found.get(basket_id)
        free = given is not None and _closed_by(given) is None
        own = [
            row
            for row in found.values()
            if row.customer_id == customer_id and _closed_by(row) is None
        ]
        if given is not None and free and given.customer_id is None:
            if not own:
                models.Basket.objects.filter(pk=basket_id).update(
                    customer_id=customer_id, used_on=models.today()
                )
                return basket_id
            own.append(given)
        if not own:
            fresh = basket_id if given is None else BasketId(uuid4())
            _made(fresh, currency=given.currency if given else "EUR", customer_id=customer_id)
            return fresh
        # Two sign-ins at the same moment may have left the customer two: they become one here.
        kept = given if given is not None and given.customer_id == customer_id and free else own[0]
        for other in own:
            if other.pk != kept.pk:
                _merge(other, into=kept)
        return BasketId(kept.pk)


def _merge(guest: models.Basket, *, into: models.Basket) -> None:
    """Move what is in one basket to another, as far as there is room, and drop it."""
    there: Mapping[str, int] = dict(into.lines.values_list("sku", "quantity"))
    moved = list(guest.lines.order_by("pk"))
    room = MOST_LINES - len(there)
    lines = []
    for line in moved:
        if line.sku not in there:
            room -= 1
            if room < 0:
                continue
        quantity = min(there.get(line.sku, 0) + line.quantity, MOST_OF_ONE)
        lines.append(
            models.BasketLine(
                basket=into, sku=line.sku, title=line.title, name=line.name, quantity=quantity
            )
        )
    changes: dict[str, Any] = {"currency": guest.currency, "used_on": models.today()}
    if guest.address is not None:
        changes |= {"address": guest.address, "delivery": guest.delivery}
    if guest.coupon:
        changes["coupon"] = guest.coupon
    models.Basket.objects.filter(pk=into.pk).update(**changes)
    _put(lines)
    guest.delete()


def _check_quantity(quantity: int, *, least: int) -> None:
    if not least <= quantity <= MOST_OF_ONE:
        raise QuantityOutOfRange(quantity=quantity, most=MOST_OF_ONE)


def _check_address(address: Address) -> None:
    for name, longest in _FIELDS.items():
        value = getattr(address, name)
        if not value.strip():
            raise InvalidAddress(problem=f"the {name} is missing.")
        if len(value) > longest:
            raise InvalidAddress(problem=f"the {name} has more than {longest} characters.")
        if _CONTROL.search(value):
            raise InvalidAddress(problem=f"the {name} contains characters that cannot be printed.")
    try:
        validate_email(address.email)
    except ValidationError:
        problem = "the email is not an address like name@example.org."
        raise InvalidAddress(problem=problem) from None
    if address.country not in pricing.destinations():
        raise InvalidAddress(problem=f"we do not deliver to {address.country!r}.")


def _locked(basket_id: BasketId) -> models.Basket | None:
    """The basket, locked until the commit; None when there is none. Raises BasketClosed."""
    rows = list(baskets().filter(pk=basket_id).select_for_update())
    if not rows:
        return None
    order_id = _closed_by(rows[0])
    if order_id is not None:
        raise BasketClosed(basket_id=basket_id, order_id=order_id)
    basket: models.Basket = rows[0]
    if basket.used_on != models.today():
        models.Basket.objects.filter(pk=basket_id).update(used_on=models.today())
    return basket


def _closed_by(row: Any) -> OrderId | None:
    return closed_by(basket_id=row.pk, attempt=row.attempt, begun=row.begun, placed=row.order_id)


def _set(basket_id: BasketId, **fields: Any) -> None:
    """Change a basket that is open, by one statement; make one that does not exist yet."""
    with atomic():
        if baskets().filter(OPEN, pk=basket_id).update(used_on=models.today(), **fields):
            return
        if _locked(basket_id) is None:
            _made(basket_id, currency="EUR", **fields)


def _made(basket_id: BasketId, **fields: Any) -> models.Basket:
    """A new basket; a twin that makes the same one at the same moment waits for it."""
    basket = models.Basket(pk=basket_id, **fields)
    models.Basket.objects.bulk_create(
        [basket], update_conflicts=True, unique_fields=["id"], update_fields=list(fields)
    )
    return basket


def _put(lines: Sequence[models.BasketLine]) -> None:
    models.BasketLine.objects.bulk_create(
        lines,
        update_conflicts=True,
        unique_fields=["basket", "sku"],
        update_fields=["quantity", "title", "name"],
    )
