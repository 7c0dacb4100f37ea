"""Baskets: what orders promises to whoever calls it."""

from uuid import uuid4

import msgspec
import pytest

from modules.catalog.interface import Catalog, ProductDraft
from modules.orders import models
from modules.orders.interface import (
    Basket,
    BasketFull,
    BasketId,
    InvalidAddress,
    Orders,
    QuantityOutOfRange,
    UnknownSku,
)
from modules.orders.services.baskets import MOST_LINES
from monolift import Money, use
from monolift.testing.statements import statements
from tests.shop import ADDRESS, shelve

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Orders),
]
orders = use(Orders)


@pytest.fixture
def basket_id() -> BasketId:
    """The id of a basket that is not used yet."""
    return BasketId(uuid4())


def add(basket_id: BasketId, sku: str = "MUG", quantity: int = 1, currency: str = "EUR") -> None:
    """Put something into the basket."""
    orders.add_to_basket(basket_id=basket_id, sku=sku, quantity=quantity, currency=currency)


def shown(basket_id: BasketId) -> Basket:
    """The basket as it is now."""
    return orders.basket(basket_id=basket_id)


def quantities(basket_id: BasketId) -> dict[str, int]:
    """What is in the basket."""
    return {line.sku: line.quantity for line in shown(basket_id).lines}


@pytest.mark.inside
def test_an_unknown_basket_is_empty_and_not_stored(basket_id: BasketId) -> None:
    basket = orders.basket(basket_id=basket_id, currency="JPY")
    assert (basket.lines, basket.total, basket.order_id) == ((), Money.zero("JPY"), None)
    assert not models.Basket.objects.exists()


def test_a_basket_shows_names_and_prices(basket_id: BasketId) -> None:
    shelve("MUG", price="12.50")
    add(basket_id, quantity=2)
    line = shown(basket_id).lines[0]
    assert (line.title, line.name, line.slug) == ("Mug", "plain", "mug")
    assert (line.unit, line.total) == (Money(1250, "EUR"), Money(2500, "EUR"))
    assert shown(basket_id).total == Money(2500, "EUR")


def test_adding_again_adds_up_and_keeps_the_order(basket_id: BasketId) -> None:
    shelve("MUG")
    shelve("BOWL")
    add(basket_id, "MUG", 2)
    add(basket_id, "BOWL")
    add(basket_id, "MUG", 3)
    assert list(quantities(basket_id).items()) == [("MUG", 5), ("BOWL", 1)]


def test_an_address_adds_its_tax(basket_id: BasketId) -> None:
    shelve("MUG", price="10.00")
    add(basket_id)
    assert shown(basket_id).tax == Money.zero("EUR")
    orders.set_address(basket_id=basket_id, address=ADDRESS)
    basket = shown(basket_id)
    assert (basket.tax, basket.total, basket.address) == (
        Money(200, "EUR"),
        Money(1200, "EUR"),
        ADDRESS,
    )


def test_address_and_delivery_can_come_first(basket_id: BasketId) -> None:
    orders.set_delivery(basket_id=basket_id, method="express")
    orders.set_address(basket_id=basket_id, address=ADDRESS)
    basket = shown(basket_id)
    assert (basket.address, basket.delivery) == (ADDRESS, "express")


def test_the_basket_follows_the_currency_of_what_is_added(basket_id: BasketId) -> None:
    shelve("MUG", price="10.00")
    add(basket_id, currency="EUR")
    add(basket_id, currency="KWD")
    assert shown(basket_id).total == Money(2000, "KWD")


def test_a_line_without_a_price_counts_for_nothing(basket_id: BasketId) -> None:
    shelve("MUG", price="10.00")
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug="pot", title="Pot", description="", image="", variants=(("POT", "red"),)
        )
    )
    add(basket_id, "MUG")
    add(basket_id, "POT")
    orders.set_address(basket_id=basket_id, address=ADDRESS)
    basket = shown(basket_id)
    assert [line.unit for line in basket.lines] == [Money(1000, "EUR"), None]
    assert basket.total == Money(1200, "EUR")


def test_a_withdrawn_line_counts_for_nothing(basket_id: BasketId) -> None:
    shelve("MUG", price="10.00")
    shelve("POT", price="7.00")
    add(basket_id, "MUG")
    add(basket_id, "POT")
    use(Catalog).withdraw_product(slug="pot")
    basket = shown(basket_id)
    assert [line.unit for line in basket.lines] == [Money(1000, "EUR"), None]
    assert (basket.lines[1].total, basket.total) == (None, Money(1000, "EUR"))
    use(Catalog).withdraw_product(slug="mug")
    assert shown(basket_id).total == Money.zero("EUR")


