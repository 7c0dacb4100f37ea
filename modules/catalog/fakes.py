"""Catalog in memory, for the tests of modules that require it."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import msgspec

from modules.catalog.events import ProductPublished, ProductWithdrawn
from modules.catalog.interface import (
    Catalog,
    Category,
    CategoryNotFound,
    Image,
    InvalidCategory,
    InvalidCursor,
    InvalidDraft,
    Product,
    ProductCard,
    ProductDraft,
    ProductId,
    ProductNotFound,
    ProductPage,
    Sku,
    SkuTaken,
    TooManyDrafts,
    Variant,
    VariantDraft,
    VariantLabel,
)
from modules.catalog.requires import pricing
from monolift.testing.announcing import announce


class FakeCatalog(Catalog):
    """Shows pricing's prices, and announces products as the real one does."""

    def __init__(self) -> None:
        self._categories: dict[str, Category] = {}
        self._products: dict[str, Product] = {}
        self._withdrawn: set[str] = set()
        self._owners: dict[Sku, str] = {}

    def categories(self) -> Sequence[Category]:
        every = sorted(self._categories.values(), key=lambda one: (one.title, one.slug))
        counted: list[Category] = []
        for main in every:
            if main.parent is None:
                below = [self._counted(one) for one in every if one.parent == main.slug]
                counted += [self._counted(main), *below]
        return counted

    def products(
        self,
        *,
        currency: str,
        limit: int = 24,
        after: str | None = None,
        category: str | None = None,
    ) -> ProductPage:
        limit = max(1, min(limit, 100))
        if category is not None and category not in self._categories:
            raise CategoryNotFound(slug=category)
        found = [one for one in self._on_sale() if category is None or self._is_in(one, category)]
        if after is not None:
            slugs = [one.slug for one in found]
            if after not in slugs:
                raise InvalidCursor(after=after)
            found = found[slugs.index(after) + 1 :]
        more = len(found) > limit
        return ProductPage(
            products=tuple(self._priced(one, currency) for one in found[:limit]),
            next=found[limit - 1].slug if more else None,
        )

    def product(self, *, slug: str, currency: str) -> Product:
        if slug not in self._products or slug in self._withdrawn:
            raise ProductNotFound(slug=slug)
        return self._priced(self._products[slug], currency)

    def cards(self, *, slugs: Sequence[str], currency: str) -> Mapping[str, ProductCard]:
        cards = {}
        for one in self._on_sale():
            if one.slug in slugs:
                prices = pricing.prices(skus=[v.sku for v in one.variants], currency=currency)
                priced = [prices[v.sku] for v in one.variants if v.sku in prices]
                cheapest = min(priced, key=lambda price: price.unit, default=None)
                cards[one.slug] = ProductCard(
                    slug=one.slug,
                    title=one.title,
                    image=one.image,
                    price=cheapest.unit if cheapest else None,
                    price_before=cheapest.before if cheapest else None,
                    variants=len(one.variants),
                    category=one.category,
                    varies=len({price.unit for price in priced}) > 1,
                    skus=tuple(variant.sku for variant in one.variants),
                )
        return cards

    def labels(self, *, skus: Sequence[Sku]) -> Mapping[Sku, VariantLabel]:
        return {
            variant.sku: VariantLabel(
                sku=variant.sku,
                slug=one.slug,
                title=one.title,
                name=variant.name,
                image=variant.image or one.image,
            )
            for one in self._on_sale()
            for variant in one.variants
            if variant.sku in skus
        }

    def publish_product(self, *, draft: ProductDraft) -> ProductId:
        return self.publish_products(drafts=[draft])[0]

    def publish_products(self, *, drafts: Sequence[ProductDraft]) -> Sequence[ProductId]:
        if len(drafts) > 200:
            raise TooManyDrafts(count=len(drafts), most=200)
        owners = dict(self._owners)
        slugs: set[str] = set()
        for draft in drafts:
            if draft.slug in slugs:
                raise InvalidDraft(slug=draft.slug, problem="it is there twice. Publish it once.")
            slugs.add(draft.slug)
            if not draft.title.strip():
                raise InvalidDraft(slug=draft.slug, problem="it has no title.")
            if draft.category and draft.category not in self._categories:
                raise CategoryNotFound(slug=draft.category)
            for offer in _offers(draft):
                if owners.setdefault(offer.sku, draft.slug) != draft.slug:
                    raise SkuTaken(sku=offer.sku, slug=owners[offer.sku])
        self._owners = owners
        return [self._publish(draft) for draft in drafts]

    def withdraw_product(self, *, slug: str) -> None:
        if slug not in self._products:
            raise ProductNotFound(slug=slug)
        if slug not in self._withdrawn:
            self._withdrawn.add(slug)
            announce(ProductWithdrawn(product_id=self._products[slug].id, slug=slug))

    def set_categories(self, *, categories: Sequence[Category]) -> None:
        tree = self._categories | {one.slug: one for one in categories}
        for one in tree.values():
            if one.parent in {new.slug for new in categories if new.parent is not None}:
                problem = f"it has a subcategory, {one.slug}: there are two levels only."
                raise InvalidCategory(slug=str(one.parent), problem=problem)
            if one.parent is not None and one.parent not in tree:
                problem = f"there is no category {one.parent}."
                raise InvalidCategory(slug=one.slug, problem=problem)
            if one.parent is not None and tree[one.parent].parent is not None:
                problem = f"{one.parent} is a subcategory: there are two levels only."
                raise InvalidCategory(slug=one.slug, problem=problem)
        self._categories = tree

    def _publish(self, draft: ProductDraft) -> ProductId:
        known = self._products.get(draft.slug)
        images = _pictures(draft)
        product = Product(
            id=known.id if known else ProductId(uuid4()),
            slug=draft.slug,
            title=draft.title,
            description=draft.description,
            image=images[0].path if images else "",
            variants=tuple(
                Variant(sku=one.sku, name=one.name, options=one.options, image=one.image)
                for one in _offers(draft)
            ),
            category=draft.category,
            options=draft.options,
            images=images,
            tags=draft.tags,
        )
        if product != known or draft.slug in self._withdrawn:
            self._products[draft.slug] = product
            self._withdrawn.discard(draft.slug)
            announce(
                ProductPublished(
                    product_id=product.id,
                    slug=product.slug,
                    title=product.title,
                    description=product.description,
                    skus=tuple(str(one.sku) for one in product.variants),
                    category=product.category,
                    tags=product.tags,
                    options=product.options,
                )
            )
        return product.id

    def _on_sale(self) -> list[Product]:
        found = [one for slug, one in self._products.items() if slug not in self._withdrawn]
        return sorted(found, key=lambda one: (one.title, one.slug))

    def _is_in(self, product: Product, category: str) -> bool:
        own = self._categories.get(product.category)
        return own is not None and category in (own.slug, own.parent)

    def _counted(self, category: Category) -> Category:
        count = sum(self._is_in(one, category.slug) for one in self._on_sale())
        return msgspec.structs.replace(category, count=count)

    def _priced(self, product: Product, currency: str) -> Product:
        prices = pricing.prices(skus=[one.sku for one in product.variants], currency=currency)
        variants = tuple(
            msgspec.structs.replace(
                one, price=prices[one.sku].unit, price_before=prices[one.sku].before
            )
            if one.sku in prices
            else one
            for one in product.variants
        )
        return msgspec.structs.replace(product, variants=variants)


def _offers(draft: ProductDraft) -> tuple[VariantDraft, ...]:
    return draft.offers or tuple(VariantDraft(sku=sku, name=name) for sku, name in draft.variants)


def _pictures(draft: ProductDraft) -> tuple[Image, ...]:
    own = [one for one in draft.images if one.path == draft.image]
    if draft.image and not own:
        own = [Image(path=draft.image)]
    return (*own[:1], *(one for one in draft.images if one.path != draft.image))
