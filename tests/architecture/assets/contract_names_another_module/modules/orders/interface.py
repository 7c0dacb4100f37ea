from modules.inventory.interface import Id

Provided = Id
