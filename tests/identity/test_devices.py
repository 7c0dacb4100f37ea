"""Trying somebody's address does not lock them out of the browsers they use."""

import pytest
from django.test import Client

from config.identity.devices import COOKIE
from tests.identity.people import EMAIL, PASSWORD, ada, mailed_link, sign_in, signed_in

pytestmark = pytest.mark.django_db(databases="__all__")


def use_up_the_tries() -> None:
    """Somebody elsewhere guesses until the account takes no more."""
    attacker = Client()
    while sign_in(attacker, password="wrong").status_code != 429:
        pass


def test_a_browser_that_was_signed_in_has_tries_of_its_own(client: Client) -> None:
    ada()
    sign_in(client)
    client.post("/account/sign-out")
    use_up_the_tries()
    assert sign_in(Client()).status_code == 429, "elsewhere the account is protected"
    sign_in(client)
    assert signed_in(client)


def test_its_tries_are_counted_too(client: Client) -> None:
    ada()
    sign_in(client)
    client.post("/account/sign-out")
    answers = [sign_in(client, password="wrong").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert sign_in(Client()).status_code == 302, "those of others are not used up by it"


def test_its_right_password_does_not_forgive_the_tries_of_others(client: Client) -> None:
    ada()
    sign_in(client)
    client.post("/account/sign-out")
    use_up_the_tries()
    sign_in(client)
    assert sign_in(Client()).status_code == 429


def test_the_cookie_is_for_one_account_and_of_our_own_making(client: Client) -> None:
    ada()
    sign_in(client)
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"]
    assert EMAIL not in cookie.value
    for value in (f"x{cookie.value}", cookie.value.upper(), "a.b:c:d", "\x00", ""):
        use_up_the_tries()
        other = Client()
        other.cookies[COOKIE] = value
        assert sign_in(other).status_code == 429, value
    another = Client()
    another.cookies[COOKIE] = cookie.value
    answers = [
        sign_in(another, email="nobody@example.org", password="x").status_code for _ in range(11)
    ]
    assert answers[-1] == 429, "counted by account"


def test_a_mailed_link_is_the_way_out_for_a_new_browser(client: Client) -> None:
    ada()
    use_up_the_tries()
    locked = sign_in(client)
    assert 'href="/account/password/reset"' in locked.content.decode()
    client.post("/account/password/reset", {"email": EMAIL})
    form = client.get(mailed_link(), follow=True)
    passwords = {"new_password1": f"{PASSWORD} 2", "new_password2": f"{PASSWORD} 2"}
    client.post(form.request["PATH_INFO"], passwords)
    sign_in(client, password=f"{PASSWORD} 2")
    assert signed_in(client)
