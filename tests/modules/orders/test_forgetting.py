"""What is left of a customer who is forgotten, and of baskets that nobody comes back to."""

from uuid import uuid4

import pytest

from modules.orders.interface import Orders
from modules.profiles.interface import Profiles
from modules.shipping.models import Shipment
from monolift import use
from monolift.testing.scenario import Scenario
from tests.shop import ADDRESS, basket_with, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


@pytest.mark.together
def test_the_baskets_of_who_is_forgotten_are_emptied_and_orders_stay(scenario: Scenario) -> None:
    shelve()
    forgotten, other = uuid4(), uuid4()
    ordered, open_one, others = basket_with(), basket_with(), basket_with()
    for basket_id, customer_id in ((ordered, forgotten), (others, other)):
        orders.claim_basket(basket_id=basket_id, customer_id=customer_id)
    order = orders.check_out(basket_id=ordered, expected_total=total_of(ordered), card_token=card())
    orders.claim_basket(basket_id=open_one, customer_id=forgotten)
    use(Profiles).forget(user_id=forgotten)
    scenario.run_until_idle()
    assert not orders.basket(basket_id=open_one).lines
    assert orders.basket(basket_id=open_one).address is None
    assert orders.basket(basket_id=others).lines
    assert orders.basket(basket_id=others).address == ADDRESS
    kept = orders.order(order_id=order.id)
    assert kept.lines
    assert kept.address == ADDRESS


@pytest.mark.together
@pytest.mark.inside
def test_shipping_forgets_whom_an_order_went_to(scenario: Scenario) -> None:
    shelve()
    customer, basket_id = uuid4(), basket_with()
    orders.check_out(
        basket_id=basket_id,
        expected_total=total_of(basket_id),
        card_token=card(),
        customer_id=customer,
    )
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    assert Shipment.objects.get().recipient["name"] == ADDRESS.name
    use(Profiles).forget(user_id=customer)
    scenario.run_until_idle()
    assert Shipment.objects.get().recipient == {}
