import modules.orders.interface
from modules.orders.models import Order

from . import services


def shelf():
    return modules.orders.queries.count(), Order, services
