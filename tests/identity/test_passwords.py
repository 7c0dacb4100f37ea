"""Resetting and changing a password."""

import re

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from config.identity.models import User
from tests.identity.people import EMAIL, PASSWORD, ada, mailed_link, sign_in, signed_in

pytestmark = pytest.mark.django_db(databases="__all__")
OTHER = "another good one"
NEW = {"new_password1": OTHER, "new_password2": OTHER}


def asked(client: Client, email: str = EMAIL):  # type: ignore[no-untyped-def]  # as in people.py
    return client.post("/account/password/reset", {"email": email})


def form_behind(client: Client, link: str) -> str:
    """The form's address: the link's token is moved out of it, into the session."""
    answer = client.get(link)
    assert answer.status_code == 302
    return str(answer["Location"])


def test_from_the_mail_to_the_new_password(client: Client) -> None:
    ada()
    assert asked(client, "ADA@example.org").status_code == 303
    form = form_behind(client, mailed_link())
    assert client.post(form, NEW)["Location"] == "/account/password/changed"
    sign_in(client)
    assert not signed_in(client)
    sign_in(client, password=OTHER)
    assert signed_in(client)


def test_a_link_works_once(client: Client) -> None:
    ada()
    asked(client)
    link = mailed_link()
    client.post(form_behind(client, link), NEW)
    assert Client().get(link).status_code == 410
    assert client.get(re.sub(r"[^/]+$", "set-password", link)).status_code == 410


def test_a_link_ends_after_an_hour(client: Client, settings: Settings) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    ada()
    asked(client)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert client.get(mailed_link()).status_code == 410


@pytest.mark.parametrize("path", ["x/y", "MQ/set-password", "%00/a", "x" * 300 + "/y"])
def test_a_link_that_is_not_ours_is_refused(client: Client, path: str) -> None:
    assert client.get(f"/account/password/new/{path}").status_code == 410


def test_the_answer_does_not_tell_whether_there_is_an_account(client: Client) -> None:
    ada()
    User.objects.create_user("away@example.org", PASSWORD, is_active=False)
    answers = [asked(client, one) for one in (EMAIL, "nobody@example.org", "away@example.org")]
    assert {(one.status_code, one["Location"]) for one in answers} == {(303, "/account/sent")}
    assert len(mail.outbox) == 3
    assert ["/password/new/" in str(message.body) for message in mail.outbox] == [
        True,
        False,
        False,
    ]


def test_the_answer_says_where_the_mail_is_when_it_is_a_file(client: Client) -> None:
    assert "mail" in client.get("/account/sent").content.decode()


def test_changing_it_ends_other_sessions(client: Client) -> None:
    ada()
    elsewhere = Client()
    sign_in(client)
    sign_in(elsewhere)
    answer = client.post("/account/password", {"old_password": PASSWORD, **NEW})
    assert answer["Location"] == "/account/password/changed"
    assert client.get("/account/password").status_code == 200
    assert elsewhere.get("/account/password").status_code == 302


def test_changing_it_takes_the_old_one(client: Client) -> None:
    ada()
    sign_in(client)
    answer = client.post("/account/password", {"old_password": "wrong", **NEW})
    assert answer.status_code == 422
    assert User.objects.get().check_password(PASSWORD)


def test_the_old_one_is_not_guessed_without_end(client: Client) -> None:
    ada()
    sign_in(client)
    wrong = {"old_password": "wrong", **NEW}
    answers = [client.post("/account/password", wrong).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    client.post("/account/sign-out")
    assert sign_in(client).status_code == 429, "nor by signing in with this browser"
    assert User.objects.get().check_password(PASSWORD)


def test_only_who_is_signed_in_changes_a_password(client: Client) -> None:
    answer = client.post("/account/password", {"old_password": PASSWORD, **NEW})
    assert answer["Location"] == "/account/sign-in?next=/account/password"


@pytest.mark.parametrize("text", ["\x00", "x" * 5000, "💥", ""])
def test_any_input_is_a_refusal(client: Client, text: str) -> None:
    ada()
    assert asked(client, text).status_code == 422
    sign_in(client)
    answer = client.post(
        "/account/password", {"old_password": text, "new_password1": text, "new_password2": text}
    )
    assert answer.status_code == 422
