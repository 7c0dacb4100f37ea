"""Whatever is sent, the answer is a sentence on a page with a 4xx status, or it works."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.catalog.interface import Catalog
from modules.orders.interface import Orders
from modules.storefront.views.listing import PAGE_SIZE
from monolift.testing.scenario import Scenario
from tests.doubles import failing, silent
from tests.modules.storefront.goods import sell, shelves
from tests.modules.storefront.shopper import TYPED, Shopper, text
from tests.modules.storefront.test_listing import following
from tests.shop import shelve

pytestmark = pytest.mark.django_db(databases="__all__")

FORMS = ["/products/mug/add", "/basket/change", "/currency"]
NAUGHTY = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "../../etc/passwd",
    "<script>",
    "'--",
    "é" * 500,
    "🙂",
    "%s",
    "{}",
]


def assert_sentence(response: Any, *statuses: int) -> None:
    """A page of the shop that says something."""
    assert response.status_code in (statuses or range(400, 500)), response.content
    page = response.content.decode()
    assert "<b>monolift</b> shop" in page
    assert "<h1>" in page
    assert len(text(response)) > 20


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "options"])
def test_forms_are_sent_by_post(shopper: Shopper, path: str, method: str) -> None:
    response = getattr(shopper.http, method)(path)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    if method != "head":
        assert_sentence(response, 405)


@pytest.mark.parametrize(
    "path", ["/", "/products", "/products/mug", "/search", "/basket", f"/orders/{'0' * 32}"]
)
def test_pages_are_not_posted_to(shopper: Shopper, path: str) -> None:
    response = shopper.post(path)
    assert response["Allow"] == "GET"
    assert_sentence(response, 405)


@pytest.mark.parametrize(
    "quantity",
    ["0", "-1", "100", "1000000000000", "9" * 5000, "abc", "", "1.5", "1e2", "NaN", "0x1", "\x00"],
)
def test_a_quantity_that_is_none(shopper: Shopper, quantity: str) -> None:
    shelve("MUG")
    response = shopper.add("MUG", quantity)
    assert_sentence(response, 422)
    assert "quantity" in text(response)
    assert "basket" not in shopper.http.cookies


@pytest.mark.parametrize("sku", [*NAUGHTY, "NONE", "MUG ", "x" * 5000])
def test_a_sku_that_is_none(shopper: Shopper, sku: str) -> None:
    shelve("MUG")
    response = shopper.post("/products/mug/add", sku=sku, quantity="1")
    if sku.strip() == "MUG":
        assert response.status_code == 303
        return
    assert_sentence(response, 404, 422)
    shopper.add()
    if sku.strip():
        assert_sentence(shopper.post("/basket/change", sku=sku, quantity="2"), 404, 422)


@pytest.mark.parametrize("slug", ["none", "x" * 3000, "%00", "..", "<script>", "é", "a b"])
def test_a_product_that_is_none(shopper: Shopper, slug: str) -> None:
    assert_sentence(shopper.get(f"/products/{slug}"), 404)
    assert_sentence(shopper.post(f"/products/{slug}/add", sku="MUG", quantity=1), 404)


@pytest.mark.parametrize("order", ["none", "0" * 32, "{}", "é", "x" * 3000, "%00"])
def test_an_order_that_is_none(shopper: Shopper, order: str) -> None:
    assert_sentence(shopper.get(f"/orders/{order}"), 404)


@pytest.mark.parametrize("after", ["x", "é", "\x00", "a" * 5000, "-", "eyJ0IjoxfQ"])
def test_a_page_of_the_list_that_is_none(shopper: Shopper, after: str) -> None:
    response = shopper.get("/products", data={"after": after})
    assert_sentence(response, 422)
    assert "The list has no such page." in text(response)


@pytest.mark.parametrize("slug", ["none", "x" * 3000, "%00", "..", "<script>", "é", "a b", "_"])
def test_a_category_that_is_none(shopper: Shopper, slug: str) -> None:
    for known in (False, True):
        if known:
            shelves()
        for narrowed in ("", "?o:Colour=red") if known else ("",):
            response = shopper.get(f"/categories/{slug}{narrowed}")
            assert_sentence(response, 404)
            assert "<script>" not in response.content.decode().partition("</head>")[2]


@pytest.mark.parametrize("after", ["x", "é", "\x00", "a" * 5000, "-", "eyJ0IjoxfQ"])
@pytest.mark.parametrize(
    "path",
    [
        "/categories/kitchen",
        "/categories/kitchen?o:Colour=red",
        "/search?q=mug",
        "/search?q=x&o:a=b",
    ],
)
def test_a_page_of_anything_that_is_none(shopper: Shopper, path: str, after: str) -> None:
    shelves()
    separator = "&" if "?" in path else "?"
    response = shopper.get(f"{path}{separator}{urlencode({'after': after})}")
    assert_sentence(response, 422)
    assert "The list has no such page." in text(response)


def test_a_cursor_of_another_list(shopper: Shopper, scenario: Scenario) -> None:
    for number in range(PAGE_SIZE + 1):
        sell(f"Mug {number:02}", options={"Colour": ["red"]})
    scenario.run_until_idle()
    lists = ["/products", "/products?o:Colour=red", "/search?q=mug"]
    more = {path: following(shopper.get(path).content.decode()) for path in lists}
    assert all(more.values())
    cursors = {path: parse_qs((link or "")[1:])["after"][0] for path, link in more.items()}
    for path in lists:
        for cursor in cursors.values():
            separator = "&" if "?" in path else "?"
            response = shopper.get(f"{path}{separator}{urlencode({'after': cursor})}")
            assert response.status_code in (200, 422), path


@pytest.mark.parametrize(
    "typed", [*NAUGHTY, "é" * 5000, '"', "*", "mug OR", "NEAR(", "a:b", "-x", "\\"]
)
def test_any_text_can_be_searched(shopper: Shopper, scenario: Scenario, typed: str) -> None:
    sell("Mug")
    scenario.run_until_idle()
    for path in ("/search", "/search/suggestions"):
        response = shopper.get(path, data={"q": typed})
        assert response.status_code == 200, path
        assert "<script>" not in response.content.decode().partition("</head>")[2]


@pytest.mark.parametrize("value", NAUGHTY)
def test_any_narrowing_can_be_asked_for(shopper: Shopper, scenario: Scenario, value: str) -> None:
    shelves()
    sell("Mug", category="cups", options={"Colour": ["red"]})
    scenario.run_until_idle()
    for path in ("/products", "/categories/cups", "/search"):
        for narrowed in ({f"o:{value}": "red"}, {"o:Colour": value}, {"category": value}):
            response = shopper.get(path, data={"q": "mug", **narrowed})
            assert response.status_code == 200, (path, narrowed)
            assert "<script>" not in response.content.decode().partition("</head>")[2]
    for narrowed in ({"sku": value}, {"picture": value}):
        assert shopper.get("/products/mug", data=narrowed).status_code == 200


def test_more_options_than_there_can_be(shopper: Shopper, scenario: Scenario) -> None:
    sell("Mug", options={"Colour": ["red"]})
    scenario.run_until_idle()
    many = urlencode([(f"o:{number}", "x") for number in range(300)])
    assert_sentence(shopper.get(f"/products?{many}"), 200, 422)
    many = urlencode([("o:Colour", str(number)) for number in range(900)])
    assert_sentence(shopper.get(f"/products?{many}"), 200, 422)


@pytest.mark.parametrize("currency", [*NAUGHTY, "eur", "GBP", "XXX"])
def test_a_currency_that_is_none(shopper: Shopper, currency: str) -> None:
    assert_sentence(shopper.post("/currency", currency=currency), 422)


@pytest.mark.parametrize("currency", ["", "eur", "XXX", "é", '"', "EUR;EUR", "x" * 5000])
def test_a_currency_cookie_that_is_none(shopper: Shopper, currency: str) -> None:
    shopper.http.cookies["currency"] = currency
    assert "Currency: </span>EUR" in shopper.get("/").content.decode()


def test_changing_a_basket_that_is_none(shopper: Shopper) -> None:
    assert_sentence(shopper.post("/basket/change", sku="MUG", quantity=1), 409)


def test_an_address_that_is_none(shopper: Shopper) -> None:
    response = shopper.get("/nothing/here")
    assert_sentence(response, 404)
    assert "No page of this shop has this address" in text(response)


@pytest.mark.parametrize("path", [*FORMS, "/checkout"])
def test_a_form_from_elsewhere(path: str) -> None:
    shopper = Shopper()
    shopper.http = Client(enforce_csrf_checks=True, raise_request_exception=False)
    response = shopper.post(path)
    assert_sentence(response, 403)
    assert "This form is no longer good" in text(response)


def test_a_body_that_is_too_large(shopper: Shopper) -> None:
    body = b"x=" + b"y" * 2_000_000
    kind = "application/x-www-form-urlencoded"
    response = shopper.http.post("/currency", body, content_type=kind)
    assert_sentence(response, 400)


def test_a_form_takes_no_idempotency_key(shopper: Shopper) -> None:
    response = shopper.http.post("/currency", {}, headers={"Idempotency-Key": "k"})
    assert_sentence(response, 400)


def test_a_module_that_fails_or_is_silent(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    with failing(Catalog, products=RuntimeError("secret detail")):
        response = shopper.get("/")
    assert_sentence(response, 503)
    assert response["Retry-After"] == "5"
    with silent(Orders, "basket", "add_to_basket"):
        for response in (shopper.get("/basket"), shopper.get("/checkout")):
            assert_sentence(response, 503)
            assert response["Retry-After"] == "5"
            assert "Try again" in text(response)
        assert_sentence(shopper.add(), 503)
        assert shopper.get("/").status_code == 200, "the list does without orders"
    assert "secret" not in response.content.decode()


def test_a_bug_of_our_own_has_a_page_too(shopper: Shopper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.storefront.views.home.tile", None)
    shelve("MUG")
    response = shopper.get("/")
    assert_sentence(response, 500)
    assert "Something broke on our side" in text(response)


def _fields(names: Sequence[str]) -> st.SearchStrategy[dict[str, str]]:
    anything = st.text(max_size=60) | st.sampled_from([str(value) for value in TYPED.values()])
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, anything))


@settings(
    max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from([*FORMS, "/checkout"]),
    fields=_fields(
        [*TYPED, "total", "sku", "quantity", "remove", "recalculate", "currency", "here"]
    ),
)
def test_no_form_breaks_the_shop(path: str, fields: dict[str, str]) -> None:
    shopper = Shopper()
    shelve("MUG", quantity=0)
    shopper.add()
    response = shopper.post(path, **fields)
    assert response.status_code < 500, (path, fields)
