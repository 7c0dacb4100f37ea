"""Who counts as staff at an endpoint of the edge."""

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import RequestFactory

from monolift.gateway.identity import NotSignedIn
from monolift.gateway.staff import NotAllowed, clerk
from monolift.registry.callers import Caller


@pytest.fixture
def request_of_the_chief(rf: RequestFactory) -> HttpRequest:
    """A request beside whose credential the session of a superuser came along."""
    request = rf.post("/")
    request.user = get_user_model()(is_staff=True, is_superuser=True)
    return request


def test_who_shows_no_credential_is_nobody(request_of_the_chief: HttpRequest) -> None:
    with pytest.raises(NotSignedIn):
        clerk(request_of_the_chief, permission="orders.change_order")


def test_a_credential_of_another_gets_none_of_the_rights(request_of_the_chief: HttpRequest) -> None:
    request_of_the_chief.auth = Caller(user_id=uuid4())  # type: ignore[attr-defined]  # ninja's
    with pytest.raises(NotAllowed, match=r"orders\.change_order"):
        clerk(request_of_the_chief, permission="orders.change_order")


def test_their_own_gets_them(request_of_the_chief: HttpRequest) -> None:
    known = Caller(user_id=request_of_the_chief.user.pk)
    request_of_the_chief.auth = known  # type: ignore[attr-defined]  # ninja's
    assert clerk(request_of_the_chief, permission="orders.change_order") is known
