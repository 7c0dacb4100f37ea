"""What is left of a customer who is forgotten, and of baskets that nobody comes back to."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from config.identity.models import User
from modules.orders import models
from modules.orders.interface import (
    BasketClosed,
    BasketId,
    CheckoutFailed,
    Order,
    OrderId,
    Orders,
    OrderState,
    PaymentRefused,
)
from modules.orders.services import abandoned
from modules.orders.tasks import empty_abandoned_baskets
from modules.payments.interface import NotCapturable, Payments
from modules.profiles.interface import Profiles
from monolift import use
from monolift.testing.scenario import Scenario
from tests.doubles import failing
from tests.shop import ADDRESS, DECLINED, basket_with, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


def bought(
    basket_id: BasketId, *, customer_id: UUID | None = None, token: str | None = None
) -> Order:
    return orders.check_out(
        basket_id=basket_id,
        expected_total=total_of(basket_id),
        card_token=token or card(),
        customer_id=customer_id,
    )


def forget(user_id: UUID, scenario: Scenario) -> None:
    use(Profiles).forget(user_id=user_id)
    scenario.run_until_idle()


@pytest.mark.together
def test_the_baskets_of_who_is_forgotten_are_emptied_and_orders_stay(scenario: Scenario) -> None:
    shelve()
    forgotten, other = uuid4(), uuid4()
    ordered, open_one, others = basket_with(), basket_with(), basket_with()
    for basket_id, customer_id in ((ordered, forgotten), (others, other)):
        orders.claim_basket(basket_id=basket_id, customer_id=customer_id)
    order = bought(ordered)
    orders.claim_basket(basket_id=open_one, customer_id=forgotten)
    forget(forgotten, scenario)
    assert not orders.basket(basket_id=open_one).lines
    assert orders.basket(basket_id=open_one).address is None
    assert orders.basket(basket_id=others).lines
    assert orders.basket(basket_id=others).address == ADDRESS
    assert orders.basket(basket_id=ordered).address is None
    kept = orders.order(order_id=order.id)
    assert kept.lines
    assert kept.address == ADDRESS


@pytest.mark.together
@pytest.mark.inside
def test_shipping_forgets_whom_an_order_went_to(scenario: Scenario) -> None:
    from modules.shipping.models import Shipment  # not there beside a fake

    shelve()
    customer, basket_id = uuid4(), basket_with()
    bought(basket_id, customer_id=customer)
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    assert Shipment.objects.get().recipient["name"] == ADDRESS.name
    forget(customer, scenario)
    assert Shipment.objects.get().recipient == {}


@pytest.mark.together
@pytest.mark.inside
def test_an_order_that_failed_has_no_bill_and_forgets_its_customer(scenario: Scenario) -> None:
    shelve()
    customer, other = uuid4(), uuid4()
    for who in (customer, other):
        with (
            failing(Payments, capture=NotCapturable(reference=uuid4(), state="voided")),
            pytest.raises(CheckoutFailed),
        ):
            bought(basket_with(), customer_id=who)
    paid = bought(basket_with(), customer_id=customer)
    forget(customer, scenario)
    failed = models.Order.objects.filter(state="failed")
    kept = failed.order_by("customer_id").values_list("customer_id", "email", "address__name")
    assert set(kept) == {(None, "", None), (other, ADDRESS.email, ADDRESS.name)}
    blank = failed.get(customer_id=None)
    shown = orders.order(order_id=OrderId(blank.pk))
    assert (shown.state, shown.address, len(shown.lines)) == (OrderState.FAILED, None, 1)
    assert orders.order(order_id=paid.id).address == ADDRESS


# Whose it is --------------------------------------------------------------------------------------


@pytest.mark.topologies("local", "loopback", fake=Orders)
def test_a_customers_new_basket_is_theirs() -> None:
    shelve()
    customer = uuid4()
    basket_id = orders.create_basket(customer_id=customer)
    assert orders.basket(basket_id=basket_id).customer_id == customer
    assert orders.create_basket(customer_id=customer) != basket_id
    orders.add_to_basket(basket_id=basket_id, sku="MUG", quantity=1)
    orders.set_address(basket_id=basket_id, address=ADDRESS)
    assert bought(basket_id).customer_id == customer


def made_by(client: Client) -> BasketId:
    answer = client.post("/api/v1/baskets", content_type="application/json")
    return BasketId(UUID(answer.json()["id"]))


@pytest.mark.together
def test_who_makes_a_basket_over_rest_is_forgotten_with_it(scenario: Scenario) -> None:
    user = User.objects.create_user("ada@example.org", "x")
    customer = Client()
    customer.force_login(user)
    baskets = [made_by(client) for client in (customer, Client())]
    shelve()
    for basket_id in baskets:
        orders.set_address(basket_id=basket_id, address=ADDRESS)
    forget(user.pk, scenario)
    mine, guests = (orders.basket(basket_id=basket_id) for basket_id in baskets)
    assert (mine.customer_id, mine.address) == (user.pk, None)
    assert (guests.customer_id, guests.address) == (None, ADDRESS)


@pytest.mark.together
def test_who_fails_to_order_a_basket_is_forgotten_with_it(scenario: Scenario) -> None:
    shelve()
    customer, other = uuid4(), uuid4()
    nobodys, others = basket_with(), basket_with()
    orders.claim_basket(basket_id=others, customer_id=other)
    for basket_id in (nobodys, others):
        with pytest.raises(PaymentRefused):
            bought(basket_id, customer_id=customer, token=card(DECLINED))
    forget(customer, scenario)
    assert orders.basket(basket_id=nobodys).address is None
    assert orders.basket(basket_id=others).customer_id == other
    assert orders.basket(basket_id=others).address == ADDRESS


# Abandoned ----------------------------------------------------------------------------------------


def used(basket_id: BasketId) -> models.Basket | None:
    return models.Basket.objects.filter(pk=basket_id).first()


def night(scenario: Scenario) -> None:
    """The task comes round, and whatever it leaves for later."""
    empty_abandoned_baskets.enqueue()
    scenario.run_until_idle()


USES: dict[str, Callable[[BasketId], None]] = {
    "more": lambda key: orders.add_to_basket(basket_id=key, sku="MUG", quantity=1),
    "another quantity": lambda key: orders.set_quantity(basket_id=key, sku="MUG", quantity=2),
    "an address": lambda key: orders.set_address(basket_id=key, address=ADDRESS),
}


@pytest.mark.inside
@pytest.mark.parametrize("use_it", USES.values(), ids=USES)
def test_what_is_in_an_abandoned_basket_goes_then_the_basket(
    scenario: Scenario, settings: Settings, use_it: Callable[[BasketId], None]
) -> None:
    shelve()
    settings.ORDERS = {"KEEP_BASKETS": 30}
    basket_id, used_again = basket_with(), basket_with()
    scenario.travel(days=30)
    use_it(used_again)
    night(scenario)
    assert orders.basket(basket_id=basket_id).address == ADDRESS
    scenario.travel(days=1)
    night(scenario)
    emptied, other = (orders.basket(basket_id=one) for one in (basket_id, used_again))
    assert (emptied.lines, emptied.address) == ((), None)
    assert (len(other.lines), other.address) == (1, ADDRESS)
    assert used(basket_id)
    scenario.travel(days=31)
    night(scenario)
    assert not used(basket_id)
    assert orders.basket(basket_id=used_again).lines == ()


@pytest.mark.inside
def test_the_night_has_no_end_before_all_are_done(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abandoned, "SOME", 2)
    shelve()
    for _ in range(5):
        basket_with()
    scenario.travel(days=91)
    night(scenario)
    assert not models.BasketLine.objects.exists()
    assert list(models.Basket.objects.values_list("address", flat=True)) == [None] * 5


@pytest.mark.together
@pytest.mark.inside
def test_an_ordered_basket_stays_closed_without_its_address(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    order = bought(basket_id)
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    scenario.travel(days=91)
    for _ in range(2):
        night(scenario)
        scenario.travel(days=91)
    closed = orders.basket(basket_id=basket_id)
    assert (closed.order_id, len(closed.lines), closed.address) == (order.id, 1, None)
    assert orders.order(order_id=order.id).address == ADDRESS
    with pytest.raises(BasketClosed):
        orders.add_to_basket(basket_id=basket_id, sku="MUG", quantity=1)


@pytest.mark.together
@pytest.mark.inside
def test_a_basket_that_was_tried_once_makes_another_order_after_years(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    with pytest.raises(PaymentRefused):
        bought(basket_id, token=card(DECLINED))
    for _ in range(3):
        scenario.travel(days=91)
        night(scenario)
    emptied = orders.basket(basket_id=basket_id)
    assert (emptied.lines, emptied.address) == ((), None)
    orders.add_to_basket(basket_id=basket_id, sku="MUG", quantity=1)
    orders.set_address(basket_id=basket_id, address=ADDRESS)
    assert bought(basket_id).state is OrderState.PAID


@pytest.mark.inside
def test_a_basket_that_is_being_ordered_is_left_alone(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    models.Basket.objects.filter(pk=basket_id).update(begun=0)
    scenario.travel(days=91)
    night(scenario)
    kept = orders.basket(basket_id=basket_id)
    assert (len(kept.lines), kept.address) == (1, ADDRESS)


@pytest.mark.inside
def test_what_moves_into_a_basket_counts_as_its_use(scenario: Scenario) -> None:
    shelve()
    customer, own = uuid4(), basket_with()
    orders.claim_basket(basket_id=own, customer_id=customer)
    scenario.travel(days=80)
    assert orders.claim_basket(basket_id=basket_with(), customer_id=customer) == own
    scenario.travel(days=80)
    night(scenario)
    assert len(orders.basket(basket_id=own).lines) == 1


def test_it_comes_round_every_night() -> None:
    last = datetime(2026, 11, 29, 3, 10, tzinfo=UTC)
    assert empty_abandoned_baskets.next_after(last) == datetime(2026, 11, 30, 3, 10, tzinfo=UTC)
