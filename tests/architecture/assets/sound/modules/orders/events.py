from modules.orders.interface import Id
from monolift.kernel import Event

Happened = (Event, Id)
