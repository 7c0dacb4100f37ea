from modules.inventory import services
from modules.orders.events import OrderPlaced
from monolift import subscribe


@subscribe(OrderPlaced)
def count(event):
    services.count(event.sku)
