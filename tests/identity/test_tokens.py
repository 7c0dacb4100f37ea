"""API tokens, and what the REST API does with them."""

import json
from typing import Any

import pytest
from django.test import Client

from config.identity.models import ApiToken, User
from monolift.testing.scenario import Scenario
from tests.identity.people import EMAIL, PASSWORD, ada, sign_in

pytestmark = pytest.mark.django_db(databases="__all__")
TOKENS = "/api/v1/tokens"
PROFILE = "/api/v1/profile"


def made(client: Client, **changes: Any):  # type: ignore[no-untyped-def]  # as in people.py
    body = {"email": EMAIL, "password": PASSWORD, **changes}
    return client.post(TOKENS, json.dumps(body), "application/json")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def status(client: Client, secret: str, path: str = PROFILE) -> int:
    return client.get(path, headers=bearer(secret)).status_code


@pytest.fixture
def secret(client: Client) -> str:
    """A token of somebody's."""
    ada()
    return str(made(client, name="import").json()["token"])


def test_a_token_stands_for_its_user(client: Client, secret: str) -> None:
    assert secret.startswith("mls_")
    assert status(client, secret) == 200
    body = json.dumps({"name": "Ada"})
    saved = client.put(PROFILE, body, "application/json", headers=bearer(secret))
    assert saved.status_code == 204
    assert client.get(PROFILE, headers=bearer(secret)).json()["name"] == "Ada"


def test_the_secret_is_shown_once_and_kept_nowhere(client: Client, secret: str) -> None:
    listed = client.get(TOKENS, headers=bearer(secret)).json()
    assert [one["name"] for one in listed] == ["import"]
    assert secret not in json.dumps(listed)
    kept = json.dumps(list(ApiToken.objects.values()), default=str)
    assert secret not in kept
    assert secret.removeprefix("mls_") not in kept


def test_an_answer_with_a_secret_is_not_cached(client: Client) -> None:
    ada()
    assert made(client)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("given", ["", "x", "mls_", "mls_x", "\x00", "x" * 5000])
def test_a_wrong_token_is_401_and_says_what_is_needed(client: Client, given: str) -> None:
    answer = client.get(PROFILE, headers={"Authorization": f"Bearer {given}"})
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "get a new one" in answer.json()["detail"]


def test_a_wrong_token_is_not_taken_for_a_guest(client: Client) -> None:
    answer = client.get("/api/v1/orders", headers=bearer("mls_wrong"))
    assert answer.status_code == 401
    assert client.get("/api/v1/orders").status_code == 401


def test_a_revoked_token_ends_at_once(client: Client, secret: str) -> None:
    identifier = client.get(TOKENS, headers=bearer(secret)).json()[0]["id"]
    other = str(made(client).json()["token"])
    for _ in range(2):
        gone = client.delete(f"{TOKENS}/{identifier}", headers=bearer(other))
        assert gone.status_code == 204
    assert status(client, secret) == 401
    assert status(client, other) == 200


def test_nobody_revokes_anothers(client: Client, secret: str) -> None:
    identifier = client.get(TOKENS, headers=bearer(secret)).json()[0]["id"]
    User.objects.create_user("eve@example.org", PASSWORD)
    eve = str(made(client, email="eve@example.org").json()["token"])
    assert client.delete(f"{TOKENS}/{identifier}", headers=bearer(eve)).status_code == 404
    assert status(client, secret) == 200


def test_a_token_ends_on_its_day(client: Client, secret: str, scenario: Scenario) -> None:
    scenario.travel(days=89, hours=23)
    assert status(client, secret) == 200
    scenario.travel(hours=1, seconds=1)
    assert status(client, secret) == 401


def test_a_new_password_ends_tokens(client: Client, secret: str) -> None:
    user = User.objects.get()
    user.set_password("another good one")
    user.save()
    assert status(client, secret) == 401


def test_a_locked_users_token_ends(client: Client, secret: str) -> None:
    User.objects.update(is_active=False)
    assert status(client, secret) == 401


def test_a_token_may_be_for_reading_only(client: Client) -> None:
    ada()
    reads = str(made(client, read_only=True).json()["token"])
    assert status(client, reads) == 200
    body = json.dumps({"name": "Ada"})
    refused = client.put(PROFILE, body, "application/json", headers=bearer(reads))
    assert refused.status_code == 403


def test_a_wrong_password_makes_none(client: Client) -> None:
    ada()
    answers = [made(client, password="wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    refused = made(client)
    assert refused.status_code == 429
    assert refused["Content-Type"].startswith("application/problem+json")
    assert int(refused["Retry-After"]) > 0
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"email": ""},
        {"email": "a\x00b"},
        {"email": "x" * 300},
        {"password": ""},
        {"password": "x" * 1001},
        {"name": ""},
        {"name": "a\nb"},
        {"expires_in_days": 0},
        {"expires_in_days": 366},
        {"expires_in_days": "x"},
    ],
)
def test_bad_input_is_a_problem(client: Client, changes: dict[str, Any]) -> None:
    ada()
    assert made(client, **changes).status_code == 422


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", "{", 400),
        ("application/json", "[]", 422),
        ("application/json", '{"email": "\\ud800", "password": "\\ud800"}', 422),
        ("application/json", '{"email": "ada@example.org", "password": "\\u0000"}', 401),
        ("application/x-www-form-urlencoded", "email=a&password=b", 415),
        ("", "", 422),
    ],
)
def test_a_body_that_is_no_request_is_a_problem(
    client: Client, kind: str, body: str, status: int
) -> None:
    ada()
    answer = client.generic("POST", TOKENS, body, content_type=kind)
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/problem+json")


def test_an_unknown_account_is_refused_in_the_same_words(client: Client) -> None:
    ada()
    known = made(client, password="wrong")
    unknown = made(client, email="nobody@example.org")
    assert known.status_code == unknown.status_code == 401
    told = [{**answer.json(), "request_id": ""} for answer in (known, unknown)]
    assert told[0] == told[1]


def test_nobody_has_tokens_without_end(client: Client) -> None:
    user = ada()
    sign_in(client)
    for number in range(50):
        ApiToken.objects.create(
            user=user, name="n", digest=str(number), expires_at="2100-01-01T00:00:00Z"
        )
    assert made(client).status_code == 409


# Sessions -----------------------------------------------------------------------------------------


def test_a_session_reads(client: Client) -> None:
    ada()
    sign_in(client)
    assert client.get(PROFILE).status_code == 200


def test_a_session_writes_with_the_csrf_token_only() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada())
    client.get("/account/password")
    body = json.dumps({"name": "Ada"})
    refused = client.put(PROFILE, body, "application/json")
    assert refused.status_code == 403
    assert "X-CSRFToken" in refused.json()["detail"]
    proof = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.put(PROFILE, body, "application/json", headers=proof).status_code == 204


@pytest.mark.parametrize("path", [PROFILE, f"{PROFILE}/addresses", "/api/v1/orders", TOKENS])
def test_nobody_is_refused(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("application/problem+json")
