"""Catalog as a module."""

from modules.catalog.interface import Catalog
from monolift import Module


class CatalogModule(Module):
    """Products and their variants."""

    name = "modules.catalog"
    owner = "team-catalog"
    provides = {Catalog: "modules.catalog.services.CatalogService"}
