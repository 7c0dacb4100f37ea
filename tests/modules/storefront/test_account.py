"""A customer's own pages, and buying as one."""

from uuid import UUID

import pytest

from config.identity.models import User
from modules.orders.interface import Orders
from modules.profiles.interface import PostalAddress, Profiles
from monolift import use
from tests.modules.storefront.cost import Cost, cost
from tests.modules.storefront.shopper import TYPED, Shopper, text
from tests.shop import DECLINED, shelve

pytestmark = pytest.mark.django_db(databases="__all__")
PASSWORD = "correct horse battery"
HOME = {
    "name": "Ada Lovelace",
    "street": "1 Home Street",
    "city": "London",
    "postcode": "SW1Y 4JH",
    "country": "GB",
}
PAGES = ["/account", "/account/profile", "/account/addresses"]


@pytest.fixture
def user() -> User:
    """Somebody with an account."""
    return User.objects.create_user("ada@example.org", PASSWORD)


@pytest.fixture
def customer(user: User) -> Shopper:
    """Somebody who is signed in."""
    return signed_in(Shopper())


def signed_in(shopper: Shopper) -> Shopper:
    form = {"username": "ada@example.org", "password": PASSWORD}
    assert shopper.post("/account/sign-in", **form).status_code == 302
    return shopper


def basket_of(shopper: Shopper) -> str:
    return text(shopper.get("/basket"))


@pytest.mark.parametrize("path", PAGES)
def test_ones_own_pages_are_for_those_who_signed_in(shopper: Shopper, path: str) -> None:
    for answer in (shopper.get(path), shopper.post(path)):
        if answer.status_code != 405:
            assert answer.status_code == 303
            assert answer["Location"].startswith("/account/sign-in?next=%2Faccount")


