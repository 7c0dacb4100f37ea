"""Shopping in a real browser, with and without scripts."""

import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from playwright.sync_api import Page, expect

from modules.orders.models import Order
from modules.payments.models import Payment
from modules.pricing.interface import Coupon, Pricing
from monolift import use
from tests.browser.conftest import Open
from tests.shop import (
    ADDRESS,
    DECLINED,
    GOOD,
    assert_books_balance,
    available,
    charges,
    shelve,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases="__all__", transaction=True),
]
type Mail = list[EmailMessage]

CHALLENGED = "4000000000003220"
PASSWORD = "correct horse battery"
ORDER = re.compile(r".*/orders/[0-9a-f-]{36}$")


def fill_in(page: Page, *, number: str = GOOD) -> None:
    """Type an address and a card."""
    for label, value in (
        ("Full name", ADDRESS.name),
        ("Email", ADDRESS.email),
        ("Street and number", ADDRESS.street),
        ("Postcode", ADDRESS.postcode),
        ("City", ADDRESS.city),
    ):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Standard").check()
    fill_in_card(page, number=number)


def fill_in_card(page: Page, *, number: str = GOOD) -> None:
    """Type a card."""
    page.get_by_label("Card number").fill(" ".join(re.findall("....", number)))
    page.get_by_label("Expiry date").fill("12/40")
    page.get_by_label("Security code").fill("123")


def go_to_checkout(page: Page) -> None:
    """From the list to the checkout with one mug."""
    page.get_by_role("link", name="Mug").click()
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="Check out").click()


def pay(page: Page) -> None:
    """Press the button."""
    page.get_by_role("button", name="Pay €").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_list_to_the_paid_order(visit: Open, tmp_path: Path, *, scripts: bool) -> None:
    shelve("MUG", price="12.50")
    page = visit(scripts=scripts)
    page.screenshot(path=tmp_path / "list.png")
    page.get_by_role("link", name="Mug").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mug")
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Add to basket").click()
    expect(page).to_have_url(re.compile("/basket$"))
    page.get_by_label("Quantity of Mug, plain").fill("2")
    page.get_by_role("button", name="Update the quantity of Mug, plain").click()
    expect(page.get_by_label("Basket, 2 articles")).to_be_visible()
    page.screenshot(path=tmp_path / "basket.png")
    page.get_by_role("link", name="Check out").click()
    expect(page.get_by_text("Pay €30.00")).to_be_visible()  # with British tax, as the locale says
    fill_in(page)
    page.screenshot(path=tmp_path / "checkout.png", full_page=True)
    pay(page)
    expect(page).to_have_url(ORDER)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, it is paid")
    expect(page.locator(".totals .sum")).to_contain_text("€30.00")
    page.screenshot(path=tmp_path / "order.png")
    assert charges() == [("captured", 3000)]
    assert available() == 8


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_two_clicks_on_pay_order_once(visit: Open, *, scripts: bool) -> None:
    shelve("MUG")
    page = visit(scripts=scripts)
    go_to_checkout(page)
    fill_in(page)
    page.get_by_role("button", name="Pay €").dblclick()
    expect(page).to_have_url(ORDER)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, it is paid")
    assert Order.objects.count() == 1
    assert charges() == [("captured", 1200)]
    assert available() == 9


def test_another_card_after_a_declined_one(visit: Open) -> None:
    shelve("MUG")
    page = visit()
    go_to_checkout(page)
    fill_in(page, number=DECLINED)
    pay(page)
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("The card was refused: your bank declined it.")
    expect(problem).to_be_focused()
    expect(page.get_by_label("Full name")).to_have_value(ADDRESS.name)
    expect(page.get_by_label("Standard")).to_be_checked()
    for label in ("Card number", "Expiry date", "Security code"):
        expect(page.get_by_label(label)).to_have_value("")
    assert charges() == []
    fill_in_card(page)
    pay(page)
    expect(page).to_have_url(ORDER)
    assert charges() == [("captured", 1200)]


@pytest.mark.parametrize("declined", [False, True], ids=["paid at once", "declined before"])
def test_back_after_paying_shows_the_order(visit: Open, *, declined: bool) -> None:
    shelve("MUG")
    page = visit()
    go_to_checkout(page)
    fill_in(page, number=DECLINED if declined else GOOD)
    pay(page)
    if declined:
        expect(page.get_by_role("alert")).to_be_visible()
        fill_in_card(page)
        pay(page)
    expect(page).to_have_url(ORDER)
    order = page.url
    page.go_back()
    expect(page).to_have_url(order)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, it is paid")


