"""What happens to a guest's basket when its owner signs in."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from modules.storefront.requires import orders
from modules.storefront.views.page import log
from modules.storefront.views.visitor import SESSION_KEY, Visitor, new_basket_id
from monolift import DomainError, Unavailable
from monolift.kernel import CallFailed


def claim_basket(*, request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Merge the guest's basket into the customer's own; receives `user_logged_in`.

    Signing in never fails because of a basket: without an answer, the guest's goes on as it is.
    """
    if request is None:
        return
    guest = Visitor.guest(request)
    try:
        basket_id = orders.claim_basket(
            basket_id=guest.basket_id or new_basket_id(), customer_id=user.pk
        )
        mine = replace(guest, basket_id=basket_id, customer_id=user.pk)
        basket = mine.basket()
    except (DomainError, Unavailable, CallFailed) as error:
        log.warning("a basket was not claimed at sign-in", exc_info=error)
        return
    count = mine.knowing(basket).count if basket else 0
    request.session[SESSION_KEY] = f"{basket_id.hex}.{count}"
