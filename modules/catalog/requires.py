"""What catalog needs from others."""

from modules.pricing.interface import Pricing, ShownPrice
from monolift import use

__all__ = ["ShownPrice", "pricing"]

pricing = use(Pricing)
