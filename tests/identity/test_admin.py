"""Accounts in the back office: passwords and tokens that are taken away, users that are deleted."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from config.identity import tokens
from config.identity.models import ApiToken, User
from modules.profiles.interface import PostalAddress, Profiles
from monolift import use
from tests.doubles import silent
from tests.identity.people import PASSWORD, ada

pytestmark = pytest.mark.django_db(databases="__all__")
USERS = "/admin/identity/user/"
TOKENS = "/admin/identity/apitoken/"
profiles = use(Profiles)
HOME = PostalAddress(
    name="Ada", street="12 St James's Square", city="London", postcode="1", country="GB"
)


def staff(*permissions: str) -> Client:
    """Somebody of the staff who has these rights; all of them if none is named."""
    user = User.objects.create_user("boss@example.org", PASSWORD, is_staff=True)
    if not permissions:
        user.is_superuser = True
        user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def token_of(user: User) -> tuple[ApiToken, str]:
    """A token that works, and its secret."""
    return tokens.make(user=user, name="import", lifetime=timedelta(days=9), may_write=True)


def told(client: Client, path: str) -> str:
    """What the messages on a page say."""
    return client.get(path).content.decode()


# Passwords ----------------------------------------------------------------------------------------


def test_taking_the_password_away_ends_tokens() -> None:
    user, client = ada(), staff()
    _, secret = token_of(user)
    sent = {"usable_password": "false", "password1": "", "password2": "", "unset-password": "x"}
    answer = client.post(f"{USERS}{user.pk}/password/", sent)
    assert answer.status_code == 302
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert tokens.live_token(secret) is None


def test_who_never_had_a_password_keeps_tokens() -> None:
    user = User.objects.create_user("sso@example.org")
    _, secret = token_of(user)
    for fields in (["last_login"], None):
        User.objects.get().save(update_fields=fields)
    assert tokens.live_token(secret) is not None


def test_a_password_that_is_not_saved_ends_nothing() -> None:
    user = ada()
    _, secret = token_of(user)
    user.set_unusable_password()
    user.save(update_fields=["is_staff"])
    assert tokens.live_token(secret) is not None
    user.save(update_fields=["password"])
    assert tokens.live_token(secret) is None


# Tokens -------------------------------------------------------------------------------------------


def test_tokens_are_shown_without_what_they_are_made_of() -> None:
    token, secret = token_of(ada())
    client = staff("view_apitoken")
    pages = [client.get(TOKENS), client.get(f"{TOKENS}{token.pk}/change/")]
    for page in pages:
        assert page.status_code == 200
        shown = page.content.decode()
        assert "import" in shown
        assert token.digest not in shown
        assert secret not in shown
    assert client.get(f"{TOKENS}add/").status_code == 403
    assert client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("may", [True, False])
def test_tokens_are_revoked_by_those_who_may_change_them(may: bool) -> None:
    token, secret = token_of(ada())
    client = staff("view_apitoken", *(["change_apitoken"] if may else []))
    client.post(TOKENS, {"action": "revoke", "_selected_action": [str(token.pk)]})
    assert (tokens.live_token(secret) is None) is may
    logged = LogEntry.objects.values_list("object_id", "change_message")
    assert list(logged) == ([(str(token.pk), "Revoked")] if may else [])


# Deleting -----------------------------------------------------------------------------------------


def deletes_one(client: Client, *users: User) -> None:
    for user in users:
        client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})


def deletes_together(client: Client, *users: User) -> None:
    keys = [str(user.pk) for user in users]
    client.post(USERS, {"action": "delete_selected", "post": "yes", "_selected_action": keys})


def customers() -> list[User]:
    """Two who have saved an address, and a token."""
    made = [ada(), User.objects.create_user("eve@example.org", PASSWORD)]
    for user in made:
        profiles.save_address(user_id=user.pk, address=HOME)
        token_of(user)
    return made


def known(user_id: UUID) -> int:
    return len(profiles.addresses(user_id=user_id))


both = pytest.mark.parametrize("deletes", [deletes_one, deletes_together])


@both
def test_who_is_deleted_is_forgotten(deletes: Callable[..., None]) -> None:
    client, users = staff(), customers()
    kept = User.objects.create_user("zoe@example.org", PASSWORD)
    profiles.save_address(user_id=kept.pk, address=HOME)
    deletes(client, *users)
    assert not User.objects.filter(pk__in=[user.pk for user in users]).exists()
    assert [known(user.pk) for user in users] == [0, 0]
    assert known(kept.pk) == 1


@both
def test_nobody_is_deleted_who_cannot_be_forgotten(deletes: Callable[..., None]) -> None:
    client, users = staff(), customers()
    with silent(Profiles, "forget"):
        deletes(client, *users)
    assert "could not be erased" in told(client, USERS)
    assert User.objects.filter(pk__in=[user.pk for user in users]).count() == 2
    assert not LogEntry.objects.exists()


@both
def test_who_may_not_delete_erases_nothing(deletes: Callable[..., None]) -> None:
    client, users = staff("view_user", "change_user"), customers()
    deletes(client, *users)
    assert User.objects.filter(pk__in=[user.pk for user in users]).count() == 2
    assert [known(user.pk) for user in users] == [1, 1]


def test_looking_at_the_question_erases_nothing() -> None:
    client, users = staff("view_user", "delete_user"), customers()
    assert "Are you sure" in told(client, f"{USERS}{users[0].pk}/delete/")
    asked = {"action": "delete_selected", "_selected_action": [str(users[0].pk)]}
    assert "Are you sure" in client.post(USERS, asked).content.decode()
    assert known(users[0].pk) == 1
