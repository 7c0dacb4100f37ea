"""Signing up: an address is shown to be its owner's before there is a user.

The mailed link carries the address, signed: nothing is stored for those who never come back.
Whoever follows it chooses the password, so nobody can prepare an account for a stranger to confirm;
and it makes one user at most, as addresses are unique.
"""

from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from config.identity.models import User

_SALT = "config.identity.signup"


class Invitation(NamedTuple):
    """What a link carries: whose it is, and where to go on."""

    email: str
    to: str


class BadLink(Exception):
    """The link is not one of ours, or too old."""


class AlreadySignedUp(Exception):
    """There is a user with this address."""


def link_token(invitation: Invitation) -> str:
    """The last part of the link's path."""
    return signing.dumps(list(invitation), salt=_SALT)


def invitation_of(token: str) -> Invitation:
    """What a link carries. Raises BadLink."""
    try:
        email, to = signing.loads(token, salt=_SALT, max_age=settings.SIGN_UP_TIMEOUT)
    except (signing.BadSignature, ValueError) as error:
        raise BadLink from error
    return Invitation(email=email, to=to)


def exists(email: str) -> bool:
    """Whether there is a user with this address."""
    return User.objects.filter(email=email.lower()).exists()


def create(email: str, password: str) -> User:
    """Make the user. Raises AlreadySignedUp, also when another request was quicker."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password)
    except IntegrityError as error:
        raise AlreadySignedUp from error
