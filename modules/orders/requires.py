"""What orders needs from others."""

from modules.catalog.interface import Catalog, Sku, VariantLabel
from modules.inventory.interface import HoldExpired, InsufficientStock, Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.payments.interface import CardDeclined, Payments
from modules.pricing.interface import CouponRefused as CouponNotValid
from modules.pricing.interface import NoPrice, Pricing, Quote, QuoteLine, UnknownDestination
from modules.shipping.interface import (
    AlreadyShipped,
    NoSuchMethod,
    ParcelLine,
    Recipient,
    Shipping,
)
from monolift import use

__all__ = [
    "AlreadyShipped",
    "CardDeclined",
    "Catalog",
    "CouponNotValid",
    "HoldExpired",
    "InsufficientStock",
    "Inventory",
    "Line",
    "NoPrice",
    "NoSuchMethod",
    "ParcelLine",
    "Payments",
    "Pricing",
    "Quote",
    "QuoteLine",
    "Recipient",
    "Shipping",
    "Sku",
    "StockedSku",
    "UnknownDestination",
    "VariantLabel",
    "catalog",
    "inventory",
    "payments",
    "pricing",
    "shipping",
]

catalog = use(Catalog)
inventory = use(Inventory)
payments = use(Payments)
pricing = use(Pricing)
shipping = use(Shipping)
