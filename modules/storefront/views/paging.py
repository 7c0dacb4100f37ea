"""Links between the pages of a list, with everything else in the address kept."""

import re

from django.http import HttpRequest

CURSOR = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)
"""What a cursor of any module looks like."""


def page_links(request: HttpRequest, following: str | None) -> dict[str, str]:
    """`first_page`, and `next_page` when there is one."""
    query = request.GET.copy()
    query.pop("after", None)
    first = f"?{query.urlencode()}" if query else request.path
    if following is None:
        return {"first_page": first, "next_page": ""}
    query["after"] = following
    return {"first_page": first, "next_page": f"?{query.urlencode()}"}
