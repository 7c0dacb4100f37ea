"""What recommendations needs from others."""

from modules.orders.interface import BoughtOrder, Orders
from monolift import use

__all__ = ["BoughtOrder", "orders"]

orders = use(Orders)
