"""Orders as a module."""

from modules.orders.interface import Orders
from monolift import Module


class OrdersModule(Module):
    """Baskets, orders and the checkout."""

    name = "modules.orders"
    owner = "team-checkout"
    provides = {Orders: "modules.orders.services.OrdersService"}
