from modules.inventory.events import StockLow
