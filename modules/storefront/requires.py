"""What the storefront needs from others."""

from modules.catalog.interface import (
    Catalog,
    Category,
    CategoryNotFound,
    Image,
    InvalidCursor,
    Option,
    Product,
    ProductCard,
    ProductNotFound,
    Variant,
)
from modules.catalog.interface import Sku as CatalogSku
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
from modules.orders.interface import InvalidCursor as InvalidOrdersCursor
from modules.payments.interface import InvalidCard, Payments
from modules.pricing.interface import NoPrice, Pricing, Quote, QuoteLine, UnknownDestination
from modules.recommendations.interface import Recommendations
from modules.search.interface import Facet, FacetValue, Search, SearchPage, SuggestionKind
from modules.search.interface import InvalidCursor as InvalidSearchCursor
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
    "CatalogSku",
    "Category",
    "CategoryNotFound",
    "CheckoutFailed",
    "Facet",
    "FacetValue",
    "Image",
    "InvalidAddress",
    "InvalidCard",
    "InvalidCursor",
    "InvalidOrdersCursor",
    "InvalidSearchCursor",
    "Inventory",
    "NoPrice",
    "Option",
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
    "ProductCard",
    "ProductNotFound",
    "QuantityOutOfRange",
    "Quote",
    "QuoteLine",
    "Recommendations",
    "Search",
    "SearchPage",
    "StockedSku",
    "SuggestionKind",
    "UnknownDestination",
    "UnknownSku",
    "Variant",
    "catalog",
    "inventory",
    "orders",
    "payments",
    "pricing",
    "recommendations",
    "search",
]

catalog = use(Catalog)
inventory = use(Inventory)
orders = use(Orders)
payments = use(Payments)
pricing = use(Pricing)
recommendations = use(Recommendations)
search = use(Search)
