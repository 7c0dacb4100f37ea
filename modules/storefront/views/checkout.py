"""The checkout: address, delivery and card on one page, and the total that will be charged."""

import re
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront.forms import DELIVERIES, CheckoutForm
from modules.storefront.requires import (
    Address,
    Basket,
    BasketClosed,
    BasketEmpty,
    CheckoutFailed,
    InvalidAddress,
    InvalidCard,
    NoPrice,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
    Quote,
    QuoteLine,
    UnknownDestination,
    UnknownSku,
    orders,
    payments,
    pricing,
)
from modules.storefront.templatetags.storefront import money
from modules.storefront.views.basket import basket_page, tampered
from modules.storefront.views.page import answers, page, see_other, unavailable
from modules.storefront.views.visitor import CURRENCIES, Visitor
from monolift import DomainError, Unavailable
from monolift.kernel import CallFailed, Money

_SHOWN = re.compile(r"([0-9]{1,18}) ([A-Z]{3})", re.ASCII)
_REGION = re.compile(r"[a-z]{2,3}-([A-Z]{2})\b", re.ASCII)

_MAYBE_PAID = (
    "We did not hear in time whether the payment went through. Go back to the checkout and pay "
    "again: the shop knows that it is the same order and charges it once."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why nothing was ordered, for the page that is shown again."""

    status: int
    sentence: str
    to_basket: bool = False


@answers("GET", "POST")
def show(request: HttpRequest) -> HttpResponse:
    """Show the checkout; with POST, recalculate the total for a country, or order and pay."""
    visitor = Visitor.of(request)
    if visitor.tampered:
        return tampered(request)
    basket = visitor.basket()
    if basket is not None and basket.order_id is not None:
        # The browser's back button after paying, or a second click.
        return see_other("storefront:order", order_id=str(basket.order_id))
    if basket is None or not basket.lines:
        return basket_page(
            request, visitor, basket, status=409, problem="There is nothing to check out yet."
        )
    if any(line.unit is None for line in basket.lines):
        return basket_page(
            request,
            visitor,
            basket,
            status=409,
            problem="One of your articles is no longer for sale. Remove it to check out.",
        )
    if request.method != "POST":
        return _page(request, visitor, basket, _form_of(request, basket))
    if "recalculate" in request.POST:
        return _page(request, visitor, basket, _form_as_typed(request))
    form = _form(request.POST)
    if not form.is_valid():
        return _page(request, visitor, basket, form, Refusal(status=422, sentence=""))
    try:
        return _paid(request, visitor, basket, form)
    except BasketClosed as error:
        return see_other("storefront:order", order_id=str(error.order_id))
    except (Unavailable, CallFailed) as error:
        return unavailable(
            request, error, sentence=_MAYBE_PAID, back=reverse("storefront:checkout")
        )
    except DomainError as error:
        refusal = _refusal(error, basket, form)
        return _page(request, visitor, visitor.basket() or basket, form, refusal)


def _paid(
    request: HttpRequest, visitor: Visitor, basket: Basket, form: CheckoutForm
) -> HttpResponse:
    """Order what the page showed at the price it showed."""
    shown = _total_shown(request)
    address = Address(**form.part(form.ADDRESS))
    orders.set_address(basket_id=basket.id, address=address)
    orders.set_delivery(basket_id=basket.id, method=form.cleaned_data["delivery"])
    now = _quote(basket, address.country).total
    if shown != now:
        # Known before a card is asked: nothing is begun that would have to be taken back.
        raise PriceChanged(expected=shown or Money.zero(now.currency), now=now)
    token = payments.tokenise(**form.part(form.CARD))
    order = orders.check_out(basket_id=basket.id, expected_total=shown, card_token=token)
    response = see_other("storefront:order", order_id=str(order.id))
    return replace(visitor, count=0).remembered(request, response)


def _refusal(error: DomainError, basket: Basket, form: CheckoutForm) -> Refusal:
    """What to tell the customer, who has to enter the card again in any case."""
    status, to_basket = error.status, False
    match error:
        case PriceChanged(expected=expected, now=now):
            before = f"; this page showed {money(expected)}" if expected else ""
            sentence = (
                f"The total for {form.countries[form.cleaned_data['country']]} is "
                f"now {money(now)}{before}. Nothing was charged. If you agree with it, enter the "
                "card again and pay."
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
) -> HttpResponse:
    """The page with the total for the country that the form names."""
    if not basket.lines:
        problem = refusal.sentence if refusal else ""
        status = refusal.status if refusal else 409
        return basket_page(request, visitor, basket, status=status, problem=problem)
    country = str(form["country"].value() or "")
    if country not in form.countries:
        country = ""
    context: dict[str, Any] = {
        "form": form,
        "lines": [
            (line, line.unit * line.quantity if line.unit else None) for line in basket.lines
        ],
        "quote": _quote(basket, country or None),
        "country": form.countries.get(country, ""),
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


def _form(*args: Any, **kwargs: Any) -> CheckoutForm:
    return CheckoutForm(*args, destinations=pricing.destinations(), **kwargs)


def _form_of(request: HttpRequest, basket: Basket) -> CheckoutForm:
    """The form with what is known: the address given before, else the country of the browser."""
    initial: dict[str, Any] = {"delivery": basket.delivery or DELIVERIES[0][0]}
    form = _form(initial=initial)
    if basket.address is not None:
        initial |= {name: getattr(basket.address, name) for name in form.ADDRESS}
    else:
        region = _REGION.search(request.headers.get("Accept-Language", ""))
        initial["country"] = region[1] if region else ""
    return form


def _form_as_typed(request: HttpRequest) -> CheckoutForm:
    """The form as it was sent, not judged: the customer is not done with it."""
    names = (*CheckoutForm.ADDRESS, "delivery")
    return _form(initial={name: request.POST.get(name, "") for name in names})


def _quote(basket: Basket, country: str | None) -> Quote:
    lines = [QuoteLine(sku=line.sku, quantity=line.quantity) for line in basket.lines]
    return pricing.quote(lines=lines, currency=basket.currency, country=country)


def _total_shown(request: HttpRequest) -> Money | None:
    """The total that the page showed, as its form sends it back; None when it is unreadable."""
    match = _SHOWN.fullmatch(request.POST.get("total", ""))
    if match is None or match[2] not in CURRENCIES:
        return None
    return Money(int(match[1]), match[2])


def _title(basket: Basket, sku: str) -> str:
    titles = {line.sku: f"{line.title}, {line.name}" for line in basket.lines}
    return titles.get(sku, sku)
