from modules.inventory.events import Happened
from modules.orders import services

subscribed = (Happened, services)
