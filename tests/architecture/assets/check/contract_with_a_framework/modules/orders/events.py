from modules.inventory.interface import Sku
