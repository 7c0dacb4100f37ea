from modules.inventory.events import Happened

Provided = Id = Happened
