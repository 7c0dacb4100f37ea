"""What became of an order. Who knows its id, which nobody can guess, may see and cancel it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront.forms import COUNTRIES
from modules.storefront.requires import (
    Address,
    NoInvoice,
    NotCancellable,
    Order,
    OrderId,
    OrderNotFound,
    OrderState,
    orders,
)
from modules.storefront.views.page import answers, error_page, page, see_other
from modules.storefront.views.sums import Sums
from modules.storefront.views.visitor import Visitor

# How often the page looks again by itself, in seconds, while something is still to come.
REFRESH = {
    OrderState.PROCESSING: 4,
    OrderState.PLACED: 4,
    OrderState.CANCELLING: 4,
    OrderState.PAID: 15,
    OrderState.SHIPPED: 60,
}

_HEADINGS = {
    OrderState.PROCESSING: "We are on it",
    OrderState.PLACED: "Your order is placed",
    OrderState.PAID: "Thank you, it is paid",
    OrderState.SHIPPED: "It is on its way",
    OrderState.DELIVERED: "It has arrived",
    OrderState.CANCELLING: "It is being cancelled",
    OrderState.CANCELLED: "The order is cancelled",
    OrderState.REFUNDED: "Your money is on its way back",
    OrderState.FAILED: "The order did not go through",
}
_BILLED = frozenset(
    {OrderState.PAID, OrderState.SHIPPED, OrderState.DELIVERED, OrderState.REFUNDED}
)


@answers("GET")
def show(request: HttpRequest, order_id: str) -> HttpResponse:
    """The order; while something is to come, the page asks again by itself.

    Asked by the page whether anything is new, 204 says no: what has the focus keeps it.
    """
    order = _found(order_id)
    if order is None:
        return _unknown(request)
    if "HX-Request" in request.headers and request.GET.get("seen") == _seen(order):
        return HttpResponse(status=204, headers={"Cache-Control": "private, no-store"})
    return _page(request, order)


@answers("POST")
def cancel(request: HttpRequest, order_id: str) -> HttpResponse:
    """Take the order back, if it has not left the house."""
    order = _found(order_id)
    if order is None:
        return _unknown(request)
    try:
        orders.cancel(order_id=order.id)
    except NotCancellable as error:
        return _page(request, _found(order_id) or order, status=error.status, problem=error.detail)
    return see_other("storefront:order", order_id=str(order.id))


@answers("GET")
def invoice(request: HttpRequest, order_id: str) -> HttpResponse:
    """The bill, to print or keep."""
    order = _found(order_id)
    if order is None:
        return _unknown(request)
    here = reverse("storefront:order", kwargs={"order_id": order.id})
    try:
        bill = orders.invoice(order_id=order.id)
    except NoInvoice:
        return error_page(
            request,
            status=NoInvoice.status,
            sentence="There is no invoice for this order. It comes soon after an order is paid.",
            back=here,
            back_text="Back to the order",
        )
    country = _country(bill.order.address)
    context = {"bill": bill, "order": bill.order, "sum": Sums.of_order(bill.order, country)}
    return page(request, "invoice.html", context | {"back": here}, visitor=Visitor.of(request))


def _found(order_id: str) -> Order | None:
    try:
        return orders.order(order_id=OrderId(UUID(order_id)))
    except (ValueError, OrderNotFound):
        return None


def _unknown(request: HttpRequest) -> HttpResponse:
    return error_page(
        request,
        status=OrderNotFound.status,
        sentence="We know no such order. Check the address of this page, letter by letter.",
    )


def _page(
    request: HttpRequest, order: Order, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    country = _country(order.address)
    context: dict[str, Any] = {
        "order": order,
        "heading": _HEADINGS[order.state],
        "state": order.state.value,
        "why": order.problem.rstrip("."),
        "problem": problem,
        "country": country,
        "sum": Sums.of_order(order, country),
        "refresh": REFRESH.get(order.state),
        "seen": _seen(order),
        "cancellable": order.state is OrderState.PAID,
        "billed": order.state in _BILLED,
    }
    place = reverse("storefront:order", kwargs={"order_id": order.id})
    visitor = Visitor.of(request)
    return page(request, "order.html", context, visitor=visitor, status=status, place=place)


def _seen(order: Order) -> str:
    """What can still change about an order, in one word."""
    refunded = order.refunded.amount if order.refunded else 0
    return f"{order.state.value}-{refunded}-{order.tracking}"


def _country(address: Address | None) -> str:
    return COUNTRIES.get(address.country, address.country) if address else ""
