"""`manage.py load_sample`: the sample catalogue, through the modules' interfaces."""

import contextlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from modules.catalog.interface import (
    Catalog,
    Category,
    Image,
    Option,
    ProductDraft,
    ProductNotFound,
    Sku,
    VariantDraft,
)
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.interface import ListPrice, Pricing, Promotion
from monolift import use
from monolift.kernel import Money

CURRENCIES = ("EUR", "USD", "JPY", "KWD")
DELIVERY = uuid5(NAMESPACE_URL, "monolift-shop/sample-delivery/2")
"""The reference of the delivery that brings the stock: it is counted in once."""

_BATCH = 200


class Command(BaseCommand):
    """Load products, prices, promotions and stock. Running it again changes nothing."""

    help = "Load the sample catalogue; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder to load."""
        parser.add_argument(
            "folder",
            nargs="?",
            type=Path,
            default=settings.BASE_DIR / "data",
            help="a folder like data, which is the default (see data/README.md)",
        )
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="do nothing when it was loaded before: prices changed since then stay",
        )

    def handle(self, *args: Any, folder: Path, if_missing: bool, **options: Any) -> None:
        """Load the folder."""
        shelves = [_read(file) for file in _files(folder)]
        promotions = _read(folder / "promotions.toml").get("promotions", [])
        try:
            colours = _read(folder / "drawings.toml")["colours"]
            categories = [one for shelf in shelves for one in _categories(shelf)]
            products = [product for shelf in shelves for product in shelf["products"]]
            variants = [variant for product in products for variant in product["variants"]]
            drafts = [_draft(product, colours) for product in products]
            prices = [
                ListPrice(sku=variant["sku"], unit=Money.of(variant[currency], currency))
                for variant in variants
                for currency in CURRENCIES
            ]
            stock = [
                Line(sku=StockedSku(variant["sku"]), quantity=variant["stock"])
                for variant in variants
                if variant["stock"]
            ]
            cuts = list(_promotions(promotions))
        except KeyError as error:
            raise CommandError(
                f"{folder}: {error} is missing somewhere. data/README.md says what is needed."
            ) from None
        if if_missing and _is_loaded(drafts):
            return
        pricing = use(Pricing)
        pricing.set_prices(prices=prices)
        pricing.set_promotions(promotions=cuts)
        use(Inventory).receive(reference=DELIVERY, lines=stock)
        catalog = use(Catalog)
        catalog.set_categories(categories=categories)
        # Last, so that whatever is on show can be bought.
        for some in batched(drafts, _BATCH):
            catalog.publish_products(drafts=some)
        self.stdout.write(f"{len(products)} products, {len(variants)} variants are for sale.")


def _is_loaded(drafts: Sequence[ProductDraft]) -> bool:
    """Products are published in order, so the last one tells of all."""
    if not drafts:
        return True
    with contextlib.suppress(ProductNotFound):
        return bool(use(Catalog).product(slug=drafts[-1].slug, currency=CURRENCIES[0]))
    return False


def _files(folder: Path) -> list[Path]:
    found = sorted((folder / "products").glob("*.toml"))
    if not found:
        raise CommandError(
            f"{folder} has no products: a file products/<category>.toml cannot be read there."
        )
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is not valid TOML: {error}.") from None


def _categories(shelf: Mapping[str, Any]) -> Iterator[Category]:
    yield Category(slug=shelf["slug"], title=shelf["title"])
    for one in shelf["subcategories"]:
        yield Category(slug=one["slug"], title=one["title"], parent=shelf["slug"])


def _promotions(entries: Sequence[Mapping[str, Any]]) -> Iterator[Promotion]:
    for entry in entries:
        for sku in entry["skus"]:
            yield Promotion(
                sku=sku,
                percent=entry["percent"],
                starts_at=entry["starts_at"],
                ends_at=entry["ends_at"],
            )


def _draft(product: Mapping[str, Any], colours: Mapping[str, str]) -> ProductDraft:
    names = product.get("options", [])
    columns = [
        tuple(dict.fromkeys(one["options"][place] for one in product["variants"]))
        for place in range(len(names))
    ]
    pictures = _pictures(product["slug"], columns, colours)
    offers = []
    for one in product["variants"]:
        values = tuple(one["options"]) if names else ()
        images = [pictures[value] for value in values if value in pictures]
        offers.append(
            VariantDraft(
                sku=Sku(one["sku"]),
                name=" / ".join(values) or one["name"],
                options=values,
                image=images[0] if images else "",
            )
        )
    return ProductDraft(
        slug=product["slug"],
        title=product["title"],
        description=product["description"],
        image=f"products/{product['slug']}.svg",
        category=product["category"],
        options=tuple(
            Option(name=name, values=values) for name, values in zip(names, columns, strict=True)
        ),
        images=tuple(
            Image(path=path, alt=f"{product['title']}, {value}") for value, path in pictures.items()
        ),
        tags=tuple(product["tags"]),
        offers=tuple(offers),
    )


def _pictures(
    slug: str, columns: Sequence[Sequence[str]], colours: Mapping[str, str]
) -> dict[str, str]:
    """The picture of each colour that the product can be had in, as scripts/make_images.py does."""
    for values in columns:
        if all(value in colours for value in values):
            names = ["", *(f"-{value.replace(' ', '-')}" for value in values[1:])]
            return {
                value: f"products/{slug}{name}.svg"
                for value, name in zip(values, names, strict=True)
            }
    return {}
