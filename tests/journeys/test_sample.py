"""The sample catalogue: loading it again changes nothing."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from modules.catalog.interface import Catalog, Product
from modules.catalog.models import Category, Variant
from modules.catalog.models import Product as ProductRow
from modules.inventory.interface import Inventory
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.models import ListPrice, Promotion
from monolift import use
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing.statements import statements
from tests.journeys.client import Customer
from tests.shop import assert_books_balance

pytestmark = pytest.mark.django_db(databases="__all__")


def load() -> str:
    """Load it; what it says."""
    said = StringIO()
    call_command("load_sample", stdout=said)
    return said.getvalue()


def state() -> object:
    """Everything that loading writes, but for row ids."""
    return (
        list(Category.objects.order_by("slug").values()),
        list(ProductRow.objects.order_by("slug").values()),
        list(Variant.objects.order_by("sku").values()),
        list(
            ListPrice.objects.order_by("sku", "currency").values_list("sku", "currency", "amount")
        ),
        list(Promotion.objects.order_by("sku").values_list("sku", "percent")),
        list(use(Inventory).count()),
        fetch(topology().alias("catalog"), "SELECT event FROM monolift_outbox ORDER BY event"),
    )


def shelves() -> list[Product]:
    """Every product, read page by page in the currency that is offered last."""
    found: list[Product] = []
    after = None
    while True:
        page = use(Catalog).products(currency="KWD", limit=100, after=after)
        found += page.products
        after = page.next
        if after is None:
            return found


def test_loading_twice_changes_nothing() -> None:
    assert "215 products, 633 variants" in load()
    first = state()
    load()
    assert state() == first
    assert_books_balance()


def test_loading_if_missing_leaves_what_was_changed_since() -> None:
    load()
    use(Catalog).withdraw_product(slug="stoneware-mug")
    before = state()
    call_command("load_sample", "--if-missing")
    assert state() == before


def test_a_first_load_takes_few_statements() -> None:
    with statements() as seen:
        load()
    announced = [one for one in seen if "monolift_outbox" in one]
    counted_in = [one for one in seen if one.startswith('UPDATE "inventory_stock"')]
    assert len(announced) == 215
    # What is left is the same for any number of products, but for the size of one statement.
    assert len(seen) - len(announced) - len(counted_in) < 50


def test_everything_on_show_can_be_bought_and_has_a_picture() -> None:
    load()
    products = shelves()
    assert len(products) == 215
    skus = [StockedSku(variant.sku) for product in products for variant in product.variants]
    stock = use(Inventory).available(skus=skus)
    pictures = settings.BASE_DIR / "data" / "images"
    for product in products:
        paths = {product.image, *(one.path for one in product.images)}
        paths |= {variant.image for variant in product.variants} - {""}
        missing = [path for path in paths if not (pictures / Path(path).name).exists()]
        assert not missing
        assert all(variant.price and variant.price.amount > 0 for variant in product.variants)
        assert any(stock[StockedSku(variant.sku)] for variant in product.variants), product.slug
        assert len({variant.options for variant in product.variants}) == len(product.variants) or (
            not product.options
        )
        assert product.category
        assert product.description
        assert product.tags
    reduced = [one for one in products if any(variant.price_before for variant in one.variants)]
    assert len(reduced) > 10


def test_no_picture_is_of_nothing() -> None:
    load()
    shown = {"no-picture.svg"}
    for product in shelves():
        shown |= {Path(one.path).name for one in product.images}
    files = {file.name for file in (settings.BASE_DIR / "data" / "images").iterdir()}
    assert files == shown


def test_every_category_has_products() -> None:
    load()
    categories = use(Catalog).categories()
    main = [one for one in categories if one.parent is None]
    assert len(main) == 9
    assert sum(one.count for one in main) == 215
    assert all(one.count >= 2 for one in categories), categories


def test_the_api_shows_them() -> None:
    load()
    customer = Customer()
    page = customer.get("/catalog/products?category=tableware&limit=3&currency=JPY")
    assert [product["category"] for product in page["products"]] == ["tableware"] * 3
    assert page["next"]
    cutlery = customer.get("/catalog/products/cutlery-set")
    assert [option["name"] for option in cutlery["options"]] == ["Colour", "Pieces"]
    assert cutlery["variants"][0]["options"] == ["steel", "16"]
    assert customer.get("/catalog/categories")[0]["slug"] == "bags"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_sample", str(tmp_path / "none"))
    (tmp_path / "products").mkdir()
    file = tmp_path / "products" / "broken.toml"
    file.write_text("= 1")
    with pytest.raises(CommandError, match="not valid TOML"):
        call_command("load_sample", str(tmp_path))
    file.write_text("products = [{}]")
    for name in ("drawings", "promotions"):
        (tmp_path / f"{name}.toml").write_text("[colours]")
    with pytest.raises(CommandError, match="'slug' is missing"):
        call_command("load_sample", str(tmp_path))
