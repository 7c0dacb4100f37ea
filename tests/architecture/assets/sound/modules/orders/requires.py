from modules.inventory.interface import Id, Provided
from monolift.registry import use

inventory = use(Provided)
HoldId = Id
