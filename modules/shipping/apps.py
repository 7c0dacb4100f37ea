"""Shipping as a module."""

from modules.shipping.interface import Shipping
from monolift import Module


class ShippingModule(Module):
    """Rates and shipments."""

    name = "modules.shipping"
    owner = "team-logistics"
    provides = {Shipping: "modules.shipping.services.ShippingService"}
