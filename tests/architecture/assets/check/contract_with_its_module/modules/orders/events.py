from modules.orders.interface import shelf
from modules.orders.models import Line
