from modules.inventory.events import StockLow
from monolift import subscribe


@subscribe(StockLow)
def note(event):
    """inventory.StockLow is named in words only."""
