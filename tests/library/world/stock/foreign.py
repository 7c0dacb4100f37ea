"""Another module's event, which stock must not announce."""

from tests.library.world.sales.events import Sold as Foreign

__all__ = ["Foreign"]
