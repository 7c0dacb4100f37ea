"""Pricing as a module."""

from modules.pricing.interface import Pricing
from monolift import Module


class PricingModule(Module):
    """Prices, promotions and tax."""

    name = "modules.pricing"
    owner = "team-pricing"
    provides = {Pricing: "modules.pricing.services.PricingService"}
