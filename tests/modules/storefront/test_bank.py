"""3-D Secure: the bank asks the customer before anything is reserved or charged."""

import pytest
from django.test import Client

from modules.orders.interface import Orders
from modules.payments.interface import Payments
from monolift import use
from tests.doubles import silent
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import available, charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__")
CHALLENGED = "4000000000003220"


@pytest.fixture(autouse=True)
def basket(shopper: Shopper) -> None:
    """One mug of €10.00 in the basket."""
    shelve("MUG")
    assert shopper.add().status_code == 303


def at_the_bank(shopper: Shopper) -> str:
    """The address of the bank's page, where paying has led."""
    answer = shopper.pay(number=CHALLENGED)
    assert answer.status_code == 303, text(answer)
    assert answer["Location"].startswith("/sandbox/bank/")
    return str(answer["Location"])


def test_who_approves_has_ordered(shopper: Shopper) -> None:
    bank = at_the_bank(shopper)
    assert (charges(), available()) == ([], 10)
    page = text(shopper.get(bank))
    assert "Sandbox bank" in page
    assert "€12.00" in page
    back = shopper.post(bank, approve="1")
    assert back["Location"] == "/checkout/authenticated"
    assert "Thank you, it is paid" in shopper.order(shopper.get("/checkout/authenticated"))
    assert charges() == [("captured", 1200)]
    assert available() == 9


def test_who_refuses_has_not_and_can_pay_otherwise(shopper: Shopper) -> None:
    bank = at_the_bank(shopper)
    shopper.post(bank, refuse="1")
    answer = shopper.get("/checkout/authenticated")
    assert answer.status_code == 402
    assert "Your bank did not confirm that it is you. Nothing was charged." in text(answer)
    assert 'value="Ada Lovelace"' in answer.content.decode()
    assert (charges(), available()) == ([], 10)
    assert "Thank you" in shopper.order(shopper.pay())


def test_another_site_cannot_answer_for_the_customer(shopper: Shopper) -> None:
    bank = at_the_bank(shopper)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = shopper.http.cookies
    assert strict.post(bank, {"approve": "1"}).status_code == 403
    assert shopper.get("/checkout/authenticated")["Location"] == bank


def test_the_first_answer_counts(shopper: Shopper) -> None:
    bank = at_the_bank(shopper)
    shopper.post(bank, refuse="1")
    shopper.post(bank, approve="1")
    assert shopper.get("/checkout/authenticated").status_code == 402


def test_coming_back_without_an_answer_leads_to_the_bank_again(shopper: Shopper) -> None:
    bank = at_the_bank(shopper)
    assert shopper.get("/checkout/authenticated")["Location"] == bank


def test_coming_back_twice_is_one_order(shopper: Shopper) -> None:
    shopper.post(at_the_bank(shopper), approve="1")
    first = shopper.get("/checkout/authenticated")
    again = shopper.get("/checkout/authenticated")
    assert first["Location"] == again["Location"]
    assert charges() == [("captured", 1200)]


def test_silence_after_approving_does_not_ask_for_the_card_again(shopper: Shopper) -> None:
    shopper.post(at_the_bank(shopper), approve="1")
    with silent(Orders, "check_out"):
        answer = shopper.get("/checkout/authenticated")
    assert answer.status_code == 503
    assert 'href="/checkout/authenticated"' in answer.content.decode()
    assert "charges it once" in text(answer)
    assert "Thank you" in shopper.order(shopper.get("/checkout/authenticated"))
    assert charges() == [("captured", 1200)]


def test_a_price_that_rose_meanwhile_is_not_charged(shopper: Shopper) -> None:
    bank = at_the_bank(shopper)
    shelve("MUG", price="15.00", quantity=0)
    shopper.post(bank, approve="1")
    answer = shopper.get("/checkout/authenticated")
    assert answer.status_code == 409
    assert "is now €18.00; this page showed €12.00" in text(answer)
    assert charges() == []


def test_the_card_is_neither_in_the_page_nor_in_the_session(shopper: Shopper) -> None:
    answer = shopper.pay(number=CHALLENGED)
    kept = repr(dict(shopper.http.session)) + repr(shopper.http.cookies)
    assert CHALLENGED not in kept
    assert "12/40" not in kept
    assert CHALLENGED not in text(shopper.get(answer["Location"]))


def test_a_stranger_cannot_finish_it(shopper: Shopper) -> None:
    shopper.post(at_the_bank(shopper), approve="1")
    stranger = Shopper()
    stranger.add()
    assert stranger.get("/checkout/authenticated")["Location"] == "/checkout"
    assert charges() == []


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "challenge", ["x", "%00", "4fd1e7c2-7a5c-4f0e-9d5f-0f3a2b6c8d10", "x" * 3000]
)
def test_the_bank_knows_its_payments(shopper: Shopper, method: str, challenge: str) -> None:
    answer = getattr(shopper, method)(f"/sandbox/bank/{challenge}")
    assert answer.status_code == 404


def test_without_a_payment_one_comes_back_to_the_checkout(shopper: Shopper) -> None:
    assert shopper.get("/checkout/authenticated")["Location"] == "/checkout"


def test_another_card_needs_no_bank(shopper: Shopper) -> None:
    at_the_bank(shopper)
    assert "Thank you" in shopper.order(shopper.pay())
    assert len(charges()) == 1
    assert use(Payments).ledger_balance()
