from modules.orders.interface import Provided
from monolift.registry import use

router = use(Provided)
