"""The public REST API: every module's router below one prefix."""

from ninja import NinjaAPI

from config.identity.api import router as tokens
from config.identity.authentication import anyone, signed_in
from config.identity.later import throttled
from config.identity.throttle import TooManyAttempts
from modules.catalog.api import router as catalog
from modules.inventory.api import router as inventory
from modules.orders.api import baskets
from modules.orders.api import router as orders
from modules.payments.api import router as payments
from modules.pricing.api import router as pricing
from modules.profiles.api import router as profiles
from modules.recommendations.api import router as recommendations
from modules.search.api import router as search
from modules.shipping.api import router as shipping
from monolift.gateway.ninja import install_problem_handlers

api = NinjaAPI(
    title="The shop",
    version="1",
    description=(
        "Amounts are whole minor units of their currency. Every error is a problem (RFC 9457). "
        "A POST may carry an `Idempotency-Key`: sent again with it, it has one effect."
    ),
)
install_problem_handlers(api)
api.add_exception_handler(TooManyAttempts, throttled)
api.add_router("/catalog", catalog)
api.add_router("/pricing", pricing)
api.add_router("/inventory", inventory)
api.add_router("/payments", payments)
api.add_router("/shipping", shipping)
api.add_router("/baskets", baskets, auth=anyone)
api.add_router("/orders", orders, auth=anyone)
api.add_router("/search", search)
api.add_router("/recommendations", recommendations)
api.add_router("/profile", profiles, auth=signed_in)
api.add_router("/tokens", tokens)
