from modules.inventory.models import Stock
