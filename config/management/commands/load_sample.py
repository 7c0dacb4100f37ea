"""`manage.py load_sample`: the sample catalogue, through the modules' interfaces."""

import contextlib
import tomllib
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from modules.catalog.interface import Catalog, ProductDraft, ProductNotFound, Sku
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.interface import ListPrice, Pricing, Promotion
from monolift import use
from monolift.kernel import Money

CURRENCIES = ("EUR", "USD", "JPY", "KWD")
DELIVERY = uuid5(NAMESPACE_URL, "monolift-shop/sample-delivery/1")
"""The reference of the delivery that brings the stock: it is counted in once."""


class Command(BaseCommand):
    """Load products, prices, promotions and stock. Running it again changes nothing."""

    help = "Load the sample catalogue; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file to load."""
        parser.add_argument(
            "file",
            nargs="?",
            type=Path,
            default=settings.BASE_DIR / "data" / "products.toml",
            help="a TOML file like data/products.toml, which is the default",
        )
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="do nothing when it was loaded before: prices changed since then stay",
        )

    def handle(self, *args: Any, file: Path, if_missing: bool, **options: Any) -> None:
        """Load the file."""
        products, promotions = _read(file)
        if if_missing and _is_loaded(products):
            return
        variants = [variant for product in products for variant in product["variants"]]
        pricing = use(Pricing)
        pricing.set_prices(
            prices=[
                ListPrice(sku=variant["sku"], unit=Money.of(variant[currency], currency))
                for variant in variants
                for currency in CURRENCIES
            ]
        )
        pricing.set_promotions(promotions=[Promotion(**promotion) for promotion in promotions])
        use(Inventory).receive(
            reference=DELIVERY,
            lines=[
                Line(sku=StockedSku(variant["sku"]), quantity=variant["stock"])
                for variant in variants
            ],
        )
        # Last, so that whatever is on show can be bought.
        catalog = use(Catalog)
        for product in products:
            catalog.publish_product(draft=_draft(product))
        self.stdout.write(f"{len(products)} products, {len(variants)} variants are for sale.")


def _is_loaded(products: list[dict[str, Any]]) -> bool:
    """Products are published in order, so the last one tells of all."""
    if not products:
        return True
    last = products[-1]["slug"]
    with contextlib.suppress(ProductNotFound):
        return bool(use(Catalog).product(slug=last, currency=CURRENCIES[0]))
    return False


def _read(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{file} is not valid TOML: {error}.") from None
    return document["products"], document.get("promotions", [])


def _draft(product: dict[str, Any]) -> ProductDraft:
    return ProductDraft(
        slug=product["slug"],
        title=product["title"],
        description=product["description"],
        image=f"products/{product['slug']}.svg",
        variants=tuple((Sku(one["sku"]), one["name"]) for one in product["variants"]),
    )
