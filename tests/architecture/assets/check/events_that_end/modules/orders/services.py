from modules.orders.events import OrderPlaced
from monolift import publish


class Restocking:
    def order(self, event):
        publish(OrderPlaced(sku=event.sku))
