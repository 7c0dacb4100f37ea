"""A product, its variants, and putting one into the basket."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront import compositions as parts
from modules.storefront.forms import AddForm
from modules.storefront.requires import (
    BasketClosed,
    BasketId,
    Category,
    Image,
    Option,
    Product,
    ProductNotFound,
    StockedSku,
    UnknownSku,
    Variant,
    orders,
)
from modules.storefront.views.frame import menu_of
from modules.storefront.views.page import answers, page, see_other
from modules.storefront.views.tiles import (
    FEW,
    Stock,
    beside,
    cards_beside,
    counted,
    tile_of_card,
)
from modules.storefront.views.visitor import Visitor, new_basket_id
from monolift import DomainError, together
from monolift.kernel import Money

TOGETHER = 4

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A value of an option: where choosing it leads, and whether that can be bought."""

    value: str
    sku: str
    chosen: bool
    buyable: bool
    price: Money | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Chooser:
    """An option with its values. `priced` when the values differ in price."""

    id: str
    name: str
    choices: Sequence[Choice]
    priced: bool = False


@answers("GET")
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """A product, with the variant that the address chooses or the first that can be bought."""
    visitor = Visitor.of(request)
    picture = request.GET.get("picture", "")
    context = _about(slug, visitor, sku=request.GET.get("sku", ""), picture=picture)
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
    return visitor.remembered(request, see_other("storefront:basket"))


def _put(visitor: Visitor, *, sku: str, quantity: int) -> Visitor:
    """The visitor with the basket that has it now: a new one when the old one was ordered."""

    def put(basket_id: BasketId) -> Visitor:
        orders.add_to_basket(
            basket_id=basket_id, sku=sku, quantity=quantity, currency=visitor.currency
        )
        return replace(visitor, basket_id=basket_id)

    try:
        return put(visitor.basket_id or _new_basket(visitor))
    except BasketClosed:
        return put(_new_basket(visitor))


def _new_basket(visitor: Visitor) -> BasketId:
    """A basket; a customer's own, if one is signed in."""
    basket_id = new_basket_id()
    if visitor.customer_id is None:
        return basket_id
    return orders.claim_basket(basket_id=basket_id, customer_id=visitor.customer_id)


def _refused(
    request: HttpRequest, slug: str, visitor: Visitor, status: int, problem: str
) -> HttpResponse:
    context = {
        **_about(slug, visitor, sku=request.POST.get("sku", "")),
        "problem": problem,
        "quantity": request.POST.get("quantity", ""),
    }
    place = reverse("storefront:product", kwargs={"slug": slug})
    return page(request, "product.html", context, visitor=visitor, status=status, place=place)


def _about(slug: str, visitor: Visitor, *, sku: str, picture: str = "") -> dict[str, Any]:
    if not _SLUG.fullmatch(slug):
        raise ProductNotFound(slug=slug[:100])
    with together() as ask:
        asked = ask(parts.product, slug=slug, currency=visitor.currency)
        asked_categories = ask(parts.categories)
    product, categories = asked.answer, asked_categories.answer
    skus = [one.sku for one in product.variants]
    with together() as ask:
        asked_stock = ask(parts.stock, skus=[StockedSku(sku) for sku in skus])
        bought = ask(parts.bought_together, skus=skus, limit=beside(TOGETHER))
    stock = counted(asked_stock.answer)
    chosen = _chosen(product.variants, stock, sku)
    images = _images(product, chosen)
    others = cards_beside(
        bought.answer, currency=visitor.currency, limit=TOGETHER, without={product.slug}
    )
    number = int(picture) if picture.isascii() and picture.isdigit() and len(picture) < 3 else 0
    trail = _trail(categories, product.category)
    return {
        "product": product,
        "paragraphs": [one for one in product.description.split("\n\n") if one.strip()],
        "variant": chosen,
        "name": chosen.name if chosen and len(product.variants) > 1 else "",
        "available": None if stock is None or chosen is None else stock.get(chosen.sku, 0),
        "few": FEW,
        "buyable": chosen is not None and _buyable(chosen, stock),
        "choosers": _choosers(product, chosen, stock),
        "images": images,
        "image": images[number if number < len(images) else 0] if images else None,
        "trail": trail,
        "menu": menu_of(categories),
        "current": trail[0].slug if trail else None,
        # Their stock would be another call, for what most visitors do not look at.
        "together": [tile_of_card(one, None) for one in others],
        "quantity": "1",
    }


def _chosen(variants: Sequence[Variant], stock: Stock, sku: str) -> Variant | None:
    """The variant of that SKU, else the first that can be bought, else the first."""
    asked = next((one for one in variants if one.sku == sku), None)
    buyable = next((one for one in variants if _buyable(one, stock)), None)
    return asked or buyable or next(iter(variants), None)


def _buyable(variant: Variant, stock: Stock) -> bool:
    return variant.price is not None and (stock is None or stock.get(variant.sku, 0) > 0)


def _choosers(product: Product, chosen: Variant | None, stock: Stock) -> Sequence[Chooser]:
    """What there is to choose. Without options the variants' names are the choice."""
    variants = product.variants
    if chosen is None or len(variants) < 2:
        return []
    options = product.options
    if not options or any(len(one.options) != len(options) for one in variants):
        return [_of_variants(variants, chosen, stock)]
    return [
        _of_option(number, option, variants, chosen, stock)
        for number, option in enumerate(options)
        if len(option.values) > 1
    ]


def _of_variants(variants: Sequence[Variant], chosen: Variant, stock: Stock) -> Chooser:
    choices = [
        Choice(
            value=one.name,
            sku=one.sku,
            chosen=one.sku == chosen.sku,
            buyable=_buyable(one, stock),
            price=one.price,
        )
        for one in variants
    ]
    differ = len({one.price for one in choices if one.price is not None}) > 1
    return Chooser(id="choice-0", name="Variant", choices=choices, priced=differ)


def _of_option(
    number: int, option: Option, variants: Sequence[Variant], chosen: Variant, stock: Stock
) -> Chooser:
    """Each value leads to the variant that has it and is otherwise most like the chosen one."""
    choices = []
    for value in option.values:
        having = [one for one in variants if one.options[number] == value]
        if not having:
            continue

        def likeness(one: Variant) -> tuple[int, bool]:
            pairs = zip(one.options, chosen.options, strict=True)
            return sum(mine == theirs for mine, theirs in pairs), _buyable(one, stock)

        best = max(having, key=likeness)
        choices.append(
            Choice(
                value=value,
                sku=best.sku,
                chosen=chosen.options[number] == value,
                buyable=_buyable(best, stock),
            )
        )
    return Chooser(id=f"choice-{number}", name=option.name, choices=choices)


def _images(product: Product, chosen: Variant | None) -> Sequence[Image]:
    """The product's pictures, that of the chosen variant first."""
    images = list(product.images)
    if not images and product.image:
        images = [Image(path=product.image)]
    if chosen and chosen.image:
        own = next((one for one in images if one.path == chosen.image), None)
        images = [own or Image(path=chosen.image), *(one for one in images if one is not own)]
    return images


def _trail(categories: Sequence[Category], slug: str) -> Sequence[Category]:
    """The categories that lead here, from the main one down."""
    found = {one.slug: one for one in categories}
    own = found.get(slug)
    above = found.get(own.parent) if own and own.parent else None
    return [one for one in (above, own) if one]
