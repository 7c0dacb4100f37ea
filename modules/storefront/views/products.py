"""The list of products, a product, and putting it into the basket."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront.forms import AddForm
from modules.storefront.requires import (
    BasketClosed,
    BasketId,
    InvalidCursor,
    Product,
    ProductNotFound,
    StockedSku,
    UnknownSku,
    Variant,
    catalog,
    inventory,
    orders,
)
from modules.storefront.views.page import answers, error_page, log, page, see_other
from modules.storefront.views.visitor import Visitor, new_basket_id
from monolift import DomainError, Unavailable
from monolift.kernel import CallFailed, Money

PAGE_SIZE = 12
FEW = 5
"""So many or fewer are worth saying."""

_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A product in the list. `available` counts all variants; None when nobody can tell."""

    product: Product
    price: Money | None
    price_before: Money | None
    varies: bool
    available: int | None
    few: int = FEW


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A variant on the product's page."""

    variant: Variant
    available: int | None
    chosen: bool
    few: int = FEW

    @property
    def buyable(self) -> bool:
        """Whether it can be put into the basket."""
        return self.variant.price is not None and self.available != 0


@answers("GET")
def shelf(request: HttpRequest) -> HttpResponse:
    """A page of products in order of title."""
    visitor = Visitor.of(request)
    after = request.GET.get("after") or None
    try:
        if after is not None and not _CURSOR.fullmatch(after):
            raise InvalidCursor(after=after)
        found = catalog.products(currency=visitor.currency, limit=PAGE_SIZE, after=after)
    except InvalidCursor as error:
        return error_page(
            request,
            status=error.status,
            sentence="The list has no such page. Start again with the first one.",
        )
    stock = _stock([one.sku for product in found.products for one in product.variants])
    context = {
        "tiles": [_tile(product, stock) for product in found.products],
        "next": found.next,
        "first": after is None,
    }
    return page(request, "shelf.html", context, visitor=visitor, personal=False)


@answers("GET")
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """A product with its variants."""
    visitor = Visitor.of(request)
    context = _about(slug, visitor, chosen=request.GET.get("sku", ""))
    return page(request, "product.html", context, visitor=visitor, personal=False)


@answers("POST")
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a variant into the basket, which is made now if there is none."""
    visitor = Visitor.of(request)
    form = AddForm(request.POST)
    if not form.is_valid():
        return _refused(request, slug, visitor, 422, form.first_error())
    try:
        visitor = _put(visitor, **form.cleaned_data)
    except UnknownSku as error:
        sentence = f"There is nothing for sale called {error.sku}. Choose from what is shown here."
        return _refused(request, slug, visitor, error.status, sentence)
    except DomainError as error:
        return _refused(request, slug, visitor, error.status, error.detail)
    return visitor.remembered(see_other("storefront:basket"))


def _put(visitor: Visitor, *, sku: str, quantity: int) -> Visitor:
    """The visitor with the basket that has it now: a new one when the old one was ordered."""

    def put(basket_id: BasketId) -> Visitor:
        orders.add_to_basket(
            basket_id=basket_id, sku=sku, quantity=quantity, currency=visitor.currency
        )
        return replace(visitor, basket_id=basket_id)

    try:
        return put(visitor.basket_id or new_basket_id())
    except BasketClosed:
        return put(new_basket_id())


def _refused(
    request: HttpRequest, slug: str, visitor: Visitor, status: int, problem: str
) -> HttpResponse:
    context = {
        **_about(slug, visitor, chosen=request.POST.get("sku", "")),
        "problem": problem,
        "quantity": request.POST.get("quantity", ""),
    }
    place = reverse("storefront:product", kwargs={"slug": slug})
    return page(request, "product.html", context, visitor=visitor, status=status, place=place)


def _about(slug: str, visitor: Visitor, *, chosen: str) -> dict[str, Any]:
    if not _SLUG.fullmatch(slug):
        raise ProductNotFound(slug=slug[:100])
    found = catalog.product(slug=slug, currency=visitor.currency)
    stock = _stock([one.sku for one in found.variants])
    choices = [
        Choice(
            variant=one,
            available=None if stock is None else stock.get(one.sku, 0),
            chosen=one.sku == chosen,
        )
        for one in found.variants
    ]
    buyable = [choice for choice in choices if choice.buyable]
    if buyable and not any(choice.chosen for choice in buyable):
        position = choices.index(buyable[0])
        choices[position] = Choice(
            variant=buyable[0].variant, available=buyable[0].available, chosen=True
        )
    return {"product": found, "choices": choices, "buyable": bool(buyable), "quantity": "1"}


def _tile(product: Product, stock: Mapping[str, int] | None) -> Tile:
    priced = [one for one in product.variants if one.price is not None]
    cheapest = min(priced, key=_amount, default=None)
    return Tile(
        product=product,
        price=cheapest.price if cheapest else None,
        price_before=cheapest.price_before if cheapest else None,
        varies=len({_amount(one) for one in priced}) > 1,
        available=None if stock is None else sum(stock.get(one.sku, 0) for one in product.variants),
    )


def _amount(variant: Variant) -> int:
    return variant.price.amount if variant.price else 0


def _stock(skus: Sequence[str]) -> Mapping[str, int] | None:
    """What can be bought of each; None when inventory does not answer: the page can do without."""
    try:
        counts = inventory.available(skus=[StockedSku(sku) for sku in skus])
    except (Unavailable, CallFailed) as error:
        log.warning("stock is not shown", exc_info=error)
        return None
    return {str(sku): count for sku, count in counts.items()}
