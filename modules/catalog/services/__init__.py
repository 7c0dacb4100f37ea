"""Writes of catalog, and the interface they answer."""

from collections.abc import Mapping, Sequence

from modules.catalog import queries
from modules.catalog.interface import (
    Catalog,
    Category,
    Product,
    ProductCard,
    ProductDraft,
    ProductId,
    ProductPage,
    Sku,
    VariantLabel,
)
from modules.catalog.services import publishing, shelving, withdrawing


class CatalogService(Catalog):
    """Answers `Catalog` from this module's tables."""

    def categories(self) -> Sequence[Category]:
        """See `Catalog.categories`."""
        return queries.categories()

    def products(
        self,
        *,
        currency: str,
        limit: int = 24,
        after: str | None = None,
        category: str | None = None,
    ) -> ProductPage:
        """See `Catalog.products`."""
        return queries.products(currency=currency, limit=limit, after=after, category=category)

    def product(self, *, slug: str, currency: str) -> Product:
        """See `Catalog.product`."""
        return queries.product(slug=slug, currency=currency)

    def cards(self, *, slugs: Sequence[str], currency: str) -> Mapping[str, ProductCard]:
        """See `Catalog.cards`."""
        return queries.cards(slugs=slugs, currency=currency)

    def labels(self, *, skus: Sequence[Sku]) -> Mapping[Sku, VariantLabel]:
        """See `Catalog.labels`."""
        return queries.labels(skus=skus)

    def publish_product(self, *, draft: ProductDraft) -> ProductId:
        """See `Catalog.publish_product`."""
        return publishing.publish_all([draft])[0]

    def publish_products(self, *, drafts: Sequence[ProductDraft]) -> Sequence[ProductId]:
        """See `Catalog.publish_products`."""
        return publishing.publish_all(drafts)

    def withdraw_product(self, *, slug: str) -> None:
        """See `Catalog.withdraw_product`."""
        withdrawing.withdraw(slug)

    def set_categories(self, *, categories: Sequence[Category]) -> None:
        """See `Catalog.set_categories`."""
        shelving.set_categories(categories)
