"""Orders in the back office: found, read, cancelled and refunded, by those who may."""

import re
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from modules.orders.interface import Order, Orders, OrderState
from modules.pricing.interface import Coupon, Pricing
from monolift import Money, use
from monolift.testing.scenario import Scenario
from tests.shop import assert_books_balance, basket_with, books, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)


@pytest.fixture
def order() -> Order:
    shelve()
    basket_id = basket_with()
    return orders.check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user(
        email=f"{uuid4()}@example.org", password="long enough 4 that", is_staff=True
    )
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="orders", codename__in=permissions)
    )
    client = Client()
    client.force_login(user)
    return client


def page(order: Order) -> str:
    return f"/admin/orders/order/{order.id}/change/"


def form_id(client: Client, order: Order) -> str:
    found = re.search(r'name="form" value="([^"]+)"', client.get(page(order)).content.decode())
    assert found
    return found[1]


@pytest.fixture
def clerk() -> Client:
    return staff("view_order", "change_order", "view_orderline", "view_refund")


def test_an_order_shows_its_timeline(clerk: Client, order: Order, scenario: Scenario) -> None:
    scenario.run_until_idle()
    text = clerk.get(page(order)).content.decode()
    for expected in (order.number, "check_prices", "capture", "bill", "ada@example.org", "12.00"):
        assert expected in text


def test_amounts_and_the_address_can_be_read(clerk: Client) -> None:
    shelve(price="1250.00")
    use(Pricing).set_coupons(coupons=[Coupon(code="SPRING", percent=10)])
    basket_id = basket_with()
    orders.set_coupon(basket_id=basket_id, code="spring")
    made = orders.check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )
    amount = Money.of("0.50", "EUR")
    orders.refund(order_id=made.id, refund_reference=uuid4(), amount=amount, reason="a scratch")
    text = clerk.get(page(made)).content.decode()
    for expected in (
        "1,250.00 EUR",
        "125.00 EUR, 125.00 EUR of it by the coupon",
        "225.00 EUR (20 % of 1,125.00 EUR)",
        "1,350.00 EUR",
        "0.50 EUR",
        "Ada Lovelace<br>12 St James&#x27;s Square<br>SW1Y 4JH<br>London<br>GB",
    ):
        assert expected in text, expected
    for raw in (">125000<", ">12500<", ">135000<", ">50<"):
        assert raw not in text, raw


@pytest.mark.parametrize("query", ["", "{number}", "ada@example.org"])
def test_orders_are_found(clerk: Client, order: Order, query: str) -> None:
    query = query.format(number=order.number[:4])
    assert order.number in clerk.get("/admin/orders/order/", {"q": query}).content.decode()


@pytest.mark.parametrize("query", ["nobody@example.org", "ZZZZ", "%", "' OR 1=1", "ü" * 500])
def test_nothing_is_found(clerk: Client, order: Order, query: str) -> None:
    response = clerk.get("/admin/orders/order/", {"q": query})
    assert response.status_code == 200
    assert order.number not in response.content.decode()


def test_a_refund_goes_through_the_interface_and_is_logged(clerk: Client, order: Order) -> None:
    form = {"amount": "5.00", "reason": "a scratch", "form": form_id(clerk, order)}
    for _ in range(2):  # a double click
        response = clerk.post(f"/admin/orders/order/{order.id}/refund/", form, follow=True)
        assert response.status_code == 200
    assert orders.order(order_id=order.id).refunded.amount == 500
    assert [charge.refunded.amount for charge in books()] == [500]
    assert "a scratch" in LogEntry.objects.latest("pk").change_message
    assert_books_balance()


@pytest.mark.parametrize(
    ("amount", "said"),
    [("0", "greater"), ("-1", "greater"), ("x", "number"), ("5.001", "5.001"), ("99", "at most")],
)
def test_a_refund_that_makes_no_sense_is_refused(
    clerk: Client, order: Order, amount: str, said: str
) -> None:
    form = {"amount": amount, "reason": "a scratch", "form": form_id(clerk, order)}
    response = clerk.post(f"/admin/orders/order/{order.id}/refund/", form, follow=True)
    assert said in response.content.decode()
    assert [charge.refunded.amount for charge in books()] == [0]
    assert not LogEntry.objects.exists()


def test_cancelling_goes_through_the_interface_and_is_logged(clerk: Client, order: Order) -> None:
    cancel = f"/admin/orders/order/{order.id}/cancel/"
    assert "reason" in clerk.post(cancel, {}, follow=True).content.decode()
    assert orders.order(order_id=order.id).state is OrderState.PAID
    clerk.post(cancel, {"reason": "the customer called"})
    assert orders.order(order_id=order.id).state is OrderState.CANCELLED
    assert "the customer called" in LogEntry.objects.get().change_message
    assert "Cancel this order" not in clerk.get(page(order)).content.decode()


@pytest.mark.together
def test_who_may_only_look_can_only_look(order: Order) -> None:
    reader = staff("view_order")
    assert "Cancel this order" not in reader.get(page(order)).content.decode()
    for act in ("cancel", "refund"):
        response = reader.post(f"/admin/orders/order/{order.id}/{act}/", {"reason": "x"})
        assert response.status_code == 403
    assert orders.order(order_id=order.id).state is OrderState.PAID


def test_acts_are_posted(clerk: Client, order: Order) -> None:
    assert clerk.get(f"/admin/orders/order/{order.id}/cancel/").status_code == 405


def test_an_order_that_is_none(clerk: Client) -> None:
    response = clerk.post(f"/admin/orders/order/{uuid4()}/cancel/", {"reason": "x"}, follow=True)
    assert response.status_code == 200
    assert "no such order" in response.content.decode()
