"""After paying: the invoice, cancelling, refunds, and what the back office sees."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from pytest_django import Settings

from modules.inventory.interface import Inventory
from modules.orders.interface import (
    InvalidCursor,
    NoInvoice,
    NotCancellable,
    Order,
    OrderId,
    OrderNotFound,
    Orders,
    OrderState,
    RefundRefused,
)
from modules.orders.sagas import Cancellation, Checkout, Refunding
from modules.payments.interface import Payments, RefundTooLarge
from modules.shipping.interface import ShipmentState, Shipping
from monolift import Money, use
from monolift.kernel import SagaStatus
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.doubles import failing, instead, silent, slow
from tests.shop import (
    assert_books_balance,
    available,
    basket_with,
    books,
    card,
    shelve,
    some_id,
    total_of,
)

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


def bought(*, quantity: int = 1, customer_id: UUID | None = None) -> Order:
    basket_id = basket_with(quantity=quantity)
    return orders.check_out(
        basket_id=basket_id,
        expected_total=total_of(basket_id),
        card_token=card(),
        customer_id=customer_id,
    )


def euros(amount: int) -> Money:
    return Money(amount, "EUR")


@contextmanager
def impatient(wait: float = 0.1) -> Iterator[None]:
    """Wait for no process for long: what is left of it goes on in a worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modules.orders.services.service.WAIT", wait)
        yield


