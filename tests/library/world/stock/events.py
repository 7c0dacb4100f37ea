"""What stock announces."""

from monolift.kernel import Event


class Filled(Event, version=1, key="sku"):
    """Stock came in."""

    sku: str
    quantity: int


class Counted(Event, version=1):
    """Somebody counted; no order among these."""

    total: int
