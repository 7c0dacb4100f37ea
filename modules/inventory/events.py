"""Facts that inventory announces."""

from uuid import UUID

from monolift.kernel import Event


class HoldLapsed(Event, version=1, key="reference"):
    """A hold was not taken in time; its stock is for sale again."""

    reference: UUID
    skus: tuple[str, ...]


class StockLow(Event, version=1, key="sku"):
    """What is available of a SKU fell to its threshold or below. Once, until it was above again."""

    sku: str
    available: int
    threshold: int
