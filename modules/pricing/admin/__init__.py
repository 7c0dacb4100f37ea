"""Prices in Django's admin. It writes through the interface only, and each act is logged."""

from modules.pricing.admin import list_prices, offers

__all__ = ["list_prices", "offers"]
