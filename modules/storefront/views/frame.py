"""What the frame around every page shows; a template context processor."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from modules.storefront import compositions as parts
from modules.storefront.requires import Category
from modules.storefront.views.visitor import CURRENCIES, Visitor
from monolift import deadline

_PATIENCE = 0.5
"""Seconds that a page waits for its menu; all of them have one, and none needs it."""


def frame(request: HttpRequest) -> dict[str, Any]:
    """The visitor and the menu of any page in the shop's frame, of other parts of the site too.

    Lazy, so that a page without the frame pays nothing. `here` is where to come back to.
    """
    return {
        "framed": True,
        "visitor": SimpleLazyObject(lambda: Visitor.of(request)),
        "menu": SimpleLazyObject(_menu),
        "currencies": CURRENCIES,
        "here": request.get_full_path() if request.method in ("GET", "HEAD") else request.path,
        "answer": request.method == "POST",
    }


def menu_of(categories: Sequence[Category]) -> Sequence[Category]:
    """The main categories that hold anything. A page that knows them gives `menu` itself."""
    return [one for one in categories if one.parent is None and one.count]


def _menu() -> Sequence[Category]:
    with deadline(seconds=_PATIENCE):
        return menu_of(parts.categories())
