"""Who visits: which basket is theirs, and in which currency they look.

A guest's basket is in a signed cookie. A customer's is in their session, so that signing out takes
it off the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID, uuid4

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse

from modules.storefront import compositions as parts
from modules.storefront.requires import Basket, BasketId

CURRENCIES: Mapping[str, str] = {
    "EUR": "euro",
    "USD": "US dollar",
    "JPY": "Japanese yen",
    "KWD": "Kuwaiti dinar",
}
BASKET_COOKIE = "basket"
CURRENCY_COOKIE = "currency"
SESSION_KEY = "storefront.basket"
_MAX_AGE = 90 * 24 * 3600

# Who holds the id holds the basket, so it is random, signed, and kept from scripts.
_signer = TimestampSigner(salt="modules.storefront.basket")


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitor:
    """A visitor. `count` is how many articles the basket had when it was last looked at.

    `customer_id` is who signed in. `tampered` says that there was a basket cookie that this shop
    did not write; `spare`, that the cookie is not needed any more.
    """

    basket_id: BasketId | None = None
    count: int = 0
    currency: str = "EUR"
    customer_id: UUID | None = None
    tampered: bool = False
    spare: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Who sent this request."""
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return cls.guest(request)
        own = request.session.get(SESSION_KEY)
        if own is None:  # orders was silent at sign-in
            return replace(cls.guest(request), customer_id=user.pk)
        identifier, count = own.split(".")
        return cls(
            basket_id=BasketId(UUID(identifier)),
            count=int(count),
            currency=_currency(request),
            customer_id=user.pk,
            spare=BASKET_COOKIE in request.COOKIES,
        )

    @classmethod
    def guest(cls, request: HttpRequest) -> Self:
        """What the cookies alone say."""
        currency = _currency(request)
        cookie = request.COOKIES.get(BASKET_COOKIE)
        if cookie is None:
            return cls(currency=currency)
        try:
            identifier, count = _signer.unsign(cookie, max_age=_MAX_AGE).split(".")
            return cls(basket_id=BasketId(UUID(identifier)), count=int(count), currency=currency)
        except (BadSignature, ValueError):
            return cls(currency=currency, tampered=True)

    def basket(self) -> Basket | None:
        """The visitor's basket; None while there is none."""
        if self.basket_id is None:
            return None
        return parts.basket(basket_id=self.basket_id, currency=self.currency)

    def knowing(self, basket: Basket) -> Self:
        """The same visitor with what their basket says of itself."""
        if basket.order_id is not None or not basket.lines:
            return replace(self, count=0)
        count = sum(line.quantity for line in basket.lines)
        return replace(self, count=count, currency=basket.currency)

    def remembered(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The response, with this visitor's basket and currency kept for the next request."""
        if self.basket_id is not None:
            value = f"{self.basket_id.hex}.{self.count}"
            if self.customer_id is None:
                _set(response, BASKET_COOKIE, _signer.sign(value))
            elif request.session.get(SESSION_KEY) != value:
                request.session[SESSION_KEY] = value
        _set(response, CURRENCY_COOKIE, self.currency)
        return response


def new_basket_id() -> BasketId:
    """The id of a basket that does not exist yet, which nobody can guess."""
    return BasketId(uuid4())


def forget_basket(response: HttpResponse) -> None:
    """Take the basket cookie away."""
    response.delete_cookie(BASKET_COOKIE, samesite="Lax")


def _currency(request: HttpRequest) -> str:
    currency = request.COOKIES.get(CURRENCY_COOKIE, "")
    return currency if currency in CURRENCIES else next(iter(CURRENCIES))


def _set(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=_MAX_AGE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
