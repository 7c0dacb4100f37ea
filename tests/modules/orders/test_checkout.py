"""Checking out: a paid order, or nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from modules.catalog.interface import Catalog
from modules.inventory.interface import Inventory
from modules.orders import models
from modules.orders.interface import (
    AddressMissing,
    BasketClosed,
    BasketEmpty,
    BasketId,
    CheckoutFailed,
    Order,
    OrderId,
    OrderNotFound,
    Orders,
    OrderState,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
    UnknownSku,
)
from modules.orders.sagas import Checkout
from modules.payments.interface import NotCapturable, Payment, Payments
from monolift import Money, use
from monolift.kernel import SagaStatus
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.sagas import operate
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.doubles import failing, instead, silent, slow
from tests.shop import (
    ANSWER_LOST,
    DECLINED,
    NO_FUNDS,
    assert_books_balance,
    available,
    basket_with,
    card,
    charges,
    shelve,
    total_of,
)

both = pytest.mark.topologies("local", "loopback", fake=Orders)
pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


def check_out(
    basket_id: BasketId, *, number: str | None = None, expected: Money | None = None
) -> Order:
    """Check the basket out at its price, with a good card unless another is given."""
    token = card(number) if number else card()
    total = expected or total_of(basket_id)
    return orders.check_out(basket_id=basket_id, expected_total=total, card_token=token)


def published(module: str = "orders") -> list[str]:
    """The events of a module, in order."""
    rows = fetch(
        topology().alias(module),
        "SELECT name FROM monolift_outbox WHERE module = %s ORDER BY number, event",
        (module,),
    )
    return [name for (name,) in rows]


def assert_nothing_happened(*, stock: int = 10) -> None:
    """No order, no money, all stock."""
    assert not models.Order.objects.exclude(state="failed").exists()
    assert available() == stock
    assert [state for state, _ in charges() if state != "voided"] == []
    assert use(Payments).ledger_balance() in ([], ())
    assert_books_balance()


@pytest.mark.together
@pytest.mark.topologies("local", "loopback")
def test_a_basket_becomes_a_paid_order() -> None:
    shelve("MUG", price="10.00")
    basket_id = basket_with(quantity=3)
    order = check_out(basket_id)
    assert (order.state, order.total) == (OrderState.PAID, Money(3600, "EUR"))
    assert [(line.sku, line.title, line.quantity) for line in order.lines] == [
        ("MUG", "Mug, plain", 3)
    ]
    assert order.placed_at is not None
    assert orders.order(order_id=order.id) == order
    assert orders.basket(basket_id=basket_id).order_id == order.id
    assert available() == 7
    assert charges() == [("captured", 3600)]
    assert published() == ["orders.order_placed.v1", "orders.order_paid.v1"]
    assert published("payments") == ["payments.payment_captured.v1"]
    assert_books_balance()


@both
def test_the_total_is_the_sum_of_the_lines() -> None:
    shelve("MUG", price="9.99")
    shelve("BOWL", price="0.07")
    basket_id = basket_with(quantity=3)
    orders.add_to_basket(basket_id=basket_id, sku="BOWL", quantity=7)
    order = check_out(basket_id)
    assert order.total == Money.total([line.total for line in order.lines], currency="EUR")


@pytest.mark.inside
@both
def test_ordering_twice_orders_once() -> None:
    shelve()
    basket_id = basket_with()
    first = check_out(basket_id)
    assert check_out(basket_id) == first
    with pytest.raises(BasketClosed) as refused:
        check_out(basket_id, expected=Money(1199, "EUR"))
    assert refused.value.order_id == first.id
    assert charges() == [("captured", 1200)]
    assert available() == 9


@both
def test_an_ordered_basket_is_closed() -> None:
    shelve()
    basket_id = basket_with()
    order = check_out(basket_id)
    changes: list[Callable[[], Any]] = [
        lambda: orders.add_to_basket(basket_id=basket_id, sku="MUG", quantity=1),
        lambda: orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=0),
        lambda: orders.set_delivery(basket_id=basket_id, method="express"),
    ]
    for change in changes:
        with pytest.raises(BasketClosed) as refused:
            change()
        assert refused.value.order_id == order.id
    assert orders.order(order_id=order.id) == order


@pytest.mark.inside
@both
def test_what_is_missing_is_said() -> None:
    shelve()
    empty = BasketId(uuid4())
    with pytest.raises(BasketEmpty):
        orders.check_out(basket_id=empty, expected_total=Money(1, "EUR"), card_token="x")
    orders.set_delivery(basket_id=empty, method="express")
    with pytest.raises(BasketEmpty):
        orders.check_out(basket_id=empty, expected_total=Money(1, "EUR"), card_token="x")
    orders.add_to_basket(basket_id=empty, sku="MUG", quantity=1)
    with pytest.raises(AddressMissing):
        orders.check_out(basket_id=empty, expected_total=Money(1, "EUR"), card_token="x")
    assert_nothing_happened()


@pytest.mark.topologies("local", "loopback")
@pytest.mark.parametrize(
    ("number", "reason"), [(DECLINED, "declined it"), (NO_FUNDS, "not enough money")]
)
def test_a_refused_card_leaves_nothing_and_another_card_works(number: str, reason: str) -> None:
    shelve()
    basket_id = basket_with()
    for _ in range(2):
        with pytest.raises(PaymentRefused, match=reason):
            check_out(basket_id, number=number)
        assert_nothing_happened()
    order = check_out(basket_id)
    assert order.state is OrderState.PAID
    assert charges() == [("captured", 1200)]
    assert available() == 9
    assert published() == ["orders.order_placed.v1", "orders.order_paid.v1"]


@pytest.mark.inside
@both
def test_a_changed_price_is_asked_about_first() -> None:
    shelve(price="10.00")
    basket_id = basket_with()
    seen = total_of(basket_id)
    shelve(price="11.00", quantity=0)
    with pytest.raises(PriceChanged) as refused:
        check_out(basket_id, expected=seen)
    assert (refused.value.expected, refused.value.now) == (seen, Money(1320, "EUR"))
    assert_nothing_happened()
    assert check_out(basket_id).total == Money(1320, "EUR")


@pytest.mark.inside
@both
def test_another_currency_is_another_price() -> None:
    shelve(price="10.00")
    basket_id = basket_with()
    with pytest.raises(PriceChanged):
        check_out(basket_id, expected=Money(1200, "USD"))
    assert_nothing_happened()


@pytest.mark.inside
@both
def test_what_ran_out_is_said_and_fewer_can_be_bought() -> None:
    shelve(quantity=2)
    basket_id = basket_with(quantity=3)
    with pytest.raises(OutOfStock) as refused:
        check_out(basket_id)
    assert (refused.value.sku, refused.value.available) == ("MUG", 2)
    assert_nothing_happened(stock=2)
    orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=2)
    assert check_out(basket_id).state is OrderState.PAID
    assert available() == 0


@pytest.mark.inside
@pytest.mark.together
@both
def test_an_article_that_lost_its_price_cannot_be_bought() -> None:
    shelve()
    basket_id = basket_with()
    total = total_of(basket_id)
    from modules.pricing.models import ListPrice

    ListPrice.objects.all().delete()
    with pytest.raises(UnknownSku):
        check_out(basket_id, expected=total)
    assert_nothing_happened()


@pytest.mark.inside
@both
def test_what_was_withdrawn_cannot_be_bought() -> None:
    shelve("MUG")
    shelve("POT")
    basket_id = basket_with("MUG")
    orders.add_to_basket(basket_id=basket_id, sku="POT", quantity=1)
    total = total_of(basket_id)
    use(Catalog).withdraw_product(slug="mug")
    with pytest.raises(UnknownSku, match="MUG"):
        check_out(basket_id, expected=total)
    assert_nothing_happened()
    orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=0)
    assert [line.sku for line in check_out(basket_id).lines] == ["POT"]


@pytest.mark.topologies("local", "loopback")
def test_what_is_not_known_to_be_withdrawn_can_be_bought() -> None:
    shelve()
    basket_id = basket_with()
    total = total_of(basket_id)
    with silent(Catalog, "labels"):
        assert check_out(basket_id, expected=total).state is OrderState.PAID


@pytest.mark.topologies("local", "loopback")
def test_a_lost_answer_of_the_card_network_is_found_out() -> None:
    shelve()
    order = check_out(basket_with(), number=ANSWER_LOST)
    assert order.state is OrderState.PAID
    assert charges() == [("captured", 1200)]


@both
def test_an_unknown_order_is_not_found() -> None:
    with pytest.raises(OrderNotFound):
        orders.order(order_id=OrderId(uuid4()))


@pytest.mark.topologies("local", "loopback")
def test_an_order_whose_payment_cannot_be_taken_is_cancelled(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    with (
        failing(Payments, capture=NotCapturable(reference=uuid4(), state="expired")),
        pytest.raises(CheckoutFailed, match="expired") as refused,
    ):
        check_out(basket_id)
    assert "Nothing was charged" in str(refused.value)
    assert_nothing_happened()
    failed = models.Order.objects.get()
    assert failed.state == models.Order.State.FAILED
    assert orders.order(order_id=OrderId(failed.id)).problem
    assert published() == ["orders.order_placed.v1", "orders.order_cancelled.v1"]
    assert check_out(basket_id).state is OrderState.PAID
    assert available() == 9


def test_a_capture_without_an_answer_is_neither_lost_nor_doubled(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    with silent(Payments, "capture"):
        order = check_out(basket_id)
        assert order.state is OrderState.PLACED
        stuck = scenario.settle(Checkout, key=str(order.id))
        assert stuck.status is SagaStatus.STUCK
        assert check_out(basket_id).state is OrderState.PLACED
    operate.retry(topology().alias("orders"), str(stuck.id))
    scenario.run_until_idle()
    assert orders.order(order_id=order.id).state is OrderState.PAID
    assert charges() == [("captured", 1200)]
    assert available() == 9
    assert_books_balance()


@pytest.mark.topologies("local", "loopback")
def test_a_hold_that_lapses_meanwhile_gives_the_money_back() -> None:
    shelve()
    basket_id = basket_with()

    def take_for_ever(real: Callable[..., Payment], *, reference: UUID, **rest: Any) -> Payment:
        use(Inventory).release(reference=reference)
        return real(reference=reference, **rest)

    with (
        instead(Payments, authorise=take_for_ever),
        pytest.raises(CheckoutFailed, match="given back"),
    ):
        check_out(basket_id)
    assert charges() == [("voided", 1200)]
    assert_nothing_happened()
    assert check_out(basket_id).state is OrderState.PAID


def test_an_authorisation_in_doubt_is_settled_before_it_is_undone(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    with slow(Payments, "authorise"):
        order = check_out(basket_id)
        assert order.state is OrderState.PROCESSING
        assert [line.sku for line in order.lines] == ["MUG"]
        stuck = scenario.settle(Checkout, key=str(order.id))
        assert stuck.status is SagaStatus.STUCK
        assert orders.order(order_id=order.id).state is OrderState.PROCESSING
    operate.retry(topology().alias("orders"), str(stuck.id))
    scenario.run_until_idle()
    assert orders.order(order_id=order.id).state is OrderState.FAILED
    assert charges() == [("voided", 1200)]
    assert_nothing_happened()
    assert check_out(basket_id).state is OrderState.PAID


@both
def test_a_whole_checkout_takes_few_statements() -> None:
    shelve()
    basket_id = basket_with()
    total, token = total_of(basket_id), card()
    with statements() as seen:
        orders.check_out(basket_id=basket_id, expected_total=total, card_token=token)
    if topology().alias("orders") == topology().alias("payments"):
        assert len(seen) <= 26, seen
    assert not any("4242" in statement for statement in seen)


def test_no_statement_carries_a_card_number(scenario: Scenario) -> None:
    shelve()
    order = check_out(basket_with())
    alias = topology().alias("orders")
    rows = fetch(
        alias, "SELECT state, progress FROM monolift_saga WHERE key = %s", (str(order.id),)
    )
    assert len(rows) == 1
    assert "4242424242424242" not in str(rows)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_double_click_orders_once() -> None:
    shelve()
    basket_id = basket_with()
    total, tokens = total_of(basket_id), [card(), card(), card()]
    barrier = threading.Barrier(len(tokens))

    def click(token: str) -> Order:
        try:
            barrier.wait(10)
            return orders.check_out(basket_id=basket_id, expected_total=total, card_token=token)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(click, tokens))
    assert {order.id for order in answers} == {answers[0].id}
    assert {order.state for order in answers} == {OrderState.PAID}
    assert charges() == [("captured", 1200)]
    assert available() == 9


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_click_while_the_money_is_taken_waits_for_the_answer() -> None:
    shelve()
    basket_id = basket_with()
    total, tokens = total_of(basket_id), [card(), card()]
    asked, go_on = threading.Event(), threading.Event()

    def wait_to_capture(real: Callable[..., Payment], **arguments: Any) -> Payment:
        asked.set()
        assert go_on.wait(10)
        return real(**arguments)

    def notice(
        run: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if "monolift_saga" in sql:
            go_on.set()
        return run(sql, parameters, many, context)

    def first() -> Order:
        try:
            return orders.check_out(basket_id=basket_id, expected_total=total, card_token=tokens[0])
        finally:
            connections.close_all()

    def second() -> Order:
        assert asked.wait(10)
        try:
            with connections[topology().alias("orders")].execute_wrapper(notice):
                return orders.check_out(
                    basket_id=basket_id, expected_total=total, card_token=tokens[1]
                )
        finally:
            go_on.set()
            connections.close_all()

    with instead(Payments, capture=wait_to_capture), ThreadPoolExecutor(2) as pool:
        answers = [one.result() for one in (pool.submit(first), pool.submit(second))]
    assert [order.state for order in answers] == [OrderState.PAID] * 2
    assert charges() == [("captured", 1200)]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_two_buyers_of_the_last_one() -> None:
    shelve(quantity=1)
    baskets = [basket_with(), basket_with()]
    total, tokens = total_of(baskets[0]), [card(), card()]
    barrier = threading.Barrier(2)

    def buy(number: int) -> str:
        try:
            barrier.wait(10)
            order = orders.check_out(
                basket_id=baskets[number], expected_total=total, card_token=tokens[number]
            )
        except OutOfStock as error:
            return f"{error.available} left"
        finally:
            connections.close_all()
        return str(order.state)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(buy, range(2))) == ["0 left", "paid"]
    assert [state for state, _ in charges()] == ["captured"]
    assert use(Inventory).count()[0].taken == 1
    assert_books_balance()
