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
    CouponRefused,
    InvalidAddress,
    Invoice,
    NoInvoice,
    NotCancellable,
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
from modules.payments.interface import (
    Challenge,
    ChallengeId,
    ChallengeNotFound,
    ChallengeState,
    InvalidCard,
    Payments,
)
from modules.pricing.interface import CouponRefused as CouponNotValid
from modules.pricing.interface import NoPrice, Pricing, Quote, QuoteLine, UnknownDestination
from modules.profiles.interface import (
    AddressNotFound,
    InvalidProfile,
    PostalAddress,
    Profile,
    Profiles,
    SavedAddress,
    TooManyAddresses,
)
from modules.profiles.interface import InvalidAddress as InvalidPostalAddress
from modules.recommendations.interface import Recommendations
from modules.search.interface import Facet, FacetValue, Search, SearchPage, SuggestionKind
from modules.search.interface import InvalidCursor as InvalidSearchCursor
from modules.shipping.interface import NoSuchMethod, Rate, Shipping
from monolift import use

__all__ = [
    "Address",
    "AddressMissing",
    "AddressNotFound",
    "Basket",
    "BasketClosed",
    "BasketEmpty",
    "BasketId",
    "BasketLine",
    "Catalog",
    "CatalogSku",
    "Category",
    "CategoryNotFound",
    "Challenge",
    "ChallengeId",
    "ChallengeNotFound",
    "ChallengeState",
    "CheckoutFailed",
    "CouponNotValid",
    "CouponRefused",
    "Facet",
    "FacetValue",
    "Image",
    "InvalidAddress",
    "InvalidCard",
    "InvalidCursor",
    "InvalidOrdersCursor",
    "InvalidPostalAddress",
    "InvalidProfile",
    "InvalidSearchCursor",
    "Inventory",
    "Invoice",
    "NoInvoice",
    "NoPrice",
    "NoSuchMethod",
    "NotCancellable",
    "Option",
    "Order",
    "OrderId",
    "OrderNotFound",
    "OrderState",
    "Orders",
    "OutOfStock",
    "PaymentRefused",
    "Payments",
    "PostalAddress",
    "PriceChanged",
    "Pricing",
    "Product",
    "ProductCard",
    "ProductNotFound",
    "Profile",
    "Profiles",
    "QuantityOutOfRange",
    "Quote",
    "QuoteLine",
    "Rate",
    "Recommendations",
    "SavedAddress",
    "Search",
    "SearchPage",
    "Shipping",
    "StockedSku",
    "SuggestionKind",
    "TooManyAddresses",
    "UnknownDestination",
    "UnknownSku",
    "Variant",
    "catalog",
    "inventory",
    "orders",
    "payments",
    "pricing",
    "profiles",
    "recommendations",
    "search",
    "shipping",
]

catalog = use(Catalog)
inventory = use(Inventory)
orders = use(Orders)
payments = use(Payments)
pricing = use(Pricing)
profiles = use(Profiles)
recommendations = use(Recommendations)
search = use(Search)
shipping = use(Shipping)
