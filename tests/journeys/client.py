"""A customer's HTTP client: JSON in, JSON out."""

import json
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.test import Client

from config.identity.models import User
from tests.shop import ADDRESS, GOOD

PASSWORD = "correct horse battery"
ADDRESS_BODY = {name: getattr(ADDRESS, name) for name in ADDRESS.__struct_fields__}


class Customer:
    """Speaks to the REST API as a browser or an app would, without cookies."""

    def __init__(self) -> None:
        self.http = Client(raise_request_exception=False)
        self.basket: UUID = uuid4()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> HttpResponse:
        """Send a request; a body that is not bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        return self.http.generic(
            method, f"/api/v1{path}", data, content_type=content_type, headers=headers or {}
        )

    def get(self, path: str) -> Any:
        """What a GET answers, which must be 200."""
        response = self.send("GET", path)
        assert response.status_code == 200, response.content
        return response.json()

    def token(self, number: str = GOOD) -> str:
        """A token of a card."""
        card = {"number": number, "expiry": "12/40", "cvc": "123"}
        response = self.send("POST", "/payments/tokens", card)
        assert response.status_code == 201, response.content
        return str(response.json()["token"])

    def add(self, sku: str = "MUG", quantity: int = 1, currency: str = "EUR") -> HttpResponse:
        """Put something into the basket."""
        line = {"sku": sku, "quantity": quantity, "currency": currency}
        return self.send("POST", f"/baskets/{self.basket}/lines", line)

    def give_address(self) -> HttpResponse:
        """Say where to deliver to."""
        return self.send("PUT", f"/baskets/{self.basket}/address", ADDRESS_BODY)

    def choose_delivery(self) -> HttpResponse:
        """Choose how to deliver."""
        return self.send("PUT", f"/baskets/{self.basket}/delivery", {"method": "express"})

    def total(self) -> dict[str, Any]:
        """What the basket costs."""
        total: dict[str, Any] = self.get(f"/baskets/{self.basket}")["total"]
        return total

    def order(self, *, total: Any, token: str, key: str | None = None) -> HttpResponse:
        """Order and pay."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"expected_total": total, "card_token": token}
        return self.send("POST", f"/baskets/{self.basket}/order", body, headers=headers)


class SignedIn(Customer):
    """A customer whose program has a token."""

    def __init__(
        self, email: str = "ada@example.org", *, is_staff: bool = False, read_only: bool = False
    ) -> None:
        super().__init__()
        self.user = User.objects.create_user(email, PASSWORD, is_staff=is_staff)
        self._asked = {"email": email, "password": PASSWORD, "read_only": read_only}
        self.sign_in_anew()

    def sign_in_anew(self) -> None:
        """Take another token from now on."""
        self.bearer: dict[str, str] = {}
        made = self.send("POST", "/tokens", self._asked)
        self.bearer = {"Authorization": f"Bearer {made.json()['token']}"}

    def send(self, *args: Any, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """Send a request with the token."""
        return super().send(*args, headers={**self.bearer, **(headers or {})}, **options)


def bought(customer: Customer, *, quantity: int = 1) -> dict[str, Any]:
    """A paid order."""
    assert customer.add(quantity=quantity).status_code == 204
    assert customer.give_address().status_code == 204
    answer = customer.order(total=customer.total(), token=customer.token())
    assert answer.status_code == 201, answer.content
    order: dict[str, Any] = answer.json()
    customer.basket = uuid4()
    return order
