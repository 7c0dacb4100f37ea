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


class CategoryNotFound(DomainError, status=404):
    """There is no category called {slug}."""

    slug: str


class SkuTaken(DomainError, status=409):
    """{sku} is a variant of {slug} and stays one: choose another SKU."""

    sku: Sku
    slug: str


class InvalidDraft(DomainError, status=422):
    """The product {slug} cannot be published: {problem}"""

    slug: str
    problem: str


class TooManyDrafts(DomainError, status=422):
    """{count} products are too many for one commit: publish at most {most} at a time."""

    count: int
    most: int


class InvalidCategory(DomainError, status=422):
    """The category {slug} cannot be set: {problem}"""

    slug: str
    problem: str


class InvalidCursor(DomainError, status=422):
    """{after} does not continue a page: give a page's `next` as it was."""

    after: str


class Category(Dto):
    """A shelf of the shop: a main category, or a subcategory of the main one named by `parent`.

    `count` is how many products are in it, those of its subcategories included.
    """

    slug: str
    title: str
    parent: str | None = None
    count: int = 0


class Option(Dto):
    """What a customer chooses between, for example Colour: sand, moss, ink."""

    name: str
    values: tuple[str, ...]


class Image(Dto):
    """A picture: its path below the static files, and what it shows in words."""

    path: str
    alt: str = ""


class Variant(Dto):
    """One thing that can be bought; `price` is None while it has none.

    `options` are its values in the order of the product's options; `image` is a path below the
    static files, empty when the product's own picture shows it.
    """

    sku: Sku
    name: str
    price: Money | None = None
    price_before: Money | None = None
    options: tuple[str, ...] = ()
    image: str = ""


class Product(Dto):
    """A product as a customer sees it. `image` is a path below the static files.

    `images` are all its pictures, `image` the first of them. `category` is a slug, empty for none.
    `description` is plain text: paragraphs are separated by an empty line.
    """

    id: ProductId
    slug: str
    title: str
    description: str
    image: str
    variants: tuple[Variant, ...]
    category: str = ""
    options: tuple[Option, ...] = ()
    images: tuple[Image, ...] = ()
    tags: tuple[str, ...] = ()


class ProductPage(Dto):
    """Some products in order of title; `next` continues after them, None at the end."""

    products: tuple[Product, ...]
    next: str | None = None


class ProductCard(Dto):
    """What a list says about a product: the price of its cheapest variant, None without any.

    `variants` says how many there are to choose from, `skus` which ones, and `varies` whether
    their prices differ.
    """

    slug: str
    title: str
    image: str
    price: Money | None = None
    price_before: Money | None = None
    variants: int = 0
    category: str = ""
    varies: bool = False
    skus: tuple[Sku, ...] = ()


class VariantLabel(Dto):
    """What a basket line says about a variant."""

    sku: Sku
    slug: str
    title: str
    name: str
    image: str


class VariantDraft(Dto):
    """A variant to publish; `options` has a value for each option of the product."""

    sku: Sku
    name: str
    options: tuple[str, ...] = ()
    image: str = ""


class ProductDraft(Dto):
    """A product to publish.

    `variants` is the short form: (SKU, name). `offers` can say more; give one of the two. Of
    `image` and `images` one is enough: the first of the images is the product's.
    """

    slug: str
    title: str
    description: str
    image: str
    variants: tuple[tuple[Sku, str], ...] = ()
    category: str = ""
    options: tuple[Option, ...] = ()
    images: tuple[Image, ...] = ()
    tags: tuple[str, ...] = ()
    offers: tuple[VariantDraft, ...] = ()


class Catalog(Interface, Protocol, version=1):
    """Products and variants."""

    @query(timeout=2)
    def categories(self) -> Sequence[Category]:
        """Every category: the main ones by title, each followed by its own by title."""
        ...

    @query(timeout=2, raises=(InvalidCursor, CategoryNotFound))
    def products(
        self,
        *,
        currency: str,
        limit: int = 24,
        after: str | None = None,
        category: str | None = None,
    ) -> ProductPage:
        """A page of at most 100 products with prices; `after` is the previous page's `next`.

        A main category shows the products of its subcategories too.
        """
        ...

    @query(timeout=2, raises=ProductNotFound)
    def product(self, *, slug: str, currency: str) -> Product:
        """One product with its prices."""
        ...

    @query(timeout=2)
    def cards(self, *, slugs: Sequence[str], currency: str) -> Mapping[str, ProductCard]:
        """What a list says about these products; an unknown or withdrawn one is left out."""
        ...

    @query(timeout=2)
    def labels(self, *, skus: Sequence[Sku]) -> Mapping[Sku, VariantLabel]:
        """Names for these SKUs; an unknown SKU is left out."""
        ...

    @command(timeout=5, raises=(SkuTaken, InvalidDraft, CategoryNotFound))
    def publish_product(self, *, draft: ProductDraft) -> ProductId:
        """Create the product of that slug, or bring it up to date.

        A variant that the draft lacks is withdrawn; its SKU stays the product's. Publishing the
        same draft again changes nothing and announces nothing.
        """
        ...

    @command(timeout=30, raises=(SkuTaken, InvalidDraft, CategoryNotFound, TooManyDrafts))
    def publish_products(self, *, drafts: Sequence[ProductDraft]) -> Sequence[ProductId]:
        """Publish at most 200 products in one commit: all or none. Their ids, in order."""
        ...

    @command(timeout=5, raises=ProductNotFound)
    def withdraw_product(self, *, slug: str) -> None:
        """Take the product off the shelves; publishing it again brings it back.

        Its SKUs stay its own. Withdrawing twice changes nothing and announces nothing.
        """
        ...

    @command(timeout=5, raises=InvalidCategory)
    def set_categories(self, *, categories: Sequence[Category]) -> None:
        """Add these categories or bring them up to date; others stay, `count` is not read.

        A parent is a main category, given here or set before. Doing it again changes nothing.
        """
        ...
