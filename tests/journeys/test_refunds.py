"""Staff give money back over REST: within what was paid, once a key, with a trace of who did it."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from monolift.testing.scenario import Scenario
from tests.journeys.client import PASSWORD, Customer, SignedIn, bought
from tests.shop import assert_books_balance, books, shelve, some_id

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback"),
]


class Clerk(SignedIn):
    """A member of staff whose program has a token, and some rights about orders."""

    def __init__(self, *rights: str, read_only: bool = False) -> None:
        super().__init__(f"{uuid4()}@example.org", is_staff=True, read_only=read_only)
        found = Permission.objects.filter(content_type__app_label="orders", codename__in=rights)
        self.user.user_permissions.set(found)

    def refund(
        self, order: dict[str, Any], amount: Any = None, *, key: str = "", **said: Any
    ) -> tuple[int, dict[str, Any]]:
        """Give back an amount in cents, or all that is left."""
        money = {"amount": amount, "currency": "EUR"} if isinstance(amount, int) else amount
        answer = self.send(
            "POST",
            f"/orders/{order['id']}/refunds",
            {"amount": money, "reason": "a scratch", **said},
            headers={"Idempotency-Key": key} if key else {},
        )
        return answer.status_code, answer.json()


@pytest.fixture
def clerk() -> Clerk:
    """Who may refund."""
    return Clerk("change_order")


@pytest.fixture
def order() -> dict[str, Any]:
    """A guest's order of 12.00 EUR."""
    shelve()
    return bought(Customer())


def given_back() -> list[int]:
    """What the provider gave back of each charge."""
    return [charge.refunded.amount for charge in books()]


def test_a_part_then_the_rest_then_no_more(scenario: Scenario, clerk: Clerk) -> None:
    shelve()
    customer = SignedIn()
    order = bought(customer)
    path = f"/orders/{order['id']}"
    assert customer.get(f"{path}/refunds") == []
    status, part = clerk.refund(order, 500)
    assert (status, part["state"], part["refunded"]["amount"]) == (201, "paid", 500)
    status, problem = clerk.refund(order, 701)
    assert (status, problem["type"]) == (409, "urn:problem:orders.refund_refused")
    assert "at most 7.00 EUR is left" in problem["detail"]
    status, rest = clerk.refund(order)
    assert (status, rest["state"], rest["refunded"]["amount"]) == (201, "refunded", 1200)
    for amount in (1, None):
        assert clerk.refund(order, amount)[0] == 409
    assert customer.get("/orders")["orders"][0]["state"] == "refunded"
    seen = customer.get(f"{path}/refunds")
    assert [(one["amount"], one["done"]) for one in seen] == [
        ({"amount": 500, "currency": "EUR"}, True),
        ({"amount": 700, "currency": "EUR"}, True),
    ]
    assert given_back() == [1200]
    assert_books_balance()
    scenario.run_until_idle()
    assert scenario.failed_deliveries() == []


@pytest.mark.parametrize("amount", [500, None], ids=["a part", "all of it"])
def test_a_key_that_is_sent_again_refunds_once(
    clerk: Clerk, order: Any, amount: int | None
) -> None:
    first, again = (clerk.refund(order, amount, key="r1") for _ in range(2))
    assert first == again
    assert first[0] == 201
    assert given_back() == [amount or 1200]
    assert LogEntry.objects.count() == 1
    status, problem = clerk.refund(order, 100, key="r1")
    assert (status, problem["type"]) == (422, "urn:problem:key_reused")
    assert given_back() == [amount or 1200]


def test_a_key_is_the_same_under_a_new_token(clerk: Clerk, order: Any) -> None:
    first = clerk.refund(order, 500, key="r1")
    used = clerk.bearer
    clerk.sign_in_anew()
    assert clerk.bearer != used
    assert clerk.refund(order, 500, key="r1") == first
    assert given_back() == [500]


