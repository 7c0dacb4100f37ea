"""Payments in the back office: to look at, and nothing else."""

import re
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from modules.payments import models
from modules.payments.interface import Payments
from monolift import Money, use
from monolift.testing.statements import statements
from tests.shop import card

pytestmark = pytest.mark.django_db(databases="__all__")
payments = use(Payments)
UNKNOWN = "4fd1e7c2-7a5c-4f0e-9d5f-0f3a2b6c8d10"
LISTS = ("payment", "refund", "entry")


@pytest.fixture
def clerk() -> Client:
    """Somebody who has every permission that there is on payments."""
    user = get_user_model().objects.create_user(
        email=f"{uuid4()}@example.org", password="long enough 4 that", is_staff=True
    )
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="payments"))
    client = Client()
    client.force_login(user)
    return client


def refunded(cents: int = 250) -> tuple[UUID, UUID]:
    """A payment of ten euros, partly given back: its reference, and the refund's."""
    payment, refund = uuid4(), uuid4()
    payments.authorise(reference=payment, amount=Money(1000, "EUR"), card_token=card())
    payments.capture(reference=payment)
    payments.refund(reference=payment, refund_reference=refund, amount=Money(cents, "EUR"))
    return payment, refund


def listed(client: Client, what: str, query: str = "") -> str:
    """The list, as a page."""
    response = client.get(f"/admin/payments/{what}/", {"q": query} if query else {})
    assert response.status_code == 200
    return response.content.decode()


def test_a_payment_is_found_and_shows_its_refunds(clerk: Client) -> None:
    payment, refund = refunded()
    refunded()
    text = listed(clerk, "payment", f" {payment} ")
    assert "1 payment\n" in text
    assert "10.00 EUR" in text
    text = clerk.get(f"/admin/payments/payment/{payment}/change/").content.decode()
    for expected in ("captured", "10.00 EUR", "2.50 EUR", str(refund)):
        assert expected.lower() in text.lower()


def test_refunds_and_entries_are_found_by_either_reference(clerk: Client) -> None:
    payment, refund = refunded()
    refunded()
    for reference in (payment, refund):
        assert "1 refund\n" in listed(clerk, "refund", str(reference))
    assert "4 entries\n" in listed(clerk, "entry", str(payment))
    assert "2 entries\n" in listed(clerk, "entry", str(refund))
    assert "-2.50 EUR" in listed(clerk, "entry", str(refund))


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("query", ["none", "%", "\x00", "'", "ü" * 500, UNKNOWN])
def test_what_is_not_there_is_not_found(clerk: Client, what: str, query: str) -> None:
    refunded()
    response = clerk.get(f"/admin/payments/{what}/", {"q": query})
    assert response.status_code == 200
    if query != "\x00":  # refused with a sentence, beside the whole list
        assert not re.findall(r'class="field-reference"', response.content.decode())


@pytest.mark.parametrize("what", LISTS)
def test_a_list_takes_as_many_statements_for_more_rows(clerk: Client, what: str) -> None:
    refunded()
    listed(clerk, what)
    with statements() as few:
        listed(clerk, what)
    for _ in range(4):
        refunded()
    with statements() as many:
        listed(clerk, what)
    assert len(few) == len(many)


@pytest.mark.together
@pytest.mark.parametrize("what", LISTS)
def test_nothing_is_written(clerk: Client, what: str) -> None:
    payment, refund = refunded()
    entry = models.Entry.objects.earliest("id").pk
    key = {"payment": payment, "refund": refund, "entry": entry}[what]
    for way in ("add/", f"{key}/delete/", f"{key}/change/"):
        response = clerk.post(f"/admin/payments/{what}/{way}", {"amount": "1", "state": "voided"})
        assert response.status_code == 403, way
    assert payments.payment(reference=payment).refunded == Money(250, "EUR")