def test_reloading_a_refusal_sends_nothing_again(visit: Open) -> None:
    shelve("MUG")
    page = visit("/products/mug")
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_label("Quantity of Mug, plain").fill("100")
    page.evaluate("document.querySelector('.change').noValidate = true")
    page.get_by_role("button", name="Update the quantity").click()
    expect(page.get_by_role("alert")).to_contain_text("choose from 1 to 99")
    expect(page).to_have_url(re.compile("/basket$"))
    page.reload()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_label("Quantity of Mug, plain")).to_have_value("1")


def test_choosing_a_country_updates_the_total(visit: Open) -> None:
    shelve("MUG")
    page = visit()
    go_to_checkout(page)
    page.get_by_label("City").fill("Wien")
    page.get_by_label("Country").select_option("HU")
    expect(page.get_by_text("Pay €12.70")).to_be_visible()
    expect(page.get_by_label("City")).to_have_value("Wien")


def test_choosing_a_delivery_updates_the_total(visit: Open) -> None:
    shelve("MUG")
    page = visit()
    go_to_checkout(page)
    page.get_by_label("Card number").fill(GOOD)
    page.get_by_label("Standard").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Pay €28.80")).to_be_visible()
    expect(page.get_by_label("Express")).to_be_focused()
    expect(page.get_by_label("Card number")).to_have_value(GOOD)
    page.get_by_label("Country").select_option("DE")
    expect(page.get_by_text("Express: the next day, €9.00")).to_be_visible()
    expect(page.get_by_label("Express")).to_be_checked()


def test_choosing_after_paying_elsewhere_leads_to_the_order(visit: Open) -> None:
    shelve("MUG")
    page = visit()
    go_to_checkout(page)
    fill_in(page)
    other = page.context.new_page()
    other.goto(page.url)
    fill_in(other)
    pay(other)
    expect(other).to_have_url(ORDER)
    page.get_by_label("Country").select_option("DE")
    expect(page).to_have_url(other.url)
    assert charges() == [("captured", 1200)]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("answer", ["Approve the payment", "Refuse"])
