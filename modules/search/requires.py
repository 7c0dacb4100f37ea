"""What search needs from others."""

from modules.catalog.interface import Catalog, Category, Product, ProductNotFound
from monolift import use

__all__ = ["Category", "Product", "ProductNotFound", "catalog"]

catalog = use(Catalog)
