"""Writes of catalog, and the interface they answer."""

from collections.abc import Mapping, Sequence

from modules.catalog import models, queries
from modules.catalog.events import ProductPublished
from modules.catalog.interface import (
    Catalog,
    Product,
    ProductDraft,
    ProductId,
    ProductPage,
    Sku,
    SkuTaken,
    VariantLabel,
)
from monolift import atomic, publish, uuid7


class CatalogService(Catalog):
    """Answers `Catalog` from this module's tables."""

    def products(self, *, currency: str, limit: int = 24, after: str | None = None) -> ProductPage:
        """See `Catalog.products`."""
        return queries.products(currency=currency, limit=limit, after=after)

    def product(self, *, slug: str, currency: str) -> Product:
        """See `Catalog.product`."""
        return queries.product(slug=slug, currency=currency)

    def labels(self, *, skus: Sequence[Sku]) -> Mapping[Sku, VariantLabel]:
        """See `Catalog.labels`."""
        return queries.labels(skus=skus)

    def publish_product(self, *, draft: ProductDraft) -> ProductId:
        """See `Catalog.publish_product`."""
        with atomic():
            product = models.Product.objects.select_for_update().filter(slug=draft.slug).first()
            changed = product is None or _fields(product) != _fields(draft)
            product = product or models.Product(id=uuid7(), slug=draft.slug)
            if changed:
                product.title, product.description = draft.title, draft.description
                product.image = draft.image
                product.save()
            if _save_variants(product, draft) or changed:
                publish(
                    ProductPublished(
                        product_id=product.id,
                        slug=product.slug,
                        title=product.title,
                        description=product.description,
                        skus=tuple(str(sku) for sku, _ in draft.variants),
                    )
                )
        return ProductId(product.id)


def _fields(product: models.Product | ProductDraft) -> tuple[str, str, str]:
    return product.title, product.description, product.image


def _save_variants(product: models.Product, draft: ProductDraft) -> bool:
    """Make the variants those of the draft; True when something changed."""
    wanted = {
        str(sku): models.Variant(sku=sku, product=product, name=name, position=position)
        for position, (sku, name) in enumerate(draft.variants)
    }
    known = {
        variant.sku: variant
        for variant in models.Variant.objects.filter(sku__in=list(wanted)).select_related("product")
    }
    for sku, variant in known.items():
        if variant.product_id != product.id:
            raise SkuTaken(sku=Sku(sku), slug=variant.product.slug)
    changed = [
        variant
        for sku, variant in wanted.items()
        if sku not in known or _state(known[sku]) != _state(variant)
    ]
    models.Variant.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["sku"],
        update_fields=["name", "position", "withdrawn"],
    )
    gone = product.variants.filter(withdrawn=False).exclude(sku__in=list(wanted))
    return bool(changed) | bool(gone.update(withdrawn=True))


def _state(variant: models.Variant) -> tuple[str, int, bool]:
    return variant.name, variant.position, variant.withdrawn
