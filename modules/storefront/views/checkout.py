"""The checkout: address, delivery and card on one page, and the total that will be charged."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront import compositions as parts
from modules.storefront.forms import DELIVERIES, CheckoutForm
from modules.storefront.requires import (
    Address,
    Basket,
    BasketClosed,
    BasketEmpty,
    ChallengeNotFound,
    ChallengeState,
    CheckoutFailed,
    CouponNotValid,
    CouponRefused,
    InvalidAddress,
    InvalidCard,
    NoPrice,
    OutOfStock,
    PaymentRefused,
    PostalAddress,
    PriceChanged,
    Quote,
    QuoteLine,
    SavedAddress,
    UnknownDestination,
    UnknownSku,
    orders,
    payments,
    profiles,
)
from modules.storefront.templatetags.storefront import money
from modules.storefront.views import pending
from modules.storefront.views.basket import basket_page, tampered
from modules.storefront.views.page import answers, elsewhere, log, page, see_other, unavailable
from modules.storefront.views.sums import Sums
from modules.storefront.views.visitor import CURRENCIES, Visitor
from monolift import DomainError, Unavailable
from monolift.kernel import CallFailed, Money

_SHOWN = re.compile(r"([0-9]{1,18}) ([A-Z]{3})", re.ASCII)
_REGION = re.compile(r"[a-z]{2,3}-([A-Z]{2})\b", re.ASCII)

_MAYBE_PAID = (
    "We did not hear in time whether the payment went through. Go back to the checkout and pay "
    "again: the shop knows that it is the same order and charges it once."
)


_MAYBE_CONFIRMED = (
    "Your bank has confirmed you, but we did not hear in time whether the payment went through. "
    "Try again: the shop knows that it is the same order and charges it once."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Silence:
    """What to say when nobody knows what became of an order, and where to go on."""

    sentence: str
    back: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why nothing was ordered, for the page that is shown again."""

    status: int
    sentence: str
    to_basket: bool = False


