from modules.inventory.models import Row

subscribed = Row
