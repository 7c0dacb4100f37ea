from modules.inventory.models import Row

written = Row
