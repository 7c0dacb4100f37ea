"""People who have accounts, or want one."""

import re

from django.core import mail
from django.test import Client

from config.identity.models import User

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
_LINK = re.compile(r"https?://testserver(/\S+)")


def ada(**fields: object) -> User:
    """Somebody with an account."""
    return User.objects.create_user(EMAIL, PASSWORD, **fields)


def mailed_link() -> str:
    """The path of the link in the last mail."""
    found = _LINK.search(str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


def sign_in(client: Client, *, password: str = PASSWORD, email: str = EMAIL, to: str = ""):  # type: ignore[no-untyped-def]  # a test client's response has no public name
    """The answer to a filled-in form."""
    sent = {"username": email, "password": password, "next": to}
    return client.post("/account/sign-in", sent)


def signed_in(client: Client) -> bool:
    """Whether the client has a user's session."""
    return "_auth_user_id" in client.session
