"""Signing in and out, and what protects it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client, RequestFactory
from pytest_django import Settings

from config.identity.models import Attempts, User
from config.identity.throttle import TooManyAttempts, count_sign_in
from config.identity.throttle import client as client_of
from monolift.testing.scenario import Scenario
from tests.identity.people import EMAIL, PASSWORD, ada, sign_in, signed_in

pytestmark = pytest.mark.django_db(databases="__all__")


def test_in_and_out(client: Client) -> None:
    ada()
    assert sign_in(client)["Location"] == "/account"
    assert signed_in(client)
    assert client.get("/account/sign-out").status_code == 405
    assert signed_in(client)
    assert client.post("/account/sign-out")["Location"] == "/"
    assert not signed_in(client)


def test_the_address_is_taken_in_any_case(client: Client) -> None:
    ada()
    sign_in(client, email="ADA@example.ORG")
    assert signed_in(client)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org", "away@example.org"])
def test_every_refusal_sounds_the_same(client: Client, email: str) -> None:
    ada()
    User.objects.create_user("away@example.org", PASSWORD, is_active=False)
    answer = sign_in(client, email=email, password="wrong")
    assert answer.status_code == 422
    assert "The email address or the password is wrong." in answer.content.decode()
    assert not signed_in(client)


def test_the_session_gets_a_new_key(client: Client) -> None:
    ada()
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key != before


def test_a_form_without_its_token_is_refused() -> None:
    ada()
    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict).status_code == 403
    assert not signed_in(strict)
    assert strict.post("/account/sign-out").status_code == 403


@pytest.mark.parametrize(
    ("to", "goes"),
    [
        ("/basket", "/basket"),
        ("https://evil.example/", "/account"),
        ("//evil.example", "/account"),
        ("/\\evil.example", "/account"),
    ],
)
def test_one_goes_on_to_local_pages_only(client: Client, to: str, goes: str) -> None:
    ada()
    assert sign_in(client, to=to)["Location"] == goes


def test_where_to_go_on_is_kept_for_those_without_an_account(client: Client) -> None:
    page = client.get("/account/sign-in?next=/checkout").content.decode()
    assert 'href="/account/sign-up?next=%2Fcheckout"' in page
    assert 'name="next" value="/checkout"' in page


def test_an_account_is_not_tried_without_end(client: Client, scenario: Scenario) -> None:
    ada()
    answers = [sign_in(client, password="wrong").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    refused = sign_in(client)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 600
    assert not signed_in(client)
    scenario.travel(seconds=601)
    sign_in(client)
    assert signed_in(client)


def test_an_unknown_account_is_counted_alike(client: Client) -> None:
    answers = [
        sign_in(client, email="nobody@example.org", password="x").status_code for _ in range(11)
    ]
    assert answers[-1] == 429


def test_the_right_password_forgives(client: Client) -> None:
    ada()
    for _ in range(3):
        for _ in range(5):
            sign_in(client, password="wrong")
        assert sign_in(client).status_code == 302
        client.post("/account/sign-out")


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_tries_made_at_once_do_not_all_come_through() -> None:
    def attempt(_: int) -> bool:
        try:
            count_sign_in(None, EMAIL)
        except TooManyAttempts:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        came_through = list(pool.map(attempt, range(24)))
    assert 1 <= sum(came_through) <= 10
    assert Attempts.objects.get().count == 24


def test_a_client_does_not_try_many_accounts(client: Client, settings: Settings) -> None:
    settings.THROTTLES = {**settings.THROTTLES, "sign_in_by_client": "5/10 minutes"}
    answers = [
        sign_in(client, email=f"{n}@example.org", password="x").status_code for n in range(6)
    ]
    assert answers == [422] * 5 + [429]
    elsewhere = client.post(
        "/account/sign-in",
        {"username": "a@example.org", "password": "x"},
        REMOTE_ADDR="192.0.2.7",
    )
    assert elsewhere.status_code == 422


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counted"),
    [
        (0, "192.0.2.1", "127.0.0.1"),
        (1, "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        (2, "203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (1, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "nonsense", "unknown"),
        (1, "", "127.0.0.1"),
    ],
)
def test_whose_attempts_are_counted(
    settings: Settings, proxies: int, forwarded: str, counted: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert client_of(request) == counted


def test_the_table_of_attempts_names_nobody(client: Client) -> None:
    sign_in(client, password="wrong")
    kept = " ".join(Attempts.objects.values_list("key", flat=True))
    assert kept
    assert EMAIL not in kept
    assert "127.0.0.1" not in kept


def test_the_admin_is_throttled_too(client: Client) -> None:
    answers = [
        client.post("/admin/login/", {"username": EMAIL, "password": "wrong"}).status_code
        for _ in range(11)
    ]
    assert answers == [200] * 10 + [429]


@pytest.mark.parametrize("text", ["\x00", "x" * 5000, "a\nb", "'; DROP TABLE", "\ud7ff", "💥"])
def test_any_input_is_a_refusal(client: Client, text: str) -> None:
    ada()
    assert sign_in(client, email=text).status_code == 422
    assert sign_in(client, password=text).status_code == 422
    assert client.get("/account/sign-in", {"next": text}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"username": "a"', 422),
        ("text/plain", b"\xff\x00", 422),
        ("", b"username=a", 422),
        ("multipart/form-data; boundary=x", b"--y nonsense", 422),
        ("multipart/form-data", b"no boundary", 400),
        ("application/x-www-form-urlencoded; charset=nonsense", b"username=%ff%00", 422),
        ("application/x-www-form-urlencoded", b"a=1&" * 1001, 400),
        ("application/x-www-form-urlencoded", b"username=" + b"x" * 1_100_000, 400),
    ],
)
@pytest.mark.parametrize("path", ["sign-in", "sign-up", "password/reset"])
def test_a_body_that_is_no_form_is_a_refusal(
    client: Client, path: str, kind: str, body: bytes, status: int
) -> None:
    answer = client.generic("POST", f"/account/{path}", body, content_type=kind)
    assert answer.status_code == status


@pytest.mark.parametrize("key", ["\x00", "x" * 5000, "'", "a b"])
def test_an_odd_session_cookie_is_nobodys(client: Client, key: str) -> None:
    client.cookies["sessionid"] = key
    assert client.get("/account/password").status_code == 302
