"""Writes of orders, and the interface they answer."""

import re
from typing import Any, NoReturn
from uuid import uuid5

import msgspec

from modules.orders import models, queries
from modules.orders.interface import (
    Address,
    AddressMissing,
    Basket,
    BasketClosed,
    BasketEmpty,
    BasketFull,
    BasketId,
    CheckoutFailed,
    InvalidAddress,
    Order,
    OrderId,
    OrderNotFound,
    Orders,
    OrderState,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
    QuantityOutOfRange,
    UnknownSku,
)
from modules.orders.requires import (
    CardDeclined,
    InsufficientStock,
    NoPrice,
    Sku,
    UnknownDestination,
    catalog,
    pricing,
)
from modules.orders.sagas import Article, Checkout
from monolift import SagaRun, SagaStatus, atomic
from monolift.kernel import Money

MOST_OF_ONE = 99
"""The largest quantity of one line."""

MOST_LINES = 50
"""The most different SKUs in one basket."""

DELIVERIES = ("standard", "express")

_FIELDS = {"name": 100, "street": 200, "city": 100, "postcode": 20, "country": 2, "email": 254}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class OrdersService(Orders):
    """Answers `Orders` from this module's tables, and runs checkouts."""

    def basket(self, *, basket_id: BasketId, currency: str = "EUR") -> Basket:
        """See `Orders.basket`."""
        return queries.basket(basket_id=basket_id, currency=currency)

    def add_to_basket(
        self, *, basket_id: BasketId, sku: str, quantity: int, currency: str = "EUR"
    ) -> None:
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
            _put(line)

    def set_quantity(self, *, basket_id: BasketId, sku: str, quantity: int) -> None:
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

    def set_address(self, *, basket_id: BasketId, address: Address) -> None:
        """See `Orders.set_address`."""
        _check_address(address)
        _set(basket_id, address=msgspec.to_builtins(address))

    def set_delivery(self, *, basket_id: BasketId, method: str) -> None:
        """See `Orders.set_delivery`."""
        if method not in DELIVERIES:
            raise InvalidAddress(problem=f"choose a delivery from: {', '.join(DELIVERIES)}.")
        _set(basket_id, delivery=method)

    def check_out(self, *, basket_id: BasketId, expected_total: Money, card_token: str) -> Order:
        """See `Orders.check_out`."""
        basket = queries.stored_basket(basket_id=basket_id)
        if basket is None or not basket.lines:
            raise BasketEmpty(basket_id=basket_id)
        if basket.order_id is not None:
            order = self.order(order_id=basket.order_id)
            if order.state is not OrderState.PLACED:
                return order
            # Its checkout is about to take the money: a repeated request waits for it as a twin.
        if basket.address is None:
            raise AddressMissing(basket_id=basket_id)
        order_id = OrderId(uuid5(basket_id, str(basket.attempt)))
        run = Checkout.run(
            key=str(order_id),
            order_id=order_id,
            basket_id=basket_id,
            attempt=basket.attempt,
            currency=basket.currency,
            articles=tuple(
                Article(sku=line.sku, title=f"{line.title}, {line.name}", quantity=line.quantity)
                for line in basket.lines
            ),
            address=basket.address,
            delivery=basket.delivery or DELIVERIES[0],
            expected_total=expected_total,
            card_token=card_token,
            timeout=20,
        )
        if run.status is SagaStatus.DONE:
            return _paid(run.state)
        if run.status is SagaStatus.UNDONE:
            _refuse(run)
        return self.order(order_id=order_id)

    def order(self, *, order_id: OrderId) -> Order:
        """See `Orders.order`."""
        order = queries.order(order_id=order_id)
        if order is not None:
            return order
        run = Checkout.find(key=str(order_id))
        if run is None:
            raise OrderNotFound(order_id=order_id)
        failed = run.status in (SagaStatus.UNDONE, SagaStatus.ABANDONED)
        return Order(
            id=order_id,
            state=OrderState.FAILED if failed else OrderState.PROCESSING,
            lines=run.state.lines,
            address=run.state.address,
            total=run.state.expected_total,
            placed_at=None,
            problem=str(run.error or "It could not be completed.") if failed else "",
        )


def _paid(state: Checkout) -> Order:
    return Order(
        id=state.order_id,
        state=OrderState.PAID,
        lines=state.lines,
        address=state.address,
        total=state.expected_total,
        placed_at=state.placed_at,
    )


def _refuse(run: SagaRun[Checkout]) -> NoReturn:
    """Say in this module's words why a checkout was taken back."""
    match run.error:
        case PriceChanged() as error:
            raise error
        case InsufficientStock(sku=sku, available=available):
            raise OutOfStock(sku=sku, available=available)
        case CardDeclined(reason=reason):
            raise PaymentRefused(reason=reason)
        case NoPrice(sku=sku):
            raise UnknownSku(sku=sku)
        case UnknownDestination() as error:
            raise InvalidAddress(problem=error.detail)
        case None:
            raise CheckoutFailed(reason="a part of the shop did not answer in time")
        case error:
            raise CheckoutFailed(reason=error.detail.rstrip("."))


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
    if not _EMAIL.fullmatch(address.email):
        raise InvalidAddress(problem="the email is not an address like name@example.org.")
    if address.country not in pricing.destinations():
        raise InvalidAddress(problem=f"we do not deliver to {address.country!r}.")


def _locked(basket_id: BasketId) -> models.Basket | None:
    """The basket, locked until the commit; None when there is none. Raises BasketClosed."""
    basket = queries.baskets().select_for_update().filter(pk=basket_id).first()
    if basket is not None and basket.order_id is not None:
        raise BasketClosed(basket_id=basket_id, order_id=basket.order_id)
    return basket


def _set(basket_id: BasketId, **fields: Any) -> None:
    """Change a basket that is open, by one statement; make one that does not exist yet."""
    with atomic():
        if queries.baskets().filter(pk=basket_id, order_id=None).update(**fields):
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


def _put(line: models.BasketLine) -> None:
    models.BasketLine.objects.bulk_create(
        [line],
        update_conflicts=True,
        unique_fields=["basket", "sku"],
        update_fields=["quantity", "title", "name"],
    )
