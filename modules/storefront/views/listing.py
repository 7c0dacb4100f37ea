"""Lists of products: all of them, or those of a category, narrowed by options."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from modules.storefront import compositions as parts
from modules.storefront.requires import CategoryNotFound, InvalidCursor, InvalidSearchCursor
from modules.storefront.views.frame import menu_of
from modules.storefront.views.narrowing import Options, groups_of, options_of
from modules.storefront.views.page import answers, error_page, page
from modules.storefront.views.paging import CURSOR, page_links
from modules.storefront.views.tiles import tiles, tiles_of
from modules.storefront.views.visitor import Visitor
from monolift import together

PAGE_SIZE = 12

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@answers("GET")
def products(request: HttpRequest) -> HttpResponse:
    """All products by title."""
    return _listing(request, slug=None)


@answers("GET")
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """The products of a category, those of its subcategories included."""
    if not _SLUG.fullmatch(slug):
        raise CategoryNotFound(slug=slug[:100])
    return _listing(request, slug=slug)


def no_such_page(request: HttpRequest, *, back: str = "") -> HttpResponse:
    """422: the cursor is not one that this list gave out."""
    return error_page(
        request,
        status=InvalidCursor.status,
        sentence="The list has no such page. Start again with the first one.",
        back=back,
        back_text="First page" if back else "",
    )


def _listing(request: HttpRequest, *, slug: str | None) -> HttpResponse:
    visitor = Visitor.of(request)
    categories = parts.categories()
    here = next((one for one in categories if one.slug == slug), None)
    if slug and categories and here is None:
        raise CategoryNotFound(slug=slug)
    after = request.GET.get("after") or None
    try:
        if after is not None and not CURSOR.fullmatch(after):
            raise InvalidCursor(after=after[:100])
        found = _found(visitor, slug, options_of(request), after)
    except (InvalidCursor, InvalidSearchCursor):
        return no_such_page(request, back=request.path)
    above = here.parent if here else None
    context = {
        "title": here.title if here else "All products" if slug is None else "Products",
        "menu": menu_of(categories),
        "current": above or slug,
        "category": here,
        "parent": next((one for one in categories if one.slug == above), None),
        "below": [one for one in categories if slug and one.parent == slug and one.count],
        "first": after is None,
        **page_links(request, found["next"]),
        "path": reverse("storefront:category", kwargs={"slug": slug}) if slug else request.path,
        **found,
    }
    return page(request, "listing.html", context, visitor=visitor, personal=False)


def _found(
    visitor: Visitor, slug: str | None, options: Options, after: str | None
) -> dict[str, Any]:
    """What to list. The catalogue is the truth of what there is; search knows how to narrow it."""
    currency = visitor.currency
    if options:
        found = parts.narrowed(
            text="",
            currency=currency,
            category=slug or "",
            options=options,
            limit=PAGE_SIZE,
            after=after,
        )
        if found is not None:
            return {
                "tiles": tiles_of(found.slugs, currency=currency),
                "next": found.next,
                "total": found.total,
                "groups": groups_of(found.facets, options),
                "narrowed": True,
            }
        after = None
    with together() as ask:
        asked = ask(parts.products, currency=currency, limit=PAGE_SIZE, after=after, category=slug)
        narrowed = ask(parts.narrowed, text="", currency=currency, category=slug or "", limit=1)
    listed, found = asked.answer, narrowed.answer
    return {
        "tiles": tiles(listed.products),
        "next": listed.next,
        "groups": groups_of(found.facets if found else (), {}),
        "narrowed": False,
        "not_narrowed": bool(options),
    }
