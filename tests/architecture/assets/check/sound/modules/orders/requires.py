from modules.inventory.interface import Inventory
from monolift import use

inventory = use(Inventory)
