"""How many statements each page takes: the same for any number of products and orders."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from config.seeding.goods import good
from config.seeding.purchases import Purchases
from modules.orders.interface import Orders
from modules.orders.models import Order
from modules.orders.seeding import order_id
from monolift import use
from monolift.testing.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")

FEW, MANY = 15, 60
SEED = 7

PAGES: dict[str, tuple[str, int]] = {
    "home": ("/", 10),
    "all products": ("/products", 12),
    "category": ("/categories/{category}", 15),
    "narrowed category": ("/categories/{category}?o:Colour=black", 15),
    "product": ("/products/{slug}", 11),
    "search": ("/search?q={word}", 14),
    "suggestions": ("/search/suggestions?q={word}", 4),
    "products by API": ("/api/v1/catalog/products", 3),
    "back office: orders": ("/admin/orders/order/", 4),
    "back office: orders by state": ("/admin/orders/order/?state__exact=cancelled", 4),
    "back office: payments": ("/admin/payments/payment/", 4),
    "back office: ledger": ("/admin/payments/entry/", 4),
    "back office: order": ("/admin/orders/order/{order}/change/", 11),
    "an order by API": ("/api/v1/orders/{order}", 4),
}
"""Address, and the most statements it may take."""


@pytest.fixture
def asked(client: Client) -> Callable[[str], int]:
    """Asks for a page, as staff; gives the number of statements."""
    staff = get_user_model().objects.create_superuser(email="s@example.org", password="a-long-one")
    client.force_login(staff)
    one = good(seed=SEED, number=1)
    order = order_id(Purchases(seed=SEED, products=FEW).order(0).basket_id)
    names = {
        "category": one.category,
        "slug": one.slug,
        "word": one.title.split()[1],
        "order": str(order),
    }

    def ask(path: str) -> int:
        path = path.format(**names)
        client.get(path)
        with statements() as seen:
            answer = client.get(path)
        assert answer.status_code == 200, path
        return len(seen)

    return ask


def fill(number: int) -> None:
    """So many products and orders."""
    call_command("seed", f"--products={number}", f"--orders={number}", f"--seed={SEED}")


def test_pages_take_few_statements_however_much_there_is(asked: Callable[[str], int]) -> None:
    fill(FEW)
    few = {name: asked(path) for name, (path, _) in PAGES.items()}
    fill(MANY)
    many = {name: asked(path) for name, (path, _) in PAGES.items()}
    assert many == few
    beyond = {name: count for name, count in many.items() if count > PAGES[name][1]}
    assert not beyond


def test_a_history_takes_two_statements() -> None:
    fill(MANY)
    whose = {one for one in Order.objects.values_list("customer_id", flat=True) if one}
    for customer_id in list(whose)[:3]:
        with statements() as seen:
            page = use(Orders).history(customer_id=UUID(str(customer_id)))
        assert page.orders
        assert len(seen) == 2
