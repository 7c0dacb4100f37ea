"""Facts that catalog announces."""

from uuid import UUID

from modules.catalog.interface import Option
from monolift.kernel import Event


class ProductPublished(Event, version=1, key="product_id"):
    """A product was created or changed, or has come back. `category` is a slug or empty."""

    product_id: UUID
    slug: str
    title: str
    description: str
    skus: tuple[str, ...]
    category: str = ""
    tags: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()


class ProductWithdrawn(Event, version=1, key="product_id"):
    """A product is no longer for sale."""

    product_id: UUID
    slug: str
