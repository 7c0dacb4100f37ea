"""The shop's checkout written by hand, without the library: no seam, no saga, no undo.

Once as one would write it, in as many commits as the fused checkout has. It keeps what makes that
one safe to repeat: stock is held before money is asked for, and an intent is committed before each
call to the card network. And once with every statement that the unfused checkout sends, in its
transactions: what the shop's modules send is built by the same ORM, what the library sends is
given.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec
from django.db import connections, transaction
from django.utils import timezone

from benchmarks.floor.models import Intent
from benchmarks.probe.models import Note
from modules.catalog.interface import Sku
from modules.catalog.queries import labels
from modules.inventory.models import Hold, Stock
from modules.orders.interface import BasketId, Order, OrderId
from modules.orders.models import Basket
from modules.orders.models import Order as OrderRow
from modules.orders.models import OrderLine as OrderLineRow
from modules.orders.queries.baskets import StoredBasket, order_of, stored_basket
from modules.orders.queries.orders import shown
from modules.payments.models import Entry, Payment
from modules.payments.provider import provider
from modules.pricing.interface import Quote, QuoteLine
from modules.pricing.queries.prices import quote
from monolift import Money, uuid7

ALIAS = "default"


type Platform = Callable[[], None]
"""Sends the next statements of the library's, which were recorded before."""


def check_out(*, basket_id: BasketId, expected_total: Money, card_token: str) -> Order:
    """Order and pay a basket of the shop, in seven commits."""
    basket = stored_basket(basket_id=basket_id)
    assert basket is not None
    assert basket.address is not None
    order_id = order_of(basket_id=basket_id, attempt=basket.attempt)
    _on_sale(basket)
    with transaction.atomic():
        _close(basket)
        prices = _priced(basket, expected_total)
        hold = _hold(order_id, _wanted(basket))
        hold.save(force_insert=True)
        _take_stock(hold)
        _later("inventory", "inventory.expire_hold", hold)
    _intend(order_id, "authorise")
    payment = _authorised(order_id, expected_total, card_token)
    with transaction.atomic():
        Payment.objects.bulk_create([payment], ignore_conflicts=True)
    with transaction.atomic():
        _keep_hold(order_id)
        order = _placed(order_id, basket, prices)
        body = {
            "order_id": order_id,
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in order.lines],
            "total": prices.total,
            "email": basket.address.email,
            "customer_id": basket.customer_id,
        }
        _announce("orders", "orders.order_placed.v1", order_id, body)
    _intend(order_id, "capture")
    _capture_at_network(order_id)
    with transaction.atomic():
        _captured(order_id, expected_total)
        body = {"reference": order_id, "amount": expected_total}
        _announce("payments", "payments.payment_captured.v1", order_id, body)
    with transaction.atomic():
        OrderRow.objects.filter(pk=order_id).update(state=OrderRow.State.PAID)
        body = {
            "order_id": order_id,
            "total": expected_total,
            "email": basket.address.email,
            "customer_id": basket.customer_id,
        }
        _announce("orders", "orders.order_paid.v1", order_id, body)
    return order


def check_out_unfused(
    *, basket_id: BasketId, expected_total: Money, card_token: str, platform: Platform
) -> Order:
    """The same, step by step: every statement and every transaction of the unfused checkout."""
    basket = stored_basket(basket_id=basket_id)
    assert basket is not None
    order_id = order_of(basket_id=basket_id, attempt=basket.attempt)
    _on_sale(basket)
    with transaction.atomic():
        platform()  # the saga begins
        _close(basket)
        platform()
    prices = _priced(basket, expected_total)
    platform()  # the step's result and the next one's intent
    hold = _hold(order_id, _wanted(basket))
    with transaction.atomic():
        platform()  # the key
        with transaction.atomic():
            hold.save(force_insert=True)
        _take_stock(hold)
        platform()  # the timer
        platform()  # the answer
    platform()
    platform()  # the key, before the card network is asked
    payment = _authorised(order_id, expected_total, card_token)
    with transaction.atomic():
        Payment.objects.bulk_create([payment], ignore_conflicts=True)
        platform()
    platform()
    with transaction.atomic():
        platform()
        _keep_hold(order_id)
        platform()
    with transaction.atomic():
        order = _placed(order_id, basket, prices)
        platform()  # the event
        platform()
    platform()
    _capture_at_network(order_id)
    with transaction.atomic():
        _captured(order_id, expected_total)
        platform()
        platform()
    with transaction.atomic():
        OrderRow.objects.filter(pk=order_id).update(state=OrderRow.State.PAID)
        platform()
        platform()
    return order


def walk_unfused(*, reference: UUID, sku: str, platform: Platform) -> None:
    """The saga of three steps: every statement and every transaction of the unfused one."""
    platform()  # the saga begins
    hold(reference=reference, sku=sku, platform=platform)
    platform()  # the step's result and the next one's intent
    take(reference=reference, platform=platform)
    note(reference=reference, sku=sku, platform=platform)


def hold(*, reference: UUID, sku: str, platform: Platform) -> None:
    """The first step of that saga."""
    held = _hold(reference, [[sku, 1]])
    with transaction.atomic():
        platform()  # the key
        with transaction.atomic():
            held.save(force_insert=True)
        _take_stock(held)
        platform()  # the timer
        platform()  # the answer


