"""What recommendations listens to."""

from modules.orders.events import OrderPlaced
from modules.recommendations.services import counting
from monolift import atomic, subscribe


@subscribe(OrderPlaced)
def count_together(event: OrderPlaced) -> None:
    """Count an order's SKUs, once."""
    with atomic():
        counting.count(order_id=event.order_id, skus=[line.sku for line in event.lines])
