"""Documents by the hundred thousand; see `manage.py seed`."""

from collections.abc import Sequence

from modules.search.models import Document
from modules.search.requires import Product
from modules.search.services import indexing


def index(products: Sequence[Product]) -> None:
    """Index products as catalog has them. Doing it again changes nothing."""
    indexing.index_given(products)


def known(slugs: Sequence[str]) -> set[str]:
    """Which of these were ever indexed, withdrawn ones included."""
    return set(Document.objects.filter(slug__in=slugs).values_list("slug", flat=True))
