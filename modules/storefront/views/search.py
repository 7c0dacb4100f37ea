"""Finding products by their words, and suggestions while somebody types."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from modules.storefront import compositions as parts
from modules.storefront.requires import InvalidSearchCursor, SuggestionKind
from modules.storefront.views.frame import menu_of
from modules.storefront.views.listing import PAGE_SIZE, no_such_page
from modules.storefront.views.narrowing import groups_of, options_of
from modules.storefront.views.page import answers, page
from modules.storefront.views.paging import CURSOR, page_links
from modules.storefront.views.tiles import (
    Tile,
    beside,
    cards_beside,
    stock_of,
    tile_of_card,
    tiles_of,
)
from modules.storefront.views.visitor import Visitor

LONGEST = 100
"""Of a search text; what is beyond is cut off."""

CATEGORIES = 8
"""How many are offered to narrow down to: those with the most results."""

SUGGESTIONS = 8
INSTEAD = 4


@answers("GET")
def show(request: HttpRequest) -> HttpResponse:
    """What was found, the best first."""
    visitor = Visitor.of(request)
    text = _text(request)
    if not text:
        menu = menu_of(parts.categories())
        context: dict[str, Any] = {"menu": menu}
        return page(request, "search_empty.html", context, visitor=visitor, personal=False)
    after = request.GET.get("after") or None
    category = request.GET.get("category", "")[:100]
    options = options_of(request)
    try:
        if after is not None and not CURSOR.fullmatch(after):
            raise InvalidSearchCursor(after=after[:100])
        found = parts.found(
            text=text,
            currency=visitor.currency,
            category=category,
            options=options,
            limit=PAGE_SIZE,
            after=after,
        )
    except InvalidSearchCursor:
        return no_such_page(request)
    categories_found = next((one for one in found.facets if one.name == "category"), None)
    currency = visitor.currency
    context = {
        "searched": text,
        "tiles": tiles_of(found.slugs, currency=currency),
        "instead": () if found.slugs else _instead(currency),
        "next": found.next,
        "first": after is None,
        **page_links(request, found.next),
        "total": found.total,
        "more": found.more,
        "corrected": found.corrected,
        "groups": groups_of(found.facets, options),
        "categories": categories_found.values[:CATEGORIES] if categories_found else (),
        "category": category,
        "narrowed": bool(options or category),
        "path": request.path,
    }
    return page(request, "search.html", context, visitor=visitor, personal=False)


@answers("GET")
def suggest(request: HttpRequest) -> HttpResponse:
    """A list for below the search field; empty when there is nothing to suggest."""
    text = _text(request)
    found = parts.suggestions(text=text, limit=SUGGESTIONS) if text else ()
    suggestions = [
        {
            "text": one.text,
            "category": one.kind is SuggestionKind.CATEGORY,
            "path": reverse(
                "storefront:category"
                if one.kind is SuggestionKind.CATEGORY
                else "storefront:product",
                kwargs={"slug": one.slug},
            ),
        }
        for one in found
    ]
    response = render(request, "storefront/suggestions.html", {"suggestions": suggestions})
    response["Cache-Control"] = "private, max-age=60"
    return response


def _instead(currency: str) -> Sequence[Tile]:
    """What is bought most, for who has found nothing."""
    skus = parts.bought_together(skus=(), limit=beside(INSTEAD))
    cards = cards_beside(skus, currency=currency, limit=INSTEAD)
    stock = stock_of([sku for card in cards for sku in card.skus])
    return [tile_of_card(card, stock) for card in cards]


def _text(request: HttpRequest) -> str:
    """What was typed, without characters that nobody types."""
    typed = request.GET.get("q", "")[:LONGEST]
    return " ".join("".join(one if one.isprintable() else " " for one in typed).split())
