from modules.inventory.interface import Inventory
from modules.inventory.events import StockLow
