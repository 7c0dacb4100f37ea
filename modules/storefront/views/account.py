"""What a customer sees of their own: their orders, and their profile."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import urlencode

from modules.storefront.forms import ProfileForm
from modules.storefront.requires import InvalidOrdersCursor, InvalidProfile, orders, profiles
from modules.storefront.views.listing import no_such_page
from modules.storefront.views.page import View, answers, elsewhere, page, see_other
from modules.storefront.views.paging import CURSOR, page_links
from modules.storefront.views.visitor import Visitor

PAGE_SIZE = 20


def for_customers[**P](
    view: Callable[Concatenate[HttpRequest, UUID, P], HttpResponse],
) -> View[P]:
    """A view that gets the customer's id; whoever is not signed in is sent to do that first."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        customer_id = Visitor.of(request).customer_id
        if customer_id is None:
            back = request.get_full_path() if request.method in ("GET", "HEAD") else request.path
            to = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
            if "HX-Request" in request.headers:
                return elsewhere(to)
            headers = {"Location": to, "Cache-Control": "private, no-store"}
            return HttpResponse(status=303, headers=headers)
        return view(request, customer_id, *args, **kwargs)

    return answer


@answers("GET")
@for_customers
def show(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """The customer's orders, the newest first."""
    after = request.GET.get("after") or None
    try:
        if after is not None and not CURSOR.fullmatch(after):
            raise InvalidOrdersCursor(after=after[:100])
        found = orders.history(customer_id=customer_id, limit=PAGE_SIZE, after=after)
    except InvalidOrdersCursor:
        return no_such_page(request, back=request.path)
    context = {
        "orders": found.orders,
        "next": found.next,
        "first": after is None,
        "part": "orders",
        **page_links(request, found.next),
    }
    return page(request, "account_orders.html", context, visitor=Visitor.of(request))


@answers("GET", "POST")
@for_customers
def profile(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """What the customer tells of themselves; with POST, keep it."""
    status = 200
    if request.method == "POST":
        form = ProfileForm(request.POST)
        if form.is_valid():
            try:
                profiles.save_profile(user_id=customer_id, **form.cleaned_data)
            except InvalidProfile as error:
                form.add_error(error.field if error.field in form.fields else None, error.problem)
            else:
                response = see_other("storefront:profile")
                response["Location"] += "?saved=1"
                return response
        status = 422
    else:
        known = profiles.profile(user_id=customer_id)
        names = ("name", "phone", "newsletter")
        form = ProfileForm(initial={name: getattr(known, name) for name in names})
    context = {"form": form, "part": "profile", "saved": "saved" in request.GET and status == 200}
    visitor = Visitor.of(request)
    return page(request, "account_profile.html", context, visitor=visitor, status=status)