def test_the_bank_asks(visit: Open, tmp_path: Path, answer: str, *, scripts: bool) -> None:
    shelve("MUG")
    page = visit(scripts=scripts)
    go_to_checkout(page)
    fill_in(page, number=CHALLENGED)
    pay(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you who pays?")
    page.screenshot(path=tmp_path / "bank.png")
    page.get_by_role("button", name=answer).click()
    if answer == "Refuse":
        expect(page.get_by_role("alert")).to_contain_text("Your bank did not confirm")
        expect(page.get_by_label("Full name")).to_have_value(ADDRESS.name)
        assert charges() == []
        fill_in_card(page)
        pay(page)
    expect(page).to_have_url(ORDER)
    assert charges() == [("captured", 1200)]


def test_a_coupon_counts(visit: Open) -> None:
    shelve("MUG")
    use(Pricing).set_coupons(coupons=[Coupon(code="TENTH", percent=10)])
    page = visit("/products/mug")
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_label("Coupon").fill("tenth")
    page.get_by_role("button", name="Apply the coupon").click()
    expect(page.get_by_text("Coupon (TENTH)")).to_be_visible()
    page.get_by_role("link", name="Check out").click()
    expect(page.get_by_text("Pay €10.80")).to_be_visible()
    fill_in(page)
    pay(page)
    expect(page).to_have_url(ORDER)
    assert charges() == [("captured", 1080)]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_customer_buys_and_cancels(visit: Open, mailoutbox: Mail, *, scripts: bool) -> None:
    shelve("MUG")
    page = visit("/products/mug", scripts=scripts)
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Email").fill(ADDRESS.email)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    (link,) = re.findall(r"https?://\S+", str(mailoutbox[-1].body))
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("The new password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your orders")
    page.goto("/basket")
    page.get_by_role("link", name="Check out").click()
    expect(page.get_by_label("Email")).to_have_value(ADDRESS.email)
    fill_in(page)
    page.get_by_label("Keep this address in my account").check()
    pay(page)
    expect(page).to_have_url(ORDER)
    page.get_by_text("Cancel the order").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The order is cancelled")
    assert available() == 10
    page.get_by_role("link", name="Account").first.click()
    expect(page.get_by_text("Cancelled")).to_be_visible()
    page.get_by_role("link", name="Addresses").click()
    expect(page.get_by_text(ADDRESS.street).first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_part_is_given_back(visit: Open) -> None:
    shelve("MUG")
    customer = visit()
    go_to_checkout(customer)
    fill_in(customer)
    pay(customer)
    expect(customer).to_have_url(ORDER)
    order = customer.url.rpartition("/")[2]
    get_user_model().objects.create_superuser("chief@example.org", PASSWORD)
    office = visit(f"/admin/orders/order/{order}/change/")
    office.get_by_label("Email").fill("chief@example.org")
    office.get_by_label("Password").fill(PASSWORD)
    office.get_by_role("button", name="Log in").click()
    back = office.locator("form", has=office.get_by_role("heading", name="Refund", exact=True))
    back.get_by_label("Amount").fill("50")
    back.get_by_label("Reason").fill("a scratch")
    back.get_by_role("button", name="Refund").click()
    expect(office.get_by_text("not possible: at most 12.00 EUR")).to_be_visible()
    back.get_by_label("Amount").fill("2.50")
    back.get_by_label("Reason").fill("a scratch")
    back.get_by_role("button", name="Refund").click()
    expect(office.get_by_text("Refunded 2.50 EUR: a scratch.")).to_be_visible()
    expect(back.get_by_text("At most 9.50 EUR is left.")).to_be_visible()
    customer.reload()
    expect(customer.get_by_text("€2.50 of it went back to your card.")).to_be_visible()
    [payment] = Payment.objects.all()
    assert payment.refunded == 250
    assert_books_balance()
    back.get_by_label("Amount").fill("9.50")
    back.get_by_label("Reason").fill("the rest")
    back.get_by_role("button", name="Refund").click()
    expect(office.get_by_text("Refunded 9.50 EUR: the rest.")).to_be_visible()
    expect(back).to_have_count(0)
    customer.reload()
    expect(customer.get_by_text("€12.00 went back to your card.")).to_be_visible()
    payment.refresh_from_db()
    assert payment.refunded == 1200
    assert_books_balance()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_token_is_made_and_ended(visit: Open, *, scripts: bool) -> None:
    get_user_model().objects.create_user(ADDRESS.email, PASSWORD)
    page = visit("/account", scripts=scripts)
    page.get_by_label("Email").fill(ADDRESS.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("What it is for").fill("the till")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("it is not shown again")).to_be_visible()
    secret = page.locator("section code").inner_text()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert page.request.get("/api/v1/profile", headers=bearer).ok
    page.get_by_role("button", name="End the till").click()
    expect(page.get_by_text("Tokens that work")).to_be_hidden()
    assert page.request.get("/api/v1/profile", headers=bearer).status == 401


def test_two_buyers_want_the_last_one(visit: Open) -> None:
    shelve("MUG", quantity=1)
    buyers = [visit(), visit()]
    for page in buyers:
        go_to_checkout(page)
        fill_in(page)
    for page in buyers:
        pay(page)
    expect(buyers[0]).to_have_url(ORDER)
    expect(buyers[1].get_by_role("alert")).to_contain_text("has just sold out")
    assert charges() == [("captured", 1200)]
    assert available() == 0


def test_an_order_follows_its_parcel_by_itself(visit: Open) -> None:
    shelve("MUG")
    page = visit()
    go_to_checkout(page)
    fill_in(page)
    pay(page)
    expect(page).to_have_url(ORDER)
    page.get_by_role("link", name="Invoice").focus()
    page.wait_for_load_state()  # by then htmx has read the page
    with page.expect_response(lambda response: "seen=" in response.url) as answer:
        page.evaluate("htmx.trigger('#order', 'look')")
    assert answer.value.status == 204
    expect(page.get_by_role("link", name="Invoice")).to_be_focused()
    Order.objects.update(state="shipped", tracking="SB123")
    page.evaluate("htmx.trigger('#order', 'look')")
    expect(page.get_by_role("heading", level=1)).to_have_text("It is on its way")
    expect(page.locator("#notice")).to_have_text("It is on its way")
    expect(page.get_by_text("SB123")).to_be_visible()


def test_enter_in_a_field_pays(visit: Open) -> None:
    shelve("MUG")
    page = visit(scripts=False)
    go_to_checkout(page)
    fill_in(page)
    page.get_by_label("Full name").press("Enter")
    expect(page).to_have_url(ORDER)


def test_the_currency_is_chosen_with_the_keyboard(visit: Open) -> None:
    shelve("MUG", price="12.50")
    page = visit(scripts=False)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.locator("details.currency summary").focus()
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="KWD")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("KWD 1.250")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_screen(
    visit: Open, tmp_path: Path, width: int, scheme: str
) -> None:
    shelve("WALL-CLOCK", price="12345.67")  # one that the sample has a picture of
    page = visit(width=width, scheme=scheme)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))

    def look(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        excess = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert excess <= 0, (name, excess)

    look("list")
    page.get_by_role("link", name="Wall-Clock").click()
    look("product")
    page.get_by_label("Quantity").fill("9")
    page.get_by_role("button", name="Add to basket").click()
    look("basket")
    page.get_by_role("link", name="Check out").click()
    look("checkout")
    fill_in(page)
    pay(page)
    expect(page).to_have_url(ORDER)
    look("order")
    page.goto("/basket")
    look("empty basket")
    assert messages == [], "nothing is blocked, missing or broken"
    page.goto("/none")
    look("missing")
