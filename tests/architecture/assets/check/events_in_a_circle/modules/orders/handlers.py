from modules.inventory.events import StockLow
from modules.orders.services import Restocking
from monolift import subscribe


@subscribe(StockLow)
def note(event):
    Restocking().order(event)
