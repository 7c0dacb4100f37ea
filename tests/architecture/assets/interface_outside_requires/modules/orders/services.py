from modules.inventory.interface import Provided

written = Provided
