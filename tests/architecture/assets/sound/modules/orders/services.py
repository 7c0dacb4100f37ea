from modules.orders import queries
from modules.orders.models import Row
from modules.orders.requires import HoldId, inventory
from modules.orders.sagas import awaited

# from modules.inventory.models import Row: a comment is no import
written = (Row, HoldId, inventory, awaited, queries, "import modules.inventory.models")
