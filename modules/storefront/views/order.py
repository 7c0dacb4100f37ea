"""What became of an order. Who knows its id may see it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from modules.storefront.forms import COUNTRIES
from modules.storefront.requires import OrderId, OrderNotFound, OrderState, orders
from modules.storefront.views.page import answers, error_page, page
from modules.storefront.views.visitor import Visitor

# How often the page looks again by itself, while something is still to come.
REFRESH_SECONDS = {OrderState.PROCESSING: 4, OrderState.PLACED: 15}

_HEADINGS = {
    OrderState.PAID: "Thank you, it is paid",
    OrderState.PLACED: "Your order is placed",
    OrderState.PROCESSING: "We are on it",
    OrderState.FAILED: "The order did not go through",
}


@answers("GET")
def show(request: HttpRequest, order_id: str) -> HttpResponse:
    """The order; until it is settled, the page asks again by itself."""
    try:
        order = orders.order(order_id=OrderId(UUID(order_id)))
    except (ValueError, OrderNotFound):
        return error_page(
            request,
            status=OrderNotFound.status,
            sentence="We know no such order. Check the address of this page, letter by letter.",
        )
    context = {
        "order": order,
        "heading": _HEADINGS[order.state],
        "state": order.state.value,
        "problem": order.problem.rstrip("."),
        "country": COUNTRIES.get(order.address.country, order.address.country)
        if order.address
        else "",
        "refresh": REFRESH_SECONDS.get(order.state),
    }
    return page(request, "order.html", context, visitor=Visitor.of(request))
