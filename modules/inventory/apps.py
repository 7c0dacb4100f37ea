"""Inventory as a module."""

from modules.inventory.interface import Inventory
from monolift import Module


class InventoryModule(Module):
    """Stock on hand and the holds placed on it."""

    name = "modules.inventory"
    owner = "team-supply"
    provides = {Inventory: "modules.inventory.services.InventoryService"}
