from modules.inventory.events import Happened
from modules.orders.requires import inventory

awaited = (Happened, inventory)
