"""What orders needs from others."""

from modules.catalog.interface import Catalog, Sku, VariantLabel
from modules.inventory.interface import HoldExpired, InsufficientStock, Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.payments.interface import CardDeclined, Payments
from modules.pricing.interface import NoPrice, Pricing, Quote, QuoteLine, UnknownDestination
from monolift import use

__all__ = [
    "CardDeclined",
    "Catalog",
    "HoldExpired",
    "InsufficientStock",
    "Inventory",
    "Line",
    "NoPrice",
    "Payments",
    "Pricing",
    "Quote",
    "QuoteLine",
    "Sku",
    "StockedSku",
    "UnknownDestination",
    "VariantLabel",
    "catalog",
    "inventory",
    "payments",
    "pricing",
]

catalog = use(Catalog)
inventory = use(Inventory)
payments = use(Payments)
pricing = use(Pricing)
