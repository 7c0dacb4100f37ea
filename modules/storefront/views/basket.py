"""The basket, and changing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront import compositions as parts
from modules.storefront.forms import COUNTRIES, ChangeForm, CouponForm, RemoveForm
from modules.storefront.requires import (
    Basket,
    BasketClosed,
    BasketLine,
    StockedSku,
    orders,
)
from modules.storefront.views.page import answers, error_page, page, see_other
from modules.storefront.views.sums import Sums
from modules.storefront.views.tiles import Stock, counted
from modules.storefront.views.visitor import Visitor
from monolift import DomainError, Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line of the basket. `amount` is at list price; discount and tax are added up below."""

    line: BasketLine
    amount: Money | None
    problem: str
    typed: str


@answers("GET")
def show(request: HttpRequest) -> HttpResponse:
    """The basket with current prices and what is wrong with it."""
    visitor = Visitor.of(request)
    if visitor.tampered:
        return tampered(request)
    return basket_page(request, visitor, visitor.basket())


@answers("POST")
def change(request: HttpRequest) -> HttpResponse:
    """Change the quantity of a line, or remove it."""
    visitor = Visitor.of(request)
    if visitor.tampered:
        return tampered(request)
    if visitor.basket_id is None:
        return basket_page(request, visitor, None, status=409, problem="Your basket is empty.")
    form = RemoveForm(request.POST) if "remove" in request.POST else ChangeForm(request.POST)
    if not form.is_valid():
        return _refused(request, visitor, 422, form.first_error())
    try:
        orders.set_quantity(
            basket_id=visitor.basket_id,
            sku=form.cleaned_data["sku"],
            quantity=form.cleaned_data.get("quantity", 0),
        )
    except BasketClosed as error:
        return see_other("storefront:order", order_id=str(error.order_id))
    except DomainError as error:
        return _refused(request, visitor, error.status, error.detail)
    return see_other("storefront:basket")


@answers("POST")
def coupon(request: HttpRequest) -> HttpResponse:
    """Use a coupon; an empty code takes it off."""
    visitor = Visitor.of(request)
    if visitor.tampered:
        return tampered(request)
    if visitor.basket_id is None:
        return basket_page(request, visitor, None, status=409, problem="Your basket is empty.")
    form = CouponForm(request.POST)
    if not form.is_valid():
        return _refused(request, visitor, 422, form.first_error(), field="coupon")
    try:
        orders.set_coupon(basket_id=visitor.basket_id, code=form.cleaned_data["code"])
    except BasketClosed as error:
        return see_other("storefront:order", order_id=str(error.order_id))
    except DomainError as error:
        return _refused(request, visitor, error.status, error.detail, field="coupon")
    return see_other("storefront:basket")


def _refused(
    request: HttpRequest, visitor: Visitor, status: int, problem: str, *, field: str = ""
) -> HttpResponse:
    basket = visitor.basket()
    return basket_page(request, visitor, basket, status=status, problem=problem, field=field)


def basket_page(
    request: HttpRequest,
    visitor: Visitor,
    basket: Basket | None,
    *,
    status: int = 200,
    problem: str = "",
    field: str = "",
) -> HttpResponse:
    """The basket's page; `problem` is why the last request was refused, about `field` if any."""
    context: dict[str, Any]
    if basket is None or not basket.lines or basket.order_id is not None:
        template = "basket_empty.html"
        context = {"problem": problem, "order_id": basket.order_id if basket else None}
    else:
        template = "basket.html"
        stock = counted(parts.basket_stock(skus=[StockedSku(line.sku) for line in basket.lines]))
        typed = {request.POST.get("sku", ""): request.POST.get("quantity", "")} if problem else {}
        country = COUNTRIES.get(basket.address.country, "") if basket.address else ""
        rows = [_row(line, stock, typed) for line in basket.lines]
        context = {
            "basket": basket,
            "rows": rows,
            "sum": Sums.of_basket(basket, country),
            "code": request.POST.get("code", "")[:64] if problem else basket.coupon,
            "problem": problem,
            "wrong": field,
            "blocked": any(line.unit is None for line in basket.lines),
        }
    if basket is not None:
        visitor = visitor.knowing(basket)
    place = reverse("storefront:basket")
    response = page(request, template, context, visitor=visitor, status=status, place=place)
    return visitor.remembered(request, response) if visitor.basket_id else response


def tampered(request: HttpRequest) -> HttpResponse:
    """400: the cookie is not one of ours. It is taken away, so the next visit is a clean one."""
    return error_page(
        request,
        status=400,
        sentence="Your browser showed a basket that this shop did not hand out, or that is too "
        "old. We start you a new one with the next product you add.",
    )


def _row(line: BasketLine, stock: Stock, typed: Mapping[str, str]) -> Row:
    left = line.quantity if stock is None else stock.get(line.sku, 0)
    problem = ""
    if line.unit is None:
        currency = " in your currency" if line.slug else ""
        problem = f"This is no longer for sale{currency}. Remove it to check out."
    elif left == 0:
        problem = "This has sold out."
    elif left < line.quantity:
        problem = f"Only {left} left."
    return Row(
        line=line,
        amount=line.unit * line.quantity if line.unit else None,
        problem=problem,
        typed=typed.get(line.sku, str(line.quantity)),
    )
