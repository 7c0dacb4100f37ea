"""Modules that give no answer."""

from collections.abc import Mapping, Sequence

from modules.catalog.interface import Category
from modules.catalog.services import CatalogService
from modules.inventory.interface import Sku
from modules.inventory.services import InventoryService
from modules.recommendations.services import RecommendationsService
from modules.search.interface import SearchPage, Suggestion
from modules.search.services import SearchService
from monolift import Unavailable


class SilentInventory(InventoryService):
    """Nobody knows what there is."""

    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        """Give no answer."""
        raise Unavailable("inventory.available", "secret detail")


class SilentRecommendations(RecommendationsService):
    """Nobody knows what goes with what."""

    def bought_together(self, *, skus: Sequence[str], limit: int = 4) -> Sequence[str]:
        """Give no answer."""
        raise Unavailable("recommendations.bought_together", "secret detail")


class SilentSearch(SearchService):
    """Nobody finds anything."""

    def search(
        self,
        *,
        text: str,
        currency: str = "EUR",
        category: str = "",
        options: Mapping[str, Sequence[str]] = {},
        limit: int = 24,
        after: str | None = None,
    ) -> SearchPage:
        """Give no answer."""
        raise Unavailable("search.search", "secret detail")

    def suggest(self, *, text: str, limit: int = 8) -> Sequence[Suggestion]:
        """Give no answer."""
        raise Unavailable("search.suggest", "secret detail")


class WithoutCategories(CatalogService):
    """A catalog that knows its products, but gives no answer about its categories."""

    def categories(self) -> Sequence[Category]:
        """Give no answer."""
        raise Unavailable("catalog.categories", "secret detail")
