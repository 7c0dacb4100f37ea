from modules.inventory.services import count
