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
from modules.pricing.interface import Coupon, CouponRefused, ListPrice, Pricing, Promotion
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
    names = ("listprice", "pricelist", "promotion", "coupon", "redemption")
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
        ({"amount": "12.505"}, "EUR has 2 digits behind the point."),
        ({"amount": "1.5", "currency": "JPY"}, "JPY has no digits"),
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
    again = re.search(r'name="seen" value="([^"]*)"', answer.content.decode())
    assert again
    assert clerk.post(path, {**PRICE, "amount": "10", "seen": again[1]}).status_code == 422
    assert shown() == Money.of("11.00", "EUR")
    assert len(said()) == 1


def test_adding_what_is_there_does_not_overwrite_it(clerk: Client) -> None:
    send(clerk, "listprice/add/", PRICE)
    answer = send(clerk, "listprice/add/", {**PRICE, "amount": "10"})
    assert answer.status_code == 422
    assert "is there already" in text(answer)
    assert shown() == Money.of("12.50", "EUR")


def test_what_a_row_is_known_by_is_not_changed(clerk: Client) -> None:
    send(clerk, "listprice/add/", PRICE)
    path = f"listprice/{models.ListPrice.objects.get().pk}/change/"
    assert send(clerk, path, {**PRICE, "sku": "CUP", "amount": "10"}).status_code == 302
    assert shown() == Money.of("10.00", "EUR")
    assert models.ListPrice.objects.count() == 1


@pytest.mark.together
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


# Many prices --------------------------------------------------------------------------------------

TOGETHER = "/admin/pricing/listprice/together/"


def lines(page: HttpResponse) -> dict[str, str]:
    """What the form of many prices shows, as it would be sent."""
    html = page.content.decode()
    typed = re.search(r'<textarea name="prices"[^>]*>\n?([^<]*)<', html)
    shown = re.search(r'name="shown" value="([^"]*)"', html)
    assert typed
    assert shown
    return {"price_list": "default", "prices": typed[1], "shown": shown[1]}


@pytest.fixture
def two_prices() -> None:
    eleven = [ListPrice(sku=sku, unit=Money.of("11.00", "EUR")) for sku in ("CUP", "MUG")]
    pricing.set_prices(prices=eleven)


def chosen(client: Client) -> dict[str, str]:
    """Choose all prices, and open the form of many."""
    keys = [str(key) for key in models.ListPrice.objects.values_list("pk", flat=True)]
    sent = {"action": "set_together", "_selected_action": keys}
    return lines(client.post("/admin/pricing/listprice/", sent))


@pytest.mark.usefixtures("two_prices")
def test_many_prices_are_set_together(clerk: Client) -> None:
    assert f'href="{TOGETHER}"' in clerk.get("/admin/pricing/listprice/").content.decode()
    form = chosen(clerk)
    assert form["prices"] == "CUP | EUR | 11.00\nMUG | EUR | 11.00"
    form["prices"] = "CUP | EUR | 11.00\nMUG\tEUR\t12.5\n\nNEW | JPY | 500"
    assert clerk.post(TOGETHER, form).status_code == 302
    assert (shown("CUP"), shown()) == (Money.of("11.00", "EUR"), Money.of("12.50", "EUR"))
    assert shown("NEW", "JPY") == Money.of("500", "JPY")
    assert sorted(said()) == ["amount: - → 500", "amount: 11.00 → 12.50"]
    assert {entry.object_repr for entry in LogEntry.objects.all()} == {"MUG in EUR", "NEW in JPY"}


@pytest.mark.usefixtures("two_prices")
def test_prices_are_found_by_currency(clerk: Client) -> None:
    for currency, found in (("EUR", True), ("JPY", False), ("XXX", False)):
        page = text(clerk.get(f"/admin/pricing/listprice/?currency={currency}"))
        assert ("11.00 EUR" in page) is found


@pytest.mark.usefixtures("two_prices")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "required"),
        ("MUG | EUR", "Line 1: write SKU | currency | amount"),
        ("MUG | EUR | 1\nMUG | EUR | 2", "Line 2: MUG is there twice"),
        ("MUG | EUR | 1\nCUP | EUR | -1", "Line 2: -1.00 EUR is no price"),
        ("CUP | EUR | 0", "is no price"),
        ("CUP | EUR | 1.005", "Line 1"),
        ("CUP | JPY | 1.5", "Line 1"),
        ("CUP | EUR | 12,50", "Line 1"),
        ("CUP | EUR | 1e3", "Line 1"),
        ("CUP | EUR | " + "9" * 40, "Line 1"),
        ("CUP | XXX | 1", "is none of EUR, USD, JPY, KWD"),
        ("x" * 65 + " | EUR | 1", "1 to 64 characters"),
        (" | EUR | 1", "1 to 64 characters"),
        ("C\x00P | EUR | 1", "Null characters"),
        ("\n".join(f"S{n} | EUR | 1" for n in range(501)), "set 500 at a time"),
        ("x" * 50_001, "at most 50000 characters"),
    ],
)
def test_many_wrong_prices_are_refused_and_none_is_set(
    clerk: Client, typed: str, told: str
) -> None:
    answer = clerk.post(TOGETHER, {"price_list": "default", "prices": f"{typed}"})
    assert answer.status_code == 422
    assert told in text(answer)
    assert (shown("CUP"), shown()) == (Money.of("11.00", "EUR"), Money.of("11.00", "EUR"))
    assert said() == []