def test_the_back_office_tells_who_refunded(clerk: Clerk, order: Any) -> None:
    clerk.refund(order, 500)
    entry = LogEntry.objects.get()
    assert entry.user_id == clerk.user.pk
    assert entry.change_message.startswith("Refunded 5.00 EUR: a scratch (")
    get_user_model().objects.create_superuser("chief@example.org", PASSWORD)
    office = Client()
    office.login(username="chief@example.org", password=PASSWORD)
    history = office.get(f"/admin/orders/order/{order['id']}/history/").content.decode()
    assert "Refunded 5.00 EUR: a scratch" in history
    assert str(clerk.user) in history


def test_only_staff_with_the_right_refund(order: Any) -> None:
    path, body = f"/orders/{order['id']}/refunds", {"amount": None, "reason": "mine"}
    assert Customer().send("POST", path, body).status_code == 401
    left = Clerk("change_order")
    left.user.is_staff = False
    left.user.save()
    read_only = Clerk("change_order", read_only=True)
    for somebody in (SignedIn(), Clerk("view_order"), read_only, left):
        answer = somebody.send("POST", path, body)
        assert answer.status_code == 403, answer.content
        assert answer["Content-Type"] == "application/problem+json"
    assert given_back() == [0]
    assert not LogEntry.objects.exists()


def test_a_session_of_staff_refunds_with_its_csrf_token_only(order: Any) -> None:
    chief = get_user_model().objects.create_superuser("chief@example.org", PASSWORD)
    office = Client(enforce_csrf_checks=True)
    office.force_login(chief)
    office.get("/account/tokens")
    path, body = f"/api/v1/orders/{order['id']}/refunds", {"amount": None, "reason": "x"}
    assert office.post(path, body, "application/json").status_code == 403
    assert given_back() == [0]
    proof = {"X-CSRFToken": office.cookies["csrftoken"].value}
    assert office.post(path, body, "application/json", headers=proof).status_code == 201
    assert given_back() == [1200]


def test_a_token_does_not_act_with_the_rights_of_a_session_beside_it(order: Any) -> None:
    customer = SignedIn()
    customer.http.force_login(
        get_user_model().objects.create_superuser("chief@example.org", PASSWORD)
    )
    body = {"amount": None, "reason": "x"}
    answer = customer.send("POST", f"/orders/{order['id']}/refunds", body)
    assert answer.status_code == 403
    assert given_back() == [0]


@pytest.mark.parametrize(
    ("amount", "said", "status", "problem"),
    [
        (0, {}, 409, "above zero"),
        (-1, {}, 422, "amount"),
        (10**16, {}, 422, "amount"),
        ({"amount": 5, "currency": "USD"}, {}, 409, "in EUR"),
        ({"amount": 5, "currency": "XXX"}, {}, 422, "currency"),
        ({"amount": 1.5, "currency": "EUR"}, {}, 422, "amount"),
        ("all", {}, 422, "amount"),
        (5, {"reason": ""}, 422, "reason"),
        (5, {"reason": "  "}, 409, "a reason"),
        (5, {"reason": "a\0b"}, 422, "reason"),
        (5, {"reason": "x" * 501}, 422, "reason"),
    ],
)
def test_what_makes_no_sense_is_refused(
    clerk: Clerk, order: Any, amount: Any, said: Any, status: int, problem: str
) -> None:
    answered, told = clerk.refund(order, amount, **said)
    assert answered == status, told
    assert problem in told["detail"]
    assert given_back() == [0]
    assert not LogEntry.objects.exists()


def test_an_amount_that_was_forgotten_is_not_all_of_it(clerk: Clerk, order: Any) -> None:
    answer = clerk.send("POST", f"/orders/{order['id']}/refunds", {"reason": "x", "amuont": 5})
    assert answer.status_code == 422
    assert given_back() == [0]


def test_an_order_that_is_none(clerk: Clerk) -> None:
    nowhere = {"id": some_id()}
    assert clerk.refund(nowhere, 5)[0] == 404
    assert clerk.send("GET", f"/orders/{nowhere['id']}/refunds").status_code == 404
