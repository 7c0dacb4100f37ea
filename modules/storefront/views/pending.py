"""A payment that waits for the customer's bank; kept in the session, never in the page.

Of a card there is only the provider's token, so that the customer need not type it again.
"""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest

from modules.storefront.requires import BasketId, ChallengeId
from monolift.kernel import Money

_KEY = "storefront.payment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """What will be ordered once the bank has confirmed the customer."""

    basket_id: BasketId
    total: Money
    card_token: str
    challenge_id: ChallengeId


def keep(request: HttpRequest, payment: Payment) -> None:
    """Remember it, in place of an earlier one."""
    request.session[_KEY] = {
        "basket": payment.basket_id.hex,
        "amount": payment.total.amount,
        "currency": payment.total.currency,
        "token": payment.card_token,
        "challenge": payment.challenge_id.hex,
    }


def of(request: HttpRequest) -> Payment | None:
    """The payment that waits, if there is one."""
    kept = request.session.get(_KEY)
    if kept is None:
        return None
    return Payment(
        basket_id=BasketId(UUID(kept["basket"])),
        total=Money(kept["amount"], kept["currency"]),
        card_token=kept["token"],
        challenge_id=ChallengeId(UUID(kept["challenge"])),
    )


def forget(request: HttpRequest) -> None:
    """It is decided."""
    request.session.pop(_KEY, None)
