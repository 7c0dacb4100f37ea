"""What notifications needs from others."""

from modules.orders.interface import Order, OrderId, Orders
from monolift import use

__all__ = ["Order", "OrderId", "orders"]

orders = use(Orders)
