from modules.inventory.interface import Provided
from monolift.registry import use

router = use(Provided)
