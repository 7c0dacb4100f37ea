"""What pages of goods say is a few seconds old at most, and what is charged is not."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from modules.catalog.interface import Catalog
from modules.pricing.interface import ListPrice, Pricing
from monolift import Money, Unavailable, use
from monolift.gateway import kept
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.doubles import instead, silent
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import charges, shelve

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def fresh_for_five_seconds(settings: Settings) -> Iterator[None]:
    """Keep answers, and begin and end without any."""
    settings.STOREFRONT = {"FRESH_FOR": 5, "STANDS_FOR": 300}
    kept.forget()
    yield
    kept.forget()


def raise_the_price() -> None:
    unit = Money.of("15.00", "EUR")
    use(Pricing).set_prices(prices=[ListPrice(sku="MUG", unit=unit)])


def test_a_second_look_asks_nobody(shopper: Shopper) -> None:
    shelve()
    for path in ("/", "/products", "/products/mug", "/search?q=mug"):
        first = shopper.get(path)
        with statements() as seen:
            again = shopper.get(path)
        assert seen == [], path
        assert text(again) == text(first)


def test_another_currency_is_another_question(shopper: Shopper) -> None:
    shelve()
    assert "€10.00" in text(shopper.get("/products/mug"))
    shopper.post("/currency", currency="USD", here="/products/mug")
    assert "$10.00" in text(shopper.get("/products/mug"))


def test_a_price_tag_is_at_most_so_old(shopper: Shopper, scenario: Scenario) -> None:
    shelve()
    assert "€10.00" in text(shopper.get("/products/mug"))
    raise_the_price()
    assert "€10.00" in text(shopper.get("/products/mug"))
    scenario.travel(seconds=6)
    assert "€15.00" in text(shopper.get("/products/mug"))


def test_what_is_charged_is_never_old(shopper: Shopper) -> None:
    shelve()
    shopper.get("/products/mug")
    raise_the_price()
    shopper.add()
    assert "€15.00" in text(shopper.get("/basket"))
    shopper.order(shopper.pay())
    assert charges() == [("captured", 1800)]


@pytest.mark.together  # the catalog asks pricing
def test_what_was_known_stands_in_for_a_silent_module(shopper: Shopper, scenario: Scenario) -> None:
    """Case D31: home, lists and products outlive pricing and the catalog for five minutes."""
    shelve()
    pages = ("/", "/products", "/products/mug", "/search?q=mug")
    before = {path: text(shopper.get(path)) for path in pages}
    for interface, operations in (
        (Catalog, ("categories", "products", "product", "cards", "labels")),
        (Pricing, ("prices",)),
    ):
        with silent(interface, *operations):
            scenario.travel(seconds=140)
            assert {path: text(shopper.get(path)) for path in pages} == before
    with silent(Catalog, "categories", "products"):
        scenario.travel(seconds=301)
        assert shopper.get("/products").status_code == 503
    assert shopper.get("/products").status_code == 200


def test_a_silent_module_is_asked_now_and_then(shopper: Shopper, scenario: Scenario) -> None:
    """Not by each visitor, who would wait for its deadline."""
    shelve()
    shopper.get("/products")
    asked = []

    def nothing(_: object, **arguments: object) -> None:
        asked.append(arguments)
        raise Unavailable("catalog.products", "no answer")

    with instead(Catalog, products=nothing):
        for _ in range(2):
            scenario.travel(seconds=6)
            for _ in range(5):
                assert shopper.get("/products").status_code == 200
    questions = {str(one) for one in asked}
    assert len(asked) == 2 * len(questions)


def test_silence_and_refusals_are_not_kept(shopper: Shopper) -> None:
    assert shopper.get("/products/mug").status_code == 404
    shelve()
    assert shopper.get("/products/mug").status_code == 200
    kept.forget()
    with silent(Catalog, "categories", "products"):
        assert shopper.get("/products").status_code == 503
    assert shopper.get("/products").status_code == 200