@pytest.mark.usefixtures("two_prices")
def test_a_price_that_somebody_else_set_meanwhile_is_not_overwritten(clerk: Client) -> None:
    form = chosen(clerk)
    pricing.set_prices(prices=[ListPrice(sku="MUG", unit=Money.of("9.00", "EUR"))])
    form["prices"] = form["prices"].replace("11.00", "12.00")
    answer = clerk.post(TOGETHER, form)
    assert answer.status_code == 422
    assert "Changed since you opened this: MUG." in text(answer)
    assert (shown("CUP"), shown()) == (Money.of("11.00", "EUR"), Money.of("9.00", "EUR"))


@pytest.mark.together
@pytest.mark.usefixtures("two_prices")
def test_who_may_not_set_prices_does_not_see_the_form() -> None:
    looker = staff("view_listprice", "change_listprice")
    assert looker.get(TOGETHER).status_code == 403
    form = {"price_list": "default", "prices": "MUG | EUR | 1"}
    assert looker.post(TOGETHER, form).status_code == 403
    keys = [str(key) for key in models.ListPrice.objects.values_list("pk", flat=True)]
    sent = {"action": "set_together", "_selected_action": keys}
    answer = looker.post("/admin/pricing/listprice/", sent)
    assert 'name="prices"' not in answer.content.decode()
    assert shown() == Money.of("11.00", "EUR")


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


def test_coupons_are_ended(clerk: Client) -> None:
    pricing.set_coupons(coupons=[Coupon(code="SPRING", percent=10)])
    sent = {"action": "end", "_selected_action": ["SPRING"]}
    assert clerk.post("/admin/pricing/coupon/", sent).status_code == 302
    with pytest.raises(CouponRefused, match="expired"):
        pricing.coupon(code="SPRING")
    assert said()[0].startswith("ends_at: - → 2")
    clerk.post("/admin/pricing/coupon/", sent)
    assert len(said()) == 1, "it had ended already"
    assert "SPRING" in text(clerk.get("/admin/pricing/coupon/SPRING/change/"))


def test_a_coupon_that_has_not_begun_is_not_ended(clerk: Client) -> None:
    late = datetime(2120, 1, 1, tzinfo=UTC)
    pricing.set_coupons(coupons=[Coupon(code="LATER", percent=10, starts_at=late)])
    sent = {"action": "end", "_selected_action": ["LATER"]}
    answer = clerk.post("/admin/pricing/coupon/", sent, follow=True)
    assert "must end after it starts" in text(answer)
    assert said() == []


@pytest.mark.together
def test_what_a_coupon_was_used_for_is_seen(clerk: Client) -> None:
    pricing.set_coupons(coupons=[Coupon(code=code, percent=10) for code in ("ONE", "TWO")])
    one, two = uuid4(), uuid4()
    pricing.redeem(code="ONE", reference=one)
    pricing.redeem(code="TWO", reference=two)
    assert "?coupon=ONE" in clerk.get("/admin/pricing/coupon/").content.decode()
    assert "Used 1 time" in text(clerk.get("/admin/pricing/coupon/ONE/change/"))
    for query in ("coupon=ONE", "q=one", f"q={one}"):
        page = text(clerk.get(f"/admin/pricing/redemption/?{query}"))
        assert str(one) in page
        assert str(two) not in page
    assert clerk.post(f"/admin/pricing/redemption/{one}/change/", {}).status_code == 403


@pytest.mark.parametrize("page", ["listprice", "pricelist", "promotion", "coupon", "redemption"])
def test_strange_addresses_are_no_fault(clerk: Client, page: str) -> None:
    for query in ("q=%00", "%00=1", "currency=%00", "p=x", "p=99999999999", "e=1", "q=%27%25"):
        assert clerk.get(f"/admin/pricing/{page}/?{query}").status_code in (200, 302)
    sent = {"action": "end", "_selected_action": ["\x00"]}
    assert clerk.post(f"/admin/pricing/{page}/", sent).status_code == 302