def test_a_part_of_a_list_is_for_those_who_signed_in_too(shopper: Shopper) -> None:
    answer = shopper.get("/account?after=x", headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/account/sign-in?next=%2Faccount%3Fafter")


@pytest.mark.parametrize("path", PAGES)
def test_ones_own_pages_are_kept_by_no_cache(customer: Shopper, path: str) -> None:
    assert customer.get(path)["Cache-Control"] == "private, no-store"


# Baskets ------------------------------------------------------------------------------------------


def test_a_guests_basket_comes_along(user: User, shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add(quantity=2)
    signed_in(shopper)
    assert "Mug" in basket_of(shopper)
    elsewhere = signed_in(Shopper())
    assert 'value="2"' in elsewhere.get("/basket").content.decode()


def test_two_baskets_become_one(user: User) -> None:
    shelve("MUG")
    shelve("POT")
    first = signed_in(Shopper())
    first.add("MUG", 1)
    second = Shopper()
    second.add("POT", 1)
    signed_in(second)
    shown = basket_of(second)
    assert "Mug" in shown
    assert "Pot" in shown


def test_signing_out_takes_the_basket_off_the_machine(customer: Shopper) -> None:
    shelve("MUG")
    customer.add()
    customer.post("/account/sign-out")
    assert "Mug" not in basket_of(customer)
    signed_in(customer)
    assert "Mug" in basket_of(customer)


# Buying -------------------------------------------------------------------------------------------


def test_an_order_is_in_the_history(customer: Shopper, user: User) -> None:
    shelve("MUG")
    assert "What you order appears here." in text(customer.get("/account"))
    customer.add()
    order = customer.pay()["Location"]
    page = customer.get("/account")
    assert f'href="{order}"' in page.content.decode()
    assert "1 article Paid €12.00" in text(page)
    assert len(use(Orders).history(customer_id=user.pk).orders) == 1
    guest = Shopper()
    guest.add()
    guest.pay()
    assert len(use(Orders).history(customer_id=user.pk).orders) == 1


def test_the_history_comes_in_pages(customer: Shopper, user: User) -> None:
    shelve("MUG", quantity=100)
    for _ in range(21):
        customer.add()
        customer.pay(total="1200 EUR")
    first = customer.get("/account").content.decode()
    assert first.count('class="state paid"') == 20
    after = first.split('rel="next" href="')[1].split('"')[0]
    assert customer.get("/account" + after).content.decode().count('"state paid"') == 1
    assert customer.get("/account?after=nonsense").status_code == 422


def test_own_pages_cost_the_same_however_much_is_kept(customer: Shopper, user: User) -> None:
    shelve("MUG")
    pages = [*PAGES, "/checkout"]

    def once_more(number: int) -> list[Cost]:
        address = PostalAddress(**{**HOME, "street": f"{number} Home Street"})
        use(Profiles).save_address(user_id=user.pk, address=address)
        customer.add()
        customer.pay()
        customer.add()
        return [cost(customer, path) for path in pages]

    once_more(1)
    first, second = once_more(2), once_more(3)
    assert first == second
    history, profile, addresses, checkout = first
    assert history.calls == {"catalog.categories": 1, "orders.history": 1}
    assert profile.calls == {"catalog.categories": 1, "profiles.profile": 1}
    assert addresses.calls == {"catalog.categories": 1, "profiles.addresses": 1}
    assert checkout.calls["profiles.addresses"] == 1


def test_a_kept_address_is_offered(customer: Shopper, user: User) -> None:
    shelve("MUG")
    first = use(Profiles).save_address(user_id=user.pk, address=PostalAddress(**HOME))
    other = PostalAddress(**{**HOME, "street": "2 Work Street"})
    second = use(Profiles).save_address(user_id=user.pk, address=other)
    customer.add()
    page = customer.get("/checkout").content.decode()
    assert 'value="1 Home Street"' in page
    assert 'value="ada@example.org"' in page
    assert f"?address={second}" in page
    assert 'value="2 Work Street"' in customer.get(f"/checkout?address={second}").content.decode()
    assert 'value="1 Home Street"' in customer.get("/checkout?address=x").content.decode()
    assert first != second


def test_a_guest_may_sign_in_and_come_back(user: User, shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    page = shopper.get("/checkout")
    assert 'href="/account/sign-in?next=%2Fcheckout"' in page.content.decode()
    form = {"username": "ada@example.org", "password": PASSWORD, "next": "/checkout"}
    assert shopper.post("/account/sign-in", **form)["Location"] == "/checkout"
    shown = text(shopper.get("/checkout"))
    assert "Mug" in shown
    assert "Do you have an account?" not in shown


def test_an_address_is_kept_when_asked_to(customer: Shopper, user: User) -> None:
    shelve("MUG")
    customer.add()
    customer.pay(number=DECLINED)
    assert not use(Profiles).addresses(user_id=user.pk)
    customer.pay(save="on")
    kept = use(Profiles).addresses(user_id=user.pk)
    assert [one.address.street for one in kept] == [TYPED["street"]]


def test_a_guest_is_not_offered_to_keep_it(shopper: Shopper) -> None:
    shelve("MUG")
    shopper.add()
    assert "Keep this address" not in text(shopper.get("/checkout"))
    assert shopper.pay(save="on").status_code == 303


# Addresses and profile ----------------------------------------------------------------------------


def test_addresses_are_kept_changed_and_removed(customer: Shopper, user: User) -> None:
    assert customer.post("/account/addresses", **HOME).status_code == 303
    (kept,) = use(Profiles).addresses(user_id=user.pk)
    assert "First choice" in text(customer.get("/account/addresses"))
    assert 'value="1 Home Street"' in customer.get(f"/account/addresses/{kept.id}").content.decode()
    moved = {**HOME, "street": "3 New Street"}
    assert customer.post(f"/account/addresses/{kept.id}", **moved).status_code == 303
    assert "3 New Street" in text(customer.get("/account/addresses"))
    assert customer.post(f"/account/addresses/{kept.id}", remove="1").status_code == 303
    assert not use(Profiles).addresses(user_id=user.pk)


def test_nobody_changes_anothers_address(customer: Shopper) -> None:
    eve = UUID("4fd1e7c2-7a5c-4f0e-9d5f-0f3a2b6c8d10")
    kept = use(Profiles).save_address(user_id=eve, address=PostalAddress(**HOME))
    assert customer.get(f"/account/addresses/{kept}").status_code == 404
    assert customer.post(f"/account/addresses/{kept}", **HOME).status_code == 404
    customer.post(f"/account/addresses/{kept}", remove="1")
    assert len(use(Profiles).addresses(user_id=eve)) == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "", "Full name: Tell us the name."),
        ("street", "a\x00b", "Street and number: "),
        ("city", "x" * 101, "City: Use at most 100 characters."),
        ("country", "XX", "Country: Choose a country from the list."),
    ],
)
def test_what_is_wrong_with_an_address_is_said(
    customer: Shopper, field: str, value: str, told: str
) -> None:
    answer = customer.post("/account/addresses", **{**HOME, field: value})
    assert answer.status_code == 422
    assert told in text(answer)


def test_twenty_addresses_are_enough(customer: Shopper, user: User) -> None:
    for number in range(20):
        address = PostalAddress(**{**HOME, "street": f"{number}"})
        use(Profiles).save_address(user_id=user.pk, address=address)
    answer = customer.post("/account/addresses", **HOME)
    assert answer.status_code == 422
    assert "At most 20 addresses are kept" in text(answer)


def test_a_profile_is_kept(customer: Shopper, user: User) -> None:
    form = {"name": "Ada", "phone": "+44 20 7946 0000", "newsletter": "on"}
    saved = customer.post("/account/profile", **form)
    assert saved.status_code == 303
    assert "Your profile is saved." in text(customer.get(saved["Location"]))
    assert "Your profile is saved." not in text(customer.get("/account/profile"))
    known = use(Profiles).profile(user_id=user.pk)
    assert (known.name, known.phone, known.newsletter) == ("Ada", "+44 20 7946 0000", True)
    wrong = customer.post("/account/profile", name="Ada", phone="call me")
    assert wrong.status_code == 422
    assert "write it with 3 to 30 digits" in text(wrong)
