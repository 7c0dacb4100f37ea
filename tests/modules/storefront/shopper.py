"""A shopper with a browser that runs no scripts: follows links and sends forms."""

import html
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.shop import ADDRESS, GOOD

TYPED = {name: getattr(ADDRESS, name) for name in ADDRESS.__struct_fields__} | {
    "delivery": "standard",
    "number": GOOD,
    "expiry": "12/40",
    "cvc": "123",
}
_INLINE = re.compile(r"</?(?:a|b|code|s|small|span|strong)\b[^>]*>")
_TAG = re.compile(r"<[^>]+>")
_TOTAL = re.compile(r'name="total" value="([^"]*)"')


def text(response: HttpResponse) -> str:
    """What a page says, without its tags."""
    page = response.content.decode()
    body = page[page.index("<main") : page.index("</main>")]
    return " ".join(html.unescape(_TAG.sub(" ", _INLINE.sub("", body))).split())


class Shopper:
    """Holds the cookies."""

    def __init__(self) -> None:
        self.http = Client(raise_request_exception=False)

    def get(self, path: str, **options: Any) -> HttpResponse:
        """Open a page."""
        return self.http.get(path, **options)

    def post(self, path: str, **fields: Any) -> HttpResponse:
        """Send a form."""
        return self.http.post(path, fields)

    def add(self, sku: str = "MUG", quantity: Any = 1) -> HttpResponse:
        """Put something into the basket from its page."""
        return self.post(f"/products/{sku.lower()}/add", sku=sku, quantity=quantity)

    def total(self, country: str = ADDRESS.country, delivery: str = "standard") -> str:
        """The total that the checkout shows, as its form sends it back."""
        response = self.post("/checkout", country=country, delivery=delivery, recalculate="1")
        found = _TOTAL.search(response.content.decode())
        assert found, text(response)
        return found[1]

    def pay(self, total: str | None = None, **changes: Any) -> HttpResponse:
        """Fill in the checkout and pay."""
        total = self.total() if total is None else total
        return self.post("/checkout", **(TYPED | {"total": total} | changes))

    def order(self, response: HttpResponse) -> str:
        """What the page of the order says to which a response leads."""
        assert response.status_code == 303, text(response)
        assert response["Location"].startswith("/orders/")
        return text(self.get(response["Location"]))
