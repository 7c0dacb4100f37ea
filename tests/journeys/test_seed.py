"""`manage.py seed`: orders as if they had been bought, repeatable, resumable, in flat memory."""

import tracemalloc
from collections import Counter
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from pytest_django import Settings

from config.seeding import filling
from config.seeding.filling import Filler
from config.seeding.goods import categories, good
from config.seeding.purchases import Purchases, customer
from modules.catalog.interface import Catalog
from modules.inventory import models as inventory_rows
from modules.orders import models as order_rows
from modules.orders.interface import Order, Orders, OrderState
from modules.orders.seeding import PastOrder, order_id
from modules.payments import models as payment_rows
from modules.payments.interface import Payments, PaymentState
from modules.pricing.interface import Pricing, QuoteLine
from modules.pricing.queries import arithmetic
from modules.pricing.queries.tax import TAX_BASIS_POINTS
from modules.pricing.seeding import price
from modules.search.interface import Search
from modules.shipping import models as shipping_rows
from modules.shipping.interface import ShipmentState, Shipping
from monolift import Money, use
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.shop import assert_books_balance, basket_with, books, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)

SEED = 7


def seed(products: int, bought: int = 0) -> list[str]:
    """Run it; what it says."""
    said = StringIO()
    call_command(
        "seed", f"--products={products}", f"--orders={bought}", f"--seed={SEED}", stdout=said
    )
    return said.getvalue().splitlines()


def past(number: int, *, products: int) -> PastOrder:
    """The order of that number."""
    return Purchases(seed=SEED, products=products).order(number)


def shown(one: PastOrder) -> Order:
    """What orders says of it."""
    return orders.order(order_id=order_id(one.basket_id))


def numbers() -> dict[str, int]:
    """How many rows there are of everything."""
    found = {}
    for model in (
        *(order_rows.Order, order_rows.OrderLine, order_rows.Basket, order_rows.Invoice),
        *(payment_rows.Payment, payment_rows.Entry, payment_rows.Refund),
        *(inventory_rows.Hold, inventory_rows.Stock, shipping_rows.Shipment),
    ):
        found[model.__name__] = model._default_manager.count()
    return found


def test_products_can_be_found_and_bought() -> None:
    said = seed(12)
    assert said[0].startswith("12 products: 12 new")
    one = good(seed=SEED, number=3)
    product = use(Catalog).product(slug=one.slug, currency="JPY")
    assert [str(variant.sku) for variant in product.variants] == [a.sku for a in one.articles]
    assert all(variant.price for variant in product.variants)
    assert use(Search).search(text=one.title).slugs[0] == one.slug
    assert use(Search).search(text=one.articles[-1].sku).slugs == (one.slug,)
    title = next(c.title for c in categories() if c.slug == one.category)
    assert one.slug in use(Search).search(text=title).slugs
    below = {c.slug for c in use(Catalog).categories() if c.count}
    assert one.category in below
    # What was never announced is handled by nobody later.
    assert fetch(topology().alias("catalog"), "SELECT event FROM monolift_outbox") == []
    assert_books_balance()


def test_orders_look_bought() -> None:
    seed(15, 60)
    made = [past(number, products=15) for number in range(60)]
    states = Counter(one.state for one in made)
    assert set(states) == {OrderState.DELIVERED, OrderState.SHIPPED, OrderState.CANCELLED}
    for one in made:
        order = shown(one)
        currency = one.currency
        assert (order.state, order.placed_at) == (one.state, one.placed_at)
        assert order.address == one.address
        rate = use(Shipping).rate(
            country=one.address.country, currency=currency, method=one.delivery
        )
        quote = use(Pricing).quote(
            lines=[QuoteLine(sku=line.sku, quantity=line.quantity) for line in order.lines],
            currency=currency,
            country=one.address.country,
            delivery=rate.price,
        )
        assert (order.net, order.shipping, order.tax, order.total) == (
            quote.net,
            quote.delivery,
            quote.tax,
            quote.total,
        )
        assert [line.total for line in order.lines] == [line.total for line in quote.lines]
        payment = use(Payments).payment(reference=order.id)
        cancelled = one.state is OrderState.CANCELLED
        assert (payment.state, payment.amount) == (PaymentState.CAPTURED, order.total)
        assert payment.refunded == (order.total if cancelled else Money.zero(currency))
        shipment = use(Shipping).shipment(order_id=order.id)
        assert shipment.tracking == order.tracking
        assert (shipment.state is ShipmentState.CANCELLED) == cancelled == (not order.tracking)
        assert orders.basket(basket_id=one.basket_id).order_id == order.id
    assert_books_balance()
    billed = list(order_rows.Invoice.objects.order_by("issued_at").values_list("number", flat=True))
    assert billed == list(range(1, 61))
    assert len(books()) == 60


