"""Signing up: a link by mail, a password behind it, and nothing that tells who has an account."""

from datetime import timedelta

import pytest
from django.contrib.auth.signals import user_logged_in
from django.core import mail
from django.test import Client
from pytest_django import Settings

from config.identity.models import User
from monolift.testing.scenario import Scenario
from tests.identity.people import EMAIL, PASSWORD, ada, mailed_link, signed_in
from tests.mailing import use_mail_server

pytestmark = pytest.mark.django_db(databases="__all__")
NEW = {"new_password1": PASSWORD, "new_password2": PASSWORD}


def asked(client: Client, email: str = EMAIL, **more: str):  # type: ignore[no-untyped-def]  # as in people.py
    return client.post("/account/sign-up", {"email": email, **more})


def test_from_the_address_to_the_session(client: Client) -> None:
    seen: list[str] = []

    def note(*, user: User, **_: object) -> None:
        seen.append(user.email)

    user_logged_in.connect(note)
    assert asked(client, "Ada@Example.org").status_code == 303
    assert not User.objects.exists()
    link = mailed_link()
    page = client.get(link)
    assert EMAIL in page.content.decode().lower()
    done = client.post(link, NEW)
    user_logged_in.disconnect(note)
    assert (done.status_code, done["Location"]) == (302, "/account")
    assert signed_in(client)
    assert seen == [EMAIL]
    assert User.objects.get().check_password(PASSWORD)


def test_the_answer_does_not_tell_whether_there_is_an_account(client: Client) -> None:
    ada()
    known, unknown = asked(client), asked(client, "somebody@example.org")
    assert known.status_code == unknown.status_code == 303
    assert known["Location"] == unknown["Location"]
    assert [message.to for message in mail.outbox] == [[EMAIL], ["somebody@example.org"]]
    assert "/account/sign-up/" not in mail.outbox[0].body


def test_a_link_makes_one_account(client: Client) -> None:
    asked(client)
    link = mailed_link()
    client.post(link, NEW)
    other = Client()
    again = other.post(link, {"new_password1": "another one 1", "new_password2": "another one 1"})
    assert again["Location"] == "/account/sign-in"
    assert not signed_in(other)
    assert User.objects.get().check_password(PASSWORD)


def test_a_link_ends_after_a_day(client: Client, scenario: Scenario) -> None:
    import time
    from unittest import mock

    asked(client)
    link = mailed_link()
    later = time.time() + timedelta(hours=24, seconds=1).total_seconds()
    with mock.patch("django.core.signing.time.time", return_value=later):
        answer = client.get(link)
    assert answer.status_code == 410
    assert "Ask for another link" in answer.content.decode()


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "x" * 5000, "'; DROP TABLE"])
def test_a_link_that_is_not_ours_is_refused(client: Client, token: str) -> None:
    assert client.get(f"/account/sign-up/{token}").status_code == 410
    assert client.post(f"/account/sign-up/{token}", NEW).status_code == 410


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("short", "short", "too short"),
        ("password123", "password123", "too common"),
        ("8231904471", "8231904471", "numeric"),
        ("ada@example.org", "ada@example.org", "similar"),
        (PASSWORD, "another one 2", "match"),
        ("x" * 1001, "x" * 1001, "at most"),
        ("", "", "required"),
    ],
)
def test_a_poor_password_is_explained(client: Client, first: str, second: str, told: str) -> None:
    asked(client)
    answer = client.post(mailed_link(), {"new_password1": first, "new_password2": second})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "x" * 300 + "@example.org", "a\x00@b.org", "a b"]
)
def test_what_is_no_address_is_explained(client: Client, email: str) -> None:
    answer = asked(client, email)
    assert answer.status_code == 422
    assert "aria-invalid" in answer.content.decode()
    assert not mail.outbox


@pytest.mark.parametrize(
    ("to", "goes"),
    [
        ("/checkout", "/checkout"),
        ("https://evil.example/", "/account"),
        ("//evil.example", "/account"),
        ("javascript:alert(1)", "/account"),
    ],
)
def test_one_goes_on_to_local_pages_only(client: Client, to: str, goes: str) -> None:
    asked(client, next=to)
    assert client.post(mailed_link(), NEW)["Location"] == goes


def test_mail_is_not_sent_without_end(client: Client) -> None:
    answers = [asked(client).status_code for _ in range(6)]
    assert answers == [303] * 5 + [429]
    last = asked(client)
    assert int(last["Retry-After"]) > 0
    assert "Too many attempts" in last.content.decode()
    assert len(mail.outbox) == 5


def test_without_a_mail_server_it_says_so(client: Client, settings: Settings) -> None:
    use_mail_server(settings, 1)  # nobody listens there
    answer = asked(client)
    assert answer.status_code == 503
    assert "cannot send mail" in answer.content.decode()


def test_who_is_signed_in_has_an_account(client: Client) -> None:
    client.force_login(ada())
    assert client.get("/account/sign-up")["Location"] == "/account"
