"""The basket: its cookie, its lines, its currency."""

import re
from http.cookies import Morsel
from uuid import UUID

import pytest

from modules.orders.interface import BasketId, Orders
from monolift import use
from tests.modules.storefront.cost import Cost, cost
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import shelve

pytestmark = pytest.mark.django_db(databases="__all__")

_BASKET = (
    "catalog.categories",
    "catalog.labels",
    "inventory.available",
    "orders.basket",
    "pricing.quote",
)
_CHECKOUT = (
    "catalog.categories",
    "catalog.labels",
    "orders.basket",
    "pricing.destinations",
    "shipping.rates",
)


def cookie(shopper: Shopper) -> "Morsel[str]":
    """The basket's cookie."""
    return shopper.http.cookies["basket"]


def basket_id(shopper: Shopper) -> BasketId:
    """The basket that the cookie names."""
    return BasketId(UUID(cookie(shopper).value.partition(".")[0]))


def test_looking_around_makes_no_basket(shopper: Shopper) -> None:
    shelve("MUG")
    for path in ("/", "/products/mug", "/basket"):
        assert shopper.get(path).status_code == 200
    assert "basket" not in shopper.http.cookies


def test_the_first_add_makes_a_basket_that_scripts_cannot_read(shopper: Shopper) -> None:
    shelve("MUG")
    assert shopper.add()["Location"] == "/basket"
    made = cookie(shopper)
    assert (made["httponly"], made["samesite"], made["path"]) == (True, "Lax", "/")
    assert basket_id(shopper).version == 4
    assert [line.sku for line in use(Orders).basket(basket_id=basket_id(shopper)).lines] == ["MUG"]


def test_the_basket_adds_up(shopper: Shopper) -> None:
    shelve("MUG", price="12.50")
    shelve("POT", price="7.00")
    shopper.add("MUG", 2)
    shopper.add("POT")
    shown = text(shopper.get("/basket"))
    assert "€12.50 each €25.00" in shown
    assert "Goods €32.00" in shown
    assert "Total before tax €32.00" in shown
    assert 'aria-label="Basket, 3 articles"' in shopper.get("/").content.decode()


def test_a_line_is_changed_and_removed(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    assert shopper.post("/basket/change", sku="MUG", quantity=4).status_code == 303
    assert "€40.00" in text(shopper.get("/basket"))
    assert shopper.post("/basket/change", sku="MUG", quantity=4, remove=1).status_code == 303
    assert "Your basket is empty" in text(shopper.get("/basket"))


def test_a_refused_quantity_is_kept_where_it_was_typed(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    response = shopper.post("/basket/change", sku="MUG", quantity="100")
    assert response.status_code == 422
    assert "choose from 1 to 99" in text(response)
    assert 'value="100"' in response.content.decode()
    assert [line.quantity for line in use(Orders).basket(basket_id=basket_id(shopper)).lines] == [1]


def test_a_refused_coupon_is_tied_to_its_field(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    page = shopper.post("/basket/coupon", code="NONE").content.decode()
    (field,) = re.findall(r'<input id="code"[^>]*>', page)
    assert 'value="NONE"' in field
    assert 'aria-invalid="true" aria-describedby="problem"' in field
    assert 'id="problem"' in page
    assert "aria-invalid" not in shopper.get("/basket").content.decode()


def test_more_than_there_is_says_how_much_is_left(shopper: Shopper) -> None:
    shelve("MUG", quantity=3)
    shopper.add("MUG", 5)
    assert "Only 3 left." in text(shopper.get("/basket"))


def test_a_basket_has_one_currency(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    refused = shopper.post("/currency", currency="USD", here="/")
    assert refused.status_code == 409
    assert "Empty it first, then choose USD." in text(refused)
    assert "Empty it to choose another." in shopper.get("/basket").content.decode()
    shopper.post("/basket/change", sku="MUG", remove=1)
    shopper.get("/basket")
    assert shopper.post("/currency", currency="USD", here="/").status_code == 303
    shopper.add()
    assert use(Orders).basket(basket_id=basket_id(shopper)).currency == "USD"


def test_a_lost_currency_cookie_is_found_in_the_basket(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.post("/currency", currency="KWD")
    shopper.add()
    del shopper.http.cookies["currency"]
    assert "KWD" in text(shopper.get("/basket"))
    assert shopper.http.cookies["currency"].value == "KWD"


@pytest.mark.parametrize("here", ["https://example.org/", "//example.org", "javascript:1", "", "x"])
def test_the_currency_form_leads_to_no_other_site(shopper: Shopper, here: str) -> None:
    assert shopper.post("/currency", currency="USD", here=here)["Location"] == "/"


@pytest.mark.parametrize("damage", ["x", "", "{value}x", "x{value}", "é"])
@pytest.mark.parametrize("path", ["/basket", "/checkout"])
def test_a_basket_that_is_not_ours_is_refused_and_taken_away(
    shopper: Shopper, damage: str, path: str
) -> None:
    shelve("MUG")
    shopper.add()
    shopper.http.cookies["basket"] = damage.format(value=cookie(shopper).value)
    assert shopper.get("/").status_code == 200
    shopper.http.cookies["basket"] = "tampered"
    response = shopper.get(path)
    assert response.status_code == 400
    assert "a basket that this shop did not hand out" in text(response)
    assert cookie(shopper).value == ""
    shopper.http.cookies.pop("basket")  # as a browser does with an expired one
    assert shopper.add().status_code == 303
    assert shopper.get("/basket").status_code == 200


def test_adding_after_an_order_begins_a_new_basket(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    first = basket_id(shopper)
    assert "Paid" in shopper.order(shopper.pay())
    assert "What was in it is ordered." in text(shopper.get("/basket"))
    assert shopper.add("MUG", 2).status_code == 303
    assert basket_id(shopper) != first
    assert "€20.00" in text(shopper.get("/basket"))


@pytest.mark.together
def test_a_long_basket_costs_no_more_than_a_short_one(shopper: Shopper) -> None:
    for number in range(12):
        shelve(f"MUG{number}")
    shopper.add("MUG0")
    expected = {
        "/basket": Cost(calls=dict.fromkeys(_BASKET, 1), statements=5),
        "/checkout": Cost(calls=dict.fromkeys(_CHECKOUT, 1) | {"pricing.quote": 2}, statements=5),
    }
    headers = {"Accept-Language": "en-GB"}
    short = {path: cost(shopper, path, headers=headers) for path in expected}
    for number in range(1, 12):
        shopper.add(f"MUG{number}")
    assert {path: cost(shopper, path, headers=headers) for path in expected} == short == expected
