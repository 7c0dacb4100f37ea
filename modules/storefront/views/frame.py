"""What the frame around every page shows; a template context processor."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from modules.storefront.views.visitor import CURRENCIES, Visitor


def frame(request: HttpRequest) -> dict[str, Any]:
    """The visitor of any page that has the shop's frame, those of other parts of the site too.

    Lazy, so that a page without the frame pays nothing. `here` is where to come back to.
    """
    return {
        "framed": True,
        "visitor": SimpleLazyObject(lambda: Visitor.of(request)),
        "currencies": CURRENCIES,
        "here": request.get_full_path() if request.method in ("GET", "HEAD") else request.path,
        "answer": request.method == "POST",
    }
