"""The page of API tokens."""

import html
import re

import pytest
from django.test import Client

from config.identity import tokens
from config.identity.models import ApiToken, User
from tests.identity.people import EMAIL, PASSWORD, ada, sign_in

pytestmark = pytest.mark.django_db(databases="__all__")
PAGE = "/account/tokens"
_SECRET = re.compile(r"<code>(mls_[^<]+)</code>")


@pytest.fixture
def user(client: Client) -> User:
    """Somebody who is signed in."""
    found = ada()
    sign_in(client)
    return found


def made(client: Client, **changes: str):  # type: ignore[no-untyped-def]  # as in people.py
    """The answer to a filled-in form."""
    sent = {"name": "import", "may": "read", "days": "90", "password": PASSWORD, **changes}
    return client.post(PAGE, sent)


def reads(client: Client, secret: str) -> int:
    return (
        Client().get("/api/v1/profile", headers={"Authorization": f"Bearer {secret}"}).status_code
    )


@pytest.mark.usefixtures("user")
def test_a_token_is_made_seen_once_and_ended(client: Client) -> None:
    answer = made(client)
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    [secret] = _SECRET.findall(answer.content.decode())
    assert reads(client, secret) == 200
    page = client.get(PAGE).content.decode()
    assert "import" in page
    assert "Only reads" in page
    assert secret not in page
    [path] = re.findall(r'action="(/account/tokens/[^"]+)"', page)
    for _ in range(2):
        ended = client.post(path)
        assert (ended.status_code, ended["Location"]) == (303, PAGE)
    assert reads(client, secret) == 401
    assert "Tokens that work" not in client.get(PAGE).content.decode()


@pytest.mark.usefixtures("user")
def test_a_token_that_may_only_read_changes_nothing(client: Client) -> None:
    for may, status in (("read", 403), ("write", 204)):
        [secret] = _SECRET.findall(made(client, may=may).content.decode())
        saved = Client().put(
            "/api/v1/profile",
            '{"name": "Ada"}',
            "application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert saved.status_code == status


def test_it_takes_a_session_and_the_password(client: Client) -> None:
    assert client.get(PAGE)["Location"] == f"/account/sign-in?next={PAGE}"
    assert made(client).status_code == 302
    ada()
    sign_in(client)
    wrong = made(client, password="wrong")
    assert wrong.status_code == 422
    assert "The password is wrong." in wrong.content.decode()
    assert [made(client, password="wrong").status_code for _ in range(10)][-1] == 429
    assert not ApiToken.objects.exists()


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\x00b"),
        ("name", "a\u202eb"),
        ("may", "everything"),
        ("days", "0"),
        ("days", "99999999999999999999"),
        ("days", "\x00"),
        ("password", ""),
        ("password", "x" * 5000),
    ],
)
def test_bad_input_is_refused(client: Client, field: str, value: str) -> None:
    assert made(client, **{field: value}).status_code == 422
    assert not ApiToken.objects.exists()


@pytest.mark.usefixtures("user")
def test_a_name_is_shown_as_it_is(client: Client) -> None:
    name = "<script>alert(1)</script>"
    made(client, name=name)
    page = client.get(PAGE).content.decode()
    assert name not in page
    assert html.escape(name) in page


@pytest.mark.usefixtures("user")
def test_there_is_an_end_to_tokens(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    assert made(client).status_code == 201
    refused = made(client)
    assert refused.status_code == 409
    assert "nobody may have more" in refused.content.decode()


@pytest.mark.usefixtures("user")
def test_nobody_ends_the_token_of_another(client: Client) -> None:
    [secret] = _SECRET.findall(made(client).content.decode())
    token = ApiToken.objects.get()
    User.objects.create_user("eve@example.org", PASSWORD)
    eve = Client()
    sign_in(eve, email="eve@example.org")
    eve.post(f"{PAGE}/{token.id}")
    assert reads(client, secret) == 200
    assert EMAIL not in eve.get(PAGE).content.decode()
    assert client.get(f"{PAGE}/{token.id}").status_code == 405
    assert client.get(f"{PAGE}/x").status_code == 404
    assert Client(enforce_csrf_checks=True).post(f"{PAGE}/{token.id}").status_code == 403