@contextmanager
def given_up_at_once() -> Iterator[None]:
    """Let a cancellation try once only, in place of an hour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modules.orders.sagas.Cancellation.saga_attempts", 1)
        yield


def refunded() -> list[int]:
    return [charge.refunded.amount for charge in books()]


# Invoices -----------------------------------------------------------------------------------------


def test_invoices_are_numbered_without_gaps(scenario: Scenario) -> None:
    shelve()
    made = [bought() for _ in range(3)]
    with pytest.raises(NoInvoice):
        orders.invoice(order_id=made[0].id)
    scenario.run_until_idle()
    invoices = [orders.invoice(order_id=order.id) for order in made]
    year = invoices[0].issued_at.year
    assert sorted(invoice.number for invoice in invoices) == [
        f"{year}-{number:06d}" for number in (1, 2, 3)
    ]
    assert invoices[0].order.total == made[0].total


def test_an_order_that_was_not_paid_has_no_invoice() -> None:
    with pytest.raises(NoInvoice):
        orders.invoice(order_id=OrderId(some_id()))


# Cancelling ---------------------------------------------------------------------------------------


@pytest.mark.inside
@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_a_cancelled_order_gives_back_stock_and_money() -> None:
    shelve()
    order = bought(quantity=2)
    cancelled = orders.cancel(order_id=order.id, reason="too late")
    assert (cancelled.state, cancelled.problem) == (OrderState.CANCELLED, "too late")
    assert cancelled.refunded == order.total
    assert available() == 10
    assert refunded() == [2400]
    assert_books_balance()
    assert orders.cancel(order_id=order.id) == cancelled
    assert refunded() == [2400]


def test_cancelling_gives_back_only_what_is_left(scenario: Scenario) -> None:
    shelve()
    order = bought()
    orders.refund(order_id=order.id, refund_reference=uuid4(), amount=euros(200), reason="scratch")
    orders.cancel(order_id=order.id)
    assert refunded() == [1200]
    assert_books_balance()


@pytest.mark.parametrize("state", ["shipped", "delivered", "refunded"])
def test_what_has_left_cannot_be_cancelled(state: str) -> None:
    from modules.orders import models

    shelve()
    order = bought()
    models.Order.objects.filter(pk=order.id).update(state=state)
    with pytest.raises(NotCancellable, match=state):
        orders.cancel(order_id=order.id)
    assert refunded() == [0]


def test_an_unknown_order_cannot_be_cancelled() -> None:
    with pytest.raises(OrderNotFound):
        orders.cancel(order_id=OrderId(some_id()))


def test_a_lost_answer_of_the_bank_pays_back_once(scenario: Scenario) -> None:
    shelve()
    order = bought()
    with slow(Payments, "refund"):
        with impatient():
            half = orders.cancel(order_id=order.id)
        assert half.state is OrderState.CANCELLING
    scenario.travel(minutes=5)
    scenario.run_until_idle()
    assert orders.order(order_id=order.id).state is OrderState.CANCELLED
    assert refunded() == [1200]
    assert available() == 10
    assert_books_balance()


def test_a_refund_on_its_way_does_not_hold_a_cancellation_up(scenario: Scenario) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    with silent(Payments, "refund"), impatient():
        orders.refund(order_id=order.id, refund_reference=uuid4(), amount=euros(200), reason="x")
        assert orders.cancel(order_id=order.id).state is OrderState.CANCELLING
    assert orders.order(order_id=order.id).state is OrderState.CANCELLING
    assert use(Shipping).shipment(order_id=order.id).state is ShipmentState.CANCELLED
    with pytest.raises(RefundRefused, match="cancelling"):
        orders.refund(order_id=order.id, refund_reference=uuid4(), amount=euros(1), reason="x")
    scenario.settle(Cancellation, key=str(order.id))
    assert orders.order(order_id=order.id).state is OrderState.CANCELLED
    assert refunded() == [1200]
    assert available() == 10
    assert_books_balance()


@pytest.mark.parametrize("refused", [False, True], ids=["it comes back", "it is refused"])
def test_all_of_it_is_on_its_way_back_when_it_is_cancelled(
    scenario: Scenario, refused: bool
) -> None:
    shelve()
    order = bought()
    refund = uuid4()
    with silent(Payments, "refund"), impatient():
        orders.refund_rest(order_id=order.id, refund_reference=refund, reason="x")
        assert orders.cancel(order_id=order.id).state is OrderState.CANCELLING
    seen = []

    def give_back(real: Callable[..., Any], *, refund_reference: UUID, **told: Any) -> Any:
        if refused and refund_reference == refund:
            raise RefundTooLarge(reference=order.id, refundable=euros(0))
        return real(refund_reference=refund_reference, **told)

    def release(real: Callable[..., Any], *, reference: UUID) -> Any:
        seen.append(orders.order(order_id=order.id).state)
        return real(reference=reference)

    with instead(Payments, refund=give_back), instead(Inventory, release=release):
        run = scenario.settle(Refunding, key=str(refund))
        scenario.settle(Cancellation, key=str(order.id))
    assert run.status is (SagaStatus.UNDONE if refused else SagaStatus.DONE)
    assert seen == [OrderState.CANCELLING]
    after = orders.order(order_id=order.id)
    assert (after.state, after.refunded) == (OrderState.CANCELLED, order.total)
    assert refunded() == [1200]
    assert available() == 10
    assert_books_balance()


@pytest.mark.together
@pytest.mark.parametrize("left", [False, True], ids=["shipping is away", "the parcel left"])
def test_all_of_it_came_back_and_it_was_not_cancelled(
    scenario: Scenario, settings: Settings, left: bool
) -> None:
    settings.SHIPPING = {**settings.SHIPPING, "HAND_OVER_AFTER": 10**6}
    shelve()
    order = bought()
    scenario.run_until_idle()
    refund = uuid4()
    with silent(Payments, "refund"), silent(Shipping, "cancel"), impatient():
        orders.refund_rest(order_id=order.id, refund_reference=refund, reason="x")
        assert orders.cancel(order_id=order.id).state is OrderState.CANCELLING
    with silent(Shipping, "cancel"):
        assert scenario.settle(Refunding, key=str(refund)).status is SagaStatus.DONE
    assert orders.order(order_id=order.id).state is OrderState.CANCELLING
    if left:
        from modules.shipping.tasks import hand_over

        hand_over(order_id=order.id)
        run = scenario.settle(Cancellation, key=str(order.id))
    else:
        with given_up_at_once(), silent(Shipping, "cancel"):
            run = scenario.settle(Cancellation, key=str(order.id))
    assert run.status is SagaStatus.UNDONE
    assert orders.order(order_id=order.id).state is OrderState.REFUNDED


def test_a_cancellation_that_did_not_begin_in_time_is_in_progress(scenario: Scenario) -> None:
    shelve()
    order = bought()
    with impatient(-1.0):
        assert orders.cancel(order_id=order.id).state is OrderState.CANCELLING
    scenario.settle(Cancellation, key=str(order.id))
    assert orders.order(order_id=order.id).state is OrderState.CANCELLED
    assert refunded() == [1200]


def test_a_cancellation_that_was_given_up_can_be_tried_again(scenario: Scenario) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    with given_up_at_once(), silent(Shipping, "cancel"):
        for _ in range(2):
            with pytest.raises(NotCancellable, match="Try again later") as refusal:
                orders.cancel(order_id=order.id)
            assert "carrier" not in refusal.value.detail
    assert orders.order(order_id=order.id).state is OrderState.PAID
    assert orders.cancel(order_id=order.id).state is OrderState.CANCELLED
    entries = orders.timeline(order_id=order.id)
    assert [one.process for one in entries if one.step == "close"].count("Cancellation") >= 3
    assert refunded() == [1200]
    assert available() == 10
    assert_books_balance()


# Refunds ------------------------------------------------------------------------------------------


@pytest.mark.inside
@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_refunds_add_up_to_what_was_paid() -> None:
    shelve()
    order = bought()
    first, second = uuid4(), uuid4()
    after = orders.refund(
        order_id=order.id, refund_reference=first, amount=euros(500), reason="a scratch"
    )
    assert (after.state, after.refunded) == (OrderState.PAID, euros(500))
    again = orders.refund(
        order_id=order.id, refund_reference=first, amount=euros(500), reason="a scratch"
    )
    assert again == after
    with pytest.raises(RefundRefused, match="at most"):
        orders.refund(
            order_id=order.id, refund_reference=uuid4(), amount=euros(701), reason="too much"
        )
    last = orders.refund(
        order_id=order.id, refund_reference=second, amount=euros(700), reason="all of it"
    )
    assert (last.state, last.refunded) == (OrderState.REFUNDED, euros(1200))
    assert [(one.id, one.amount.amount, one.done) for one in orders.refunds(order_id=order.id)] == [
        (first, 500, True),
        (second, 700, True),
    ]
    assert refunded() == [1200]
    assert_books_balance()


@pytest.mark.inside
@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_all_that_is_left_goes_back_once() -> None:
    shelve()
    order = bought()
    orders.refund(order_id=order.id, refund_reference=uuid4(), amount=euros(500), reason="x")
    rest = uuid4()
    for _ in range(2):
        after = orders.refund_rest(order_id=order.id, refund_reference=rest, reason="x")
        assert (after.state, after.refunded) == (OrderState.REFUNDED, order.total)
    with pytest.raises(RefundRefused):
        orders.refund_rest(order_id=order.id, refund_reference=uuid4(), reason="x")
    assert [one.amount for one in orders.refunds(order_id=order.id)] == [euros(500), euros(700)]
    assert refunded() == [1200]
    assert_books_balance()


@pytest.mark.parametrize(
    ("amount", "reason", "problem"),
    [
        (Money(0, "EUR"), "x", "above zero"),
        (Money(-5, "EUR"), "x", "above zero"),
        (Money(5, "USD"), "x", "in EUR"),
        (Money(5, "EUR"), "  ", "a reason"),
        (Money(5, "EUR"), "x" * 501, "a reason"),
    ],
    ids=["nothing", "less than nothing", "another currency", "no reason", "a novel"],
)
def test_a_refund_that_makes_no_sense_is_refused(amount: Money, reason: str, problem: str) -> None:
    shelve()
    order = bought()
    with pytest.raises(RefundRefused, match=problem):
        orders.refund(order_id=order.id, refund_reference=uuid4(), amount=amount, reason=reason)
    assert refunded() == [0]


def test_a_reference_of_another_refund_is_refused() -> None:
    shelve()
    one, other = bought(), bought()
    reference = uuid4()
    orders.refund(order_id=one.id, refund_reference=reference, amount=euros(100), reason="x")
    with pytest.raises(RefundRefused, match="another refund"):
        orders.refund(order_id=other.id, refund_reference=reference, amount=euros(100), reason="x")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_refunds_at_once_never_exceed_what_was_paid() -> None:
    shelve()
    order = bought()
    barrier = threading.Barrier(3)

    def give_back(_: int) -> str:
        try:
            barrier.wait(10)
            orders.refund(
                order_id=order.id, refund_reference=uuid4(), amount=euros(500), reason="x"
            )
        except RefundRefused:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(give_back, range(3))) == ["done", "done", "refused"]
    assert refunded() == [1000]
    assert_books_balance()


def test_of_two_refunds_that_are_all_of_it_one_fails(
    scenario: Scenario, settings: Settings
) -> None:
    settings.SHIPPING = {**settings.SHIPPING, "HAND_OVER_AFTER": 10**6}
    shelve()
    order = bought()
    fails = uuid4()
    with silent(Payments, "refund"), impatient():
        orders.refund(order_id=order.id, refund_reference=fails, amount=euros(500), reason="x")
    first = orders.refund(
        order_id=order.id, refund_reference=uuid4(), amount=euros(700), reason="x"
    )
    assert (first.state, first.refunded) == (OrderState.PAID, euros(1200))
    with failing(Payments, refund=RefundTooLarge(reference=order.id, refundable=euros(0))):
        scenario.settle(Refunding, key=str(fails))
    after = orders.order(order_id=order.id)
    assert (after.state, after.refunded) == (OrderState.PAID, euros(700))
    last = orders.refund(order_id=order.id, refund_reference=uuid4(), amount=euros(500), reason="x")
    assert (last.state, last.refunded) == (OrderState.REFUNDED, euros(1200))
    assert refunded() == [1200]
    assert_books_balance()


def test_of_two_refunds_that_are_all_of_it_one_takes_long(scenario: Scenario) -> None:
    shelve()
    order = bought()
    late = uuid4()
    with silent(Payments, "refund"), impatient():
        orders.refund(order_id=order.id, refund_reference=late, amount=euros(500), reason="x")
    orders.refund(order_id=order.id, refund_reference=uuid4(), amount=euros(700), reason="x")
    scenario.settle(Refunding, key=str(late))
    assert orders.order(order_id=order.id).state is OrderState.REFUNDED
    assert refunded() == [1200]


@pytest.mark.together
def test_a_refund_of_all_of_it_keeps_no_parcel_here(scenario: Scenario) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    orders.refund_rest(order_id=order.id, refund_reference=uuid4(), reason="for the wait")
    with pytest.raises(NotCancellable, match="refunded"):
        orders.cancel(order_id=order.id)
    scenario.travel(minutes=2)
    assert use(Shipping).shipment(order_id=order.id).state is ShipmentState.BOOKED
    after = orders.order(order_id=order.id)
    assert after.state is OrderState.REFUNDED
    assert after.tracking


# Lists --------------------------------------------------------------------------------------------


def test_a_customers_orders_come_newest_first_and_in_pages() -> None:
    shelve()
    customer = uuid4()
    mine = [bought(customer_id=customer) for _ in range(3)]
    bought(customer_id=uuid4())
    bought()
    first = orders.history(customer_id=customer, limit=2)
    assert [order.id for order in first.orders] == [mine[2].id, mine[1].id]
    assert first.orders[0].articles == 1
    assert first.orders[0].number == mine[2].number
    rest = orders.history(customer_id=customer, limit=2, after=first.next)
    assert ([order.id for order in rest.orders], rest.next) == ([mine[0].id], None)


def test_a_page_of_orders_takes_two_statements() -> None:
    shelve()
    customer = uuid4()
    for _ in range(3):
        bought(customer_id=customer)
    with statements() as seen:
        orders.history(customer_id=customer)
    assert len(seen) == 2, seen


@pytest.mark.parametrize("after", ["", "x", "W10", "bm9uc2Vuc2U", "é", "A" * 10_000])
def test_a_cursor_that_is_none_is_refused(after: str) -> None:
    with pytest.raises(InvalidCursor):
        orders.orders(after=after)


def test_the_back_office_finds_orders() -> None:
    shelve()
    order, other = bought(), bought()
    found = orders.orders(text=order.number[:6].lower())
    assert [one.id for one in found.orders] == [order.id]
    assert {one.id for one in orders.orders(text="ada@example.org").orders} == {order.id, other.id}
    assert orders.orders(text="nobody@example.org").orders == ()
    assert orders.orders(text="' OR 1=1 --").orders == ()
    assert orders.orders(state=OrderState.CANCELLED).orders == ()
    orders.cancel(order_id=order.id)
    assert [one.id for one in orders.orders(state=OrderState.CANCELLED).orders] == [order.id]


def test_all_that_was_bought_can_be_read_again() -> None:
    shelve()
    made = [bought() for _ in range(3)]
    seen, after = [], None
    while True:
        page = orders.bought(after=after, limit=2)
        seen += [order.order_id for order in page.orders]
        after = page.next
        if after is None:
            break
    assert seen == [order.id for order in made]


def test_the_timeline_tells_what_happened(scenario: Scenario) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    orders.cancel(order_id=order.id)
    entries = orders.timeline(order_id=order.id)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    steps = {(entry.process, entry.step) for entry in entries}
    assert {("Checkout", "capture"), ("Checkout", "bill"), ("Cancellation", "restock")} <= steps
    run = Checkout.find(key=str(order.id))
    assert run is not None
    assert run.status in (SagaStatus.DONE, SagaStatus.WAITING)


def test_numbers_can_be_read_out() -> None:
    shelve()
    order = bought()
    assert len(order.number) == 14
    assert not set(order.number) & set("ILOU")


# Delivery -----------------------------------------------------------------------------------------


@pytest.mark.together
def test_an_order_goes_its_way(scenario: Scenario) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    scenario.run_until_idle()
    shipped = orders.order(order_id=order.id)
    assert shipped.state is OrderState.SHIPPED
    assert shipped.tracking == use(Shipping).shipment(order_id=order.id).tracking != ""
    assert scenario.settle(Checkout, key=str(order.id)).status is SagaStatus.DONE
    with pytest.raises(NotCancellable, match="shipped"):
        orders.cancel(order_id=order.id)
    use(Shipping).mark_delivered(order_id=order.id)
    scenario.run_until_idle()
    assert orders.order(order_id=order.id).state is OrderState.DELIVERED
    assert published() == ["order_placed", "order_paid", "order_shipped", "order_delivered"]


def test_a_cancelled_order_stays_here(scenario: Scenario) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    orders.cancel(order_id=order.id)
    scenario.travel(minutes=5)
    scenario.run_until_idle()
    assert use(Shipping).shipment(order_id=order.id).state is ShipmentState.CANCELLED
    assert scenario.settle(Checkout, key=str(order.id)).status is SagaStatus.DONE
    assert orders.order(order_id=order.id).state is OrderState.CANCELLED
    assert published() == ["order_placed", "order_paid", "order_cancelled"]


@pytest.mark.topologies("local", "loopback")
def test_what_is_cancelled_right_after_paying_stays_here(scenario: Scenario) -> None:
    """Before its checkout has billed and booked it."""
    shelve()
    order = bought(quantity=2)
    assert orders.cancel(order_id=order.id).state is OrderState.CANCELLED
    for _ in range(3):
        scenario.travel(minutes=2)
    assert use(Shipping).shipment(order_id=order.id).state is ShipmentState.CANCELLED
    assert scenario.settle(Checkout, key=str(order.id)).status is SagaStatus.DONE
    assert orders.order(order_id=order.id).state is OrderState.CANCELLED
    assert published() == ["order_placed", "order_paid", "order_cancelled"]
    assert (refunded(), available()) == ([2400], 10)
    with pytest.raises(NoInvoice):
        orders.invoice(order_id=order.id)
    other = bought()
    scenario.run_until_idle()
    assert orders.invoice(order_id=other.id).number.endswith("-000001")


@pytest.mark.together
@pytest.mark.parametrize("arrived", [False, True], ids=["left", "arrived"])
def test_what_left_while_it_was_being_cancelled_goes_its_way(
    scenario: Scenario, arrived: bool
) -> None:
    shelve()
    order = bought()
    scenario.run_until_idle()
    from modules.shipping.tasks import hand_over

    hand_over(order_id=order.id)
    with silent(Shipping, "cancel"), impatient():
        assert orders.cancel(order_id=order.id).state is OrderState.CANCELLING
        if arrived:
            use(Shipping).mark_delivered(order_id=order.id)
        scenario.run_until_idle()
    assert scenario.settle(Cancellation, key=str(order.id)).status is SagaStatus.UNDONE
    after = orders.order(order_id=order.id)
    assert after.state is (OrderState.DELIVERED if arrived else OrderState.SHIPPED)
    assert after.tracking
    assert refunded() == [0]
    with pytest.raises(NotCancellable, match=after.state):
        orders.cancel(order_id=order.id)


@pytest.mark.together
def test_an_arrival_that_is_heard_of_first(scenario: Scenario) -> None:
    """The parcel has arrived before the checkout has written down that it left."""
    shelve()
    order = bought()
    scenario.run_until_idle()
    from modules.shipping.tasks import hand_over

    hand_over(order_id=order.id)
    use(Shipping).mark_delivered(order_id=order.id)
    scenario.run_until_idle()
    assert scenario.settle(Checkout, key=str(order.id)).status is SagaStatus.DONE
    after = orders.order(order_id=order.id)
    assert after.state is OrderState.DELIVERED
    assert after.tracking
    assert sorted(published()[2:]) == ["order_delivered", "order_shipped"]


@pytest.mark.together
def test_what_the_carrier_took_meanwhile_is_not_cancelled(scenario: Scenario) -> None:
    """The parcel left, and orders has not heard of it yet."""
    shelve()
    order = bought()
    scenario.run_until_idle()
    from modules.shipping.tasks import hand_over

    hand_over(order_id=order.id)
    for _ in range(2):
        with pytest.raises(NotCancellable, match="carrier"):
            orders.cancel(order_id=order.id)
    assert Cancellation.find(key=f"{order.id}:1") is None, "the answer stands"
    assert refunded() == [0]
    scenario.run_until_idle()
    assert orders.order(order_id=order.id).state is OrderState.SHIPPED
    assert available() == 9


def published() -> list[str]:
    rows = fetch(
        topology().alias("orders"),
        "SELECT name FROM monolift_outbox WHERE module = 'orders' ORDER BY number, event",
    )
    return [name.split(".")[1] for (name,) in rows]
