"""One's own profile, addresses and orders over REST."""

import json
from typing import Any

import pytest
from django.test import Client

from config.identity.models import User
from modules.orders.interface import Orders
from modules.profiles.interface import Profiles
from monolift import use
from tests.shop import basket_with, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
HOME = {
    "name": "Ada Lovelace",
    "street": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
    "country": "GB",
}


@pytest.fixture
def ada() -> Client:
    """Somebody who is signed in."""
    return signed_in("ada@example.org")


def signed_in(email: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(email, "x"))
    return client


def send(client: Client, method: str, path: str, body: Any = None):  # type: ignore[no-untyped-def]  # a test client's response has no public name
    return client.generic(
        method, f"/api/v1{path}", json.dumps(body), content_type="application/json"
    )


def test_a_profile_is_kept_and_erased(ada: Client) -> None:
    empty = {"name": "", "phone": "", "newsletter": False}
    told = {"name": "Ada", "phone": "+44 20 7946 0000", "newsletter": True}
    assert ada.get("/api/v1/profile").json() == empty
    assert send(ada, "PUT", "/profile", told).status_code == 204
    assert ada.get("/api/v1/profile").json() == told
    assert ada.delete("/api/v1/profile").status_code == 204
    assert ada.get("/api/v1/profile").json() == empty


def test_addresses_are_kept_changed_and_removed(ada: Client) -> None:
    first = send(ada, "POST", "/profile/addresses", HOME).json()["id"]
    assert send(ada, "POST", "/profile/addresses", HOME).json()["id"] == first
    moved = {**HOME, "street": "1 Other Street", "default": True}
    second = send(ada, "POST", "/profile/addresses", moved).json()["id"]
    listed = ada.get("/api/v1/profile/addresses").json()
    assert [(one["id"], one["default"]) for one in listed] == [(second, True), (first, False)]
    changed = {**HOME, "city": "Leeds"}
    assert send(ada, "PUT", f"/profile/addresses/{first}", changed).status_code == 204
    assert send(ada, "DELETE", f"/profile/addresses/{second}").status_code == 204
    listed = ada.get("/api/v1/profile/addresses").json()
    assert [(one["city"], one["default"]) for one in listed] == [("Leeds", True)]


def test_everybody_sees_their_own(ada: Client) -> None:
    mine = send(ada, "POST", "/profile/addresses", HOME).json()["id"]
    eve = signed_in("eve@example.org")
    assert eve.get("/api/v1/profile/addresses").json() == []
    assert send(eve, "PUT", f"/profile/addresses/{mine}", HOME).status_code == 404
    assert send(eve, "DELETE", f"/profile/addresses/{mine}").status_code == 204
    assert len(ada.get("/api/v1/profile/addresses").json()) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/profile", {"name": "x" * 101}),
        ("/profile", {"name": "a\x00b"}),
        ("/profile", {"name": "", "phone": "call me"}),
        ("/profile", {"name": 1}),
        ("/profile", []),
        ("/profile/addresses", {**HOME, "country": "gb"}),
        ("/profile/addresses", {**HOME, "street": " "}),
        ("/profile/addresses", {**HOME, "city": "a\nb"}),
        ("/profile/addresses", {"name": "Ada"}),
    ],
)
def test_bad_input_is_a_problem(ada: Client, path: str, body: Any) -> None:
    answer = send(ada, "PUT" if path == "/profile" else "POST", path, body)
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("application/problem+json")


# Orders -------------------------------------------------------------------------------------------


def order(client: Client) -> str:
    basket_id = basket_with()
    total = total_of(basket_id)
    body = {
        "expected_total": {"amount": total.amount, "currency": total.currency},
        "card_token": card(),
    }
    answer = send(client, "POST", f"/baskets/{basket_id}/order", body)
    assert answer.status_code == 201
    return str(answer.json()["id"])


@pytest.mark.together
def test_a_history_has_ones_own_orders_in_pages(ada: Client) -> None:
    shelve()
    mine = [order(ada) for _ in range(3)]
    order(Client())
    order(signed_in("eve@example.org"))
    first = ada.get("/api/v1/orders?limit=2").json()
    rest = ada.get(f"/api/v1/orders?limit=2&after={first['next']}").json()
    assert [one["id"] for one in first["orders"] + rest["orders"]] == mine[::-1]
    assert rest["next"] is None
    assert ada.get("/api/v1/orders?after=nonsense").status_code == 422
    assert ada.get("/api/v1/orders?limit=1000").status_code == 422


@pytest.mark.together
def test_a_guests_basket_is_claimed(ada: Client) -> None:
    shelve()
    basket_id = basket_with(quantity=2)
    mine = send(ada, "POST", f"/baskets/{basket_id}/claim", {}).json()["id"]
    basket = ada.get(f"/api/v1/baskets/{mine}").json()
    assert [line["quantity"] for line in basket["lines"]] == [2]
    assert send(Client(), "POST", f"/baskets/{basket_id}/claim", {}).status_code == 401


@pytest.mark.together
def test_modules_know_users_by_id_only(ada: Client) -> None:
    shelve()
    order(ada)
    user = User.objects.get()
    assert len(use(Orders).history(customer_id=user.pk).orders) == 1
    assert use(Profiles).profile(user_id=user.pk).name == ""
