"""Writes of orders, and the interface they answer."""

from modules.orders.services.service import OrdersService

__all__ = ["OrdersService"]
