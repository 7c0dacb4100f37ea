"""The port to whoever moves the money. One provider is configured: `PAYMENTS["PROVIDER"]`.

Every operation is given a key, and repeating it under that key has no second effect and gives the
first answer again (as Stripe's `Idempotency-Key` does). So a lost answer is found out by asking
again. Any operation may raise `Unavailable`: then the effect may have happened.
"""

from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from modules.payments.interface import Challenge
from monolift.kernel import Money


class Declined(Exception):
    """The card's bank said no; the message is for the customer."""


class RefundRefused(Exception):
    """More than was captured and not yet given back was to be refunded."""


class KeyReused(ValueError):
    """A key came again with another request."""


class Provider(Protocol):
    """Moves money. A charge is what `authorise` returns."""

    def tokenise(self, *, number: str, expiry: str, cvc: str) -> str:
        """Keep the card, and give a token for it that is useless elsewhere.

        Raises ValueError, with a message for the customer, for a card it cannot take.
        """
        ...

    def challenge(self, *, reference: UUID, amount: Money, token: str) -> Challenge | None:
        """What the card's bank asks of its customer before `authorise`; None if nothing.

        The same arguments give the same challenge until it failed or was used.
        """
        ...

    def answer(self, *, challenge: UUID, passed: bool) -> None:
        """Take the bank's answer; only the first one counts.

        Raises LookupError for an unknown challenge. A provider that hears from the bank itself
        knows none.
        """
        ...

    def challenged(self, *, challenge: UUID) -> Challenge:
        """Where a challenge stands. Raises LookupError for an unknown one."""
        ...

    def authorise(self, *, key: str, amount: Money, token: str) -> str:
        """Set an amount aside; the charge's id. Raises Declined.

        Where the bank asks for authentication, one that passed is used up by it.
        """
        ...

    def capture(self, *, key: str, charge: str) -> None:
        """Take the whole amount."""
        ...

    def void(self, *, key: str, charge: str) -> None:
        """Let go of what is set aside."""
        ...

    def refund(self, *, key: str, charge: str, amount: Money) -> None:
        """Give money back. Raises RefundRefused."""
        ...


def provider() -> Provider:
    """The configured provider."""
    return _made(settings.PAYMENTS["PROVIDER"])


@cache
def _made(path: str) -> Provider:
    made: Provider = import_string(path)()
    return made
