"""Payments over REST: challenges, and what comes in wrong."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from modules.payments.interface import Payments
from monolift import use
from tests.shop import GOOD, card

pytestmark = pytest.mark.django_db(databases="__all__")
CHALLENGED = "4000000000003220"
PATH = "/api/v1/payments/challenges"


def body(**changed: Any) -> dict[str, Any]:
    """A payment that is about to be made with a card that needs authentication."""
    given = {
        "card_token": card(CHALLENGED),
        "amount": 1000,
        "currency": "EUR",
        "reference": str(uuid4()),
    }
    return {name: value for name, value in {**given, **changed}.items() if value is not None}


def test_a_challenge_is_made_read_and_answered(client: Client) -> None:
    made = client.post(PATH, json.dumps(body()), "application/json")
    assert made.status_code == 201
    shown = made.json()
    assert shown["amount"] == {"amount": 1000, "currency": "EUR"}
    assert shown["state"] == "open"
    use(Payments).answer_challenge(challenge_id=shown["id"], passed=True)
    assert client.get(f"{PATH}/{shown['id']}").json() == {**shown, "state": "passed"}


def test_a_card_that_needs_none_gets_none(client: Client) -> None:
    answer = client.post(PATH, json.dumps(body(card_token=card(GOOD))), "application/json")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": -1},
        {"amount": 10**19},
        {"amount": 1.5},
        {"amount": "10"},
        {"amount": None},
        {"currency": "GBP"},
        {"currency": ["EUR"]},
        {"reference": "none"},
        {"reference": None},
        {"card_token": ""},
        {"card_token": "t" * 101},
        {"card_token": {"a": 1}},
    ],
)
def test_bad_input_is_a_problem(client: Client, changed: dict[str, Any]) -> None:
    answer = client.post(PATH, json.dumps(body(**changed)), "application/json")
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("sent", "status"), [("", 422), ("{", 400), ("[]", 422), ("null", 422), ('{"amount":', 400)]
)
def test_what_is_not_json_is_a_problem(client: Client, sent: str, status: int) -> None:
    answer = client.post(PATH, sent, "application/json")
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/problem+json")


@pytest.mark.together
@pytest.mark.parametrize("identifier", ["4fd1e7c2-7a5c-4f0e-9d5f-0f3a2b6c8d10", "none", "1", "%00"])
def test_an_unknown_challenge_is_not_found(client: Client, identifier: str) -> None:
    answer = client.get(f"{PATH}/{identifier}")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("application/problem+json")
