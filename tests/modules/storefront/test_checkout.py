"""The checkout and the order: what is shown is what is charged, and only once."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse

from modules.catalog.interface import Catalog
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.orders.interface import CheckoutFailed, Orders
from modules.payments.interface import Payments
from monolift import use
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.doubles import failing, instead, silent, slow
from tests.modules.storefront.shopper import TYPED, Shopper, text
from tests.shop import ANSWER_LOST, DECLINED, NO_FUNDS, available, charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def basket(shopper: Shopper) -> None:
    """One mug of €10.00 in the basket; with British tax it costs €12.00."""
    shelve("MUG")
    assert shopper.add().status_code == 303


def assert_typed_is_kept(response: HttpResponse) -> None:
    """Everything typed is in the form again, but for the card."""
    page = response.content.decode()
    for name in ("name", "email", "street", "postcode", "city"):
        escaped = str(TYPED[name]).replace("'", "&#x27;")
        assert f'value="{escaped}"' in page, name
    assert '<option value="GB" selected>' in page
    assert re.search(r'value="standard"[^>]*checked', page)
    for secret in ("4242424242424242", str(TYPED["number"]), "12/40", "123"):
        assert f'value="{secret}"' not in page


def test_a_purchase_without_scripts(shopper: Shopper, scenario: Scenario) -> None:
    assert shopper.total() == "1200 EUR"
    paid = shopper.pay()
    shown = shopper.order(paid)
    assert "Thank you, it is paid" in shown
    assert (
        "Mug, plain 1 €12.00 Goods €10.00 Delivery free Tax (United Kingdom) €2.00 Total €12.00"
        in shown
    )
    assert "Ada Lovelace 12 St James's Square SW1Y 4JH London United Kingdom" in shown
    assert charges() == [("captured", 1200)]
    assert available() == 9
    assert 'aria-label="Basket"' in shopper.get("/").content.decode()
    scenario.run_until_idle()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_checkout_after_paying_is_the_order(shopper: Shopper, method: str) -> None:
    total = shopper.total()
    first = shopper.pay(total)
    again = shopper.pay(total) if method == "POST" else shopper.get("/checkout")
    assert (again.status_code, again["Location"]) == (303, first["Location"])
    assert charges() == [("captured", 1200)]
    changed = shopper.post("/basket/change", sku="MUG", quantity=3)
    assert changed["Location"] == first["Location"]


def test_recalculating_what_is_no_longer_there_opens_the_whole_page(shopper: Shopper) -> None:
    form = {"country": "GB", "recalculate": "1"}
    parts = {"HX-Request": "true"}
    assert shopper.http.post("/checkout", form, headers=parts).status_code == 200
    shopper.post("/basket/change", sku="MUG", remove=1)
    for _ in range(2):
        answer = shopper.http.post("/checkout", form, headers=parts)
        assert (answer.status_code, answer["HX-Redirect"]) == (204, "/checkout")
        shopper.add()
        shopper.pay()


def test_nothing_personal_is_kept_by_a_cache(shopper: Shopper) -> None:
    paths = ["/basket", "/checkout", shopper.pay()["Location"]]
    for path in paths:
        assert shopper.get(path)["Cache-Control"] == "private, no-store"


def test_the_country_decides_the_tax(shopper: Shopper) -> None:
    shown = text(shopper.get("/checkout"))
    assert "Total before tax €10.00" in shown
    assert "Pay €10.00 plus tax" in shown
    response = shopper.post("/checkout", **(TYPED | {"country": "GB", "recalculate": "1"}))
    assert response.status_code == 200
    assert "Tax (United Kingdom) €2.00 Total €12.00 Pay €12.00" in text(response)
    assert_typed_is_kept(response)
    assert shopper.total("US") == "1000 EUR"


def test_the_browsers_country_is_a_first_guess(shopper: Shopper) -> None:
    response = shopper.get("/checkout", headers={"Accept-Language": "de-AT,de;q=0.9"})
    assert "Tax (Austria) €2.00" in text(response)
    response = shopper.get("/checkout", headers={"Accept-Language": "xx-ZZ"})
    assert "Total before tax" in text(response)


def test_the_address_is_known_the_next_time(shopper: Shopper) -> None:
    shopper.pay(number=DECLINED)
    assert_typed_is_kept(shopper.get("/checkout"))


@pytest.mark.parametrize("shown", ["1000 EUR", "0 EUR", "1200 USD", "abc", "", "9" * 400, "1 XXX"])
def test_another_total_than_shown_is_not_charged(shopper: Shopper, shown: str) -> None:
    response = shopper.pay(shown)
    assert response.status_code == 409
    assert "The total for United Kingdom is now €12.00" in text(response)
    assert "Nothing was charged." in text(response)
    assert_typed_is_kept(response)
    assert charges() == []
    assert shopper.order(shopper.pay(shopper.total()))


def test_a_price_that_rose_is_shown_before_it_is_paid(shopper: Shopper) -> None:
    total = shopper.total()
    shelve("MUG", price="15.00", quantity=0)
    response = shopper.pay(total)
    assert response.status_code == 409
    assert "is now €18.00; this page showed €12.00" in text(response)
    assert "Pay €18.00" in text(response)
    assert_typed_is_kept(response)
    assert charges() == []


@pytest.mark.parametrize(
    ("number", "status", "sentence"),
    [
        (DECLINED, 402, "The card was refused: your bank declined it. Nothing was charged."),
        (NO_FUNDS, 402, "The card was refused: there is not enough money on it."),
        ("4242424242424241", 422, "The card cannot be used: the number has a typing error."),
        ("5555555555554444", 422, "use one of its test cards, never a real one"),
        ("abc", 422, "The card cannot be used: the number must have 12 to 19 digits."),
    ],
)
def test_a_card_that_does_not_pay(
    shopper: Shopper, number: str, status: int, sentence: str
) -> None:
    response = shopper.pay(number=number)
    assert response.status_code == status
    assert sentence in text(response)
    assert number not in response.content.decode()
    assert_typed_is_kept(response)
    assert (charges(), available()) == ([], 10)
    assert "Thank you" in shopper.order(shopper.pay())


def test_a_lost_answer_of_the_card_network_is_paid_once(shopper: Shopper) -> None:
    assert "Paid" in shopper.order(shopper.pay(number=ANSWER_LOST))
    assert charges() == [("captured", 1200)]


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        (0, "Mug, plain has just sold out. Remove it from your basket."),
        (1, "Only 1 of Mug, plain is left. Lower the quantity in your basket."),
    ],
)
def test_somebody_was_faster(shopper: Shopper, left: int, sentence: str) -> None:
    shopper.post("/basket/change", sku="MUG", quantity=2)
    total = shopper.total()
    lines: Sequence[Line] = [Line(sku=StockedSku("MUG"), quantity=10 - left)]
    use(Inventory).reserve(reference=uuid4(), lines=lines)
    response = shopper.pay(total)
    assert response.status_code == 409
    assert sentence in text(response)
    assert 'href="/basket"' in response.content.decode()
    assert_typed_is_kept(response)
    assert charges() == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Full name: Tell us your name."),
        ("name", "x" * 101, "Full name: Use at most 100 characters."),
        ("name", "a\x00b", "Full name: "),
        ("city", "Lon\tdon", "City: Leave out the characters that cannot be printed."),
        ("email", "nobody", "Email: Write the email address like name@example.org."),
        ("country", "KP", "Country: We do not deliver there."),
        ("delivery", "pigeon", "Delivery: Choose one of these deliveries."),
        ("expiry", "", "Expiry date: Enter the date."),
        ("cvc", "12345", "Security code: That is too long."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_at_the_top(
    shopper: Shopper, field: str, value: str, sentence: str
) -> None:
    response = shopper.pay(**{field: value})
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in text(response)
    assert f'id="id_{field}_error"' in page
    assert re.search(rf'aria-describedby="[^"]*id_{field}_error', page), "not described"
    assert "<title>Error: " in page
    assert charges() == []


@pytest.mark.parametrize(
    "name",
    [
        "Ὀδυσσεύς",
        "田中 太郎",
        "<script>alert(1)</script>",
        "'; DROP TABLE",
        "{{ 7 }}",
        "🙂",
        "a" * 100,
    ],
)
def test_any_printable_name_arrives_as_it_was_typed(shopper: Shopper, name: str) -> None:
    paid = shopper.pay(name=name)
    page = shopper.get(paid["Location"])
    assert name in text(page).replace("\u00a0", " ")
    assert "<script>alert" not in page.content.decode()


def test_what_was_withdrawn_is_not_sold(shopper: Shopper) -> None:
    shelve("POT")
    shopper.add("POT")
    total = shopper.total()
    use(Catalog).withdraw_product(slug="pot")
    shown = text(shopper.get("/basket"))
    assert "This is no longer for sale. Remove it to check out." in shown
    assert "Total before tax €10.00" in shown
    for refused in (shopper.get("/checkout"), shopper.pay(total)):
        assert refused.status_code == 409
        assert "One of your articles is no longer for sale." in text(refused)
    shopper.post("/basket/change", sku="POT", remove=1)
    assert "Paid" in shopper.order(shopper.pay())
    assert charges() == [("captured", 1200)]


def test_what_is_withdrawn_while_it_is_paid_is_not_sold(shopper: Shopper) -> None:
    shelve("POT")
    shopper.add("POT")
    total = shopper.total()

    def withdraw(real: Callable[..., str], **arguments: Any) -> str:
        use(Catalog).withdraw_product(slug="pot")
        return real(**arguments)

    with instead(Payments, tokenise=withdraw):
        refused = shopper.pay(total)
    assert refused.status_code == 404
    assert "Pot, plain is no longer for sale. Remove it." in text(refused)
    assert "Pay €12.00" in text(refused)
    assert 'href="/basket"' in refused.content.decode()
    assert charges() == []


def test_there_is_nothing_to_check_out_in_an_empty_basket() -> None:
    nobody = Shopper()
    for response in (nobody.get("/checkout"), nobody.post("/checkout", **TYPED)):
        assert response.status_code == 409
        assert "There is nothing to check out yet." in text(response)


def test_a_checkout_that_was_taken_back_can_be_tried_again(shopper: Shopper) -> None:
    with failing(Orders, check_out=CheckoutFailed(reason="the hold lapsed")):
        response = shopper.pay()
    assert response.status_code == 409
    assert "The order could not be completed: the hold lapsed." in text(response)
    assert_typed_is_kept(response)
    assert "Paid" in shopper.order(shopper.pay())


def test_a_checkout_without_an_answer_leads_back_to_the_one_order(shopper: Shopper) -> None:
    with slow(Orders, "check_out"):
        response = shopper.pay()
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "charges it once" in text(response)
    assert "Paid" in shopper.order(shopper.get("/checkout"))
    assert charges() == [("captured", 1200)]


@pytest.mark.together
def test_an_order_in_processing_looks_again_by_itself(shopper: Shopper, scenario: Scenario) -> None:
    from modules.orders.sagas import Checkout
    from monolift.sagas import operate

    total = shopper.total()
    with silent(Payments, "authorise"):
        response = shopper.pay(total)
        page = shopper.get(response["Location"])
        assert "Processing We are on it" in text(page)
        assert '<meta http-equiv="refresh" content="4">' in page.content.decode()
        assert (
            shopper.post("/checkout", **(TYPED | {"total": total}))["Location"]
            == (response["Location"])
        )
        assert shopper.get("/checkout")["Location"] == response["Location"]
        changed = shopper.post("/basket/change", sku="MUG", quantity=3)
        assert changed["Location"] == response["Location"]
        assert "What was in it is ordered. See your order" in text(shopper.get("/basket"))
        order_id = response["Location"].rpartition("/")[2]
        stuck = scenario.settle(Checkout, key=order_id)
    operate.retry(topology().alias("orders"), str(stuck.id))
    scenario.run_until_idle()
    page = shopper.get(response["Location"])
    assert "Failed The order did not go through" in text(page)
    assert "Nothing was charged." in text(page)
    assert 'http-equiv="refresh"' not in page.content.decode()
    assert "€10.00" in text(shopper.get("/basket"))
    assert "Paid" in shopper.order(shopper.pay(total))
    assert charges() == [("voided", 1200), ("captured", 1200)]
