"""What search listens to.

An event says which product changed, not what it is now: catalog is asked for that. So an event
that comes late or twice never brings an old text back.
"""

from modules.catalog.events import ProductPublished, ProductWithdrawn
from modules.search.services import indexing
from monolift import subscribe


@subscribe(ProductPublished)
def index_published(event: ProductPublished) -> None:
    """Bring the product's entry up to date."""
    indexing.refresh(slug=event.slug)


@subscribe(ProductWithdrawn)
def drop_withdrawn(event: ProductWithdrawn) -> None:
    """Bring the product's entry up to date: catalog no longer has it."""
    indexing.refresh(slug=event.slug)
