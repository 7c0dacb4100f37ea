from modules.inventory.events import Happened
from modules.inventory.interface import Id, Provided

inventory = Provided
HoldId = (Id, Happened)
