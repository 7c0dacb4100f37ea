"""Prices in the back office: set through the interface, logged, by those who may."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client

from modules.pricing import models
from modules.pricing.interface import Coupon, ListPrice, Pricing, Promotion
from monolift import Money, use
from monolift.kernel import clock

pytestmark = pytest.mark.django_db(databases="__all__")
pricing = use(Pricing)
PRICE = {"sku": "MUG", "price_list": "default", "currency": "EUR", "amount": "12.50"}
WINDOW = {
    "starts_at_0": "2020-01-01",
    "starts_at_1": "00:00",
    "ends_at_0": "2120-01-01",
    "ends_at_1": "00:00",
}


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user(
        email=f"{uuid4()}@example.org", password="long enough 4 that", is_staff=True
    )
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="pricing", codename__in=permissions)
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def clerk() -> Client:
    """Somebody who sets prices."""
    rights = ("view", "add", "change", "delete")
    names = ("listprice", "pricelist", "promotion", "coupon")
    return staff(*(f"{right}_{name}" for right in rights for name in names))


def text(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def send(client: Client, path: str, form: dict[str, Any]) -> Any:
    """Open the form, and send it as it would be sent."""
    url = f"/admin/pricing/{path}"
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(url).content.decode())
    return client.post(url, {**form, "seen": seen[1] if seen else ""})


def shown(sku: str = "MUG", currency: str = "EUR") -> Money:
    return pricing.prices(skus=[sku], currency=currency)[sku].unit


def said() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]


# Prices -------------------------------------------------------------------------------------------


def test_a_price_is_added_and_changed(clerk: Client) -> None:
    assert send(clerk, "listprice/add/", PRICE).status_code == 302
    assert shown() == Money.of("12.50", "EUR")
    row = models.ListPrice.objects.get()
    path = f"listprice/{row.pk}/change/"
    assert send(clerk, path, {**PRICE, "amount": "10"}).status_code == 302
    assert shown() == Money.of("10.00", "EUR")
    assert said() == ["Added", "amount: 12.50 → 10.00"]
    assert "10.00 EUR" in text(clerk.get("/admin/pricing/listprice/?q=MU"))
    assert "amount: 12.50" in text(clerk.get(f"/admin/pricing/listprice/{row.pk}/history/"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"amount": "12.505"}, "EUR has fewer digits behind the point."),
        ({"amount": "1.5", "currency": "JPY"}, "JPY has fewer digits"),
        ({"amount": "-1"}, "greater than or equal to 0"),
        ({"amount": "0"}, "MUG"),
        ({"amount": "1e30"}, "less than or equal"),
        ({"amount": "NaN"}, "Enter a number."),
        ({"currency": "XXX"}, "not one of the available choices"),
        ({"sku": ""}, "required"),
        ({"sku": "a\x00b"}, "Null characters"),
        ({"sku": "x" * 65}, "at most 64"),
        ({"price_list": "nowhere"}, "nowhere"),
    ],
)
def test_a_wrong_price_is_refused_at_the_form(
    clerk: Client, changes: dict[str, str], told: str
) -> None:
    answer = send(clerk, "listprice/add/", {**PRICE, **changes})
    assert answer.status_code == 422
    assert told in text(answer)
    assert not models.ListPrice.objects.exists()
    assert said() == []


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(clerk: Client) -> None:
    send(clerk, "listprice/add/", PRICE)
    path = f"/admin/pricing/listprice/{models.ListPrice.objects.get().pk}/change/"
    seen = re.search(r'name="seen" value="([^"]*)"', clerk.get(path).content.decode())
    assert seen
    pricing.set_prices(prices=[ListPrice(sku="MUG", unit=Money.of("11.00", "EUR"))])
    answer = clerk.post(path, {**PRICE, "amount": "10", "seen": seen[1]})
    assert answer.status_code == 422
    assert "Somebody has changed this" in text(answer)
    assert shown() == Money.of("11.00", "EUR")


def test_who_may_only_look_changes_nothing() -> None:
    pricing.set_prices(prices=[ListPrice(sku="MUG", unit=Money.of("11.00", "EUR"))])
    looker = staff("view_listprice")
    path = f"/admin/pricing/listprice/{models.ListPrice.objects.get().pk}/change/"
    page = looker.get(path)
    assert page.status_code == 200
    assert "disabled" in page.content.decode()
    assert looker.post(path, {**PRICE, "amount": "1"}).status_code == 403
    assert looker.get("/admin/pricing/listprice/add/").status_code == 403
    assert looker.post("/admin/pricing/listprice/add/", PRICE).status_code == 403
    assert staff().get(path).status_code == 403
    assert shown() == Money.of("11.00", "EUR")


@pytest.mark.parametrize("key", ["999", "x", "%00", "x" * 300])
def test_a_row_that_is_not_there_leads_to_the_list(clerk: Client, key: str) -> None:
    answer = clerk.get(f"/admin/pricing/listprice/{key}/change/")
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/pricing/listprice/"


def test_price_lists_are_set(clerk: Client) -> None:
    form = {"name": "summer", "priority": "5", **WINDOW}
    assert send(clerk, "pricelist/add/", form).status_code == 302
    send(clerk, "listprice/add/", PRICE)
    send(clerk, "listprice/add/", {**PRICE, "price_list": "summer", "amount": "9"})
    assert shown() == Money.of("9.00", "EUR")
    wrong = {**form, "name": "never", "ends_at_0": "2019-01-01"}
    assert send(clerk, "pricelist/add/", wrong).status_code == 422


# Promotions and coupons ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off", "price"),
    [({"percent": "10"}, "9.00"), ({"amount": "2.50", "currency": "EUR"}, "7.50")],
)
def test_a_promotion_is_made_and_ended(clerk: Client, off: dict[str, str], price: str) -> None:
    pricing.set_prices(prices=[ListPrice(sku="MUG", unit=Money.of("10.00", "EUR"))])
    assert send(clerk, "promotion/add/", {"sku": "MUG", **off, **WINDOW}).status_code == 302
    assert shown() == Money.of(price, "EUR")
    row = models.Promotion.objects.get()
    sent = {"action": "remove", "_selected_action": [str(row.pk)]}
    assert clerk.post("/admin/pricing/promotion/", sent).status_code == 302
    assert shown() == Money.of("10.00", "EUR")
    assert [entry.action_flag for entry in LogEntry.objects.order_by("id")] == [1, 3]


@pytest.mark.parametrize(
    "off",
    [
        {},
        {"percent": "91"},
        {"percent": "10", "amount": "1", "currency": "EUR"},
        {"amount": "1"},
        {"percent": "10", "ends_at_0": "2019-01-01"},
        {"percent": "10", "ends_at_0": "soon"},
    ],
)
def test_a_wrong_promotion_is_refused_at_the_form(clerk: Client, off: dict[str, str]) -> None:
    answer = send(clerk, "promotion/add/", {"sku": "MUG", **WINDOW, **off})
    assert answer.status_code == 422
    assert not models.Promotion.objects.exists()


def test_only_who_may_delete_ends_promotions() -> None:
    now = clock.now()
    late = datetime(2120, 1, 1, tzinfo=UTC)
    pricing.set_promotions(
        promotions=[Promotion(sku="MUG", percent=10, starts_at=now, ends_at=late)]
    )
    row = models.Promotion.objects.get()
    sent = {"action": "remove", "_selected_action": [str(row.pk)]}
    staff("view_promotion").post("/admin/pricing/promotion/", sent)
    assert models.Promotion.objects.exists()


def test_a_coupon_is_made_and_changed(clerk: Client) -> None:
    form = {"code": "welcome", "percent": "10", "limit": "100"}
    assert send(clerk, "coupon/add/", form).status_code == 302
    assert pricing.coupon(code="WELCOME") == Coupon(code="WELCOME", percent=10, limit=100)
    change = {**form, "minimum": "20", "minimum_currency": "EUR"}
    assert send(clerk, "coupon/WELCOME/change/", change).status_code == 302
    assert pricing.coupon(code="WELCOME").minimum == Money.of("20.00", "EUR")
    assert said()[1] == "minimum: - → 20.00; minimum_currency: - → EUR"


@pytest.mark.parametrize(
    "changes",
    [
        {"percent": ""},
        {"code": ""},
        {"code": "a b"},
        {"limit": "0"},
        {"minimum": "5"},
        {"amount": "5", "currency": "EUR"},
    ],
)
def test_a_wrong_coupon_is_refused_at_the_form(clerk: Client, changes: dict[str, str]) -> None:
    form = {"code": "WELCOME", "percent": "10", **changes}
    assert send(clerk, "coupon/add/", form).status_code == 422
    assert not models.Coupon.objects.exists()