def take(*, reference: UUID, platform: Platform) -> None:
    """The second."""
    with transaction.atomic():
        platform()  # the key
        _keep_hold(reference)
        platform()  # the answer


def note(*, reference: UUID, sku: str, platform: Platform) -> None:
    """The third, in the saga's own module."""
    with transaction.atomic():
        Note.objects.create(id=reference, text=sku, total=1)
        platform()  # the saga's end


def _on_sale(basket: StoredBasket) -> None:
    if len(labels(skus=[Sku(line.sku) for line in basket.lines])) < len(basket.lines):
        raise ValueError("Something is no longer for sale.")


def _close(basket: StoredBasket) -> None:
    here = Basket.objects.filter(pk=basket.id, attempt=basket.attempt)
    if not here.update(begun=basket.attempt):
        raise ValueError("The basket is gone.")


def _priced(basket: StoredBasket, expected_total: Money) -> Quote:
    assert basket.address is not None
    prices = quote(
        lines=[QuoteLine(sku=line.sku, quantity=line.quantity) for line in basket.lines],
        currency=basket.currency,
        country=basket.address.country,
    )
    if prices.total != expected_total:
        raise ValueError("The price has changed.")
    return prices


def _wanted(basket: StoredBasket) -> list[list[Any]]:
    return sorted([line.sku, line.quantity] for line in basket.lines)


def _hold(reference: UUID, lines: list[list[Any]]) -> Hold:
    return Hold(
        id=uuid7(),
        reference=reference,
        lines=lines,
        expires_at=timezone.now() + timedelta(minutes=15),
    )


def _take_stock(hold: Hold) -> None:
    if Stock.objects.take_out(hold.lines) is not None:
        raise ValueError("Too little is left.")


def _keep_hold(order_id: UUID) -> None:
    Hold.objects.filter(reference=order_id, state="held").update(state="taken")


def _authorised(order_id: UUID, amount: Money, card_token: str) -> Payment:
    charge = provider().authorise(key=f"authorise:{order_id}", amount=amount, token=card_token)
    return Payment(
        reference=order_id,
        amount=amount.amount,
        currency=amount.currency,
        charge=charge,
        created_at=timezone.now(),
    )


def _placed(order_id: OrderId, basket: StoredBasket, prices: Quote) -> Order:
    assert basket.address is not None
    row = OrderRow(
        id=order_id,
        basket_id=basket.id,
        customer_id=basket.customer_id,
        currency=basket.currency,
        net=prices.net.amount,
        discount=prices.discount.amount,
        shipping=prices.delivery.amount,
        tax=prices.tax.amount,
        taxes=[(one.rate, one.net.amount, one.amount.amount) for one in prices.taxes],
        total=prices.total.amount,
        email=basket.address.email,
        address=msgspec.to_builtins(basket.address),
        delivery=basket.delivery,
        placed_at=timezone.now(),
    )
    row.save(force_insert=True)
    lines = OrderLineRow.objects.bulk_create(
        OrderLineRow(
            order=row,
            position=position,
            sku=line.sku,
            title=f"{line.title}, {line.name}",
            quantity=line.quantity,
            unit=priced.unit.amount,
            total=priced.total.amount,
        )
        for position, (line, priced) in enumerate(zip(basket.lines, prices.lines, strict=True))
    )
    row.state = OrderRow.State.PAID
    return shown(row, lines)


def _capture_at_network(order_id: UUID) -> None:
    payment = Payment.objects.filter(reference=order_id).first()
    assert payment is not None
    provider().capture(key=f"capture:{order_id}", charge=payment.charge)


def _captured(order_id: UUID, amount: Money) -> None:
    now = timezone.now()
    Payment.objects.filter(reference=order_id, state="authorised").update(state="captured")
    Entry.objects.bulk_create(
        Entry(
            posting=uuid5(order_id, "capture"),
            account=account,
            amount=minor_units,
            currency=amount.currency,
            reference=order_id,
            posted_at=now,
        )
        for account, minor_units in (
            (Entry.Account.PROVIDER, amount.amount),
            (Entry.Account.CUSTOMERS, -amount.amount),
        )
    )


def _intend(order_id: UUID, what: str) -> None:
    with transaction.atomic():
        Intent.objects.create(id=uuid5(order_id, f"intent {what}"), what=what)


def _later(module: str, task: str, hold: Hold) -> None:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "INSERT INTO monolift_delivery (module, event, subscriber, publisher, name, number, "
            "body, trace, state, attempts, token, failure, due_at, created_at) "
            "VALUES (%s, %s, %s, %s, %s, 0, %s, '', 'pending', 0, '', '', %s, %s)",
            (
                module,
                str(uuid7()),
                task,
                module,
                task,
                msgspec.json.encode({"hold_id": hold.id}).decode(),
                _moment(hold.expires_at),
                _moment(timezone.now()),
            ),
        )


def _announce(module: str, name: str, key: UUID, body: dict[str, Any]) -> None:
    now = timezone.now()
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "INSERT INTO monolift_outbox (module, event, name, key, number, body, trace, cause) "
            "VALUES (%s, %s, %s, %s, %s, %s, '', 'by hand')",
            (
                module,
                str(uuid7()),
                name,
                str(key),
                int(now.timestamp() * 1e6),
                msgspec.json.encode(body).decode(),
            ),
        )


def _moment(at: datetime) -> Any:
    return connections[ALIAS].ops.adapt_datetimefield_value(at)
