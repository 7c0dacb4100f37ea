"""What catalog provides."""

from collections.abc import Mapping, Sequence
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, Money, command, query

ProductId = NewType("ProductId", UUID)
Sku = NewType("Sku", str)


class ProductNotFound(DomainError, status=404):
    """There is no product called {slug}."""

    slug: str


class SkuTaken(DomainError, status=409):
    """{sku} is a variant of {slug} and stays one: choose another SKU."""

    sku: Sku
    slug: str


class InvalidCursor(DomainError, status=422):
    """{after} does not continue a page: give a page's `next` as it was."""

    after: str


class Variant(Dto):
    """One thing that can be bought; `price` is None while it has none."""

    sku: Sku
    name: str
    price: Money | None = None
    price_before: Money | None = None


class Product(Dto):
    """A product as a customer sees it. `image` is a path below the static files."""

    id: ProductId
    slug: str
    title: str
    description: str
    image: str
    variants: tuple[Variant, ...]


class ProductPage(Dto):
    """Some products in order of title; `next` continues after them, None at the end."""

    products: tuple[Product, ...]
    next: str | None = None


class VariantLabel(Dto):
    """What a basket line says about a variant."""

    sku: Sku
    slug: str
    title: str
    name: str
    image: str


class ProductDraft(Dto):
    """A product to publish; `variants` are (SKU, name)."""

    slug: str
    title: str
    description: str
    image: str
    variants: tuple[tuple[Sku, str], ...]


class Catalog(Interface, Protocol, version=1):
    """Products and variants."""

    @query(timeout=2, raises=InvalidCursor)
    def products(self, *, currency: str, limit: int = 24, after: str | None = None) -> ProductPage:
        """A page of at most 100 products with prices; `after` is the previous page's `next`."""
        ...

    @query(timeout=2, raises=ProductNotFound)
    def product(self, *, slug: str, currency: str) -> Product:
        """One product with its prices."""
        ...

    @query(timeout=2)
    def labels(self, *, skus: Sequence[Sku]) -> Mapping[Sku, VariantLabel]:
        """Names for these SKUs; an unknown SKU is left out."""
        ...

    @command(timeout=5, raises=SkuTaken)
    def publish_product(self, *, draft: ProductDraft) -> ProductId:
        """Create the product of that slug, or bring it up to date.

        A variant that the draft lacks is withdrawn; its SKU stays the product's. Publishing the
        same draft again changes nothing and announces nothing.
        """
        ...
