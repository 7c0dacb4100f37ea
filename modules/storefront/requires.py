"""What the storefront needs from others."""

from modules.catalog.interface import Catalog, InvalidCursor, Product, ProductNotFound, Variant
from modules.inventory.interface import Inventory
from modules.inventory.interface import Sku as StockedSku
from modules.orders.interface import (
    Address,
    AddressMissing,
    Basket,
    BasketClosed,
    BasketEmpty,
    BasketId,
    BasketLine,
    CheckoutFailed,
    InvalidAddress,
    Order,
    OrderId,
    OrderNotFound,
    Orders,
    OrderState,
    OutOfStock,
    PaymentRefused,
    PriceChanged,
    QuantityOutOfRange,
    UnknownSku,
)
from modules.payments.interface import InvalidCard, Payments
from modules.pricing.interface import NoPrice, Pricing, Quote, QuoteLine, UnknownDestination
from monolift import use

__all__ = [
    "Address",
    "AddressMissing",
    "Basket",
    "BasketClosed",
    "BasketEmpty",
    "BasketId",
    "BasketLine",
    "Catalog",
    "CheckoutFailed",
    "InvalidAddress",
    "InvalidCard",
    "InvalidCursor",
    "Inventory",
    "NoPrice",
    "Order",
    "OrderId",
    "OrderNotFound",
    "OrderState",
    "Orders",
    "OutOfStock",
    "PaymentRefused",
    "Payments",
    "PriceChanged",
    "Pricing",
    "Product",
    "ProductNotFound",
    "QuantityOutOfRange",
    "Quote",
    "QuoteLine",
    "StockedSku",
    "UnknownDestination",
    "UnknownSku",
    "Variant",
    "catalog",
    "inventory",
    "orders",
    "payments",
    "pricing",
]

catalog = use(Catalog)
inventory = use(Inventory)
orders = use(Orders)
payments = use(Payments)
pricing = use(Pricing)