def test_a_seeded_order_fills_the_columns_that_a_bought_one_fills(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    customer_id = uuid4()
    bought = orders.check_out(
        basket_id=basket_id,
        expected_total=total_of(basket_id),
        card_token=card(),
        customer_id=customer_id,
    )
    scenario.run_until_idle()
    seed(5, 9)
    same = next(one for one in (past(number, products=5) for number in range(9)) if one.customer_id)
    for model, column in (
        (order_rows.Order, "pk"),
        (order_rows.OrderLine, "order"),
        (order_rows.Invoice, "order"),
        (payment_rows.Payment, "reference"),
        (payment_rows.Entry, "reference"),
        (inventory_rows.Hold, "reference"),
        (shipping_rows.Shipment, "order_id"),
    ):
        real = _filled(model, column, bought.id)
        made = _filled(model, column, order_id(same.basket_id))
        # The parcel of the real one is still here.
        assert real - {"tracking", "carrier", "position"} <= made, model


def _filled(model: type[models.Model], column: str, value: object) -> set[str]:
    row: dict[str, Any] = model._default_manager.filter(**{column: value}).values()[0]
    return {name for name, held in row.items() if held}


def test_a_seeded_order_can_be_refunded(scenario: Scenario) -> None:
    seed(5, 10)
    made = [past(number, products=5) for number in range(10)]
    order = shown(next(one for one in made if one.state is OrderState.DELIVERED))
    assert order.total is not None
    cents = Money(100, order.total.currency)
    after = orders.refund(
        order_id=order.id, refund_reference=uuid4(), amount=cents, reason="scratched"
    )
    scenario.run_until_idle()
    assert after.refunded == cents
    assert_books_balance()


def test_a_customer_has_a_history() -> None:
    seed(5, 80)
    made = [past(number, products=5) for number in range(80)]
    whose = Counter(one.customer_id for one in made if one.customer_id)
    customer_id, count = whose.most_common(1)[0]
    assert customer_id is not None
    page = orders.history(customer_id=customer_id, limit=100)
    assert len(page.orders) == count
    assert customer(seed=SEED, number=0) != customer(seed=SEED + 1, number=0)


def test_a_second_run_adds_what_is_missing() -> None:
    seed(10, 20)
    before = numbers()
    said = seed(10, 20)
    assert said == ["10 products: all were there.", "20 orders: all were there."]
    assert numbers() == before
    said = seed(14, 33)
    assert said[0].startswith("14 products: 4 new")
    assert said[1].startswith("33 orders: 13 new")
    assert numbers()["Order"] == numbers()["Invoice"] == numbers()["Basket"] == 33
    assert_books_balance()


@pytest.mark.parametrize("where", ["search", "catalog", "payments", "shipping", "orders"])
def test_a_stopped_run_is_completed(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "PRODUCTS", 4)
    monkeypatch.setattr(filling, "ORDERS", 10)
    module, name = {
        "search": (filling.search, "index"),
        "catalog": (filling.catalog, "publish"),
        "payments": (filling.payments, "capture"),
        "shipping": (filling.shipping, "ship"),
        "orders": (filling.orders, "place"),
    }[where]
    real, calls = getattr(module, name), []

    def stop_at_the_second(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(module, name, stop_at_the_second)
    with pytest.raises(CommandError, match="run the command again") as stopped:
        seed(11, 25)
    assert stopped.value.returncode == 130
    said = seed(11, 25)
    assert "all were there" not in said[1]
    found = numbers()
    expected = {"Order": 25, "Basket": 25, "Invoice": 25, "Payment": 25, "Hold": 25, "Shipment": 25}
    assert {name: found[name] for name in expected} == expected
    assert found["Entry"] == 2 * (25 + found["Refund"])
    for number in range(11):
        assert use(Search).search(text=good(seed=SEED, number=number).title).slugs
    assert_books_balance()


def test_numbers_decide_what_is_made() -> None:
    assert good(seed=1, number=5) == good(seed=1, number=5)
    assert good(seed=1, number=5).slug != good(seed=2, number=5).slug
    assert past(5, products=9) == past(5, products=9)
    some = [good(seed=1, number=number) for number in range(500)]
    assert len({one.slug for one in some}) == 500
    skus = [article.sku for one in some for article in one.articles]
    assert len(set(skus)) == len(skus)


@pytest.mark.parametrize("country", ["DE", "JP", "KW", "FI"])
def test_past_prices_are_rounded_as_quotes_are(country: str) -> None:
    for unit in range(1, 400):
        priced = price(lines=[(unit, 1)], country=country, delivery=unit)
        line = arithmetic.price_line(
            line=QuoteLine(sku="ANY", quantity=1),
            unit=Money(unit, "EUR"),
            discount=Money.zero("EUR"),
            coupon=Money.zero("EUR"),
            basis_points=TAX_BASIS_POINTS[country],
        )
        assert priced.lines == (line.total.amount,)
        assert priced.tax == 2 * line.tax.amount
        assert priced.total == 2 * line.total.amount


def test_memory_does_not_grow_with_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "ORDERS", 50)
    seed(10)
    filler = Filler(seed=SEED)

    def peak(first: int, end: int) -> int:
        tracemalloc.start()
        filler.add_orders(first, end, products=10, advance=lambda count: None)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(0, 100)  # what is loaded and compiled once
    few = peak(100, 200)
    # Twelve batches for two. What is between is garbage that was not collected yet, and the texts
    # that the SQL guard keeps, of which there is a most.
    assert peak(200, 800) < 4 * few


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--products", "-1"], "'-1' is not a whole number from 0 to 1,000,000"),
        (["--products", "many"], "'many' is not a whole number"),
        (["--orders", "2000001"], "'2000001' is not a whole number from 0 to 2,000,000"),
        (["--orders", "1.5"], "'1.5' is not a whole number"),
        (["--seed", "65536"], "'65536' is not a whole number from 0 to 65,535"),
        (["--products", "0", "--orders", "1"], "give --products a number above 0"),
    ],
)
def test_bad_numbers_are_refused_in_one_line(arguments: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem) as refused:
        call_command("seed", *arguments)
    assert "\n" not in str(refused.value)


def test_no_payments_are_made_up_at_a_real_provider(settings: Settings) -> None:
    settings.PAYMENTS = {**settings.PAYMENTS, "PROVIDER": "benchmarks.provider.InstantProvider"}
    with pytest.raises(CommandError, match="InstantProvider"):
        seed(1, 1)
    assert seed(1)
