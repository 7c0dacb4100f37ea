"""Facts that catalog announces."""

from uuid import UUID

from monolift.kernel import Event


class ProductPublished(Event, version=1, key="product_id"):
    """A product was created or changed."""

    product_id: UUID
    slug: str
    title: str
    description: str
    skus: tuple[str, ...]
