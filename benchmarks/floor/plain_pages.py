"""The shop's pages as a plain Django view renders them: the same templates, from ready data.

`READY` is filled with what the shop gave to a template. Putting something into the basket renders
nothing: here it is the same rows, written by hand in one transaction.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.core.signing import TimestampSigner
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from modules.catalog.models import Variant
from modules.orders.models import Basket, BasketLine

READY: dict[str, tuple[str, Mapping[str, Any]]] = {}
"""Template and context by page."""

_signer = TimestampSigner(salt="benchmarks.floor.basket")


def show(request: HttpRequest, name: str) -> HttpResponse:
    """The page."""
    template, context = READY[name]
    return render(request, template, dict(context))


def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Put an article into a new basket."""
    quantity = int(request.POST["quantity"])
    found = Variant.objects.select_related("product").get(
        sku=request.POST["sku"], withdrawn=False, product__slug=slug
    )
    with transaction.atomic():
        basket = Basket(id=uuid4(), currency="EUR")
        basket.save(force_insert=True)
        BasketLine.objects.create(
            basket=basket,
            sku=found.sku,
            title=found.product.title,
            name=found.name,
            quantity=quantity,
        )
    headers = {"Location": reverse("storefront:basket"), "Cache-Control": "private, no-store"}
    response = HttpResponse(status=303, headers=headers)
    cookies = {"basket": _signer.sign(f"{basket.id.hex}.0"), "currency": "EUR"}
    for name, value in cookies.items():
        response.set_cookie(name, value, max_age=7_776_000, httponly=True, samesite="Lax")
    return response


urlpatterns = [
    path("add/<slug:slug>", add),
    path("<str:name>", show),
]
