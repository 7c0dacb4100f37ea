"""Names as long as they may be, in one word: no page becomes wider than the screen."""

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page

from modules.catalog.interface import Catalog, ProductDraft
from modules.catalog.interface import Sku as CatalogSku
from modules.catalog.models import Product
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.orders.interface import Address, BasketId, Orders
from modules.pricing.interface import ListPrice, Pricing
from monolift import Money, use
from monolift.testing.scenario import Scenario
from tests.browser.conftest import Open
from tests.shop import card, total_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases="__all__", transaction=True),
]
SKU = "W" * 64
PASSWORD = "correct horse battery"
WHERE = Address(
    name="N" * 100,
    street="S" * 200,
    city="C" * 100,
    postcode="P" * 20,
    country="GB",
    email=f"{'e' * 64}@{'d' * 50}.example",
)


@pytest.fixture
def basket_id(scenario: Scenario) -> BasketId:
    """One of something with the longest names, to go to the longest address."""
    draft = ProductDraft(
        slug="w" * 100,
        title="T" * 200,
        description="D" * 1000,
        image="products/wall-clock.svg",
        variants=((CatalogSku(SKU), "V" * 100),),
    )
    use(Catalog).publish_product(draft=draft)
    use(Pricing).set_prices(prices=[ListPrice(sku=SKU, unit=Money.of("12345678.99", "EUR"))])
    use(Inventory).receive(reference=uuid4(), lines=[Line(sku=StockedSku(SKU), quantity=9)])
    scenario.run_until_idle()
    basket_id = BasketId(uuid4())
    use(Orders).add_to_basket(basket_id=basket_id, sku=SKU, quantity=1)
    use(Orders).set_address(basket_id=basket_id, address=WHERE)
    return basket_id


def assert_fits(page: Page, path: str) -> None:
    """The page is not wider than the window."""
    answer = page.goto(path)
    assert answer
    assert answer.status == 200, path
    assert page.url.endswith(path)
    excess = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert excess <= 0, (path, excess)


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_no_page_is_wider_than_the_screen(
    visit: Open, scenario: Scenario, basket_id: BasketId, width: int
) -> None:
    product = f"/products/{'w' * 100}"
    page = visit(product, width=width)
    page.get_by_role("button", name="Add to basket").click()
    for path in (product, "/products", "/search?q=" + "T" * 100, "/basket", "/checkout"):
        assert_fits(page, path)
    order = use(Orders).check_out(
        basket_id=basket_id, card_token=card(), expected_total=total_of(basket_id)
    )
    scenario.run_until_idle()
    for path in (f"/orders/{order.id}", f"/orders/{order.id}/invoice"):
        assert_fits(page, path)
    get_user_model().objects.create_superuser("chief@example.org", PASSWORD)
    page.goto("/admin/")
    page.get_by_label("Email").fill("chief@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()
    for path in (
        "/admin/orders/order/",
        f"/admin/orders/order/{order.id}/change/",
        "/admin/catalog/product/",
        f"/admin/catalog/product/{Product.objects.get().pk}/change/",
        "/admin/pricing/listprice/",
        "/admin/inventory/stock/",
        f"/admin/inventory/stock/{SKU}/change/",
    ):
        assert_fits(page, path)
