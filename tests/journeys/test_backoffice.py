"""The back office as a whole: who gets in, and what they find."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from config.backoffice.site import TITLES

pytestmark = pytest.mark.django_db(databases="__all__")
EMAIL = "Ada@example.org"
PASSWORD = "long enough 4 that"


@pytest.fixture
def chief(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Whom `manage.py createsuperuser` has made, signed in."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, email=EMAIL, verbosity=0)
    client = Client()
    form = {"username": EMAIL, "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).status_code == 302
    return client


def test_a_superuser_finds_the_parts_in_order(chief: Client) -> None:
    page = chief.get("/admin/").content.decode()
    assert "Shop back office" in page
    assert '<a href="/">To the shop</a>' in page
    shown = re.findall(r'class="section"[^>]*>\s*([A-Z]\w+)', page)
    assert list(dict.fromkeys(shown)) == list(TITLES.values())


def test_every_page_of_the_index_opens(chief: Client) -> None:
    page = chief.get("/admin/").content.decode()
    links = sorted(set(re.findall(r'href="(/admin/[^"]+/)"', page)) - {"/admin/logout/"})
    assert len(links) > 20
    for link in links:
        assert chief.get(link).status_code == 200, link


def test_no_list_is_looked_through_for_a_nul(chief: Client) -> None:
    for model in admin.site._registry:
        listed = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for query in ("pk=%00", "%00=1"):
            answer = chief.get(f"{listed}?{query}", follow=True)
            assert answer.status_code == 200, (listed, query)
            assert "A NUL character is not allowed here." in answer.content.decode(), listed
        assert chief.get(f"{listed}a%00b/change/").status_code in (302, 404), listed


def test_a_superuser_is_made_once(chief: Client) -> None:
    with pytest.raises(CommandError, match="taken"):
        call_command("createsuperuser", interactive=False, email=EMAIL.lower(), verbosity=0)


def test_staff_find_only_what_they_may_see() -> None:
    user = get_user_model().objects.create_user(email=EMAIL, password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client = Client()
    client.force_login(user)
    page = client.get("/admin/").content.decode()
    assert "/admin/catalog/product/" in page
    assert "/admin/orders/" not in page
    assert "/admin/catalog/product/add/" not in page


def test_customers_are_sent_to_sign_in() -> None:
    user = get_user_model().objects.create_user(email=EMAIL, password=PASSWORD)
    client = Client()
    for _ in range(2):
        assert client.get("/admin/catalog/product/").status_code == 302
        client.force_login(user)
