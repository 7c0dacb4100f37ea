"""The back office in a real browser: nothing overlaps, nothing is wider than the screen."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from modules.orders.interface import Orders
from monolift import use
from tests.browser.conftest import Open
from tests.shop import basket_with, card, shelve, total_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases="__all__", transaction=True),
]
PASSWORD = "correct horse battery"


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_what_can_be_done_to_an_order_stands_below_it(visit: Open, width: int) -> None:
    shelve("MUG")
    basket = basket_with("MUG")
    order = use(Orders).check_out(
        basket_id=basket, card_token=card(), expected_total=total_of(basket)
    )
    get_user_model().objects.create_superuser("chief@example.org", PASSWORD)
    office = visit(f"/admin/orders/order/{order.id}/change/", width=width)
    office.get_by_label("Email").fill("chief@example.org")
    office.get_by_label("Password").fill(PASSWORD)
    office.get_by_role("button", name="Log in").click()
    expect(office.get_by_role("heading", name=f"{order.number}, paid")).to_be_visible()
    above = office.locator("#content-main").bounding_box()
    assert above
    for act in ("Refund", "Cancel"):
        heading = office.get_by_role("heading", name=act, exact=True).bounding_box()
        assert heading
        assert heading["y"] >= above["y"] + above["height"], "nothing lies over it"
        assert heading["height"] < 60
    excess = office.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert excess <= 0
