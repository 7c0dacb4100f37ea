"""The sample catalogue: loading it again changes nothing."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from modules.catalog.models import Product, Variant
from modules.inventory.interface import Inventory
from modules.pricing.models import ListPrice, Promotion
from monolift import use
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
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
        list(Product.objects.order_by("slug").values()),
        list(Variant.objects.order_by("sku").values()),
        list(
            ListPrice.objects.order_by("sku", "currency").values_list("sku", "currency", "amount")
        ),
        list(Promotion.objects.order_by("sku").values_list("sku", "percent")),
        list(use(Inventory).count()),
        fetch(topology().alias("catalog"), "SELECT event FROM monolift_outbox ORDER BY event"),
    )


def test_loading_twice_changes_nothing() -> None:
    assert "24 products" in load()
    first = state()
    load()
    assert state() == first
    assert_books_balance()


def test_everything_on_show_can_be_bought_and_has_a_picture() -> None:
    load()
    customer = Customer()
    products = customer.get("/catalog/products?limit=100&currency=KWD")["products"]
    assert len(products) == 24
    skus = [variant["sku"] for product in products for variant in product["variants"]]
    for product in products:
        assert all(variant["price"]["amount"] > 0 for variant in product["variants"])
        picture = settings.BASE_DIR / "data" / "images" / Path(product["image"]).name
        assert picture.exists()
    stock = customer.get("/inventory/availability?" + "&".join(f"sku={sku}" for sku in skus))
    assert all(stock[sku] > 0 for sku in skus)
    assert any(variant["price_before"] for product in products for variant in product["variants"])


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_sample", str(tmp_path / "none.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("= 1")
    with pytest.raises(CommandError, match="not valid TOML"):
        call_command("load_sample", str(broken))