def _in_parts(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Whoever asked for a part of the checkout, and there is none any more, opens it as a whole."""

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        response = view(request)
        gone = response.status_code != HTTPStatus.OK and response.status_code < 500
        if gone and "HX-Request" in request.headers:
            return elsewhere(reverse("storefront:checkout"))
        return response

    return answer


@_in_parts
@answers("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    """Show the checkout; with POST, recalculate the total for a country, or order and pay."""
    visitor = Visitor.of(request)
    if visitor.tampered:
        return tampered(request)
    basket = visitor.basket()
    if basket is None or basket.order_id is not None or not basket.lines:
        return _nothing_to_buy(request, visitor, basket)
    if any(line.unit is None for line in basket.lines):
        return basket_page(
            request,
            visitor,
            basket,
            status=409,
            problem="One of your articles is no longer for sale. Remove it to check out.",
        )
    if request.method != "POST":
        saved = _saved(visitor)
        form = _form_of(request, visitor, basket, saved)
        return _page(request, visitor, basket, form, saved=saved)
    if "recalculate" in request.POST:
        return _page(request, visitor, basket, _form_as_typed(request, basket))
    form = _form(basket, request.POST, country=request.POST.get("country", ""))
    if not form.is_valid():
        return _page(request, visitor, basket, form, Refusal(status=422, sentence=""))
    silence = _Silence(sentence=_MAYBE_PAID, back=reverse("storefront:checkout"))
    return _trying(
        request, visitor, basket, form, lambda: _pay(request, visitor, basket, form), silence
    )


@answers("GET")
def authenticated(request: HttpRequest) -> HttpResponse:
    """Where the bank sends the customer back to: finish the payment that it asked about.

    Coming back again is harmless: nothing but an answer ends the payment that waits.
    """
    visitor = Visitor.of(request)
    if visitor.tampered:
        return tampered(request)
    basket = visitor.basket()
    if basket is None or basket.order_id is not None or not basket.lines:
        return _nothing_to_buy(request, visitor, basket)
    payment = pending.of(request)
    if payment is None or payment.basket_id != basket.id:
        return see_other("storefront:checkout")
    form = _form_of(request, visitor, basket, _saved(visitor))
    try:
        challenge = payments.challenge_details(challenge_id=payment.challenge_id)
    except ChallengeNotFound:
        return see_other("storefront:checkout")
    if challenge.state is ChallengeState.OPEN:
        return HttpResponse(status=303, headers={"Location": challenge.url})
    if challenge.state is ChallengeState.FAILED:
        pending.forget(request)
        sentence = (
            "Your bank did not confirm that it is you. Nothing was charged. Try again, or use "
            "another card."
        )
        refusal = Refusal(status=PaymentRefused.status, sentence=sentence)
        return _page(request, visitor, basket, form, refusal)

    def finish() -> HttpResponse:
        return _order(request, visitor, basket, payment.total, payment.card_token)

    silence = _Silence(sentence=_MAYBE_CONFIRMED, back=reverse("storefront:authenticated"))
    response = _trying(request, visitor, basket, form, finish, silence)
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        pending.forget(request)
    return response


def _nothing_to_buy(request: HttpRequest, visitor: Visitor, basket: Basket | None) -> HttpResponse:
    if basket is not None and basket.order_id is not None:
        # The browser's back button after paying, or a second click.
        return see_other("storefront:order", order_id=str(basket.order_id))
    return basket_page(
        request, visitor, basket, status=409, problem="There is nothing to check out yet."
    )


def _trying(
    request: HttpRequest,
    visitor: Visitor,
    basket: Basket,
    form: CheckoutForm,
    work: Callable[[], HttpResponse],
    silence: _Silence,
) -> HttpResponse:
    """What the work answers; a refusal shows the page again with the reason."""
    try:
        return work()
    except BasketClosed as error:
        return see_other("storefront:order", order_id=str(error.order_id))
    except (Unavailable, CallFailed) as error:
        return unavailable(request, error, sentence=silence.sentence, back=silence.back)
    except DomainError as error:
        refusal = _refusal(error, basket, form)
        return _page(request, visitor, visitor.basket() or basket, form, refusal)


def _pay(
    request: HttpRequest, visitor: Visitor, basket: Basket, form: CheckoutForm
) -> HttpResponse:
    """Order what the page showed at the price it showed, unless the bank has a question first."""
    shown = _total_shown(request)
    address = Address(**form.part(form.ADDRESS))
    method = form.cleaned_data["delivery"]
    orders.set_address(basket_id=basket.id, address=address)
    orders.set_delivery(basket_id=basket.id, method=method)
    now = _quote(basket, form, country=address.country, method=method).total
    if shown is None or shown != now:
        # Known before a card is asked: nothing is begun that would have to be taken back.
        raise PriceChanged(expected=shown or Money.zero(now.currency), now=now)
    if form.cleaned_data["save"] and visitor.customer_id is not None:
        _keep(visitor.customer_id, address)
    token = payments.tokenise(**form.part(form.CARD))
    challenge = payments.challenge(card_token=token, amount=shown, reference=basket.id)
    if challenge is not None and challenge.state is not ChallengeState.PASSED:
        asked = pending.Payment(
            basket_id=basket.id, total=shown, card_token=token, challenge_id=challenge.id
        )
        pending.keep(request, asked)
        return HttpResponse(status=303, headers={"Location": challenge.url})
    return _order(request, visitor, basket, shown, token)


def _order(
    request: HttpRequest, visitor: Visitor, basket: Basket, total: Money, token: str
) -> HttpResponse:
    order = orders.check_out(
        basket_id=basket.id,
        expected_total=total,
        card_token=token,
        customer_id=visitor.customer_id,
    )
    response = see_other("storefront:order", order_id=str(order.id))
    return replace(visitor, count=0).remembered(request, response)


def _keep(customer_id: UUID, address: Address) -> None:
    """Save the address; that it cannot be saved is no reason not to sell."""
    kept = PostalAddress(
        name=address.name,
        street=address.street,
        city=address.city,
        postcode=address.postcode,
        country=address.country,
    )

    try:
        profiles.save_address(user_id=customer_id, address=kept)
    except DomainError:
        return
    except (Unavailable, CallFailed) as error:
        log.warning("an address is not saved", exc_info=error)


def _refusal(error: DomainError, basket: Basket, form: CheckoutForm) -> Refusal:
    """What to tell the customer, who has to enter the card again in any case."""
    status, to_basket = error.status, False
    match error:
        case PriceChanged(expected=expected, now=now):
            before = f"; this page showed {money(expected)}" if expected else ""
            country = str(form["country"].value() or "")
            where = f" for {form.countries[country]}" if country in form.countries else ""
            sentence = (
                f"The total{where} is now {money(now)}{before}. Nothing was charged. If you agree "
                "with it, enter the card again and pay."
            )
        case OutOfStock(sku=sku, available=available):
            title, to_basket = _title(basket, sku), True
            if available:
                left = "is" if available == 1 else "are"
                sentence = f"Only {available} of {title} {left} left. Lower the quantity in your "
                sentence += "basket. Nothing was charged."
            else:
                sentence = f"{title} has just sold out. Remove it from your basket. Nothing was "
                sentence += "charged."
        case PaymentRefused(reason=reason):
            reason = reason.rstrip(".")
            sentence = f"The card was refused: {reason}. Nothing was charged. Try another card."
        case InvalidCard(problem=problem):
            problem = problem.rstrip(".")
            sentence = f"The card cannot be used: {problem}. Nothing was charged."
            form.add_error("number", f"{problem[:1].upper()}{problem[1:]}.")
        case UnknownSku(sku=sku) | NoPrice(sku=sku):
            sentence, to_basket = f"{_title(basket, sku)} is no longer for sale. Remove it.", True
        case BasketEmpty():
            sentence, to_basket = "Your basket is empty by now. Nothing was charged.", True
        case CouponRefused():
            sentence, to_basket = f"{error.detail} Nothing was charged.", True
        case InvalidAddress() | UnknownDestination() | CheckoutFailed():
            sentence = error.detail
        case _:
            sentence = f"{error.detail} Nothing was charged."
    return Refusal(status=status, sentence=sentence, to_basket=to_basket)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    basket: Basket,
    form: CheckoutForm,
    refusal: Refusal | None = None,
    *,
    saved: Sequence[SavedAddress] | None = None,
) -> HttpResponse:
    """The page with the total for the country and the delivery that the form names."""
    if not basket.lines:
        problem = refusal.sentence if refusal else ""
        status = refusal.status if refusal else 409
        return basket_page(request, visitor, basket, status=status, problem=problem)
    country = str(form["country"].value() or "")
    if country not in form.countries:
        country = ""
    method = str(form["delivery"].value() or "")
    quote = _quote(basket, form, country=country, method=method)
    context: dict[str, Any] = {
        "form": form,
        "lines": [
            (line, line.unit * line.quantity if line.unit else None) for line in basket.lines
        ],
        "sum": Sums.of_quote(quote, coupon=basket.coupon, country=form.countries.get(country, "")),
        "basket": basket,
        "saved": _saved(visitor) if saved is None else saved,
        "refusal": refusal,
    }
    status = refusal.status if refusal else 200
    visitor = visitor.knowing(basket)
    response = page(
        request,
        "checkout.html",
        context,
        visitor=visitor,
        status=status,
        place=reverse("storefront:checkout"),
    )
    return visitor.remembered(request, response)


def _saved(visitor: Visitor) -> Sequence[SavedAddress]:
    customer_id = visitor.customer_id
    if customer_id is None:
        return ()
    return parts.addresses(user_id=customer_id)


def _form(basket: Basket, *args: Any, country: str, **kwargs: Any) -> CheckoutForm:
    """A form with the deliveries to a country."""
    destinations = parts.destinations()
    known = country in destinations
    rates = parts.rates(country=country, currency=basket.currency) if known else ()
    return CheckoutForm(*args, destinations=destinations, rates=rates, **kwargs)


def _form_of(
    request: HttpRequest, visitor: Visitor, basket: Basket, saved: Sequence[SavedAddress]
) -> CheckoutForm:
    """The form with what is known: the address chosen or given before, or kept, or the country."""
    initial: dict[str, Any] = {"delivery": basket.delivery or DELIVERIES[0][0]}
    chosen = {str(one.id): one for one in saved}.get(request.GET.get("address", ""))
    if chosen is None and basket.address is None:
        chosen = next(iter(saved), None)
    if visitor.customer_id is not None:
        initial["email"] = getattr(request.user, "email", "")
    if basket.address is not None:
        initial |= {name: getattr(basket.address, name) for name in CheckoutForm.ADDRESS}
    if chosen is not None:
        kept = chosen.address
        initial |= {name: getattr(kept, name) for name in kept.__struct_fields__}
    if "country" not in initial:
        region = _REGION.search(request.headers.get("Accept-Language", ""))
        initial["country"] = region[1] if region else ""
    return _form(basket, initial=initial, country=initial["country"])


def _form_as_typed(request: HttpRequest, basket: Basket) -> CheckoutForm:
    """The form as it was sent, not judged: the customer is not done with it."""
    names = (*CheckoutForm.ADDRESS, "delivery")
    initial: dict[str, Any] = {name: request.POST.get(name, "") for name in names}
    initial["save"] = "save" in request.POST
    return _form(basket, initial=initial, country=initial["country"])


def _quote(basket: Basket, form: CheckoutForm, *, country: str, method: str) -> Quote:
    """What the basket costs there; without its coupon if that does not count."""
    rate = form.rates.get(method)
    lines = [
        QuoteLine(sku=line.sku, quantity=line.quantity)
        for line in basket.lines
        if line.unit is not None
    ]

    def quote(coupon: str) -> Quote:
        return parts.quote(
            lines=lines,
            currency=basket.currency,
            country=country or None,
            coupon=coupon,
            delivery=rate.price if rate else None,
        )

    try:
        return quote("" if basket.coupon_problem else basket.coupon)
    except CouponNotValid:
        return quote("")


def _total_shown(request: HttpRequest) -> Money | None:
    """The total that the page showed, as its form sends it back; None when it is unreadable."""
    match = _SHOWN.fullmatch(request.POST.get("total", ""))
    if match is None or match[2] not in CURRENCIES:
        return None
    return Money(int(match[1]), match[2])


def _title(basket: Basket, sku: str) -> str:
    titles = {line.sku: f"{line.title}, {line.name}" for line in basket.lines}
    return titles.get(sku, sku)
