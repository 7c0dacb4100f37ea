from modules.inventory.events import StockLow
from monolift import publish


def count(sku):
    _warn(sku)


def _warn(sku):
    publish(StockLow(sku=sku))
