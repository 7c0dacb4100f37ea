"""The currency of the prices."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from modules.storefront.views.page import answers, error_page
from modules.storefront.views.visitor import CURRENCIES, Visitor


@answers("POST")
def choose(request: HttpRequest) -> HttpResponse:
    """Show prices in another currency, while the basket is empty."""
    visitor = Visitor.of(request)
    currency = request.POST.get("currency", "")
    if currency not in CURRENCIES:
        offered = ", ".join(CURRENCIES)
        return error_page(request, status=422, sentence=f"Choose one of our currencies: {offered}.")
    basket = visitor.basket()
    filled = basket is not None and basket.lines and basket.order_id is None
    if filled and basket is not None and basket.currency != currency:
        return error_page(
            request,
            status=409,
            sentence=f"Your basket is priced in {basket.currency}, and a basket has one currency. "
            f"Empty it first, then choose {currency}.",
            back=reverse("storefront:basket"),
            back_text="Go to the basket",
        )
    response = HttpResponseRedirect(_back(request))
    response.status_code = 303
    return replace(visitor, currency=currency).remembered(request, response)


def _back(request: HttpRequest) -> str:
    """Where the visitor was, as the form says; never another site."""
    here = request.POST.get("here", "")
    # A relative address only: the name of this site may be a proxy's.
    if here.startswith("/") and url_has_allowed_host_and_scheme(here, allowed_hosts=None):
        return here
    return reverse("storefront:home")
