"""The back office where a module is elsewhere: its pages are off, and say where they are."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from config.identity.models import User
from monolift.registry.places import Deployable, Place
from monolift.registry.topology import install, reset, topology

pytestmark = pytest.mark.django_db(databases="__all__")
PAGES = (
    "/admin/inventory/",
    "/admin/inventory/stock/",
    "/admin/inventory/stock/1/change/",
    "/admin/inventory/stock/add/",
    "/admin/inventory/stock/whatever/else/",
)
THERE = "http://warehouse:8000/admin/inventory/"


@pytest.fixture(autouse=True)
def _split() -> Iterator[None]:
    """Inventory is in the warehouse."""
    known = topology()
    install(
        replace(
            known,
            epoch=known.epoch + 1,
            places={**known.places, "inventory": Place(deployable="warehouse", route="http")},
            deployables={
                "shop": Deployable(),
                "warehouse": Deployable(url="http://warehouse:8000"),
            },
        )
    )
    yield
    reset()


def signed_in(*, superuser: bool = True, may: str = "") -> Client:
    user = User.objects.create_user(email="ada@example.org", password="long enough 4 that")
    user.is_staff, user.is_superuser = True, superuser
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename=may))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_module_elsewhere_says_where_it_is(page: str) -> None:
    answer = signed_in().get(page)
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "<strong>Stock</strong> runs in the deployable <code>warehouse</code>" in text
    assert f'<a href="{THERE}">' in text
    assert "createsuperuser" in text


def test_the_index_names_it_and_shows_the_rest() -> None:
    client = signed_in()
    text = client.get("/admin/").content.decode()
    assert f'<a href="{THERE}">' in text
    assert 'href="/admin/inventory/' not in text
    assert client.get("/admin/catalog/product/").status_code == 200
    reset()
    assert "other deployables" not in client.get("/admin/").content.decode()
    assert client.get("/admin/inventory/stock/").status_code == 200


def test_who_may_not_see_it_is_told_nothing() -> None:
    client = signed_in(superuser=False, may="view_product")
    assert "warehouse" not in client.get("/admin/").content.decode()
    for page in PAGES:
        answer = client.get(page)
        assert answer.status_code in (403, 404)
        assert b"warehouse" not in answer.content
        assert Client().get(page).status_code in (302, 404)
