"""Lists of products and the page of one."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from modules.catalog.interface import Catalog, ProductDraft, Sku
from modules.inventory.interface import Inventory
from modules.inventory.interface import Sku as StockedSku
from modules.inventory.services import InventoryService
from modules.pricing.interface import Pricing, Promotion
from modules.storefront.views.listing import PAGE_SIZE
from monolift import Unavailable, override, use
from monolift.kernel import clock
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import shelve

pytestmark = pytest.mark.django_db(databases="__all__")


def test_the_list_shows_price_and_stock(shopper: Shopper) -> None:
    shelve("MUG", price="12.50", quantity=10)
    shelve("POT", price="1234.50", quantity=3)
    shelve("TIN", price="7.00", quantity=0)
    shown = text(shopper.get("/products"))
    assert "Mug €12.50 Pot" in shown, "what is no news is not said"
    assert "Pot €1,234.50 Only 3 left" in shown
    assert "Tin €7.00 Sold out" in shown


def test_the_list_is_read_page_by_page(shopper: Shopper) -> None:
    names = [f"P{number:02}" for number in range(PAGE_SIZE + 2)]
    for name in names:
        shelve(name, quantity=0)
    seen: list[str] = []
    path: str | None = "/products"
    while path is not None:
        page = shopper.get(path).content.decode()
        seen += [name for name in names if f">{name}</a>" in page]
        path = page.partition('rel="next" href="')[2].partition('"')[0] or None
        path = f"/products{path}" if path else None
    assert seen == names


def test_an_empty_shop_says_so(shopper: Shopper) -> None:
    assert "The shelves are empty" in text(shopper.get("/"))


def test_a_promotion_crosses_the_old_price_out(shopper: Shopper) -> None:
    shelve("MUG", price="20.00")
    now = clock.now()
    window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    use(Pricing).set_promotions(promotions=[Promotion(sku="MUG", percent=15, **window)])
    for path in ("/products", "/products/mug"):
        page = shopper.get(path)
        assert "Now €17.00 instead of €20.00" in text(page)
        assert "<s>" in page.content.decode()


def test_variants_that_differ_in_price_start_from_the_lowest(shopper: Shopper) -> None:
    shelve("LARGE", price="30.00")
    shelve("SMALL", price="20.00", quantity=0)
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug="box",
            title="Box",
            description="A box.",
            image="products/box.svg",
            variants=((Sku("BOX-L"), "large"), (Sku("BOX-S"), "small"), (Sku("BOX-X"), "other")),
        )
    )
    shelve_prices = {"BOX-L": "30.00", "BOX-S": "20.00"}
    _price(shelve_prices)
    assert "Box from €20.00" in text(shopper.get("/products"))
    shown = text(shopper.get("/products/box"))
    assert "Box €30.00 Variant Large €30.00, not available" in shown
    assert "Large, €30.00: Sold out This one cannot be bought right now. Choose another." in shown
    assert "Not sold in EUR" in text(shopper.get("/products/box?sku=BOX-X"))


def _price(prices: Mapping[str, str]) -> None:
    from modules.pricing.interface import ListPrice
    from monolift import Money

    use(Pricing).set_prices(
        prices=[ListPrice(sku=sku, unit=Money.of(price, "EUR")) for sku, price in prices.items()]
    )


def test_the_first_variant_that_can_be_bought_is_chosen(shopper: Shopper) -> None:
    shelve("MUG")
    page = shopper.get("/products/mug").content.decode()
    assert 'name="sku" value="MUG"' in page


@pytest.mark.parametrize(
    ("currency", "price"),
    [("EUR", "€12.50"), ("USD", "$12.50"), ("JPY", "¥1,250"), ("KWD", "KWD 1.250")],
)
def test_prices_are_shown_in_the_chosen_currency(
    shopper: Shopper, currency: str, price: str
) -> None:
    shelve("MUG", price="12.50")
    chosen = shopper.post("/currency", currency=currency, here="/products/mug")
    assert (chosen.status_code, chosen["Location"]) == (303, "/products/mug")
    for path in ("/products", "/products/mug"):
        assert price in text(shopper.get(path))


class IsDown(InventoryService):
    """Inventory that gives no answer."""

    def available(self, *, skus: Sequence[StockedSku]) -> Mapping[StockedSku, int]:
        """Give no answer."""
        raise Unavailable("inventory.available", "nobody is there")


@pytest.mark.parametrize("path", ["/products", "/products/mug"])
def test_goods_are_shown_without_stock_while_inventory_is_silent(
    shopper: Shopper, path: str
) -> None:
    shelve("MUG")
    with override(Inventory, IsDown()):
        response = shopper.get(path)
    assert response.status_code == 200
    assert "€10.00" in text(response)
    assert "stock" not in text(response).lower()
    assert "Sold out" not in text(response)
