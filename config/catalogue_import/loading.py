"""Handing products to the modules, many at a time."""

from uuid import NAMESPACE_URL, uuid5

from config.catalogue_import.grouping import Problem
from config.catalogue_import.products import Incoming
from config.catalogue_import.report import Report
from modules.catalog.interface import Catalog, Category, ProductDraft, Sku
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.interface import ListPrice, Pricing
from monolift import DomainError, use

PRODUCTS = 200
VARIANTS = 2000
"""So many go at a time."""

_OPENING = uuid5(NAMESPACE_URL, "monolift-shop/opening-stock")
_MOST_LINE = 10_000

catalog = use(Catalog)
pricing = use(Pricing)
inventory = use(Inventory)


class Loader:
    """Collects products and hands them over in batches; call `flush` at the end."""

    def __init__(self, *, report: Report, dry_run: bool) -> None:
        self._report = report
        self._dry_run = dry_run
        self._batch: list[Incoming] = []
        self._variants = 0
        self._categories: dict[str, Category] | None = None

    def add(self, product: Incoming) -> None:
        """Take a product; when there are many, hand them over."""
        self._batch.append(product)
        self._variants += len(product.prices)
        if len(self._batch) >= PRODUCTS or self._variants >= VARIANTS:
            self.flush()

    def flush(self) -> None:
        """Hand over what was collected."""
        batch, self._batch, self._variants = self._batch, [], 0
        if not batch:
            return
        gone = [product for product in batch if product.draft is None]
        good = self._without_foreign_skus([one for one in batch if one.draft is not None])
        if self._dry_run:
            for product in good:
                self._took(product)
        else:
            good = self._shelve(good)
            self._price(good)
            self._stock(good)
            # Last, so that whatever is on show can be bought.
            self._publish(good)
            self._withdraw(gone)
        self._report.not_for_sale += len(gone)

    def _took(self, product: Incoming) -> None:
        self._report.products += 1
        self._report.variants += len(product.prices)

    def _refuse(self, product: Incoming, reason: str) -> None:
        self._report.refuse(product.slug, [Problem(product.line, reason)])

    def _without_foreign_skus(self, products: list[Incoming]) -> list[Incoming]:
        """Refuse SKUs of other products now, before their prices are touched."""
        skus = [Sku(sku) for product in products for sku in product.prices]
        labels = catalog.labels(skus=skus)
        good = []
        for product in products:
            foreign = [
                sku
                for sku in product.prices
                if Sku(sku) in labels and labels[Sku(sku)].slug != product.slug
            ]
            if foreign:
                owner = labels[Sku(foreign[0])].slug
                self._refuse(product, f"the SKU {foreign[0]} belongs to the product {owner}.")
            else:
                good.append(product)
        return good

    def _shelve(self, products: list[Incoming]) -> list[Incoming]:
        """Make sure that the categories are there; those that are there stay as they are."""
        if self._categories is None:
            self._categories = {one.slug: one for one in catalog.categories()}
        good = []
        for product in products:
            missing = [one for one in product.categories if one.slug not in self._categories]
            try:
                if missing:
                    catalog.set_categories(categories=missing)
            except DomainError as error:
                self._refuse(product, error.detail)
                continue
            self._categories |= {one.slug: one for one in missing}
            good.append(product)
        return good

    def _price(self, products: list[Incoming]) -> None:
        prices = [
            ListPrice(sku=sku, unit=unit)
            for product in products
            for sku, unit in product.prices.items()
        ]
        if prices:
            pricing.set_prices(prices=prices)
        taxed = {sku: has_tax for one in products for sku, has_tax in one.taxed.items()}
        if taxed:
            pricing.set_taxed(taxed=taxed)

    def _stock(self, products: list[Incoming]) -> None:
        """Count in the opening stock of each SKU, once for ever: after that, sales count down."""
        stock = {sku: count for one in products for sku, count in one.stock.items() if count}
        available = inventory.available(skus=[StockedSku(sku) for sku in stock])
        for sku, count in stock.items():
            if available.get(StockedSku(sku), 0):
                continue
            full, rest = divmod(count, _MOST_LINE)
            inventory.receive(
                reference=uuid5(_OPENING, sku),
                lines=[
                    Line(sku=StockedSku(sku), quantity=quantity)
                    for quantity in (*[_MOST_LINE] * full, rest)
                    if quantity
                ],
            )

    def _publish(self, products: list[Incoming]) -> None:
        drafts = [product.draft for product in products if product.draft is not None]
        try:
            catalog.publish_products(drafts=drafts)
        except DomainError:
            # One of them is at fault: which one, and why?
            for product in products:
                self._publish_one(product, product.draft)
        else:
            for product in products:
                self._took(product)

    def _publish_one(self, product: Incoming, draft: ProductDraft | None) -> None:
        try:
            if draft is not None:
                catalog.publish_product(draft=draft)
        except DomainError as error:
            self._refuse(product, error.detail)
        else:
            self._took(product)

    def _withdraw(self, products: list[Incoming]) -> None:
        slugs = [product.slug for product in products]
        for slug in catalog.cards(slugs=slugs, currency="EUR"):
            catalog.withdraw_product(slug=slug)