@pytest.mark.topologies("local", "loopback")
def test_a_withdrawn_variant_keeps_its_name_in_the_basket(basket_id: BasketId) -> None:
    shelve("MUG")
    add(basket_id)
    use(Catalog).publish_product(
        draft=ProductDraft(slug="mug", title="Mug", description="", image="", variants=())
    )
    assert (shown(basket_id).lines[0].title, shown(basket_id).lines[0].name) == ("Mug", "plain")


def test_a_quantity_can_be_changed_and_a_line_removed(basket_id: BasketId) -> None:
    shelve("MUG")
    add(basket_id)
    orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=7)
    assert quantities(basket_id) == {"MUG": 7}
    for _ in range(2):
        orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=0)
    assert quantities(basket_id) == {}


def test_what_is_not_in_the_basket_cannot_be_changed(basket_id: BasketId) -> None:
    with pytest.raises(UnknownSku):
        orders.set_quantity(basket_id=basket_id, sku="MUG", quantity=1)


@pytest.mark.inside
def test_unknown_articles_are_refused(basket_id: BasketId) -> None:
    with pytest.raises(UnknownSku, match="NONE"):
        add(basket_id, "NONE")
    assert not models.Basket.objects.exists()


@pytest.mark.inside
@pytest.mark.parametrize("quantity", [0, -1, 100, 10**12])
def test_a_quantity_is_sensible(basket_id: BasketId, quantity: int) -> None:
    shelve("MUG")
    with pytest.raises(QuantityOutOfRange, match="from 1 to 99"):
        add(basket_id, quantity=quantity)
    assert not models.Basket.objects.exists()


def test_a_line_stays_within_its_limit(basket_id: BasketId) -> None:
    shelve("MUG")
    add(basket_id, quantity=99)
    with pytest.raises(QuantityOutOfRange):
        add(basket_id)
    assert quantities(basket_id) == {"MUG": 99}


@pytest.mark.topologies("local", "loopback")
def test_a_basket_has_room_for_so_many_articles(basket_id: BasketId) -> None:
    shelve("MUG")
    add(basket_id)
    models.BasketLine.objects.bulk_create(
        models.BasketLine(basket_id=basket_id, sku=f"X{number}", title="", name="", quantity=1)
        for number in range(MOST_LINES - 1)
    )
    shelve("BOWL")
    with pytest.raises(BasketFull):
        add(basket_id, "BOWL")
    add(basket_id, "MUG")
    assert quantities(basket_id)["MUG"] == 2


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "", "name is missing"),
        ("name", "   ", "name is missing"),
        ("street", "x" * 201, "more than 200"),
        ("city", "a\0b", "cannot be printed"),
        ("postcode", "1\n2", "cannot be printed"),
        ("country", "AQ", "do not deliver"),
        ("country", "de", "do not deliver"),
        ("country", "DEU", "more than 2"),
        ("email", "nobody", "email"),
        ("email", "x@[", "email"),
        ("email", '"@x', "email"),
        ("email", "a,b@example.org", "email"),
        ("email", "ada@example.org;bob", "email"),
        ("email", "ada@example", "email"),
    ],
)
def test_an_address_is_sensible(basket_id: BasketId, field: str, value: str, problem: str) -> None:
    address = msgspec.structs.replace(ADDRESS, **{field: value})
    with pytest.raises(InvalidAddress, match=problem):
        orders.set_address(basket_id=basket_id, address=address)


def test_there_are_two_ways_to_deliver(basket_id: BasketId) -> None:
    with pytest.raises(InvalidAddress, match="standard, express"):
        orders.set_delivery(basket_id=basket_id, method="drone")


@pytest.mark.topologies("local", "loopback")
@pytest.mark.together
def test_statements_of_a_basket(basket_id: BasketId) -> None:
    shelve("MUG")
    shelve("BOWL")
    with statements() as seen:
        add(basket_id, "MUG")
    assert len(seen) == 5, seen
    with statements() as seen:
        add(basket_id, "BOWL")
    assert len(seen) == 4, seen
    with statements() as seen:
        shown(basket_id)
    assert len(seen) == 3, seen
    with statements() as seen:
        orders.set_address(basket_id=basket_id, address=ADDRESS)
    assert len(seen) == 1, seen
