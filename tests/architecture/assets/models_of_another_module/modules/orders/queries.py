from modules.orders.models import Row

from modules.inventory.models import Row as Stock

found = (Row, Stock)
